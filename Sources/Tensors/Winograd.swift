import Lanes

/// The transforms of Winograd's convolution F(4 × 4, 3 × 3): 36 products where there were 144.
///
/// Sixteen results of a 3 × 3 filter are found at once, from 6 × 6 pixels of which neighbouring tiles
/// share two rows or columns:
///
///     d: 6 × 6 pixels     Bᵀ d B          y: 4 × 4 results
///     ┌─┬─┬─┬─┬─┬─┐                       ┌─┬─┬─┬─┐
///     ├─┼─┼─┼─┼─┼─┤                       ├─┼─┼─┼─┤
///     ├─┼─┼─┼─┼─┼─┤                       ├─┼─┼─┼─┤
///     ├─┼─┼─┼─┼─┼─┤   ──→  ⊙   ──→        ├─┼─┼─┼─┤
///     ├─┼─┼─┼─┼─┼─┤        ↑    Aᵀ(·)A    └─┴─┴─┴─┘
///     ├─┼─┼─┼─┼─┼─┤     G g Gᵀ
///     └─┴─┴─┴─┴─┴─┘     g: 3 × 3 weights
///
/// Each of the 36 places is multiplied by itself, so the sums over channels are 36 products of
/// matrices, filters × channels times channels × tiles. The pullbacks are the adjoints of the same
/// transforms: A ȳ Aᵀ for cotangents of the results, B(·)Bᵀ for those of the images, Gᵀ(·)G for those
/// of the weights. A transform costs additions and few multiplications, and works on vectors whose
/// lanes are sixteen independent tiles. Sources: Winograd 1980; Lavin & Gray 2016, section 4.3.
enum Winograd {
  /// Products of a tile, and the matrices that they are elements of.
  static let places = 36
  /// Rows and columns of results in a tile.
  static let tile = 4
  /// Images, or channels, in the lanes of a vector.
  static let lanes = 16
  /// Floats of the scratch memory that a transform takes.
  static let scratch = 36 * 16
}

// MARK: - Both ways

extension Winograd {
  /// Transforms tiles that stand side by side in a frame of vectors, each to its 36 places.
  ///
  /// - Parameters:
  ///   - frame: six rows of `width` vectors; a tile starts four vectors after the one before it.
  ///   - steps: from a tile to the next, and from a place to the next, in floats.
  ///   - lines: scratch memory for the 36 vectors between the two ways.
  static func transformImages(
    _ frame: UnsafePointer<Float>, width: Int, tiles: Int, into v: UnsafeMutablePointer<Float>,
    steps: (tile: Int, place: Int), _ lines: UnsafeMutablePointer<Float>
  ) {
    for tile in 0..<tiles {
      bothWays(
        Images.self, frame + tile &* 64, (16 &* width, 16), lines, into: v + tile &* steps.tile,
        (6 &* steps.place, steps.place))
    }
  }

  /// The adjoint of `transformImages`, which adds to what stands in the frame.
  static func addImages(
    _ v: UnsafePointer<Float>, steps: (tile: Int, place: Int),
    to frame: UnsafeMutablePointer<Float>, width: Int, tiles: Int,
    _ lines: UnsafeMutablePointer<Float>
  ) {
    for tile in 0..<tiles {
      bothWays(
        ImagesAdjoint.self, v + tile &* steps.tile, (6 &* steps.place, steps.place), lines,
        into: frame + tile &* 64, (16 &* width, 16), adding: true)
    }
  }

  /// Results of tiles side by side: four rows of `4·tiles` vectors from the tiles' 36 places.
  static func transformResults(
    _ m: UnsafePointer<Float>, steps: (tile: Int, place: Int),
    into frame: UnsafeMutablePointer<Float>, tiles: Int, _ lines: UnsafeMutablePointer<Float>
  ) {
    for tile in 0..<tiles {
      bothWays(
        Results.self, m + tile &* steps.tile, (6 &* steps.place, steps.place), lines,
        into: frame + tile &* 64, (64 &* tiles, 16))
    }
  }

  /// The adjoint of `transformResults`: 36 places from the cotangents of four rows of results.
  static func transformCotangents(
    _ frame: UnsafePointer<Float>, tiles: Int, into e: UnsafeMutablePointer<Float>,
    steps: (tile: Int, place: Int), _ lines: UnsafeMutablePointer<Float>
  ) {
    for tile in 0..<tiles {
      bothWays(
        ResultsAdjoint.self, frame + tile &* 64, (64 &* tiles, 16), lines,
        into: e + tile &* steps.tile, (6 &* steps.place, steps.place))
    }
  }

