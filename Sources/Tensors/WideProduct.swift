// Products of matrices on vectors of sixteen floats: two small kernels, and the loops around them.
//
// They are here because the OpenBLAS of a Linux distribution is older than the processor, and so is
// what it knows of it: Benchmarks/README.md has the figures. `BLAS.multiply` is the plain version
// that the tests compare them with, and what runs on processors without registers of that width,
// where a tile would not fit.

import Lanes

/// The left factor of a product, laid out in the order in which the kernel reads it.
///
/// Panels of eight rows, each column by column: `panel[k·8 + row]`. Rows that the last panel lacks
/// are zeros. It is laid out once and used for all columns of the right factor, by all threads.
struct LeftFactor {
  private let depth: Int
  private let panels: Tensor
  /// The matrix itself, from which BLAS reads where there are no wide vectors.
  private let source: (a: UnsafePointer<Float>, rowStride: Int, step: Int)

  /// Rows of a panel.
  static let height = 8
  /// Columns of the right factor that are multiplied at a time.
  fileprivate static let width = 48

  /// The matrix of `rows` × `depth` whose element (i, k) stands at `a[i·rowStride + k·step]`.
  ///
  /// One of the two distances is 1; the memory stays as long as this is used.
  init(_ a: UnsafePointer<Float>, rows: Int, depth: Int, rowStride: Int, step: Int) {
    self.depth = depth
    source = (a, rowStride, step)
    guard BLAS.hasWideVectors else {
      panels = Tensor(0)
      return
    }
    let count = (rows + Self.height - 1) / Self.height
    panels = Tensor(uninitialized: [count * depth * Self.height]) { target in
      for panel in 0..<count {
        pack(
          a + panel * Self.height * rowStride, min(Self.height, rows - panel * Self.height), depth,
          rowStride, step, into: target.baseAddress! + panel * depth * Self.height)
      }
    }
  }

  /// `c ← f(self·b + bias)`, or `c ← c + self·b` when adding.
  ///
  /// - Parameters:
  ///   - range: the rows that are computed; it starts at a multiple of eight.
  ///   - b: `[depth, columns]`; up to fifteen floats behind each row are read.
  ///   - c: the whole result, of which the rows in `range` are written, not a float more.
  func multiply(
    rows range: Range<Int>, _ b: UnsafePointer<Float>, stride ldb: Int, columns: Int,
    into c: UnsafeMutablePointer<Float>, stride ldc: Int, adding: Bool = false,
    bias: UnsafePointer<Float>? = nil, activation: Activation = .identity
  ) {
    guard BLAS.hasWideVectors else {
      return multiplyByBLAS(
        rows: range, b, ldb, columns, into: c, ldc, adding, bias, activation)
    }
    let panelRange = range.lowerBound / Self.height...(range.upperBound - 1) / Self.height
    // Strips of a wide matrix lie a page apart from row to row: a copy pays when it is used often.
    let copies = ldb > 512 && panelRange.count > 3
    let tileSize = Self.height * Self.width
    BufferPool.withScratch(tileSize + (copies ? min(depth, Self.block) * Self.width : 0)) { tile in
      for start in stride(from: 0, to: max(1, depth), by: Self.block) {
        let length = min(Self.block, depth - start)
        for column in stride(from: 0, to: columns, by: Self.width) {
          let width = min(Self.width, columns - column)
          var (source, step) = (b + start * ldb + column, ldb)
          if copies {
            copyStrip(source, ldb, length, width, into: tile + tileSize)
            (source, step) = (UnsafePointer(tile + tileSize), Self.width)
          }
          for panel in panelRange {
            let row = panel * Self.height
            let height = min(Self.height, range.upperBound - row)
            let left = panels.pointer + (panel * depth + start) * Self.height
            let target = c + row * ldc + column
            // A tile at the edge, and one that is added, take their way through a tile of their own.
            let isDirect = height == Self.height && width % 16 == 0 && !adding && start == 0
            multiplyTile(
              (width + 15) / 16, length, first(bias, row, height, start), left, source, step,
              into: isDirect ? target : tile,
              isDirect ? ldc : Self.width)
            if !isDirect { merge(tile, height, width, into: target, ldc, adding || start > 0) }
            guard start + length >= depth, activation != .identity else { continue }
            for i in 0..<height { finish(target + i * ldc, width, bias: 0, activation) }
          }
        }
      }
    }
  }

  /// The biases of a panel's rows, from which its sums start; zeros where a sum goes on.
  private func first(
    _ bias: UnsafePointer<Float>?, _ row: Int, _ height: Int, _ start: Int
  ) -> SIMD8<Float> {
    var values = SIMD8<Float>(repeating: 0)
    if let bias, start == 0 { for i in 0..<height { values[i] = bias[row + i] } }
    return values
  }

