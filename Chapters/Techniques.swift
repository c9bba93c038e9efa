import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// A network and its training, with each technique of the lab's section 2 as a setting.
///
/// The first values are those of the sample code (chapter 3.1).
public struct Recipe: Sendable {
  /// A convolution, and whether a pooling over 2 × 2 follows it.
  public struct Block: Sendable {
    let filters, kernel: Int
    var pools = false
  }

  /// The rule that changes the weights.
  public enum Rule: Sendable {
    /// Classical momentum μ.
    case momentum(Float)
    case adam
  }

  var blocks = [
    Block(filters: 10, kernel: 5, pools: true), Block(filters: 20, kernel: 5, pools: true),
  ]
  /// Units of the hidden layer.
  var hidden = 50
  /// The activation after each layer but the last.
  var activation = Activation.relu
  /// Whether the logits pass a rectifier, as they do in the sample code.
  var hasStrayReLU = true
  var initialiser = Initialiser.fanInUniform
  /// Whether each layer's outputs are normalised over the batch.
  var normalises = false
  /// The probability to keep a channel of the last convolution.
  var channelKeep: Float = 0.5
  /// The probability to keep a hidden unit.
  var keep: Float = 0.5
  /// The deviation of normal noise that is added to what each convolution reads.
  var noise: Float = 0
  var augmentation = Augmentation()
  var rule = Rule.momentum(0.5)
  /// The learning rate, and whether it falls in a line to 0 over the training's last two thirds.
  var rate = 0.01
  var decays = false
  var batchSize = 64
  var epochs = 10

  /// A recipe that begins as the sample code's.
  public init() {}

  /// The convolutions of the kit's final network, whose first has 32 filters.
  static func kitBlocks(_ filters: Int) -> [Block] {
    [
      Block(filters: filters, kernel: 5, pools: true), Block(filters: 2 * filters, kernel: 3),
      Block(filters: 2 * filters, kernel: 3, pools: true), Block(filters: 4 * filters, kernel: 3),
    ]
  }

  /// What validation chose in chapter 3.2, and what `lab model` trains.
  public static let best: Recipe = {
    var recipe = Recipe()
    (recipe.blocks, recipe.hidden) = (kitBlocks(32), 100)
    recipe.activation = .leakyReLU(slope: 0.1)
    recipe.hasStrayReLU = false
    recipe.initialiser = .he
    recipe.normalises = true
    recipe.channelKeep = 1
    recipe.noise = 0.3
    recipe.augmentation = Augmentation(
      rotation: 15, shift: 2, scale: 0.15, shear: 0.2,
      elastic: ElasticDistortion(strength: 24, smoothness: 4))
    (recipe.rule, recipe.rate, recipe.decays) = (.adam, 0.002, true)
    (recipe.batchSize, recipe.epochs) = (50, 150)
    return recipe
  }()

  /// The rate of each epoch.
  var schedule: Schedule {
    decays ? .linearDecay(rate, from: epochs / 3, to: epochs) : .constant(rate)
  }
}

/// A convolutional classifier by a recipe.
public struct RecipeNetwork: Classifier {
  let recipe: Recipe
  let convolutions: [Convolution]
  let hidden, output: Dense
  let normalisations: [BatchNormalisation]

  /// A network for 28 × 28 pixels with drawn weights.
  public init(_ recipe: Recipe, _ stream: inout RandomStream) {
    self.recipe = recipe
    // Where a layer is normalised, the activation comes after that.
    let inner = recipe.normalises ? Activation.identity : recipe.activation
    var (channels, side) = (1, 28)
    var convolutions: [Convolution] = []
    var normalisations: [BatchNormalisation] = []
    for (index, block) in recipe.blocks.enumerated() {
      convolutions.append(
        Convolution(
          "convolution\(index)", channels, block.filters, kernel: block.kernel,
          activation: inner, initialiser: recipe.initialiser, &stream))
      normalisations.append(
        BatchNormalisation(
          "normalisation\(index)", block.filters, activation: recipe.activation))
      channels = block.filters
      side = (side - block.kernel + 1) / (block.pools ? 2 : 1)
    }
    hidden = Dense(
      "hidden", channels * side * side, recipe.hidden, activation: inner,
      initialiser: recipe.initialiser, &stream)
    normalisations.append(
      BatchNormalisation("normalisation.hidden", recipe.hidden, activation: recipe.activation))
    let isStray = recipe.hasStrayReLU && !recipe.normalises
    output = Dense(
      "output", recipe.hidden, 10, activation: isStray ? .relu : .identity,
      initialiser: recipe.initialiser, &stream)
    self.convolutions = convolutions
    self.normalisations = recipe.normalises ? normalisations : []
  }

  /// All weights, biases and running statistics.
  public var parameters: [Parameter] {
    convolutions.flatMap(\.parameters) + hidden.parameters + output.parameters
      + normalisations.flatMap(\.parameters)
  }

