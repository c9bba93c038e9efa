import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Methods

@Suite struct VariationalAutoencoderTests {
  /// A model of six pixels, small enough to be known by heart.
  func model(latent: Int, drawsPixels: Bool = false) -> VariationalAutoencoder {
    var plan = VariationalAutoencoder.Plan()
    (plan.inputs, plan.hidden, plan.latent) = (6, [4, 3], latent)
    plan.drawsPixels = drawsPixels
    var stream = RandomStream(seed: 1, "model")
    let model = VariationalAutoencoder(plan, using: &stream)
    model.fillWithWaves(scale: 0.8)
    return model
  }

  let images = wave([1, 5, 2, 3], 40, scale: 0.45, offset: 0.5)

  /// One image of black and white, n times over.
  func copies(_ n: Int) -> Tensor {
    Tensor([1, n, 2, 3], (0..<n).flatMap { _ in [1, 0, 0, 1, 1, 0] as [Float] })
  }

  /// The parts of the loss by their names.
  func parts(_ model: VariationalAutoencoder, _ images: Tensor) -> [String: Double] {
    var noise = RandomStream(seed: 7, "noise")
    let loss = model.loss(
      images, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &noise)
    return Dictionary(
      uniqueKeysWithValues: loss.parts.map { ($0.name, Double($0.value)) }
        + [("total", Double(loss.total.value.scalar))])
  }

  @Test func theDivergenceIsTheClosedFormAndTheMeanOverDraws() {
    let (model, n) = (model(latent: 2), 100_000)
    let (mean, deviation) = model.posterior(copies(1))
    let closed = (0..<2).reduce(0.0) { sum, i in
      let (μ, σ) = (Double(mean[i]), Double(deviation[i]))
      return sum + (μ * μ + σ * σ - 1) / 2 - log(σ)
    }
    expect(parts(model, copies(3))["divergence"]!, near: closed)

    // ln q(z) − ln p(z), whose constants cancel, at draws of z from q.
    var noise = RandomStream(seed: 3, "draws")
    let z = model.features(copies(n), using: &noise)
    let total = (0..<z.count).reduce(0.0) { sum, i in
      let (μ, σ, z) = (Double(mean[i % 2]), Double(deviation[i % 2]), Double(z[i]))
      return sum + (z * z - (z - μ) * (z - μ) / (σ * σ)) / 2 - log(σ)
    }
    #expect(abs(total / Double(n) - closed) < 0.02 * closed)
  }

  /// One latent variable can be integrated out: ln p(x), the bound and the gap between them.
  @Test func theBoundIsBelowTheLikelihoodByTheDivergenceFromTheTruePosterior() {
    let model = model(latent: 1)
    let (mean, deviation) = model.posterior(copies(1))
    let (μ, σ) = (Double(mean[0]), Double(deviation[0]))
    let (points, step) = (4000, 0.005)
    let z = (0..<points).map { (Double($0) - Double(points) / 2) * step }
    let p = model.decoded(Tensor([points, 1], z.map { Float($0) }))
    let x = copies(1)
    func normal(_ z: Double, _ μ: Double, _ σ: Double) -> Double {
      -(z - μ) * (z - μ) / (2 * σ * σ) - log(σ) - log(2 * .pi) / 2
    }
    /// ln p(x|z) + ln p(z).
    let joint = (0..<points).map { k in
      (0..<6).reduce(normal(z[k], 0, 1)) { sum, i in
        let p = Double(p[k * 6 + i])
        return sum + log(x[i] == 1 ? p : 1 - p)
      }
    }
    let logLikelihood = log(joint.reduce(0) { $0 + exp($1) * step })
    let q = z.map { normal($0, μ, σ) }
    let bound = (0..<points).reduce(0) { $0 + exp(q[$1]) * (joint[$1] - q[$1]) * step }
    let gap = (0..<points).reduce(0) {
      $0 + exp(q[$1]) * (q[$1] - (joint[$1] - logLikelihood)) * step
    }
    let found = -parts(model, copies(50_000))["total"]!
    #expect(found < logLikelihood)
    #expect(gap > 0.01)
    #expect(abs(found - bound) < 0.01, "\(found), not \(bound)")
    #expect(abs(logLikelihood - found - gap) < 0.01)
  }

