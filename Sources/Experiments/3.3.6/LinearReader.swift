import Digits
import Methods
import Synchronization
import Tensors

// snippet.reader
/// A linear support vector machine that reads digits from features.
struct LinearReader: Sendable {
  private let weights, biases: Tensor

  /// A variance beside which that of a pixel is nothing.
  private static let evenly: Float = 1e4

  /// A machine that learns from rows of features `[n, d]`.
  ///
  /// - Parameter isScaled: whether each feature is first divided by √(variance + 0.01); else all have
  ///   one factor, which counts in the cost.
  init(_ rows: Tensor, labels: [Int], cost: Double, isScaled: Bool) throws {
    let scaling = FeatureScaling(rows, constant: isScaled ? 0.01 : Self.evenly)
    // Of pixels with so small a factor the bias has nearly all of the gradient at first, so that a
    // thousandth of that says nothing of theirs.
    let machine = try LinearSVM(
      scaling(rows), labels: labels, cost: isScaled ? cost : cost * Double(Self.evenly),
      tolerance: isScaled ? 1e-3 : 1e-5)
    (weights, biases) = scaling.unscaled(machine.weights)
  }

  /// The digits of rows of features.
  func callAsFunction(_ rows: Tensor) -> [Int] {
    var scores = rows.product(weights, transposing: .second)
    scores.addToRows(biases, activation: .identity)
    return scores.predictions
  }
}
// snippet.end

/// Features of images, each computed once, when it is first asked for.
final class FeatureTable: Sendable {
  private let features: @Sendable (Tensor, SideBySide.Flag) throws -> Tensor
  /// Rows by the number of images of a set, in which MNIST's two differ, then by the image's index.
  private let rows = Mutex<[Int: [Int: [Float]]]>([:])

  /// A table of what a function makes of images `[1, n, 28, 28]`: `[n, d]`.
  init(_ features: @escaping @Sendable (Tensor, SideBySide.Flag) throws -> Tensor) {
    self.features = features
  }

  /// The features of some images of a set, `[n, d]`.
  func callAsFunction(
    _ set: ImageSet, _ indices: [Int], _ flag: SideBySide.Flag
  ) throws -> Tensor {
    try rows.withLock { rows in
      let new = indices.filter { rows[set.count]?[$0] == nil }
      for batch in new.batches(of: 500) {
        try flag.check()
        let values = try features(set.images(batch), flag).values
        let width = values.count / batch.count
        for (row, image) in batch.enumerated() {
          rows[set.count, default: [:]][image] = Array(values[row * width..<(row + 1) * width])
        }
      }
      let own = rows[set.count]!
      let width = own[indices[0]]!.count
      return Tensor(uninitialized: [indices.count, width]) { target in
        for (row, image) in indices.enumerated() {
          let values = own[image]!
          for i in 0..<width { target[row &* width &+ i] = values[i] }
        }
      }
    }
  }
}