  /// Sixteen filters of nine vectors, row by row, to their 36 places.
  static func transformFilters(
    _ g: UnsafePointer<Float>, into u: UnsafeMutablePointer<Float>, placeStep: Int,
    _ lines: UnsafeMutablePointer<Float>
  ) {
    bothWays(Filters.self, g, (48, 16), lines, into: u, (6 &* placeStep, placeStep))
  }

  /// The adjoint of `transformFilters`: cotangents of sixteen filters, nine vectors.
  static func gatherFilters(
    _ u: UnsafePointer<Float>, placeStep: Int, into g: UnsafeMutablePointer<Float>,
    _ lines: UnsafeMutablePointer<Float>
  ) {
    bothWays(FiltersAdjoint.self, u, (6 &* placeStep, placeStep), lines, into: g, (48, 16))
  }

  /// `t x tᵀ` for a square x of vectors: t of each column, then t of each row of what that gave.
  @inline(__always)
  private static func bothWays<T: LineTransform>(
    _: T.Type, _ x: UnsafePointer<Float>, _ from: (row: Int, column: Int),
    _ lines: UnsafeMutablePointer<Float>, into y: UnsafeMutablePointer<Float>,
    _ to: (row: Int, column: Int), adding: Bool = false
  ) {
    for column in 0..<T.inputs {
      let line = T.of(Line(T.inputs, x + column &* from.column, from.row))
      line.store(T.outputs, lines + column &* 16, 96)
    }
    for row in 0..<T.outputs {
      var line = T.of(Line(T.inputs, lines + row &* 96, 16))
      let target = y + row &* to.row
      if adding { line.add(Line(T.outputs, target, to.column)) }
      line.store(T.outputs, target, to.column)
    }
  }
}

// MARK: - Lines

/// A transform of one line of a tile: the product of a matrix with up to six vectors.
///
/// A type, not a function, so that each has loops of its own, without a call to a line.
private protocol LineTransform {
  static var inputs: Int { get }
  static var outputs: Int { get }
  static func of(_ line: Line) -> Line
}

/// Bᵀ d: what six pixels in a line give.
///
///     4   0  −5   0   1   0
///     0  −4  −4   1   1   0
///     0   4  −4  −1   1   0
///     0  −2  −1   2   1   0
///     0   2  −1  −2   1   0
///     0   4   0  −5   0   1
private enum Images: LineTransform {
  static var inputs: Int { 6 }
  static var outputs: Int { 6 }

  @inline(__always)
  static func of(_ d: Line) -> Line {
    let (even, odd) = (d.e.adding(d.c, -4), d.d.adding(d.b, -4))
    let (difference, twice) = (d.e - d.c, (d.d - d.b) * 2)
    return Line(
      d.e.adding(d.c, -5).adding(d.a, 4), even + odd, even - odd, difference + twice,
      difference - twice, d.f.adding(d.d, -5).adding(d.b, 4))
  }
}

/// B t: the adjoint of `Images`.
private enum ImagesAdjoint: LineTransform {
  static var inputs: Int { 6 }
  static var outputs: Int { 6 }

  @inline(__always)
  static func of(_ t: Line) -> Line {
    let (first, second) = (t.b + t.c, t.d + t.e)
    let (firstDifference, secondDifference) = (t.b - t.c, t.d - t.e)
    return Line(
      t.a * 4,
      (t.f - firstDifference).adding(secondDifference, -0.5) * 4,
      (t.a * -5 - second).adding(first, -4),
      firstDifference.adding(secondDifference, 2).adding(t.f, -5),
      t.a + first + second,
      t.f)
  }
}

/// G g: what the three weights in a line give.
///
///      1/4     0     0
///     −1/6  −1/6  −1/6
///     −1/6   1/6  −1/6
///     1/24  1/12   1/6
///     1/24 −1/12   1/6
///        0     0     1
private enum Filters: LineTransform {
  static var inputs: Int { 3 }
  static var outputs: Int { 6 }

  @inline(__always)
  static func of(_ g: Line) -> Line {
    let (outer, middle) = ((g.a + g.c) * (-1 / 6), g.b * (1 / 6))
    let (scaled, half) = ((g.c * 4 + g.a) * (1 / 24), g.b * (1 / 12))
    return Line(
      g.a * 0.25, outer - middle, outer + middle, scaled + half, scaled - half, g.c)
  }
}

