import Digits
import Gradients
import Networks
import Synchronization
import Tensors

/// A network of convolutions, each with batch normalisation and a leaky rectifier: one of the model's.
public struct ConvolutionStack: Classifier {
  /// Square filters of a convolution, zeros around what it reads, and whether 2 × 2 are pooled then.
  public typealias Block = (filters: Int, kernel: Int, padding: Int, pools: Bool)

  /// The layers, and what learning adds to them.
  public struct Plan: Sendable {
    /// The convolutions, and the units of the hidden layer.
    public var (blocks, hidden): ([Block], Int)
    /// The probability to keep a hidden unit, and the noise that each convolution reads.
    public var (keep, noise): (Float, Float)
    /// What the images undergo that the network learns from.
    public var augmentation: Augmentation
  }

  private let plan: Plan
  private let convolutions: [Convolution]
  private let hidden, output: Dense
  private let normalisations: [BatchNormalisation]

  /// A network for 28 × 28 pixels with weights drawn by He's rule.
  public init(_ plan: Plan, using stream: inout RandomStream) {
    var (channels, side) = (1, ImageSet.side)
    convolutions = plan.blocks.map { block in
      defer { channels = block.filters }
      side = (side + 2 * block.padding - block.kernel + 1) / (block.pools ? 2 : 1)
      return Convolution(
        channels: channels, filters: block.filters, kernel: block.kernel, padding: block.padding,
        initialiser: .he, using: &stream)
    }
    hidden = Dense(
      inputs: channels * side * side, outputs: plan.hidden, initialiser: .he, using: &stream)
    output = Dense(
      inputs: plan.hidden, outputs: ImageSet.classCount, initialiser: .he, using: &stream)
    normalisations = (plan.blocks.map(\.filters) + [plan.hidden]).map {
      BatchNormalisation(features: $0, activation: .leakyReLU(slope: 0.1))
    }
    self.plan = plan
  }

  // snippet.network
  /// The logits of images `[1, n, 28, 28]`, scaled to mean 0 and deviation 1 over the data set.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    var x = standardised(images, mean: ImageSet.mean, deviation: ImageSet.deviation)
    for (index, block) in plan.blocks.enumerated() {
      if phase.isTraining && plan.noise > 0 {
        x = gaussianNoise(x, deviation: plan.noise, using: &noise)
      }
      x = convolutions[index](x)
      if block.pools { x = maximumPool(x).what }
      x = normalisations[index](x, phase)
    }
    x = normalisations.last!(hidden(flatten(x)), phase)
    return output(phase.isTraining ? dropout(x, keep: plan.keep, using: &noise) : x)
  }
  // snippet.end
}

/// What one network minimises: it learns its labels, and what others are sure of.
///
/// L = CE(labels) + w·(1/m) Σ [max q ≥ τ]·CE(network, arg max q) over m images without labels, changed
/// strongly; q is what the labeller gives to the image moved lightly. Sources: Sohn et al. 2020, eqs.
/// 3 and 4; Blum & Mitchell 1998 and Ge, Chen & Li 2020 for labelling for each other, by averages.
public struct CrossLabels<Network: Classifier>: Objective {
  /// The network in training.
  public let network: Network
  let settings: CrossSettings
  /// What the network's images undergo.
  let strong: Augmentation
  /// The probabilities that the labeller gives to images, `[1, m, 28, 28]` → `[m, 10]`.
  let labeller: (Tensor) -> Tensor

  /// The objective of a network that another one labels for.
  public init(
    _ network: Network, _ settings: CrossSettings, strong: Augmentation,
    labeller: @escaping (_ images: Tensor) -> Tensor
  ) {
    (self.network, self.settings) = (network, settings)
    (self.strong, self.labeller) = (strong, labeller)
  }

  // snippet.loss
  /// The loss of labelled images, `[1, n, 28, 28]`, and of others, `[1, m, 28, 28]`.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let (s, n, late) = (settings, batch.labelled.count, settings.late(moment.step))
    let strong = strong.weakened(to: 1 + (s.lastStrength - 1) * late)
    let own = tape.constant(strong(batch.labelled.images, using: &noise))
    guard s.weight > 0 else {
      let logits = network.logits(own, .training, using: &noise)
      return Loss(softmaxCrossEntropy(logits: logits, labels: batch.labelled.labels), over: n)
    }
    let q = labeller(s.light(batch.unlabelled, using: &noise))
    let sure = PseudoLabels(q, threshold: s.threshold)
    let others = tape.constant(strong(batch.unlabelled, using: &noise))
    // One pass for all images: batch normalisation sees them together, as in the paper's code.
    let logits = network.logits(
      concatenation([own, others], along: .rows), .training, using: &noise)
    let (known, unknown) = (rows(logits, 0..<n), rows(logits, n..<logits.shape[0]))
    let losses = softmaxCrossEntropy(logits: unknown, labels: sure.digits, reducing: .none)
    let mask = tape.constant(sure.mask)
    return Loss(
      [
        ("labels", 1, softmaxCrossEntropy(logits: known, labels: batch.labelled.labels)),
        ("agreement", s.weight(moment.step), mean(weighted(losses, perExample: mask))),
        ("kept", 0, mean(mask)),
      ], over: n)
  }
  // snippet.end
}

/// Networks that are asked together: their probabilities are averaged.
public struct CrossNetworks: Module {
  /// The networks.
  public let networks: [ConvolutionStack]
  private let views: [AffineMap]

