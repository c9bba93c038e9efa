import Lanes

extension Tensor {
  /// Elements in a piece of an elementwise loop: small enough for a cache, large enough to share.
  @usableFromInline static let grain = 32_768

  /// The number of whole vectors that hold `count` floats.
  @inlinable @inline(__always)
  static func vectors(_ count: Int) -> Int { (count + 15) / 16 }

  /// The memory as vectors; the last one may reach into the padding.
  @inlinable @inline(__always)
  var vectorPointer: UnsafeMutablePointer<Vector> {
    UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: Vector.self)
  }

  /// A tensor of the same shape, each vector a function of this one's.
  @inlinable
  public func map(_ transform: (Vector) -> Vector) -> Tensor {
    let result = Tensor(uninitialized: shape)
    let (x, y) = (vectorPointer, result.vectorPointer)
    Parallel.forEachRange(Self.vectors(count), by: Self.grain / 16) { range in
      for i in range { y[i] = transform(x[i]) }
    }
    return result
  }

  /// Replaces each vector by a function of it.
  @inlinable
  public mutating func mutate(_ transform: (Vector) -> Vector) {
    makeUnique()
    let x = vectorPointer
    Parallel.forEachRange(Self.vectors(count), by: Self.grain / 16) { range in
      for i in range { x[i] = transform(x[i]) }
    }
  }

  /// A tensor of the same shape, each vector a function of this one's and another's.
  @inlinable
  public func zip(_ other: Tensor, _ combine: (Vector, Vector) -> Vector) -> Tensor {
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    let result = Tensor(uninitialized: shape)
    let (x, y, z) = (vectorPointer, other.vectorPointer, result.vectorPointer)
    Parallel.forEachRange(Self.vectors(count), by: Self.grain / 16) { range in
      for i in range { z[i] = combine(x[i], y[i]) }
    }
    return result
  }

  /// Replaces each vector by a function of it and of another tensor's.
  @inlinable
  public mutating func merge(_ other: Tensor, _ combine: (Vector, Vector) -> Vector) {
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    makeUnique()
    let (x, y) = (vectorPointer, other.vectorPointer)
    Parallel.forEachRange(Self.vectors(count), by: Self.grain / 16) { range in
      for i in range { x[i] = combine(x[i], y[i]) }
    }
  }

  /// Three new tensors from four, in one pass over memory: what an update with two moments is.
  ///
  /// - Parameter averages: moved towards the first tensor's new value in the same pass.
  @inlinable
  public static func update(
    _ a: inout Tensor, _ b: inout Tensor, _ c: inout Tensor, by d: Tensor,
    averages: inout [MovingAverage],
    _ transform: (Vector, Vector, Vector, Vector) -> (Vector, Vector, Vector)
  ) {
    precondition(
      a.shape == d.shape && b.shape == d.shape && c.shape == d.shape,
      "shapes differ: \(a.shape), \(b.shape), \(c.shape) and \(d.shape)")
    let (x, y, z) = (a.forWriting(), b.forWriting(), c.forWriting())
    let (px, py, pz) = (x.vectorPointer, y.vectorPointer, z.vectorPointer)
    let (qx, qy, qz, qd) = (a.vectorPointer, b.vectorPointer, c.vectorPointer, d.vectorPointer)
    MovingAverage.move(&averages, with: x) { range in
      for i in range { (px[i], py[i], pz[i]) = transform(qx[i], qy[i], qz[i], qd[i]) }
    }
    (a, b, c) = (x, y, z)
  }

  /// Two new tensors from three, in one pass over memory: what an update with one moment is.
  ///
  /// - Parameter averages: moved towards the first tensor's new value in the same pass.
  @inlinable
  public static func update(
    _ a: inout Tensor, _ b: inout Tensor, by c: Tensor, averages: inout [MovingAverage],
    _ transform: (Vector, Vector, Vector) -> (Vector, Vector)
  ) {
    precondition(
      a.shape == c.shape && b.shape == c.shape,
      "shapes differ: \(a.shape), \(b.shape) and \(c.shape)")
    let (x, y) = (a.forWriting(), b.forWriting())
    let (px, py) = (x.vectorPointer, y.vectorPointer)
    let (qx, qy, qc) = (a.vectorPointer, b.vectorPointer, c.vectorPointer)
    MovingAverage.move(&averages, with: x) { range in
      for i in range { (px[i], py[i]) = transform(qx[i], qy[i], qc[i]) }
    }
    (a, b) = (x, y)
  }

  /// This tensor where nobody else holds its memory, else an uninitialised one of its shape.
  ///
  /// A pass that reads every element and writes it anew saves the copy that `makeUnique` would make.
  @usableFromInline mutating func forWriting() -> Tensor {
    isKnownUniquelyReferenced(&storage) ? self : Tensor(uninitialized: shape)
  }

  /// The product with a number.
  public static func * (a: Tensor, factor: Float) -> Tensor { a.map { $0 * factor } }
  /// Adds another tensor of the same shape.
  public static func += (a: inout Tensor, b: Tensor) { a.merge(b) { $0 + $1 } }
}

