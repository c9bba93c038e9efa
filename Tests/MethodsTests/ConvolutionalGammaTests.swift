import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

@Suite struct ConvolutionalGammaTests {
  /// A full convolution of 2 × 2, 3 × 3 pixels then; a pooling; a convolution of 1 × 1; three classes.
  private func network(weight: Float = 0.5, noise: Float = 0.3) -> ConvolutionalGamma {
    var plan = ConvolutionalGamma.Plan()
    plan.steps = [
      .convolution(2, kernel: 2, isFull: true), .pooling, .convolution(3, kernel: 1),
    ]
    (plan.classes, plan.weight, plan.pixelNoise, plan.noise) = (3, weight, noise, noise)
    var stream = RandomStream(seed: 1, "gamma")
    let network = ConvolutionalGamma(plan, using: &stream)
    TinyInstance.fill(network)
    return network
  }

  @Test func theNetworkOfThePaperHasItsSizes() {
    var stream = RandomStream(seed: 1, "gamma")
    let network = ConvolutionalGamma(using: &stream)
    let weights = network.parameters.filter { $0.name == "weight" }.map(\.value.shape)
    #expect(
      weights == [
        [32, 1, 5, 5], [64, 32, 3, 3], [64, 64, 3, 3], [128, 64, 3, 3], [10, 128, 1, 1], [10, 10],
      ])
    let tape = Tape(recording: false)
    let images = tape.constant(stream.uniform([1, 3, 28, 28]))
    let pass = network.pass(images, isNoisy: false, using: &stream)
    #expect(pass.logits.shape == [3, 10])
    // Pixels of a side: 32 after the full convolution, 16, 14, 16, 8, 6, 6; then one number a class.
    #expect(pass.samples == [32, 16, 14, 16, 8, 6, 6].map { 3 * $0 * $0 } + [3, 3])
  }

  @Test func theGuessIsNormalisedByTheMomentsOfTheCleanPass() {
    let (network, tape) = (network(), Tape(recording: false))
    var stream = RandomStream(seed: 9, "noise")
    let images = tape.constant(stream.uniform([1, 13, 5, 5]))
    let noisy = network.pass(images, isNoisy: true, using: &stream)
    let clean = network.pass(images, isNoisy: false, using: &stream)
    let cost = network.denoisingCost(noisy, clean: clean).value.scalar
    func moved(_ pass: ConvolutionalGamma.Pass) -> ConvolutionalGamma.Pass {
      ConvolutionalGamma.Pass(
        z: pass.z, moments: pass.moments.map { ($0.mean + 1, $0.variance) },
        samples: pass.samples, logits: pass.logits)
    }
    #expect(network.denoisingCost(moved(noisy), clean: clean).value.scalar == cost)
    let other = network.denoisingCost(noisy, clean: moved(clean)).value.scalar
    #expect(abs(other - cost) > 0.1 * cost)
  }

  @Test func theGradientOfTheWholeLossIsThatOfTheLoss() {
    var stream = RandomStream(seed: 4, "images")
    let batch = PairedBatch(
      labelled: LabelledBatch(
        images: stream.uniform([1, 12, 5, 5]), labels: (0..<12).map { $0 % 3 }),
      unlabelled: stream.uniform([1, 13, 5, 5]))
    for weight: Float in [0.5, 0] {
      let network = network(weight: weight)
      // Lower, so that rectifiers cut: where they do not, a normalisation takes a shift out again.
      for shift in network.parameters.filter({ $0.name == "shift" }).dropLast() {
        shift.value = shift.value.map { $0 - 0.7 }
      }
      let check = WholeLoss(method: network, batch: batch, step: 0.001)
      for (path, error) in check.relativeErrors() {
        #expect(error < WholeLoss<ConvolutionalGamma>.tolerance, "\(weight): \(path)")
      }
      for (path, error) in check.relativeErrors(factor: 1.03) {
        #expect(error > WholeLoss<ConvolutionalGamma>.tolerance, "\(weight): \(path)")
      }
    }
  }

  /// Values by Benchmarks/golden_ladder.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    let own = TinyInstance.lossAndGradientNorm(network(noise: 0))
    let (loss, norm) = (6.5285123292, 53.6068316132)
    #expect(TinyInstance.agree(own.loss, loss), "\(own.loss) for \(loss)")
    #expect(TinyInstance.agree(own.norm, norm), "\(own.norm) for \(norm)")
  }

  @Test func withoutNoiseBothPassesAreOne() {
    func distance(_ noise: Float) -> Float {
      let (network, tape) = (network(noise: noise), Tape())
      var stream = RandomStream(seed: 9, "noise")
      let images = tape.constant(TinyInstance.batch.unlabelled)
      let passes = [true, false].map { network.pass(images, isNoisy: $0, using: &stream) }
      return (passes[0].z.value - passes[1].z.value).maximumMagnitude()
    }
    #expect(distance(0) == 0)
    #expect(distance(0.3) > 0.1)
  }

  @Test func withoutAWeightItIsTheSupervisedNetwork() {
    let batch = TinyInstance.batch
    func loss<Method: Objective>(_ method: Method, _ batch: Method.Batch) -> Loss {
      var noise = RandomStream(seed: 1, "tiny")
      return method.loss(batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
    }
    let plain = network(weight: 0)
    let supervised = loss(Supervised(plain), batch.labelled).total.value
    #expect(loss(plain, batch).total.value == supervised)
    // The labels' part, too, when there are unlabelled images beside.
    let whole = loss(network(), batch).parts[0].value
    #expect(whole == supervised.scalar)
  }

  /// The running statistics are those of the clean pass over unlabelled images, of all layers.
  @Test func evaluationKnowsTheCleanPass() {
    let network = network(noise: 3)
    var noise = RandomStream(seed: 1, "tiny")
    _ = network.loss(
      TinyInstance.batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
    let tape = Tape(recording: false)
    let images = tape.constant(TinyInstance.batch.unlabelled)
    let clean = network.pass(images, isNoisy: false, using: &noise)
    let running = network.parameters.filter { !$0.isTrainable }
    #expect(running.count == 2 * clean.moments.count)
    for (layer, moments) in clean.moments.enumerated() {
      let samples = Float(clean.samples[layer])
      let mean = moments.mean.value * 0.1
      let variance = moments.variance.value * (0.1 * samples / (samples - 1))
      #expect((running[2 * layer].value - mean).maximumMagnitude() < 1e-5)
      #expect(
        (running[2 * layer + 1].value - variance).map { $0 - 0.9 }.maximumMagnitude() < 1e-5)
    }
  }
}
