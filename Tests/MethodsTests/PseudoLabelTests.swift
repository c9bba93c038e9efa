import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

@Suite struct PseudoLabelTests {
  private typealias Method = PseudoLabel<Perceptron>
  private let full = Moment(step: 0, epoch: 600)

  private func method(_ output: Method.Output = .sigmoids, keep: Float = 1) -> Method {
    var plan = Perceptron.Plan([4, 5, 3])
    plan.keepHidden = keep
    var stream = RandomStream(seed: 1, "perceptron")
    let network = Perceptron(plan, using: &stream)
    TinyInstance.fill(network)
    var own = Method.Plan()
    own.output = output
    return Method(network, own)
  }

  @Test func theWeightHasThreePieces() {
    let schedule = Method.Plan().schedule
    for (epoch, weight) in [
      (0, 0), (99, 0), (100, 0), (350, 1.5), (599, 2.994), (600, 3), (9000, 3),
    ] {
      #expect(abs(schedule.value(at: epoch) - weight) < 1e-12, "epoch \(epoch)")
    }
    #expect(schedule(Moment(step: 9000, epoch: 0)) == 0, "it counts epochs")
  }

  @Test func theCourseCanBeCountedInSteps() {
    var plan = Method.Plan()
    plan.stepsPerEpoch = 2.5
    for (step, weight) in [(249, 0), (250, 0), (875, 1.5), (1500, 3)] {
      #expect(abs(plan.schedule.value(at: step) - weight) < 1e-12, "step \(step)")
    }
    #expect(plan.schedule(Moment(step: 0, epoch: 900)) == 0, "it counts steps")
    let (p, rate) = (Method.momentum(stepsPerEpoch: 2.5), Method.rate(stepsPerEpoch: 2.5))
    #expect(abs(p.value(at: 625) - 0.745) < 1e-12 && p.value(at: 1250) == 0.99)
    #expect(rate.value(at: 1250) == Method.rate().value(at: 500))
  }

  @Test func rateAndMomentumAreThePapers() {
    let (p, rate) = (Method.momentum(), Method.rate())
    #expect(p.value(at: 0) == 0.5 && abs(p.value(at: 250) - 0.745) < 1e-12)
    #expect(abs(p.value(at: 500) - 0.99) < 1e-12 && p.value(at: 900) == p.value(at: 500))
    #expect(rate.value(at: 0) == 0.75)
    #expect(abs(rate.value(at: 500) - 1.5 * 0.36750 * 0.01) < 1e-5)
  }

  @Test func theGradientOfTheWholeLossIsThatOfTheLoss() {
    for output in [Method.Output.sigmoids, .softmax] {
      let check = WholeLoss(method: method(output), batch: TinyInstance.batch, moment: full)
      for (path, error) in check.relativeErrors() {
        #expect(error < WholeLoss<Method>.tolerance, "\(path)")
      }
      for (path, error) in check.relativeErrors(factor: 1.03) {
        #expect(error > WholeLoss<Method>.tolerance, "\(path)")
      }
    }
  }

  /// Values by Benchmarks/golden_pseudo_label.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    for (output, loss, norm) in [
      (Method.Output.sigmoids, 5.9496435724, 3.7307051242), (.softmax, 2.7298048901, 1.6934350423),
    ] {
      let own = TinyInstance.lossAndGradientNorm(
        method(output), at: Moment(step: 0, epoch: 350))
      #expect(TinyInstance.agree(own.loss, loss), "\(own.loss) for \(loss)")
      #expect(TinyInstance.agree(own.norm, norm), "\(own.norm) for \(norm)")
    }
  }

  /// The second part of the loss for labels that are given, by the noise that the loss draws.
  private func second(_ method: Method, labels: [Int], _ tape: Tape) -> Variable {
    var noise = RandomStream(seed: 1, "tiny")
    let (network, batch) = (method.network, TinyInstance.batch)
    _ = network.logits(tape.constant(batch.labelled.images), .training, using: &noise)
    let y = network.logits(tape.constant(batch.unlabelled), .training, using: &noise)
    return softmaxCrossEntropy(logits: y, labels: labels)
  }

  private func part(_ method: Method, _ tape: Tape) -> Loss {
    var noise = RandomStream(seed: 1, "tiny")
    return method.loss(TinyInstance.batch, at: full, on: tape, using: &noise)
  }

  /// With all its units, at its present weights.
  @Test func theGuessIsThatOfThePresentNetwork() {
    let method = method(.softmax, keep: 0.5)
    for _ in 0..<2 {
      let guesses = method.network.logits(of: TinyInstance.batch.unlabelled).predictions
      let parts = part(method, Tape()).parts
      #expect(parts.map(\.name) == ["labels", "guesses"])
      #expect(parts[1].value == second(method, labels: guesses, Tape()).value.scalar)
      // Everything is guessed otherwise now.
      let output = method.network.layers[1]
      output.weight.value = output.weight.value * -1
      output.bias.value = output.bias.value * -1
      #expect(method.network.logits(of: TinyInstance.batch.unlabelled).predictions != guesses)
    }
  }

  @Test func theGuessSeesAllPixelsToo() {
    var plan = Perceptron.Plan([4, 5, 3])
    (plan.keepInput, plan.keepHidden) = (0.5, 0.5)
    var (stream, own) = (RandomStream(seed: 1, "perceptron"), Method.Plan())
    own.output = .softmax
    let method = Method(Perceptron(plan, using: &stream), own)
    TinyInstance.fill(method)
    let guesses = method.network.logits(of: TinyInstance.batch.unlabelled).predictions
    #expect(
      part(method, Tape()).parts[1].value == second(method, labels: guesses, Tape()).value.scalar)
  }

  @Test func noGradientFlowsThroughTheGuess() {
    let method = method(.softmax)
    let (tape, given) = (Tape(), Tape())
    let gradient = tape.backward(from: part(method, tape).total)
    let guesses = method.network.logits(of: TinyInstance.batch.unlabelled).predictions
    let supervised = softmaxCrossEntropy(
      logits: method.network.logits(of: TinyInstance.batch.labelled.images, on: given),
      labels: TinyInstance.batch.labelled.labels)
    let right = given.backward(from: supervised + second(method, labels: guesses, given) * 3)
    for parameter in method.parameters {
      #expect((gradient[parameter] - right[parameter]).maximumMagnitude() < 1e-6)
    }
  }
}

