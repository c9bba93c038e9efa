import Files
import Foundation
import Notebook

@testable import Book

/// A package of one or two small chapters, in a folder of its own.
struct SmallLab {
  let root: URL
  /// What its one task asks.
  var question = "What is *its* slope, from `x`?"
  static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// A picture as gnuplot writes one: names that every picture has, and a white sheet.
  static let picture = """
    <?xml version="1.0" encoding="utf-8"?>
    <svg width="76" height="58" viewBox="0 0 76 58" xmlns="http://www.w3.org/2000/svg"
      xmlns:xlink="http://www.w3.org/1999/xlink">
    <title>Gnuplot</title>
    <g id="gnuplot_canvas"><rect x="0" y="0" width="76" height="58" fill="#ffffff"/>
    <defs><circle id='gpDot' r='0.5'/><clipPath id="c"><rect width="1" height="1"/></clipPath></defs>
    <g fill="none" color="black"></g>
    <use xlink:href='#gpDot' color='rgb(  0, 114, 178)' clip-path='url(#c)'/>
    <g fill="rgb(0,114,178)" font-family="Helvetica"><text>a &lt; b</text></g></g>
    </svg>
    """

  /// A package with one chapter, 9.1.
  ///
  /// - Parameters:
  ///   - prose: its Markdown below the title.
  ///   - hasRecord: whether it was run.
  init(_ prose: String, code: String = "let a = 1\n", hasRecord: Bool = true) throws {
    root = FileManager.default.temporaryDirectory.appendingPathComponent(
      "lab-book-tests.\(getpid()).\(UInt32.random(in: 0 ... .max))")
    for folder in ["Chapters", "figures", "Sources/Book", "Sources/Methods"] {
      try FileManager.default.createDirectory(
        at: root.appendingPathComponent(folder), withIntermediateDirectories: true)
    }
    for name in ["Templates", "Assets", "Tools"] {
      try FileManager.default.copyItem(
        at: Self.package.appendingPathComponent("Sources/Book/\(name)"),
        to: root.appendingPathComponent("Sources/Book/\(name)"))
    }
    try write("# small\n\nA lab.\n\n## More\n\nText.\n", to: "README.md")
    try write("# 9.1 A small chapter\n\n\(prose)\n", to: "Chapters/9.1-small.md")
    try write(code, to: "Chapters/9.1-small.swift")
    try write("let method = 2\n", to: "Sources/Methods/Plain.swift")
    try write(Self.picture, to: "figures/9.1-one.svg")
    try write(Self.picture, to: "figures/9.1-two.svg")
    if hasRecord { try write(Self.record, to: "figures/9.1.json") }
    try write(Self.stamp, to: "figures/9.1.run.json")
  }

  private static let record = """
    {"chapter": "9.1", "title": "A small chapter", "version": 2, "mode": "full", "status": "passed",
     "seed": 2016, "engine": "e", "contract": "", "seal": "", "faults": [], "figures": [], "jobs": [],
     "sources": {}, "quotes": [{"name": "kit", "value": 98.36, "source": "the kit's <report>"}],
     "checks": [{"name": "a & b agree", "measured": 1e-9, "relation": "atMost", "tolerance": 1e-8,
       "passed": true}],
     "claims": [{"sentence": "Half of it *is* enough.", "predicate": "half.steps < all.steps",
       "holds": true}],
     "values": [{"name": "half.steps", "value": 12, "tolerance": 0, "unit": ""},
       {"name": "all.steps", "value": 97.44, "tolerance": 0.5, "deviation": 0.2, "unit": "%"}]}
    """

  private static let stamp = """
    {"version": 2, "date": "2026-11-29T08:20:38Z", "threads": 2, "seconds": 90, "keptSeconds": 0,
     "restSeconds": 90, "jobSeconds": {},
     "machine": {"processor": "A(R) Chip(TM) CPU 9 @ 2.00GHz", "system": "s", "tile": "wide"}}
    """

  func write(_ text: String, to path: String) throws {
    try Data(text.utf8).write(to: root.appendingPathComponent(path))
  }

  func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  var site: Site {
    Site(
      root: root,
      chapters: [
        Site.Chapter(
          id: "9.1", title: "A small chapter",
          exercises: [
            Site.Exercise(
              title: "The slope", command: "lab try 9.1 slope", question: question,
              symbols: [.init(form: "P[i]", meaning: "the <outputs>; also X_out")],
              answers: [.init(formula: "1 < 2", verdict: "✓ Right")])
          ], answerNote: "A comparison is `(x > 0)`.")
      ])
  }

  var folder: URL { root.appendingPathComponent("out") }

  /// Makes the book and returns the chapter's page.
  func page() async throws -> String {
    _ = try await site.build(into: folder)
    return try text("out/9.1-small.html")
  }

  func remove() { try? FileManager.default.removeItem(at: root) }

  /// Keeps formulas as if they had been converted, so that no test needs Python.
  func keep(_ formulas: [Formula], as mathml: String = "<math><mi>kept</mi></math>") throws {
    let lines = formulas.map {
      "\($0.digest)\t\($0.isDisplay ? "block" : "inline")\t\($0.source)\t\(mathml)\n"
    }
    try write(lines.joined(), to: Formulas.path)
  }
}

/// What is wrong with how the tags of a page stand in each other; nil when nothing is.
func nestingFault(_ html: String) -> String? {
  var open: [String] = []
  for piece in Markup.pieces(of: html) {
    switch piece {
    case .open(let tag) where !tag.isVoid:
      if tag.name == "a", open.contains("a") { return "a link in a link" }
      open.append(tag.name)
    case .close(let name):
      guard open.popLast() == name else { return "</\(name)> closes \(open.last ?? "nothing")" }
    default: break
    }
  }
  return open.isEmpty ? nil : "<\(open.last!)> is not closed"
}

/// The values of an attribute in a page.
func values(of name: String, in html: String) -> [String] {
  Markup.pieces(of: html).compactMap { piece in
    if case .open(let tag) = piece { tag[name] } else { nil }
  }
}
