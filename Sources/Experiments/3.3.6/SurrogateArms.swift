import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Readers of digits on features that were learnt without labels, and what they are held against.
package enum SurrogateArms {
  /// What the reader is.
  package enum Kind: String, CaseIterable, Sendable {
    /// A linear machine on the pixels as they are.
    case pixels
    /// The same on the network's features before it has learnt.
    case untrained
    /// The same on the code of patches of chapter 2.3.2, with as many numbers.
    case patches
    /// The same on the features of the network that learnt surrogate classes.
    case surrogate
    /// The network itself, from labels alone.
    case supervised
    /// The same from changed copies of the labelled images.
    case changed

    /// Whether it is a network that learns from labels by steps.
    package var isNetwork: Bool { self == .supervised || self == .changed }
  }

  /// The costs C of the linear machine, a decade apart.
  package static let costs = [1e-4, 1e-3, 0.01, 0.1, 1, 10]
  /// As many steps for 1,000 labels as for 3,000, where a unit is an epoch or less.
  package static let (units, stepsPerUnit) = (24, 25)

  private struct Setting: CustomStringConvertible, Sendable {
    let value: Double
    let description: String
  }

  /// An arm for each kind, in the order of the kinds.
  ///
  /// - Parameters:
  ///   - best: what the network of `surrogate` learnt.
  ///   - rate: the rate that it learnt at.
  package static func arms(
    _ page: Page, _ set: ImageSet, _ networks: SurrogateNetworks, best: Pretext, rate: Double
  ) -> [Study.Arm] {
    func table(_ pretext: Pretext) -> FeatureTable {
      FeatureTable { images, flag in try networks.network(pretext, flag).features(images) }
    }
    func arm(_ kind: Kind) -> Study.Arm {
      switch kind {
      case .pixels:
        linear(kind, "pixels") { images, indices, _ in
          images.images(indices).flattenedImages()
        }
      case .untrained: linear(kind, "random weights", table(.untrained).callAsFunction)
      case .surrogate: linear(kind, "\(best.key) at rate \(rate)", table(best).callAsFunction)
      case .patches:
        linear(
          kind, "\(PatchDictionary.centroids) centroids",
          PatchDictionary.table(page, set).callAsFunction)
      case .supervised, .changed: labelled(kind)
      }
    }
    return Kind.allCases.map(arm)
  }

  /// The network itself, over the grid of rates.
  private static func labelled(_ kind: Kind) -> Study.Arm {
    let settings = SurrogateLearning.rates.map {
      Setting(value: $0, description: "rate \($0), \(units) × \(stepsPerUnit) steps")
    }
    return Study.Arm(kind.rawValue, settings, isGrid: true) { setting, task, show in
      var change: ImageChange?
      if kind == .changed { change = { SurrogateBatches.change($0, &$1) } }
      try train(setting.value, change: change, task, show)
    }
  }

  /// Linear machines on features that are computed once for all draws.
  private static func linear(
    _ kind: Kind, _ words: String,
    _ features: @escaping @Sendable (ImageSet, [Int], SideBySide.Flag) throws -> Tensor
  ) -> Study.Arm {
    let settings = costs.map { Setting(value: $0, description: "\(words), C \($0)") }
    return Study.Arm(kind.rawValue, settings, isGrid: true) { setting, task, show in
      let machine = try LinearReader(
        features(task.set, task.labelled, task.flag), labels: task.set.labels(task.labelled),
        cost: setting.value, isScaled: kind != .pixels)
      try show(1) { set, indices in machine(try features(set, indices, task.flag)) }
    }
  }

  // snippet.supervised
  /// The same network with ten outputs, from its first weights, by the labels of the draw alone.
  private static func train(
    _ rate: Double, change: ImageChange?, _ task: Study.Task,
    _ show: (_ step: Int, Study.Reader) throws -> Void
  ) throws {
    let (units, stepsPerUnit) = (task.epochs(units), task.isQuick ? 1 : stepsPerUnit)
    let steps = units * stepsPerUnit
    var stream = RandomStream(seed: task.seed, task.streams, "weights")
    let network = ExemplarNetwork(classes: ImageSet.classCount, using: &stream)
    var training = Training(
      of: network, on: task.set, task.labelled, Adam(),
      rate: .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps),
      batchSize: task.isQuick ? 20 : SurrogateLearning.batchSize, seed: task.seed,
      name: task.streams, change: change)
    for unit in 1...units {
      for _ in 0..<stepsPerUnit {
        try task.flag.check()
        try training.takeCheckedStep(of: "The network on labels alone")
      }
      if task.isPoint(unit, of: units) {
        try show(unit * stepsPerUnit, Study.reader(of: network, task.flag))
      }
    }
  }
  // snippet.end
}

/// The dictionary of chapter 2.3.2 with the constants that were chosen there: contrast 0.1, none of
/// the whitening, nothing learnt from flat patches.
private enum PatchDictionary {
  /// Four sums each make as many numbers as the network's features.
  static let centroids = 160
  private static let (patchCount, iterations) = (100_000, 15)

  /// Codes of images by a dictionary that is learnt from all images of a set, without labels.
  static func table(_ page: Page, _ set: ImageSet) -> FeatureTable {
    let (seed, isQuick) = (page.seed, page.isQuick)
    let patches = Patches(side: 6, contrast: 0.1)
    let stage = SharedStage(
      page, "dictionary: \(centroids) centroids of \(patchCount) patches, \(iterations) iterations"
    ) { flag in
      try flag.check()
      var stream = RandomStream(seed: seed, "3.3.6", "patches")
      let sample = patches.sample(
        isQuick ? 2000 : patchCount, from: set, Array(0..<set.count), leastVariance: 0.001,
        using: &stream
      ).patches
      return try KMeans(
        sample, clusters: centroids, iterations: isQuick ? 2 : iterations, using: &stream
      ).centroids.values
    }
    let d = patches.size
    let one = Tensor([d, d], (0..<d * d).map { $0 / d == $0 % d ? 1 : 0 })
    let plain = Whitening(mean: Tensor(repeating: 0, [d]), matrix: one, inverse: one, variances: [])
    return FeatureTable { images, flag in
      let encoder = PatchEncoder(
        patches: patches, whitening: plain,
        centroids: Tensor([centroids, d], try stage(flag)))
      return encoder.features(images, [.triangle])[0]
    }
  }
}
