import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

@Suite struct LadderNetworkTests {
  private func ladder(_ weights: [Float] = [2, 1, 0.5], noise: Float = 0.3) -> LadderNetwork {
    var plan = LadderNetwork.Plan()
    (plan.sizes, plan.denoisingWeights) = ([4, 3, 3], weights)
    (plan.pixelNoise, plan.noise) = (noise, noise)
    var stream = RandomStream(seed: 1, "ladder")
    let network = LadderNetwork(plan, using: &stream)
    TinyInstance.fill(network)
    return network
  }

  /// Both passes over the five images without labels, beside four labelled ones.
  private func passes(
    _ network: LadderNetwork
  ) -> (noisy: LadderNetwork.Pass, clean: LadderNetwork.Pass) {
    let tape = Tape()
    var noise = RandomStream(seed: 9, "noise")
    let x = flatten(tape.constant(TinyInstance.batch.labelled.images))
    let others = flatten(tape.constant(TinyInstance.batch.unlabelled))
    let passes = network.encode([(x, true), (others, true), (others, false)], using: &noise)
    return (passes[1], passes[2])
  }

  @Test func theGradientOfTheWholeLossIsThatOfTheLoss() {
    for weights: [Float] in [[2, 1, 0.5], [0, 0, 0.5], [0, 1, 0], [0, 0, 0]] {
      let check = WholeLoss(method: ladder(weights), batch: TinyInstance.batch)
      for (path, error) in check.relativeErrors() {
        #expect(error < WholeLoss<LadderNetwork>.tolerance, "\(weights): \(path)")
      }
      for (path, error) in check.relativeErrors(factor: 1.03) {
        #expect(error > WholeLoss<LadderNetwork>.tolerance, "\(weights): \(path)")
      }
    }
  }

