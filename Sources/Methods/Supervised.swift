import Digits
import Foundation
import Gradients
import Networks
import Tensors

/// Training on labelled images alone: the mean cross-entropy of shuffled batches.
///
/// All that changes between epochs is here: parameters, the rule's memory and two streams. An
/// archive of it goes on to the same bits as a training that was never interrupted.
public struct Supervised<Network: Classifier, Rule: Optimiser> {
  /// The network in training.
  public let network: Network
  /// The rule that changes it.
  public var rule: Rule
  /// The learning rate of each epoch, counted from 0.
  public let rate: Schedule
  /// Images in a batch; the last one of an epoch may be smaller.
  public let batchSize: Int
  /// The number of epochs done.
  public private(set) var epoch = 0
  private var order: RandomStream
  private var noise: RandomStream

  /// A training before its first epoch; its streams come from the seed and the name.
  public init(
    _ network: Network, _ rule: Rule, rate: Schedule, batchSize: Int, seed: UInt64, name: String
  ) {
    self.network = network
    self.rule = rule
    self.rate = rate
    self.batchSize = batchSize
    order = RandomStream(seed: seed, name, "order")
    noise = RandomStream(seed: seed, name, "noise")
  }

  /// Trains on every image once; returns the mean loss of its batches.
  ///
  /// - Parameter augment: changes the images of a batch, `[1, n, 28, 28]`, before they are seen.
  /// - Throws: `CancellationError` between two batches.
  @discardableResult
  public mutating func runEpoch(
    _ set: ImageSet, _ indices: [Int],
    augment: (Tensor, inout RandomStream) -> Tensor = { images, _ in images }
  ) throws -> Double {
    let shuffled = order.permutation(indices.count).map { indices[$0] }
    var total = 0.0
    for batch in shuffled.batches(of: batchSize) {
      try Task.checkCancellation()
      let tape = Tape()
      let images = augment(set.images(batch), &noise)
      let logits = network.logits(tape.constant(images), .training, &noise)
      let loss = softmaxCrossEntropy(logits: logits, labels: set.labels(batch))
      rule.step(network.parameters, tape.backward(from: loss), rate: rate(epoch))
      total += Double(loss.value.scalar) * Double(batch.count)
    }
    epoch += 1
    return total / Double(indices.count)
  }

  // MARK: Checkpoints

  private struct State: Codable {
    let epoch, steps: Int
    let order, noise: RandomStream
    let label: String
  }

  /// Everything that the next epoch depends on.
  ///
  /// - Parameter label: describes what is trained and how; a checkpoint of another is refused.
  public func checkpoint(label: String) -> Archive {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Integers and strings only: there is nothing that JSON could refuse.
    let state = try! encoder.encode(
      State(epoch: epoch, steps: rule.steps, order: order, noise: noise, label: label))
    return Archive(
      kind: "training", state: String(decoding: state, as: UTF8.self),
      tensors: network.parameters.map { ($0.name, $0.value) }
        + rule.memory.enumerated().map { ("memory.\($0)", $1) })
  }

  /// Goes on where a checkpoint was written.
  ///
  /// - Throws: `LabError` of kind `.input` when it is not a checkpoint of this training.
  public mutating func restore(_ archive: Archive, label: String, from url: URL) throws(LabError) {
    guard archive.kind == "training",
      let state = try? JSONDecoder().decode(State.self, from: Data(archive.state.utf8)),
      state.label == label
    else {
      throw LabError(
        .input,
        "\(url.path) is no checkpoint of this training; start again without --resume, or restore "
          + "the file.")
    }
    try archive.restore(network.parameters, from: url)
    rule.memory = archive.tensors.filter { $0.name.hasPrefix("memory.") }.map(\.value)
    rule.steps = state.steps
    (epoch, order, noise) = (state.epoch, state.order, state.noise)
  }
}
