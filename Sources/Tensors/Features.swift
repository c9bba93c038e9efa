import Lanes

/// The mean and variance of each feature over a batch.
public struct Moments: Sendable {
  /// One mean a feature: `[features]`.
  public let mean: Tensor
  /// One biased variance (divided by the count) a feature: `[features]`.
  public let variance: Tensor

  /// Moments from two tensors of one shape.
  public init(mean: Tensor, variance: Tensor) {
    precondition(mean.shape == variance.shape, "\(mean.shape) and \(variance.shape)")
    self.mean = mean
    self.variance = variance
  }
}

/// How the features lie in a tensor: the columns of a matrix or the channels of images.
struct FeatureLayout {
  /// The number of features, and of values of each.
  let features, samples: Int
  /// Whether a feature's values are contiguous (images `[c, n, h, w]`) or a column (`[n, c]`).
  let isContiguous: Bool

  init(_ shape: Shape) {
    isContiguous = shape.featureAxis == 0
    features = shape[shape.featureAxis]
    samples = shape.count / max(1, features)
  }

  /// Calls `body` with ranges of features: single rows, or blocks of 64 columns, whose parts of a
  /// row are four cache lines one after another.
  func forEachBlock(_ body: (Range<Int>) -> Void) {
    Parallel.forEachRange(features, by: isContiguous ? 1 : 64, body)
  }
}

extension Tensor {
  /// The sum of each feature over the batch: `[n, c]` or `[c, n, h, w]` → `[c]`.
  public func sumOfFeatures() -> Tensor {
    guard shape.rank == 4 else { return sumOfRows() }
    let layout = FeatureLayout(shape)
    let sums = Tensor(uninitialized: [layout.features])
    let (x, y) = (pointer, sums.freshPointer)
    layout.forEachBlock { block in
      for feature in block {
        let row = x + feature &* layout.samples
        var sum = Vector(repeating: 0)
        var i = 0
        while i &+ 16 <= layout.samples {
          sum += load(row + i)
          i &+= 16
        }
        sum += first(layout.samples &- i, of: load(row + i))
        y[feature] = sum.sum()
      }
    }
    return sums
  }
}
