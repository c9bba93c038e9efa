import Gradients
import Tensors
import Testing

@Suite struct NormalisationTests {
  /// Pixels are scaled to the bits that networks were trained on, and the images get a gradient.
  @Test func pixelsAreStandardisedToTheSameBitsAsByHand() {
    var stream = RandomStream(seed: 1, "pixels")
    let images = stream.uniform([1, 3, 28, 28])
    let byHand = images.map { ($0 - 0.1307) * (1 / 0.3081) }
    let tape = Tape()
    let y = standardised(tape.constant(images), mean: 0.1307, deviation: 0.3081)
    #expect(y.value == byHand)
    #expect(!y.needsGradient)
    let x = tape.variable(images)
    let gradient = tape.backward(from: sum(standardised(x, mean: 0.1307, deviation: 0.3081)))[x]
    #expect(gradient == Tensor(repeating: 1 / 0.3081, images.shape))
  }
}
