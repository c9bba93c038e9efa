import Lanes

/// y = f(s·x + t) with a scale and a shift for each feature, and the largest of each 2 × 2 pixels of
/// it where that is asked: what normalisation, its activation and a pooling are, in one.
///
/// A feature's values are few enough to stay in the second cache, and all that is done to them is
/// done before the next feature's turn: moments, mapping and pooling read x from memory once, and so
/// does the pullback with its sums. Without a pooling, what f gave is not read for that but computed
/// again; with one, f′ is read off the quarter that was kept.
///
/// Shapes: x `[n, c]` or `[c, n, h, w]`, s and t `[c]`; y is of x's shape, or `[c, n, ⌊h/2⌋, ⌊w/2⌋]`.
public struct FeatureMapping: Sendable {
  /// y.
  public let output: Tensor
  /// Where the largest of each block stood, 0 … 3, of y's shape; nil without a pooling.
  public let switches: Tensor?
  let (x, scale, shift): (Tensor, Tensor, Tensor)
  /// What products are taken about: the mean, or a number that the caller knows.
  let center: Tensor
  /// 1/√(σ² + ε) when s and t come from x itself.
  let inverse: Tensor?
  let activation: Activation

  /// The mapping by a scale and a shift that do not depend on x.
  ///
  /// - Parameter center: what `pullback` takes its products about, `[c]`; 0 if nil.
  public init(
    _ x: Tensor, scale: Tensor, shift: Tensor, center: Tensor? = nil,
    activation: Activation = .identity, pooling: Bool = false
  ) {
    self.init(
      x, scale, shift, center: center ?? Tensor(repeating: 0, scale.shape), inverse: nil,
      activation, pooling
    ) { _ in }
  }

  /// Normalisation by x's own moments: s = γ/√(σ² + ε), t = β − s·μ.
  ///
  /// - Returns: the mapping, and μ and σ².
  public static func normalising(
    _ x: Tensor, scale γ: Tensor, shift β: Tensor, epsilon ε: Float,
    activation: Activation = .identity, pooling: Bool = false
  ) -> (mapping: FeatureMapping, moments: Moments) {
    let layout = FeatureLayout(x.shape)
    func fresh() -> Tensor { Tensor(uninitialized: [layout.features]) }
    let (mean, variance, inverse, scale, shift) = (fresh(), fresh(), fresh(), fresh(), fresh())
    precondition(
      γ.shape == scale.shape && β.shape == scale.shape,
      "scale \(γ.shape) and shift \(β.shape) for \(x.shape)")
    let (m, v, i) = (mean.freshPointer, variance.freshPointer, inverse.freshPointer)
    let (s, t, g, b) = (scale.freshPointer, shift.freshPointer, γ.pointer, β.pointer)
    let mapping = FeatureMapping(
      x, scale, shift, center: mean, inverse: inverse, activation, pooling
    ) { block in
      layout.takeMoments(x.pointer, block, m, v)
      for feature in block {
        i[feature] = 1 / (v[feature] + ε).squareRoot()
        s[feature] = g[feature] * i[feature]
        t[feature] = b[feature] - m[feature] * s[feature]
      }
    }
    return (mapping, Moments(mean: mean, variance: variance))
  }

  private init(
    _ x: Tensor, _ scale: Tensor, _ shift: Tensor, center: Tensor, inverse: Tensor?,
    _ activation: Activation, _ pooling: Bool, prepare: (Range<Int>) -> Void
  ) {
    let layout = FeatureLayout(x.shape)
    precondition(
      scale.shape == [layout.features] && shift.shape == scale.shape
        && center.shape == scale.shape,
      "scale \(scale.shape) and shift \(shift.shape) for \(x.shape)")
    let blocks = pooling ? Blocks(of: x.shape) : nil
    output = Tensor(uninitialized: blocks?.pooled ?? x.shape)
    switches = blocks.map { Tensor(uninitialized: $0.pooled) }
    (self.x, self.scale, self.shift) = (x, scale, shift)
    (self.center, self.inverse, self.activation) = (center, inverse, activation)
    let (p, y, w) = (x.pointer, output.freshPointer, switches?.freshPointer)
    let (s, t) = (scale.pointer, shift.pointer)
    layout.forEachBlock { block in
      prepare(block)
      guard layout.isContiguous else {
        mapColumns(layout, block, p, y, s, t, activation)
        return
      }
      for feature in block {
        let start = feature &* layout.samples
        guard let blocks, let w else {
          mapRun(p + start, y + start, layout.samples, s[feature], t[feature], activation)
          continue
        }
        let planes = blocks.planes / layout.features
        let place = feature &* planes &* blocks.pooledArea
        blocks.pool(
          planes, p + start, scale: s[feature], shift: t[feature], into: y + place,
          switches: w + place)
        // f is increasing: the largest of f(z) is f of the largest.
        mapRun(y + place, y + place, planes &* blocks.pooledArea, 1, 0, activation)
      }
    }
  }
}

