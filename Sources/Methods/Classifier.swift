import Digits
import Gradients
import Networks
import Tensors

/// A network that says which digit an image shows.
public protocol Classifier {
  /// Everything that is saved with the network, trainable or not, in a fixed order.
  var parameters: [Parameter] { get }

  /// The logits of images: `[1, n, 28, 28]` → `[n, 10]`.
  ///
  /// - Parameter stream: for dropout and noise, which only training draws.
  func logits(_ images: Variable, _ phase: Phase, _ stream: inout RandomStream) -> Variable
}

/// How a classifier does on some images.
public struct Evaluation: Sendable {
  /// The digit that it says for each image.
  public let predictions: [Int]
  /// The probability that it gives to that digit, for each image.
  public let confidences: [Float]
  /// The true digits.
  public let labels: [Int]

  /// The share of right predictions in percent.
  public var accuracy: Double {
    let right = zip(predictions, labels).count { $0 == $1 }
    return 100 * Double(right) / Double(max(1, labels.count))
  }

  /// How often each true digit (row) was taken for each digit (column).
  public var confusion: [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 10), count: 10)
    for (prediction, label) in zip(predictions, labels) { counts[label][prediction] += 1 }
    return counts
  }
}

extension Classifier {
  /// Evaluates the network on images, in batches that do not depend on anything but their number.
  public func evaluate(_ set: ImageSet, _ indices: [Int]) -> Evaluation {
    evaluate(set, indices, beforeEachBatch: {})
  }

  /// The same evaluation, which can be stopped.
  ///
  /// - Parameter beforeEachBatch: may throw to stop it, as when the task is cancelled.
  public func evaluate(
    _ set: ImageSet, _ indices: [Int], beforeEachBatch: () throws -> Void
  ) rethrows -> Evaluation {
    var predictions: [Int] = []
    var confidences: [Float] = []
    var unused = RandomStream(seed: 0, "evaluation draws nothing")
    for batch in indices.batches(of: 500) {
      try beforeEachBatch()
      let tape = Tape(recording: false)
      let p = softmax(logits(tape.constant(set.images(batch)), .evaluation, &unused)).value
      for row in 0..<batch.count {
        let best = (0..<10).max { p[row * 10 + $0] < p[row * 10 + $1] }!
        predictions.append(best)
        confidences.append(p[row * 10 + best])
      }
    }
    return Evaluation(
      predictions: predictions, confidences: confidences, labels: set.labels(indices))
  }
}

extension Array<Int> {
  /// The elements in successive runs of at most `size`.
  public func batches(of size: Int) -> [ArraySlice<Int>] {
    stride(from: 0, to: count, by: size).map { self[$0..<Swift.min(count, $0 + size)] }
  }
}
