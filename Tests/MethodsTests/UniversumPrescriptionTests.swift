import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

@Suite struct UniversumPrescriptionTests {
  private typealias Method = UniversumPrescription<Perceptron>

  private func method(_ probability: Float = 0.25) -> Method {
    var stream = RandomStream(seed: 1, "perceptron")
    let network = Perceptron(Perceptron.Plan([4, 5, 3]), using: &stream)
    TinyInstance.fill(network)
    var plan = Method.Plan()
    plan.probability = probability
    return Method(network, plan)
  }

  private func prescription(_ logits: Tensor) -> Float {
    Method.prescription(Tape(recording: false).constant(logits)).value.scalar
  }

  /// Whatever the level, which says nothing.
  @Test func theUniformTargetIsLeastAtEqualLogits() {
    var stream = RandomStream(seed: 1, "logits")
    for level: Float in [-3, 0, 20] {
      let least = prescription(Tensor(repeating: level, [4, 10]))
      #expect(abs(least - log(Float(10))) < 1e-5)
      for deviation: Float in [0.1, 1, 5] {
        let other = stream.normal([4, 10], mean: level, deviation: deviation)
        #expect(prescription(other) > least)
      }
    }
  }

  /// (P − 1/k)/n.
  @Test func theGradientIsThatByHand() {
    let tape = Tape()
    let x = tape.variable(Tensor([2, 3], [log(2), 0, 0, 0, 0, log(Float(6))]))
    let gradient = tape.backward(from: Method.prescription(x))[x]
    let right: [Float] = [1 / 12, -1 / 24, -1 / 24, -5 / 48, -5 / 48, 10 / 48]
    for (own, right) in zip(gradient.values, right) { #expect(abs(own - right) < 1e-6) }
  }

  @Test func theGradientOfTheWholeLossIsThatOfTheLoss() {
    let check = WholeLoss(method: method(), batch: TinyInstance.batch)
    for (path, error) in check.relativeErrors() {
      #expect(error < WholeLoss<Method>.tolerance, "\(path)")
    }
    for (path, error) in check.relativeErrors(factor: 1.03) {
      #expect(error > WholeLoss<Method>.tolerance, "\(path)")
    }
  }

  /// Values by Benchmarks/golden_universum.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    let own = TinyInstance.lossAndGradientNorm(method())
    #expect(TinyInstance.agree(own.loss, 2.0118235890), "\(own.loss)")
    #expect(TinyInstance.agree(own.norm, 1.5330946422), "\(own.norm)")
  }

  @Test func withoutUniversumItIsTheSupervisedNetwork() {
    var noise = RandomStream(seed: 1, "tiny")
    let (batch, start) = (TinyInstance.batch, Moment(step: 0, epoch: 0))
    let none = method(0).loss(batch, at: start, on: Tape(), using: &noise)
    let supervised = Supervised(method().network)
      .loss(batch.labelled, at: start, on: Tape(), using: &noise)
    #expect(none.total.value == supervised.total.value)
  }
}