// MARK: - Moments and mappings of a feature

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
    layout.forEachBlock { layout.takeMoments(x, $0, m, v) }
    return Moments(mean: mean, variance: variance)
  }
}

extension FeatureLayout {
  /// The means of some features, then their variances: the second pass finds the first in cache.
  fileprivate func takeMoments(
    _ x: UnsafePointer<Float>, _ block: Range<Int>, _ mean: UnsafeMutablePointer<Float>,
    _ variance: UnsafeMutablePointer<Float>
  ) {
    let share = 1 / Float(samples)
    if isContiguous {
      for feature in block {
        let row = x + feature &* samples
        let average = sumRun(row, samples) { $0 } * share
        mean[feature] = average
        variance[feature] = sumRun(row, samples) { ($0 - average) * ($0 - average) } * share
      }
    } else {
      averageColumns(x, block, into: mean) { value, _ in value }
      averageColumns(x, block, into: variance) { value, i in
        let distance = value - load(mean + i)
        return distance * distance
      }
    }
  }

  /// The mean of a function of each value of some columns; behind the last column stands padding.
  @inline(__always)
  private func averageColumns(
    _ x: UnsafePointer<Float>, _ block: Range<Int>, into y: UnsafeMutablePointer<Float>,
    _ term: (Vector, _ column: Int) -> Vector
  ) {
    let columns = stride(from: block.lowerBound, to: block.upperBound, by: 16)
    for i in columns { store(Vector(repeating: 0), y + i) }
    for row in 0..<samples {
      let start = row &* features
      for i in columns { store(load(y + i) + term(load(x + (start &+ i)), i), y + i) }
    }
    for i in columns { store(load(y + i) * (1 / Float(samples)), y + i) }
  }
}

/// The sum of a function of each float of a run.
@inline(__always)
private func sumRun(
  _ x: UnsafePointer<Float>, _ count: Int, _ term: (Vector) -> Vector
) -> Float {
  var sum = Vector(repeating: 0)
  var i = 0
  while i &+ 16 <= count {
    sum += term(load(x + i))
    i &+= 16
  }
  if i < count { sum += first(count &- i, of: term(load(x + i))) }
  return sum.sum()
}

/// f(s·x + t) of a run, which may be written where it was read.
private func mapRun(
  _ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ count: Int, _ s: Float,
  _ t: Float, _ activation: Activation
) {
  activation.specialised { f in
    var i = 0
    while i < count {
      store(f(load(x + i) * s + t), y + i, first: count &- i)
      i &+= 16
    }
  }
}

/// f(s·x + t) of some columns.
private func mapColumns(
  _ layout: FeatureLayout, _ block: Range<Int>, _ x: UnsafePointer<Float>,
  _ y: UnsafeMutablePointer<Float>, _ s: UnsafePointer<Float>, _ t: UnsafePointer<Float>,
  _ activation: Activation
) {
  activation.specialised { f in
    for row in 0..<layout.samples {
      let start = row &* layout.features
      for i in stride(from: block.lowerBound, to: block.upperBound, by: 16) {
        store(
          f(load(x + (start &+ i)) * load(s + i) + load(t + i)), y + (start &+ i),
          first: block.upperBound &- i)
      }
    }
  }
}
