import Files
import Foundation

/// A text of the lab for who shows it elsewhere than on GitHub: what is bound in it, its formulas and
/// its excerpts, each with its place, as the one parser of the markers finds them.
package struct MarkedProse: Sendable {
  /// What is shown in another form.
  package enum Mark: Sendable, Equatable {
    /// A bound number as it is written, and the name of its value.
    case number(text: String, name: String)
    /// The beginning of a claim's sentence.
    case claim(predicate: String, sentence: String)
    /// The end of the claim that is open.
    case claimEnd
    /// A formula in a line, in LaTeX.
    case formula(String)
    /// The marker above an excerpt: a region of the paired Swift file, or of one below Sources/.
    case excerpt(name: String, file: String?)
  }

  /// The marks in the order of the text.
  package let marks: [Mark]

  private let manuscript: Manuscript
  private let extents: [Prose.Extent]

  /// Finds the marks of a text; what is no whole marker is none of them.
  package init(_ text: String) {
    let prose = Prose(text)
    manuscript = prose.manuscript
    var found = prose.passages.map { passage, extent -> (mark: Mark, extent: Prose.Extent) in
      switch passage {
      case .number(let number):
        (.number(text: number.literal.text, name: number.name), extent)
      case .claimStart(let claim):
        (.claim(predicate: claim.predicate, sentence: claim.sentence), extent)
      case .claimEnd: (.claimEnd, extent)
      case .formula(let source): (.formula(source), extent)
      }
    }
    found += prose.excerpts.map { excerpt in
      let line = excerpt.line - 1
      let text = prose.lines[line]
      return (
        .excerpt(name: excerpt.name, file: excerpt.file),
        Prose.Extent(startLine: line, start: text.startIndex, endLine: line, end: text.endIndex)
      )
    }
    found.sort {
      ($0.extent.startLine, $0.extent.start) < ($1.extent.startLine, $1.extent.start)
    }
    marks = found.map(\.mark)
    extents = found.map(\.extent)
  }

  /// Whether a number as the prose writes it is a value at the digits that are written.
  package static func shows(_ text: String, _ value: Double) -> Bool {
    Literal(text)?.shows(value) ?? false
  }

  /// The text with something else in the place of each mark, lines ended by `\n`.
  package func text(putting replacement: (Int, Mark) -> String) -> String {
    var lines = manuscript.lines
    // From the end, so that earlier places stay where they are.
    for index in marks.indices.reversed() {
      let place = extents[index]
      let text =
        lines[place.startLine][..<place.start] + replacement(index, marks[index])
        + lines[place.endLine][place.end...]
      lines.replaceSubrange(place.startLine...place.endLine, with: [String(text)])
    }
    return lines.joined(separator: "\n")
  }
}

extension ChapterFiles {
  /// The text of a file of the package.
  ///
  /// - Throws: `LabError` of kind `.input` when it is missing or is no UTF-8.
  package static func text(of path: String, in root: URL) throws(LabError) -> String {
    try text(root.appendingPathComponent(path), in: root)
  }

  /// The lines of the regions that prose may show of a Swift file, from 1, by their names.
  package static func regions(of source: String) -> [String: ClosedRange<Int>] {
    Snippets(source).places
  }
}

/// Swift code cut into what a reader tells apart by colour.
package enum SwiftPieces {
  /// What a piece is: a comment, a text in quotation marks, a word; everything else is plain.
  package enum Kind: Sendable { case comment, text, word, plain }

  /// The pieces of some code; joined, they are the code.
  package static func of(_ source: String) -> [(kind: Kind, text: String)] {
    let bytes = Array(source.utf8)
    var result: [(kind: Kind, text: String)] = []
    var place = 0
    func add(_ kind: Kind, to end: Int) {
      guard end > place else { return }
      result.append((kind, String(decoding: bytes[place..<end], as: UTF8.self)))
      place = end
    }
    let pieces = SwiftTokens(source).pieces.sorted { $0.range.lowerBound < $1.range.lowerBound }
    for (kind, range) in pieces where range.lowerBound >= place {
      add(.plain, to: range.lowerBound)
      add(kind == .comment ? .comment : kind == .text ? .text : .word, to: range.upperBound)
    }
    add(.plain, to: bytes.count)
    return result
  }
}

extension Check {
  /// The bound as the reader of a table reads it: `≤ 1e-8`, `≥ 0.9`, `≈ 2 ± 0.1`.
  ///
  /// - Parameter number: writes a number.
  package func bound(_ number: (Double) -> String) -> String {
    switch relation {
    case .atMost: "≤ \(number(tolerance ?? .nan))"
    case .atLeast: "≥ \(number(bound ?? .nan))"
    case .near: "≈ \(number(expected ?? .nan)) ± \(number(tolerance ?? .nan))"
    }
  }
}
