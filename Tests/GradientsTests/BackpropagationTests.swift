import Foundation
import Gradients
import Tensors
import Testing

/// Backpropagation by hand through a multi-layer perceptron, in Double, with nothing but loops.
///
/// Layer l computes z = W·a + b and a' = f(z); the last has no f, and its z are the logits of a
/// softmax with cross-entropy. Backwards, with δ = ∂E/∂z:
///
///     δ (last)  = (softmax(z) − onehot(label)) / n
///     ∂E/∂W[j][i] = Σ over examples of δ[j]·a[i],   ∂E/∂b[j] = Σ δ[j]
///     δ (before) = f'(z)[i] · Σ over j of W[j][i]·δ[j]
///
/// Source: Rumelhart, Hinton & Williams 1986, eqs. 4–6, and chapters 1.1 and 1.2 for f' and softmax.
struct HandPerceptron {
  enum Nonlinearity: CaseIterable { case tanh, relu }

  /// The weights of each layer, `[out][in]`, and its biases.
  var weights: [[[Double]]]
  var biases: [[Double]]
  let nonlinearity: Nonlinearity

  struct Gradients {
    var loss: Double
    var weights: [[[Double]]]
    var biases: [[Double]]
    var inputs: [[Double]]
  }

  private func value(_ z: Double) -> Double {
    switch nonlinearity {
    case .tanh: (exp(2 * z) - 1) / (exp(2 * z) + 1)
    case .relu: z > 0 ? z : 0
    }
  }

  private func slope(_ z: Double) -> Double {
    switch nonlinearity {
    case .tanh: 1 - value(z) * value(z)
    case .relu: z > 0 ? 1 : 0
    }
  }

  func gradients(_ inputs: [[Double]], _ labels: [Int]) -> Gradients {
    let layers = weights.count
    var result = Gradients(
      loss: 0, weights: weights.map { $0.map { $0.map { _ in 0 } } },
      biases: biases.map { $0.map { _ in 0 } }, inputs: inputs.map { $0.map { _ in 0 } })
    for (example, label) in labels.enumerated() {
      // Forward: all activations and all z are kept.
      var a = [inputs[example]]
      var z: [[Double]] = []
      for layer in 0..<layers {
        var sums = biases[layer]
        for j in sums.indices {
          for i in a[layer].indices { sums[j] += weights[layer][j][i] * a[layer][i] }
        }
        z.append(sums)
        a.append(layer == layers - 1 ? sums : sums.map(value))
      }
      var total = 0.0
      for logit in z[layers - 1] { total += exp(logit) }
      result.loss -= log(exp(z[layers - 1][label]) / total) / Double(labels.count)

      // Backward: from the logits to the input.
      var δ: [Double] = []
      for (j, logit) in z[layers - 1].enumerated() {
        δ.append((exp(logit) / total - (j == label ? 1 : 0)) / Double(labels.count))
      }
      for layer in stride(from: layers - 1, through: 0, by: -1) {
        for j in δ.indices {
          result.biases[layer][j] += δ[j]
          for i in a[layer].indices { result.weights[layer][j][i] += δ[j] * a[layer][i] }
        }
        var before = [Double](repeating: 0, count: a[layer].count)
        for i in before.indices {
          for j in δ.indices { before[i] += weights[layer][j][i] * δ[j] }
          if layer > 0 { before[i] *= slope(z[layer - 1][i]) }
        }
        δ = before
      }
      result.inputs[example] = δ
    }
    return result
  }
}

@Suite struct BackpropagationTests {
  static let widths = [7, 6, 5, 4]
  static let examples = 9

  /// A tensor's rows as numbers of double precision.
  func rows(_ tensor: Tensor) -> [[Double]] {
    let width = tensor.shape[1]
    return (0..<tensor.shape[0]).map { row in
      (0..<width).map { Double(tensor[row * width + $0]) }
    }
  }

  func largestDifference(_ tensor: Tensor, _ expected: [Double]) -> Double {
    zip(tensor.values, expected).map { abs(Double($0) - $1) }.max()!
  }

  @Test(arguments: HandPerceptron.Nonlinearity.allCases, [UInt64(1), 2, 3])
  func theTapeAgreesWithTheDerivationByHand(
    _ nonlinearity: HandPerceptron.Nonlinearity, _ seed: UInt64
  ) {
    var stream = RandomStream(seed: seed, "oracle")
    let inputs = stream.normal([Self.examples, Self.widths[0]])
    let labels = (0..<Self.examples).map { $0 % Self.widths.last! }
    let weights = zip(Self.widths, Self.widths.dropFirst()).map { stream.normal([$1, $0]) }
    let biases = Self.widths.dropFirst().map { stream.normal([$0]) }

    let tape = Tape()
    let x = tape.variable(inputs)
    let (w, b) = (weights.map { tape.variable($0) }, biases.map { tape.variable($0) })
    var a = x
    for layer in w.indices {
      let isLast = layer == w.count - 1
      a = affine(
        a, w[layer], b[layer],
        activation: isLast ? .identity : nonlinearity == .tanh ? .tanh : .relu)
    }
    let loss = softmaxCrossEntropy(logits: a, labels: labels)
    let found = tape.backward(from: loss)

    let hand = HandPerceptron(
      weights: weights.map(rows), biases: biases.map { $0.values.map(Double.init) },
      nonlinearity: nonlinearity)
    let expected = hand.gradients(rows(inputs), labels)
    #expect(abs(Double(loss.value.scalar) - expected.loss) < 1e-6)
    for layer in w.indices {
      #expect(
        largestDifference(found[w[layer]], expected.weights[layer].flatMap { $0 }) < 2e-6)
      #expect(largestDifference(found[b[layer]], expected.biases[layer]) < 2e-6)
    }
    #expect(largestDifference(found[x], expected.inputs.flatMap { $0 }) < 2e-6)

    // What an oracle is worth: a derivative 3 % wrong in one layer is seen.
    let wrong = expected.weights[0].flatMap { $0 }.map { $0 * 1.03 }
    #expect(largestDifference(found[w[0]], wrong) > 2e-5)
  }

  /// The derivation itself, against differences of its own loss.
  @Test(arguments: HandPerceptron.Nonlinearity.allCases)
  func theDerivationByHandAgreesWithDifferences(_ nonlinearity: HandPerceptron.Nonlinearity) {
    var stream = RandomStream(seed: 4, "oracle")
    let inputs = rows(stream.normal([3, 4]))
    var hand = HandPerceptron(
      weights: [rows(stream.normal([3, 4])), rows(stream.normal([2, 3]))],
      biases: [[0.1, -0.2, 0.3], [0, 0.1]], nonlinearity: nonlinearity)
    let expected = hand.gradients(inputs, [0, 1, 1])
    let h = 1e-5
    for layer in 0..<2 {
      for j in hand.weights[layer].indices {
        for i in hand.weights[layer][j].indices {
          let w = hand.weights[layer][j][i]
          hand.weights[layer][j][i] = w + h
          let above = hand.gradients(inputs, [0, 1, 1]).loss
          hand.weights[layer][j][i] = w - h
          let below = hand.gradients(inputs, [0, 1, 1]).loss
          hand.weights[layer][j][i] = w
          #expect(abs((above - below) / (2 * h) - expected.weights[layer][j][i]) < 1e-9)
        }
      }
    }
  }
}
