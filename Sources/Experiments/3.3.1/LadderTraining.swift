import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// The trainings of chapter 3.3.1: ladder networks, Γ-models, and the same networks on labels alone.
package enum LadderTraining {
  /// Labelled images of a step, and as many without labels.
  package static let batchSize = 100
  /// The rate of Adam until two thirds of the steps are done, as the paper has it.
  package static let rate = 0.002

  /// A setting of a fully connected network.
  package struct Setting: Sendable, CustomStringConvertible {
    package let plan: LadderNetwork.Plan
    /// The steps at full length; more where they are shorter, without the lower layers' costs.
    fileprivate let steps: Int
    /// The rate of Adam until two thirds of the steps are done.
    fileprivate var rate = LadderTraining.rate
    /// What each image goes through before it is seen, if anything.
    fileprivate var augmentation: Augmentation?
    /// Whether a network on labels alone takes its clean moments over the images without labels.
    fileprivate var knowsMoments = false

    /// The costs of the pixels, of the layer above them, and of each other layer.
    package init(ladder weights: (Float, Float, Float), noise: Float) {
      var plan = LadderNetwork.Plan()
      let rest = [Float](repeating: weights.2, count: plan.sizes.count - 2)
      (plan.denoisingWeights, plan.noise) = ([weights.0, weights.1] + rest, noise)
      (self.plan, steps) = (plan, 18_000)
    }

    /// The cost of the top layer alone, or with a weight of 0 none.
    package init(top weight: Float, noise: Float) {
      var plan = LadderNetwork.Plan.gamma(weight)
      plan.noise = noise
      (self.plan, steps) = (plan, weight > 0 ? 28_800 : 18_000)
    }

    /// The same, normalised by the moments of the noisy pass.
    fileprivate init(byNoisyMoments setting: Setting) {
      var plan = setting.plan
      plan.guessMoments = .noisy
      (self.plan, steps) = (plan, setting.steps)
    }

    package var description: String {
      let weights = plan.denoisingWeights
      let λ = weights[0] > 0 ? "\(weights[0]), \(weights[1]), \(weights[2])" : "\(weights.last!)"
      return "costs \(λ), noise \(plan.noise), \(steps) steps, rate \(rate)"
        + (plan.guessMoments == .clean ? "" : ", moments of the noisy pass")
        + (augmentation == nil ? "" : ", distorted images")
        + (knowsMoments ? ", moments of images without labels" : "")
    }

    /// The same with each image distorted as in chapter 3.2.
    fileprivate var distorted: Setting {
      var setting = self
      setting.augmentation = SupervisedRecipe.chosen.augmentation
      return setting
    }

    /// The same with moments that are taken over images without labels at the end.
    fileprivate var withKnownMoments: Setting {
      var setting = self
      setting.knowsMoments = true
      return setting
    }

    /// The same at another rate.
    fileprivate func at(rate: Double) -> Setting {
      var setting = self
      setting.rate = rate
      return setting
    }
  }

  /// The ladder's settings: the paper's for 1,000 labels, for 100 and for all.
  package static let ladders = [
    Setting(ladder: (2000, 20, 0.1), noise: 0.2), Setting(ladder: (1000, 10, 0.1), noise: 0.3),
    Setting(ladder: (1000, 1, 0.01), noise: 0.3),
  ]
  /// The Γ-model's weights, the paper's 2 for all labels and 10 for 1,000 among them.
  package static let gammas: [Setting] = [2, 5, 10, 20].map { Setting(top: $0, noise: 0.3) }
  /// The noise of the network on labels alone, the paper's 0.5 in the middle.
  package static let supervised: [Setting] = [0.2, 0.3, 0.5, 0.7, 1].map {
    Setting(top: 0, noise: $0)
  }
  /// What the paper has for 1,000 labels: the places among `gammas` and `ladders`.
  package static let papers = (gamma: 2, ladder: 0)

  /// The arms that are compared.
  package static let arms = [
    arm("supervised", supervised, isGrid: true), arm("gamma", gammas, isGrid: true),
    arm("ladder", ladders),
  ]

  /// Labels alone at a third of the rate: what is best early need not be best at last.
  package static let slower = arm("slower", supervised.map { $0.at(rate: rate / 3) })

  /// The ladder with the cost of the pixels alone, as the paper's code has it for 1,000 labels.
  package static let bottom = arm("bottom", [Setting(ladder: (2000, 0, 0), noise: 0.3)])

  /// Labels alone, at the paper's rate or a third of it, with the moments that the methods have.
  package static func settled(isSlower: Bool) -> Study.Arm {
    arm(
      "settled",
      supervised.map { $0.at(rate: isSlower ? rate / 3 : rate).withKnownMoments })
  }

  /// The noise that labels alone choose from where images are distorted.
  package static let augmentedNoises: [Float] = [0.025, 0.05, 0.1, 0.2, 0.3, 0.5]

  /// Γ-model and ladder at settings of their own, and labels alone with a choice of noise, all with
  /// distorted images.
  package static func augmented(gamma: Int, ladder: Int) -> [Study.Arm] {
    [
      arm(
        "plainAugmented", augmentedNoises.map { Setting(top: 0, noise: $0).distorted },
        isGrid: true),
      arm("gammaAugmented", [gammas[gamma].distorted]),
      arm("ladderAugmented", [ladders[ladder].distorted]),
    ]
  }

  /// A ladder as a setting has it, but for the moments by which its guesses are normalised.
  package static func mistaken(_ setting: Setting) -> Study.Arm {
    arm("moments", [Setting(byNoisyMoments: setting)])
  }

  private static func arm(
    _ key: String, _ settings: [Setting], isGrid: Bool = false
  ) -> Study.Arm {
    Study.Arm(key, settings, isGrid: isGrid) { setting, task, show in
      try train(setting, task) { step, network in
        try show(step, Study.reader(of: network, task.flag))
      }
    }
  }

  /// Trains a fully connected network; a quick run has a narrow one.
  static func train(
    _ setting: Setting, _ task: Study.Task, show: (_ step: Int, LadderNetwork) throws -> Void
  ) throws {
    var plan = setting.plan
    if task.isQuick { plan.sizes = [784, 100, 50, 25, 25, 25, 10] }
    var start = RandomStream(seed: task.seed, task.streams, "weights")
    let network = LadderNetwork(plan, using: &start)
    try run(
      network, of: "The ladder network", steps: setting.steps, rate: setting.rate,
      augmentation: setting.augmentation,
      seesOthers: plan.denoisingWeights.contains { $0 > 0 }, knowsMoments: setting.knowsMoments,
      in: task
    ) {
      try show($0, network)
    }
  }

  /// Arms of the convolutional network: with the top layer's cost, and on labels alone with more noise.
  package static let convolutional = [
    (key: "plainConvolution", weight: 0, noise: 0.45), (key: "convolution", weight: 1, noise: 0.3),
  ].map { (key: String, weight: Float, noise: Float) in
    let steps = 5760
    return Study.Arm(key, ["cost \(weight), noise \(noise), \(steps) steps"]) {
      _, task, show in
      var plan = ConvolutionalGamma.Plan()
      (plan.weight, plan.noise) = (weight, noise)
      if task.isQuick { plan.steps = [.convolution(4, kernel: 5), .pooling, .pooling] }
      var start = RandomStream(seed: task.seed, task.streams, "weights")
      let network = ConvolutionalGamma(plan, using: &start)
      try run(
        network, of: "The convolutional Γ-model", steps: steps, rate: rate,
        seesOthers: weight > 0, in: task
      ) {
        try show($0, Study.reader(of: network, task.flag))
      }
    }
  }

  // snippet.training
  /// Steps of 100 images with labels and 100 without; over the last third the rate falls in a line.
  private static func run<Network: Classifier & Objective>(
    _ network: Network, of method: String, steps: Int, rate: Double,
    augmentation: Augmentation? = nil, seesOthers: Bool, knowsMoments: Bool = false,
    in task: Study.Task,
    _ show: (_ step: Int) throws -> Void
  ) throws where Network.Batch == PairedBatch {
    let (seed, name, size) = (task.seed, task.streams, task.isQuick ? 20 : batchSize)
    let change: ImageChange? = augmentation.map { distort in { distort($0, using: &$1) } }
    let source = PairedBatches(
      LabelledBatches(
        of: task.set, task.labelled, size: size, seed: seed, name: name, change: change),
      UnlabelledBatches(
        of: task.unlabelled, size: size, seed: seed, name: name,
        change: seesOthers ? change : nil))
    let known =
      seesOthers || knowsMoments ? task.unlabelled : task.set.withoutLabels(task.labelled)
    let epochs = task.epochs(steps / source.stepsPerEpoch)  // passes over the labelled images
    let end = epochs * source.stepsPerEpoch
    var training = Training(
      network, source, Adam(), rate: .linearDecay(rate, from: 2 * end / 3, to: end, .steps),
      seed: seed, name: name)
    try training.follow(method, epochs: epochs, in: task) {
      try settle(network, on: known, task)
      try show($0 * source.stepsPerEpoch)
    }
  }

  /// Takes the clean moments over up to 10,000 images, in the place of those of the last few batches.
  private static func settle(
    _ network: some Classifier, on images: UnlabelledImages, _ task: Study.Task
  ) throws {
    var (seen, noise) = (0, RandomStream(seed: 0, "a clean pass draws nothing"))
    for places in Array(0..<min(10_000, images.count)).batches(of: 500) {
      try task.flag.check()
      seen += places.count
      let x = Tape(recording: false).constant(images(places))
      _ = network.logits(
        x, .estimation(share: Float(places.count) / Float(seen)), using: &noise)
    }
  }
  // snippet.end
}
