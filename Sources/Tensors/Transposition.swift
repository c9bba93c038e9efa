import Lanes

extension Tensor {
  /// The transposed matrix: `[m, n] → [n, m]`.
  public func transposed() -> Tensor {
    precondition(shape.rank == 2, "a matrix wanted: \(shape)")
    let (m, n) = (shape[0], shape[1])
    let result = Tensor(uninitialized: [n, m])
    for i in stride(from: 0, to: m, by: 8) {
      transpose(
        rows: min(8, m - i), pointer + i * n, stride: n, columns: n,
        into: result.freshPointer + i, stride: m, width: min(8, m - i))
    }
    return result
  }
}

/// Lays out up to eight rows of a matrix as columns: row k of the result has their elements k.
///
/// - Parameters:
///   - a: up to seven floats behind each row are read.
///   - width: floats of each row of the result that are written: eight, unless what stands behind
///     the rows that there are must stay. What is too much, the next row overwrites when it is near.
///   - room: floats of `b` that may be written; as many as wanted if nil.
func transpose(
  rows: Int, _ a: UnsafePointer<Float>, stride lda: Int, columns: Int,
  into b: UnsafeMutablePointer<Float>, stride ldb: Int, width: Int = 8, room: Int = .max
) {
  // In the place of a row that there is not stands the last.
  func row(_ index: Int) -> UnsafePointer<Float> { a + min(index, rows - 1) &* lda }
  let (a0, a1, a2, a3) = (row(0), row(1), row(2), row(3))
  let (a4, a5, a6, a7) = (row(4), row(5), row(6), row(7))
  for k in stride(from: 0, to: columns, by: 8) {
    let low = Square(
      loadEight(a0 + k), loadEight(a1 + k), loadEight(a2 + k), loadEight(a3 + k))
    let high = Square(
      loadEight(a4 + k), loadEight(a5 + k), loadEight(a6 + k), loadEight(a7 + k))
    func put(_ column: Int, _ upper: SIMD4<Float>, _ lower: SIMD4<Float>) {
      guard k &+ column < columns else { return }
      let place = (k &+ column) &* ldb
      store(
        SIMD8(lowHalf: upper, highHalf: lower), b + place, first: min(width, room &- place))
    }
    put(0, low.a.lowHalf, high.a.lowHalf)
    put(1, low.b.lowHalf, high.b.lowHalf)
    put(2, low.c.lowHalf, high.c.lowHalf)
    put(3, low.d.lowHalf, high.d.lowHalf)
    put(4, low.a.highHalf, high.a.highHalf)
    put(5, low.b.highHalf, high.b.highHalf)
    put(6, low.c.highHalf, high.c.highHalf)
    put(7, low.d.highHalf, high.d.highHalf)
  }
}

/// Four rows of eight floats with each half transposed: `a` has the columns 0 and 4, `b` 1 and 5.
private struct Square {
  let a, b, c, d: SIMD8<Float>

  @inline(__always)
  init(_ p: SIMD8<Float>, _ q: SIMD8<Float>, _ r: SIMD8<Float>, _ s: SIMD8<Float>) {
    // p0 q0 p1 q1 …, then p0 q0 r0 s0 …
    let (pq, pq2) = (
      SIMD8(p[0], q[0], p[1], q[1], p[4], q[4], p[5], q[5]),
      SIMD8(p[2], q[2], p[3], q[3], p[6], q[6], p[7], q[7])
    )
    let (rs, rs2) = (
      SIMD8(r[0], s[0], r[1], s[1], r[4], s[4], r[5], s[5]),
      SIMD8(r[2], s[2], r[3], s[3], r[6], s[6], r[7], s[7])
    )
    a = SIMD8(pq[0], pq[1], rs[0], rs[1], pq[4], pq[5], rs[4], rs[5])
    b = SIMD8(pq[2], pq[3], rs[2], rs[3], pq[6], pq[7], rs[6], rs[7])
    c = SIMD8(pq2[0], pq2[1], rs2[0], rs2[1], pq2[4], pq2[5], rs2[4], rs2[5])
    d = SIMD8(pq2[2], pq2[3], rs2[2], rs2[3], pq2[6], pq2[7], rs2[6], rs2[7])
  }
}
