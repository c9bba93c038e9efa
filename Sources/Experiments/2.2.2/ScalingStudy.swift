import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors

/// What a network that was trained with dropout does when its scaling is right, and when not.
package enum ScalingStudy {
  /// How one way to run the network does on some images.
  package struct Variant: Codable, Sendable {
    package var accuracy = 0.0
    /// The mean cross-entropy in nats.
    package var crossEntropy = 0.0
    /// The mean probability of the digit that is said.
    package var confidence = 0.0
    /// The deviation of the inputs of each layer's units, over units and images.
    package var deviations: [Double] = []
    /// The share of those inputs in each of `bins` bins, layer by layer.
    package var histograms: [[Double]] = []
  }

  /// The variants by their names: `masks`, `right`, `forgotten` and `twice`.
  package struct Outcome: Codable, Sendable {
    package var variants: [String: Variant] = [:]
  }

  /// Bins of the histograms: 80 of equal width over −reach…reach of each layer.
  package static let bins = 80
  package static let reach = [8.0, 8, 24, 120]

  /// Runs a network with its masks, and with all units kept in three ways.
  ///
  /// The library trains with kept units divided by p, so that the right factor at test is 1. The
  /// paper's W is this weight divided by p: to forget the scaling is a factor of 1/p, and to scale
  /// what needs no scaling one of p.
  package static func measure(
    _ network: Perceptron, _ set: ImageSet, using masks: inout RandomStream
  ) -> Outcome {
    let p = network.plan.keepHidden
    var outcome = Outcome()
    for (name, factor) in [("masks", nil), ("right", 1), ("forgotten", 1 / p), ("twice", p)] {
      outcome.variants[name] = variant(network, set, factor: factor, using: &masks)
    }
    return outcome
  }

  private static func variant(
    _ network: Perceptron, _ set: ImageSet, factor: Float?, using masks: inout RandomStream
  ) -> Variant {
    var result = Variant()
    let layers = network.layers
    var (sums, squares, counts) = (
      [Double](repeating: 0, count: layers.count), [Double](repeating: 0, count: layers.count),
      [Double](repeating: 0, count: layers.count)
    )
    result.histograms = layers.map { _ in [Double](repeating: 0, count: bins) }
    for batch in Array(set.labels.indices).batches(of: 1000) {
      let tape = Tape(recording: false)
      var x = flatten(tape.constant(set.images(batch)))
      for (index, layer) in layers.enumerated() {
        if index > 0 {
          x = factor.map { x * $0 } ?? dropout(x, keep: network.plan.keepHidden, using: &masks)
        }
        let z = affine(x, tape(layer.weight), tape(layer.bias))
        z.value.withUnsafeBufferPointer { values in
          for value in values {
            let value = Double(value)
            sums[index] += value
            squares[index] += value * value
            let reach = reach[index]
            if abs(value) < reach {
              result.histograms[index][Int((value + reach) / (2 * reach) * Double(bins))] += 1
            }
          }
        }
        counts[index] += Double(z.value.count)
        x = activate(z, layer.activation)
      }
      let p = softmax(x).value
      let labels = set.labels(batch)
      let loss = softmaxCrossEntropy(logits: x, labels: labels)
      result.crossEntropy += Double(loss.value.scalar) * Double(batch.count)
      for (row, (said, label)) in zip(p.predictions, labels).enumerated() {
        result.accuracy += said == label ? 1 : 0
        result.confidence += Double(p[row * 10 + said])
      }
    }
    let images = Double(set.count)
    result.accuracy *= 100 / images
    result.crossEntropy /= images
    result.confidence *= 100 / images
    result.deviations = layers.indices.map { index in
      let mean = sums[index] / counts[index]
      return (squares[index] / counts[index] - mean * mean).squareRoot()
    }
    for index in layers.indices {
      for bin in 0..<bins { result.histograms[index][bin] /= counts[index] }
    }
    return result
  }

  private static func activate(_ z: Variable, _ activation: Activation) -> Variable {
    switch activation {
    case .relu: relu(z)
    case .tanh: tanh(z)
    default: z
    }
  }
}
