import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

extension Perceptron.Plan {
  /// A deep and narrow network for digits.
  ///
  /// - Parameter depth: layers with weights, the output layer among them.
  package static func deep(
    _ depth: Int = 30, width: Int = 100,
    inputs: Int = ImageSet.pixelsPerImage, outputs: Int = ImageSet.classCount
  ) -> Perceptron.Plan {
    var plan = Perceptron.Plan(
      [inputs] + [Int](repeating: width, count: depth - 1) + [outputs])
    plan.standardises = true
    return plan
  }
}

extension Perceptron {
  /// What each hidden layer gives, and the gradient that comes back to it.
  ///
  /// - Parameter cotangent: the gradient that the output receives, from its value.
  package func signals(
    _ rows: Tensor, cotangent: (Tensor) -> Tensor
  ) -> (activations: [Tensor], gradients: [Tensor]) {
    let tape = Tape()
    var activations: [Tensor] = []
    var probes: [Variable] = []
    // A probe is a zero that is added: it changes nothing, and its gradient is the layer's.
    var unused = RandomStream(seed: 0, "no mask is drawn")
    let output = output(tape.constant(rows), .training, using: &unused) { _, x in
      activations.append(x.value)
      probes.append(tape.variable(Tensor(repeating: 0, x.shape)))
      return x + probes.last!
    }
    let found = tape.backward(from: output, cotangent: cotangent(output.value))
    return (activations, probes.map { found[$0] })
  }
}

/// One training of chapter 2.3.1, and what it leaves.
package struct DeepTraining: Sendable {
  package var plan = Perceptron.Plan.deep()
  package var rate = 0.003
  package var epochs = 96
  package var seed = 0

  /// Everything that its outcome depends on beside the code and the seed of the run.
  package var name: String {
    "depth \(plan.sizes.count - 1), \(plan.initialiser), "
      + "normalised \(plan.isNormalised), rate \(rate), \(epochs) epochs, seed \(seed)"
  }

  /// What a training leaves.
  package struct Outcome: Codable, Sendable {
    /// The mean loss of each epoch's batches; the first one is before training.
    package var losses: [Double]
    /// In percent, of the validation images.
    package var accuracy: Double

    /// The first epoch whose mean loss is below 1, counted from 1; nil when there is none.
    package var arrival: Int? { losses.dropFirst().firstIndex { $0 < 1 } }
    /// The mean loss of an epoch, counted from 1, or of the last one where there are fewer.
    ///
    /// What is worse than guessing counts as guessing: a training that broke down has no mean.
    package func loss(after epochs: Int) -> Double {
      min(losses[min(epochs, losses.count - 1)], log(10))
    }
  }

  /// Trains on the labelled images; batches of 64, momentum .9, weight decay .0005.
  package func run(
    _ data: MNIST, _ split: Split, seed: UInt64, each: () throws -> Void
  ) throws -> Outcome {
    var stream = RandomStream(seed: seed, "2.3.1", "seed \(self.seed)", "weights")
    let network = Perceptron(plan, using: &stream)
    var training = Training(
      of: network, on: data.train, split.labelled,
      Momentum(momentum: 0.9, weightDecay: 0.0005), rate: .constant(rate), batchSize: 64,
      seed: seed, name: "2.3.1/seed \(self.seed)")
    var losses = [firstLoss(network, data, split)]
    for _ in 0..<epochs {
      try each()
      let loss = try training.runEpoch()
      // A loss that is no number, or none that JSON knows, is that of a network that says nothing.
      losses.append(loss.isFinite ? loss : log(10))
    }
    return Outcome(
      losses: losses, accuracy: network.evaluate(data.train, split.validation).accuracy)
  }

  /// The loss of a network before its training, by the statistics of the batch.
  private func firstLoss(_ network: Perceptron, _ data: MNIST, _ split: Split) -> Double {
    let tape = Tape(recording: false)
    var unused = RandomStream(seed: 0, "no mask is drawn")
    let images = tape.constant(data.train.images(split.labelled.prefix(500)))
    let loss = softmaxCrossEntropy(
      logits: network.logits(images, .trainingAside, using: &unused),
      labels: data.train.labels(split.labelled.prefix(500)))
    return Double(loss.value.scalar)
  }
}

extension DeepTraining {
  /// The three rules, with the keys of their values.
  package static let rules: [(key: String, name: String, initialiser: Initialiser)] = [
    ("he", "He", .he), ("xavier", "Xavier", .xavierNormal),
    ("gaussian", "σ = 0.01", .gaussian(deviation: 0.01)),
  ]

  /// The rates that each rule is tried with at thirty layers, plain and normalised.
  package static func rates(_ page: Page) -> [Double] {
    page.isQuick ? [0.003] : [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]
  }

  /// The trainings of the chapter, each with the name of its group: the same but for the seed.
  ///
  /// `plain.22.he` and its like go on until all that can train has trained, at a rate of .003. Those
  /// of the grid, `plain.0.01.he` and `normalised.0.01.he`, have thirty layers and twelve epochs.
  private static func list(_ page: Page) -> [(key: String, training: DeepTraining)] {
    var list: [(String, DeepTraining)] = []
    for seed in 0..<(page.isQuick ? 1 : 5) {
      func add(_ key: String, _ change: (inout DeepTraining) -> Void) {
        var training = DeepTraining(seed: seed)
        change(&training)
        if page.isQuick { training.epochs = key == "plain.30.he" ? 5 : 2 }
        list.append((key, training))
      }
      for rule in rules {
        for depth in [22, 30] {
          add("plain.\(depth).\(rule.key)") {
            $0.plan = .deep(depth)
            $0.plan.initialiser = rule.initialiser
            $0.epochs = rule.key == "gaussian" ? 32 : 96
          }
        }
        for rate in rates(page) {
          // At .003 the plain training above has been there already.
          if rate != 0.003 {
            add("plain.\(rate).\(rule.key)") {
              $0.plan.initialiser = rule.initialiser
              ($0.rate, $0.epochs) = (rate, 12)
            }
          }
          add("normalised.\(rate).\(rule.key)") {
            $0.plan.isNormalised = true
            $0.plan.initialiser = rule.initialiser
            ($0.rate, $0.epochs) = (rate, 12)
          }
        }
      }
    }
    return list
  }

  /// What all trainings leave, by the names of their groups.
  package static func all(
    _ page: Page, _ data: MNIST, _ split: Split
  ) throws -> [String: [Outcome]] {
    let (list, seed) = (list(page), page.seed)
    let names = list.map { "\($0.key): \($0.training.name)" }
    let outcomes = try SideBySide.run(page, "training", names, tolerance: 90) { index, flag in
      try list[index].training.run(data, split, seed: seed) { try flag.check() }
    }
    var groups: [String: [Outcome]] = [:]
    for (item, outcome) in zip(list, outcomes) { groups[item.key, default: []].append(outcome) }
    for rule in rules { groups["plain.0.003.\(rule.key)"] = groups["plain.30.\(rule.key)"] }
    return groups
  }
}
