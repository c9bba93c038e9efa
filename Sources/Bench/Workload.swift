import Digits
import Gradients
import Methods
import Networks
import Tensors

/// A piece of work that is measured: what it is called, what a unit of it is, and how to do one.
public struct Workload: Sendable {
  /// Its name: `kit-cnn`.
  public let name: String
  /// What it does, in a few words.
  public let summary: String
  /// Floating-point operations of a unit that the result needs: two a multiply-add of a layer.
  let operations: Double
  /// Prepares the work; nil for work that is a whole process.
  let prepare: (@Sendable (MNIST) -> Prepared)?

  /// Work that is ready to be done.
  struct Prepared {
    /// Does a unit of it.
    let unit: () -> Void
    /// What times its optimiser, where it has one alone.
    var update: UpdateWatch?
  }

  /// All of them, in the order of the table.
  public static let all = [
    sampleNetwork, perceptron, kitNetwork, vgg, ladder, fixMatch, inference, augmentation, start,
  ]

  /// The share of a peak, 0…1, that so many units a second are; nil where no operations are counted.
  ///
  /// - Parameter peak: in billions of floating-point operations a second.
  func share(of peak: Double, at rate: Double) -> Double? {
    operations > 0 && peak > 0 ? operations * rate / (peak * 1e9) : nil
  }

  /// Multiply-adds of an image in each layer, first to last.
  private static func operations(
    _ layers: [Double], images: Int, isTraining: Bool = true
  ) -> Double {
    // Forward, the weights' gradient and, but for the first layer, the input's.
    let all = layers.reduce(0, +)
    return 2 * Double(images) * (isTraining ? 3 * all - layers[0] : all)
  }

  private static func dense(_ sizes: [Int]) -> [Double] {
    zip(sizes, sizes.dropFirst()).map { Double($0 * $1) }
  }

  /// The images of whole batches: each step is then of the same size, and asks for no new memory.
  private static func whole(_ set: ImageSet, _ batch: Int) -> Range<Int> {
    0..<set.count / batch * batch
  }

  /// Steps of training on labelled images in shuffled order.
  private static func training(
    _ data: MNIST, _ name: String, batch: Int, _ rule: some Optimiser, rate: Double,
    _ network: (inout RandomStream) -> some Classifier
  ) -> Prepared {
    var start = RandomStream(seed: 2016, "bench", name)
    let watch = UpdateWatch()
    var training = Training(
      of: network(&start), on: data.train, Array(whole(data.train, batch)), Watched(rule, watch),
      rate: .constant(rate), batchSize: batch, seed: 2016, name: "bench/\(name)")
    return Prepared(unit: { training.takeStep() }, update: watch)
  }

  private static let sampleNetwork = Workload(
    name: "sample-cnn", summary: "the sample code's network, batch 64, momentum, training",
    operations: operations([576 * 250, 64 * 5000, 320 * 50, 500], images: 64)
  ) { data in
    training(data, "sample-cnn", batch: 64, Momentum(momentum: 0.5), rate: 0.01) {
      SampleNetwork(using: &$0)
    }
  }

  private static let perceptron = Workload(
    name: "mlp-1200", summary: "784-1200-1200-10, batch 128, momentum, training",
    operations: operations(dense([784, 1200, 1200, 10]), images: 128)
  ) { data in
    training(data, "mlp-1200", batch: 128, Momentum(momentum: 0.9), rate: 0.1) {
      Perceptron(.init([784, 1200, 1200, 10]), using: &$0)
    }
  }

  private static let kitLayers: [Double] = [
    576 * 32 * 25, 100 * 64 * 288, 64 * 64 * 576, 4 * 128 * 576, 512 * 100, 1000,
  ]

  /// The kit's final network, as its authors give it.
  private static let kit: Recipe = {
    var recipe = SupervisedRecipe.chosen
    (recipe.noise, recipe.normalisesLogits) = (0, true)
    return recipe
  }()

  private static let kitNetwork = Workload(
    name: "kit-cnn", summary: "the kit's final network, batch 100, Adam, training",
    operations: operations(kitLayers, images: 100)
  ) { data in
    training(data, "kit-cnn", batch: 100, Adam(), rate: 1e-3) {
      ConvolutionalClassifier(kit, using: &$0)
    }
  }

