import Digits
import Methods
import Notebook
import Tensors

/// How the networks of chapter 2.2.1 are kept from learning their images by heart.
package enum Regulariser: String, CaseIterable, Sendable {
  /// Not at all.
  case none
  /// By a penalty on the squares of the weights.
  case decay
  /// By dropout's masks, with the gradient of the whole network.
  case boosting
  /// By dropout.
  case dropout

  /// Whether units are dropped while it trains.
  private var isMasked: Bool { self == .boosting || self == .dropout }

  /// A training of 784-400-400-10; `strength` is the factor of the penalty.
  package func training(
    rate: Double, strength: Double, epochs: Int, seed: Int
  ) -> DropoutTraining {
    DropoutTraining(
      sizes: [784, 400, 400, 10], keepInput: isMasked ? 0.8 : 1, keepHidden: isMasked ? 0.5 : 1,
      weightDecay: self == .decay ? Float(strength) : 0, rate: rate, epochs: epochs, seed: seed)
  }

  /// The network of such a training.
  package func network(
    _ training: DropoutTraining, _ set: ImageSet, _ indices: [Int], seed: UInt64,
    _ flag: SideBySide.Flag
  ) throws -> Perceptron {
    self == .boosting
      ? try training.network(set, indices, seed: seed, flag) { DropoutBoosting($0) }
      : try training.network(set, indices, seed: seed, flag)
  }

  /// The rates that are tried.
  private var rates: [Double] {
    switch self {
    case .none, .decay: [0.05, 0.1, 0.2]
    case .boosting: [0.01, 0.02, 0.05]
    case .dropout: [0.02, 0.05, 0.1]
    }
  }
  /// The factors of the penalty that are tried.
  private static let strengths = [0, 0.00003, 0.0001, 0.0003]

  /// What was chosen for each regulariser.
  package typealias Settings = [Regulariser: (rate: Double, strength: Double)]

  /// Chooses a rate for each regulariser, and for the penalty its factor, on the validation images.
  ///
  /// The trainings have a seed of their own, 0, which is not reported.
  package static func choose(
    _ page: Page, _ data: MNIST, _ split: Split, epochs: Int
  ) throws -> Settings {
    guard !page.isQuick else {
      return Dictionary(uniqueKeysWithValues: allCases.map { ($0, (0.05, 0.0001)) })
    }
    let seed = page.seed
    func errors(
      _ trials: [(by: Regulariser, rate: Double, strength: Double)]
    ) throws -> [Double] {
      let trainings = trials.map {
        ($0.by, $0.by.training(rate: $0.rate, strength: $0.strength, epochs: epochs, seed: 0))
      }
      return try SideBySide.run(
        page, "choosing", trainings.map { "\($0.rawValue), trial, \($1.name)" }, tolerance: 1
      ) { index, flag in
        let (regulariser, training) = trainings[index]
        let network = try regulariser.network(
          training, data.train, split.labelled, seed: seed, flag)
        return 100 - network.evaluate(data.train, split.validation).accuracy
      }
    }
    var settings: Settings = [:]
    let free: [Regulariser] = [.none, .boosting, .dropout]
    let tried = try errors(free.flatMap { by in by.rates.map { (by, $0, 0) } })
    var least: [Double] = []
    for (index, by) in free.enumerated() {
      let own = Array(tried[index * by.rates.count..<(index + 1) * by.rates.count])
      let best = page.choice(of: "\(by), rate", by: own)
      settings[by] = (by.rates[best], 0)
      least.append(own[best])
    }
    // The penalty has the rate that is best without it; a factor of 0 is no penalty, and its trial
    // is done.
    let rate = settings[Regulariser.none]!.rate
    let penalties =
      [least[0]] + (try errors(strengths.dropFirst().map { (.decay, rate, $0) }))
    let strength = page.choice(of: "decay, factor", by: penalties, isOpen: (false, true))
    settings[.decay] = (rate, strengths[strength])
    return settings
  }
}
