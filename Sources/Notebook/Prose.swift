import Foundation

/// A chapter's Markdown with what it binds to a run.
///
/// Markers are HTML comments, which GitHub does not show: `97.4<!--=test.accuracy-->` for a number,
/// `<!--claim a < b-->…<!--/claim-->` around a sentence, `<!--snippet name-->` on a line before a
/// code fence. An image is bound by its path.
struct Prose {
  /// A number before its marker.
  struct Number {
    let name: String
    let literal: Literal
    let line: Int
    /// Where the literal stands in its line.
    let range: Range<String.Index>

    /// How the number differs from a value at the digits written, as a sentence; nil when it shows
    /// the value.
    func difference(from value: Double) -> String? {
      literal.shows(value)
        ? nil : "the prose says \(literal.text), the run \(literal.writing(value)) (\(name))."
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
    let line: Int
    let lines: Range<Int>
  }

  /// An image's path as it is written.
  struct Image {
    let path: String
    let line: Int
  }

  /// The text, line by line.
  private(set) var lines: [String]
  private(set) var numbers: [Number] = []
  private(set) var claims: [Claim] = []
  private(set) var excerpts: [Excerpt] = []
  private(set) var images: [Image] = []
  /// What is wrong with markers themselves.
  private(set) var faults: [(line: Int, sentence: String)] = []

  /// Finds the markers of a text.
  init(_ text: String) {
    lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    parse()
  }

  private mutating func parse() {
    var index = 0
    var open: (predicate: String, sentence: String, line: Int)?
    while index < lines.count {
      let line = lines[index]
      // A pattern is compiled at each use: it is tried only where it may match.
      let first = line.first { !$0.isWhitespace }
      if first == "`" || first == "~",
        let fence = line.prefixMatch(of: /\s*(```+|~~~+)/)?.output.1
      {
        index = (endOfFence(from: index, String(fence)) ?? lines.count) + 1
        continue
      }
      if line.hasPrefix("<!--"),
        let name = line.wholeMatch(of: /<!--\s*snippet\s+([A-Za-z0-9_.-]+)\s*-->/)?.output.1
      {
        guard index + 1 < lines.count, lines[index + 1].hasPrefix("```swift") else {
          faults.append((index + 1, "the snippet \(name) has no ```swift fence below it"))
          index += 1
          continue
        }
        guard let end = endOfFence(from: index + 1, "```") else {
          faults.append((index + 2, "the fence of the snippet \(name) is not closed"))
          break
        }
        excerpts.append(Excerpt(name: String(name), line: index + 1, lines: index + 2..<end))
        index = end + 1
        continue
      }
      scan(line, at: index, &open)
      index += 1
    }
    if let open { faults.append((open.line, "the claim is not closed by <!--/claim-->")) }
  }

  /// The line that closes a fence, if there is one.
  private func endOfFence(from start: Int, _ fence: String) -> Int? {
    lines.indices.dropFirst(start + 1).first {
      lines[$0].trimmingCharacters(in: .whitespaces).hasPrefix(fence)
    }
  }

  private mutating func scan(
    _ line: String, at index: Int, _ open: inout (predicate: String, sentence: String, line: Int)?
  ) {
    var position = line.startIndex
    var plain = position
    func addText(_ end: String.Index) {
      if open != nil { open!.sentence += line[plain..<end] }
    }
    while position < line.endIndex {
      if line[position] == "`" {
        let run = line[position...].prefix { $0 == "`" }
        let after = run.endIndex
        position = line[after...].range(of: run).map(\.upperBound) ?? after
        continue
      }
      if line[position] == "!",
        let image = line[position...].prefixMatch(of: /!\[[^\]]*\]\(([^)\s]+)\)/)
      {
        images.append(Image(path: String(image.output.1), line: index + 1))
        position = image.range.upperBound
        continue
      }
      guard line[position...].hasPrefix("<!--") else {
        position = line.index(after: position)
        continue
      }
      // Behind the four characters that open it: `<!-->` is no comment yet.
      let start = line.index(position, offsetBy: 4)
      guard let close = line[start...].range(of: "-->") else {
        faults.append((index + 1, "a comment is not closed on its line"))
        return
      }
      addText(position)
      let body = line[start..<close.lowerBound].trimmingCharacters(in: .whitespaces)
      handle(body, line, position, index, &open)
      position = close.upperBound
      plain = position
    }
    addText(line.endIndex)
    if open != nil { open!.sentence += " " }
  }

  private mutating func handle(
    _ body: String, _ line: String, _ position: String.Index, _ index: Int,
    _ open: inout (predicate: String, sentence: String, line: Int)?
  ) {
    let fault: String?
    if body.hasPrefix("=") {
      let name = body.dropFirst().trimmingCharacters(in: .whitespaces)
      if let literal = Literal(endOf: line[..<position]), !name.isEmpty {
        let start = line.index(position, offsetBy: -literal.text.count)
        numbers.append(
          Number(name: name, literal: literal, line: index + 1, range: start..<position))
        fault = nil
      } else {
        fault = "no number stands directly before <!--\(body)-->"
      }
    } else if body.hasPrefix("claim ") {
      fault = open == nil ? nil : "a claim starts inside another"
      open = (body.dropFirst(6).trimmingCharacters(in: .whitespaces), "", index + 1)
    } else if body == "/claim" {
      if let claim = open {
        claims.append(
          Claim(predicate: claim.predicate, sentence: claim.sentence.words, line: claim.line))
        fault = nil
      } else {
        fault = "<!--/claim--> closes no claim"
      }
      open = nil
    } else {
      fault = "<!--\(body)--> is no marker"
    }
    if let fault { faults.append((index + 1, fault)) }
  }

  /// The Markdown that the text shows as an example, with the lines where its fences open.
  var quotedMarkdown: [(line: Int, text: String)] {
    lines.indices.filter { lines[$0] == "```markdown" }.map { start in
      (start + 1, lines[(start + 1)...].prefix { $0 != "```" }.joined(separator: "\n"))
    }
  }

  /// The code of an excerpt.
  func code(_ excerpt: Excerpt) -> [String] { Array(lines[excerpt.lines]) }

  /// The text with other numbers and excerpts in the places of these.
  func rewritten(
    number: (Number) -> String?, excerpt: (Excerpt) -> [String]?
  ) -> String {
    var result = lines
    // From the end, so that earlier places stay where they are.
    for place in numbers.reversed() {
      guard let text = number(place) else { continue }
      result[place.line - 1].replaceSubrange(place.range, with: text)
    }
    for place in excerpts.reversed() {
      if let code = excerpt(place) { result.replaceSubrange(place.lines, with: code) }
    }
    return result.joined(separator: "\n")
  }
}
