import Digits
import Files
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Trainings of chapter 3.3.5: Lee's network on labels alone, with its own guesses, and with a first
/// layer that has learnt to undo corruption before.
package struct GuessTraining: Sendable {
  /// What is trained.
  package enum Kind: String, Codable, Sendable {
    /// On labels alone.
    case dropout
    /// With guesses.
    case pseudo
    /// With guesses, on a first layer that was pretrained.
    case denoised
    /// On labels alone, on a first layer that was pretrained.
    case pretrained
    /// With guesses that count in full from the first step.
    case unramped
  }

  /// How the weights start.
  package enum FirstWeights: String, Sendable {
    /// Normal, with a deviation of 0.01.
    case small
    /// He's.
    case he
  }

  /// All that differs between two trainings on the same labels.
  package struct Setting: Sendable, CustomStringConvertible {
    package let kind: Kind
    /// ε₀, the rate at first.
    package let rate: Double
    /// The probability to keep a pixel.
    package let keep: Float
    fileprivate let weights: FirstWeights
    /// How many times the whole length.
    fileprivate var length = 1
    /// The passes of the pretraining over all images, where there is one.
    fileprivate var passes = 4

    fileprivate init(_ kind: Kind, rate: Double, keep: Float, weights: FirstWeights = .small) {
      (self.kind, self.rate, self.keep, self.weights) = (kind, rate, keep, weights)
    }

    package var description: String {
      "rate \(rate), pixels kept \(keep)" + (weights == .small ? "" : ", He's weights")
        + (length == 1 ? "" : ", \(length) times the length")
        + (passes == 4 ? "" : ", pretrained in \(passes) passes")
    }

    /// The same rate and dropout of another kind.
    package func of(_ kind: Kind) -> Setting { Setting(kind, rate: rate, keep: keep) }

    /// The same, some times as long.
    package func longer(_ times: Int) -> Setting {
      var setting = self
      setting.length = times
      return setting
    }

    /// The same on a layer whose pretraining was five times as long.
    package var patient: Setting {
      var setting = self
      setting.passes = 20
      return setting
    }
  }

  // snippet.settings
  /// What each arm chooses from: a cross of rates and shares of pixels about its middle.
  package static func settings(_ kind: Kind) -> [Setting] {
    [(0.15, 0.8), (0.5, 0.8), (1.5, 0.8), (0.5, 1), (0.5, 0.6)].map {
      Setting(kind, rate: $0.0, keep: $0.1)
    }
  }
  // snippet.end

  /// The epochs of the paper that the whole length stands for.
  package static let paperEpochs = 1000

  /// The pretrained first layers, by the passes over all images.
  private let pretrained: [Int: SharedStage<ModuleWeights>]

  /// The trainings of a chapter's page.
  package init(_ page: Page, _ data: MNIST) {
    pretrained = [
      4: Self.denoiser(page, data, "denoising layer", passes: 4),
      20: Self.denoiser(page, data, "denoising layer, 20 passes", passes: 20),
    ]
  }

  /// An arm with all its settings.
  package func arm(_ kind: Kind) -> Study.Arm { arm(kind.rawValue, Self.settings(kind)) }

  /// What labels alone and guesses choose from where they start from He's weights, which are larger.
  package static func heSettings(_ kind: Kind) -> [Setting] {
    let alone: [(Double, Float)] = [(0.05, 1), (0.15, 1), (0.5, 1), (1.5, 1), (0.5, 0.8)]
    let guesses: [(Double, Float)] = [(0.15, 0.8), (0.5, 0.8), (1.5, 0.8), (0.5, 0.6)]
    return (kind == .dropout ? alone : guesses).map {
      Setting(kind, rate: $0.0, keep: $0.1, weights: .he)
    }
  }

  /// An arm of some settings; a candidate whose training breaks reads no digit, and is no choice.
  package func arm(_ key: String, _ settings: [Setting]) -> Study.Arm {
    Study.Arm(key, settings) { setting, task, show in
      do {
        try train(setting, task) { epoch, network in
          try show(epoch, Study.reader(of: network, task.flag))
        }
      } catch let error as LabError where error.kind == .failed && task.share < 1 {
        try show(0) { _, indices in indices.map { _ in -1 } }
      }
    }
  }

  /// Passes over the labelled images: as many steps for any number of labels, nearly, from 600 on; with
  /// 100, of which a pass has four steps, a quarter more.
  package static func epochs(labels: Int) -> Int { 63_000 / labels }

  // snippet.network
  /// Lee's network: 5,000 rectifiers between the pixels and ten sigmoids; a quick run has fewer.
  private static func network(
    _ weights: FirstWeights = .small, keep: Float = 1, isQuick: Bool,
    using stream: inout RandomStream
  ) -> Perceptron {
    var plan = PseudoLabel<Perceptron>.networkPlan
    plan.keepInput = keep
    plan.initialiser = weights == .he ? .he : .gaussian(deviation: 0.01)
    if isQuick { plan.sizes[1] = 500 }
    return Perceptron(plan, using: &stream)
  }
  // snippet.end

  // snippet.training
  /// Steps of 32 labelled images and 256 without labels; the paper's times, drawn together.
  func train(
    _ setting: Setting, _ task: Study.Task, show: (_ epoch: Int, Perceptron) throws -> Void
  ) throws {
    typealias Method = PseudoLabel<Perceptron>
    let (seed, name, sizes) = (task.seed, task.streams, Method.batchSizes)
    var start = RandomStream(seed: seed, name, "weights")
    let network = Self.network(
      setting.weights, keep: setting.keep, isQuick: task.isQuick, using: &start)
    if [.denoised, .pretrained].contains(setting.kind) {
      try pretrained[setting.passes]!(task.flag).put(into: network.layers[0].parameters)
    }
    let source = PairedBatches(
      LabelledBatches(
        of: task.set, task.labelled, size: sizes.labelled, seed: seed, name: name),
      UnlabelledBatches(of: task.unlabelled, size: sizes.unlabelled, seed: seed, name: name))
    let epochs = task.epochs(setting.length * Self.epochs(labels: task.labelled.count))
    let pace = Double(epochs * source.stepsPerEpoch) / Double(Self.paperEpochs)
    var plan = Method.Plan()
    plan.stepsPerEpoch = pace
    switch setting.kind {
    case .dropout, .pretrained: plan.weight = 0
    case .pseudo: (plan.start, plan.end) = (100, 600)
    case .denoised: (plan.start, plan.end) = (200, 800)
    case .unramped: (plan.start, plan.end) = (0, 0)
    }
    var training = Training(
      Method(network, plan), source, Momentum(momentum: Method.momentum(stepsPerEpoch: pace)),
      rate: Method.rate(setting.rate, stepsPerEpoch: pace), seed: seed, name: name)
    try training.follow("Pseudo-label", epochs: epochs, in: task) {
      try show($0, network)
    }
  }
  // snippet.end

  // snippet.pretraining
  /// The first layer, after passes over all training images, none of whose labels it is given.
  private static func denoiser(
    _ page: Page, _ data: MNIST, _ name: String, passes: Int
  ) -> SharedStage<ModuleWeights> {
    let (seed, isQuick) = (page.seed, page.isQuick)
    return SharedStage(page, name) { flag in
      let steps = passes * 600
      var start = RandomStream(seed: seed, "3.3.5/denoising", "weights")
      let layer = network(isQuick: isQuick, using: &start).layers[0]
      let images = data.train.withoutLabels(Array(0..<data.train.count))
      var training = Training(
        LayerDenoiser(layer, masking: 0.5),
        UnlabelledBatches(of: images, size: 100, seed: seed, name: "3.3.5/denoising"),
        Adam(), rate: .linearDecay(3e-4, from: 0, to: steps, .steps), seed: seed,
        name: "3.3.5/denoising")
      while training.moment.step < (isQuick ? 10 : steps) {
        try flag.check()
        try training.takeCheckedStep(of: "The denoising layer")
      }
      return ModuleWeights(of: layer.parameters)
    }
  }
  // snippet.end
}
