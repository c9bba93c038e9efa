import Digits
import Files
import Foundation
import Gradients
import Networks
import Tensors

/// Training on labelled images alone: the mean cross-entropy of shuffled batches.
///
/// All that changes between steps is here: parameters, the rule's memory, two streams and the
/// place in the epoch. An archive of it, taken between any two steps, goes on to the same bits as a
/// training that was never interrupted.
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
  /// The batches of the present epoch that are done; 0 between two epochs.
  public private(set) var batch = 0
  /// The losses of the present epoch's images, added up.
  private var total = 0.0
  /// Shuffles the images; during an epoch it stands where that epoch's order is drawn from.
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

  /// Trains on every image once, or on those that a checkpoint in mid-epoch has left.
  ///
  /// When it throws, the training stands between two steps and can be archived.
  /// - Parameters:
  ///   - augment: changes the images of a batch, `[1, n, 28, 28]`, before they are seen.
  ///   - afterStep: is shown the training after each step, to archive it say.
  /// - Returns: the mean loss of the epoch's images.
  /// - Throws: `CancellationError` between two batches; what `afterStep` throws.
  @discardableResult
  public mutating func runEpoch(
    _ set: ImageSet, _ indices: [Int],
    augment: (Tensor, inout RandomStream) -> Tensor = { images, _ in images },
    afterStep: (Self) throws -> Void = { _ in }
  ) throws -> Double {
    var drawn = order
    let shuffled = drawn.permutation(indices.count).map { indices[$0] }
    for images in shuffled.batches(of: batchSize).dropFirst(batch) {
      try Task.checkCancellation()
      let tape = Tape()
      let input = augment(set.images(images), &noise)
      let logits = network.logits(tape.constant(input), .training, &noise)
      let loss = softmaxCrossEntropy(logits: logits, labels: set.labels(images))
      rule.step(network.parameters, tape.backward(from: loss), rate: rate(epoch))
      total += Double(loss.value.scalar) * Double(images.count)
      batch += 1
      try afterStep(self)
    }
    let mean = total / Double(indices.count)
    (order, epoch, batch, total) = (drawn, epoch + 1, 0, 0)
    return mean
  }

  // MARK: Checkpoints

  private struct State: Codable {
    let epoch, batch, steps: Int
    /// The bits of the number: JSON has no NaN, which a loss may be.
    let total: UInt64
    let order, noise: RandomStream
    let label: String
  }

  /// The most bytes that a checkpoint of this training has.
  public var mostBytes: Int {
    Archive.mostBytes(of: network.parameters, copies: 1 + rule.memoriesPerParameter)
  }

  /// Everything that the next step depends on.
  ///
  /// - Parameter label: describes what is trained and how; a checkpoint of another is refused.
  public func checkpoint(label: String) -> Archive {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Integers and strings only: there is nothing that JSON could refuse.
    let state = try! encoder.encode(
      State(
        epoch: epoch, batch: batch, steps: rule.steps, total: total.bitPattern, order: order,
        noise: noise, label: label))
    return Archive(
      kind: "training", state: String(decoding: state, as: UTF8.self),
      tensors: network.parameters.map { ($0.name, $0.value) }
        + rule.memory.enumerated().map { ("memory.\($0)", $1) })
  }

  /// Goes on where a checkpoint was written.
  ///
  /// - Throws: `LabError` of kind `.input` when it is not a checkpoint of this training.
  public mutating func restore(_ archive: Archive, label: String, from url: URL) throws(LabError) {
    let trainable = network.parameters.filter(\.isTrainable)
    let memory = archive.tensors.filter { $0.name.hasPrefix("memory.") }.map(\.value)
    let shapes = trainable.flatMap { parameter in
      [Shape](repeating: parameter.value.shape, count: rule.memoriesPerParameter)
    }
    // No training has taken so many steps that a counter of half a word is full.
    let counts = 0..<Int(Int32.max)
    guard archive.kind == "training",
      let state = try? JSONDecoder().decode(State.self, from: Data(archive.state.utf8)),
      state.label == label,
      [state.epoch, state.batch, state.steps].allSatisfy(counts.contains),
      memory.isEmpty && state.steps == 0 || memory.map(\.shape) == shapes
    else {
      throw LabError(
        .input,
        "\(url.path) is no checkpoint of this training; remove it, or name another file.")
    }
    try archive.restore(network.parameters, from: url)
    (rule.memory, rule.steps) = (memory, state.steps)
    (epoch, batch, total) = (state.epoch, state.batch, Double(bitPattern: state.total))
    (order, noise) = (state.order, state.noise)
  }
}