/// Gᵀ u: the adjoint of `Filters`.
private enum FiltersAdjoint: LineTransform {
  static var inputs: Int { 6 }
  static var outputs: Int { 3 }

  @inline(__always)
  static func of(_ u: Line) -> Line {
    let (first, second) = ((u.b + u.c) * (-1 / 6), (u.d + u.e) * (1 / 24))
    return Line(
      (first + second).adding(u.a, 0.25),
      ((u.c - u.b) * 2 + (u.d - u.e)) * (1 / 12),
      (first + u.f).adding(second, 4))
  }
}

/// Aᵀ m: four results from six products in a line.
///
///     1   1   1   1   1   0
///     0   1  −1   2  −2   0
///     0   1   1   4   4   0
///     0   1  −1   8  −8   1
private enum Results: LineTransform {
  static var inputs: Int { 6 }
  static var outputs: Int { 4 }

  @inline(__always)
  static func of(_ m: Line) -> Line {
    let (first, second) = (m.b + m.c, m.d + m.e)
    let (firstDifference, secondDifference) = (m.b - m.c, m.d - m.e)
    return Line(
      m.a + first + second, firstDifference.adding(secondDifference, 2), first.adding(second, 4),
      (firstDifference + m.f).adding(secondDifference, 8))
  }
}

/// A z: the adjoint of `Results`.
private enum ResultsAdjoint: LineTransform {
  static var inputs: Int { 4 }
  static var outputs: Int { 6 }

  @inline(__always)
  static func of(_ z: Line) -> Line {
    let (even, odd) = (z.a + z.c, z.b + z.d)
    let (evenTwice, oddTwice) = (z.a.adding(z.c, 4), (z.d * 4 + z.b) * 2)
    return Line(
      z.a, even + odd, even - odd, evenTwice + oddTwice, evenTwice - oddTwice, z.d)
  }
}

/// Up to six vectors: a line of pixels, weights, products or results.
private struct Line {
  var a, b, c, d, e, f: Vector

  @inline(__always)
  init(
    _ a: Vector, _ b: Vector, _ c: Vector, _ d: Vector = Vector(repeating: 0),
    _ e: Vector = Vector(repeating: 0), _ f: Vector = Vector(repeating: 0)
  ) {
    (self.a, self.b, self.c, self.d, self.e, self.f) = (a, b, c, d, e, f)
  }

  /// The first `count` of a line, three, four or six, `step` floats apart.
  @inline(__always)
  init(_ count: Int, _ p: UnsafePointer<Float>, _ step: Int) {
    self.init(load(p), load(p + step), load(p + 2 &* step))
    if count > 3 { d = load(p + 3 &* step) }
    if count > 4 { (e, f) = (load(p + 4 &* step), load(p + 5 &* step)) }
  }

  @inline(__always)
  mutating func add(_ other: Line) {
    a += other.a
    b += other.b
    c += other.c
    d += other.d
    e += other.e
    f += other.f
  }

  @inline(__always)
  func store(_ count: Int, _ p: UnsafeMutablePointer<Float>, _ step: Int) {
    Lanes.store(a, p)
    Lanes.store(b, p + step)
    Lanes.store(c, p + 2 &* step)
    if count > 3 { Lanes.store(d, p + 3 &* step) }
    if count > 4 {
      Lanes.store(e, p + 4 &* step)
      Lanes.store(f, p + 5 &* step)
    }
  }
}

extension Vector {
  /// `self + factor·x` in one rounding.
  @inline(__always)
  fileprivate func adding(_ x: Vector, _ factor: Float) -> Vector {
    addingProduct(x, Vector(repeating: factor))
  }
}

/// How the matrices of the 36 places lie in memory: row by row, in a row place by place.
///
/// So a transform, which touches all places at once, stays within a few pages: a processor knows
/// the addresses of few pages that it writes to. From place to place and from row to row it is an
/// odd number of cache lines, or many of them would contend for the same few lines of the cache.
struct PlaceLayout {
  /// Floats from a place to the next.
  let place: Int
  /// Floats from a row to the next.
  let row: Int

  /// The layout of matrices of some columns, a multiple of sixteen.
  init(columns: Int) {
    place = (columns / 16 | 1) * 16
    row = Winograd.places * place + 16
  }
}