  /// Values by Benchmarks/golden_ladder.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    for (weights, loss, norm): ([Float], Double, Double) in [
      ([2, 1, 0.5], 68.1689728254, 224.8234044911), ([0, 0, 0.5], 12.0284211864, 42.5047777055),
    ] {
      let own = TinyInstance.lossAndGradientNorm(ladder(weights, noise: 0))
      #expect(TinyInstance.agree(own.loss, loss), "\(own.loss) for \(loss)")
      #expect(TinyInstance.agree(own.norm, norm), "\(own.norm) for \(norm)")
    }
  }

  /// On pixels and on each layer, and none where there is none.
  @Test func theNoiseHasItsDeviation() {
    var plan = LadderNetwork.Plan()
    (plan.sizes, plan.pixelNoise, plan.noise) = ([4, 50, 40, 3], 0.3, 0.2)
    plan.denoisingWeights = [1, 1, 1, 1]
    var stream = RandomStream(seed: 3, "noise of a ladder")
    let network = LadderNetwork(plan, using: &stream)
    let x = Tape(recording: false).constant(stream.normal([400, 4]))
    func deviations(_ network: LadderNetwork) -> [Double] {
      let passes = network.encode([(x, true), (x, false)], using: &stream)
      return zip(passes[0].z, passes[1].z).map {
        (Double(($0.value - $1.value).sumOfSquares()) / Double($0.value.count)).squareRoot()
      }
    }
    let own = deviations(network)
    #expect(abs(own[0] - 0.3) < 0.03)
    plan.pixelNoise = 0
    // The first layer has its own noise alone where the pixels have none.
    let first = deviations(LadderNetwork(plan, using: &stream))
    #expect(first[0] == 0)
    #expect(abs(first[1] - 0.2) < 0.01)
    #expect(first[2] > first[1])
  }

  /// The labels' part changes with the noise, of the layers alone too.
  @Test func labelsAreLearntByTheNoisyPass() {
    func part(_ seed: UInt64, noise: Float) -> Float {
      var stream = RandomStream(seed: seed, "noise")
      let network = ladder(noise: noise)
      return network.loss(
        TinyInstance.batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false),
        using: &stream
      ).parts[0].value
    }
    #expect(part(1, noise: 0) == part(2, noise: 0))
    #expect(abs(part(1, noise: 0.3) - part(2, noise: 0.3)) > 1e-3)
  }

  @Test func theCombinatorIsItsFormula() {
    let network = ladder()
    let tape = Tape()
    let z = Tensor([2, 4], [-2, -1, 0, 1, 2, 3, 0.5, -0.5])
    let u = Tensor([2, 4], [1, -1, 2, 0, 0.3, -3, 0.1, 1.5])
    let guess = network.combinators[0](tape.constant(z), tape.constant(u)).value
    let a = network.combinators[0].a.map { $0.value.values.map(Double.init) }
    for i in 0..<8 {
      let right = combined(a, unit: i % 4, Double(z[i]), Double(u[i]))
      #expect(abs(Double(guess[i]) - right) < 1e-5)
    }
  }

  /// g in Double.
  private func combined(_ a: [[Double]], unit j: Int, _ z: Double, _ u: Double) -> Double {
    func σ(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    let μ = a[0][j] * σ(a[1][j] * u + a[2][j]) + a[3][j] * u + a[4][j]
    let υ = a[5][j] * σ(a[6][j] * u + a[7][j]) + a[8][j] * u + a[9][j]
    return (z - μ) * υ + μ
  }

  private typealias Rows = [[Double]]

  private func doubles(_ x: Tensor) -> Rows {
    (0..<x.shape[0]).map { row in
      (0..<x.shape[1]).map { Double(x[row * x.shape[1] + $0]) }
    }
  }

  private func product(_ x: Rows, _ w: Rows) -> Rows {
    x.map { row in
      w[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * w[$1][j] } }
    }
  }

  /// The rows, by the moments of other rows.
  private func standardised(_ x: Rows, by other: Rows) -> Rows {
    let n = Double(other.count)
    let means = other[0].indices.map { j in other.reduce(0) { $0 + $1[j] } / n }
    let variances = other[0].indices.map { j in
      other.reduce(0) { $0 + ($1[j] - means[j]) * ($1[j] - means[j]) } / n
    }
    return x.map { row in
      row.indices.map { (row[$0] - means[$0]) / (variances[$0] + 1e-5).squareRoot() }
    }
  }

  /// The decoder in Double, from what the noisy pass gave and from the images.
  @Test func theCostsAreThoseOfADecoderWrittenPlainly() {
    let network = ladder()
    let (noisy, clean) = passes(network)
    let costs = network.denoisingCosts(noisy, clean: clean)
    #expect(costs.map(\.layer) == [2, 1, 0])
    // The clean pass.
    let x = doubles(TinyInstance.batch.unlabelled.reshaped([5, 4]))
    let weights = network.layers.map { doubles($0.weight.value) }
    let shift = network.layers[0].shift.value
    let first = product(x, weights[0])
    let z1 = standardised(first, by: first)
    let h = z1.map { row in row.indices.map { max(0, row[$0] + Double(shift[$0])) } }
    let second = product(h, weights[1])
    let targets = [x, z1, standardised(second, by: second)]
    // The decoder.
    var guess = doubles(noisy.logits.value).map { row in
      let total = row.reduce(0) { $0 + exp($1) }
      return row.map { exp($0) / total }
    }
    for (layer, cost) in costs {
      let above = layer == 2 ? guess : product(guess, doubles(network.decoder[layer].value))
      let u = standardised(above, by: above)
      let z̃ = doubles(noisy.z[layer].value)
      let a = network.combinators[layer].a.map { $0.value.values.map(Double.init) }
      guess = z̃.indices.map { i in
        z̃[i].indices.map { combined(a, unit: $0, z̃[i][$0], u[i][$0]) }
      }
      let inside = layer == 0 ? guess : standardised(guess, by: layer == 1 ? first : second)
      var sum = 0.0
      for (target, row) in zip(targets[layer], inside) {
        for (t, g) in zip(target, row) { sum += (t - g) * (t - g) }
      }
      let right = sum / Double(5 * network.plan.sizes[layer])
      let own = Double(cost.value.scalar)
      #expect(TinyInstance.agree(own, right, to: 1e-4), "layer \(layer): \(own), not \(right)")
    }
  }

  @Test func withoutNoiseBothPassesAreOne() {
    func distance(_ noise: Float) -> Float {
      let (noisy, clean) = passes(ladder(noise: noise))
      return zip(noisy.z + [noisy.logits], clean.z + [clean.logits]).map {
        ($0.value - $1.value).maximumMagnitude()
      }.max()!
    }
    #expect(distance(0) < 1e-5)
    #expect(distance(0.3) > 0.1)
  }

  /// The pixels have noise of their own, and so have the layers.
  @Test func pixelsAndLayersHaveNoiseOfTheirOwn() {
    func distances(_ pixels: Float, _ layers: Float) -> [Float] {
      var plan = LadderNetwork.Plan()
      (plan.sizes, plan.denoisingWeights) = ([4, 3, 3], [2, 1, 0.5])
      (plan.pixelNoise, plan.noise) = (pixels, layers)
      var stream = RandomStream(seed: 1, "ladder")
      let (noisy, clean) = passes(LadderNetwork(plan, using: &stream))
      return zip(noisy.z, clean.z).map { ($0.value - $1.value).maximumMagnitude() }
    }
    #expect(distances(0.3, 0)[0] > 0.1)
    #expect(distances(0, 0.3)[0] == 0 && distances(0, 0.3)[1] > 0.1)
  }

  /// The mistake of chapter 3.3.1: the same targets, and guesses by the moments of the noisy pass.
  @Test func guessesByNoisyMomentsAreOthers() {
    func costs(_ moments: LadderNetwork.GuessMoments, noise: Float) -> [Float] {
      var plan = LadderNetwork.Plan()
      (plan.sizes, plan.denoisingWeights) = ([4, 3, 3], [2, 1, 0.5])
      (plan.pixelNoise, plan.noise, plan.guessMoments) = (noise, noise, moments)
      var stream = RandomStream(seed: 1, "ladder")
      let network = LadderNetwork(plan, using: &stream)
      TinyInstance.fill(network)
      let (noisy, clean) = passes(network)
      return network.denoisingCosts(noisy, clean: clean).map { $0.cost.value.scalar }
    }
    for (one, other) in zip(costs(.clean, noise: 0), costs(.noisy, noise: 0)) {
      #expect(abs(one - other) < 1e-4 * one)
    }
    let (right, wrong) = (costs(.clean, noise: 0.3), costs(.noisy, noise: 0.3))
    for layer in 0...1 { #expect(abs(right[layer] - wrong[layer]) > 0.01 * right[layer]) }
    #expect(right[2] == wrong[2])  // pixels have no moments
  }

  /// The labels' part, too, when there are unlabelled images beside: each part has its own moments.
  @Test func withoutWeightsItIsTheSupervisedNetwork() {
    let batch = TinyInstance.batch
    func loss<Method: Objective>(_ method: Method, _ batch: Method.Batch) -> Loss {
      var noise = RandomStream(seed: 1, "tiny")
      return method.loss(batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
    }
    let plain = ladder([0, 0, 0])
    let supervised = loss(Supervised(plain), batch.labelled).total.value
    #expect(loss(plain, batch).total.value == supervised)
    #expect(plain.combinators.isEmpty && plain.decoder.isEmpty)
    let whole = loss(ladder(noise: 0), batch).parts[0].value
    let alone = loss(Supervised(ladder([0, 0, 0], noise: 0)), batch.labelled).total.value.scalar
    #expect(abs(whole - alone) < 1e-5)
  }

  /// The running statistics are those of the clean pass over unlabelled images.
  @Test func evaluationKnowsTheCleanPass() {
    let network = ladder(noise: 3)
    var noise = RandomStream(seed: 1, "tiny")
    _ = network.loss(
      TinyInstance.batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
    let first = product(
      doubles(TinyInstance.batch.unlabelled.reshaped([5, 4])),
      doubles(network.layers[0].weight.value))
    for j in 0..<3 {
      let mean = first.reduce(0) { $0 + $1[j] } / 5
      let variance = first.reduce(0) { $0 + ($1[j] - mean) * ($1[j] - mean) } / 4
      let own = network.layers[0].statistics
      #expect(abs(Double(own.mean.value[j]) - 0.1 * mean) < 1e-5)
      #expect(abs(Double(own.variance.value[j]) - 0.9 - 0.1 * variance) < 1e-5)
    }
    // Of one batch alone they give what the batch gives, but for n/(n − 1) in the variance.
    let tape = Tape(recording: false)
    let images = tape.constant(TinyInstance.images(400, phase: 1))
    let own = network.logits(images, .estimation(share: 1), using: &noise).value
    let known = network.logits(of: images.value)
    #expect((own - known).maximumMagnitude() < 0.02)
  }
}
