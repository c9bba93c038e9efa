import Foundation
import Gradients
import Tensors
import Testing

@Suite struct LossTests {
  enum Loss: CaseIterable {
    case labels, targets, squaredError, bernoulli, divergence

    var shapes: [Shape] {
      self == .labels || self == .targets ? [[6, 3], [6, 17]] : [[6], [6, 21], [3, 6, 5, 7]]
    }

    func callAsFunction(_ x: Variable, _ other: Tensor, _ reduction: Reduction) -> Variable {
      let k = x.shape.rank == 2 ? x.shape[1] : 1
      return switch self {
      case .labels:
        softmaxCrossEntropy(
          logits: x, labels: (0..<6).map { $0 * 5 % k }, reducing: reduction)
      case .targets: softmaxCrossEntropy(logits: x, targets: other, reducing: reduction)
      case .squaredError: Gradients.squaredError(x, x.tape.constant(other), reducing: reduction)
      case .bernoulli: bernoulliCrossEntropy(logits: x, targets: other, reducing: reduction)
      case .divergence:
        gaussianDivergence(mean: x, logVariance: x.tape.constant(other), reducing: reduction)
      }
    }

    /// The loss of an element, of losses that are sums over elements.
    func term(_ x: Double, _ t: Double) -> Double {
      switch self {
      case .labels, .targets: .nan
      case .squaredError: (x - t) * (x - t)
      case .bernoulli: -t * log(1 / (1 + exp(-x))) - (1 - t) * log(1 - 1 / (1 + exp(-x)))
      case .divergence: (x * x + exp(t) - t - 1) / 2
      }
    }
  }

  /// The three reductions say the same of a loss and of its gradient.
  @Test(arguments: Loss.allCases)
  func reductionsAgree(_ loss: Loss) {
    for shape in loss.shapes {
      var stream = RandomStream(seed: 1, "reductions")
      let (x, other) = (stream.normal(shape), stream.uniform(shape))
      func run(_ reduction: Reduction) -> (value: Tensor, gradient: Tensor) {
        let tape = Tape()
        let input = tape.variable(x)
        let output = loss(input, other, reduction)
        return (
          output.value,
          tape.backward(from: output, cotangent: Tensor(repeating: 1, output.shape))[input]
        )
      }
      let (each, total, average) = (run(.none), run(.sum), run(.mean))
      #expect(each.value.shape == [6] && total.value.shape == [] && average.value.shape == [])
      #expect(abs(each.value.sum() / total.value.scalar - 1) < 1e-5)
      #expect(abs(average.value.scalar * 6 / total.value.scalar - 1) < 1e-6)
      #expect((each.gradient - total.gradient).maximumMagnitude() < 1e-6)
      #expect((average.gradient * 6 - total.gradient).maximumMagnitude() < 1e-5)
    }
  }

  /// The mean is over examples, and those of images `[c, n, h, w]` are the second extent.
  @Test(arguments: [Loss.squaredError, .bernoulli, .divergence])
  func imagesAreCountedAsExamples(_ loss: Loss) {
    var stream = RandomStream(seed: 1, "images")
    let (x, other) = (stream.normal([3, 6, 5, 7]), stream.uniform([3, 6, 5, 7]))
    let expected =
      zip(x.values, other.values).reduce(0.0) {
        $0 + loss.term(Double($1.0), Double($1.1))
      } / 6
    let tape = Tape()
    #expect(abs(Double(loss(tape.constant(x), other, .mean).value.scalar) / expected - 1) < 1e-5)
    // As images and as the rows that they are flattened to.
    let rows = loss(flatten(tape.constant(x)), other.flattenedImages(), .none).value
    let images = loss(tape.constant(x), other, .none).value
    #expect((rows - images).maximumMagnitude() < 1e-4)
  }

  @Test(arguments: [3, 10, 17])
  func classesMayBeOfAnyNumber(_ k: Int) {
    var stream = RandomStream(seed: 1, "classes")
    let x = stream.normal([6, k], deviation: 3)
    let labels = (0..<6).map { $0 * 5 % k }
    var oneHot = Tensor(repeating: 0, [6, k])
    for (row, label) in labels.enumerated() { oneHot[row * k + label] = 1 }
    let tape = Tape()
    let found = softmaxCrossEntropy(
      logits: tape.constant(x), labels: labels, reducing: .none
    ).value
    let same = softmaxCrossEntropy(
      logits: tape.constant(x), targets: oneHot, reducing: .none
    ).value
    for (row, label) in labels.enumerated() {
      let logits = (0..<k).map { Double(x[row * k + $0]) }
      let expected = log(logits.reduce(0) { $0 + exp($1) }) - logits[label]
      #expect(abs(Double(found[row]) - expected) < 1e-5)
      #expect(abs(Double(same[row]) - expected) < 1e-5)
    }
  }

  /// A loss of each example, weighted: what a mask or a confidence does to it.
  @Test func aWeightedLossLeavesOutWhatWeighsNothing() {
    var stream = RandomStream(seed: 1, "weights")
    let tape = Tape()
    let x = tape.variable(stream.normal([4, 3]))
    let each = softmaxCrossEntropy(logits: x, labels: [0, 1, 2, 0], reducing: .none)
    let loss = sum(each * tape.constant(Tensor([4], [1, 0, 0.5, 0])))
    let gradient = tape.backward(from: loss)[x]
    for i in [3, 4, 5, 9, 10, 11] { #expect(gradient[i] == 0) }
    #expect(gradient.rows(2..<3).maximumMagnitude() > 0)
  }
}
