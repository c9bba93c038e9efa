import Foundation
import Methods
import Notebook
import Tensors

/// How large signals are in networks that have not been trained, for chapter 2.3.1.
package enum SignalSizes {
  /// The mean square of all elements.
  ///
  /// It is added up in `Double`: squares of small numbers leave the range of `Float`.
  package static func meanSquare(_ x: Tensor) -> Double {
    x.values.reduce(0) { $0 + Double($1) * Double($1) } / Double(x.count)
  }

  /// Mean squares of the signals of many networks, `[network][layer]`.
  package struct Profile: Sendable {
    package var forward: [[Double]] = []
    package var backward: [[Double]] = []

    /// The mean over networks and layers of the ratio between neighbouring layers.
    package func ratio(_ rows: KeyPath<Profile, [[Double]]>) -> Double {
      let ratios = self[keyPath: rows].flatMap { zip($0.dropFirst(), $0).map { $0 / $1 } }
      return ratios.reduce(0, +) / Double(ratios.count)
    }

    /// The mean over networks and layers of the logarithm of that ratio, forward.
    package var drift: Double {
      let steps = forward.flatMap { zip($0.dropFirst(), $0).map { log($0 / $1) } }
      return steps.reduce(0, +) / Double(steps.count)
    }

    /// The root mean square of each layer in the typical network: a geometric mean.
    package func typical(_ rows: KeyPath<Profile, [[Double]]>) -> [Double] {
      let rows = self[keyPath: rows]
      return rows[0].indices.map { layer in
        exp(rows.reduce(0) { $0 + log($1[layer]) } / Double(2 * rows.count))
      }
    }

    /// The root of the mean square of each layer over all networks, of which the formula speaks.
    package func whole(_ rows: KeyPath<Profile, [[Double]]>) -> [Double] {
      let rows = self[keyPath: rows]
      return rows[0].indices.map { layer in
        (rows.reduce(0) { $0 + $1[layer] } / Double(rows.count)).squareRoot()
      }
    }

    /// The root mean square of each layer that a share of the networks stay below.
    package func quantile(_ share: Double, _ rows: KeyPath<Profile, [[Double]]>) -> [Double] {
      let rows = self[keyPath: rows]
      return rows[0].indices.map { layer in
        let sorted = rows.map { $0[layer] }.sorted()
        return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))].squareRoot()
      }
    }
  }

  /// Random networks of equal layers, random inputs and random gradients at the output.
  package static func profile(
    _ plan: Perceptron.Plan, networks: Int, deviation: Float, using stream: inout RandomStream
  ) -> Profile {
    var profile = Profile()
    for _ in 0..<networks {
      let network = Perceptron(plan, using: &stream)
      let input = stream.normal([1, plan.sizes[0]], deviation: deviation)
      let cotangent = stream.normal([1, plan.sizes.last!])
      let (activations, gradients) = network.signals(input) { _ in cotangent }
      profile.forward.append(activations.map(meanSquare))
      profile.backward.append(gradients.reversed().map(meanSquare))
    }
    return profile
  }

  /// The share of the numbers, zeros left out, in 44 bins of the logarithm of their size.
  package static func histogram(_ x: Tensor, from low: Double, to high: Double) -> [Mark.Point] {
    let width = (high - low) / 44
    var counts = [Double](repeating: 0, count: 44)
    let sizes = x.values.filter { $0 != 0 }.map { log10(Double(abs($0))) }
    for size in sizes {
      let bin = Int((size - low) / width)
      if counts.indices.contains(bin) { counts[bin] += 1 / Double(sizes.count) }
    }
    return counts.enumerated().map { (x: low + Double($0) * width, y: $1) }
  }
}