  /// The same by BLAS.
  func multiplyByBLAS(
    rows range: Range<Int>, _ b: UnsafePointer<Float>, _ ldb: Int, _ columns: Int,
    into c: UnsafeMutablePointer<Float>, _ ldc: Int, _ adding: Bool,
    _ bias: UnsafePointer<Float>?, _ activation: Activation
  ) {
    let isTransposed = source.step != 1
    BLAS.multiply(
      range.count, columns, depth, source.a + range.lowerBound * source.rowStride,
      stride: isTransposed ? source.step : source.rowStride, transposingFirst: isTransposed,
      b, stride: ldb, into: c + range.lowerBound * ldc, stride: ldc, adding: adding)
    guard bias != nil || activation != .identity else { return }
    for row in range { finish(c + row * ldc, columns, bias: bias?[row] ?? 0, activation) }
  }

  /// Columns of the left factor that are multiplied before the sum goes back to memory.
  private static let block = 1536
}

/// Up to three vectors of one row of a tile.
private struct Strip {
  var x, y, z: Vector

  @inline(__always)
  init(_ value: Float) {
    x = Vector(repeating: value)
    (y, z) = (x, x)
  }

  @inline(__always)
  mutating func add(_ vectors: Int, _ a: Float, _ b: Strip) {
    let factor = Vector(repeating: a)
    x.addProduct(factor, b.x)
    if vectors > 1 { y.addProduct(factor, b.y) }
    if vectors > 2 { z.addProduct(factor, b.z) }
  }

  @inline(__always)
  func store(_ vectors: Int, _ p: UnsafeMutablePointer<Float>) {
    Lanes.store(x, p)
    if vectors > 1 { Lanes.store(y, p + 16) }
    if vectors > 2 { Lanes.store(z, p + 32) }
  }
}

/// Eight rows of 16, 32 or 48 columns of a product, each row on top of a number it starts from.
private func multiplyTile(
  _ vectors: Int, _ depth: Int, _ start: SIMD8<Float>, _ a: UnsafePointer<Float>,
  _ b: UnsafePointer<Float>, _ ldb: Int, into c: UnsafeMutablePointer<Float>, _ ldc: Int
) {
  // The number of vectors is a constant in each of the calls, so that each has a loop of its own.
  switch vectors {
  case 1: kernel(1, depth, start, a, b, ldb, into: c, ldc)
  case 2: kernel(2, depth, start, a, b, ldb, into: c, ldc)
  default: kernel(3, depth, start, a, b, ldb, into: c, ldc)
  }
}

/// The kernel: a tile of 8 × 48 stays in 24 of 32 registers while the whole depth is summed.
///
/// Three more hold a row of the right factor and one an element of the left. Each row costs eleven
/// loads for 24 fused multiply-adds of sixteen lanes: the multipliers never wait.
@inline(__always)
private func kernel(
  _ vectors: Int, _ depth: Int, _ start: SIMD8<Float>, _ a: UnsafePointer<Float>,
  _ b: UnsafePointer<Float>, _ ldb: Int, into c: UnsafeMutablePointer<Float>, _ ldc: Int
) {
  var (r0, r1, r2, r3) = (Strip(start[0]), Strip(start[1]), Strip(start[2]), Strip(start[3]))
  var (r4, r5, r6, r7) = (Strip(start[4]), Strip(start[5]), Strip(start[6]), Strip(start[7]))
  var (a, b, row) = (a, b, Strip(0))
  for _ in 0..<depth {
    row.x = load(b)
    if vectors > 1 { row.y = load(b + 16) }
    if vectors > 2 { row.z = load(b + 32) }
    r0.add(vectors, a[0], row)
    r1.add(vectors, a[1], row)
    r2.add(vectors, a[2], row)
    r3.add(vectors, a[3], row)
    r4.add(vectors, a[4], row)
    r5.add(vectors, a[5], row)
    r6.add(vectors, a[6], row)
    r7.add(vectors, a[7], row)
    a += 8
    b += ldb
  }
  r0.store(vectors, c)
  r1.store(vectors, c + ldc)
  r2.store(vectors, c + 2 &* ldc)
  r3.store(vectors, c + 3 &* ldc)
  r4.store(vectors, c + 4 &* ldc)
  r5.store(vectors, c + 5 &* ldc)
  r6.store(vectors, c + 6 &* ldc)
  r7.store(vectors, c + 7 &* ldc)
}

/// Writes or adds the part of a tile that belongs to a result.
private func merge(
  _ tile: UnsafePointer<Float>, _ height: Int, _ width: Int,
  into c: UnsafeMutablePointer<Float>, _ ldc: Int, _ adding: Bool
) {
  for row in 0..<height {
    let (source, target) = (tile + row &* LeftFactor.width, c + row &* ldc)
    if adding {
      for i in 0..<width { target[i] += source[i] }
    } else {
      target.update(from: source, count: width)
    }
  }
}

