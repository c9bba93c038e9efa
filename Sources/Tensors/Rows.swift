import Lanes

extension Tensor {
  /// Rows of a matrix in a piece of a loop over rows.
  private static func rowGrain(_ columns: Int) -> Int { max(1, 32_768 / max(1, columns)) }

  /// Adds a bias to each row of a matrix and applies an activation, in one pass.
  ///
  /// Shapes: self `[n, k]`, bias `[k]`.
  public mutating func addToRows(_ bias: Tensor, activation: Activation) {
    precondition(
      shape.rank == 2 && bias.shape == [shape[1]], "bias \(bias.shape) for rows of \(shape)")
    let (n, k) = (shape[0], shape[1])
    let source = bias.pointer
    withUnsafeMutableBufferPointer { buffer in
      let target = buffer.baseAddress!
      Parallel.forEachRange(n, by: Self.rowGrain(k)) { rows in
        for row in rows {
          let (x, b) = (UnsafeMutableRawPointer(target + row * k), UnsafeRawPointer(source))
          var j = 0
          while j &+ 16 <= k {
            let sum =
              x.loadUnaligned(fromByteOffset: j &* 4, as: Vector.self)
              + b.loadUnaligned(fromByteOffset: j &* 4, as: Vector.self)
            x.storeBytes(of: activation(sum), toByteOffset: j &* 4, as: Vector.self)
            j &+= 16
          }
          if j < k {
            var last = Vector(repeating: 0)
            for lane in 0..<k - j { last[lane] = target[row * k + j + lane] + source[j + lane] }
            last = activation(last)
            for lane in 0..<k - j { target[row * k + j + lane] = last[lane] }
          }
        }
      }
    }
  }

  /// The sum of the rows of a matrix: `[n, k] → [k]`.
  ///
  /// Pieces of rows are summed apart and added in their order.
  public func sumOfRows() -> Tensor {
    precondition(shape.rank == 2, "a matrix wanted: \(shape)")
    let (n, k) = (shape[0], shape[1])
    let grain = Self.rowGrain(k)
    let pieces = max(1, (n + grain - 1) / grain)
    var partial = Tensor(repeating: 0, [pieces, k])
    let source = pointer
    partial.withUnsafeMutableBufferPointer { buffer in
      let target = buffer.baseAddress!
      Parallel.forEachRange(n, by: grain) { rows in
        let sums = target + rows.lowerBound / grain * k
        for row in rows { Self.add(source + row * k, to: sums, k) }
      }
      for piece in 1..<max(1, pieces) { Self.add(target + piece * k, to: target, k) }
    }
    return Tensor(uninitialized: [k]) { $0.baseAddress!.update(from: partial.pointer, count: k) }
  }

  /// `target += source` over k floats.
  static func add(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, _ k: Int)
  {
    let (x, y) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
    var j = 0
    while j &+ 16 <= k {
      let sum =
        y.loadUnaligned(fromByteOffset: j &* 4, as: Vector.self)
        + x.loadUnaligned(fromByteOffset: j &* 4, as: Vector.self)
      y.storeBytes(of: sum, toByteOffset: j &* 4, as: Vector.self)
      j &+= 16
    }
    while j < k {
      target[j] += source[j]
      j &+= 1
    }
  }
}

extension Tensor {
  /// Each run of `length` elements multiplied by the next factor; after the last comes the first.
  ///
  /// Shapes: self holds a multiple of `factors.count · length` elements.
  public func scaledRows(_ factors: Tensor, length: Int) -> Tensor {
    let (n, round) = (factors.count, factors.count * length)
    precondition(
      round == 0 ? count == 0 : count % round == 0, "\(n) rows of \(length) in \(shape)")
    guard count > 0 else { return self }
    let result = Tensor(uninitialized: shape)
    let (x, f, y) = (pointer, factors.pointer, result.freshPointer)
    Parallel.forEachRange(count / length, by: Self.rowGrain(length)) { rows in
      for row in rows {
        let factor = f[row % n]
        for i in row &* length..<(row &+ 1) &* length { y[i] = x[i] * factor }
      }
    }
    return result
  }
}
