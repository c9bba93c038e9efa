import Digits

/// A picture of one digit: how much ink each pixel has, whatever the size.
public struct InkImage: Sendable {
  /// The pixels of a row, and the rows.
  public let width, height: Int
  /// Row after row, 0 for paper to 1 for ink.
  public let ink: [Float]

  /// A picture from `width` × `height` values 0…1.
  public init(width: Int, height: Int, ink: [Float]) {
    precondition(ink.count == width * height, "\(ink.count) pixels, not \(width) × \(height)")
    (self.width, self.height, self.ink) = (width, height, ink)
  }

  /// The longest side of a digit of MNIST, whose images have 28 pixels.
  static let box = 20

  /// The digit as MNIST has its digits: 28 × 28 bytes, 0 for paper; nil where there is no ink.
  ///
  /// The rectangle around all ink is scaled so that its longest side is 20 pixels, each of them the
  /// mean of what it covers, and shifted by whole pixels so that its centre of mass lies in the middle
  /// (LeCun, Cortes & Burges, The MNIST database of handwritten digits). Their middle is that of the
  /// fifteenth pixel: 9,999 of the 10,000 test images come back as they are. A line that is too thin
  /// to leave a dark pixel is darkened. `normalised` in Assets/draw-digit.js does the same, step by step.
  public var normalised: [UInt8]? {
    guard let (left, top, right, bottom) = extent else { return nil }
    // Pixels of the picture for one of the result.
    let step = Double(max(right - left, bottom - top)) / Double(Self.box)
    let columns = Self.covers(right - left, step)
    let rows = Self.covers(bottom - top, step)
    var scaled = [Double](repeating: 0, count: rows.count * columns.count)
    var line = [Double](repeating: 0, count: columns.count)
    for (row, cover) in rows.enumerated() {
      for y in cover.pixels {
        let weight = cover.weight(y)
        let start = (top + y) * width + left
        for (column, cover) in columns.enumerated() {
          var sum = 0.0
          for x in cover.pixels { sum += cover.weight(x) * Double(ink[start + x]) }
          line[column] = sum
        }
        for column in columns.indices {
          scaled[row * columns.count + column] += weight * line[column]
        }
      }
    }
    let area = step * step
    for place in scaled.indices { scaled[place] /= area }
    let darkest = scaled.max()!
    guard darkest > 0 else { return nil }
    let gain = max(1, Self.darkness / darkest)
    return Self.centred(scaled.map { min(1, gain * $0) }, columns.count, rows.count)
  }

  /// What the darkest pixel has at least.
  private static let darkness = 0.95

  /// The rectangle around all ink: its first column and row, and those behind its last.
  private var extent: (left: Int, top: Int, right: Int, bottom: Int)? {
    var (left, top, right, bottom) = (width, height, 0, 0)
    for y in 0..<height {
      let row = ink[y * width..<(y + 1) * width]
      guard let first = row.firstIndex(where: { $0 > 0 }),
        let last = row.lastIndex(where: { $0 > 0 })
      else { continue }
      left = min(left, first - y * width)
      right = max(right, last - y * width + 1)
      top = min(top, y)
      bottom = y + 1
    }
    return bottom == 0 ? nil : (left, top, right, bottom)
  }

  /// What one pixel of the result covers of a row or column: from a place to another.
  private struct Cover {
    let from, to: Double
    let pixels: Range<Int>
    /// How much of a pixel lies in it, 0…1.
    func weight(_ pixel: Int) -> Double {
      min(to, Double(pixel) + 1) - max(from, Double(pixel))
    }
  }

  /// The pixels of the result that some pixels of the picture make.
  private static func covers(_ count: Int, _ step: Double) -> [Cover] {
    // A thousandth of a pixel that a rounding leaves is no further pixel.
    let pixels = min(box, max(1, Int((Double(count) / step - 1e-3).rounded(.up))))
    return (0..<pixels).map { place in
      let from = Double(place) * step
      let to = min(Double(count), from + step)
      let first = min(count - 1, Int(from))
      return Cover(from: from, to: to, pixels: first..<max(first + 1, Int(to.rounded(.up))))
    }
  }

  /// A scaled digit in the middle of 28 × 28 bytes.
  private static func centred(_ scaled: [Double], _ columns: Int, _ rows: Int) -> [UInt8] {
    let side = ImageSet.side
    var (mass, momentX, momentY) = (0.0, 0.0, 0.0)
    for row in 0..<rows {
      for column in 0..<columns {
        let value = scaled[row * columns + column]
        mass += value
        momentX += value * (Double(column) + 0.5)
        momentY += value * (Double(row) + 0.5)
      }
    }
    let middle = Double(side) / 2 + 0.5
    // No part of it may leave the image.
    let left = min(max(0, Int((middle - momentX / mass + 0.5).rounded(.down))), side - columns)
    let top = min(max(0, Int((middle - momentY / mass + 0.5).rounded(.down))), side - rows)
    var pixels = [UInt8](repeating: 0, count: side * side)
    for row in 0..<rows {
      for column in 0..<columns {
        pixels[(top + row) * side + left + column] = UInt8(
          (255 * scaled[row * columns + column] + 0.5).rounded(.down))
      }
    }
    return pixels
  }
}