/// Lays out up to eight rows as one panel.
private func pack(
  _ a: UnsafePointer<Float>, _ rows: Int, _ depth: Int, _ rowStride: Int, _ step: Int,
  into panel: UnsafeMutablePointer<Float>
) {
  var target = panel
  var source = a
  if rows == 8, rowStride == 1 {
    for _ in 0..<depth {
      UnsafeMutableRawPointer(target).storeBytes(
        of: UnsafeRawPointer(source).loadUnaligned(as: SIMD8<Float>.self), as: SIMD8<Float>.self)
      target += 8
      source += step
    }
  } else if rows == 8 {
    for _ in 0..<depth {
      for row in 0..<8 { target[row] = source[row &* rowStride] }
      target += 8
      source += step
    }
  } else {
    for _ in 0..<depth {
      for row in 0..<8 { target[row] = row < rows ? source[row &* rowStride] : 0 }
      target += 8
      source += step
    }
  }
}

/// Copies a strip of a matrix, row under row.
private func copyStrip(
  _ source: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ width: Int,
  into copy: UnsafeMutablePointer<Float>
) {
  var (source, target) = (source, copy)
  for _ in 0..<rows {
    store(load(source), target)
    if width > 16 { store(load(source + 16), target + 16) }
    if width > 32 { store(load(source + 32), target + 32) }
    source += stride
    target += LeftFactor.width
  }
}

/// Adds a bias to a row and applies an activation.
private func finish(
  _ row: UnsafeMutablePointer<Float>, _ count: Int, bias: Float, _ activation: Activation
) {
  activation.specialised { f in
    var i = 0
    while i &+ 16 <= count {
      store(f(load(row + i) + bias), row + i)
      i &+= 16
    }
    if i < count {
      // The lanes behind the row belong to another one.
      let last = f(load(row + i) + bias)
      for lane in 0..<count - i { row[i + lane] = last[lane] }
    }
  }
}

// MARK: - Scalar products of rows

/// `c ← a·bᵀ`, or `c ← c + a·bᵀ`: the scalar products of m rows with n rows.
///
/// Both are read along their rows, so neither is laid out anew; the sixteen lanes of a sum are
/// added at the end. Up to fifteen floats behind each row are read, and do not count.
func multiplyRows(
  _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, stride lda: Int,
  _ b: UnsafePointer<Float>, stride ldb: Int,
  into c: UnsafeMutablePointer<Float>, stride ldc: Int, adding: Bool = false
) {
  guard BLAS.hasWideVectors else {
    return BLAS.multiply(
      m, n, k, a, stride: lda, b, stride: ldb, transposingSecond: true, into: c, stride: ldc,
      adding: adding)
  }
  // Six rows of b stay in the first cache while all rows of a pass by: parts of equal length, whole
  // vectors but for the last.
  let parts = max(1, (k + 1407) / 1408)
  let length = (k / parts + 15) / 16 * 16 + (k % parts > 0 ? 16 : 0)
  for start in stride(from: 0, to: max(1, k), by: max(16, length)) {
    let count = min(max(16, length), k - start)
    for j in stride(from: 0, to: n, by: 6) {
      for i in stride(from: 0, to: m, by: 4) {
        dotTile(
          min(4, m - i), min(6, n - j), count, a + i * lda + start, lda, b + j * ldb + start, ldb,
          into: c + i * ldc + j, ldc, adding: adding || start > 0)
      }
    }
  }
}

/// Six sums of sixteen lanes.
private struct Six {
  var a = Vector(repeating: 0)
  var b = Vector(repeating: 0)
  var c = Vector(repeating: 0)
  var d = Vector(repeating: 0)
  var e = Vector(repeating: 0)
  var f = Vector(repeating: 0)
}