  /// Networks by their settings, with drawn weights.
  public init(_ settings: CrossSettings, seed: UInt64, name: String) {
    networks = settings.networks.enumerated().map { index, plan in
      var start = RandomStream(seed: seed, name, "\(index)", "weights")
      return ConvolutionStack(plan, using: &start)
    }
    views = settings.views
  }

  /// What each says of images `[1, n, 28, 28]`, and what all say: `[n, 10]`; `values` may be averages.
  public func probabilities(
    _ images: Tensor, values: [Snapshot]? = nil
  ) -> (each: [Tensor], all: Tensor) {
    let moved = views.map { images.warped(Array(repeating: $0, count: images.shape[1])) }
    let each = networks.enumerated().map { index, network in
      Self.mean(moved.map { network.probabilities($0, values: values?[index]) })
    }
    return (each, Self.mean(each))
  }

  /// How each network does on images, and how all do together; the closure may throw to stop it.
  public func evaluate(
    _ set: ImageSet, _ indices: [Int], values: [Snapshot]? = nil,
    beforeEachBatch: () throws -> Void
  ) rethrows -> (each: [Evaluation], all: Evaluation) {
    var read = networks.map { _ in [(digit: Int, p: Float)]() } + [[]]
    for batch in indices.batches(of: 500) {
      try beforeEachBatch()
      let said = probabilities(set.images(batch), values: values)
      for (reader, p) in (said.each + [said.all]).enumerated() {
        read[reader] += p.predictions.enumerated().map { ($1, p[10 * $0 + $1]) }
      }
    }
    let each = read.map {
      Evaluation(
        predictions: $0.map(\.digit), confidences: $0.map(\.p), labels: set.labels(indices),
        classes: 10)
    }
    return (each.dropLast(), each.last!)
  }

  fileprivate static func mean(_ parts: [Tensor]) -> Tensor {
    parts.count == 1 ? parts[0] : parts.dropFirst().reduce(parts[0], +) * (1 / Float(parts.count))
  }
}

/// Networks that train for a round, each on a thread of its own, and then exchange their averages.
///
/// In a round nobody reads what another changes: the bits are the same on any number of threads.
public final class CrossTraining {
  /// What it is a training by, and of what.
  public let (settings, networks): (CrossSettings, CrossNetworks)
  var trainings: [Training<CrossLabels<ConvolutionStack>, PairedBatches, Adam>] = []
  private final class Exchanged { var averages: [Snapshot] = [] }
  private let exchanged = Exchanged()

  /// A training before its first step, on labelled images of a set and on others.
  public init(
    _ settings: CrossSettings, on set: ImageSet, _ labelled: [Int], _ others: UnlabelledImages,
    seed: UInt64, name: String = "final model"
  ) {
    networks = CrossNetworks(settings, seed: seed, name: name)
    self.settings = settings
    for (index, network) in networks.networks.enumerated() {
      let name = "\(name)/\(index)"
      let asked = settings.labellers(of: index).map { ($0, networks.networks[$0]) }
      let strong = settings.networks[index].augmentation
      let method = CrossLabels(network, settings, strong: strong) { [exchanged] images in
        CrossNetworks.mean(asked.map { $1.probabilities(images, values: exchanged.averages[$0]) })
      }
      let source = PairedBatches(
        LabelledBatches(of: set, labelled, size: settings.labelled, seed: seed, name: name),
        UnlabelledBatches(of: others, size: settings.unlabelled, seed: seed, name: name))
      trainings.append(
        Training(
          method, source, Adam(), rate: settings.schedule,
          averages: [ParameterAverage(of: network, decay: settings.decay)], seed: seed, name: name))
    }
  }

  /// Steps that each network has taken.
  public var step: Int { trainings[0].moment.step }
  /// The averages of their weights.
  public var averages: [Snapshot] { trainings.map { $0.averages[0].snapshot } }

  // snippet.exchange
  /// Exchanges the averages and trains for a round: each network's mean loss, and its share kept.
  ///
  /// The closure is called on every thread; after it has thrown a checkpoint alone can go on.
  public func runRound(
    beforeEachStep: @Sendable () throws -> Void
  ) throws -> [(loss: Double, kept: Double)] {
    exchanged.averages = averages
    let count = min(settings.round, settings.steps - step)
    var sums = trainings.map { _ in (loss: 0.0, kept: 0.0) }
    let failure = Mutex<(any Error)?>(nil)
    sums.withUnsafeMutableBufferPointer { sums in
      trainings.withUnsafeMutableBufferPointer { trainings in
        Parallel.forEach(trainings.count) { index in
          for _ in 0..<count where failure.withLock({ $0 == nil }) {
            do { try beforeEachStep() } catch { return failure.withLock { $0 = error } }
            let loss = trainings[index].takeStep()
            sums[index].loss += Double(loss.total.value.scalar) / Double(count)
            sums[index].kept += Double(loss.parts.last?.value ?? 0) / Double(count)
          }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
    return sums
  }
  // snippet.end

  /// The networks with the averages of their weights, as they are shipped; the training is over.
  public func finish(
    _ set: ImageSet, _ indices: [Int], beforeEachBatch: () throws -> Void
  ) rethrows -> CrossNetworks {
    averages.forEach { $0.restore() }
    for network in networks.networks where settings.estimatesStatistics {
      try network.estimateStatistics(of: set, indices, beforeEachBatch: beforeEachBatch)
    }
    return networks
  }
}
