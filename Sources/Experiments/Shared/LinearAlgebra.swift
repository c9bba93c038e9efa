/// Small vectors and matrices as arrays, for maths that is checked in double precision.
package enum LinearAlgebra {
  /// Σᵢ aᵢbᵢ.
  package static func dot(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }

  /// yᵢ = Σⱼ Aᵢⱼvⱼ for a matrix of rows.
  package static func product(_ matrix: [[Double]], _ v: [Double]) -> [Double] {
    matrix.map { dot($0, v) }
  }

  /// The matrix whose rows are the columns of another, square one.
  package static func transposed(_ matrix: [[Double]]) -> [[Double]] {
    matrix.indices.map { j in matrix.map { $0[j] } }
  }

  /// maxᵢ |aᵢ|.
  package static func largest(_ a: [Double]) -> Double { a.reduce(0) { max($0, abs($1)) } }
}
