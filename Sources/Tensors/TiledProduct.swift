// Products of matrices on tiles that stay in registers: one kernel, and the loops around it.
//
// They are here because the OpenBLAS of a Linux distribution is older than the processor, and so is
// what it knows of it: Benchmarks/README.md has the figures. `BLAS.multiply` is the plain version
// that the tests compare them with, and what runs on processors without registers for a tile.

import Lanes

/// What a tile is to the kernels: its registers, and how many of them it takes each way.
///
/// Constants of a type, not values, so that each tile gets loops of its own; in this file, because
/// those of another would be calls.
protocol TileShape {
  associatedtype Register: SIMD, BitwiseCopyable where Register.Scalar == Float
  /// Rows of the tile, and of a panel of the left factor.
  static var height: Int { get }
  /// Registers in a row of the tile: up to three.
  static var registers: Int { get }
}

extension TileShape {
  /// Columns of the tile.
  static var width: Int { registers * Register.scalarCount }
}

/// 8 × 48: 24 of 32 registers of sixteen floats.
enum WideTile: TileShape {
  typealias Register = SIMD16<Float>
  static var height: Int { 8 }
  static var registers: Int { 3 }
}

/// 6 × 16: 12 of 16 registers of eight floats.
enum NarrowTile: TileShape {
  typealias Register = SIMD8<Float>
  static var height: Int { 6 }
  static var registers: Int { 2 }
}

/// The left factor of a product, laid out in the order in which the kernel reads it.
///
/// Panels of as many rows as a tile has, each column by column: `panel[k·height + row]`. What stands
/// for rows that the last panel lacks does not count. It is laid out once and used for all columns of
/// the right factor, by all threads.
struct LeftFactor {
  /// The tile that it is laid out for.
  let tile: Tile
  private let depth: Int
  private let panels: Tensor
  /// The matrix itself, from which BLAS reads.
  private let source: (a: UnsafePointer<Float>, rowStride: Int, step: Int)

  /// The matrix of `rows` × `depth` whose element (i, k) stands at `a[i·rowStride + k·step]`.
  ///
  /// One of the two distances is 1; the memory stays as long as this is used.
  init(
    _ a: UnsafePointer<Float>, rows: Int, depth: Int, rowStride: Int, step: Int,
    tile: Tile = Kernels.tile
  ) {
    self.tile = tile
    self.depth = depth
    source = (a, rowStride, step)
    panels =
      switch tile {
      case .wide: Self.panels(WideTile.self, a, rows, depth, rowStride, step)
      case .narrow: Self.panels(NarrowTile.self, a, rows, depth, rowStride, step)
      case .openBLAS: Tensor(0)
      }
  }

  private static func panels<T: TileShape>(
    _: T.Type, _ a: UnsafePointer<Float>, _ rows: Int, _ depth: Int, _ rowStride: Int, _ step: Int
  ) -> Tensor {
    let count = (rows + T.height - 1) / T.height
    let result = Tensor(uninitialized: [count * depth * T.height])
    let target = result.freshPointer
    Parallel.forEachRange(count, by: max(1, 32_768 / max(1, depth * T.height))) { panels in
      for panel in panels {
        pack(
          T.self, a + panel * T.height * rowStride, min(T.height, rows - panel * T.height), depth,
          rowStride, step, into: target + panel * depth * T.height)
      }
    }
    return result
  }

  /// `c ← f(self·b + bias)`, or `c ← c + self·b` when adding.
  ///
  /// - Parameters:
  ///   - range: the rows that are computed; it starts at a multiple of the tile's height.
  ///   - b: `[depth, columns]`, or `[columns, depth]` if it is transposed; up to fifteen floats
  ///     behind each row are read.
  ///   - c: the whole result, of which the rows in `range` are written, not a float more.
  func multiply(
    rows range: Range<Int>, _ b: UnsafePointer<Float>, stride ldb: Int, columns: Int,
    isTransposed: Bool = false,
    into c: UnsafeMutablePointer<Float>, stride ldc: Int, adding: Bool = false,
    bias: UnsafePointer<Float>? = nil, activation: Activation = .identity
  ) {
    switch tile {
    case .wide:
      multiply(
        WideTile.self, range, b, ldb, columns, isTransposed, into: c, ldc, adding, bias, activation)
    case .narrow:
      multiply(
        NarrowTile.self, range, b, ldb, columns, isTransposed, into: c, ldc, adding, bias,
        activation)
    case .openBLAS:
      multiplyByBLAS(
        range, b, ldb, columns, isTransposed, into: c, ldc, adding, bias, activation)
    }
  }

