import Digits
import Methods
import Tensors

/// Patch features of STL-10, judged by the data set's own protocol.
///
/// The images without labels give the dictionary of patches; each of the ten folds trains a linear
/// machine of its own on the codes of its images; the result is the mean of the ten accuracies on
/// test. The penalty of a machine is chosen inside its fold, part after part of it held out; test
/// images are read after that, and choose nothing. Source of the features and of their constants:
/// Coates, Ng & Lee 2011, and the code that its authors published.
public struct TenFolds: Sendable {
  /// What a run takes.
  public struct Settings: Sendable, Equatable {
    /// So many rows and columns of pixels become one by their mean: 3 makes 32 × 32 of 96 × 96, as
    /// the paper has it.
    public var shrinking = 3
    /// The rows and columns of a patch.
    public var patchSide = 6
    /// The constant in a patch's contrast, for pixels that run to 1.
    public var contrast: Float = 10 / 65_025
    /// What is added to the eigenvalues before whitening.
    public var epsilon = 0.1
    /// The patches that the dictionary is learnt from, and its centroids.
    public var (patches, centroids) = (400_000, 1600)
    /// The most iterations of K-means.
    public var iterations = 50
    /// The penalties C that are tried, from the smallest.
    public var costs = [1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.1]
    /// The parts of a fold, each of which is held out once.
    public var parts = 5
    /// The most test images that are read.
    public var testLimit = Int.max

    /// The paper's settings.
    public init() {}

    /// A small dictionary and the first thousand test images.
    public static var quick: Settings {
      var settings = Settings()
      (settings.patches, settings.centroids, settings.iterations) = (5000, 64, 10)
      (settings.costs, settings.parts, settings.testLimit) = ([1e-4, 1e-3, 0.01], 2, 1000)
      return settings
    }
  }

  /// What came of one fold, in percent.
  public struct Fold: Sendable, Equatable {
    /// The penalty that was chosen.
    public let cost: Double
    /// The accuracy on the held-out images of the fold at that penalty.
    public let heldOut: Double
    /// The accuracy on the test images.
    public let test: Double
  }

  /// What came of a run.
  public struct Outcome: Sendable, Equatable {
    /// The ten folds, in the order of their file.
    public let folds: [Fold]
    /// The test images that were read.
    public let testCount: Int

    /// The mean accuracy on test, in percent.
    public var mean: Double { folds.reduce(0) { $0 + $1.test } / Double(folds.count) }

    /// The sample deviation of the ten, divided by nine.
    public var deviation: Double {
      let squares = folds.reduce(0) { $0 + ($1.test - mean) * ($1.test - mean) }
      return (squares / Double(max(1, folds.count - 1))).squareRoot()
    }
  }

  /// Hears what is being done, and how far it is, 0…1.
  public typealias Progress = (_ part: String, _ fraction: Double) -> Void

  /// Images are read and coded so many at a time: 200 of them are 22 MB as they are read.
  private static let batch = 200

  private let data: STL10
  private let settings: Settings
  private let seed: UInt64

  /// A run on a data set.
  public init(_ data: STL10, _ settings: Settings, seed: UInt64) {
    (self.data, self.settings, self.seed) = (data, settings, seed)
  }

  /// Learns the dictionary, trains the ten machines and tests them.
  ///
  /// - Throws: `LabError` of kind `.input` when a file cannot be read any more;
  ///   `CancellationError`.
  public func run(_ progress: Progress = { _, _ in }) throws -> Outcome {
    let encoder = try learn(progress)
    let features = try train(encoder, progress)
    var machines: [FoldMachine] = []
    for (number, fold) in data.folds.enumerated() {
      progress("machines", Double(number) / Double(data.folds.count))
      machines.append(
        try FoldMachine(
          features, data.trainLabels, fold, settings.costs, parts: settings.parts,
          using: RandomStream(seed: seed, "stl10", "parts \(number)")))
    }
    let (right, count) = try test(encoder, machines, progress)
    return Outcome(
      folds: zip(machines, right).map { machine, right in
        Fold(
          cost: machine.cost, heldOut: machine.heldOut,
          test: 100 * Double(right) / Double(count))
      }, testCount: count)
  }

