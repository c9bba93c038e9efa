import Digits
import Foundation
import Gradients
import Methods
import Notebook
import Tensors

/// What a ladder network's decoder has learnt, in a training of a third of the length.
package struct LadderLook: MeasuredResult, Sendable {
  /// The shares of a layer's units at which its weights are kept, in the order of their size.
  package static let shares = (0...20).map { Double($0) / 20 }

  /// Steps done at each point.
  package private(set) var steps: [Int] = []
  /// The denoising cost of each layer, by layer, then point.
  package private(set) var costs: [[Double]] = []
  /// What it would cost to guess the noisy layer itself, by layer.
  package private(set) var noises: [Double] = []
  /// What the best guess of each pixel from its noisy value alone would cost.
  package private(set) var alone = 0.0
  /// How much of the noisy unit the guess takes over, by layer: the units at `shares`.
  package private(set) var weights: [[Double]] = []
  /// The mean of that over the units, by layer.
  package private(set) var trust: [Double] = []
  /// Digits as they are, with noise, and as the decoder gives them back, a byte a pixel.
  private var digits = Data()

  /// The numbers: bytes of pictures are another list on another processor.
  package var measures: [[Double]] { costs + weights + [noises, trust, [alone]] }

  /// How many digits are kept.
  package static let pictureCount = 10

  /// Rows of digits: as they are, with noise, given back.
  package var pictures: [[Float]] {
    let size = ImageSet.pixelsPerImage
    return stride(from: 0, to: digits.count, by: size).map { start in
      digits[start..<start + size].map { Float($0) / 255 }
    }
  }

  /// Trains with a setting on a draw, and looks at validation images, none of whose labels it reads.
  package static func run(
    _ page: Page, _ data: MNIST, _ draw: LabelDraw, _ setting: LadderTraining.Setting
  ) throws -> LadderLook {
    let split = try draw.split(data.train, page)
    let (seed, id, isQuick) = (page.seed, page.id, page.isQuick)
    return try Round(page, "look").run(["look, \(draw.name): \(setting)"], tolerance: 0.2) {
      _, flag in
      let others = isQuick ? Array(split.withoutLabels.prefix(2000)) : split.withoutLabels
      let task = Study.Task(
        set: data.train, labelled: split.labelled,
        unlabelled: data.train.withoutLabels(others), seed: seed, streams: "\(id)/\(draw.name)",
        flag: flag, share: 1.0 / 3, points: isQuick ? 1 : 12, isQuick: isQuick)
      let images = data.train.withoutLabels(split.validation)(0..<min(1000, split.validation.count))
      var look = LadderLook()
      try LadderTraining.train(setting, task) { step, network in
        look.steps.append(step)
        look.measure(network, images, seed: seed)
      }
      return look
    }[0]
  }

  private mutating func measure(_ network: LadderNetwork, _ images: Tensor, seed: UInt64) {
    let tape = Tape(recording: false)
    var noise = RandomStream(seed: seed, "3.3.1", "look")
    let x = flatten(tape.constant(images))
    let passes = network.encode([(x, true), (x, false)], using: &noise)
    let guesses = network.guesses(passes[0], clean: passes[1])
    if costs.isEmpty { costs = network.plan.sizes.map { _ in [] } }
    (weights, trust) = (costs.map { _ in [] }, costs.map { _ in 0 })
    noises = zip(passes[0].z, passes[1].z).map {
      Double(($0.value - $1.value).sumOfSquares()) / Double($1.value.count)
    }
    // υσ² of each pixel, with the variance that it has over the images.
    let variances = x.value.moments().variance.values.map(Double.init)
    let σ2 = Double(network.plan.pixelNoise * network.plan.pixelNoise)
    alone = Spread(variances.map { $0 / ($0 + σ2) * σ2 }).mean
    for guess in guesses {
      let (l, target) = (guess.layer, passes[1].z[guess.layer].value)
      costs[l].append(Double((guess.z.value - target).sumOfSquares()) / Double(target.count))
      let υ = network.combinators[l - network.lowest].bent(guess.above).weight.value
      // The guess is divided by the clean deviation before it is compared; a pixel's is not.
      let spreads = passes[1].moments[l].map { $0.variance.value.values.map(Double.init) }
      let means = υ.moments().mean.values.map(Double.init)
      let own = means.indices.map { means[$0] / ((spreads?[$0] ?? 1) + 1e-5).squareRoot() }
        .sorted()
      weights[l] = Self.shares.map { own[Int(($0 * Double(own.count - 1)).rounded())] }
      trust[l] = Spread(own).mean
    }
    let bottom = guesses.last!
    guard bottom.layer == 0 else { return }
    let rows = 0..<Self.pictureCount
    digits = Data(
      [x.value, passes[0].z[0].value, bottom.z.value].flatMap { images in
        images.rows(rows).values.map { UInt8((255 * min(1, max(0, $0))).rounded()) }
      })
  }
}
