import Lanes

extension Shape {
  /// The dimension that counts the examples of a batch: the second of images, else the first.
  ///
  /// A batch is a vector `[n]`, a matrix `[n, c]` or images `[c, n, h, w]`.
  public var exampleAxis: Int {
    precondition(rank == 1 || rank == 2 || rank == 4, "a batch wanted, not \(self)")
    return rank == 4 ? 1 : 0
  }

  /// The dimension that counts the features of an example: the channels of images, else columns.
  public var featureAxis: Int {
    precondition(rank == 2 || rank == 4, "a matrix or images wanted, not \(self)")
    return rank == 4 ? 0 : 1
  }

  /// The number of examples in a batch of this shape.
  public var exampleCount: Int { self[exampleAxis] }

  /// The same shape with another extent of one dimension.
  func replacing(_ axis: Int, by extent: Int) -> Shape {
    var extents = dimensions
    extents[axis] = extent
    return Shape(extents)
  }
}

/// A tensor seen around one of its dimensions: `[outer, extent, inner]`.
private struct AxisLayout {
  let outer, extent, inner: Int

  init(_ shape: Shape, _ axis: Int) {
    extent = shape[axis]
    outer = shape.dimensions[..<axis].reduce(1, *)
    inner = shape.dimensions[(axis + 1)...].reduce(1, *)
  }
}

extension Tensor {
  /// The examples of a range, copied: rows of a matrix, images of a batch `[c, n, h, w]`.
  public func rows(_ range: Range<Int>) -> Tensor { slice(range, axis: shape.exampleAxis) }

  /// What stands in a range of one dimension, copied.
  public func slice(_ range: Range<Int>, axis: Int) -> Tensor {
    let layout = AxisLayout(shape, axis)
    precondition(
      range.lowerBound >= 0 && range.upperBound <= layout.extent,
      "\(range) is no part of dimension \(axis) of \(shape)")
    let run = range.count * layout.inner
    return Tensor(uninitialized: shape.replacing(axis, by: range.count)) { y in
      for outer in 0..<layout.outer {
        (y.baseAddress! + outer * run).update(
          from: pointer + (outer * layout.extent + range.lowerBound) * layout.inner, count: run)
      }
    }
  }

  /// A tensor of zeros in which this one stands from a place of one dimension on.
  ///
  /// What `slice` does, transposed.
  public func embedded(in shape: Shape, from start: Int, axis: Int) -> Tensor {
    let (part, whole) = (AxisLayout(self.shape, axis), AxisLayout(shape, axis))
    precondition(
      shape.replacing(axis, by: part.extent) == self.shape && start >= 0
        && start + part.extent <= whole.extent,
      "\(self.shape) does not fit into \(shape) from \(start) on in dimension \(axis)")
    let run = part.extent * part.inner
    return Tensor(uninitialized: shape) { y in
      y.update(repeating: 0)
      for outer in 0..<part.outer {
        (y.baseAddress! + (outer * whole.extent + start) * whole.inner).update(
          from: pointer + outer * run, count: run)
      }
    }
  }

  /// Tensors one after another along a dimension; in all others they agree.
  public static func concatenation(_ parts: [Tensor], axis: Int) -> Tensor {
    precondition(!parts.isEmpty, "nothing to concatenate")
    let first = parts[0].shape
    let extents = parts.map { part in
      precondition(
        part.shape.rank == first.rank && part.shape.replacing(axis, by: first[axis]) == first,
        "\(part.shape) does not continue \(first) in dimension \(axis)")
      return part.shape[axis]
    }
    let shape = first.replacing(axis, by: extents.reduce(0, +))
    let layout = AxisLayout(shape, axis)
    return Tensor(uninitialized: shape) { y in
      var start = 0
      for (part, extent) in Swift.zip(parts, extents) {
        let run = extent * layout.inner
        for outer in 0..<layout.outer {
          (y.baseAddress! + (outer * layout.extent + start) * layout.inner).update(
            from: part.pointer + outer * run, count: run)
        }
        start += extent
      }
    }
  }

  /// The sum of each example: `[n, c]` or `[c, n, h, w]` → `[n]`; a vector as it is.
  public func sumPerExample() -> Tensor {
    let layout = AxisLayout(shape, shape.exampleAxis)
    let result = Tensor(uninitialized: [layout.extent])
    let (x, y) = (pointer, result.freshPointer)
    let size = layout.outer * layout.inner
    Parallel.forEachRange(layout.extent, by: max(1, 32_768 / max(1, size))) { examples in
      for example in examples {
        var sum = Vector(repeating: 0)
        for outer in 0..<layout.outer {
          let run = x + (outer &* layout.extent &+ example) &* layout.inner
          var i = 0
          while i &+ 16 <= layout.inner {
            sum += load(run + i)
            i &+= 16
          }
          if i < layout.inner {
            let last = load(run + i)
            for lane in 0..<layout.inner - i { sum[lane] += last[lane] }
          }
        }
        y[example] = sum.sum()
      }
    }
    return result
  }

  /// Each example times a number of its own.
  ///
  /// Shapes: self `[n]`, `[n, c]` or `[c, n, h, w]`, factors `[n]`.
  public func scaledPerExample(_ factors: Tensor) -> Tensor {
    precondition(factors.shape == [shape.exampleCount], "factors \(factors.shape) for \(shape)")
    return scaledRows(factors, length: AxisLayout(shape, shape.exampleAxis).inner)
  }
}