  @Test func theGradientOfTheWholeLossIsRight() {
    WholeLoss(method: model(latent: 2, drawsPixels: true), batch: images).expectRight()
  }

  @Test func theDivergenceCountsWhatThePlanSaysAtAMoment() {
    var plan = model(latent: 2).plan
    plan.divergenceWeight = Schedule(in: .epochs) { Double($0) / 4 }
    var stream = RandomStream(seed: 1, "model")
    let weighted = VariationalAutoencoder(plan, using: &stream)
    for epoch in [0, 1, 4] {
      var noise = RandomStream(seed: 7, "noise")
      let loss = weighted.loss(
        images, at: Moment(step: 0, epoch: epoch), on: Tape(recording: false), using: &noise)
      let parts = loss.parts.map { Double($0.value) }
      expect(Double(loss.total.value.scalar), near: parts[0] + Double(epoch) / 4 * parts[1])
    }
  }

  /// Values by Benchmarks/golden_variational.py.
  @Test func lossAndGradientAreThoseOfPyTorch() {
    let whole = WholeLoss(method: model(latent: 2), batch: images)
    let (loss, norm) = whole.lossAndNorm(RandomStream(seed: 11, "golden"))
    expect(loss, near: 11.2111678)
    expect(norm, near: 9.31284117)
  }

  @Test func featuresAreDrawnAnewAroundThePosterior() {
    let (model, n) = (model(latent: 2), 40_000)
    var noise = RandomStream(seed: 3, "draws")
    let (one, other) = (
      model.features(copies(n), using: &noise), model.features(copies(n), using: &noise)
    )
    #expect(one != other)
    let (mean, deviation) = model.posterior(copies(1))
    let moments = one.moments()
    for unit in 0..<2 {
      #expect(abs(moments.mean[unit] - mean[unit]) < 0.03 * deviation[unit])
      #expect(abs(moments.variance[unit].squareRoot() / deviation[unit] - 1) < 0.02)
    }
  }

  @Test func pixelsAreDrawnBlackWithTheirIntensity() {
    var noise = RandomStream(seed: 3, "pixels")
    let intensities = Tensor([4, 50_000], (0..<200_000).map { Float($0 / 50_000) / 3 })
    let drawn = noise.binarised(intensities)
    #expect(drawn.values.allSatisfy { $0 == 0 || $0 == 1 })
    for row in 0..<4 {
      let share = Double(drawn.rows(row..<row + 1).sum()) / 50_000
      #expect(abs(share - Double(row) / 3) < 0.01)
    }
    #expect(drawn != noise.binarised(intensities))
  }

  @Test func aUnitWhoseMeanNeverMovesIsNotAlive() {
    let model = model(latent: 3)
    model.encoder.mean.weight.value.withUnsafeMutableBufferPointer { w in
      for i in 3..<6 { w[i] = 0 }
      for i in 0..<3 { w[i] *= 20 }
      for i in 6..<9 { w[i] *= 20 }
    }
    #expect(model.liveUnits(images, above: 0.01) == [0, 2])
  }

  @Test func frozenFeaturesAreTheEncodersAndNobodyTrainsThem() {
    let model = model(latent: 3)
    let tape = Tape()
    let rows = tape.constant(images.flattenedImages())
    for (units, count) in [(nil, 3), ([2, 0], 2)] as [([Int]?, Int)] {
      let features = FrozenFeatures(of: model, units: units)
      let (mean, logVariance) = features(rows)
      let expected = model.encoder(rows)
      #expect(features.count == count && mean.shape == [5, count])
      #expect(!mean.needsGradient && !logVariance.needsGradient)
      #expect(features.parameters.allSatisfy { !$0.isTrainable })
      for (place, unit) in (units ?? [0, 1, 2]).enumerated() {
        for row in 0..<5 {
          #expect(abs(mean.value[row * count + place] - expected.mean.value[row * 3 + unit]) < 1e-6)
          #expect(
            abs(
              logVariance.value[row * count + place] - expected.logVariance.value[row * 3 + unit])
              < 1e-6)
        }
      }
    }
  }
}
