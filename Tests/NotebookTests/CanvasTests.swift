import Files
import Foundation
import Testing

@testable import Notebook

/// Figures in a terminal.
@Suite(.timeLimit(.minutes(1))) struct CanvasTests {
  let figure = Figure(
    "two", title: "Two lines, one of which rises", columns: 2,
    panels: [
      Panel(
        title: "left", x: Axis("steps"), y: Axis("loss"),
        marks: [
          .line("rises", [(0, 0), (10, 10)]), .line("falls", [(0, 10), (10, 0)]),
          .guide([(0, 5), (10, 5)]), .band("rises", [(0, 0, 1), (10, 9, 10)]),
          .points("rises", [(2, 8)]),
        ]),
      Panel(
        x: Axis("rate", scale: .log), y: Axis("error"),
        marks: [.line("rises", [(1, 1), (1000, 2)]), .horizontal("bound", at: 1.5)]),
    ])

  func letters(_ figure: Figure, columns: Int) async throws -> [String] {
    let picture = try await figure.picture(on: .letters(columns: columns))
    return String(decoding: picture, as: UTF8.self).components(separatedBy: "\n")
  }

  @Test(arguments: [60, 100, 160]) func lettersFitTheirLines(_ columns: Int) async throws {
    let lines = try await letters(figure, columns: columns)
    #expect(lines.allSatisfy { $0.count <= columns }, "\(lines)")
    let text = lines.joined(separator: "\n")
    for words in [
      "Two lines, one of which rises", "left", "↑ loss", "↑ error", "steps", "rate", "1e", "bound",
      "** rises", "## falls",
    ] { #expect(text.contains(words), "\(words): \(text)") }
    // Nothing that a terminal would obey.
    #expect(text.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" })
    // The lines are of the letters that the legend has for them, and a point is an O.
    #expect(text.count { $0 == "*" } > 10 && text.count { $0 == "#" } > 10)
    #expect(text.contains("O"))
  }

  @Test func barsHaveTheirHeightsAndPicturesAWordInTheirPlace() async throws {
    let bars = Figure(
      "bars", title: "Bars",
      panels: [
        Panel(
          x: Axis(""), y: Axis("", range: 0...10),
          marks: [.bars("", [("low", 2, 0), ("high", 8, 1)])])
      ])
    let lines = try await letters(bars, columns: 80)
    /// The first line from above in which a half of the figure has a bar's letter.
    func top(_ half: (String) -> Substring) -> Int? {
      lines.firstIndex { half($0).contains("***") }
    }
    let low = try #require(top { $0.prefix(40) })
    let high = try #require(top { $0.dropFirst(40) })
    #expect(high < low)
    let digits = Figure(
      "digits", title: "Digits",
      panels: [
        Panel(marks: [.images([[Float](repeating: 1, count: 16)], captions: ["1"], columns: 1)])
      ])
    #expect(
      try await letters(digits, columns: 80).joined().contains(
        "(pictures, which letters cannot show)"))
  }

  @Test func sixelsAreAPictureOfTheFiguresSize() async throws {
    let picture = try await figure.picture(on: .sixels)
    let start = String(decoding: picture.prefix(40), as: UTF8.self)
    #expect(start.hasPrefix("\u{1B}P"))
    #expect(start.contains("\"1;1;760;420"))
    #expect(picture.suffix(2) == Data([0x1B, 0x5C]))
  }

  @Test func aPageIsDrawnAsBefore() {
    let script = FigureScript(figure, data: "two.dat").text
    #expect(script.hasPrefix("set terminal svg size 760,420 enhanced font 'Helvetica,13'"))
    #expect(script.contains("set grid lc rgb '#e4e4e4' lt 1 lw 1"))
    #expect(script.contains("set format x '10^{%T}'") && script.contains("rotate by 90"))
    #expect(script.contains("━ rises"))
  }
}
