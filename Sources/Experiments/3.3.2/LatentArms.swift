import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What reads digits after M1 has learnt without labels, and what is compared with it.
package enum LatentArms {
  /// What the reader is.
  package enum Kind: String, CaseIterable, Sendable {
    /// A linear machine on the means of M1's posterior.
    case linear
    /// A machine with a Gaussian kernel on them.
    case kernel
    /// The network of q(y|x) on pixels, by labels alone.
    case pixels
    /// The network of q(y|z₁) on M1's features, by labels alone.
    case network
    /// The same for as many steps as M2 has, at one rate: whether it is the length that helps.
    case patient
    /// M2 on M1's features: M1+M2.
    case both
  }

  /// The costs C of the linear machine, a decade apart.
  package static let costs = [1e-3, 0.01, 0.1, 1, 10, 100]
  /// The kernel machine's γ, half a decade apart, with its C.
  package static let kernels: [(gamma: Double, cost: Double)] = [
    0.003, 0.01, 0.03, 0.1, 0.3,
  ].map { ($0, 10) }
  /// The rates of Adam for labels alone, half a decade apart.
  package static let rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
  /// As many steps for 1,000 labels as for 3,000, where a unit is two epochs.
  package static let (units, stepsPerUnit) = (48, 60)
  /// Those of `patient`: together as many as M1+M2 has, at a lower rate.
  package static let (patientSteps, patientRate) = (885, 1e-3)

  private struct Setting: CustomStringConvertible, Sendable {
    let value: Double
    var gamma = 0.0
    let description: String
  }

  /// An arm for each kind, in the order of the kinds.
  package static func arms(_ learning: LatentLearning) -> [Study.Arm] {
    Kind.allCases.map { kind in
      switch kind {
      case .linear: linear(learning)
      case .kernel: kernel(learning)
      case .pixels: network(kind) { _ in nil }
      case .network: network(kind) { try learning.features($0.seed, $0.flag) }
      case .patient:
        network(kind, rates: [patientRate], stepsPerUnit: patientSteps) {
          try learning.features($0.seed, $0.flag)
        }
      case .both: GenerativeArms.both(kind.rawValue, learning, .summed, GenerativeArms.settings)
      }
    }
  }

  private static func linear(_ learning: LatentLearning) -> Study.Arm {
    let settings = costs.map { Setting(value: $0, description: "C \($0)") }
    return Study.Arm(Kind.linear.rawValue, settings, isGrid: true) { setting, task, show in
      let features = try learning.features(task.seed, task.flag)
      var unused = RandomStream(seed: task.seed, task.streams, "weights")
      let reader = DigitReader(features, hidden: [], using: &unused)
      let pixels = Tape(recording: false).constant(
        task.set.images(task.labelled).flattenedImages())
      let rows = features(pixels).mean.value
      let scaling = FeatureScaling(rows)
      let machine = try LinearSVM(
        scaling(rows), labels: task.set.labels(task.labelled), cost: setting.value)
      let plain = scaling.unscaled(machine.weights)
      (reader.output.weight.value, reader.output.bias.value) = (plain.weights, plain.biases)
      try show(1, Study.reader(of: reader, task.flag))
    }
  }

  private static func kernel(_ learning: LatentLearning) -> Study.Arm {
    let settings = kernels.map {
      Setting(value: $0.cost, gamma: $0.gamma, description: "γ \($0.gamma), C \($0.cost)")
    }
    return Study.Arm(Kind.kernel.rawValue, settings, isGrid: true) { setting, task, show in
      var stream = RandomStream(seed: task.seed, "3.3.2", "cosines")
      let reader = KernelReader(
        try learning.features(task.seed, task.flag), gamma: setting.gamma, using: &stream)
      let rows = reader.cosines(ofImages: task.set.images(task.labelled))
      let ones = Tensor(repeating: 1, [rows.shape[0], 1])
      let machine = try LinearSVM(
        Tensor.concatenation([rows, ones], axis: 1), labels: task.set.labels(task.labelled),
        cost: setting.value)
      let count = KernelReader.count
      reader.output.weight.value = machine.weights.slice(0..<count, axis: 1)
      reader.output.bias.value = machine.weights.slice(count..<count + 1, axis: 1).reshaped([
        ImageSet.classCount
      ])
      try show(1, Study.reader(of: reader, task.flag))
    }
  }

  private static func network(
    _ kind: Kind, rates: [Double] = rates, stepsPerUnit: Int = stepsPerUnit,
    _ features: @escaping @Sendable (Study.Task) throws -> FrozenFeatures?
  ) -> Study.Arm {
    let settings = rates.map {
      Setting(value: $0, description: "rate \($0), \(units) × \(stepsPerUnit) steps")
    }
    return Study.Arm(kind.rawValue, settings, isGrid: rates.count > 1) { setting, task, show in
      var stream = RandomStream(seed: task.seed, task.streams, "weights")
      let reader = DigitReader(try features(task), hidden: [500], using: &stream)
      try LabelTuning.run(
        reader, of: "The training of one softplus layer", rate: setting.value, units: units,
        stepsPerUnit: stepsPerUnit, in: task, show)
    }
  }
}
