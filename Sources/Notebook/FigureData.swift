import Foundation

/// The numbers of a figure as text: a block for each mark, in the order of the panels.
///
/// Blocks are separated by two blank lines, as gnuplot's `index` counts them; six significant
/// digits are more than a page can show, and few enough to be the same again.
struct FigureData {
  /// The contents of the `.dat` file.
  private(set) var text: String

  /// The data of a figure.
  init(_ figure: Figure) {
    var blocks: [String] = []
    for (index, panel) in figure.panels.enumerated() {
      for mark in panel.marks {
        var name = "panel \(index + 1)"
        if let title = panel.title { name += " (\(title))" }
        if !mark.name.isEmpty { name += ": \(mark.name)" }
        blocks.append("# \(name.onOneLine): \(Self.columns(mark.kind))\n" + Self.rows(mark.kind))
      }
    }
    text = "# \(figure.title.onOneLine)\n\n\n" + blocks.joined(separator: "\n\n")
    // A comment alone is no block for gnuplot, so that the first mark is block 0.
  }

  private static func columns(_ kind: Mark.Kind) -> String {
    switch kind {
    case .line, .guide, .points, .steps, .text: "x y"
    case .band: "x low high"
    case .bars: "place value error label"
    case .horizontal: "y"
    case .vertical: "x"
    case .heatmap: "a matrix, the first row on top"
    case .images: "pictures in a grid, 0 paper to 255 ink, the first row on top"
    }
  }

  private static func rows(_ kind: Mark.Kind) -> String {
    let lines: [String] =
      switch kind {
      case .line(let points), .guide(let points, _), .points(let points), .steps(let points):
        points.map { "\(format($0.x)) \(format($0.y))" }
      case .text(let point, _): ["\(format(point.x)) \(format(point.y))"]
      case .band(let values):
        values.map { "\(format($0.x)) \(format($0.low)) \(format($0.high))" }
      case .bars(let values):
        values.enumerated().map { place, bar in
          "\(place) \(format(bar.value)) \(format(bar.error)) \(quoted(bar.label))"
        }
      case .horizontal(let value), .vertical(let value): [format(value)]
      case .heatmap(let rows, _, _):
        rows.reversed().map { $0.map(format).joined(separator: " ") }
      case .images(let pixels, _, let columns):
        ImageGrid(pixels, columns: columns).rows.reversed().map { row in
          row.map(String.init).joined(separator: " ")
        }
      }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A text as one column.
  private static func quoted(_ text: String) -> String {
    "\"" + text.onOneLine.with("\\", before: ["\\", "\""]) + "\""
  }

  /// A number with six significant digits.
  static func format(_ value: Double) -> String {
    let text = String(format: "%.6g", value)
    return text == "-0" ? "0" : text
  }
}

/// Pictures of one size side by side, a gap of paper between them.
package struct ImageGrid {
  /// Pixels of paper from one picture to the next, and below each row, where captions stand.
  package static let gaps = (x: 4, y: 12)
  /// Pixels of paper on the left of a row.
  package static let margin = 2

  /// Rows of pixels, 0 to 255.
  let rows: [[Int]]
  /// Pixels from one picture to the next, across and down.
  let pitch: (x: Int, y: Int)
  /// The side of a picture.
  let side: Int

  /// Lays square pictures in rows of `columns`.
  init(_ pictures: [[Float]], columns: Int) {
    let side = Int(Double(pictures.first?.count ?? 0).squareRoot())
    let pitch = (x: side + Self.gaps.x, y: side + Self.gaps.y)
    let count = (pictures.count + columns - 1) / max(1, columns)
    var rows = [[Int]](
      repeating: [Int](repeating: 0, count: columns * pitch.x), count: count * pitch.y)
    for (index, picture) in pictures.enumerated() {
      let (top, left) = (index / columns * pitch.y, index % columns * pitch.x + Self.margin)
      for (place, value) in picture.prefix(side * side).enumerated() {
        rows[top + place / side][left + place % side] = Int(
          (min(1, max(0, value)) * 255).rounded())
      }
    }
    self.rows = rows
    self.pitch = pitch
    self.side = side
  }
}
