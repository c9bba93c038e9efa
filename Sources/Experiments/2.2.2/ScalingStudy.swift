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

    /// How much surer the network is than it is right, in points.
    package var gap: Double { confidence - accuracy }
  }

  /// What is measured of one network.
  package struct Outcome: Codable, Sendable {
    /// The variants by their names: `masks`, `right`, `forgotten`, `twice`, and `tempered`, the right
    /// one with its logits divided by the temperature.
    package var variants: [String: Variant] = [:]
    /// The temperature that is best on validation images.
    package var temperature = 1.0
    /// The same network with its biases set to 0: how far the logits of a forgotten scaling, divided
    /// by 1/p for each dropout that they passed, are from the right ones.
    package var unbiasedDistance = 0.0
    /// And how many images it then reads as another digit.
    package var unbiasedChanges = 0.0
  }

  /// Bins of the histograms: 128 of equal width over −reach…reach, in units of the deviation that
  /// the layer's inputs have when the scaling is right.
  package static let bins = 128
  package static let reach = 16.0

  /// Runs a network with its masks, and with all units kept in three ways.
  ///
  /// The library trains with kept units divided by p, so that the right factor at test is 1. The
  /// paper's W is this weight divided by p: to forget the scaling is a factor of 1/p, and to scale
  /// what needs no scaling one of p.
  package static func measure(
    _ network: Perceptron, _ data: MNIST, validation: [Int], using masks: inout RandomStream
  ) -> Outcome {
    let p = network.plan.keepHidden
    var outcome = Outcome()
    outcome.temperature = temperature(network, data.train, validation)
    let ways: [(name: String, factor: Float?, temperature: Float)] = [
      ("masks", nil, 1), ("right", 1, 1), ("forgotten", 1 / p, 1), ("twice", p, 1),
      ("tempered", 1, Float(outcome.temperature)),
    ]
    let units = variant(network, data.test, factor: 1, units: nil, using: &masks).deviations
    for way in ways {
      outcome.variants[way.name] = variant(
        network, data.test, factor: way.factor, temperature: way.temperature, units: units,
        using: &masks)
    }
    compareWithoutBiases(network, data.test, &outcome)
    return outcome
  }

  private static func compareWithoutBiases(
    _ network: Perceptron, _ set: ImageSet, _ outcome: inout Outcome
  ) {
    var start = RandomStream(seed: 0, "weights that are replaced")
    let bare = Perceptron(network.plan, using: &start)
    for (own, trained) in zip(bare.layers, network.layers) {
      own.weight.value = trained.weight.value
      own.bias.value = Tensor(repeating: 0, trained.bias.value.shape)
    }
    let factor = 1 / network.plan.keepHidden
    let passed = network.layers.dropFirst().reduce(Float(1)) { product, _ in product * factor }
    for batch in Array(set.labels.indices).batches(of: 1000) {
      let images = set.images(batch)
      let right = bare.logits(of: images)
      let tape = Tape(recording: false)
      var x = flatten(tape.constant(images))
      for (index, layer) in bare.layers.enumerated() { x = layer(index > 0 ? x * factor : x) }
      outcome.unbiasedDistance = max(
        outcome.unbiasedDistance,
        Double((x.value * (1 / passed) - right).maximumMagnitude()))
      outcome.unbiasedChanges += Double(
        zip(x.value.predictions, right.predictions).count { $0 != $1 })
    }
  }

  /// The number by which logits are best divided: the least cross-entropy on some images (Guo and
  /// others 2017), by golden section over its logarithm.
  static func temperature(_ network: Perceptron, _ set: ImageSet, _ indices: [Int]) -> Double {
    let logits = Array(indices).batches(of: 1000).flatMap { batch in
      network.logits(of: set.images(batch)).values.map(Double.init)
    }
    let labels = set.labels(indices)
    func loss(_ logarithm: Double) -> Double {
      let scale = exp(-logarithm)
      return labels.enumerated().reduce(0) { sum, pair in
        let row = logits[pair.offset * 10..<pair.offset * 10 + 10]
        let largest = row.max()!
        let total = row.reduce(0) { $0 + exp(scale * ($1 - largest)) }
        return sum + log(total) - scale * (row[row.startIndex + pair.element] - largest)
      }
    }
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (-2.0, 3.0)
    while high - low > 1e-3 {
      let (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
      if loss(left) < loss(right) { high = right } else { low = left }
    }
    return exp((low + high) / 2)
  }

  private static func variant(
    _ network: Perceptron, _ set: ImageSet, factor: Float?, temperature: Float = 1,
    units: [Double]?, using masks: inout RandomStream
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
            if let units {
              let place = value / units[index]
              if abs(place) < reach {
                result.histograms[index][Int((place + reach) / (2 * reach) * Double(bins))] += 1
              }
            }
          }
        }
        counts[index] += Double(z.value.count)
        x = activate(z, layer.activation)
      }
      x = temperature == 1 ? x : x * (1 / temperature)
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
