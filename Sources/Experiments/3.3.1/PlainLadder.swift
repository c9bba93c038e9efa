import Digits
import Foundation
import Methods
import Tensors

/// A ladder network without noise written plainly in double precision, for the checks of its loss.
package struct PlainLadder {
  private typealias Rows = [[Double]]

  /// The first layer's weights, `[in, out]` row by row, which may be changed.
  package var first: [Double]
  private let weights: [Rows]
  private let shifts: Rows
  private let scale: [Double]
  private let decoder: [Rows]
  private let combinators: [Rows]
  private let costs: [Double]

  /// The present weights of a network whose layers all have a cost.
  package init(_ network: LadderNetwork) {
    func rows(_ x: Tensor) -> Rows {
      (0..<x.shape[0]).map { row in
        (0..<x.shape[1]).map { Double(x[row * x.shape[1] + $0]) }
      }
    }
    precondition(network.lowest == 0, "a cost of each layer")
    first = network.layers[0].weight.value.values.map(Double.init)
    weights = network.layers.map { rows($0.weight.value) }
    shifts = network.layers.map { $0.shift.value.values.map(Double.init) }
    scale = network.layers.last!.scale!.value.values.map(Double.init)
    decoder = network.decoder.map { rows($0.value) }
    combinators = network.combinators.map { $0.a.map { $0.value.values.map(Double.init) } }
    costs = network.plan.denoisingWeights.map(Double.init)
  }

  private func product(_ x: Rows, _ w: Rows) -> Rows {
    x.map { row in
      w[0].indices.map { j in row.indices.reduce(0) { $0 + row[$1] * w[$1][j] } }
    }
  }

  /// The rows of x, normalised by the moments of other rows.
  private func normalised(_ x: Rows, by other: Rows) -> Rows {
    let n = Double(other.count)
    let means = other[0].indices.map { j in other.reduce(0) { $0 + $1[j] } / n }
    let variances = other[0].indices.map { j in
      other.reduce(0) { $0 + ($1[j] - means[j]) * ($1[j] - means[j]) } / n
    }
    return x.map { row in
      row.indices.map { (row[$0] - means[$0]) / (variances[$0] + 1e-5).squareRoot() }
    }
  }

  /// The products of each layer before they are normalised, and P(class) of each image.
  private func encode(_ images: Rows) -> (products: [Rows], probabilities: Rows) {
    var (h, products) = (images, [Rows]())
    for (l, weight) in weights.enumerated() {
      let columns = weight[0].count
      let own =
        l == 0 ? weight.indices.map { Array(first[$0 * columns..<($0 + 1) * columns]) } : weight
      products.append(product(h, own))
      h = normalised(products[l], by: products[l]).map { z in
        z.indices.map { j in
          let shifted = z[j] + shifts[l][j]
          return l == weights.count - 1 ? shifted * scale[j] : max(0, shifted)
        }
      }
    }
    return (
      products,
      h.map { row in
        let total = row.reduce(0) { $0 + exp($1) }
        return row.map { exp($0) / total }
      }
    )
  }

  // snippet.plainly
  /// C of images with labels and of others, without noise.
  package func loss(_ images: [[Double]], _ labels: [Int], others: [[Double]]) -> Double {
    let named = zip(encode(images).probabilities, labels).map { log($0[$1]) }
    let (products, top) = encode(others)
    let z = [others] + products.map { normalised($0, by: $0) }
    var loss = -named.reduce(0, +) / Double(labels.count)
    var ẑ = top
    for l in z.indices.reversed() {
      let above = l == products.count ? ẑ : product(ẑ, decoder[l])
      ẑ = combined(l, z[l], normalised(above, by: above))
      let guess = l == 0 ? ẑ : normalised(ẑ, by: products[l - 1])
      let squares = zip(guess, z[l]).reduce(0.0) { sum, pair in
        zip(pair.0, pair.1).reduce(sum) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      loss += costs[l] * squares / Double(others.count * z[l][0].count)
    }
    return loss
  }

  /// ẑ of layer l, from z̃ and u.
  private func combined(_ l: Int, _ z̃: [[Double]], _ u: [[Double]]) -> [[Double]] {
    let a = combinators[l]
    func bent(_ k: Int, _ j: Int, _ u: Double) -> Double {
      a[k][j] / (1 + exp(-a[k + 1][j] * u - a[k + 2][j])) + a[k + 3][j] * u + a[k + 4][j]
    }
    return z̃.indices.map { i in
      z̃[i].indices.map { j in
        let (μ, υ) = (bent(0, j, u[i][j]), bent(5, j, u[i][j]))
        return (z̃[i][j] - μ) * υ + μ
      }
    }
  }
  // snippet.end

  /// What stands beside the clean first layer of images, from its noisy z̃ and from u.
  package func firstGuess(
    _ z̃: [[Double]], above u: [[Double]], of images: [[Double]]
  ) -> [[Double]] {
    normalised(combined(1, z̃, u), by: encode(images).products[0])
  }
}
