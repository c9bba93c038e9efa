import Lanes

/// Sixteen planes of pixels that become the lanes of vectors, and back.
///
/// What the lanes are depends on the distance alone: one channel of sixteen images, or sixteen
/// channels of one image. Where fewer are left, the last one stands in all the lanes behind it.
struct LanePlanes {
  /// Planes that there are, one to sixteen.
  let count: Int
  /// Floats from a plane to the next.
  let distance: Int
  /// Pixels of a line.
  let width: Int

  /// Lines of all planes as vectors: a pixel stands in a frame, `frameWidth` vectors to the line.
  ///
  /// Up to fifteen floats behind the lines are read, and do not count.
  func bring(
    _ x: UnsafePointer<Float>, rows: Range<Int>, into frame: UnsafeMutablePointer<Float>,
    frameWidth: Int, _ square: UnsafeMutablePointer<Float>
  ) {
    forEachSquare(rows.count, frameWidth) { first, count, places in
      transpose(
        x + (rows.lowerBound &* width &+ first), distance: distance, count: self.count,
        into: square)
      places { pixel, place in store(load(square + 16 &* pixel), frame + place) }
    }
  }

  /// Vectors of a frame as lines of all planes; not a float beyond them is written.
  func bringBack(
    _ frame: UnsafePointer<Float>, frameWidth: Int, rows: Range<Int>,
    into x: UnsafeMutablePointer<Float>, _ square: UnsafeMutablePointer<Float>
  ) {
    let vectors = square + 2 * Self.square
    forEachSquare(rows.count, frameWidth) { first, count, places in
      places { pixel, place in store(load(frame + place), vectors + 16 &* pixel) }
      transpose(vectors, distance: 16, count: 16, into: square)
      let target = x + (rows.lowerBound &* width &+ first)
      for plane in 0..<self.count {
        if count == 16 {
          store(load(square + 16 &* plane), target + plane &* distance)
        } else {
          (target + plane &* distance).update(from: square + 16 &* plane, count: count)
        }
      }
    }
  }

  /// Sixteen pixels at a time of some lines, which lie one behind the other in a plane.
  ///
  /// The last sixteen end where the lines end, and repeat some of those before. The body gets the
  /// first pixel, how many there are, and a loop over them with each one's place in the frame.
  @inline(__always)
  private func forEachSquare(
    _ rows: Int, _ frameWidth: Int,
    _ body: (_ first: Int, _ count: Int, _ places: ((Int, Int) -> Void) -> Void) -> Void
  ) {
    let pixels = rows &* width
    var next = 0
    while next < pixels {
      let first = max(0, min(next, pixels &- 16))
      let count = min(16, pixels)
      body(first, count) { visit in
        var column = first % width
        var place = 16 &* (first / width &* frameWidth &+ column)
        for pixel in 0..<count {
          visit(pixel, place)
          column &+= 1
          place &+= 16
          if column == width {
            column = 0
            place &+= 16 &* (frameWidth &- width)
          }
        }
      }
      next &+= 16
    }
  }

  /// Floats of sixteen vectors.
  private static let square = 256
  /// Floats of the scratch memory that `bring` and `bringBack` take.
  static let scratch = 3 * square
}

/// Sixteen rows of sixteen floats, transposed: `y[16·column + row]`.
///
/// Four times the same step: row i and row i + 8 are shuffled into each other like the halves of a
/// deck of cards. Each moves one of the four bits of the row's number to the column's. The steps go
/// through memory, for sixteen vectors and their shuffles are more than a compiler keeps in order.
///
/// - Parameters:
///   - count: rows that there are; the last one stands for those that are missing.
///   - y: the result, and as much scratch memory behind it.
func transpose(
  _ x: UnsafePointer<Float>, distance: Int, count: Int, into y: UnsafeMutablePointer<Float>
) {
  let (other, last) = (y + 256, count &- 1)
  step(from: { load(x + min($0, last) &* distance) }, to: other)
  step(from: { load(other + 16 &* $0) }, to: y)
  step(from: { load(y + 16 &* $0) }, to: other)
  step(from: { load(other + 16 &* $0) }, to: y)
}

/// Shuffles row i and row i + 8 into each other: rows 2i and 2i + 1 of what is written.
@inline(__always)
private func step(from row: (Int) -> Vector, to y: UnsafeMutablePointer<Float>) {
  for i in 0..<8 {
    let (a, b) = (row(i), row(i &+ 8))
    store(
      Vector(
        a[0], b[0], a[1], b[1], a[2], b[2], a[3], b[3],
        a[4], b[4], a[5], b[5], a[6], b[6], a[7], b[7]), y + 32 &* i)
    store(
      Vector(
        a[8], b[8], a[9], b[9], a[10], b[10], a[11], b[11],
        a[12], b[12], a[13], b[13], a[14], b[14], a[15], b[15]), y + (32 &* i &+ 16))
  }
}
