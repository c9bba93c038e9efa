import Digits
import Methods
import Networks
import Tensors

/// How the networks of chapters 2.2.1 and 2.2.2 are trained: by momentum, at a rate that falls.
package struct DropoutTraining: Sendable {
  /// The network.
  package var plan: Perceptron.Plan
  /// λ of the penalty ½λ‖θ‖².
  package var weightDecay: Float
  package var rate: Double
  package var epochs: Int
  package var seed: Int

  /// A training of a network of some sizes, the inputs first.
  package init(
    sizes: [Int], activation: Activation = .relu, keepInput: Float = 1, keepHidden: Float = 1,
    weightDecay: Float = 0, rate: Double = 0.05, epochs: Int, seed: Int
  ) {
    plan = Perceptron.Plan(sizes)
    plan.activation = activation
    (plan.keepInput, plan.keepHidden) = (keepInput, keepHidden)
    self.weightDecay = weightDecay
    (self.rate, self.epochs, self.seed) = (rate, epochs, seed)
  }

  /// All that the result depends on.
  package var name: String {
    "\(plan.sizes) \(plan.activation), keep \(plan.keepInput) \(plan.keepHidden), "
      + "decay \(weightDecay), rate \(rate), \(epochs) epochs, seed \(seed)"
  }

  /// The network after its training on some images.
  ///
  /// The rate falls in a line to 0; batches of 50, momentum .9, no other regularisation.
  package func network(
    _ set: ImageSet, _ indices: [Int], seed: UInt64, _ flag: SideBySide.Flag
  ) throws -> Perceptron {
    try network(set, indices, seed: seed, flag) { Supervised($0) }
  }

  /// The network after the same training by another loss.
  package func network<Method: Objective>(
    _ set: ImageSet, _ indices: [Int], seed: UInt64, _ flag: SideBySide.Flag,
    _ objective: (Perceptron) -> Method
  ) throws -> Perceptron where Method.Batch == LabelledBatch {
    var start = RandomStream(seed: seed, "dropout", "weights", "\(self.seed)")
    let network = Perceptron(plan, using: &start)
    let name = "dropout/\(self.seed)"
    var training = Training(
      objective(network), LabelledBatches(of: set, indices, size: 50, seed: seed, name: name),
      Momentum(momentum: 0.9, weightDecay: weightDecay),
      rate: .linearDecay(rate, from: 0, to: epochs, .epochs), seed: seed, name: name)
    for _ in 0..<epochs {
      try flag.check()
      try training.runEpoch()
    }
    return network
  }
}
