import Gradients
import Networks
import Tensors
import Testing

/// Ten seeded steps of training against ten losses that were once written down.
///
/// A change of an initialiser, a stream, a layer, a loss or a rule shows here. Another BLAS rounds
/// otherwise: every first weight one unit of its last place larger changes the losses by 2e-7 of
/// themselves, and the tolerances are hundreds of that.
@Suite struct GoldenTests {
  /// Images of noise with a brighter square for each label.
  func batch(_ stream: inout RandomStream, _ count: Int) -> (images: Tensor, labels: [Int]) {
    var images = stream.uniform([1, count, 12, 12])
    let labels = (0..<count).map { $0 % 4 }
    images.withUnsafeMutableBufferPointer { pixels in
      for (image, label) in labels.enumerated() {
        for row in 0..<5 {
          for column in 0..<5 {
            pixels[image * 144 + (label / 2 * 6 + row) * 12 + label % 2 * 6 + column] += 1
          }
        }
      }
    }
    return (images, labels)
  }

  func expect(_ losses: [Float], _ golden: [Float], tolerance: Float) {
    #expect(losses.count == golden.count)
    for (step, (loss, expected)) in zip(losses, golden).enumerated() {
      #expect(
        abs(loss - expected) <= tolerance * abs(expected), "step \(step): \(loss), not \(expected)")
    }
  }

  @Test func aPerceptronWithMomentumFollowsItsPath() {
    var stream = RandomStream(seed: 2016, "golden perceptron")
    let hidden = Dense(
      inputs: 144, outputs: 32, activation: .tanh, initialiser: .xavierUniform, using: &stream)
    let output = Dense(inputs: 32, outputs: 4, initialiser: .he, using: &stream)
    let (images, labels) = batch(&stream, 24)
    let parameters = hidden.parameters + output.parameters
    var rule = Momentum(.nesterov, momentum: 0.9)
    let losses = (0..<10).map { step in
      rule.begin(parameters, at: Moment(step: step, epoch: 0))
      let tape = Tape()
      let logits = output(hidden(flatten(tape.constant(images))))
      let loss = softmaxCrossEntropy(logits: logits, labels: labels)
      rule.step(parameters, tape.backward(from: loss), rate: 0.02)
      return loss.value.scalar
    }
    let golden: [Float] = [
      1.4001822, 1.2093289, 0.99147224, 0.7903207, 0.62625784, 0.4944538, 0.3846345, 0.29441136,
      0.2249271, 0.17403744,
    ]
    expect(losses, golden, tolerance: 1e-4)
  }

  @Test func aConvolutionalNetworkWithNormalisationAndAdamFollowsItsPath() {
    var stream = RandomStream(seed: 2016, "golden network")
    let convolution = Convolution(
      channels: 1, filters: 6, kernel: 3, initialiser: .he, using: &stream)
    let normalisation = BatchNormalisation(features: 6, activation: .relu)
    let output = Dense(inputs: 150, outputs: 4, initialiser: .xavierNormal, using: &stream)
    let (images, labels) = batch(&stream, 24)
    let parameters = convolution.parameters + normalisation.parameters + output.parameters
    var rule = Adam()
    let losses = (0..<10).map { _ in
      let tape = Tape()
      let x = normalisation(maximumPool(convolution(tape.constant(images))).what, .training)
      let kept = dropout(flatten(x), keep: 0.8, using: &stream)
      let loss = softmaxCrossEntropy(logits: output(kept), labels: labels)
      rule.step(parameters, tape.backward(from: loss), rate: 0.005)
      return loss.value.scalar
    }
    let golden: [Float] = [
      1.738523, 1.6070764, 1.4710038, 1.4076463, 1.0944657, 1.067907, 0.902697, 0.8557422,
      0.7407355, 0.6446474,
    ]
    expect(losses, golden, tolerance: 1e-3)
    // Not the mean: before a normalisation the gradient of a bias is nothing but rounding, which
    // Adam makes into whole steps.
    expect([normalisation.runningVariance.value[0]], [0.5164269], tolerance: 1e-3)
  }
}
