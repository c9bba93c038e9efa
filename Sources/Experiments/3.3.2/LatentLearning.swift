import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// M1, which learns from all images without a label, once for all draws; and variants of it.
package struct LatentLearning: Sendable {
  /// Where the weights start, and what the divergence counts for.
  package enum Kind: String, CaseIterable, Sendable {
    /// From weights of deviation 0.001, from which the authors' M2 starts.
    case small
    /// From the weights of He and others.
    case spread
    /// From the same; the divergence counts nothing at first, and whole after a third of the epochs.
    case warmed
    /// From the same; the divergence counts as many times as there are pixels, which is what it comes
    /// to when the other part of the loss is averaged over the pixels where it should be their sum.
    case averaged

    fileprivate var plan: VariationalAutoencoder.Plan {
      var plan = VariationalAutoencoder.Plan()
      if self != .small { plan.initialiser = .he }
      switch self {
      case .averaged: plan.divergenceWeight = .constant(Double(ImageSet.pixelsPerImage))
      case .warmed:
        let end = Double(LatentLearning.epochs) / 3
        plan.divergenceWeight = Schedule(in: .epochs) { min(1, Double($0) / end) }
      case .small, .spread: break
      }
      return plan
    }
  }

  /// How often each image is seen.
  package static let epochs = 40
  /// The rate of Adam, which falls to 0 over the last third, and the images of a batch.
  package static let (rate, batchSize) = (0.001, 100)

  /// A model, and what it makes of images.
  private struct Learnt: Codable, Sendable {
    let weights: ModuleWeights
    let look: LatentLook
  }

  private let stages: [Kind: SharedStage<Learnt>]
  private let images: UnlabelledImages

  /// Stages that learn from the images of a set, and from none of its labels.
  package init(_ page: Page, _ set: ImageSet) {
    let (seed, isQuick) = (page.seed, page.isQuick)
    let images = set.withoutLabels(Array(0..<(isQuick ? 500 : set.count)))
    self.images = images
    stages = Dictionary(
      uniqueKeysWithValues: Kind.allCases.map { kind in
        let stage = SharedStage(page, Self.name("M1", kind)) { flag in
          try Self.learn(kind, images, seed: seed, isQuick: isQuick, flag)
        }
        return (kind, stage)
      })
  }

  private static func name(_ work: String, _ kind: Kind) -> String {
    "\(work), \(kind.rawValue): \(epochs) epochs, Adam at \(rate), batches of \(batchSize)"
  }

  private static func model(_ kind: Kind, seed: UInt64) -> VariationalAutoencoder {
    var stream = RandomStream(seed: seed, "3.3.2", "M1")
    return VariationalAutoencoder(kind.plan, using: &stream)
  }

  // snippet.learning
  /// Trains one model; all kinds share the orders and the noise.
  private static func learn(
    _ kind: Kind, _ images: UnlabelledImages, seed: UInt64, isQuick: Bool, _ flag: SideBySide.Flag
  ) throws -> Learnt {
    let model = model(kind, seed: seed)
    let batches = UnlabelledBatches(of: images, size: batchSize, seed: seed, name: "3.3.2/M1")
    let steps = epochs * batches.stepsPerEpoch
    var training = Training(
      model, batches, Adam(), rate: .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps),
      seed: seed, name: "3.3.2/M1")
    var look = LatentLook()
    for epoch in 1...epochs {
      while training.moment.epoch < epoch {
        try flag.check()
        try training.takeCheckedStep(of: "The variational auto-encoder M1")
      }
      look.losses.append(training.epochLoss)
      if isQuick { break }
    }
    look.measure(model, images, seed: seed)
    return Learnt(weights: ModuleWeights(of: model.parameters), look: look)
  }
  // snippet.end

  /// What the models make of images.
  package func looks(_ page: Page) throws -> [Kind: LatentLook] {
    let kinds = Kind.allCases
    let looks = try Round(page, "M1").run(kinds.map { Self.name("look", $0) }, tolerance: 5) {
      index, flag in try stages[kinds[index]]!(flag).look
    }
    return Dictionary(uniqueKeysWithValues: zip(kinds, looks))
  }

  /// The latent variables of a model that tell images apart.
  fileprivate func features(
    _ kind: Kind, _ seed: UInt64, _ flag: SideBySide.Flag
  ) throws -> FrozenFeatures {
    let model = Self.model(kind, seed: seed)
    try stages[kind]!(flag).weights.put(into: model.parameters)
    let units = LatentLook.units(of: model, images)
    // All of them where a model has learnt next to nothing, as in a quick run.
    return FrozenFeatures(of: model, units: units.isEmpty ? nil : units)
  }
}

/// What one of the models tells of an image, to be read by others.
package struct LatentCode: Sendable {
  private let learning: LatentLearning
  /// The model.
  package let kind: LatentLearning.Kind

  /// The code of a model.
  package init(_ learning: LatentLearning, _ kind: LatentLearning.Kind) {
    (self.learning, self.kind) = (learning, kind)
  }

  /// The latent variables that tell images apart.
  func features(_ task: Study.Task) throws -> FrozenFeatures {
    try learning.features(kind, task.seed, task.flag)
  }
}
