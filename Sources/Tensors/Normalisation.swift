import Lanes

/// The mean and variance of each feature over a batch.
public struct Moments: Sendable {
  /// One mean a feature: `[features]`.
  public let mean: Tensor
  /// One biased variance (divided by the count) a feature: `[features]`.
  public let variance: Tensor

  /// Moments from two tensors of one shape.
  public init(mean: Tensor, variance: Tensor) {
    precondition(mean.shape == variance.shape, "\(mean.shape) and \(variance.shape)")
    self.mean = mean
    self.variance = variance
  }
}

/// How the features lie in a tensor: the columns of a matrix or the channels of images.
struct FeatureLayout {
  /// The number of features, and of values of each.
  let features, samples: Int
  /// Whether a feature's values are contiguous (images `[c, n, h, w]`) or a column (`[n, c]`).
  let isContiguous: Bool

  init(_ shape: Shape) {
    isContiguous = shape.featureAxis == 0
    features = shape[shape.featureAxis]
    samples = shape.count / max(1, features)
  }
}

extension Tensor {
  /// The mean and the biased variance of each feature over the batch, in two passes.
  ///
  /// Shapes: `[n, c]` or `[c, n, h, w]` → moments `[c]`.
  public func moments() -> Moments {
    let layout = FeatureLayout(shape)
    let (mean, variance) = (
      Tensor(uninitialized: [layout.features]), Tensor(uninitialized: [layout.features])
    )
    let (x, m, v) = (pointer, mean.freshPointer, variance.freshPointer)
    let scale = 1 / Float(layout.samples)
    layout.forEachBlock { block in
      if layout.isContiguous {
        for feature in block {
          let row = x + feature &* layout.samples
          let average = sumRow(row, layout.samples) { $0 } * scale
          let shift = Vector(repeating: average)
          m[feature] = average
          v[feature] = sumRow(row, layout.samples) { ($0 - shift) * ($0 - shift) } * scale
        }
      } else {
        let average = sumColumns(x, layout, block) { $0 } * scale
        put(average, m, block)
        put(sumColumns(x, layout, block) { ($0 - average) * ($0 - average) } * scale, v, block)
      }
    }
    return Moments(mean: mean, variance: variance)
  }

  /// The sum of each feature over the batch: `[n, c]` or `[c, n, h, w]` → `[c]`.
  public func sumOfFeatures() -> Tensor {
    guard shape.rank == 4 else { return sumOfRows() }
    let layout = FeatureLayout(shape)
    let sums = Tensor(uninitialized: [layout.features])
    let (x, y) = (pointer, sums.freshPointer)
    layout.forEachBlock { block in
      for feature in block {
        y[feature] = sumRow(x + feature &* layout.samples, layout.samples) { $0 }
      }
    }
    return sums
  }

  /// `activation(scale·x + shift)` with a scale and a shift for each feature.
  ///
  /// Shapes: self `[n, c]` or `[c, n, h, w]`, scale and shift `[c]`.
  public func scaled(
    byFeature scale: Tensor, shift: Tensor, activation: Activation = .identity
  ) -> Tensor {
    let layout = FeatureLayout(shape)
    precondition(
      scale.shape == [layout.features] && shift.shape == scale.shape,
      "scale \(scale.shape) and shift \(shift.shape) for \(shape)")
    let result = Tensor(uninitialized: shape)
    let (x, y, a, b) = (pointer, result.freshPointer, scale.pointer, shift.pointer)
    layout.forEachBlock { block in
      if layout.isContiguous {
        for feature in block {
          let (s, t) = (Vector(repeating: a[feature]), Vector(repeating: b[feature]))
          let offset = feature &* layout.samples
          mapRow(x + offset, y + offset, layout.samples) { activation($0 * s + t) }
        }
      } else {
        let (s, t) = (get(a, block), get(b, block))
        for row in 0..<layout.samples {
          let offset = row &* layout.features
          put(activation(get(x + offset, block) * s + t), y + offset, block)
        }
      }
    }
    return result
  }

  /// For each feature, the sums over the batch of dz and of dz·x, with `dz = self·activation′(y)`.
  ///
  /// Self is the cotangent of y. Both sums come from one pass. Shapes: all `[n, c]` or
  /// `[c, n, h, w]` → twice `[c]`.
  public func featureSums(
    with x: Tensor, mean: Tensor, output y: Tensor, activation: Activation
  ) -> (sum: Tensor, product: Tensor) {
    let layout = FeatureLayout(shape)
    let (sum, product) = (
      Tensor(uninitialized: [layout.features]), Tensor(uninitialized: [layout.features])
    )
    let (dy, px, py, m) = (pointer, x.pointer, y.pointer, mean.pointer)
    let (s, p) = (sum.freshPointer, product.freshPointer)
    layout.forEachBlock { block in
      if layout.isContiguous {
        for feature in block {
          let offset = feature &* layout.samples
          let shift = Vector(repeating: m[feature])
          var (total, weighted) = (Vector(repeating: 0), Vector(repeating: 0))
          var (rest, restWeighted): (Float, Float) = (0, 0)
          var i = 0
          while i &+ 16 <= layout.samples {
            let slope = activation.derivative(fromOutput: load(py + offset + i))
            let dz = load(dy + offset + i) * slope
            total += dz
            weighted.addProduct(dz, load(px + offset + i) - shift)
            i &+= 16
          }
          while i < layout.samples {
            let place = offset &+ i
            let slope = activation.derivative(fromOutput: Vector(repeating: py[place]))[0]
            rest += dy[place] * slope
            restWeighted += dy[place] * slope * (px[place] - m[feature])
            i &+= 1
          }
          s[feature] = total.sum() + rest
          p[feature] = weighted.sum() + restWeighted
        }
      } else {
        let shift = get(m, block)
        var (total, weighted) = (Vector(repeating: 0), Vector(repeating: 0))
        for row in 0..<layout.samples {
          let offset = row &* layout.features
          let slope = activation.derivative(fromOutput: get(py + offset, block))
          let dz = get(dy + offset, block) * slope
          total += dz
          weighted.addProduct(dz, get(px + offset, block) - shift)
        }
        put(total, s, block)
        put(weighted, p, block)
      }
    }
    return (sum, product)
  }

