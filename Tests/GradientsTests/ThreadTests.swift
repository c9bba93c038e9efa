import Gradients
import Tensors
import Testing

@Suite struct ThreadTests {
  /// Ten steps of gradient descent on a small convolutional network, large enough that every loop
  /// is cut into several pieces.
  func trained() -> [[Float]] {
    var stream = RandomStream(seed: 7, "threads")
    let images = stream.uniform([1, 40, 28, 28])
    let labels = (0..<40).map { $0 % 10 }
    let parameters = [
      Parameter("filters", stream.normal([8, 1, 5, 5], deviation: 0.2)),
      Parameter("filters.bias", Tensor(repeating: 0, [8])),
      Parameter("scale", Tensor(repeating: 1, [8])),
      Parameter("shift", Tensor(repeating: 0, [8])),
      Parameter("weight", stream.normal([10, 1152], deviation: 0.03)),
      Parameter("bias", Tensor(repeating: 0, [10])),
    ]
    for _ in 0..<10 {
      let tape = Tape()
      let p = parameters.map { tape($0) }
      let features = convolution(tape.constant(images), p[0], p[1])
      let normal = batchNormalised(
        maximumPool(features).what, scale: p[2], shift: p[3], activation: .relu
      ).y
      let kept = dropout(flatten(normal), keep: 0.5, using: &stream)
      let loss = softmaxCrossEntropy(logits: affine(kept, p[4], p[5]), labels: labels)
      let gradients = tape.backward(from: loss)
      for parameter in parameters { parameter.value += gradients[parameter] * -0.1 }
    }
    return parameters.map(\.value.values)
  }

  @Test func aTrainingHasTheSameBitsOnAnyNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      let results = [1, 2, 4, 1].map { threads in
        Parallel.threadCount = threads
        return ThreadTests().trained()
      }
      let areSame = results.dropFirst().allSatisfy { $0 == results[0] }
      let areFinite = results[0].allSatisfy { values in values.allSatisfy { $0.isFinite } }
      #expect(areSame && areFinite)
    }
  }

  /// A convolutional auto-encoder with tied filters, its loss weighted image by image: every
  /// operation that repeats, sums or divides a batch, on more than one piece.
  func reconstructed() -> [[Float]] {
    var stream = RandomStream(seed: 8, "threads")
    let tape = Tape()
    let x = tape.variable(stream.uniform([3, 40, 28, 28]))
    let filters = tape.variable(stream.normal([8, 3, 5, 5], deviation: 0.1))
    let (b, c) = (tape.variable(stream.normal([8])), tape.variable(stream.normal([3])))
    let weights = tape.variable(stream.uniform([40]))
    let seen = maskingNoise(padded(x, by: 2), probability: 0.3, using: &stream)
    let (y, mean, variance) = normalised(convolution(seen, filters, b, activation: .tanh))
    let sampled = gaussianSample(mean: y, logVariance: y / (1 + b * b) - mean, using: &stream)
    let other = standardised(sampled, mean: mean, variance: variance)
    let halves = concatenation([rows(other, 20..<40), rows(other, 0..<20)], along: .rows)
    let image = transposedConvolution(halves, filters, c, padding: 2, activation: .sigmoid)
    let losses =
      squaredError(image, x, reducing: .none)
      + gaussianDivergence(mean: y, logVariance: sampled, reducing: .none)
      + meanPerExample(weighted(image, perExample: weights))
    let gradients = tape.backward(from: sum(losses * weights))
    return [losses.value.values] + [x, filters, b, c, weights].map { gradients[$0].values }
  }

  @Test func batchesTakenApartHaveTheSameBitsOnAnyNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      let results = [1, 2, 4, 1].map { threads in
        Parallel.threadCount = threads
        return ThreadTests().reconstructed()
      }
      let areSame = results.dropFirst().allSatisfy { $0 == results[0] }
      let areFinite = results[0].allSatisfy { values in values.allSatisfy { $0.isFinite } }
      #expect(areSame && areFinite)
    }
  }
}
