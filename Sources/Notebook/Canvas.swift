import Foundation

/// What a figure is drawn on.
public enum Canvas: Sendable, Equatable {
  /// A page, as SVG.
  case page
  /// A terminal that shows pictures, in sixels.
  case sixels
  /// Letters, so many in a line.
  case letters(columns: Int)

  /// What a line through points is made of, by the place of its colour, as gnuplot has them.
  private static let strokes: [Character] = ["*", "#", "$", "%", "@", "&", "="]

  /// The line that makes gnuplot draw on it.
  func terminal(width: Int, height: Int) -> String {
    switch self {
    case .page:
      "set terminal svg size \(width),\(height) enhanced font 'Helvetica,13' background '#ffffff'"
    case .sixels:
      // The letters of pictures are in points, of which three make four pixels.
      "set terminal sixelgd size \(width),\(height) enhanced truecolor font 'Sans,13' "
        + "fontscale 0.75 background '#ffffff'"
    case .letters(let columns):
      // A letter is twice as high as it is wide; with fewer lines, ticks and labels share one.
      "set terminal dumb nofeed mono size \(columns),\(max(24, height * columns / width / 2))"
    }
  }

  var isLetters: Bool { if case .letters = self { true } else { false } }

  /// The pixels of a figure's width that a letter of a label takes.
  func letterWidth(in width: Int) -> Double {
    if case .letters(let columns) = self { Double(width) / Double(columns) } else { 7.4 }
  }

  /// The letters of a title that a line holds.
  func titleLength(in width: Int) -> Int {
    if case .letters(let columns) = self { columns - 4 } else { Int(Double(width) / 8.3) }
  }

  /// The pattern of a tick's number.
  func tickFormat(_ scale: Axis.Scale) -> String {
    scale == .linear ? "%g" : isLetters ? "1e%T" : "10^{%T}"
  }

  /// What stands before a name in a legend.
  func sample(_ colour: Int) -> String {
    isLetters
      ? String(repeating: Self.strokes[colour % Self.strokes.count], count: 2) : "━"
  }

  /// How a mark is plotted in letters, which have no colours and no areas.
  static func letters(_ kind: Mark.Kind, _ source: String, colour: Int) -> [String] {
    let line = "lt \(colour % strokes.count + 1)"
    return switch kind {
    case .line: ["\(source) using 1:2 with lines \(line)"]
    case .guide: ["\(source) using 1:2 with dots"]
    case .points:
      // Of gnuplot's points, which are capital letters here, O, X, V and T.
      ["\(source) using 1:2 with points pt \([15, 24, 22, 20][colour % 4])"]
    case .bars:
      [
        "\(source) using 1:2:(0.62) with boxes \(line)",
        "\(source) using 1:($3 > 0 ? $2-$3 : 1/0):(0):(2*$3) with vectors nohead lt 7",
      ]
    case .steps: ["\(source) using 1:2 with fillsteps fs empty \(line)"]
    case .band, .horizontal, .vertical, .text, .heatmap, .images: ["NaN with lines"]
    }
  }
}
