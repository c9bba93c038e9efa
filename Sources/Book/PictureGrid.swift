import Foundation
import Notebook

/// Pictures of pixels side by side in one image of a figure, with paper between them.
///
/// Figures lay square pictures in rows, with the gaps of `ImageGrid`.
struct PictureGrid: Equatable {
  /// Pixels of the whole image.
  let width, height: Int
  /// The side of a picture.
  let side: Int
  /// How many pictures there are, row by row.
  let count: Int

  private static let gaps = ImageGrid.gaps
  private static let margin = ImageGrid.margin

  /// The grids of a figure's images, in their order, from the text of its data.
  static func all(_ data: String) -> [PictureGrid?] {
    var grids: [PictureGrid?] = []
    var rows: [[UInt8]]?
    for line in data.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if line.isEmpty || line.first == UInt8(ascii: "#") {
        if let rows { grids.append(PictureGrid(ink: rows.reversed())) }
        rows = nil
        if String(Substring(line)).contains(": pictures in a grid") { rows = [] }
      } else {
        rows?.append(
          line.split(separator: UInt8(ascii: " ")).map {
            $0.count == 1 && $0.first == UInt8(ascii: "0") ? 0 : 1
          })
      }
    }
    if let rows { grids.append(PictureGrid(ink: rows.reversed())) }
    return grids
  }

  /// The grid of an image, from where its ink is: 0 for paper, the first row on top.
  ///
  /// Of all grids that fit it is the one of the largest pictures: of those that are too large the
  /// paper below a row would cut through the ink of another.
  private init?(ink rows: [[UInt8]]) {
    (width, height) = (rows.first?.count ?? 0, rows.count)
    guard rows.allSatisfy({ $0.count == rows[0].count }) else { return nil }
    let (width, height) = (width, height)
    let side = (1...max(1, width)).reversed().first { side in
      let pitch = (x: side + Self.gaps.x, y: side + Self.gaps.y)
      guard width % pitch.x == 0, height % pitch.y == 0 else { return false }
      return rows.indices.allSatisfy { y in
        y % pitch.y >= side
          ? rows[y].allSatisfy { $0 == 0 }
          : rows[y].indices.allSatisfy { x in
            (Self.margin..<side + Self.margin).contains(x % pitch.x) || rows[y][x] == 0
          }
      }
    }
    guard let side else { return nil }
    self.side = side
    // Places of the last row that have no ink are empty.
    let columns = width / (side + Self.gaps.x)
    var count = columns * (height / (side + Self.gaps.y))
    while count > 0 {
      let (x, y) = ((count - 1) % columns, (count - 1) / columns)
      let (left, top) = (x * (side + Self.gaps.x) + Self.margin, y * (side + Self.gaps.y))
      if rows[top..<top + side].contains(where: { $0[left..<left + side].contains(1) }) { break }
      count -= 1
    }
    self.count = count
  }

  /// The paper between the pictures of an image, as an area that is laid over it.
  func paper(over image: Markup.Tag) -> Markup.Tag? {
    let numbers = ["x", "y", "width", "height"].compactMap { image[$0].flatMap(Double.init) }
    guard numbers.count == 4 else { return nil }
    let (left, top) = (numbers[0], numbers[1])
    let (x, y) = (numbers[2] / Double(width), numbers[3] / Double(height))
    func rectangle(_ left: Double, _ top: Double, _ width: Double, _ height: Double) -> String {
      String(format: "M%.2f,%.2fh%.2fv%.2fh%.2fz", left, top, width, height, -width)
    }
    // A pixel more on all sides: a browser draws an image up to the edges of pixels.
    var path = rectangle(left - 1, top - 1, numbers[2] + 2, numbers[3] + 2)
    let columns = width / (side + Self.gaps.x)
    for index in 0..<count {
      path += rectangle(
        left + Double(index % columns * (side + Self.gaps.x) + Self.margin) * x,
        top + Double(index / columns * (side + Self.gaps.y)) * y, Double(side) * x, Double(side) * y
      )
    }
    var tag = Markup.Tag(
      "path",
      [
        ("fill", "var(--figure-ffffff)"), ("fill-rule", "evenodd"), ("stroke", "none"), ("d", path),
      ])
    tag.isSelfClosing = true
    return tag
  }
}
