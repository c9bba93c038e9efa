import Digits
import Gradients
import Networks
import Tensors

/// Learning from labels, and from the network's own guesses as if they were labels.
///
/// Source: Lee 2013, whose network has one sigmoid a class and the cross-entropy of each. The guess
/// is what the network says with all its units, at its present weights; the paper leaves open whether
/// it is made with dropout.
public struct PseudoLabel<Network: Classifier>: Objective {
  /// What the outputs are.
  public enum Output: Sendable {
    /// One sigmoid a class, each with its own cross-entropy: the paper's.
    case sigmoids
    /// A softmax over the classes.
    case softmax
  }

  /// The weight of the guesses in the course of a training, and what the outputs are.
  public struct Plan: Sendable {
    /// T₁: the epoch until which guesses count nothing.
    public var start = 100
    /// T₂: the epoch from which they count in full.
    public var end = 600
    /// α_f: their weight then.
    public var weight = 3.0
    /// What the outputs are.
    public var output = Output.sigmoids
    /// How many steps count as one epoch of the schedule; nil where its epochs are the training's.
    public var stepsPerEpoch: Double?

    /// The paper's plan.
    public init() {}

    // snippet.weight
    /// α(t): 0, then along a line, then α_f.
    ///
    /// As Lee 2013 has it (eq. 16); t counts epochs.
    public var schedule: Schedule {
      let (start, end, weight) = (start, end, weight)
      return PseudoLabel.schedule(stepsPerEpoch) { t in
        if t < start { return 0 }
        if t >= end { return weight }
        return weight * Double(t - start) / Double(end - start)
      }
    }
    // snippet.end
  }

  /// The network in training.
  public let network: Network
  /// What it was made by.
  public let plan: Plan

  /// The objective of a network.
  public init(_ network: Network, _ plan: Plan = Plan()) {
    (self.network, self.plan) = (network, plan)
  }

  // snippet.loss
  /// L = labelled loss + α(t) · loss on the guesses, each a mean over its images.
  ///
  /// Source: Lee 2013, section 2.4.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let y = network.logits(tape.constant(batch.labelled.images), .training, using: &noise)
    let labelled = crossEntropy(y, batch.labelled.labels)
    let α = plan.schedule(moment)
    guard α > 0 else { return Loss([("labels", 1, labelled)], over: batch.labelled.count) }
    let guesses = network.logits(of: batch.unlabelled).predictions  // eq. 14 of all units; constant
    let ỹ = network.logits(tape.constant(batch.unlabelled), .training, using: &noise)
    return Loss(
      [("labels", 1, labelled), ("guesses", α, crossEntropy(ỹ, guesses))],  // eq. 15
      over: batch.labelled.count)
  }
  // snippet.end

  /// A rule of epochs, of which each counts as so many steps; nil for the training's own epochs.
  private static func schedule(
    _ stepsPerEpoch: Double?, _ rule: @escaping @Sendable (Int) -> Double
  ) -> Schedule {
    guard let stepsPerEpoch else { return Schedule(in: .epochs, rule) }
    return Schedule(in: .steps) { rule(Int(Double($0) / stepsPerEpoch)) }
  }

  /// The cross-entropy with labels, a mean over images, of sigmoids a sum over the classes.
  private func crossEntropy(_ logits: Variable, _ labels: [Int]) -> Variable {
    guard plan.output == .sigmoids else {
      return softmaxCrossEntropy(logits: logits, labels: labels)
    }
    var targets = Tensor(repeating: 0, logits.shape)
    let classes = logits.shape[1]
    for (row, label) in labels.enumerated() { targets[row * classes + label] = 1 }
    return bernoulliCrossEntropy(logits: logits, targets: targets)  // eqs. 4 and 5
  }
}

extension PseudoLabel where Network == Perceptron {
  /// The paper's network: 5,000 rectifiers, half of which a step drops.
  public static var networkPlan: Perceptron.Plan {
    var plan = Perceptron.Plan([ImageSet.pixelsPerImage, 5000, ImageSet.classCount])
    plan.keepHidden = 0.5  // eq. 9; here the kept count double
    return plan
  }

  /// Labelled images of a step, and images without labels (section 4.1).
  public static var batchSizes: (labelled: Int, unlabelled: Int) { (32, 256) }

  // snippet.course
  /// p(t): the momentum, from .5 along a line to .99 at epoch `end`.
  public static func momentum(until end: Int = 500, stepsPerEpoch: Double? = nil) -> Schedule {
    schedule(stepsPerEpoch) { 0.5 + 0.49 * min(1, Double($0) / Double(max(1, end))) }  // eq. 13
  }

  /// The learning rate 1.5 · .998ᵗ · (1 − p(t)) of epoch t.
  ///
  /// The paper's step is Δ ← p·Δ − (1 − p)·ε·∇L (eq. 10), where ε = 1.5 · .998ᵗ (eq. 12); the
  /// `Momentum` here has no factor 1 − p, which therefore stands in the rate.
  public static func rate(
    _ first: Double = 1.5, momentumUntil end: Int = 500, stepsPerEpoch: Double? = nil
  ) -> Schedule {
    let (falling, p) = (
      Schedule.exponential(first, factor: 0.998, every: 1, .epochs), momentum(until: end)
    )
    return schedule(stepsPerEpoch) { falling.value(at: $0) * (1 - p.value(at: $0)) }
  }
  // snippet.end
}

/// A layer of rectifiers that learns to undo a corruption of its input, before it has seen a label.
///
/// A part of the pixels is set to 0 and the whole image is to be given back: h = max(0, W·x̃ + b),
/// z = σ(Wᵀ·h + b′), eqs. 6 and 7. The layer is a network's own, so that it stays where it was
/// trained. Source: Lee 2013, section 2.2, which masks h too; `DenoisingAutoencoder` is the same
/// with sigmoid units.
public struct LayerDenoiser: Objective {
  /// W and b.
  public let layer: Dense
  /// b′, `[inputs]`.
  public let visibleBias: Parameter
  /// The probability of each pixel to be set to 0.
  public let masking: Float

  /// The objective of a layer, such as a perceptron's first.
  public init(_ layer: Dense, masking: Float = 0.5) {
    (self.layer, self.masking) = (layer, masking)
    visibleBias = Parameter("visibleBias", Tensor(repeating: 0, [layer.weight.value.shape[1]]))
  }

  // snippet.denoising
  /// The cross-entropy of the clean image x ∈ [0, 1] with what is made of x̃, a mean over the batch.
  public func loss(
    _ batch: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let clean = flatten(tape.constant(batch))
    let corrupted = maskingNoise(clean, probability: masking, using: &noise)
    let logits = transposedAffine(layer(corrupted), tape(layer.weight), tape(visibleBias))
    return Loss(
      bernoulliCrossEntropy(logits: logits, targets: clean.value), over: clean.shape[0])  // eq. 8
  }
  // snippet.end
}
