import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// A deep and narrow fully connected network, for chapter 2.3.1.
struct DeepNetwork: Classifier {
  /// How a network is built.
  struct Plan: Sendable {
    /// Layers with weights, the output layer among them.
    var depth = 30
    var width = 100
    /// Numbers that come in and go out.
    var ends = (inputs: ImageSet.pixelsPerImage, outputs: ImageSet.classCount)
    var activation = Activation.relu
    var initialiser = Initialiser.he
    /// Whether batch normalisation stands before each activation.
    var isNormalised = false
  }

  let layers: [Dense]
  let normalisations: [BatchNormalisation]

  init(_ plan: Plan, _ stream: inout RandomStream) {
    let last = plan.depth - 1
    layers = (0...last).map { index in
      Dense(
        "layer \(index)", index == 0 ? plan.ends.inputs : plan.width,
        index == last ? plan.ends.outputs : plan.width,
        activation: index == last || plan.isNormalised ? .identity : plan.activation,
        initialiser: plan.initialiser, &stream)
    }
    normalisations =
      plan.isNormalised
      ? (0..<last).map {
        BatchNormalisation("normalisation \($0)", plan.width, activation: plan.activation)
      } : []
  }

  var parameters: [Parameter] {
    layers.flatMap(\.parameters) + normalisations.flatMap(\.parameters)
  }

  func logits(_ images: Variable, _ phase: Phase, _ stream: inout RandomStream) -> Variable {
    output(Self.rows(images.value, on: images.tape), phase)
  }

  /// Images `[1, n, 28, 28]` as rows of pixels, scaled to mean 0 and deviation 1 over the data set.
  static func rows(_ images: Tensor, on tape: Tape) -> Variable {
    flatten(tape.constant(images.map { ($0 - 0.1307) * (1 / 0.3081) }))
  }

  /// The output for rows; `observe` sees what each hidden layer gives, and may replace it.
  func output(
    _ rows: Variable, _ phase: Phase, observe: (Int, Variable) -> Variable = { $1 }
  ) -> Variable {
    var x = rows
    for (index, layer) in layers.dropLast().enumerated() {
      x = layer(x)
      if index < normalisations.count { x = normalisations[index](x, phase) }
      x = observe(index, x)
    }
    return layers.last!(x)
  }

  /// What each hidden layer gives, and the gradient that comes back to it.
  ///
  /// - Parameter cotangent: the gradient that the output receives, from its value.
  func signals(
    _ rows: Tensor, cotangent: (Tensor) -> Tensor
  ) -> (activations: [Tensor], gradients: [Tensor]) {
    let tape = Tape()
    var activations: [Tensor] = []
    var probes: [Variable] = []
    // A probe is a zero that is added: it changes nothing, and its gradient is the layer's.
    let output = output(tape.constant(rows), .training) { _, x in
      activations.append(x.value)
      probes.append(tape.variable(Tensor(repeating: 0, x.shape)))
      return x + probes.last!
    }
    let found = tape.backward(from: output, cotangent: cotangent(output.value))
    return (activations, probes.map { found[$0] })
  }
}

/// One training of chapter 2.3.1, and what it leaves.
struct DeepTraining: Sendable {
  var plan = DeepNetwork.Plan()
  var rate = 0.003
  var epochs = 32
  var seed = 0

  /// Everything that its outcome depends on beside the code and the seed of the run.
  var name: String {
    "depth \(plan.depth), width \(plan.width), \(plan.initialiser), "
      + "normalised \(plan.isNormalised), rate \(rate), \(epochs) epochs, seed \(seed)"
  }

  /// What a training leaves.
  struct Outcome: Codable, Sendable {
    /// The mean loss of each epoch's batches; the first one is before training.
    var losses: [Double]
    /// In percent, of the validation images.
    var accuracy: Double

