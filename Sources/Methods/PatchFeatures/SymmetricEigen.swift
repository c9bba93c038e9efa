/// The eigenvalues and eigenvectors of a real symmetric matrix: A = V·diag(λ)·Vᵀ.
///
/// By the cyclic method of Jacobi: each rotation of a plane (p, q) makes the element a_pq zero, and
/// sweeps over all planes bring the sum of squares off the diagonal down, in the end quadratically.
/// Slower than other methods for large matrices, and as exact as any for one of 36×36. Source:
/// Golub & Van Loan 2013, "Matrix computations", section 8.5.
public struct SymmetricEigen: Sendable {
  /// The eigenvalues, the largest first.
  public let values: [Double]
  /// The eigenvectors, one an array, each of length 1; `vectors[i]` belongs to `values[i]`.
  public let vectors: [[Double]]
  /// The sweeps that were needed.
  public let sweeps: Int

  /// Decomposes a symmetric matrix, given row by row; only symmetric matrices make sense here.
  public init(_ matrix: [[Double]]) {
    let n = matrix.count
    precondition(matrix.allSatisfy { $0.count == n }, "a square matrix wanted")
    var a = matrix
    // The rows of v become the eigenvectors.
    var v = (0..<n).map { row in (0..<n).map { $0 == row ? 1.0 : 0 } }
    let scale = a.joined().reduce(0) { $0 + $1 * $1 }
    var sweeps = 0
    while sweeps < 60 {
      var outside = 0.0
      for p in 0..<n { for q in 0..<p { outside += 2 * a[p][q] * a[p][q] } }
      // Relative to the whole matrix the rest is then below the rounding of Double.
      if outside <= 1e-32 * scale { break }
      for p in 0..<n {
        for q in p + 1..<n where a[p][q] != 0 { Self.rotate(&a, &v, p, q) }
      }
      sweeps += 1
    }
    let order = (0..<n).sorted { a[$0][$0] > a[$1][$1] }
    values = order.map { a[$0][$0] }
    vectors = order.map { v[$0] }
    self.sweeps = sweeps
  }

  /// Rotates the plane (p, q) so that a_pq becomes 0: a ← JᵀaJ, v ← Jᵀv.
  private static func rotate(_ a: inout [[Double]], _ v: inout [[Double]], _ p: Int, _ q: Int) {
    // t = tan of the smaller of the two angles that do it: t² + 2τt − 1 = 0.
    let τ = (a[q][q] - a[p][p]) / (2 * a[p][q])
    let t = (τ < 0 ? -1 : 1) / (abs(τ) + (1 + τ * τ).squareRoot())
    let cosine = 1 / (1 + t * t).squareRoot()
    let sine = t * cosine
    for k in a.indices {
      let (x, y) = (a[k][p], a[k][q])
      a[k][p] = cosine * x - sine * y
      a[k][q] = sine * x + cosine * y
    }
    for k in a.indices {
      let (x, y) = (a[p][k], a[q][k])
      a[p][k] = cosine * x - sine * y
      a[q][k] = sine * x + cosine * y
    }
    a[p][q] = 0
    a[q][p] = 0
    for k in a.indices {
      let (x, y) = (v[p][k], v[q][k])
      v[p][k] = cosine * x - sine * y
      v[q][k] = sine * x + cosine * y
    }
  }
}