extension Classifier {
  /// The logits on a tape that records them.
  fileprivate func logits(of images: Tensor, on tape: Tape) -> Variable {
    var noise = RandomStream(seed: 1, "tiny")
    return logits(tape.constant(images), .training, using: &noise)
  }
}

@Suite struct LayerDenoiserTests {
  private static let batch = Tensor(
    [1, 5, 2, 3], (0..<30).map { Float(0.5 + 0.45 * cos(Double($0))) })

  private static func method(masking: Float) -> LayerDenoiser {
    var stream = RandomStream(seed: 2, "layer")
    let layer = Dense(
      inputs: 6, outputs: 4, activation: .relu, initialiser: .xavierUniform, using: &stream)
    let method = LayerDenoiser(layer, masking: masking)
    for (k, parameter) in method.parameters.enumerated() {
      let shape = parameter.value.shape
      parameter.value = Tensor(
        shape, (0..<shape.count).map { Float(sin(Double($0 + 10 * k + 1))) * 0.7 })
    }
    return method
  }

  @Test func theGradientOfTheWholeLossIsThatOfTheLoss() {
    // Small steps: a rectifier has a kink.
    let check = WholeLoss(method: Self.method(masking: 0.5), batch: Self.batch, step: 0.002)
    for (path, error) in check.relativeErrors() {
      #expect(error < WholeLoss<LayerDenoiser>.tolerance, "\(path)")
    }
    for (path, error) in check.relativeErrors(factor: 1.03) {
      #expect(error > WholeLoss<LayerDenoiser>.tolerance, "\(path)")
    }
  }

  /// Values by Benchmarks/golden_autoencoders.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    var stream = RandomStream(seed: 2, "layer")
    let layer = Dense(
      inputs: 4, outputs: 3, activation: .relu, initialiser: .xavierUniform, using: &stream)
    let method = LayerDenoiser(layer, masking: 0)
    TinyInstance.fill(method)
    let own = TinyInstance.lossAndGradientNorm(method, of: TinyInstance.batch.unlabelled)
    #expect(TinyInstance.agree(own.loss, 2.9947709246), "\(own.loss)")
    #expect(TinyInstance.agree(own.norm, 0.8022309475), "\(own.norm)")
  }

  /// All masked, the layer says what its biases do; the target is the clean image all the same.
  @Test func theTargetIsCleanAndTheInputIsNot() {
    let method = Self.method(masking: 1)
    let (w, b, back) = (
      method.layer.weight.value, method.layer.bias.value, method.visibleBias.value
    )
    var noise = RandomStream(seed: 7, "masks")
    let loss = method.loss(
      Self.batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &noise)
    var wanted = 0.0
    for row in 0..<5 {
      for i in 0..<6 {
        let z = (0..<4).reduce(Double(back[i])) { $0 + Double(w[6 * $1 + i] * max(0, b[$1])) }
        wanted += (log(1 + exp(z)) - Double(Self.batch[6 * row + i]) * z) / 5
      }
    }
    #expect(abs(Double(loss.total.value.scalar) - wanted) < 3e-6 * wanted)
  }

  /// The layer is the network's own: what is learnt stays there.
  @Test func theLayerIsTheNetworks() {
    var stream = RandomStream(seed: 2, "network")
    let network = Perceptron(Perceptron.Plan([6, 4, 3]), using: &stream)
    let method = LayerDenoiser(network.layers[0])
    #expect(method.masking == 0.5 && method.parameters.count == 3)
    #expect(method.parameters[0] === network.layers[0].weight)
    var training = Training(
      method, Repeated(batch: Self.batch), Momentum(momentum: 0), rate: .constant(0.1), seed: 1,
      name: "layer")
    let before = network.layers[0].weight.value
    training.takeStep()
    #expect(network.layers[0].weight.value != before)
  }

  /// The same batch for ever.
  private struct Repeated: BatchSource {
    let batch: Tensor
    var state: Int { 0 }
    var stepsPerEpoch: Int { 1 }
    mutating func next(using noise: inout RandomStream) -> Tensor { batch }
    mutating func restore(_ state: Int) -> Bool { true }
  }
}
