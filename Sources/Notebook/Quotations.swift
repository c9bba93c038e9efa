// Quotation blocks and folds: Markdown inside of something, with prose like any other.

extension Prose {
  /// How many `>` open a line, and where what they quote begins (CommonMark 0.31, section 5.1).
  ///
  /// A quotation block holds our own words, such as an answer in short, and its numbers are bound like
  /// any other; what somebody else says stands between quotation marks.
  static func quotation(
    _ line: String, atMost limit: Int = .max
  ) -> (depth: Int, start: String.Index) {
    var (depth, start) = (0, line.startIndex)
    while depth < limit {
      let spaces = line[start...].prefix { $0 == " " }
      guard spaces.count <= 3, spaces.endIndex < line.endIndex, line[spaces.endIndex] == ">" else {
        break
      }
      depth += 1
      start = line.index(after: spaces.endIndex)
      if start < line.endIndex, line[start] == " " { start = line.index(after: start) }
    }
    return (depth, start)
  }

  /// A line without the `>` of a quotation of some depth; empty where the quotation has ended.
  static func inside(_ line: String, _ depth: Int) -> String {
    let found = quotation(line, atMost: depth)
    return found.depth == depth ? String(line[found.start...]) : ""
  }

  /// Whether a line opens or closes what GitHub folds away, or its title.
  static func isFolding(_ rest: Substring) -> Bool {
    guard rest.first == "<" else { return false }
    let tag = rest.dropFirst().drop { $0 == "/" }
    let name = tag.prefix { $0.isLetter }
    return ["details", "summary"].contains(name.lowercased())
      && (tag[name.endIndex...].first.map { $0 == ">" || $0.isWhitespace } ?? true)
  }

  /// Takes the line of a fold's tags, a paragraph of its own.
  ///
  /// Up to the next empty line it is HTML, in which Markdown is shown as it is written (CommonMark
  /// 0.31, section 4.6, condition 6).
  mutating func takeFold(_ index: Int, _ line: String, _ rest: Substring) {
    take(index, line, rest.startIndex)
    finish()
    let next = index + 1 < lines.count ? lines[index + 1] : ""
    let inner = next[Self.quotation(next).start...].drop { $0 == " " }
    if !inner.allSatisfy(\.isWhitespace), !Self.isFolding(inner) {
      fault(
        index + 1,
        "no Markdown is read directly below <details> or </details>; put an empty line before this "
          + "one")
    }
    let tags = rest.lowercased()
    for _ in 1..<tags.components(separatedBy: "<details").count { folds.append(index) }
    for _ in 1..<tags.components(separatedBy: "</details").count where folds.popLast() == nil {
      fault(index, "</details> closes nothing")
    }
  }
}