  private func multiply<T: TileShape>(
    _: T.Type, _ range: Range<Int>, _ b: UnsafePointer<Float>, _ ldb: Int, _ columns: Int,
    _ isTransposed: Bool, into c: UnsafeMutablePointer<Float>, _ ldc: Int, _ adding: Bool,
    _ bias: UnsafePointer<Float>?, _ activation: Activation
  ) {
    precondition(range.lowerBound % T.height == 0, "row \(range.lowerBound) starts no panel")
    let lanes = T.Register.scalarCount
    let panelRange = range.lowerBound / T.height...(range.upperBound - 1) / T.height
    // Strips of a wide matrix lie a page apart from row to row: a copy pays when it is used often.
    let copies = isTransposed || ldb > 512 && panelRange.count > 3
    let tileSize = T.height * T.width
    BufferPool.withScratch(tileSize + (copies ? min(depth, Self.block) * T.width : 0)) { tile in
      for start in stride(from: 0, to: max(1, depth), by: Self.block) {
        let length = min(Self.block, depth - start)
        for column in stride(from: 0, to: columns, by: T.width) {
          let width = min(T.width, columns - column)
          var (source, step) = (b + start * ldb + column, ldb)
          if isTransposed {
            for i in stride(from: 0, to: width, by: 8) {
              transpose(
                rows: min(8, width - i), b + (column + i) * ldb + start, stride: ldb,
                columns: length, into: tile + tileSize + i, stride: T.width)
            }
          } else if copies {
            copyStrip(T.self, source, ldb, length, width, into: tile + tileSize)
          }
          if copies { (source, step) = (UnsafePointer(tile + tileSize), T.width) }
          for panel in panelRange {
            let row = panel * T.height
            let height = min(T.height, range.upperBound - row)
            let left = panels.pointer + (panel * depth + start) * T.height
            let target = c + row * ldc + column
            // A tile at the edge, and one that is added, take their way through a tile of their own.
            let isDirect = height == T.height && width % lanes == 0 && !adding && start == 0
            multiplyTile(
              T.self, (width + lanes - 1) / lanes, length, first(bias, row, height, start), left,
              source, step, into: isDirect ? target : tile, isDirect ? ldc : T.width)
            if !isDirect {
              merge(T.self, tile, height, width, into: target, ldc, adding || start > 0)
            }
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

  private func multiplyByBLAS(
    _ range: Range<Int>, _ b: UnsafePointer<Float>, _ ldb: Int, _ columns: Int,
    _ isTransposed: Bool, into c: UnsafeMutablePointer<Float>, _ ldc: Int, _ adding: Bool,
    _ bias: UnsafePointer<Float>?, _ activation: Activation
  ) {
    let transposesFirst = source.step != 1
    BLAS.multiply(
      range.count, columns, depth, source.a + range.lowerBound * source.rowStride,
      stride: transposesFirst ? source.step : source.rowStride, transposingFirst: transposesFirst,
      b, stride: ldb, transposingSecond: isTransposed, into: c + range.lowerBound * ldc,
      stride: ldc, adding: adding)
    guard bias != nil || activation != .identity else { return }
    for row in range { finish(c + row * ldc, columns, bias: bias?[row] ?? 0, activation) }
  }

  /// Columns of the left factor that are multiplied before the sum goes back to memory.
  ///
  /// The same for every tile, since it decides the order of the sum.
  private static let block = 1536
}

// MARK: - The kernel

/// Up to three registers of one row of a tile.
private struct Strip<V: SIMD & BitwiseCopyable> where V.Scalar == Float {
  var x, y, z: V

  @inline(__always)
  init(_ value: Float) {
    x = V(repeating: value)
    (y, z) = (x, x)
  }

  @inline(__always)
  mutating func load(_ registers: Int, _ p: UnsafePointer<Float>) {
    let p = UnsafeRawPointer(p)
    let size = 4 * V.scalarCount
    x = p.loadUnaligned(as: V.self)
    if registers > 1 { y = p.loadUnaligned(fromByteOffset: size, as: V.self) }
    if registers > 2 { z = p.loadUnaligned(fromByteOffset: 2 * size, as: V.self) }
  }

  @inline(__always)
  mutating func add(_ registers: Int, _ a: Float, _ b: Strip) {
    let factor = V(repeating: a)
    x.addProduct(factor, b.x)
    if registers > 1 { y.addProduct(factor, b.y) }
    if registers > 2 { z.addProduct(factor, b.z) }
  }

  @inline(__always)
  func store(_ registers: Int, _ p: UnsafeMutablePointer<Float>) {
    let p = UnsafeMutableRawPointer(p)
    let size = 4 * V.scalarCount
    p.storeBytes(of: x, as: V.self)
    if registers > 1 { p.storeBytes(of: y, toByteOffset: size, as: V.self) }
    if registers > 2 { p.storeBytes(of: z, toByteOffset: 2 * size, as: V.self) }
  }
}

/// The rows of a tile, of one, two or three registers, each row on top of a number it starts from.
private func multiplyTile<T: TileShape>(
  _: T.Type, _ registers: Int, _ depth: Int, _ start: SIMD8<Float>, _ a: UnsafePointer<Float>,
  _ b: UnsafePointer<Float>, _ ldb: Int, into c: UnsafeMutablePointer<Float>, _ ldc: Int
) {
  // The number of registers is a constant in each of the calls, so that each has a loop of its own.
  if registers == 1 {
    kernel(T.self, 1, depth, start, a, b, ldb, into: c, ldc)
  } else if registers == 2 || T.registers == 2 {
    kernel(T.self, 2, depth, start, a, b, ldb, into: c, ldc)
  } else {
    kernel(T.self, 3, depth, start, a, b, ldb, into: c, ldc)
  }
}

/// The kernel: a tile stays in registers while the whole depth is summed.
///
///                b, a row after the other
///               ┌───────┬───────┬───────┐       wide             narrow
///               │   x   │   y   │   z   │       3 registers      2
///               └───────┴───────┴───────┘
///         ┌─┐   ┌───────┬───────┬───────┐
///     a,  │·│ → │  r0   │       │       │       8 × 3 of 16      6 × 2 of 8
///     a   │·│ → │  r1   │       │       │       floats: 24       floats: 12
///     col-│·│ → │   ⋮   │       │       │       registers        registers
///     umn └─┘   └───────┴───────┴───────┘
///
/// One more register holds an element of a: 28 of 32, or 15 of 16. A row of b costs eleven loads
/// for 24 fused multiply-adds in the wide tile, eight for twelve in the narrow: the multipliers, of
/// which there are as many as loads at a time, never wait.
@inline(__always)
private func kernel<T: TileShape>(
  _: T.Type, _ registers: Int, _ depth: Int, _ start: SIMD8<Float>, _ a: UnsafePointer<Float>,
  _ b: UnsafePointer<Float>, _ ldb: Int, into c: UnsafeMutablePointer<Float>, _ ldc: Int
) {
  typealias Row = Strip<T.Register>
  var (r0, r1, r2, r3) = (Row(start[0]), Row(start[1]), Row(start[2]), Row(start[3]))
  var (r4, r5, r6, r7) = (Row(start[4]), Row(start[5]), Row(start[6]), Row(start[7]))
  var (a, b, row) = (a, b, Row(0))
  for _ in 0..<depth {
    row.load(registers, b)
    r0.add(registers, a[0], row)
    r1.add(registers, a[1], row)
    r2.add(registers, a[2], row)
    r3.add(registers, a[3], row)
    r4.add(registers, a[4], row)
    r5.add(registers, a[5], row)
    if T.height > 6 {
      r6.add(registers, a[6], row)
      r7.add(registers, a[7], row)
    }
    a += T.height
    b += ldb
  }
  r0.store(registers, c)
  r1.store(registers, c + ldc)
  r2.store(registers, c + 2 &* ldc)
  r3.store(registers, c + 3 &* ldc)
  r4.store(registers, c + 4 &* ldc)
  r5.store(registers, c + 5 &* ldc)
  if T.height > 6 {
    r6.store(registers, c + 6 &* ldc)
    r7.store(registers, c + 7 &* ldc)
  }
}

/// Writes or adds the part of a tile that belongs to a result.
private func merge<T: TileShape>(
  _: T.Type, _ tile: UnsafePointer<Float>, _ height: Int, _ width: Int,
  into c: UnsafeMutablePointer<Float>, _ ldc: Int, _ adding: Bool
) {
  for row in 0..<height {
    let (source, target) = (tile + row &* T.width, c + row &* ldc)
    if adding {
      for i in 0..<width { target[i] += source[i] }
    } else {
      target.update(from: source, count: width)
    }
  }
}

/// Lays out the rows of one panel, or as many as there are.
private func pack<T: TileShape>(
  _: T.Type, _ a: UnsafePointer<Float>, _ rows: Int, _ depth: Int, _ rowStride: Int, _ step: Int,
  into panel: UnsafeMutablePointer<Float>
) {
  var (target, source) = (panel, a)
  if rows == T.height, rowStride == 1 {
    for _ in 0..<depth {
      let (from, to) = (UnsafeRawPointer(source), UnsafeMutableRawPointer(target))
      to.storeBytes(of: from.loadUnaligned(as: SIMD4<Float>.self), as: SIMD4<Float>.self)
      // Four more, or two, which end where the four do not.
      let rest = 4 * (T.height - 4)
      to.storeBytes(
        of: from.loadUnaligned(fromByteOffset: rest, as: SIMD4<Float>.self), toByteOffset: rest,
        as: SIMD4<Float>.self)
      target += T.height
      source += step
    }
  } else if step == 1 {
    // Of a panel of six rows eight columns are written too: two too many, which the next overwrites.
    transpose(
      rows: rows, a, stride: rowStride, columns: depth, into: panel, stride: T.height,
      room: depth * T.height)
  } else {
    for _ in 0..<depth {
      for row in 0..<T.height { target[row] = row < rows ? source[row &* rowStride] : 0 }
      target += T.height
      source += step
    }
  }
}

/// Copies a strip of a matrix, row under row.
private func copyStrip<T: TileShape>(
  _: T.Type, _ source: UnsafePointer<Float>, _ stride: Int, _ rows: Int, _ width: Int,
  into copy: UnsafeMutablePointer<Float>
) {
  var (source, target) = (source, copy)
  for _ in 0..<rows {
    store(load(source), target)
    if width > 16 { store(load(source + 16), target + 16) }
    if width > 32 { store(load(source + 32), target + 32) }
    source += stride
    target += T.width
  }
}

/// Adds a bias to a row and applies an activation.
func finish(
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
