import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Layers that are pretrained on all images without a label, once for all draws of labels.
package struct StackPretraining: Sendable {
  /// How long each layer is trained.
  package static let epochs = 10
  /// The rate of Adam, and the examples of a batch.
  package static let (rate, batchSize) = (0.001, 100)
  /// The pixels, and the three layers of SDAE-3.
  package static let sizes = [ImageSet.pixelsPerImage, 1000, 1000, 1000]
  /// The masking noise of the stack: what the paper chose for the whole of MNIST.
  package static let masking: Float = 0.25
  /// The levels of noise whose first layers are looked at.
  ///
  /// Of 0 and the paper's all three layers are trained, which takes the longest.
  package static let levels: [Float] = [0.1, 0.5, 0, masking]

  /// The layers, and what the first of them makes of images.
  private struct Learnt: Codable, Sendable {
    let weights: ModuleWeights
    let look: LayerLook
  }

  private let stages: [Float: SharedStage<Learnt>]

  /// Stages that learn from the images of a set, and from none of its labels.
  package init(_ page: Page, _ set: ImageSet) {
    let (seed, isQuick) = (page.seed, page.isQuick)
    let images = set.withoutLabels(Array(0..<(isQuick ? 500 : set.count)))
    stages = Dictionary(
      uniqueKeysWithValues: Self.levels.map { level in
        let count = level == 0 || level == Self.masking ? Self.sizes.count : 2
        let sizes = Array(Self.sizes.prefix(count))
        let stage = SharedStage(page, Self.name("pretraining", level)) { flag in
          try Self.learn(sizes, masking: level, images, seed: seed, isQuick: isQuick, flag)
        }
        return (level, stage)
      })
  }

  private static func name(_ work: String, _ level: Float) -> String {
    "\(work), masking noise \(level): \(epochs) epochs a layer, Adam at \(rate), batches of "
      + "\(batchSize)"
  }

  /// Trains one layer after the other.
  ///
  /// The levels share first weights, orders and uniform numbers.
  private static func learn(
    _ sizes: [Int], masking: Float, _ images: UnlabelledImages, seed: UInt64, isQuick: Bool,
    _ flag: SideBySide.Flag
  ) throws -> Learnt {
    // A stream apart, since a stack of one layer draws fewer numbers than one of three.
    var replaced = RandomStream(seed: seed, "3.3.8", "replaced")
    let network = StackedAutoencoder(sizes, using: &replaced)
    var stream = RandomStream(seed: seed, "3.3.8", "pretraining")
    var look = LayerLook()
    // snippet.layers
    try network.pretrain(masking: masking, using: &stream) { layer, index, change in
      let name = "3.3.8/layer \(index)"
      var training = Training(
        layer,
        UnlabelledBatches(
          of: images, size: batchSize, seed: seed, name: name, change: change),
        Adam(), rate: .constant(rate), seed: seed, name: name)
      for epoch in 1...epochs {
        while training.moment.epoch < epoch {
          try flag.check()
          try training.takeCheckedStep(of: "Layer \(index + 1) of the denoising auto-encoder")
        }
        look.losses[index].append(training.epochLoss)
        if isQuick { break }
      }
      if index == 0 { look.measure(layer, images, seed: seed) }
    }
    // snippet.end
    return Learnt(weights: ModuleWeights(of: hidden(network)), look: look)
  }

  private static func hidden(_ network: StackedAutoencoder) -> [Parameter] {
    network.layers.flatMap(\.parameters)
  }

  /// What the first layers make of images, by the level of noise.
  package func looks(_ page: Page) throws -> [Float: LayerLook] {
    let levels = Self.levels
    let looks = try Round(page, "first layers").run(
      levels.map { Self.name("first layer", $0) }, tolerance: 5
    ) { index, flag in
      try stages[levels[index]]!(flag).look
    }
    return Dictionary(uniqueKeysWithValues: zip(levels, looks))
  }

  /// Puts what was learnt with a level of noise into the hidden layers of a network.
  func start(_ network: StackedAutoencoder, masking: Float, _ flag: SideBySide.Flag) throws {
    try stages[masking]!(flag).weights.put(into: Self.hidden(network))
  }
}