  // MARK: Parts

  /// The dictionary, from patches of images without labels.
  func learn(_ progress: Progress) throws -> ColourPatchEncoder {
    let patches = ColourPatches(
      side: settings.patchSide, of: ColourImages.side / settings.shrinking,
      contrast: settings.contrast)
    let (whitening, white) = try whitened(patches, progress)
    // In turns of a few iterations, so that it can tell how far it is.
    var stream = RandomStream(seed: seed, "stl10", "starts")
    progress("K-means", 0)
    var centroids = KMeans.plusPlus(white, clusters: settings.centroids, using: &stream)
    let turn = 5
    for start in stride(from: 0, to: settings.iterations, by: turn) {
      progress("K-means", Double(start) / Double(settings.iterations))
      let most = min(turn, settings.iterations - start)
      let means = try KMeans(white, from: centroids, iterations: most)
      centroids = means.centroids
      if means.costs.count < most { break }
    }
    return ColourPatchEncoder(patches: patches, whitening: whitening, centroids: centroids)
  }

  /// The map that whitens a sample of patches, and the whitened sample; the sample itself is given
  /// back before K-means begins.
  private func whitened(
    _ patches: ColourPatches, _ progress: Progress
  ) throws -> (Whitening, Tensor) {
    let sample = try sample(patches, progress)
    let whitening = Whitening(sample, epsilon: settings.epsilon)
    return (whitening, whitening(sample))
  }

  /// Patches from images without labels, as many of one as of another, image after image: the file
  /// is read once, from front to back.
  func sample(_ patches: ColourPatches, _ progress: Progress) throws -> Tensor {
    var order = RandomStream(seed: seed, "stl10", "images")
    var places = RandomStream(seed: seed, "stl10", "patches")
    let n = data.unlabelled.count
    var counts = [Int](repeating: settings.patches / n, count: n)
    for image in order.permutation(n).prefix(settings.patches % n) { counts[image] += 1 }
    let used = counts.indices.filter { counts[$0] > 0 }
    let sample = Tensor(uninitialized: [settings.patches, patches.size])
    var row = 0
    for images in used.batches(of: Self.batch) {
      try Task.checkCancellation()
      progress("patches", Double(row) / Double(settings.patches))
      let pixels = try data.unlabelled.batch(images, shrinkingBy: settings.shrinking)
      let drawn = patches.sample(pixels, counts: images.map { counts[$0] }, using: &places)
      (sample.freshPointer + row * patches.size).update(from: drawn.pointer, count: drawn.count)
      row += drawn.shape[0]
    }
    return sample
  }

  /// The features of all images to train on, `[n, 4k]`: most of them are in several folds.
  private func train(_ encoder: ColourPatchEncoder, _ progress: Progress) throws -> Tensor {
    let features = Tensor(uninitialized: [data.train.count, encoder.featureCount])
    for images in Array(0..<data.train.count).batches(of: Self.batch) {
      try Task.checkCancellation()
      progress("images to train on", Double(images[images.startIndex]) / Double(data.train.count))
      let rows = encoder.features(
        try data.train.batch(images, shrinkingBy: settings.shrinking))
      (features.freshPointer + images[images.startIndex] * encoder.featureCount)
        .update(from: rows.pointer, count: rows.count)
    }
    return features
  }

  /// How many test images each machine gets right, and how many there were.
  ///
  /// The features of a batch serve all machines, and are then forgotten.
  private func test(
    _ encoder: ColourPatchEncoder, _ machines: [FoldMachine], _ progress: Progress
  ) throws -> (right: [Int], count: Int) {
    let count = min(data.test.count, settings.testLimit)
    var right = [Int](repeating: 0, count: machines.count)
    for images in Array(0..<count).batches(of: Self.batch) {
      try Task.checkCancellation()
      progress("test images", Double(images[images.startIndex]) / Double(count))
      let features = encoder.features(
        try data.test.batch(images, shrinkingBy: settings.shrinking))
      let labels = images.map { data.testLabels[$0] }
      for (place, machine) in machines.enumerated() {
        right[place] += machine.correct(features, labels)
      }
    }
    return (right, count)
  }
}
