import Digits
import Gradients
import Methods
import Networks
import RealModule
import Tensors

/// A network with two hidden layers of a few units, small enough to enumerate what dropout does.
///
/// Vectors hold the ten classes or the units of a layer in their first lanes.
package struct SmallNetwork: Sendable {
  /// Units in each of the two hidden layers; no more than 16.
  package static let units = 8

  private let first: Weights
  private let second: [Vector]
  private let secondBias: Vector
  private let output: [Vector]
  private let outputBias: Vector
  /// Whether hidden units are rectifiers; else they pass on what they receive.
  private let rectifies: Bool

  /// Takes the weights of 784-8-8-10.
  package init(_ network: Perceptron, rectifies: Bool = true) {
    self.rectifies = rectifies
    first = network.weights(of: 0)
    (second, secondBias) = network.columns(of: 1)
    (output, outputBias) = network.columns(of: 2)
  }

  /// What the thinned networks say of one image.
  package struct Averages: Codable, Sendable {
    /// The arithmetic mean of their predictions.
    package var arithmetic: [Double]
    /// The normalised geometric mean.
    package var geometric: [Double]
    /// The prediction with all units and scaled weights.
    package var scaled: [Double]
    /// The probability of a mask whose network gives the digit the largest probability.
    package var rightMasks = 0.0
    /// The sum of the masks' probabilities, which is 1.
    package var total = 0.0
  }

  /// The averages over all 2¹⁶ masks of the hidden units.
  ///
  /// - Parameters:
  ///   - pixels: the image.
  ///   - label: its digit.
  ///   - p: the probability to keep a unit. The network was trained with units divided by p.
  package func averages(_ pixels: [Float], _ label: Int, keep p: Float) -> Averages {
    let n = Self.units
    let hidden = hidden(pixels)
    var result = Averages(
      arithmetic: [Double](repeating: 0, count: 10), geometric: [Double](repeating: 0, count: 10),
      scaled: [])
    for one in 0..<(1 << n) {
      let a = secondLayer(masked(hidden, one) / p)
      var (sum, logs) = (Vector(repeating: 0), Vector(repeating: 0))
      var (right, total) = (Float(0), Float(0))
      let outer = Double(weight(one, p))
      for two in 0..<(1 << n) {
        let (probabilities, logarithms) = softmax(logits(masked(a, two) / p))
        let weight = weight(two, p)
        sum += probabilities * weight
        logs += logarithms * weight
        total += weight
        if probabilities[label] == probabilities.max() { right += weight }
      }
      for k in 0..<10 {
        result.arithmetic[k] += outer * Double(sum[k])
        result.geometric[k] += outer * Double(logs[k])
      }
      result.rightMasks += outer * Double(right)
      result.total += outer * Double(total)
    }
    let powers = result.geometric.map { Double.exp($0) }
    let total = powers.reduce(0, +)
    result.geometric = powers.map { $0 / total }
    result.scaled = scaled(pixels)
    return result
  }

  /// How the probability that the thinned networks give to an image's digit is spread, and which
  /// unit divides them.
  package struct Members: Codable, Sendable {
    /// The probability of the masks in each of 40 bins of 0…1.
    package var histogram = [Double](repeating: 0, count: 40)
    /// That part of it whose masks keep the decisive unit.
    package var kept: [Double] = []
    /// The decisive unit, by which the mean probability of the digit changes most.
    ///
    /// 0 to 7 are in the first hidden layer, 8 to 15 in the second.
    package var unit = 0
    /// The mean probability of the digit over the masks that keep the unit, and that drop it.
    package var meanKept = 0.0
    package var meanDropped = 0.0
  }

  /// The members over all 2¹⁶ masks; arguments as for `averages`.
  package func members(_ pixels: [Float], _ label: Int, keep p: Float) -> Members {
    let n = Self.units
    let hidden = hidden(pixels)
    var result = Members()
    var histograms = [[Double]](
      repeating: [Double](repeating: 0, count: 40), count: 2 * n)
    var sums = [Double](repeating: 0, count: 2 * n)
    var sum = 0.0
    for one in 0..<(1 << n) {
      let a = secondLayer(masked(hidden, one) / p)
      for two in 0..<(1 << n) {
        let given = softmax(logits(masked(a, two) / p)).probabilities[label]
        let weight = Double(weight(one, p)) * Double(weight(two, p))
        let (bin, bits) = (min(39, Int(given * 40)), one | two << n)
        result.histogram[bin] += weight
        sum += weight * Double(given)
        for unit in 0..<(2 * n) where bits >> unit & 1 == 1 {
          histograms[unit][bin] += weight
          sums[unit] += weight * Double(given)
        }
      }
    }
    let (p, q) = (Double(p), 1 - Double(p))
    let means = sums.map { (kept: $0 / p, dropped: (sum - $0) / q) }
    result.unit = means.indices.max {
      abs(means[$0].kept - means[$0].dropped) < abs(means[$1].kept - means[$1].dropped)
    }!
    result.kept = histograms[result.unit]
    (result.meanKept, result.meanDropped) = means[result.unit]
    return result
  }

  /// The prediction with all units kept.
  package func scaled(_ pixels: [Float]) -> [Double] {
    let probabilities = softmax(logits(secondLayer(hidden(pixels)))).probabilities
    return (0..<10).map { Double(probabilities[$0]) }
  }

  /// The inputs of the last layer when only they may be dropped: all units of the first are kept.
  package func lastInputs(_ pixels: [Float]) -> [Double] {
    let a = secondLayer(hidden(pixels))
    return (0..<Self.units).map { Double(a[$0]) }
  }

  // MARK: - Layers

  private func hidden(_ pixels: [Float]) -> Vector {
    var sums = Vector(repeating: 0)
    for unit in 0..<Self.units {
      var sum = first.biases[unit]
      for i in pixels.indices { sum += first.rows[unit * pixels.count + i] * pixels[i] }
      sums[unit] = rectifies ? max(0, sum) : sum
    }
    return sums
  }

  private func secondLayer(_ x: Vector) -> Vector {
    var z = secondBias
    for i in 0..<Self.units { z += second[i] * x[i] }
    return rectifies ? z.replacing(with: 0, where: z .< 0) : z
  }

  private func logits(_ x: Vector) -> Vector {
    var z = outputBias
    for i in 0..<Self.units { z += output[i] * x[i] }
    return z
  }

  private func softmax(_ logits: Vector) -> (probabilities: Vector, logarithms: Vector) {
    let shifted = logits - logits.max()
    let powers = VectorMath.exp(shifted)
    let total = powers.sum()
    return (powers / total, shifted - VectorMath.log(Vector(repeating: total)))
  }

  private func masked(_ x: Vector, _ bits: Int) -> Vector {
    var y = Vector(repeating: 0)
    for i in 0..<Self.units where bits >> i & 1 == 1 { y[i] = x[i] }
    return y
  }

  private func weight(_ bits: Int, _ p: Float) -> Float {
    var weight: Float = 1
    for i in 0..<Self.units { weight *= bits >> i & 1 == 1 ? p : 1 - p }
    return weight
  }
}

/// The weights of a layer, row after row, and its biases.
private struct Weights: Sendable {
  let rows: [Float]
  let biases: [Float]
}

extension Perceptron {
  fileprivate func weights(of layer: Int) -> Weights {
    Weights(rows: layers[layer].weight.value.values, biases: layers[layer].bias.value.values)
  }

  /// The weights that leave each unit of a layer of 8, and the biases; unused lanes of the logits
  /// are so low that softmax gives them nothing.
  fileprivate func columns(of layer: Int) -> (columns: [Vector], bias: Vector) {
    let weights = weights(of: layer)
    let inputs = weights.rows.count / weights.biases.count
    var bias = Vector(repeating: layer == layers.count - 1 ? -1e4 : 0)
    var columns = [Vector](repeating: Vector(repeating: 0), count: inputs)
    for (unit, value) in weights.biases.enumerated() {
      bias[unit] = value
      for i in 0..<inputs { columns[i][unit] = weights.rows[unit * inputs + i] }
    }
    return (columns, bias)
  }
}
