import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Images that a network shall say nothing about: they are to belong to none of its classes.
package enum Universum: String, CaseIterable, Codable, Sendable {
  /// Pixels of normal noise with the mean and the deviation of MNIST's.
  case noise
  /// The average of two different images.
  case mixtures
  /// The images without labels as they are.
  case digits
  /// The labelled images themselves, each once more: it takes no image beside them.
  case labelled

  // snippet.universums
  /// What becomes of a batch of images `[1, n, 28, 28]` whose labels are not looked at.
  package func images(from batch: Tensor, using stream: inout RandomStream) -> Tensor {
    switch self {
    case .noise:
      return stream.normal(batch.shape, mean: ImageSet.mean, deviation: ImageSet.deviation)
    case .mixtures:
      // Each with the one behind it, the last with the first.
      let n = batch.shape.exampleCount
      let others = Tensor.concatenation([batch.rows(1..<n), batch.rows(0..<1)], axis: 1)
      return (batch + others) * 0.5
    case .digits, .labelled:
      return batch
    }
  }
  // snippet.end
}

/// Trainings of chapter 3.3.4: the sample code's network with and without images of no class.
package enum UniversumTraining {
  /// All that differs between two trainings on the same labels.
  package struct Setting: Sendable, CustomStringConvertible {
    /// What the universum is, and p, how much it counts: with 0 it is not looked at.
    package let universum: Universum
    package let probability: Float
    /// The rate at first.
    package let rate: Double

    package init(_ universum: Universum, probability: Float, rate: Double) {
      (self.universum, self.probability, self.rate) = (universum, probability, rate)
    }

    package var description: String {
      probability > 0 ? "p \(probability), rate \(rate)" : "rate \(rate)"
    }
  }

  /// The rates that the supervised network chooses from.
  package static let rates = [0.003, 0.01, 0.03, 0.1]
  /// The shares p that each universum chooses from, at the rate that the supervised network chose.
  package static let probabilities: [Float] = [0.05, 0.1, 0.2, 0.4]

  /// The network on labels alone.
  package static var supervised: Study.Arm {
    let settings = rates.map { Setting(.digits, probability: 0, rate: $0) }
    return Study.Arm("none", settings, isGrid: true) { setting, task, show in
      try train(setting, task) { epoch, network in
        try show(epoch, Study.reader(of: network, task.flag))
      }
    }
  }

  /// The network with a universum, at the rates that the supervised network chose.
  ///
  /// - Parameter rates: by number of labels.
  package static func prescribed(_ universum: Universum, rates: [Int: Double]) -> Study.Arm {
    let doses = probabilities.map { Dose(probability: $0, rates: rates) }
    return Study.Arm(universum.rawValue, doses) { dose, task, show in
      // A quick run has a tenth of the labels.
      let labels = task.labelled.count * (task.isQuick ? 10 : 1)
      let setting = Setting(universum, probability: dose.probability, rate: rates[labels]!)
      try train(setting, task) { epoch, network in
        try show(epoch, Study.reader(of: network, task.flag))
      }
    }
  }

  private struct Dose: CustomStringConvertible {
    let probability: Float
    let rates: [Int: Double]

    var description: String {
      "p \(probability), rate "
        + rates.sorted { $0.key < $1.key }.map { "\($1) at \($0)" }.joined(separator: ", ")
    }
  }

  /// Passes over the labelled images: as many steps for any number of labels, nearly.
  package static func epochs(labels: Int) -> Int { 90_000 / labels }

  // snippet.training
  /// Steps of 32 labelled images and 32 of the universum, at a rate that falls in a line to 0.
  static func train(
    _ setting: Setting, _ task: Study.Task,
    show: (_ epoch: Int, SampleNetwork) throws -> Void
  ) throws {
    let (seed, name) = (task.seed, task.streams)
    var start = RandomStream(seed: seed, name, "weights")
    let network = SampleNetwork(hasStrayReLU: false, using: &start)
    var plan = UniversumPrescription<SampleNetwork>.Plan()
    plan.probability = setting.probability
    let epochs = task.epochs(epochs(labels: task.labelled.count))
    let universum =
      setting.universum == .labelled ? task.set.withoutLabels(task.labelled) : task.unlabelled
    // Without a universum nothing may be drawn for one: the masks shall be the same.
    let change: ImageChange? =
      plan.probability > 0 ? { setting.universum.images(from: $0, using: &$1) } : nil
    var training = Training(
      UniversumPrescription(network, plan),
      PairedBatches(
        LabelledBatches(of: task.set, task.labelled, size: 32, seed: seed, name: name),
        UnlabelledBatches(of: universum, size: 32, seed: seed, name: name, change: change)),
      Momentum(momentum: 0.9), rate: .linearDecay(setting.rate, from: 0, to: epochs, .epochs),
      seed: seed, name: name)
    try training.follow("The universum prescription", epochs: epochs, in: task) {
      try show($0, network)
    }
  }
  // snippet.end
}
