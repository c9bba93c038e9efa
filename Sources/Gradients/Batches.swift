import Tensors

// A batch is a vector `[n]`, a matrix `[n, c]` or images `[c, n, h, w]` of n examples.

/// The examples of a range: rows of a matrix, images of a batch; the pullback adds zeros elsewhere.
///
/// Shapes: `[n]`, `[n, c]` or `[c, n, h, w]` → the same with the range's length for n.
public func rows(_ x: Variable, _ range: Range<Int>) -> Variable {
  let shape = x.shape
  return x.tape.record(.rows, x.value.rows(range), from: [x]) { ȳ in
    [ȳ.embedded(in: shape, from: range.lowerBound, axis: shape.exampleAxis)]
  }
}

/// Along what batches are put one after another.
public enum Direction: Sendable {
  /// More examples: rows below rows, images after images.
  case rows
  /// More features of each example: columns beside columns, channels behind channels.
  case columns
}

/// Batches one after another, in the order given; the pullback takes them apart.
///
/// Shapes: vectors, matrices or images that agree in all but what `direction` says.
public func concatenation(_ parts: [Variable], along direction: Direction) -> Variable {
  precondition(!parts.isEmpty, "nothing to concatenate")
  let shape = parts[0].shape
  let axis = direction == .rows ? shape.exampleAxis : shape.featureAxis
  let value = Tensor.concatenation(parts.map(\.value), axis: axis)
  let places = parts.map { (extent: $0.shape[axis], isNeeded: $0.needsGradient) }
  return parts[0].tape.record(.concatenation, value, from: parts) { ȳ in
    var start = 0
    return places.map { extent, isNeeded in
      defer { start += extent }
      return isNeeded ? ȳ.slice(start..<start + extent, axis: axis) : nil
    }
  }
}

/// yᵢ = the sum of all that belongs to example i; pullback x̄ = ȳᵢ in all of example i.
///
/// Shapes: `[n]`, `[n, c]` or `[c, n, h, w]` → `[n]`.
public func sumPerExample(_ x: Variable) -> Variable {
  let shape = x.shape
  return x.tape.record(.sumPerExample, x.value.sumPerExample(), from: [x]) { ȳ in
    [Tensor(repeating: 1, shape).scaledPerExample(ȳ)]
  }
}

/// yᵢ = the mean of all that belongs to example i: `[n]`, `[n, c]` or `[c, n, h, w]` → `[n]`.
public func meanPerExample(_ x: Variable) -> Variable {
  sumPerExample(x) * (Float(x.shape.exampleCount) / Float(x.value.count))
}

/// y = each example times a weight of its own; pullback x̄ = w·ȳ, w̄ᵢ = Σ ȳ ⊙ x over example i.
///
/// Shapes: x `[n]`, `[n, c]` or `[c, n, h, w]`, weights `[n]` → that of x.
public func weighted(_ x: Variable, perExample weights: Variable) -> Variable {
  let (a, w) = (x.value, weights.value)
  let (needsX, needsWeights) = (x.needsGradient, weights.needsGradient)
  return x.tape.record(.weightedPerExample, a.scaledPerExample(w), from: [x, weights]) { ȳ in
    [
      needsX ? ȳ.scaledPerExample(w) : nil,
      needsWeights ? (ȳ * a).sumPerExample() : nil,
    ]
  }
}
