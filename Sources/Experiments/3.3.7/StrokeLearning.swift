import Digits
import Files
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Sparse auto-encoders that learn from images without labels, once for all draws.
package struct StrokeLearning: Sendable {
  /// What is asked of the hidden units.
  package enum Demand: String, CaseIterable, Sendable {
    /// λ a hundred times as large as it should be.
    case heavy
    /// β = 0: nothing is asked of the units' activity.
    case dense
    /// The plan of the course.
    case sparse

    /// The plan of the auto-encoder.
    package var plan: SparseAutoencoder.Plan {
      var plan = SparseAutoencoder.Plan()
      switch self {
      case .heavy: plan.decay *= 100
      case .dense: plan.sparsityWeight = 0
      case .sparse: break
      }
      return plan
    }
  }

  /// Images that are learnt from, and the most steps of L-BFGS.
  package static let (imageCount, steps) = (10_000, 400)

  private struct Learnt: Codable, Sendable {
    let weights: ModuleWeights
    let look: StrokeLook
  }

  private let stages: [Demand: SharedStage<Learnt>]

  /// Stages that learn from a sample of the images of a set, and from none of its labels.
  package init(_ page: Page, _ set: ImageSet) {
    let (seed, isQuick) = (page.seed, page.isQuick)
    var stream = RandomStream(seed: seed, "3.3.7", "sample")
    let sample = stream.permutation(set.count).prefix(isQuick ? 200 : Self.imageCount)
    let images = set.withoutLabels(Array(sample))
    stages = Dictionary(
      uniqueKeysWithValues: Demand.allCases.map { demand in
        let stage = SharedStage(page, Self.name("auto-encoder", demand)) { flag in
          try Self.learn(demand, images, seed: seed, steps: isQuick ? 5 : Self.steps, flag)
        }
        return (demand, stage)
      })
  }

  private static func name(_ work: String, _ demand: Demand) -> String {
    let plan = demand.plan
    return
      "\(work), \(demand.rawValue): \(plan.hidden) units, ρ \(plan.sparsity), λ \(plan.decay), "
      + "β \(plan.sparsityWeight), \(steps) steps on \(imageCount) images"
  }

  // snippet.learning
  /// Minimises the loss of all images at once, from the same first weights for each demand.
  private static func learn(
    _ demand: Demand, _ images: UnlabelledImages, seed: UInt64, steps: Int,
    _ flag: SideBySide.Flag
  ) throws -> Learnt {
    var stream = RandomStream(seed: seed, "3.3.7", "weights")
    let method = SparseAutoencoder(demand.plan, using: &stream)
    let batch = images(0..<images.count)
    let result = try minimise(method, batch, steps: steps) { try flag.check() }
    return Learnt(
      weights: ModuleWeights(of: method.parameters),
      look: StrokeLook(method, batch, result))
  }
  // snippet.end

  /// Minimises the loss of a batch, of rows or of images.
  ///
  /// A point that lies too far may have no loss; a nearer one is tried then.
  /// - Throws: `LabError` of kind `.failed` where no point with a loss was found; what `check` throws.
  package static func minimise(
    _ method: SparseAutoencoder, _ batch: Tensor, steps: Int, check: () throws -> Void
  ) throws -> LimitedMemoryBFGS.Result {
    var (evaluations, broken) = (0, String?.none)
    let result = try method.minimise(batch, steps: steps) { loss in
      try check()
      evaluations += 1
      let part = loss.parts.first { !$0.value.isFinite }.map {
        "evaluation \(evaluations) of its loss: the part “\($0.name)” is \($0.value)"
      }
      // The first that has none of those behind the last that has one.
      broken = part == nil ? nil : broken ?? part
    }
    if let broken {
      throw LabError(
        .failed,
        "The sparse auto-encoder broke in \(broken); look at what it was given.")
    }
    return result
  }

  /// What the units have become, by what was asked of them.
  package func looks(_ page: Page) throws -> [Demand: StrokeLook] {
    let demands = Demand.allCases
    let looks = try Round(page, "auto-encoders").run(
      demands.map { Self.name("look", $0) }, tolerance: 5
    ) { index, flag in
      try stages[demands[index]]!(flag).look
    }
    return Dictionary(uniqueKeysWithValues: zip(demands, looks))
  }

  /// The auto-encoder that was learnt under a demand.
  func method(_ demand: Demand, _ flag: SideBySide.Flag) throws -> SparseAutoencoder {
    var unused = RandomStream(seed: 0, "3.3.7", "replaced")
    let method = SparseAutoencoder(demand.plan, using: &unused)
    try stages[demand]!(flag).weights.put(into: method.parameters)
    return method
  }
}
