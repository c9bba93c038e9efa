// The blocks of a chapter's Markdown: paragraphs, lists, tables, headings, and the fences between.

extension Prose {
  mutating func parse() {
    let lines = manuscript.lines
    findAddresses(lines)
    var index = 0
    var isInList = false
    /// How many `>` stood before the line above.
    var depth = 0
    while index < lines.count {
      let line = lines[index]
      let quotation = Self.quotation(line)
      if quotation.depth > depth {
        finish()
        isInList = false
      }
      depth = quotation.depth
      let inner = line[quotation.start...]
      let indent = inner.prefix { $0 == " " || $0 == "\t" }
      let columns = indent.reduce(0) { $0 + ($1 == "\t" ? 4 : 1) }
      let rest = inner[indent.endIndex...]
      if rest.allSatisfy(\.isWhitespace) {
        finish()
      } else if columns <= 3 || isInList, let fence = Fence(inner) {
        finish()
        index = skip(fence, at: index, depth: depth, isExcerpt: false, isInList: isInList)
        continue
      } else if let body = Self.ownMarker(inner) {
        finish()
        index = read(body, at: index, depth: depth)
        continue
      } else if columns >= 4, block.segments.isEmpty, !isInList {
        // Code by its indentation.
        let end =
          lines.indices.dropFirst(index + 1).first { row in
            let line = Self.inside(lines[row], depth)
            return line.allSatisfy(\.isWhitespace)
              || !(line.hasPrefix("    ") || line.drop { $0 == " " }.hasPrefix("\t"))
          } ?? lines.count
        readOutput(index..<end)
        index = end
        continue
      } else if columns <= 3, Self.isFolding(rest) {
        finish()
        takeFold(index, line, rest)
      } else if let heading = Self.heading(rest), columns <= 3 {
        finish()
        isInList = false
        block.isHeading = true
        take(index, line, heading.start)
        if !isInReferences || heading.level <= 2 {
          isInReferences = line[heading.start...].trimmed.lowercased() == "references"
        }
        finish()
      } else if Self.isBreak(rest) {
        finish()
      } else if block.segments.isEmpty, Self.address(rest) != nil {
        // A reference definition is no prose.
      } else if let item = Self.item(rest),
        block.segments.isEmpty || !item.isNumbered || isInList
          || item.isFirst
      {
        isInList = true
        take(index, line, item.start, isSeparate: true)
      } else {
        if columns == 0, block.segments.isEmpty { isInList = false }
        take(index, line, rest.startIndex)
      }
      index += 1
    }
    finish()
    for entry in pending.entries {
      fault(entry.line, "the list of fixed numbers stands above no paragraph; put it above one")
    }
    for line in folds { fault(line, "<details> is not closed, and hides all that follows") }
  }

  mutating func take(
    _ index: Int, _ line: String, _ start: String.Index, isSeparate: Bool = false
  ) {
    // The item of a list may quote.
    let start = line[start...].hasPrefix(">") ? line.index(after: start) : start
    if isHTML(line[start...]) {
      fault(
        index,
        "a line that begins with a comment is no prose to a reader of Markdown; put the marker at "
          + "the end of the line before, or above the paragraph")
    }
    if block.segments.isEmpty {
      block.fixed = pending
      pending = FixedNumbers()
    }
    block.segments.append(
      GlyphScanner.Segment(line: index, text: line, start: start, isSeparate: isSeparate))
  }

  /// Whether a line is a block of HTML where one breaks the prose.
  ///
  /// A comment at its beginning makes it one, even in the middle of a paragraph (CommonMark 0.31,
  /// section 4.6, condition 2). Above a paragraph, with nothing behind it, it does no harm.
  private func isHTML(_ line: Substring) -> Bool {
    guard line.hasPrefix("<!--"), let close = line.range(of: "-->") else { return false }
    return !block.segments.isEmpty || !line[close.upperBound...].allSatisfy(\.isWhitespace)
  }

  /// The body of a marker that has its line to itself.
  static func ownMarker(_ line: Substring) -> String? {
    guard line.hasPrefix("<!--") else { return nil }
    let text = line.trimmed
    guard text.hasSuffix("-->"), text.count >= 7 else { return nil }
    let body = text.dropFirst(4).dropLast(3).trimmed
    guard !body.contains("-->"), ["fixed", "snippet"].contains(body.prefix { !$0.isWhitespace })
    else {
      return nil
    }
    return body
  }

