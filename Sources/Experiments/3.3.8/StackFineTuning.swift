import Digits
import Methods
import Networks
import Notebook
import Tensors

/// Three sigmoid layers of 1,000 that learn from labels, from three starts.
package enum StackFineTuning {
  /// Where the hidden layers start.
  package enum Start: String, CaseIterable, Sendable {
    /// At random weights.
    case random
    /// As plain auto-encoders left them, pretrained without noise.
    case plain
    /// As denoising auto-encoders left them.
    case denoising

    /// The masking noise of the pretraining; nil without any.
    fileprivate var masking: Float? {
      switch self {
      case .random: nil
      case .plain: 0
      case .denoising: StackPretraining.masking
      }
    }
  }

  /// The rate is what is chosen, from the same grid for each start.
  private struct Rate: CustomStringConvertible, Sendable {
    let value: Double
    var description: String { "rate \(value), \(units) × \(stepsPerUnit) steps" }
  }

  /// The rates of the grid, half a decade apart.
  package static let rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]
  /// As many steps for 1,000 labels as for 3,000, where a unit is an epoch.
  package static let (units, stepsPerUnit) = (36, 30)

  /// An arm for each start, in the order of the starts.
  package static func arms(_ pretraining: StackPretraining) -> [Study.Arm] {
    Start.allCases.map { start in
      Study.Arm(start.rawValue, rates.map { Rate(value: $0) }, isGrid: true) { rate, task, show in
        var stream = RandomStream(seed: task.seed, task.streams, "weights")
        let network = StackedAutoencoder(StackPretraining.sizes, using: &stream)
        if let masking = start.masking {
          try pretraining.start(network, masking: masking, task.flag)
        }
        try LabelTuning.run(
          network, of: "The fine-tuning of three sigmoid layers", rate: rate.value, units: units,
          stepsPerUnit: stepsPerUnit, in: task, show)
      }
    }
  }
}
