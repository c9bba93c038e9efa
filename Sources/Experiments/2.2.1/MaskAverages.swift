import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What a trained network says on the test images, with its weights scaled and with sampled masks.
package struct MaskAverages: MeasuredResult, Sendable {
  /// The numbers of masks that are averaged.
  package static let counts = [1, 2, 4, 8, 16, 32, 64]

  /// The error with all units kept and weights scaled, in percent.
  package var scaled = 0.0
  /// The error of the arithmetic mean of the predictions of `counts` masks, in percent.
  package var arithmetic: [Double] = []
  /// The error of their normalised geometric mean, in percent.
  package var geometric: [Double] = []
  /// How often two sampled networks say different digits, in percent.
  package var disagreement = 0.0
  /// The probabilities with all units kept, row after row, as the bytes of `Float`.
  package var probabilities = Data()

  /// The errors: probabilities are another set of digits on another processor.
  package var measures: [[Double]] { [[scaled, disagreement], arithmetic, geometric] }

  /// Evaluates a network; without dropout there are no masks to average.
  ///
  /// Each count is measured on as many disjoint groups of the masks as there are.
  package static func measure(
    _ network: Perceptron, _ set: ImageSet, masks: Int, using stream: inout RandomStream,
    _ flag: SideBySide.Flag
  ) throws -> MaskAverages {
    let counts = counts.filter { $0 <= masks }
    var result = MaskAverages()
    var wrong = (
      arithmetic: [Int](repeating: 0, count: counts.count),
      geometric: [Int](repeating: 0, count: counts.count)
    )
    var (scaledWrong, different) = (0, 0)
    for batch in Array(set.labels.indices).batches(of: 1000) {
      let (images, labels) = (set.images(batch), set.labels(batch))
      let scaled = network.probabilities(images)
      scaledWrong += errors(scaled, labels)
      scaled.withUnsafeBufferPointer { result.probabilities.append($0) }
      let zero = Tensor(repeating: 0, [batch.count, 10])
      var sums = counts.map { _ in (arithmetic: zero, geometric: zero) }
      var last: [Int] = []
      for mask in 1...max(1, masks) where masks > 0 {
        try flag.check()
        let tape = Tape(recording: false)
        let logits = network.logits(tape.constant(images), .training, using: &stream)
        let p = softmax(logits).value
        let said = p.predictions
        if mask % 2 == 0 { different += zip(said, last).count { $0 != $1 } }
        last = said
        for (index, count) in counts.enumerated() {
          sums[index].arithmetic += p
          // The logarithm of a mean of products is a mean of logits, up to a number that all
          // classes share.
          sums[index].geometric += logits.value
          if mask % count == 0 {
            wrong.arithmetic[index] += errors(sums[index].arithmetic, labels)
            wrong.geometric[index] += errors(sums[index].geometric, labels)
            sums[index] = (zero, zero)
          }
        }
      }
    }
    let images = Double(set.count)
    result.scaled = 100 * Double(scaledWrong) / images
    let groups = counts.map { Double(masks / $0) }
    result.arithmetic = zip(wrong.arithmetic, groups).map { 100 * Double($0) / images / $1 }
    result.geometric = zip(wrong.geometric, groups).map { 100 * Double($0) / images / $1 }
    result.disagreement = masks > 1 ? 100 * Double(different) / images / Double(masks / 2) : 0
    return result
  }

  /// The error in percent of the mean prediction of several networks, each trained by itself.
  package static func error(of members: [MaskAverages], _ labels: [Int]) -> Double {
    let sums = members.map(\.tensor).reduce(Tensor(repeating: 0, [labels.count, 10])) { $0 + $1 }
    return 100 * Double(errors(sums, labels)) / Double(labels.count)
  }

  /// How often two networks say different digits, in percent.
  package static func disagreement(_ a: MaskAverages, _ b: MaskAverages) -> Double {
    let (a, b) = (a.tensor.predictions, b.tensor.predictions)
    return 100 * Double(zip(a, b).count { $0 != $1 }) / Double(a.count)
  }

  private var tensor: Tensor {
    let count = probabilities.count / MemoryLayout<Float>.stride
    return Tensor(uninitialized: [count / 10, 10]) { _ = probabilities.copyBytes(to: $0) }
  }

  private static func errors(_ scores: Tensor, _ labels: [Int]) -> Int {
    zip(scores.predictions, labels).count { $0 != $1 }
  }
}
