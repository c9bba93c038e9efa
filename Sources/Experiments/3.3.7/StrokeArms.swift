import Digits
import Methods
import Networks
import Notebook
import Tensors

/// Readers of digits on learnt strokes, and on none.
package enum StrokeArms {
  /// What the reader is.
  package enum Kind: String, CaseIterable, Sendable {
    /// A linear machine on the pixels as they are.
    case plain
    /// The same on pixels that are scaled, as all below are.
    case pixels
    /// The same on units at random weights, which have learnt nothing.
    case untrained
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
  package static let rates = [1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3]
  /// As many steps for 1,000 labels as for 3,000, where a unit is two epochs.
  package static let (units, stepsPerUnit) = (48, 60)

  /// A variance beside which that of a pixel is nothing.
  private static let evenly: Float = 1e4

  private struct Setting: CustomStringConvertible, Sendable {
    let value: Double
    let description: String
  }

  /// An arm for each kind, in the order of the kinds.
  package static func arms(_ learning: StrokeLearning) -> [Study.Arm] {
    Kind.allCases.map { kind in
      switch kind {
      case .plain, .pixels, .untrained, .dense, .strokes:
        let settings = costs.map { Setting(value: $0, description: "C \($0)") }
        return Study.Arm(kind.rawValue, settings, isGrid: true) { setting, task, show in
          let encoder: Dense? =
            switch kind {
            case .strokes: try learning.method(.sparse, task.flag).encoder
            case .dense: try learning.method(.dense, task.flag).encoder
            default: nil
            }
          try separate(
            network(encoder, hidden: kind == .plain || kind == .pixels ? [] : [200], task),
            isScaled: kind != .plain, cost: setting.value, task, show)
        }
      case .random, .tuned:
        let settings = rates.map {
          Setting(value: $0, description: "rate \($0), \(units) × \(stepsPerUnit) steps")
        }
        return Study.Arm(kind.rawValue, settings, isGrid: true) { setting, task, show in
          let encoder =
            kind == .tuned ? try learning.method(.sparse, task.flag).encoder : nil
          try LabelTuning.run(
            network(encoder, hidden: [200], task), of: "The training of one sigmoid layer",
            rate: setting.value, units: units, stepsPerUnit: stepsPerUnit, in: task, show)
        }
      }
    }
  }

  // snippet.separating
  /// A linear machine on what the hidden layer makes of images, or on their pixels: a network whose
  /// output layer is where the machine's loss is least, and whose hidden layer stays as it is.
  private static func separate(
    _ network: StackedAutoencoder, isScaled: Bool, cost: Double, _ task: Study.Task,
    _ show: (Int, Study.Reader) throws -> Void
  ) throws {
    let rows = network.features(task.set.images(task.labelled), below: network.layers.count)
    // With so large a constant all features have one factor, and C is the cost of what it was.
    let scaling = FeatureScaling(rows, constant: isScaled ? 0.01 : evenly)
    // Of pixels with so small a factor the bias has nearly all of the gradient at first, so that a
    // thousandth of that says nothing of theirs.
    let machine = try LinearSVM(
      scaling(rows), labels: task.set.labels(task.labelled),
      cost: isScaled ? cost : cost * Double(evenly), tolerance: isScaled ? 1e-3 : 1e-5)
    let plain = scaling.unscaled(machine.weights)
    (network.output.weight.value, network.output.bias.value) = (plain.weights, plain.biases)
    try show(1, Study.reader(of: network, task.flag))
  }
  // snippet.end

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
