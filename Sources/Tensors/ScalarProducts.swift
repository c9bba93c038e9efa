import Lanes

/// What a tile is to the scalar products of rows: its registers, and how many rows it takes.
///
/// It stands in this file with the loops that use it: of another file, a constant would be a call.
protocol DotShape {
  associatedtype Register: SIMD, BitwiseCopyable where Register.Scalar == Float
  /// Rows of the left factor at a time: two or four.
  static var rows: Int { get }
  /// Rows of the right factor at a time: three or six.
  static var columns: Int { get }
  /// The first floats from a place on, fewer than a register holds or none, and zeros.
  static func load(first count: Int, of p: UnsafePointer<Float>) -> Register
  /// The halves of sixteen lanes, added: those of one register, or two registers.
  static func eight(_ low: Register, _ high: Register) -> SIMD8<Float>
}

/// 4 × 6 sums of a register of sixteen floats: 24 of the 32 of AVX-512.
enum WideDots: DotShape {
  typealias Register = SIMD16<Float>
  static var rows: Int { 4 }
  static var columns: Int { 6 }
}

/// 2 × 3 sums of two registers of eight floats: 12 of the 16 of AVX2.
enum NarrowDots: DotShape {
  typealias Register = SIMD8<Float>
  static var rows: Int { 2 }
  static var columns: Int { 3 }
}

/// `c ← a·bᵀ`, or `c ← c + a·bᵀ`: the scalar products of m rows with n rows.
///
/// Both are read along their rows, so neither is laid out anew; the sixteen lanes of a sum are
/// added at the end. Up to fifteen floats behind each row are read, and do not count.
///
/// - Parameter tile: the caller's, since this may run on a thread that does not know it.
func multiplyRows(
  _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, stride lda: Int,
  _ b: UnsafePointer<Float>, stride ldb: Int,
  into c: UnsafeMutablePointer<Float>, stride ldc: Int, adding: Bool = false, tile: Tile
) {
  switch tile {
  case .wide:
    multiplyRows(WideDots.self, m, n, k, a, lda, b, ldb, into: c, ldc, adding)
  case .narrow:
    multiplyRows(NarrowDots.self, m, n, k, a, lda, b, ldb, into: c, ldc, adding)
  case .openBLAS:
    BLAS.multiply(
      m, n, k, a, stride: lda, b, stride: ldb, transposingSecond: true, into: c, stride: ldc,
      adding: adding)
  }
}

private func multiplyRows<T: DotShape>(
  _: T.Type, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int,
  _ b: UnsafePointer<Float>, _ ldb: Int,
  into c: UnsafeMutablePointer<Float>, _ ldc: Int, _ adding: Bool
) {
  // The rows of b that are summed at a time stay in the first cache while all rows of a pass by:
  // parts of equal length, whole vectors but for the last. The same for every tile, since they
  // decide the order of the sum.
  let parts = max(1, (k + 1407) / 1408)
  let length = (k / parts + 15) / 16 * 16 + (k % parts > 0 ? 16 : 0)
  for start in stride(from: 0, to: max(1, k), by: max(16, length)) {
    let count = min(max(16, length), k - start)
    for j in stride(from: 0, to: n, by: T.columns) {
      for i in stride(from: 0, to: m, by: T.rows) {
        dotTile(
          T.self, min(T.rows, m - i), min(T.columns, n - j), count,
          a + i * lda + start, lda, b + j * ldb + start, ldb,
          into: c + i * ldc + j, ldc, adding: adding || start > 0)
      }
    }
  }
}

// MARK: - The kernel

/// Up to six registers: the sums of one row of a, or what rows of b have for them.
private struct Six<V: SIMD> where V.Scalar == Float {
  var a = V(repeating: 0)
  var b = V(repeating: 0)
  var c = V(repeating: 0)
  var d = V(repeating: 0)
  var e = V(repeating: 0)
  var f = V(repeating: 0)

  /// Adds the products with one row's register.
  @inline(__always)
  mutating func add(_ count: Int, _ x: V, _ y: Six) {
    a.addProduct(x, y.a)
    b.addProduct(x, y.b)
    c.addProduct(x, y.c)
    guard count > 3 else { return }
    d.addProduct(x, y.d)
    e.addProduct(x, y.e)
    f.addProduct(x, y.f)
  }
}

/// Where up to four rows of a and up to six of b stand.
private struct Rows {
  let a0, a1, a2, a3: UnsafePointer<Float>
  let b0, b1, b2, b3, b4, b5: UnsafePointer<Float>

  /// The first m rows from a on and n from b on; for those that are missing stands the last one.
  @inline(__always)
  init(
    _ m: Int, _ n: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>, _ ldb: Int
  ) {
    (a0, a1) = (a, a + min(1, m - 1) &* lda)
    (a2, a3) = (a + min(2, m - 1) &* lda, a + min(3, m - 1) &* lda)
    (b0, b1, b2) = (b, b + min(1, n - 1) &* ldb, b + min(2, n - 1) &* ldb)
    b3 = b + min(3, n - 1) &* ldb
    (b4, b5) = (b + min(4, n - 1) &* ldb, b + min(5, n - 1) &* ldb)
  }
}

/// The sums of a tile, a register for each.
private struct Sums<T: DotShape> {
  var r0 = Six<T.Register>()
  var r1 = Six<T.Register>()
  var r2 = Six<T.Register>()
  var r3 = Six<T.Register>()

