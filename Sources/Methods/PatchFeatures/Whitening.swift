import Tensors

/// ZCA whitening: the linear map that makes the coordinates of data uncorrelated and of variance 1,
/// and among all such maps the one that changes the data least.
///
/// x ↦ W·(x − m) with m the mean, C = V·diag(λ)·Vᵀ the covariance and W = V·diag(1/√(λ + ε))·Vᵀ.
/// The ε keeps directions in which there is hardly any variance from being blown up. Source:
/// Bell & Sejnowski 1997, "The 'independent components' of natural scenes are edge filters"; ε as
/// in Coates, Ng & Lee 2011.
public struct Whitening: Sendable {
  /// The mean m, `[d]`.
  public let mean: Tensor
  /// The matrix W, symmetric, `[d, d]`.
  public let matrix: Tensor
  /// The inverse of W, `[d, d]`: it shows whitened vectors as they would be unwhitened.
  public let inverse: Tensor
  /// The eigenvalues of the covariance, the largest first.
  public let variances: [Double]

  /// A whitening from its parts.
  public init(mean: Tensor, matrix: Tensor, inverse: Tensor, variances: [Double]) {
    (self.mean, self.matrix, self.inverse, self.variances) = (mean, matrix, inverse, variances)
  }

  /// The whitening of data, given as the rows of a matrix `[n, d]`; sums are taken in `Double`.
  public init(_ rows: Tensor, epsilon: Double) {
    precondition(rows.shape.rank == 2 && rows.shape[0] > 0, "rows wanted: \(rows.shape)")
    let d = rows.shape[1]
    let (mean, covariance) = Self.moments(rows)
    let eigen = SymmetricEigen(covariance)
    func matrix(_ factor: (Double) -> Double) -> Tensor {
      // λ of a covariance is at least 0; rounding may leave it just below.
      let factors = eigen.values.map { factor(max(0, $0) + epsilon) }
      var values = [Float](repeating: 0, count: d * d)
      for i in 0..<d {
        for j in 0..<d {
          var sum = 0.0
          for k in 0..<d { sum += eigen.vectors[k][i] * factors[k] * eigen.vectors[k][j] }
          values[i * d + j] = Float(sum)
        }
      }
      return Tensor([d, d], values)
    }
    self.mean = Tensor([d], mean.map(Float.init))
    self.matrix = matrix { 1 / $0.squareRoot() }
    inverse = matrix { $0.squareRoot() }
    variances = eigen.values
  }

  /// The rows of a matrix `[n, d]`, whitened.
  public func callAsFunction(_ rows: Tensor) -> Tensor {
    var result = rows.product(matrix)
    result.addToRows(offset, activation: .identity)
    return result
  }

  /// −W·m, which is added to W·x.
  var offset: Tensor {
    let d = mean.count
    return mean.reshaped([1, d]).product(matrix).map { -$0 }.reshaped([d])
  }

  /// The mean and the covariance (divided by n) of rows.
  static func moments(_ rows: Tensor) -> (mean: [Double], covariance: [[Double]]) {
    let (n, d) = (rows.shape[0], rows.shape[1])
    var mean = [Double](repeating: 0, count: d)
    rows.withUnsafeBufferPointer { x in
      for row in 0..<n { for i in 0..<d { mean[i] += Double(x[row &* d &+ i]) } }
    }
    for i in 0..<d { mean[i] /= Double(n) }
    // Products of pieces in Float, which differ from the mean little; their sum in Double.
    let centre = Tensor([d], mean.map { Float(-$0) })
    let size = 1024
    let pieces = (n + size - 1) / size
    var partial = [Tensor](repeating: Tensor(0), count: pieces)
    partial.withUnsafeMutableBufferPointer { partial in
      let partial = partial.baseAddress!
      Parallel.forEachRange(n, by: size) { range in
        var piece = rows.rows(range)
        piece.addToRows(centre, activation: .identity)
        partial[range.lowerBound / size] = piece.product(piece, transposing: .first)
      }
    }
    var covariance = [[Double]](repeating: [Double](repeating: 0, count: d), count: d)
    for piece in partial {
      for i in 0..<d { for j in 0..<d { covariance[i][j] += Double(piece[i * d + j]) } }
    }
    for i in 0..<d { for j in 0..<d { covariance[i][j] /= Double(n) } }
    return (mean, covariance)
  }
}
