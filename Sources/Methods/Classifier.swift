import Digits
import Gradients
import Networks
import Tensors

/// A network that says which digit an image shows.
public protocol Classifier: Module {
  /// The logits of images: `[1, n, 28, 28]` → `[n, 10]`.
  ///
  /// - Parameter noise: for dropout and noise, which only training draws.
  func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable
}

/// How a classifier does on some images.
public struct Evaluation: Sendable {
  /// The digit that it says for each image.
  public let predictions: [Int]
  /// The probability that it gives to that digit, for each image.
  public let confidences: [Float]
  /// The true digits.
  public let labels: [Int]
  /// The number of classes.
  public let classes: Int

  /// The share of right predictions in percent.
  public var accuracy: Double {
    let right = zip(predictions, labels).count { $0 == $1 }
    return 100 * Double(right) / Double(max(1, labels.count))
  }

  /// How often each true digit (row) was taken for each digit (column).
  public var confusion: [[Int]] {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: classes), count: classes)
    for (prediction, label) in zip(predictions, labels) { counts[label][prediction] += 1 }
    return counts
  }
}

extension Classifier {
  /// Evaluates the network on images, in batches that do not depend on anything but their number.
  ///
  /// - Parameter values: what its parameters count as instead of their own: an average, say.
  public func evaluate(
    _ set: ImageSet, _ indices: [Int], values: (any ParameterValues)? = nil
  ) -> Evaluation {
    evaluate(set, indices, values: values, beforeEachBatch: {})
  }

  /// The same evaluation, which can be stopped.
  ///
  /// - Parameter beforeEachBatch: may throw to stop it, as when the task is cancelled.
  public func evaluate(
    _ set: ImageSet, _ indices: [Int], values: (any ParameterValues)? = nil,
    beforeEachBatch: () throws -> Void
  ) rethrows -> Evaluation {
    var predictions: [Int] = []
    var confidences: [Float] = []
    var classes = ImageSet.classCount
    for batch in indices.batches(of: 500) {
      try beforeEachBatch()
      let p = probabilities(set.images(batch), values: values)
      classes = p.shape[1]
      for (row, best) in p.predictions.enumerated() {
        predictions.append(best)
        confidences.append(p[row * classes + best])
      }
    }
    return Evaluation(
      predictions: predictions, confidences: confidences, labels: set.labels(indices),
      classes: classes)
  }

  /// The probabilities of the classes of images in evaluation: `[1, n, 28, 28]` → `[n, 10]`.
  ///
  /// - Parameter values: what the parameters count as instead of their own.
  public func probabilities(
    _ images: Tensor, values: (any ParameterValues)? = nil
  ) -> Tensor {
    let tape = Tape(recording: false)
    return softmax(tape.constant(logits(of: images, values: values))).value
  }

  /// The logits of images in evaluation: `[1, n, 28, 28]` → `[n, 10]`.
  ///
  /// - Parameter values: what the parameters count as instead of their own.
  public func logits(of images: Tensor, values: (any ParameterValues)? = nil) -> Tensor {
    var unused = RandomStream(seed: 0, "evaluation draws nothing")
    let tape = Tape(recording: false, values: values)
    return logits(tape.constant(images), .evaluation, using: &unused).value
  }
}

extension Tensor {
  /// The class of the largest score in each row of `[n, classes]`; of equal ones the first.
  public var predictions: [Int] {
    precondition(shape.rank == 2, "rows of scores wanted: \(shape)")
    let classes = shape[1]
    return withUnsafeBufferPointer { scores in
      (0..<shape[0]).map { row in
        var best = 0
        for k in 1..<classes where scores[row * classes + k] > scores[row * classes + best] {
          best = k
        }
        return best
      }
    }
  }
}