  /// Adds what `load` finds in each of the rows.
  @inline(__always)
  mutating func add(_ rows: Rows, _ load: (UnsafePointer<Float>) -> T.Register) {
    var y = Six<T.Register>()
    (y.a, y.b, y.c) = (load(rows.b0), load(rows.b1), load(rows.b2))
    if T.columns > 3 { (y.d, y.e, y.f) = (load(rows.b3), load(rows.b4), load(rows.b5)) }
    r0.add(T.columns, load(rows.a0), y)
    r1.add(T.columns, load(rows.a1), y)
    guard T.rows > 2 else { return }
    r2.add(T.columns, load(rows.a2), y)
    r3.add(T.columns, load(rows.a3), y)
  }
}

/// The scalar products of up to four rows with up to six; what is missing is computed twice over.
///
/// Sixteen floats of each row at a time: a register in the wide tile, whose 24 sums leave room for
/// six rows of b and one of a; in the narrow tile one register after the other, whose two times six
/// sums cannot stay in sixteen registers with less room than for three and one.
private func dotTile<T: DotShape>(
  _: T.Type, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int,
  _ b: UnsafePointer<Float>, _ ldb: Int, into c: UnsafeMutablePointer<Float>, _ ldc: Int,
  adding: Bool
) {
  let lanes = T.Register.scalarCount
  let rows = Rows(m, n, a, lda, b, ldb)
  var (low, high) = (Sums<T>(), Sums<T>())
  var i = 0
  while i &+ 16 <= k {
    low.add(rows) { UnsafeRawPointer($0 + i).loadUnaligned(as: T.Register.self) }
    if lanes < 16 {
      high.add(rows) { UnsafeRawPointer($0 + (i &+ lanes)).loadUnaligned(as: T.Register.self) }
    }
    i &+= 16
  }
  if i < k {
    low.add(rows) { T.load(first: k &- i, of: $0 + i) }
    if lanes < 16 { high.add(rows) { T.load(first: k &- i &- lanes, of: $0 + (i &+ lanes)) } }
  }
  put(T.self, low.r0, high.r0, c, n, adding)
  if m > 1 { put(T.self, low.r1, high.r1, c + ldc, n, adding) }
  if m > 2 { put(T.self, low.r2, high.r2, c + 2 &* ldc, n, adding) }
  if m > 3 { put(T.self, low.r3, high.r3, c + 3 &* ldc, n, adding) }
}

/// Writes or adds the first n of a row's sums, of one register each or of two.
@inline(__always)
private func put<T: DotShape>(
  _: T.Type, _ s: Six<T.Register>, _ t: Six<T.Register>, _ c: UnsafeMutablePointer<Float>,
  _ n: Int, _ adding: Bool
) {
  let (a, b, d) = (T.eight(s.a, t.a), T.eight(s.b, t.b), T.eight(s.c, t.c))
  let x = sums(a, b, d, T.columns > 3 ? T.eight(s.d, t.d) : d)
  var y = SIMD4<Float>(repeating: 0)
  if T.columns > 3 {
    let (e, f) = (T.eight(s.e, t.e), T.eight(s.f, t.f))
    y = sums(e, f, e, f)
  }
  if n == 6, !adding {
    UnsafeMutableRawPointer(c).storeBytes(of: x, as: SIMD4<Float>.self)
    UnsafeMutableRawPointer(c + 4).storeBytes(of: y.lowHalf, as: SIMD2<Float>.self)
    return
  }
  for i in 0..<min(4, n) { c[i] = adding ? c[i] + x[i] : x[i] }
  for i in 4..<max(4, n) { c[i] = adding ? c[i] + y[i - 4] : y[i - 4] }
}

// MARK: - The lanes of a sum

/// The sums of the lanes of four vectors, each by halves: all four at once, because to add up one
/// after the other costs half as much as the products.
@inline(__always)
private func sums(
  _ a: SIMD8<Float>, _ b: SIMD8<Float>, _ c: SIMD8<Float>, _ d: SIMD8<Float>
) -> SIMD4<Float> {
  let ab =
    SIMD8(lowHalf: a.lowHalf, highHalf: b.lowHalf)
    + SIMD8(lowHalf: a.highHalf, highHalf: b.highHalf)
  let cd =
    SIMD8(lowHalf: c.lowHalf, highHalf: d.lowHalf)
    + SIMD8(lowHalf: c.highHalf, highHalf: d.highHalf)
  // a a c c b b d d, what is left of each.
  let acbd =
    SIMD8(ab[0], ab[1], cd[0], cd[1], ab[4], ab[5], cd[4], cd[5])
    + SIMD8(ab[2], ab[3], cd[2], cd[3], ab[6], ab[7], cd[6], cd[7])
  return SIMD4(acbd[0], acbd[4], acbd[2], acbd[6]) + SIMD4(acbd[1], acbd[5], acbd[3], acbd[7])
}

// What lies behind a row counts as 0 by a mask of bits: of a lane's number less the count of lanes,
// the sign. A comparison of lanes is taken apart float by float where there are no mask registers.

extension WideDots {
  @inline(__always)
  static func eight(_ v: Register, _: Register) -> SIMD8<Float> { v.lowHalf + v.highHalf }

  @inline(__always)
  static func load(first count: Int, of p: UnsafePointer<Float>) -> Register {
    let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    let mask = (lanes &- SIMD16(repeating: Int32(truncatingIfNeeded: count))) &>> 31
    let bits = UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Int32>.self)
    return unsafeBitCast(bits & mask, to: Register.self)
  }
}

extension NarrowDots {
  @inline(__always)
  static func eight(_ low: Register, _ high: Register) -> SIMD8<Float> { low + high }

  @inline(__always)
  static func load(first count: Int, of p: UnsafePointer<Float>) -> Register {
    let lanes = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
    let mask = (lanes &- SIMD8(repeating: Int32(truncatingIfNeeded: count))) &>> 31
    let bits = UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Int32>.self)
    return unsafeBitCast(bits & mask, to: Register.self)
  }
}
