import Digits
import Gradients
import Networks
import Tensors

/// Learning from labels, and to say nothing about images that belong to no class.
///
/// To each image of the universum all classes shall be equally likely. Source: Zhang & LeCun 2015
/// (arXiv 1511.03719), the uniform prescription; it assumes that the images without labels are of
/// none of the classes, and what does not hold of them is learnt all the same.
public struct UniversumPrescription<Network: Classifier>: Objective {
  /// How much the universum counts.
  public struct Plan: Sendable {
    /// p: the probability that the paper draws an example from the universum, else from the labelled.
    ///
    /// Both are in every batch here, so the loss is the expectation over that draw.
    public var probability: Float = 0.1

    /// The plan with a tenth of universum.
    public init() {}
  }

  /// The network in training.
  public let network: Network
  /// What it was made by.
  public let plan: Plan

  /// The objective of a network.
  public init(_ network: Network, _ plan: Plan = Plan()) {
    precondition((0...1).contains(plan.probability), "no probability: \(plan.probability)")
    (self.network, self.plan) = (network, plan)
  }

  // snippet.loss
  /// L = (1 − p) · labelled cross-entropy + p · cross-entropy with the uniform target.
  ///
  /// Both parts are means over their images; of the batch, `unlabelled` is the universum.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let y = network.logits(tape.constant(batch.labelled.images), .training, using: &noise)
    let labelled = softmaxCrossEntropy(logits: y, labels: batch.labelled.labels)
    let p = plan.probability
    guard p > 0 else { return Loss([("labels", 1, labelled)], over: batch.labelled.count) }
    // Noise or mixtures of digits are not what evaluation sees: their moments do not count there.
    let ỹ = network.logits(tape.constant(batch.unlabelled), .trainingAside, using: &noise)
    return Loss(
      [("labels", 1 - p, labelled), ("universum", p, Self.prescription(ỹ))],
      over: batch.labelled.count)
  }

  /// −(1/k) Σⱼ ln Pⱼ, a mean over images: least, ln k, where all k logits of each are equal.
  public static func prescription(_ logits: Variable) -> Variable {
    let uniform = Tensor(repeating: 1 / Float(logits.shape[1]), logits.shape)
    return softmaxCrossEntropy(logits: logits, targets: uniform)
  }
  // snippet.end
}