  private static let vgg = Workload(
    name: "vgg-small", summary: "six 3×3 convolutions with BN, batch 128, momentum, training",
    operations: operations(
      [
        784 * 144, 784 * 16 * 144, 196 * 32 * 144, 196 * 32 * 288, 49 * 64 * 288, 49 * 64 * 576,
        64 * 49 * 10,
      ], images: 128)
  ) { data in
    training(data, "vgg-small", batch: 128, Momentum(momentum: 0.9), rate: 0.05) {
      SmallVGG(using: &$0)
    }
  }

  private static let ladder = Workload(
    name: "ladder-mlp", summary: "a ladder's encoder, clean and noisy, batch 100 + 100, Adam",
    operations: 2 * operations(dense(LadderEncoder.sizes), images: 200)
  ) { data in
    var start = RandomStream(seed: 2016, "bench", "ladder-mlp")
    let images = whole(data.train, 200)
    let half = images.count / 2
    let labelled = LabelledBatches(
      of: data.train, Array(images.prefix(half)), size: 100, seed: 2016, name: "bench/ladder-mlp")
    let others = UnlabelledBatches(
      of: data.train.withoutLabels(Array(images.dropFirst(half))), size: 100, seed: 2016,
      name: "bench/ladder-mlp")
    let watch = UpdateWatch()
    var training = Training(
      LadderEncoder(using: &start), PairedBatches(labelled, others), Watched(Adam(), watch),
      rate: .constant(1e-3), seed: 2016, name: "bench/ladder-mlp")
    return Prepared(unit: { training.takeStep() }, update: watch)
  }

  /// What images undergo that are changed strongly.
  private static let strong = Augmentation(
    rotation: 25, shift: 3, scale: 0.15, shear: 0.26, elastic: ElasticDistortion())

  private static let fixMatch = Workload(
    name: "fixmatch",
    summary: "the kit's network, 50 labelled + 150 others, a teacher, Adam, average of weights",
    operations: operations(kitLayers, images: 150, isTraining: false)
      + operations(kitLayers, images: 200)
  ) { data in
    var start = RandomStream(seed: 2016, "bench", "fixmatch")
    let network = ConvolutionalClassifier(kit, using: &start)
    let teacher = ParameterAverage(of: network, decay: 0.999)
    let images = whole(data.train, 200)
    let quarter = images.count / 4
    let labelled = LabelledBatches(
      of: data.train, Array(images.prefix(quarter)), size: 50, seed: 2016, name: "bench/fixmatch",
      change: { strong($0, using: &$1) })
    let others = UnlabelledBatches(
      of: data.train.withoutLabels(Array(images.dropFirst(quarter))), size: 150, seed: 2016,
      name: "bench/fixmatch")
    var training = Training(
      FixMatch(
        student: network, teacher: teacher, light: Augmentation(rotation: 5, shift: 1),
        strong: strong),
      PairedBatches(labelled, others), Adam(), rate: .constant(1e-3), averages: [teacher],
      seed: 2016, name: "bench/fixmatch")
    return Prepared(unit: { training.takeStep() })
  }

  private static let inference = Workload(
    name: "infer", summary: "the kit's network over the 10,000 test images",
    operations: operations(kitLayers, images: 10_000, isTraining: false)
  ) { data in
    var start = RandomStream(seed: 2016, "bench", "infer")
    let network = ConvolutionalClassifier(kit, using: &start)
    let indices = Array(0..<data.test.count)
    return Prepared(unit: { _ = network.evaluate(data.test, indices) })
  }

  private static let augmentation = Workload(
    name: "augment",
    summary: "rotation, shift, scale, shear and elastic distortion of a batch of 128",
    operations: 0
  ) { data in
    var stream = RandomStream(seed: 2016, "bench", "augment", "draws")
    var batches = LabelledBatches(
      of: data.train, Array(whole(data.train, 128)), size: 128, seed: 2016, name: "bench/augment",
      change: { strong($0, using: &$1) })
    return Prepared(unit: { _ = batches.next(using: &stream) })
  }

  private static let start = Workload(
    name: "start", summary: "a process from its start to the end of chapter 3.1's first epoch",
    operations: 0, prepare: nil)

  /// What the process of `start` does once the data is there: an epoch of 3,000 images.
  public static func runFirstEpoch(_ data: MNIST) throws {
    var start = RandomStream(seed: 2016, "bench", "start")
    var training = Training(
      of: SampleNetwork(using: &start), on: data.train, try Split.kit(data.train.labels).labelled,
      Momentum(momentum: 0.5), rate: .constant(0.01), batchSize: 64, seed: 2016, name: "start")
    try training.runEpoch()
  }
}
