import Foundation

/// The loss of a what-where auto-encoder of two blocks, the first of which pools, number by number and
/// in Double.
package struct PlainWhatWhere {
  /// Channels of rows of numbers.
  package typealias Maps = [[[Double]]]

  /// Filters of the two blocks, and the pixels of a side of each filter.
  package let filters, kernels: [Int]
  /// λ_rec and λ_M.
  package let reconstruction, middle: Double
  package let knowsWhere: Bool

  package init(
    filters: [Int], kernels: [Int], reconstruction: Double, middle: Double, knowsWhere: Bool
  ) {
    (self.filters, self.kernels) = (filters, kernels)
    (self.reconstruction, self.middle, self.knowsWhere) = (reconstruction, middle, knowsWhere)
  }

  // snippet.plainly
  /// L of images, of which the first have labels.
  ///
  /// - Parameter w: the network's parameters in their order: weights and biases of the convolutions,
  ///   of the output layer, and of the decoder.
  package func loss(_ w: [[Double]], images: [[[Double]]], labels: [Int]) -> Double {
    var (nll, drawn, between) = (0.0, 0.0, 0.0)
    for (index, image) in images.enumerated() {
      let x = [image]
      let wide = rectified(convolved(x, w[0], w[1], kernels[0]))
      let (what, places) = pooled(wide)
      let top = rectified(convolved(what, w[2], w[3], kernels[1]))
      if index < labels.count { nll -= logProbability(labels[index], of: top, w[4], w[5]) }
      let back = rectified(spread(top, w[8], w[9], channels: filters[0], kernels[1]))
      let unpooled = unpooled(back, at: places, side: wide[0].count)
      drawn += distance(x, spread(unpooled, w[6], w[7], channels: 1, kernels[0]))
      between += distance(what, back)
    }
    let n = Double(images.count)
    return nll / Double(labels.count) + reconstruction * drawn / n + middle * between / n
  }
  // snippet.end

  private func rectified(_ x: Maps) -> Maps { x.map { $0.map { $0.map { max(0, $0) } } } }

  private func distance(_ x: Maps, _ y: Maps) -> Double {
    zip(x.joined().joined(), y.joined().joined()).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  }

  /// Each output is a sum over the filter's window.
  private func convolved(_ x: Maps, _ w: [Double], _ b: [Double], _ k: Int) -> Maps {
    let side = x[0].count - k + 1
    return b.indices.map { f in
      (0..<side).map { r in
        (0..<side).map { c in
          var sum = b[f]
          for channel in x.indices {
            for i in 0..<k {
              for j in 0..<k {
                sum += w[((f * x.count + channel) * k + i) * k + j] * x[channel][r + i][c + j]
              }
            }
          }
          return sum
        }
      }
    }
  }

  /// Each input is added to the outputs of its window.
  private func spread(
    _ x: Maps, _ w: [Double], _ b: [Double], channels: Int, _ k: Int
  ) -> Maps {
    let side = x[0].count + k - 1
    var y = b.map { [[Double]](repeating: [Double](repeating: $0, count: side), count: side) }
    for f in x.indices {
      for channel in 0..<channels {
        for r in x[f].indices {
          for c in x[f][r].indices {
            for i in 0..<k {
              for j in 0..<k {
                y[channel][r + i][c + j] +=
                  w[((f * channels + channel) * k + i) * k + j] * x[f][r][c]
              }
            }
          }
        }
      }
    }
    return y
  }

  /// The largest of each 2 × 2, and its place among the four.
  private func pooled(_ x: Maps) -> (what: Maps, places: [[[Int]]]) {
    let places = x.map { map in
      (0..<map.count / 2).map { r in
        (0..<map.count / 2).map { c in
          (0..<4).max { a, b in
            // Of equals the first, which `max` would pass over.
            let (u, v) = (map[2 * r + a / 2][2 * c + a % 2], map[2 * r + b / 2][2 * c + b % 2])
            return u < v || u == v && a > b
          }!
        }
      }
    }
    let what = zip(x, places).map { map, places in
      places.indices.map { r in
        places[r].indices.map { c in
          map[2 * r + places[r][c] / 2][2 * c + places[r][c] % 2]
        }
      }
    }
    return (what, places)
  }

  /// Each number at its place, or at the first of the four where the decoder is not told.
  private func unpooled(_ x: Maps, at places: [[[Int]]], side: Int) -> Maps {
    zip(x, places).map { map, places in
      var y = [[Double]](repeating: [Double](repeating: 0, count: side), count: side)
      for r in map.indices {
        for c in map[r].indices {
          let place = knowsWhere ? places[r][c] : 0
          y[2 * r + place / 2][2 * c + place % 2] = map[r][c]
        }
      }
      return y
    }
  }

  private func logProbability(
    _ label: Int, of top: Maps, _ w: [Double], _ b: [Double]
  ) -> Double {
    let features = Array(top.joined().joined())
    let logits = b.indices.map { k in
      features.indices.reduce(b[k]) { $0 + w[k * features.count + $1] * features[$1] }
    }
    return logits[label] - log(logits.reduce(0) { $0 + exp($1) })
  }
}