  /// Reads a marker on its own line, and says where to go on.
  mutating func read(_ body: String, at index: Int, depth: Int) -> Int {
    if body.prefix(while: { !$0.isWhitespace }) == "fixed" {
      for sentence in pending.read(String(body.dropFirst(5)), line: index) {
        fault(index, sentence)
      }
      let next = index + 1 < lines.count ? lines[index + 1] : ""
      if Self.inside(next, depth).allSatisfy(\.isWhitespace) {
        fault(index, "the list of fixed numbers stands above no paragraph; put it above one")
        pending = FixedNumbers()
      }
      return index + 1
    }
    guard depth == 0 else {
      fault(index, "an excerpt stands in no quotation; move it out")
      return index + 1
    }
    let target = body.dropFirst("snippet".count).trimmed
    let parts = target.split(separator: "#", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, Snippets.isName(parts.last!), parts.count == 1 || Self.isPath(parts[0])
    else {
      fault(
        index,
        "<!--\(body)--> is no marker; write <!--snippet name--> or "
          + "<!--snippet Folder/File.swift#name-->, with a path below Sources/")
      return index + 1
    }
    guard index + 1 < lines.count, let fence = Fence(lines[index + 1][...]),
      fence.language == "swift"
    else {
      fault(index, "the snippet \(target) has no ```swift fence below it")
      return index + 1
    }
    if let end = fence.end(in: lines, from: index + 2) {
      excerpts.append(
        Excerpt(
          name: parts.last!, file: parts.count == 2 ? parts[0] : nil, line: index + 1,
          lines: index + 2..<end))
    }
    return skip(fence, at: index + 1, depth: 0, isExcerpt: true)
  }

  /// Whether a text is the path of a Swift file below a folder.
  static func isPath(_ text: String) -> Bool {
    text.hasSuffix(".swift") && !text.hasPrefix("/")
      && text.split(separator: "/", omittingEmptySubsequences: false)
        .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }

  /// The line behind a fence, which ends at the latest with the quotation that it stands in.
  mutating func skip(
    _ fence: Fence, at index: Int, depth: Int, isExcerpt: Bool, isInList: Bool = false
  ) -> Int {
    let all = manuscript.lines
    let last =
      all.indices.dropFirst(index + 1).first {
        Self.quotation(all[$0], atMost: depth).depth < depth
      } ?? all.count
    let lines = depth == 0 ? all : all[..<last].map { Self.inside($0, depth) }
    guard let end = fence.end(in: lines, from: index + 1) else {
      fault(index, "the fence is not closed; end it with a line of as many marks")
      return last
    }
    // The item of a list ends at a line that stands left of it, and its fence with it.
    if isInList, fence.indent > 1,
      let left = lines[index + 1...end].firstIndex(where: { line in
        !line.allSatisfy(\.isWhitespace) && line.prefix { $0 == " " }.count < fence.indent
      })
    {
      fault(
        left, "this line stands left of the fence above, which ends with its item; close it there")
    }
    if fence.language == "swift", !isExcerpt {
      fault(
        index, "this Swift code is bound to nothing; put <!--snippet name--> on the line above it")
    }
    if fence.language == "markdown" {
      quotedMarkdown.append((index + 1, lines[index + 1..<end].joined(separator: "\n")))
    }
    // Code, formulas and commands are no results; anything else in a fence is what a run printed.
    if !["swift", "math", "markdown", "sh"].contains(fence.language) {
      readOutput(index + 1..<end)
    }
    return end + 1
  }

  static func heading(_ rest: Substring) -> (level: Int, start: String.Index)? {
    let marks = rest.prefix { $0 == "#" }
    guard (1...6).contains(marks.count), marks.endIndex < rest.endIndex,
      rest[marks.endIndex].isWhitespace
    else { return nil }
    return (marks.count, rest[marks.endIndex...].firstIndex { !$0.isWhitespace } ?? rest.endIndex)
  }

  static func isBreak(_ rest: Substring) -> Bool {
    let marks = rest.filter { !$0.isWhitespace }
    guard let first = marks.first, "-*_=".contains(first) else { return false }
    return marks.count >= 3 && marks.allSatisfy { $0 == first }
  }

  static func item(
    _ rest: Substring
  ) -> (start: String.Index, isNumbered: Bool, isFirst: Bool)? {
    guard let first = rest.first else { return nil }
    var end = rest.startIndex
    var number = ""
    if "-*+".contains(first) {
      end = rest.index(after: end)
    } else {
      number = String(rest.prefix { $0.isASCII && $0.isNumber })
      end = rest.index(end, offsetBy: number.count)
      guard (1...9).contains(number.count), end < rest.endIndex, ".)".contains(rest[end]) else {
        return nil
      }
      end = rest.index(after: end)
    }
    guard end < rest.endIndex, rest[end].isWhitespace else { return nil }
    let start = rest[end...].firstIndex { !$0.isWhitespace } ?? rest.endIndex
    return (start, !number.isEmpty, number == "1")
  }

  static func address(_ rest: Substring) -> (label: String, path: String)? {
    guard rest.first == "[", let close = rest.firstIndex(of: "]"), rest[close...].hasPrefix("]:")
    else { return nil }
    let label = rest[rest.index(after: rest.startIndex)..<close]
    guard !label.isEmpty, label.first != "^", !label.contains("[") else { return nil }
    let behind = rest[close...].dropFirst(2).drop(while: \.isWhitespace)
    var path = behind.prefix { !$0.isWhitespace }
    if behind.first == "<", let end = behind.firstIndex(of: ">") { path = behind[...end] }
    // A title alone may follow: with anything else the line is prose.
    let title = rest[path.endIndex...].trimmed
    if let first = title.first {
      let ends: [Character: Character] = ["\"": "\"", "'": "'", "(": ")"]
      guard let mark = ends[first], title.count > 1, title.last == mark,
        !title.dropFirst().dropLast().contains(mark)
      else { return nil }
    }
    if path.first == "<", path.last == ">" { path = path.dropFirst().dropLast() }
    return (label.words.lowercased(), String(path))
  }

  mutating func findAddresses(_ lines: [String]) {
    for line in lines where line.contains("]:") {
      if let (label, path) = Self.address(line.drop(while: \.isWhitespace)),
        addresses[label] == nil
      {
        addresses[label] = path
      }
    }
  }
}