/// The scalar products of up to four rows with up to six; what is missing is computed twice over.
private func dotTile(
  _ m: Int, _ n: Int, _ k: Int, _ a: UnsafePointer<Float>, _ lda: Int, _ b: UnsafePointer<Float>,
  _ ldb: Int, into c: UnsafeMutablePointer<Float>, _ ldc: Int, adding: Bool
) {
  let (a0, a1) = (a, a + min(1, m - 1) &* lda)
  let (a2, a3) = (a + min(2, m - 1) &* lda, a + min(3, m - 1) &* lda)
  let (b0, b1, b2) = (b, b + min(1, n - 1) &* ldb, b + min(2, n - 1) &* ldb)
  let b3 = b + min(3, n - 1) &* ldb
  let (b4, b5) = (b + min(4, n - 1) &* ldb, b + min(5, n - 1) &* ldb)
  var (s0, s1, s2, s3) = (Six(), Six(), Six(), Six())
  var i = 0
  while i &+ 16 <= k {
    let (x0, x1, x2, x3) = (load(a0 + i), load(a1 + i), load(a2 + i), load(a3 + i))
    let y0 = load(b0 + i)
    s0.a.addProduct(x0, y0)
    s1.a.addProduct(x1, y0)
    s2.a.addProduct(x2, y0)
    s3.a.addProduct(x3, y0)
    let y1 = load(b1 + i)
    s0.b.addProduct(x0, y1)
    s1.b.addProduct(x1, y1)
    s2.b.addProduct(x2, y1)
    s3.b.addProduct(x3, y1)
    let y2 = load(b2 + i)
    s0.c.addProduct(x0, y2)
    s1.c.addProduct(x1, y2)
    s2.c.addProduct(x2, y2)
    s3.c.addProduct(x3, y2)
    let y3 = load(b3 + i)
    s0.d.addProduct(x0, y3)
    s1.d.addProduct(x1, y3)
    s2.d.addProduct(x2, y3)
    s3.d.addProduct(x3, y3)
    let y4 = load(b4 + i)
    s0.e.addProduct(x0, y4)
    s1.e.addProduct(x1, y4)
    s2.e.addProduct(x2, y4)
    s3.e.addProduct(x3, y4)
    let y5 = load(b5 + i)
    s0.f.addProduct(x0, y5)
    s1.f.addProduct(x1, y5)
    s2.f.addProduct(x2, y5)
    s3.f.addProduct(x3, y5)
    i &+= 16
  }
  if i < k {
    let rest = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) .>= Int32(k &- i)
    let (x0, x1) = (part(a0 + i, rest), part(a1 + i, rest))
    let (x2, x3) = (part(a2 + i, rest), part(a3 + i, rest))
    let (y0, y1, y2) = (part(b0 + i, rest), part(b1 + i, rest), part(b2 + i, rest))
    let (y3, y4, y5) = (part(b3 + i, rest), part(b4 + i, rest), part(b5 + i, rest))
    add(&s0, x0, y0, y1, y2, y3, y4, y5)
    add(&s1, x1, y0, y1, y2, y3, y4, y5)
    add(&s2, x2, y0, y1, y2, y3, y4, y5)
    add(&s3, x3, y0, y1, y2, y3, y4, y5)
  }
  putSums(s0, c, n, adding)
  if m > 1 { putSums(s1, c + ldc, n, adding) }
  if m > 2 { putSums(s2, c + 2 &* ldc, n, adding) }
  if m > 3 { putSums(s3, c + 3 &* ldc, n, adding) }
}

@inline(__always)
private func add(
  _ s: inout Six, _ x: Vector, _ y0: Vector, _ y1: Vector, _ y2: Vector, _ y3: Vector,
  _ y4: Vector, _ y5: Vector
) {
  s.a.addProduct(x, y0)
  s.b.addProduct(x, y1)
  s.c.addProduct(x, y2)
  s.d.addProduct(x, y3)
  s.e.addProduct(x, y4)
  s.f.addProduct(x, y5)
}

/// A vector whose lanes beyond a row's end are 0.
@inline(__always)
private func part(_ p: UnsafePointer<Float>, _ beyond: SIMDMask<SIMD16<Int32>>) -> Vector {
  load(p).replacing(with: 0, where: beyond)
}

/// Writes or adds the first n of six sums.
@inline(__always)
private func putSums(_ s: Six, _ c: UnsafeMutablePointer<Float>, _ n: Int, _ adding: Bool) {
  let a = (sum(s.a), sum(s.b), sum(s.c), sum(s.d), sum(s.e), sum(s.f))
  if n == 6, !adding {
    (c[0], c[1], c[2], c[3], c[4], c[5]) = a
    return
  }
  c[0] = adding ? c[0] + a.0 : a.0
  if n > 1 { c[1] = adding ? c[1] + a.1 : a.1 }
  if n > 2 { c[2] = adding ? c[2] + a.2 : a.2 }
  if n > 3 { c[3] = adding ? c[3] + a.3 : a.3 }
  if n > 4 { c[4] = adding ? c[4] + a.4 : a.4 }
  if n > 5 { c[5] = adding ? c[5] + a.5 : a.5 }
}

/// The sum of sixteen lanes by halves.
@inline(__always)
private func sum(_ v: Vector) -> Float {
  let eight = v.lowHalf + v.highHalf
  let four = eight.lowHalf + eight.highHalf
  let two = four.lowHalf + four.highHalf
  return two.x + two.y
}
