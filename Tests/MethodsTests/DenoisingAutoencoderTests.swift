import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

@Suite struct DenoisingAutoencoderTests {
  static func small(masking: Float, inputs: Int = 6, hidden: Int = 4) -> DenoisingAutoencoder {
    var stream = RandomStream(seed: 2, "denoising")
    let method = DenoisingAutoencoder(
      inputs: inputs, hidden: hidden, masking: masking, using: &stream)
    for (k, parameter) in method.parameters.enumerated() {
      let shape = parameter.value.shape
      parameter.value = Tensor(
        shape, (0..<shape.count).map { Float(sin(Double($0 + 10 * k + 1))) * 0.7 })
    }
    return method
  }

  static let batch = Tensor([5, 6], (0..<30).map { Float(0.5 + 0.45 * cos(Double($0))) })

  static func loss(_ method: DenoisingAutoencoder, _ batch: Tensor) -> Loss {
    var noise = RandomStream(seed: 7, "masks")
    return method.loss(batch, at: Moment(step: 0, epoch: 0), on: Tape(), using: &noise)
  }

  /// Without corruption, the loss number by number.
  @Test func theCrossEntropyIsThatOfTheReconstruction() {
    let method = Self.small(masking: 0)
    let (w, b, back) = (
      method.encoder.weight.value, method.encoder.bias.value, method.visibleBias.value
    )
    func σ(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
    var wanted = 0.0
    for row in 0..<5 {
      let x = (0..<6).map { Double(Self.batch[6 * row + $0]) }
      let y = (0..<4).map { j in
        σ((0..<6).reduce(Double(b[j])) { $0 + Double(w[6 * j + $1]) * x[$1] })
      }
      for i in 0..<6 {
        let z = σ((0..<4).reduce(Double(back[i])) { $0 + Double(w[6 * $1 + i]) * y[$1] })
        wanted -= (x[i] * log(z) + (1 - x[i]) * log(1 - z)) / 5
      }
    }
    #expect(abs(Double(Self.loss(method, Self.batch).total.value.scalar) - wanted) < 3e-6 * wanted)
  }

  /// Values by Benchmarks/golden_autoencoders.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    let method = Self.small(masking: 0, inputs: 4, hidden: 3)
    TinyInstance.fill(method)
    let own = TinyInstance.lossAndGradientNorm(method, of: TinyInstance.batch.unlabelled)
    #expect(TinyInstance.agree(own.loss, 2.8418443629), "\(own.loss)")
    #expect(TinyInstance.agree(own.norm, 0.5025000686), "\(own.norm)")
  }

  /// What is to be given back is the clean input: black images, all masked, still cost −ln of white.
  @Test func theTargetIsCleanAndTheInputIsNot() {
    let all = Self.small(masking: 1)
    // Whatever the images are, the network sees none of them.
    let shifted = Self.batch.map { 1 - $0 }
    let (one, other) = (Self.loss(all, Self.batch), Self.loss(all, shifted))
    #expect(one.total.value.scalar != other.total.value.scalar, "the target is the clean input")
    let hidden = all.encoder.bias.value.map { VectorMath.sigmoid($0) }
    let tape = Tape(recording: false)
    let logits = transposedAffine(
      tape.constant(hidden.reshaped([1, 4])), tape(all.encoder.weight), tape(all.visibleBias))
    let wanted = (0..<5).reduce(0.0) { sum, row in
      sum
        + (0..<6).reduce(0.0) { sum, i in
          let (x, t) = (Double(logits.value[i]), Double(Self.batch[6 * row + i]))
          return sum + (log(1 + exp(x)) - t * x) / 5
        }
    }
    #expect(abs(Double(one.total.value.scalar) - wanted) < 3e-6 * wanted, "the input is all masked")
  }

