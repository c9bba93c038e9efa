import Foundation

/// A chapter's Markdown with what it binds to a run.
///
/// Markers are HTML comments, which GitHub does not show: `97.4<!--=test.accuracy-->` for a number,
/// `<!--claim a < b-->…<!--/claim-->` around a sentence, and on a line of their own
/// `<!--snippet name-->` or `<!--snippet Methods/File.swift#name-->` before a code fence and
/// `<!--fixed 28 3,000-->` before a paragraph, for numbers that are exact by definition. An image is
/// bound by its path. Every other number is a fault.
struct Prose {
  /// A number before its marker.
  struct Number {
    let name: String
    let literal: Literal
    let line: Int
    /// Where the literal stands in its line.
    let range: Range<String.Index>
    /// The unit behind it where that is compared: `%`, `‰` or `points`.
    var unit: String?

    /// How the number differs from a value at the digits written, as a sentence; nil when it shows
    /// the value.
    func difference(from value: Double) -> String? {
      literal.shows(value)
        ? nil : "the prose says \(literal.text), the run \(literal.writing(value)) (\(name))."
    }

    /// What is wrong with a zero in the place of a value that is known to be none, as a sentence; nil
    /// for all else.
    ///
    /// - Parameter tolerance: how far the value may be from what another machine finds.
    func disappearance(of value: Double, tolerance: Double) -> String? {
      guard literal.value == 0, abs(value) > tolerance else { return nil }
      let whole = Literal("1e0")!.writing(value)
      return "the prose says \(literal.text), and \(name) is \(whole); write more digits."
    }

    /// What is wrong with a number that says more than is known, as a sentence: its last digit is
    /// finer than the second digit of the deviation of its value.
    func excess(over value: Record.Value) -> String? {
      guard let deviation = value.deviation, deviation > 0,
        literal.lastUnit < pow(10, floor(log10(deviation)) - 1) * (1 - 1e-9)
      else { return nil }
      let known = Literal("1.0e0")!.writing(deviation)
      return "\(literal.text) has more digits than are known: \(name) deviates by \(known); write "
        + "fewer."
    }
  }

  /// A sentence between its markers.
  struct Claim {
    let predicate: String
    let sentence: String
    let line: Int
  }

  /// A code fence below its marker: the lines between the fences.
  struct Excerpt {
    let name: String
    /// The Swift file below Sources/; nil for the one beside the prose.
    let file: String?
    let line: Int
    let lines: Range<Int>
  }

  /// Where something stands in the text, its markers included; lines from 0.
  struct Extent {
    let startLine: Int
    let start: String.Index
    let endLine: Int
    let end: String.Index
  }

  /// What a reader of the book sees in another form, and where.
  enum Passage {
    case number(Number)
    case claimStart(Claim)
    case claimEnd
    case formula(String)
  }

  /// An image's path as it is written, or a link's.
  struct Image {
    let path: String
    let line: Int
  }

  /// A number that a marker lists as exact.
  struct Fixed {
    let text: String
    /// Values that it equals and is not.
    let others: [String]
    /// The line of the marker.
    let line: Int
  }

  var manuscript: Manuscript
  /// The text, line by line.
  var lines: [String] { manuscript.lines }
  var numbers: [Number] = []
  var claims: [Claim] = []
  var excerpts: [Excerpt] = []
  var images: [Image] = []
  var links: [Image] = []
  var fixed: [Fixed] = []
  var passages: [(passage: Passage, extent: Extent)] = []
  var counts = NumberCounts()
  /// What is wrong with the text itself, whatever the run.
  var faults: [(line: Int, sentence: String)] = []
  /// The Markdown that the text shows as an example, with the lines where its fences open.
  var quotedMarkdown: [(line: Int, text: String)] = []

  var addresses: [String: String] = [:]
  var block = Block()
  var pending = FixedNumbers()
  var isInReferences = false
  /// The lines of the `<details>` that are open.
  var folds: [Int] = []

  /// A paragraph, a list, a table or a heading while its lines are gathered.
  struct Block {
    var segments: [GlyphScanner.Segment] = []
    var isHeading = false
    var hasItems = false
    var fixed = FixedNumbers()
  }

  /// Finds the markers of a text.
  init(_ text: String) {
    manuscript = Manuscript(text)
    parse()
    faults.sort { $0.line < $1.line }
  }

  mutating func fault(_ index: Int, _ sentence: String) {
    faults.append((index + 1, sentence))
  }

  // MARK: Rewriting

  /// The code of an excerpt.
  func code(_ excerpt: Excerpt) -> [String] { Array(lines[excerpt.lines]) }

  /// The text with other numbers and excerpts in the places of these.
  func rewritten(
    number: (Number) -> String?, excerpt: (Excerpt) -> [String]?
  ) -> String {
    var result = manuscript
    // From the end, so that earlier places stay where they are.
    for place in numbers.reversed() {
      guard let text = number(place) else { continue }
      result.lines[place.line - 1].replaceSubrange(place.range, with: text)
    }
    for place in excerpts.reversed() {
      if let code = excerpt(place) { result.replace(place.lines, with: code) }
    }
    return result.text
  }
}
