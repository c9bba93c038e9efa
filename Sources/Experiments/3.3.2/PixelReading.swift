import Methods
import Networks
import Tensors

/// The network of one softplus layer on pixels, by labels alone: what M1+M2 is held against that has
/// no share in the images without labels.
///
/// Pixels are drawn black and white for each batch. Its grid goes further up than that of the network
/// on a code, whose highest rate was the best here.
package enum PixelReading {
  /// The rates of Adam, half a decade apart.
  package static let rates = [1e-3, 3e-3, 1e-2, 3e-2, 1e-1]

  private struct Setting: CustomStringConvertible, Sendable {
    let rate: Double
    var description: String {
      "rate \(rate), \(LatentArms.units) × \(LatentArms.stepsPerUnit) steps"
    }
  }

  /// The arm, which takes as many steps as the network on a code.
  package static func arm() -> Study.Arm {
    let key = LatentArms.Kind.pixels.rawValue
    return Study.Arm(key, rates.map { Setting(rate: $0) }, isGrid: true) { setting, task, show in
      var stream = RandomStream(seed: task.seed, task.streams, "weights")
      let reader = DigitReader(nil, hidden: [500], using: &stream)
      try LabelTuning.run(
        reader, of: "The training of one softplus layer", rate: setting.rate,
        units: LatentArms.units, stepsPerUnit: LatentArms.stepsPerUnit, in: task, show)
    }
  }
}