  /// W stands at two places, and its gradient is the sum of both: that of two weights of their own.
  @Test func theGradientOfTiedWeightsIsTheSumOfBothUses() {
    let method = Self.small(masking: 0)
    var noise = RandomStream(seed: 7, "masks")
    let tape = Tape()
    let loss = method.loss(Self.batch, at: Moment(step: 0, epoch: 0), on: tape, using: &noise)
    let tied = tape.backward(from: loss.total)[method.encoder.weight]
    let apart = Tape()
    let (up, down) = (
      apart.variable(method.encoder.weight.value), apart.variable(method.encoder.weight.value)
    )
    let hidden = affine(
      apart.constant(Self.batch), up, apart(method.encoder.bias), activation: .sigmoid)
    let logits = transposedAffine(hidden, down, apart(method.visibleBias))
    let gradients = apart.backward(
      from: bernoulliCrossEntropy(logits: logits, targets: Self.batch))
    #expect((tied - gradients[up] - gradients[down]).maximumMagnitude() < 1e-6)
    #expect(gradients[up].maximumMagnitude() > 1e-3 && gradients[down].maximumMagnitude() > 1e-3)
  }

  @Test(arguments: [Float(0), 0.25])
  func theGradientIsThatOfTheWholeLoss(_ masking: Float) {
    let check = WholeLoss(method: Self.small(masking: masking), batch: Self.batch)
    for (path, error) in check.relativeErrors() {
      #expect(error < WholeLoss<DenoisingAutoencoder>.tolerance, "\(path)")
    }
    for (path, error) in check.relativeErrors(factor: 1.03) {
      #expect(error > WholeLoss<DenoisingAutoencoder>.tolerance, "\(path)")
    }
  }

  /// A quarter of the input is masked, of many.
  @Test func theShareThatIsMaskedIsTheOneAskedFor() {
    var noise = RandomStream(seed: 3, "masks")
    let ones = Tape(recording: false).constant(Tensor(repeating: 1, [1000, 100]))
    let kept = maskingNoise(ones, probability: 0.25, using: &noise).value.sum()
    // Three standard errors of 100,000 trials.
    #expect(abs(kept / 100_000 - 0.75) < 3 * 0.00137)
  }
}

@Suite struct StackedAutoencoderTests {
  let set = ImageSet.brightRows

  /// Each layer is trained on the clean features of those below it, and then holds what was learnt.
  @Test func layersArePretrainedOneByOne() throws {
    var stream = RandomStream(seed: 1, "stack")
    let network = StackedAutoencoder([784, 30, 20], using: &stream)
    var learnt: [(weight: Tensor, bias: Tensor)] = []
    var indices: [Int] = []
    network.pretrain(masking: 0.2, using: &stream) { layer, index, change in
      indices.append(index)
      var noise = RandomStream(seed: 4, "change")
      let images = set.images(Array(0..<60))
      let input = change(images, &noise)
      #expect(input.shape == (index == 0 ? [60, 784] : [60, 30]))
      #expect(input == network.features(images, below: index), "clean, and of the layers below")
      let source = UnlabelledBatches(
        of: set.withoutLabels(Array(0..<60)), size: 20, seed: 1, name: "layer \(index)",
        change: change)
      var training = Training(
        layer, source, Adam(), rate: .constant(0.01), seed: 1, name: "layer \(index)")
      let first = training.takeStep().total.value.scalar
      for _ in 0..<60 { training.takeStep() }
      #expect(training.takeStep().total.value.scalar < 0.9 * first)
      learnt.append((layer.encoder.weight.value, layer.encoder.bias.value))
    }
    #expect(indices == [0, 1])
    for (layer, learnt) in zip(network.layers, learnt) {
      #expect(layer.weight.value == learnt.weight && layer.bias.value == learnt.bias)
    }
  }

  @Test func fineTuningReachesEveryLayer() {
    var stream = RandomStream(seed: 1, "stack")
    let network = StackedAutoencoder([784, 30, 20], using: &stream)
    let tape = Tape()
    var noise = RandomStream(seed: 1, "none")
    let logits = network.logits(
      tape.constant(set.images([0, 1, 2])), .training, using: &noise)
    #expect(logits.shape == [3, 10])
    let gradients = tape.backward(from: softmaxCrossEntropy(logits: logits, labels: [0, 1, 2]))
    for parameter in network.parameters {
      #expect(gradients[parameter].maximumMagnitude() > 0)
    }
  }
}