    /// The first epoch whose mean loss is below 1, counted from 1; nil when there is none.
    var arrival: Int? { losses.dropFirst().firstIndex { $0 < 1 } }
    /// The mean loss of the last epoch; ∞ when the training broke down.
    var loss: Double { losses.last!.isFinite ? losses.last! : .infinity }
  }

  /// Trains on the labelled images; batches of 64, momentum .9, weight decay .0005.
  func run(
    _ data: MNIST, _ split: Split, seed: UInt64, each: () throws -> Void
  ) throws -> Outcome {
    var stream = RandomStream(seed: seed, "2.3.1", "seed \(self.seed)", "weights")
    var copy = stream
    let network = DeepNetwork(plan, &stream)
    var training = Supervised(
      network, Momentum(momentum: 0.9, weightDecay: 0.0005), rate: .constant(rate), batchSize: 64,
      seed: seed,
      name: "2.3.1/seed \(self.seed)")
    var losses = [firstLoss(DeepNetwork(plan, &copy), data, split)]
    for _ in 0..<epochs {
      try each()
      losses.append(try training.runEpoch(data.train, split.labelled))
    }
    return Outcome(
      losses: losses, accuracy: network.evaluate(data.train, split.validation).accuracy)
  }

  /// The loss of a network that is not trained afterwards: its running statistics have moved.
  private func firstLoss(_ network: DeepNetwork, _ data: MNIST, _ split: Split) -> Double {
    let tape = Tape(recording: false)
    let rows = DeepNetwork.rows(data.train.images(split.labelled.prefix(500)), on: tape)
    let loss = softmaxCrossEntropy(
      logits: network.output(rows, .training),
      labels: data.train.labels(split.labelled.prefix(500)))
    return Double(loss.value.scalar)
  }
}

extension DeepTraining {
  /// The trainings of the chapter, each with the name of its group: the same but for the seed.
  private static func list(isQuick: Bool) -> [(key: String, training: DeepTraining)] {
    var list: [(String, DeepTraining)] = []
    for seed in 0..<(isQuick ? 1 : 5) {
      func add(_ key: String, _ change: (inout DeepTraining) -> Void) {
        var training = DeepTraining(seed: seed)
        change(&training)
        if isQuick { training.epochs = 6 }
        list.append((key, training))
      }
      for rule in HeVersusXavier.rules {
        for depth in [22, 30] {
          add("plain.\(depth).\(rule.key)") {
            $0.plan.depth = depth
            $0.plan.initialiser = rule.initialiser
            // Where nothing happens we wait three times as long.
            if depth == 30 && rule.key == "xavier" { $0.epochs = 96 }
          }
        }
        add("normalised.\(rule.key)") {
          $0.plan.isNormalised = true
          $0.plan.initialiser = rule.initialiser
          ($0.rate, $0.epochs) = (0.01, 12)
        }
      }
      for (rule, rates) in [
        (HeVersusXavier.rules[0], [0.001, 0.01]),
        (HeVersusXavier.rules[1], [0.001, 0.01, 0.03, 0.1]),
      ] {
        for rate in rates {
          add("rate.\(rate).\(rule.key)") {
            $0.plan.initialiser = rule.initialiser
            ($0.rate, $0.epochs) = (rate, 12)
          }
        }
      }
    }
    return list
  }

  /// What all trainings leave, by the names of their groups.
  static func all(
    _ page: Page, _ data: MNIST, _ split: Split
  ) throws -> [String: [Outcome]] {
    let (list, seed) = (list(isQuick: page.isQuick), page.seed)
    let names = list.map { "\($0.key): \($0.training.name)" }
    let outcomes = try SideBySide.run(page, "training", names) { index, flag in
      try list[index].training.run(data, split, seed: seed) { try flag.check() }
    }
    var groups: [String: [Outcome]] = [:]
    for (item, outcome) in zip(list, outcomes) { groups[item.key, default: []].append(outcome) }
    return groups
  }
}