  /// For each feature, `a·dz + b·(x − mean) + c` with `dz = self·activation′(y)`.
  ///
  /// The last pass of batch normalisation's pullback. Shapes: as in `featureSums`; a, b, c `[c]`.
  public func featureCombination(
    with x: Tensor, mean: Tensor, output y: Tensor, activation: Activation,
    _ a: Tensor, _ b: Tensor, _ c: Tensor
  ) -> Tensor {
    let layout = FeatureLayout(shape)
    let result = Tensor(uninitialized: shape)
    let (dy, px, py, m, dx) = (
      pointer, x.pointer, y.pointer, mean.pointer, result.freshPointer
    )
    let (pa, pb, pc) = (a.pointer, b.pointer, c.pointer)
    layout.forEachBlock { block in
      if layout.isContiguous {
        for feature in block {
          let offset = feature &* layout.samples
          let shift = Vector(repeating: m[feature])
          let (va, vb, vc) = (
            Vector(repeating: pa[feature]), Vector(repeating: pb[feature]),
            Vector(repeating: pc[feature])
          )
          var i = 0
          while i < layout.samples {
            // The last vector may reach beyond the row: it is computed whole, and stored in part.
            let dz =
              load(dy + offset + i) * activation.derivative(fromOutput: load(py + offset + i))
            let value = dz * va + (load(px + offset + i) - shift) * vb + vc
            put(value, dx + offset, i..<min(layout.samples, i &+ 16))
            i &+= 16
          }
        }
      } else {
        let (shift, va, vb, vc) = (get(m, block), get(pa, block), get(pb, block), get(pc, block))
        for row in 0..<layout.samples {
          let offset = row &* layout.features
          let slope = activation.derivative(fromOutput: get(py + offset, block))
          let dz = get(dy + offset, block) * slope
          put(dz * va + (get(px + offset, block) - shift) * vb + vc, dx + offset, block)
        }
      }
    }
    return result
  }
}

extension FeatureLayout {
  /// Calls `body` with ranges of features: single rows, or blocks of sixteen columns.
  func forEachBlock(_ body: (Range<Int>) -> Void) {
    Parallel.forEachRange(features, by: isContiguous ? 1 : 16, body)
  }
}

/// The floats of a range of at most sixteen; the lanes beyond its end are arbitrary.
@inline(__always)
private func get(_ p: UnsafePointer<Float>, _ block: Range<Int>) -> Vector {
  load(p + block.lowerBound)
}

/// Stores the lanes of a range of at most sixteen.
@inline(__always)
private func put(_ value: Vector, _ p: UnsafeMutablePointer<Float>, _ block: Range<Int>) {
  if block.count == 16 {
    UnsafeMutableRawPointer(p + block.lowerBound).storeBytes(of: value, as: Vector.self)
  } else {
    for lane in 0..<block.count { p[block.lowerBound &+ lane] = value[lane] }
  }
}

/// The sum of a function of each float of a row.
@inline(__always)
private func sumRow(
  _ row: UnsafePointer<Float>, _ count: Int, _ term: (Vector) -> Vector
) -> Float {
  var sum = Vector(repeating: 0)
  var i = 0
  while i &+ 16 <= count {
    sum += term(load(row + i))
    i &+= 16
  }
  if i < count {
    let last = term(load(row + i))
    for lane in 0..<count - i { sum[lane] += last[lane] }
  }
  return sum.sum()
}

/// A function of each float of a row.
@inline(__always)
private func mapRow(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int,
  _ transform: (Vector) -> Vector
) {
  var i = 0
  while i < count {
    put(transform(load(x + i)), y, i..<min(count, i &+ 16))
    i &+= 16
  }
}

/// The sums of a function of up to sixteen columns.
@inline(__always)
private func sumColumns(
  _ x: UnsafePointer<Float>, _ layout: FeatureLayout, _ block: Range<Int>,
  _ term: (Vector) -> Vector
) -> Vector {
  var sum = Vector(repeating: 0)
  for row in 0..<layout.samples { sum += term(get(x + row &* layout.features, block)) }
  return sum
}
