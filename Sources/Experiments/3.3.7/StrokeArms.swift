import Digits
import Methods
import Networks
import Notebook
import Tensors

/// Readers of digits on learnt strokes, and on none.
package enum StrokeArms {
  /// What the reader is.
  package enum Kind: String, CaseIterable, Sendable {
    /// A linear machine on the pixels.
    case pixels
    /// The same on units that learnt without the demand to be sparse.
    case dense
    /// The same on the strokes.
    case strokes
    /// A network with one hidden layer from random weights.
    case random
    /// The same, its hidden layer starting as the strokes.
    case tuned
  }

  /// The costs C of the linear machine, a decade apart.
  package static let costs = [1e-4, 1e-3, 0.01, 0.1, 1, 10]
  /// The rates of Adam, half a decade apart.
  package static let rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
  /// As many steps for 1,000 labels as for 3,000, where a unit is two epochs.
  package static let (units, stepsPerUnit) = (48, 60)
  private static let batchSize = 100

  private struct Setting: CustomStringConvertible, Sendable {
    let value: Double
    let description: String
  }

  /// An arm for each kind, in the order of the kinds.
  package static func arms(_ learning: StrokeLearning) -> [Study.Arm] {
    Kind.allCases.map { kind in
      switch kind {
      case .pixels, .dense, .strokes:
        let demand: StrokeLearning.Demand? =
          kind == .strokes ? .sparse : kind == .dense ? .dense : nil
        let settings = costs.map { Setting(value: $0, description: "C \($0)") }
        return Study.Arm(kind.rawValue, settings, isGrid: true) { setting, task, show in
          let encoder = try demand.map { try learning.method($0, task.flag).encoder }
          try separate(encoder, cost: setting.value, task, show)
        }
      case .random, .tuned:
        let settings = rates.map {
          Setting(value: $0, description: "rate \($0), \(units) × \(stepsPerUnit) steps")
        }
        return Study.Arm(kind.rawValue, settings, isGrid: true) { setting, task, show in
          let encoder =
            kind == .tuned ? try learning.method(.sparse, task.flag).encoder : nil
          try tune(encoder, rate: setting.value, task, show)
        }
      }
    }
  }

  // snippet.separating
  /// A linear machine on what an encoder makes of images, or on their pixels: a network whose output
  /// layer is where the machine's loss is least, and whose hidden layer stays as it is.
  private static func separate(
    _ encoder: Dense?, cost: Double, _ task: Study.Task,
    _ show: (Int, Study.Reader) throws -> Void
  ) throws {
    let network = network(encoder, hidden: encoder == nil ? [] : [200], task)
    let rows = network.features(task.set.images(task.labelled), below: network.layers.count)
    let scaling = FeatureScaling(rows)
    let machine = try LinearSVM(
      scaling(rows), labels: task.set.labels(task.labelled), cost: cost)
    let plain = scaling.unscaled(machine.weights)
    (network.output.weight.value, network.output.bias.value) = (plain.weights, plain.biases)
    try show(1, Study.reader(of: network, task.flag))
  }
  // snippet.end

  /// Adam on the cross-entropy; the last third of the steps slows down to 0.
  private static func tune(
    _ encoder: Dense?, rate: Double, _ task: Study.Task,
    _ show: (Int, Study.Reader) throws -> Void
  ) throws {
    let network = network(encoder, hidden: [200], task)
    let units = task.epochs(units)
    let stepsPerUnit = task.isQuick ? 2 : stepsPerUnit
    let steps = units * stepsPerUnit
    var training = Training(
      of: network, on: task.set, task.labelled, Adam(),
      rate: .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps), batchSize: batchSize,
      seed: task.seed, name: task.streams)
    for unit in 1...units {
      for _ in 0..<stepsPerUnit {
        try task.flag.check()
        try training.takeCheckedStep(of: "The training of one sigmoid layer")
      }
      if task.isPoint(unit, of: units) {
        try show(unit * stepsPerUnit, Study.reader(of: network, task.flag))
      }
    }
  }

  /// A network whose hidden layer, where it has one, is an encoder's or random; all arms of a draw
  /// have the same random numbers.
  private static func network(
    _ encoder: Dense?, hidden: [Int], _ task: Study.Task
  ) -> StackedAutoencoder {
    var stream = RandomStream(seed: task.seed, task.streams, "weights")
    let network = StackedAutoencoder([ImageSet.pixelsPerImage] + hidden, using: &stream)
    if let encoder {
      network.layers[0].weight.value = encoder.weight.value
      network.layers[0].bias.value = encoder.bias.value
    }
    return network
  }
}
