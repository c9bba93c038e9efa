import Foundation

/// The best linear denoiser A·x̃ of a few numbers under masking noise, in Double.
package struct LinearDenoiser: Sendable {
  /// C = E[x·xᵀ], without a mean taken away, as an auto-encoder of pixels sees it.
  package let moments: [[Double]]
  /// The probability of each number to be masked.
  package let masking: Double

  /// The denoiser of some examples, each an array of the same few numbers.
  package init(_ examples: [[Double]], masking: Double) {
    let n = examples[0].count
    var c = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
    for x in examples {
      for i in 0..<n { for j in 0..<n { c[i][j] += x[i] * x[j] / Double(examples.count) } }
    }
    (moments, self.masking) = (c, masking)
  }

  // snippet.denoiser
  /// A = C·((1 − ν)·C + ν·diag C)⁻¹, where the derivative of E‖A·x̃ − x‖² is 0.
  package var matrix: [[Double]] {
    let masked = moments.indices.map { i in
      moments.indices.map { j in moments[i][j] * (i == j ? 1 : 1 - masking) }
    }
    // Both are symmetric, so that row i of A solves masked·aᵢ = row i of C.
    return moments.map { Self.solution(of: masked, $0) }
  }
  // snippet.end

  /// How much of itself a number is given back as, in the mean over the numbers.
  package var copied: Double {
    let a = matrix
    return a.indices.reduce(0) { $0 + a[$1][$1] } / Double(a.count)
  }

  /// The largest element of the derivative, ½∂E‖A·x̃ − x‖²/∂A = E[(A·x̃ − x)·x̃ᵀ], by all masks in
  /// turn: 2ⁿ of them, each with its probability.
  package func slope(at a: [[Double]]) -> Double {
    let n = moments.count
    var sum = [[Double]](repeating: [Double](repeating: 0, count: n), count: n)
    for mask in 0..<(1 << n) {
      let isSeen = (0..<n).map { mask >> $0 & 1 == 1 }
      let weight = isSeen.reduce(1.0) { $0 * ($1 ? 1 - masking : masking) }
      for i in 0..<n {
        for j in 0..<n where isSeen[j] {
          let given = (0..<n).reduce(0.0) { $0 + (isSeen[$1] ? a[i][$1] * moments[$1][j] : 0) }
          sum[i][j] += weight * (given - moments[i][j])
        }
      }
    }
    return LinearAlgebra.largest(sum.flatMap(\.self))
  }

  /// E‖A·x̃ − x‖² by all masks in turn, as E‖A·x̃‖² − 2·E[x·A·x̃] + E‖x‖².
  package func error(of a: [[Double]]) -> Double {
    let n = moments.count
    var sum = (0..<n).reduce(0) { $0 + moments[$1][$1] }
    for mask in 0..<(1 << n) {
      let seen = (0..<n).filter { mask >> $0 & 1 == 1 }
      let weight = pow(1 - masking, Double(seen.count)) * pow(masking, Double(n - seen.count))
      for i in 0..<n {
        for j in seen {
          let given = seen.reduce(0.0) { $0 + a[i][$1] * moments[$1][j] }
          sum += weight * a[i][j] * (given - 2 * moments[i][j])
        }
      }
    }
    return sum
  }

  // snippet.penalty
  /// E‖(1 − ν)·A·x − x‖² + ν(1 − ν)·Σᵢ Cᵢᵢ·‖A·ᵢ‖²: the same error, as that of a copy that sees all, and
  /// a penalty on its weights.
  package func penalisedError(of a: [[Double]]) -> Double {
    let n = moments.count
    var sum = 0.0
    for i in 0..<n {
      // Row i of (1 − ν)·A less the identity, whose square under C is the error of number i.
      let off = (0..<n).map { (1 - masking) * a[i][$0] - (i == $0 ? 1 : 0) }
      for j in 0..<n {
        sum += off[j] * (0..<n).reduce(0.0) { $0 + moments[j][$1] * off[$1] }
        sum += masking * (1 - masking) * moments[j][j] * a[i][j] * a[i][j]
      }
    }
    return sum
  }
  // snippet.end

  /// x with M·x = b, by Gauss's elimination with the largest pivot of each column.
  private static func solution(of matrix: [[Double]], _ b: [Double]) -> [Double] {
    let n = b.count
    var m = zip(matrix, b).map { $0 + [$1] }
    for column in 0..<n {
      let pivot = (column..<n).max { abs(m[$0][column]) < abs(m[$1][column]) }!
      m.swapAt(column, pivot)
      for row in column + 1..<n {
        let factor = m[row][column] / m[column][column]
        for k in column...n { m[row][k] -= factor * m[column][k] }
      }
    }
    var x = [Double](repeating: 0, count: n)
    for row in (0..<n).reversed() {
      let known = (row + 1..<n).reduce(0) { $0 + m[row][$1] * x[$1] }
      x[row] = (m[row][n] - known) / m[row][row]
    }
    return x
  }
}
