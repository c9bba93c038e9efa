import Foundation
import Methods

/// The loss of a what-where auto-encoder number by number, in Double.
package struct PlainWhatWhere {
  /// Channels of rows of numbers.
  package typealias Maps = [[[Double]]]

  private let plan: WhatWhereAutoencoder.Plan

  /// The loss of networks by a plan.
  package init(_ plan: WhatWhereAutoencoder.Plan) { self.plan = plan }

  // snippet.plainly
  /// L of images, of which the first have labels.
  ///
  /// - Parameter w: weights and biases in turn, of the convolutions first to last, of the output
  ///   layer, and of the decoder's layers in the order of the convolutions that they turn back.
  package func loss(_ w: [[Double]], images: [[[Double]]], labels: [Int]) -> Double {
    let blocks = plan.blocks
    let back = 2 * blocks.count + 2
    var (nll, drawn, between) = (0.0, 0.0, 0.0)
    for (index, image) in images.enumerated() {
      var (inputs, places): ([Maps], [[[[Int]]]?]) = ([], [])
      var x = [image]
      for (m, block) in blocks.enumerated() {
        inputs.append(x)
        x = rectified(convolved(x, w[2 * m], w[2 * m + 1], block.kernel))
        places.append(block.pools ? self.places(x) : nil)
        if let places = places[m] { x = picked(x, places) }
      }
      if index < labels.count {
        nll -= logProbability(labels[index], of: x, w[back - 2], w[back - 1])
      }
      for (m, block) in blocks.enumerated().reversed() {
        if let places = places[m] {
          // The side before the pooling: what the block read, less what its filters took.
          x = putBack(x, places, side: inputs[m][0].count - block.kernel + 1)
        }
        x = spread(x, w[back + 2 * m], w[back + 2 * m + 1], block.kernel)
        if m > 0 { x = rectified(x) }
        let error = distance(inputs[m], x)
        if m == 0 { drawn += error } else { between += error }
      }
    }
    let n = Double(images.count)
    return nll / Double(labels.count)
      + (Double(plan.reconstruction) * drawn + Double(plan.middle) * between) / n
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
  private func spread(_ x: Maps, _ w: [Double], _ b: [Double], _ k: Int) -> Maps {
    let (side, channels) = (x[0].count + k - 1, b.count)
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

  /// The place of the largest of each 2 × 2 among the four, of equals the first.
  private func places(_ x: Maps) -> [[[Int]]] {
    x.map { map in
      (0..<map.count / 2).map { r in
        (0..<map.count / 2).map { c in
          let four = (0..<4).map { map[2 * r + $0 / 2][2 * c + $0 % 2] }
          return four.firstIndex(of: four.max()!)!
        }
      }
    }
  }

  /// The numbers at some places.
  private func picked(_ x: Maps, _ places: [[[Int]]]) -> Maps {
    zip(x, places).map { map, places in
      places.enumerated().map { r, row in
        row.enumerated().map { c, place in map[2 * r + place / 2][2 * c + place % 2] }
      }
    }
  }

  /// Each number at its place, or at the first of the four where the decoder is not told.
  private func putBack(_ x: Maps, _ places: [[[Int]]], side: Int) -> Maps {
    zip(x, places).map { map, places in
      var y = [[Double]](repeating: [Double](repeating: 0, count: side), count: side)
      for r in map.indices {
        for c in map[r].indices {
          let place = plan.knowsWhere ? places[r][c] : 0
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
