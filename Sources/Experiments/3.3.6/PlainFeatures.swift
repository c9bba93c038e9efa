import Methods
import Networks
import Tensors

/// The features of `ExemplarNetwork` by plain loops in Double, one digit at a time.
package enum PlainFeatures {
  /// The features of one image `[1, 1, 28, 28]`.
  package static func features(_ image: Tensor, _ network: ExemplarNetwork) -> [Double] {
    var maps = [image.values.map(Double.init)]
    var features: [Double] = []
    for layer in network.convolutions {
      maps = pooled(convolved(maps, layer))
      features += maps.flatMap(quadrants)
    }
    let x = maps.flatMap { $0 }
    let (weight, bias) = (network.hidden.weight.value, network.hidden.bias.value)
    return features
      + (0..<bias.count).map { j in
        max(0, x.indices.reduce(Double(bias[j])) { $0 + Double(weight[j * x.count + $1]) * x[$1] })
      }
  }

  private static func side(_ map: [Double]) -> Int { Int(Double(map.count).squareRoot()) }

  /// Filters of 5 × 5, and a rectifier.
  private static func convolved(_ maps: [[Double]], _ layer: Convolution) -> [[Double]] {
    let (old, new) = (side(maps[0]), side(maps[0]) - 4)
    return (0..<layer.bias.value.count).map { filter in
      (0..<new * new).map { place in
        var sum = Double(layer.bias.value[filter])
        for channel in maps.indices {
          for i in 0..<25 {
            let pixel = (place / new + i / 5) * old + place % new + i % 5
            let weight = layer.weight.value[(filter * maps.count + channel) * 25 + i]
            sum += Double(weight) * maps[channel][pixel]
          }
        }
        return max(0, sum)
      }
    }
  }

  /// The largest of each 2 × 2.
  private static func pooled(_ maps: [[Double]]) -> [[Double]] {
    let (old, new) = (side(maps[0]), side(maps[0]) / 2)
    return maps.map { map in
      (0..<new * new).map { place in
        (0..<4).map { map[(place / new * 2 + $0 / 2) * old + place % new * 2 + $0 % 2] }.max()!
      }
    }
  }

  /// The largest of each quarter of a map.
  private static func quadrants(_ map: [Double]) -> [Double] {
    let n = side(map)
    return (0..<4).map { quadrant in
      map.indices.filter {
        ($0 / n < n / 2 ? 0 : 2) + ($0 % n < n / 2 ? 0 : 1) == quadrant
      }.map { map[$0] }.max()!
    }
  }
}
