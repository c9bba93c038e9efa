import Digits
import Gradients
import Networks
import Tensors

/// A convolutional network and its training, with each technique of the lab's section 2 as a setting.
///
/// The first values are those of the sample code (chapter 3.1).
public struct Recipe: Sendable {
  /// A convolution, and whether a pooling over 2 × 2 follows it.
  public struct Block: Sendable {
    /// Filters, and the side of each in pixels.
    public let filters, kernel: Int
    /// Whether a pooling follows.
    public let pools: Bool

    /// A block without padding.
    public init(filters: Int, kernel: Int, pools: Bool = false) {
      (self.filters, self.kernel, self.pools) = (filters, kernel, pools)
    }
  }

  /// The rule that changes the weights.
  public enum Rule: Sendable {
    /// Classical momentum μ.
    case momentum(Double)
    /// Adam with its usual constants.
    case adam
  }

  /// The convolutions, first to last.
  public var blocks = [
    Block(filters: 10, kernel: 5, pools: true), Block(filters: 20, kernel: 5, pools: true),
  ]
  /// Units of the hidden layer.
  public var hidden = 50
  /// The activation after each layer but the last.
  public var activation = Activation.relu
  /// Whether the logits pass a rectifier, as they do in the sample code.
  public var hasStrayReLU = true
  /// Where the weights start.
  public var initialiser = Initialiser.fanInUniform
  /// Whether each hidden layer's outputs are normalised over the batch.
  public var normalises = false
  /// Whether the logits are normalised too, as in the kit's final network.
  public var normalisesLogits = false
  /// The probability to keep a channel of the last convolution.
  public var channelKeep: Float = 0.5
  /// The probability to keep a hidden unit.
  public var keep: Float = 0.5
  /// The deviation of normal noise that is added to what each convolution reads.
  public var noise: Float = 0
  /// How images are changed before they are learnt from.
  public var augmentation = Augmentation()
  /// The rule that changes the weights.
  public var rule = Rule.momentum(0.5)
  /// The learning rate at first.
  public var rate = 0.01
  /// Whether the rate falls in a line to 0 over the training's last two thirds.
  public var decays = false
  /// Images of a step.
  public var batchSize = 64
  /// Passes over the labelled images.
  public var epochs = 10

  /// A recipe that begins as the sample code's.
  public init() {}

  /// The convolutions of the kit's final network, whose first has 32 filters.
  public static func kitBlocks(_ filters: Int) -> [Block] {
    [
      Block(filters: filters, kernel: 5, pools: true), Block(filters: 2 * filters, kernel: 3),
      Block(filters: 2 * filters, kernel: 3, pools: true), Block(filters: 4 * filters, kernel: 3),
    ]
  }

  /// The rate of each epoch.
  public var schedule: Schedule {
    decays ? .linearDecay(rate, from: epochs / 3, to: epochs, .epochs) : .constant(rate)
  }
}

/// A convolutional classifier by a recipe.
public struct ConvolutionalClassifier: Classifier {
  /// What it was made by.
  public let recipe: Recipe
  private let convolutions: [Convolution]
  private let hidden, output: Dense
  private let normalisations: [BatchNormalisation]

  /// A network for 28 × 28 pixels with drawn weights.
  public init(_ recipe: Recipe, using stream: inout RandomStream) {
    self.recipe = recipe
    // Where a layer is normalised, the activation comes after that.
    let inner = recipe.normalises ? Activation.identity : recipe.activation
    var (channels, side) = (1, 28)
    var convolutions: [Convolution] = []
    for block in recipe.blocks {
      convolutions.append(
        Convolution(
          channels: channels, filters: block.filters, kernel: block.kernel, activation: inner,
          initialiser: recipe.initialiser, using: &stream))
      channels = block.filters
      side = (side - block.kernel + 1) / (block.pools ? 2 : 1)
    }
    self.convolutions = convolutions
    hidden = Dense(
      inputs: channels * side * side, outputs: recipe.hidden, activation: inner,
      initialiser: recipe.initialiser, using: &stream)
    let isStray = recipe.hasStrayReLU && !recipe.normalises
    output = Dense(
      inputs: recipe.hidden, outputs: ImageSet.classCount, activation: isStray ? .relu : .identity,
      initialiser: recipe.initialiser, using: &stream)
    var features = recipe.normalises ? recipe.blocks.map(\.filters) + [recipe.hidden] : []
    if recipe.normalisesLogits { features.append(ImageSet.classCount) }
    normalisations = features.enumerated().map { index, features in
      BatchNormalisation(
        features: features,
        activation: index <= recipe.blocks.count && recipe.normalises
          ? recipe.activation : .identity)
    }
  }

  /// The logits of images `[1, n, 28, 28]`, scaled to mean 0 and deviation 1 over the data set.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    var x = standardised(images, mean: ImageSet.mean, deviation: ImageSet.deviation)
    for (index, convolution) in convolutions.enumerated() {
      if phase.isTraining && recipe.noise > 0 {
        x = gaussianNoise(x, deviation: recipe.noise, using: &noise)
      }
      x = convolution(x)
      // The largest of rectified numbers is the largest, rectified: pooling first is less work.
      if recipe.blocks[index].pools { x = maximumPool(x).what }
      if recipe.normalises { x = normalisations[index](x, phase) }
      // Behind the normalisation, whose running variance would else count what is dropped
      // (Li, Chen, Hu & Yang 2018); where there is none, pooling and dropout may change places.
      if phase.isTraining && recipe.channelKeep < 1 && index == convolutions.count - 1 {
        x = channelDropout(x, keep: recipe.channelKeep, using: &noise)
      }
    }
    x = hidden(flatten(x))
    if recipe.normalises { x = normalisations[convolutions.count](x, phase) }
    if phase.isTraining && recipe.keep < 1 { x = dropout(x, keep: recipe.keep, using: &noise) }
    x = output(x)
    return recipe.normalisesLogits ? normalisations.last!(x, phase) : x
  }
}
