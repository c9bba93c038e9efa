import Digits
import Gradients
import Methods
import Networks
import Tensors
import Testing

@Suite struct ConvolutionalClassifierTests {
  /// Images of uniform pixels.
  private let set: ImageSet = {
    var stream = RandomStream(seed: 4, "images")
    let pixels = stream.uniform([700 * ImageSet.pixelsPerImage]).values.map { UInt8($0 * 255) }
    return ImageSet(pixels: pixels, labels: (0..<700).map { UInt8($0 % 10) })
  }()

  private func network(_ change: (inout Recipe) -> Void) -> ConvolutionalClassifier {
    var recipe = Recipe()
    recipe.normalises = true
    change(&recipe)
    var stream = RandomStream(seed: 4, "weights")
    return ConvolutionalClassifier(recipe, using: &stream)
  }

  /// The running variances after one batch of a training.
  private func variances(after network: ConvolutionalClassifier) -> [Tensor] {
    var stream = RandomStream(seed: 4, "training")
    let images = Tape(recording: false).constant(set.images(0..<50))
    _ = network.logits(images, .training, using: &stream)
    return network.namedParameters.filter { $0.path.hasSuffix("runningVariance") }.map {
      $0.parameter.value
    }
  }

  @Test func aNormalisationDoesNotCountWhatDropoutTakes() {
    let dropping = variances(after: network { ($0.channelKeep, $0.keep) = (0.5, 0.5) })
    let whole = variances(after: network { ($0.channelKeep, $0.keep) = (1, 1) })
    #expect(dropping.count == 3)
    // Before the dropout of channels, and at the hidden layer, which sees what was dropped.
    #expect(dropping[1] == whole[1] && dropping[2] != whole[2])
  }

  @Test func statisticsOfCleanImagesAreWhatEvaluationMeets() throws {
    let network = network { ($0.noise, $0.channelKeep, $0.keep) = (2, 1, 1) }
    let first = network.namedParameters.first { $0.path.hasSuffix("runningVariance") }!.parameter
    for _ in 0..<60 { _ = variances(after: network) }
    let noisy = first.value
    let before = Archive.tensors(of: network)
    network.estimateStatistics(of: set, Array(0..<700)) {}
    let clean = first.value
    // Noise of variance 4 adds 4·Σw², and the largest of four of its sums counts.
    #expect(zip(noisy.values, clean.values).allSatisfy { $0 > 1.5 * $1 })
    for (old, new) in zip(before, Archive.tensors(of: network)) {
      #expect((old.value == new.value) == !old.name.contains("running"), "\(old.name)")
    }
    // Estimated again, from the same images, they are the same.
    network.estimateStatistics(of: set, Array(0..<700)) {}
    #expect(first.value == clean)
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try network.estimateStatistics(of: set, [0]) { throw Stop() }
    }
  }
}
