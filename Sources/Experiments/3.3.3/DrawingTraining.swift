import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Small what-where auto-encoders that only draw, with more and more poolings, told the where or not.
package enum DrawingTraining {
  /// A network to be trained.
  package struct Job: Hashable, Sendable {
    /// How many of its three convolutions are followed by a pooling.
    package let poolings: Int
    /// Whether the decoder is told where each largest stood.
    package let knowsWhere: Bool

    /// A network with so many poolings.
    package init(poolings: Int, knowsWhere: Bool) {
      (self.poolings, self.knowsWhere) = (poolings, knowsWhere)
    }

    fileprivate var name: String {
      "drawings, \(poolings) poolings, \(knowsWhere ? "told" : "not told") the where: "
        + "\(steps) steps of \(batchSize) images, rate \(rate)"
    }
  }

  /// What a trained network makes of images that it has not seen; errors in percent of the squares
  /// of an image's ink.
  package struct Outcome: MeasuredResult, Sendable {
    /// Of the drawings, against their images.
    package fileprivate(set) var error = 0.0
    /// Of drawings of an image's what at the next one's where, against the one that gave the what.
    package fileprivate(set) var errorByWhat = 0.0
    /// The same drawings, against the one that gave the where.
    package fileprivate(set) var errorByWhere = 0.0
    /// Some drawings, and some at the where of another, a byte a pixel.
    fileprivate var own = Data()
    fileprivate var exchanged = Data()

    /// The errors: bytes of pictures are another list on another processor.
    package var measures: [[Double]] { [[error, errorByWhat, errorByWhere]] }
    /// A drawing of each digit.
    package var drawings: [[Float]] { DrawingTraining.pictures(own) }
    /// Each digit's what at the next digit's where.
    package var exchangedDrawings: [[Float]] { DrawingTraining.pictures(exchanged) }
  }

  /// The networks: one without a pooling, and each number of them with the where and without.
  package static let jobs =
    (1...3).flatMap { p in [true, false].map { Job(poolings: p, knowsWhere: $0) } }
    + [Job(poolings: 0, knowsWhere: true)]
  /// The length of a training.
  package static let (steps, batchSize, rate) = (1000, 64, 0.001)
  /// Images of the training set that the networks learn from, and those that they have not seen.
  private static let (learnt, unseen) = (0..<50_000, 50_000..<51_000)

  // snippet.network
  /// (16)5c-(32)3c-(32)3c, where the first convolutions are pooled.
  private static func plan(_ job: Job) -> WhatWhereAutoencoder.Plan {
    var plan = WhatWhereAutoencoder.Plan()
    plan.blocks = [(16, 5), (32, 3), (32, 3)].enumerated().map { index, block in
      .init(filters: block.0, kernel: block.1, pools: index < job.poolings)
    }
    (plan.reconstruction, plan.middle) = (1, 0)
    plan.knowsWhere = job.knowsWhere
    return plan
  }
  // snippet.end

  /// What the trained networks draw; no label is looked at.
  package static func run(_ page: Page, _ set: ImageSet) throws -> [Job: Outcome] {
    let (seed, isQuick) = (page.seed, page.isQuick)
    let outcomes = try Round(page, "drawings").run(jobs.map(\.name), tolerance: 2) { index, flag in
      try outcome(jobs[index], set, seed: seed, isQuick: isQuick, flag)
    }
    return Dictionary(uniqueKeysWithValues: zip(jobs, outcomes))
  }

  private static func outcome(
    _ job: Job, _ set: ImageSet, seed: UInt64, isQuick: Bool, _ flag: SideBySide.Flag
  ) throws -> Outcome {
    var stream = RandomStream(seed: seed, "3.3.3", "drawing weights")
    let network = WhatWhereAutoencoder(plan(job), using: &stream)
    let steps = isQuick ? 3 : steps
    var training = Training(
      WhatWhereAutoencoder.Drawing(network),
      UnlabelledBatches(
        of: set.withoutLabels(Array(learnt)), size: isQuick ? 16 : batchSize, seed: seed,
        name: "3.3.3/drawings"),
      Adam(), rate: .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps), seed: seed,
      name: "3.3.3/drawings")
    for _ in 0..<steps {
      try flag.check()
      try training.takeCheckedStep(of: "A what-where auto-encoder that only draws")
    }
    return look(network, set, Array(isQuick ? unseen.prefix(50) : unseen))
  }

  private static func look(
    _ network: WhatWhereAutoencoder, _ set: ImageSet, _ indices: [Int]
  ) -> Outcome {
    var (ink, own, what, place) = (0.0, 0.0, 0.0, 0.0)
    for batch in indices.batches(of: 250) {
      let x = set.images(batch)
      // Each image's neighbour, the first one's for the last.
      let others = set.images(Array(batch.dropFirst()) + [batch.first!])
      let exchanged = network.reconstructed(x, whereOf: others)
      func squares(_ a: Tensor, _ b: Tensor) -> Double { Double((a - b).sumOfSquares()) }
      ink += Double(x.sumOfSquares())
      own += squares(network.reconstructed(x), x)
      what += squares(exchanged, x)
      place += squares(exchanged, others)
    }
    // The neighbours are the same images in another order, whose ink is the same.
    var outcome = Outcome(
      error: 100 * own / ink, errorByWhat: 100 * what / ink, errorByWhere: 100 * place / ink)
    let digits = examples(set)
    let next = Array(digits.dropFirst()) + [digits[0]]
    let x = set.images(digits)
    outcome.own = bytes(network.reconstructed(x))
    outcome.exchanged = bytes(network.reconstructed(x, whereOf: set.images(next)))
    return outcome
  }

  /// The first unseen image of each digit.
  private static func examples(_ set: ImageSet) -> [Int] {
    (0..<ImageSet.classCount).map { digit in
      unseen.first { set.labels([$0])[0] == digit }!
    }
  }

  /// These images, as they are.
  package static func originals(_ set: ImageSet) -> [[Float]] {
    pictures(bytes(set.images(examples(set))))
  }

  private static func bytes(_ images: Tensor) -> Data {
    Data(images.values.map { UInt8((255 * min(1, max(0, $0))).rounded()) })
  }

  private static func pictures(_ bytes: Data) -> [[Float]] {
    let size = ImageSet.pixelsPerImage
    return stride(from: 0, to: bytes.count, by: size).map { start in
      bytes[start..<start + size].map { Float($0) / 255 }
    }
  }
}