extension Tensor {
  /// The sum of two tensors of one shape, or of one with the smaller one repeated.
  ///
  /// What is repeated: a number, `[]` or `[1]`, beside anything; a vector of features `[c]` over the
  /// rows of `[n, c]` and the pixels of `[c, n, h, w]`. Nothing else is: other shapes that differ are
  /// a mistake.
  public static func + (a: Tensor, b: Tensor) -> Tensor { a.broadcast(b) { $0 + $1 } }
  /// The difference of two tensors, of which one may be repeated as in a sum.
  public static func - (a: Tensor, b: Tensor) -> Tensor { a.broadcast(b) { $0 - $1 } }
  /// The elementwise (Hadamard) product of two tensors, of which one may be repeated as in a sum.
  public static func * (a: Tensor, b: Tensor) -> Tensor { a.broadcast(b) { $0 * $1 } }
  /// The elementwise quotient of two tensors, of which one may be repeated as in a sum.
  public static func / (a: Tensor, b: Tensor) -> Tensor { a.broadcast(b) { $0 / $1 } }

  @inline(__always)
  private func broadcast(_ other: Tensor, _ combine: (Vector, Vector) -> Vector) -> Tensor {
    if shape == other.shape { return zip(other, combine) }
    if other.shape.isRepeated(over: shape) {
      return other.isNumber
        ? numberwise(other.scalar) { combine($0, $1) } : featurewise(other) { combine($0, $1) }
    }
    precondition(
      shape.isRepeated(over: other.shape),
      "\(shape) and \(other.shape) are not of one shape, and neither is repeated over the other")
    return isNumber
      ? other.numberwise(scalar) { combine($1, $0) } : other.featurewise(self) { combine($1, $0) }
  }

  private var isNumber: Bool { shape.rank == 0 || shape == [1] }

  @inline(__always)
  private func numberwise(_ number: Float, _ combine: (Vector, Vector) -> Vector) -> Tensor {
    let y = Vector(repeating: number)
    return map { combine($0, y) }
  }

  /// A function of each vector and of that of its features: self `[n, c]` or `[c, n, h, w]`.
  @inline(__always)
  private func featurewise(_ other: Tensor, _ combine: (Vector, Vector) -> Vector) -> Tensor {
    let result = Tensor(uninitialized: shape)
    let (x, v, y) = (pointer, other.pointer, result.freshPointer)
    let layout = FeatureLayout(shape)
    let isRow = !layout.isContiguous
    let (runs, length) =
      isRow ? (layout.samples, layout.features) : (layout.features, layout.samples)
    Parallel.forEachRange(runs, by: max(1, Self.grain / max(1, length))) { range in
      for run in range {
        let start = run &* length
        let number = isRow ? Vector(repeating: 0) : Vector(repeating: v[run])
        var i = 0
        while i &+ 16 <= length {
          store(combine(load(x + start + i), isRow ? load(v + i) : number), y + start + i)
          i &+= 16
        }
        if i < length {
          let last = combine(load(x + start + i), isRow ? load(v + i) : number)
          for lane in 0..<length - i { y[start &+ i &+ lane] = last[lane] }
        }
      }
    }
    return result
  }

  /// The sums over what broadcasting repeats: a tensor of a shape that `+` repeats over this one's.
  public func summed(to target: Shape) -> Tensor {
    if shape == target { return self }
    precondition(target.isRepeated(over: shape), "\(target) is not repeated over \(shape)")
    return target.count == 1 ? Tensor(target, [sum()]) : sumOfFeatures()
  }
}

extension Shape {
  /// Whether arithmetic repeats a tensor of this shape over another's: a number or features.
  fileprivate func isRepeated(over other: Shape) -> Bool {
    if rank == 0 { return other.rank > 0 }
    guard rank == 1 else { return false }
    return self == [1]
      ? other.rank > 0
      : (other.rank == 2 || other.rank == 4) && self[0] == other[other.featureAxis]
  }
}

extension Tensor {
  /// The sum of all elements.
  ///
  /// Pieces are summed in sixteen lanes and added in their order, so the bits do not depend on the
  /// number of threads.
  public func sum() -> Float { reduce { _, x in x } }

  /// The sum of all squares.
  public func sumOfSquares() -> Float { reduce { _, x in x * x } }

  /// The scalar product with another tensor, added up in `Double`.
  public func dot(_ other: Tensor) -> Double {
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    var sum = 0.0
    for i in 0..<count { sum += Double(storage.pointer[i]) * Double(other.storage.pointer[i]) }
    return sum
  }

  /// The largest magnitude of an element; 0 for an empty tensor, NaN if one is NaN.
  public func maximumMagnitude() -> Float {
    var largest: Float = 0
    for i in 0..<count {
      let size = abs(storage.pointer[i])
      if size > largest || size.isNaN { largest = size }
      if largest.isNaN { break }
    }
    return largest
  }

  @inline(__always)
  private func reduce(_ term: (Int, Vector) -> Vector) -> Float {
    guard count > 0 else { return 0 }
    let pieces = (count + Self.grain - 1) / Self.grain
    var partial = [Float](repeating: 0, count: pieces)
    partial.withUnsafeMutableBufferPointer { partial in
      let partial = partial.baseAddress!
      Parallel.forEachRange(count, by: Self.grain) { range in
        var sum = Vector(repeating: 0)
        let whole = range.count / 16
        let x = vectorPointer + range.lowerBound / 16
        for i in 0..<whole { sum += term(i, x[i]) }
        // The last vector may reach into the padding: those lanes do not count.
        let rest = range.count % 16
        if rest > 0 {
          var last = term(whole, x[whole])
          for lane in rest..<16 { last[lane] = 0 }
          sum += last
        }
        partial[range.lowerBound / Self.grain] = sum.sum()
      }
    }
    return partial.reduce(0, +)
  }
}
