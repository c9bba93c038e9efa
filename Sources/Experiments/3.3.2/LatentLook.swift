import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What a variational auto-encoder makes of images that it learnt from.
package struct LatentLook: MeasuredResult, Sendable {
  /// The mean loss of an image over each epoch, in nats.
  package internal(set) var losses: [Double] = []
  /// The divergence of each latent variable, in the mean over images, the largest first; in nats.
  package private(set) var divergences: [Double] = []
  /// −ln p(x|z) of an image at a draw of z, in the mean, in nats.
  package private(set) var reconstruction = 0.0
  /// How many latent variables M2 is given.
  package private(set) var kept = 0
  /// Images, what is made of them and what is drawn from the prior, a byte a pixel.
  private var bytes = Data()

  /// The numbers: bytes of pictures are another list on another processor.
  package var measures: [[Double]] { [losses, divergences, [reconstruction, Double(kept)]] }

  /// How many images are shown, and how many are drawn.
  package static let (shown, drawn) = (10, 20)

  /// A latent variable is active when an image's divergence is at least so many nats in the mean.
  package static let threshold = 0.1

  /// The latent variables that are active.
  package var active: Int { divergences.count { $0 >= Self.threshold } }

  /// The bound of an image, in the mean, in nats.
  package var bound: Double { -reconstruction - divergences.reduce(0, +) }

  /// Pictures: the images, then what the means of their posteriors become, then draws.
  package var pictures: [[Float]] {
    let size = ImageSet.pixelsPerImage
    return stride(from: 0, to: bytes.count, by: size).map { start in
      bytes[start..<start + size].map { Float($0) / 255 }
    }
  }

  /// The latent variables whose posterior mean deviates by more than a tenth, by the first images.
  static func units(of model: VariationalAutoencoder, _ images: UnlabelledImages) -> [Int] {
    model.liveUnits(images(0..<min(1000, images.count)))
  }

  /// Looks at a model, on the first images.
  mutating func measure(
    _ model: VariationalAutoencoder, _ images: UnlabelledImages, seed: UInt64
  ) {
    var stream = RandomStream(seed: seed, "3.3.2", "look")
    let batches = Array(0..<min(10_000, images.count)).batches(of: 500)
    var sums = Tensor(repeating: 0, [model.plan.latent])
    for places in batches {
      let x = stream.binarised(images(places))
      let (mean, deviation) = model.posterior(x)
      sums += mean.zip(deviation) { μ, σ in
        (μ * μ + σ * σ - 1) * 0.5 - VectorMath.log(σ)
      }.sumOfRows().map { $0 * (1 / Float(places.count)) }
      // Ones and zeros stay what they are when they are drawn again.
      let loss = model.loss(
        x, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &stream)
      reconstruction += Double(loss.parts[0].value) / Double(batches.count)
    }
    divergences = sums.values.map { Double($0) / Double(batches.count) }.sorted(by: >)
    kept = Self.units(of: model, images).count
    let some = images(0..<Self.shown)
    let z = stream.normal([Self.drawn, model.plan.latent])
    for rows in [some, model.decoded(model.posterior(some).mean), model.decoded(z)] {
      bytes.append(contentsOf: rows.values.map { UInt8(($0 * 255).rounded()) })
    }
  }
}