  /// The logits of images `[1, n, 28, 28]`, scaled to mean 0 and deviation 1 over the data set.
  public func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    let trains = phase == .training
    var x = images.tape.constant(images.value.map { ($0 - 0.1307) * (1 / 0.3081) })
    for (index, convolution) in convolutions.enumerated() {
      if trains && recipe.noise > 0 {
        x = x + x.tape.constant(stream.normal(x.shape, deviation: recipe.noise))
      }
      x = convolution(x)
      if trains && recipe.channelKeep < 1 && index == convolutions.count - 1 {
        x = channelDropout(x, keep: recipe.channelKeep, using: &stream)
      }
      // The largest of rectified numbers is the largest, rectified: pooling first is less work.
      if recipe.blocks[index].pools { x = maximumPool(x).what }
      if recipe.normalises { x = normalisations[index](x, phase) }
    }
    x = hidden(flatten(x))
    if recipe.normalises { x = normalisations[convolutions.count](x, phase) }
    if trains && recipe.keep < 1 { x = dropout(x, keep: recipe.keep, using: &stream) }
    return output(x)
  }
}

// MARK: - Trainings

/// Trainings of chapter 3.2, which stand here so that its words can change without them.
enum RecipeTraining {
  /// One training that is asked for.
  struct Job: Sendable {
    let recipe: Recipe
    let seed: Int
    /// Whether a fifth of the images is enough at the end too.
    let isQuick: Bool

    /// Says everything that the result depends on.
    var name: String { "\(recipe), seed \(seed)" }
  }

  /// Accuracies in percent.
  struct Accuracies: Codable, Sendable {
    let train, validation, test: Double
  }

  /// What a training leaves.
  struct Outcome: Codable, Sendable {
    /// Epochs done at each point of the curves.
    var epochs: [Int] = []
    /// Of every third labelled image, and of every fifth of the other two sets.
    var curve: [Accuracies] = []
    /// Of all images, at the end.
    var final = Accuracies(train: 0, validation: 0, test: 0)
    /// The test images that are misread, and as what.
    var mistakes: [Mistake] = []
  }

  /// A test image that is misread.
  struct Mistake: Codable, Sendable {
    let image, label, read: Int
    let confidence: Float
  }

  /// Trains each job; curves have about ten points.
  static func run(
    _ page: Page, _ jobs: [Job], _ data: MNIST, _ split: Split
  ) throws -> [Outcome] {
    let seed = page.seed
    return try SideBySide.run(page, "trainings", jobs.map(\.name)) { index, flag in
      let job = jobs[index]
      switch job.recipe.rule {
      case .momentum(let μ):
        return try run(job, Momentum(momentum: μ), seed, data, split, flag)
      case .adam:
        return try run(job, Adam(), seed, data, split, flag)
      }
    }
  }

  private static func run(
    _ job: Job, _ rule: some Optimiser, _ seed: UInt64, _ data: MNIST, _ split: Split,
    _ flag: SideBySide.Flag
  ) throws -> Outcome {
    let recipe = job.recipe
    let name = "3.2/seed \(job.seed)"
    var start = RandomStream(seed: seed, name, "weights")
    let network = RecipeNetwork(recipe, &start)
    var training = Supervised(
      network, rule, rate: recipe.schedule, batchSize: recipe.batchSize, seed: seed, name: name)
    var outcome = Outcome()
    func few(_ indices: [Int], _ step: Int) -> [Int] {
      stride(from: 0, to: indices.count, by: step).map { indices[$0] }
    }
    func evaluate(every step: Int) throws -> (train: Double, validation: Double, Evaluation) {
      let check = { try flag.check() }
      let train = try network.evaluate(
        data.train, few(split.labelled, min(3, step)), beforeEachBatch: check)
      let validation = try network.evaluate(
        data.train, few(split.validation, step), beforeEachBatch: check)
      let test = try network.evaluate(
        data.test, few(Array(0..<data.test.count), step), beforeEachBatch: check)
      return (train.accuracy, validation.accuracy, test)
    }
    for epoch in 1...recipe.epochs {
      try training.runEpoch(data.train, split.labelled) {
        recipe.augmentation($0, &$1)
      } afterStep: { _ in
        try flag.check()
      }
      if epoch % max(1, recipe.epochs / 10) == 0 || epoch == 1 {
        let (train, validation, test) = try evaluate(every: 5)
        outcome.epochs.append(epoch)
        outcome.curve.append(
          Accuracies(train: train, validation: validation, test: test.accuracy))
      }
    }
    let (train, validation, test) = try evaluate(every: job.isQuick ? 5 : 1)
    outcome.final = Accuracies(train: train, validation: validation, test: test.accuracy)
    for image in test.labels.indices where test.predictions[image] != test.labels[image] {
      outcome.mistakes.append(
        Mistake(
          image: job.isQuick ? 5 * image : image, label: test.labels[image],
          read: test.predictions[image], confidence: test.confidences[image]))
    }
    return outcome
  }
}
