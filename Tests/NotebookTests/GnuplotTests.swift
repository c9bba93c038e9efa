import Files
import Foundation
import Testing

@testable import Notebook

/// Programs that are called gnuplot, and what a figure's words may hold.
@Suite(.timeLimit(.minutes(1))) final class GnuplotTests: Sendable {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  init() throws { try AtomicFile.makeFolder(folder) }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func figure(_ words: String = "word") -> Figure {
    let axis = Axis(words, ticks: [(0, words), (1, "b")])
    let bars = Mark.bars(words, [(words, 1, 0.1), ("b", 2, 0)])
    let line = Mark.line(words, [(0, 0), (1, 1)])
    return Figure(
      "f", title: words, columns: 2,
      panels: [
        Panel(title: words, x: axis, y: Axis(words), marks: [line, .text(words, at: (0.5, 0.5))]),
        Panel(title: words, x: Axis(words), y: axis, marks: [bars, .vertical(words, at: 0)]),
      ])
  }

  func draw(
    _ figure: Figure, by program: String = "gnuplot", patience: Duration = .seconds(120)
  ) async throws {
    try AtomicFile.write(
      Data(FigureData(figure).text.utf8), to: folder.appendingPathComponent("f.dat"))
    // A program that writes without end is stopped at a megabyte, which takes no time.
    try await Gnuplot.draw(
      figure, stem: "f", in: folder, by: program, patience: patience, limit: 1 << 20)
  }

  /// A program that does what a script says.
  func program(_ script: String) throws -> String {
    let url = folder.appendingPathComponent("program")
    try AtomicFile.write(Data("#!/bin/sh\n\(script)\n".utf8), to: url)
    chmod(url.path, 0o755)
    return url.path
  }

  /// Twenty times each, for what broke here broke in four runs of ten.
  @Test(arguments: [
    ("exit 0", "it wrote no whole picture; \(Gnuplot.advice)"),
    ("exec 0<&-; exit 3", "it ended with code 3 and gave no reason; \(Gnuplot.advice)"),
    ("echo 'line 5: no such terminal' >&2; exit 1", "line 5: no such terminal"),
    ("printf 'a\\n \\033[31mbad\\n\\n' >&2; exit 1", "[31mbad"),
    ("kill -SEGV $$", "it was ended by signal 11; \(Gnuplot.advice)"),
    ("echo '<svg>'", "it wrote no whole picture; \(Gnuplot.advice)"),
    ("exec yes", "it wrote without end"),
    ("exec yes >&2", "it wrote without end"),
  ])
  func aProgramThatFailsIsQuoted(_ script: String, _ reason: String) async throws {
    let program = try program(script)
    for _ in 0..<20 {
      await #expect(throws: LabError(.tool, "gnuplot could not draw f: \(reason).")) {
        try await draw(figure(), by: program)
      }
    }
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["f.dat", "program"])
  }

  @Test func aHistogramEndsAtTheRightEdgeOfItsLastBin() {
    let mark = Mark.histogram("", [(x: 0, y: 1), (x: 0.5, y: 3)])
    let text = FigureData(Figure("f", title: "T", size: (100, 100), panels: [Panel(marks: [mark])]))
      .text
    #expect(text.contains("0 1\n0.5 3\n1 3\n"), "\(text)")
  }

  @Test func aProgramThatHangsIsGivenUp() async throws {
    // The second sleeper holds the output open.
    let program = try program("sleep 60 & sleep 60")
    await #expect(throws: LabError(.tool, "gnuplot could not draw f: it did not end in 1 s.")) {
      try await draw(figure(), by: program, patience: .seconds(1))
    }
    let task = Task { try await draw(figure(), by: program) }
    try await Task.sleep(for: .milliseconds(300))
    let start = ContinuousClock.now
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    // The sleepers would have taken a minute; other tests may hold the processor for a while.
    #expect(ContinuousClock.now - start < .seconds(30))
  }

  @Test func aProgramThatIsNoneIsToldApart() async throws {
    let refusal = "gnuplot could not draw f: it cannot be run; \(Gnuplot.advice)."
    await #expect(throws: LabError(.tool, refusal)) {
      try await draw(figure(), by: "/etc/hostname")
    }
    await #expect {
      try await draw(figure(), by: "no-such-gnuplot")
    } throws: {
      "\($0)".hasPrefix("gnuplot is missing, ")
    }
  }

  /// What the picture shows of a text.
  func shown(_ words: String) async throws -> String {
    try await draw(figure(words))
    let data = try Data(contentsOf: folder.appendingPathComponent("f.svg"))
    return String(decoding: data, as: UTF8.self)
  }

  @Test(arguments: [
    "`touch pwned`", "$(touch pwned)", "it's", "'; system 'touch pwned'; '", "\"quoted\"",
    "\"; system 'touch pwned'; \"", "\"\u{301}; system 'touch pwned' #", "back\\slash", "\\",
    "\\`touch pwned`", "\\\\`touch pwned`\\", "\"`touch pwned`", "`\u{301}touch pwned`", "a\\nb",
    "@macro",
    "x_1^2{3}", "~a{b}", "100 %", "%s", "# no comment", "&<>", "a; b", "é–″",
  ])
  func wordsAreShownToTheLetter(_ words: String) async throws {
    let svg = try await shown(words)
    let escaped = words.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
    // Title, two of panels, four of axes, two of ticks, the bar's, and two marks.
    let count = svg.ranges(of: escaped).count
    #expect(count >= 9, "\(words): \(count)")
    #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("pwned").path))
  }

  @Test(arguments: [
    "a\nb", "a\r\nsystem 'touch pwned'", "a\u{2028}b", "a\tb", "a\u{1B}[31mb", "\\\nb",
  ])
  func aBreakIsASpace(_ words: String) async throws {
    let svg = try await shown(words)
    #expect(svg.contains("</svg>"))
    #expect(!FileManager.default.fileExists(atPath: folder.appendingPathComponent("pwned").path))
    let data = try String(contentsOf: folder.appendingPathComponent("f.dat"), encoding: .utf8)
    let rows = data.split(separator: "\n").filter { !$0.hasPrefix("#") }
    #expect(rows.allSatisfy { $0.first?.isNumber == true }, "\(rows)")
  }

  @Test func whatTheUserHasSetUpDoesNotReachAFigure() async throws {
    let plain = try await shown("word")
    let variables = [
      "GNUTERM": "dumb", "LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "GNUPLOT_LIB": "/x",
      "HOME": folder.path,
    ]
    let program = try program("env > variables; exec gnuplot \"$@\"")
    try AtomicFile.write(
      Data("set border 31; set decimalsign ','; print 'init'\n".utf8),
      to: folder.appendingPathComponent(".gnuplot"))
    try await Program.$surroundings.withValue(variables) {
      try await draw(figure("word"), by: program)
    }
    let seen = try String(contentsOf: folder.appendingPathComponent("variables"), encoding: .utf8)
      .split(separator: "\n")
    #expect(seen.contains("LC_ALL=C") && seen.contains { $0 == "HOME=\(folder.path)" })
    #expect(!seen.contains { $0.hasPrefix("GNU") || $0.hasPrefix("LANG") })
    let svg = try Data(contentsOf: folder.appendingPathComponent("f.svg"))
    #expect(svg == Data(plain.utf8))
  }
}
