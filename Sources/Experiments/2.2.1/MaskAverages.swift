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
  package static let counts = [1, 2, 4, 8, 16, 32]

  /// The error with all units kept and weights scaled, in percent.
  package var scaled = 0.0
  /// The error of the arithmetic mean of the predictions of `counts` masks, in percent.
  package var arithmetic: [Double] = []
  /// The error of their normalised geometric mean, in percent.
  package var geometric: [Double] = []
  /// The error of the vote of `counts` masks, in percent; a tie goes to the larger mean.
  package var votes: [Double] = []
  /// The errors of single thinned networks, each with one mask for all images, in percent.
  package var thinned: [Double] = []
  /// How often two sampled networks say different digits, in percent.
  package var disagreement = 0.0
  /// Where one of two sampled networks errs, how often the other errs too, in percent.
  package var shared = 0.0
  /// The probabilities with all units kept, row after row, as the bytes of `Float`.
  package var probabilities = Data()

  /// The errors: probabilities are another set of digits on another processor.
  package var measures: [[Double]] {
    [[scaled, disagreement, shared], arithmetic, geometric, votes, thinned]
  }

  /// Evaluates a network; without masks only as a whole.
  ///
  /// Each count is measured on as many disjoint groups of the masks as there are.
  package static func measure(
    _ network: Perceptron, _ set: ImageSet, masks: Int, using stream: inout RandomStream,
    _ flag: SideBySide.Flag
  ) throws -> MaskAverages {
    let counts = counts.filter { $0 <= masks }
    var result = MaskAverages()
    var wrong = counts.map { _ in (arithmetic: 0, geometric: 0, votes: 0) }
    var scaledWrong = 0
    var pairs = Pairs()
    for batch in Array(set.labels.indices).batches(of: 1000) {
      let (images, labels) = (set.images(batch), set.labels(batch))
      let scaled = network.probabilities(images)
      scaledWrong += errors(scaled, labels)
      scaled.withUnsafeBufferPointer { result.probabilities.append($0) }
      let zero = Tensor(repeating: 0, [batch.count, 10])
      var sums = counts.map { _ in (arithmetic: zero, geometric: zero, votes: zero) }
      var last: [Int] = []
      for mask in 1...max(1, masks) where masks > 0 {
        try flag.check()
        let tape = Tape(recording: false)
        let logits = network.logits(tape.constant(images), .training, using: &stream)
        let p = softmax(logits).value
        let ballot = ballot(p)
        let said = p.predictions
        if mask % 2 == 0 { pairs.add(said, last, labels) }
        last = said
        for (index, count) in counts.enumerated() {
          sums[index].arithmetic += p
          // The logarithm of a mean of products is a mean of logits, up to a number that all
          // classes share.
          sums[index].geometric += logits.value
          sums[index].votes += ballot
          if mask % count == 0 {
            wrong[index].arithmetic += errors(sums[index].arithmetic, labels)
            wrong[index].geometric += errors(sums[index].geometric, labels)
            wrong[index].votes += errors(sums[index].votes, labels)
            sums[index] = (zero, zero, zero)
          }
        }
      }
    }
    let images = Double(set.count)
    result.scaled = 100 * Double(scaledWrong) / images
    for (count, wrong) in zip(counts, wrong) {
      let predictions = images * Double(masks / count) / 100
      result.arithmetic.append(Double(wrong.arithmetic) / predictions)
      result.geometric.append(Double(wrong.geometric) / predictions)
      result.votes.append(Double(wrong.votes) / predictions)
    }
    (result.disagreement, result.shared) = (pairs.disagreement, pairs.shared)
    for _ in 0..<(masks / 4) {
      try flag.check()
      let thinned = network.thinned(using: &stream)
      result.thinned.append(
        100 - thinned.evaluate(set, Array(set.labels.indices)).accuracy)
    }
    return result
  }

  /// A vote for the largest probability of each row, and so little of the others that only a tie
  /// feels it.
  private static func ballot(_ p: Tensor) -> Tensor {
    var votes = p.values.map { $0 * 0.001 }
    for (row, best) in p.predictions.enumerated() { votes[row * 10 + best] += 1 }
    return Tensor(p.shape, votes)
  }

  /// Two opinions of the same images, counted.
  struct Pairs {
    private var (count, different, wrong, bothWrong) = (0, 0, 0, 0)

    mutating func add(_ a: [Int], _ b: [Int], _ labels: [Int]) {
      for (index, label) in labels.enumerated() {
        count += 1
        different += a[index] != b[index] ? 1 : 0
        wrong += (a[index] != label ? 1 : 0) + (b[index] != label ? 1 : 0)
        bothWrong += a[index] != label && b[index] != label ? 1 : 0
      }
    }

    /// How often the two differ, in percent.
    var disagreement: Double { 100 * Double(different) / Double(max(1, count)) }
    /// Where one errs, how often the other does, in percent.
    var shared: Double { 200 * Double(bothWrong) / Double(max(1, wrong)) }
  }

  /// The error in percent of the mean prediction of several networks, each trained by itself.
  package static func error(of members: [MaskAverages], _ labels: [Int]) -> Double {
    let sums = members.map(\.tensor).reduce(Tensor(repeating: 0, [labels.count, 10])) { $0 + $1 }
    return 100 * Double(errors(sums, labels)) / Double(labels.count)
  }

  /// The error in percent of the vote of several networks; a tie goes to the larger mean.
  package static func voteError(of members: [MaskAverages], _ labels: [Int]) -> Double {
    let votes = members.map { ballot($0.tensor) }
    let sum = votes.dropFirst().reduce(votes[0]) { $0 + $1 }
    return 100 * Double(errors(sum, labels)) / Double(labels.count)
  }

  /// Every two of some networks: how often they differ, and how often they err together.
  static func pairs(of members: [MaskAverages], _ labels: [Int]) -> Pairs {
    let said = members.map { $0.tensor.predictions }
    var pairs = Pairs()
    for a in said.indices {
      for b in 0..<a { pairs.add(said[a], said[b], labels) }
    }
    return pairs
  }

  private var tensor: Tensor {
    let count = probabilities.count / MemoryLayout<Float>.stride
    return Tensor(uninitialized: [count / 10, 10]) { _ = probabilities.copyBytes(to: $0) }
  }

  private static func errors(_ scores: Tensor, _ labels: [Int]) -> Int {
    zip(scores.predictions, labels).count { $0 != $1 }
  }
}

extension Perceptron {
  /// One of the thinned networks, as a network of its own: weights that leave a dropped unit are 0,
  /// the others as large as in training.
  func thinned(using stream: inout RandomStream) -> Perceptron {
    var (whole, unused) = (plan, RandomStream(seed: 0, "weights that are replaced"))
    (whole.keepInput, whole.keepHidden) = (1, 1)
    let result = Perceptron(whole, using: &unused)
    for (index, pair) in zip(layers, result.layers).enumerated() {
      let keep = index == 0 ? plan.keepInput : plan.keepHidden
      let inputs = pair.0.weight.value.shape[1]
      let mask = stream.bernoulli([inputs], probability: keep, value: 1 / keep).values
      var weights = pair.0.weight.value.values
      for place in weights.indices { weights[place] *= mask[place % inputs] }
      pair.1.weight.value = Tensor(pair.0.weight.value.shape, weights)
      pair.1.bias.value = pair.0.bias.value
    }
    return result
  }
}
