/// What a reader sees of a paragraph, character by character, with where each stands in the source.
struct Glyph {
  enum Kind {
    case text, space
    /// A span of code, a formula or an address, as one glyph that holds its source.
    case code, maths, address
    /// The border of a cell or of an item: nothing is read across it.
    case border
  }

  let character: Character
  let kind: Kind
  /// The line in the text, from 0.
  let line: Int
  /// Where it stands in that line.
  let range: Range<String.Index>
  /// The source of code, of a formula, of an address.
  var content = ""
  /// Whether it is part of somebody's words or of a file's name: a quotation, a link's target.
  var isForeign = false
}

/// The glyphs of a block of Markdown: comments, emphasis and tags are gone, entities and escapes are
/// what they stand for.
struct GlyphScanner {
  /// A part of a line that belongs to the block.
  struct Segment {
    let line: Int
    let text: String
    let start: String.Index
    /// Whether it begins an item of a list or a row of a table.
    var isSeparate = false
  }

  /// A comment, which no reader sees.
  struct Comment {
    let body: String
    /// The number of glyphs before it.
    let position: Int
    let line: Int
    /// Where it begins in its line.
    let start: String.Index
    /// Its extent in the source of the block.
    let source: Range<Int>
  }

  /// An image's address as it is written, or a link's.
  struct Image {
    let path: String
    let line: Int
  }

  var glyphs: [Glyph] = []
  private(set) var comments: [Comment] = []
  /// The formulas, with their extents in the source of the block, marks and all.
  private(set) var formulas: [(content: String, source: Range<Int>)] = []
  var images: [Image] = []
  var links: [Image] = []
  private(set) var faults: [(line: Int, sentence: String)] = []

  /// The source of the block, a newline between its lines.
  var source: [Character] = []
  var places: [(line: Int, range: Range<String.Index>)] = []
  let addresses: [String: String]

  /// Reads a block.
  ///
  /// - Parameters:
  ///   - segments: its lines.
  ///   - isTable: whether `|` divides cells.
  ///   - addresses: the text's reference definitions, by their labels in lower case.
  init(_ segments: [Segment], isTable: Bool, addresses: [String: String]) {
    self.addresses = addresses
    var rows: [(range: Range<Int>, segment: Segment)] = []
    for segment in segments {
      let first = source.count
      var index = segment.start
      while index < segment.text.endIndex {
        let next = segment.text.index(after: index)
        source.append(segment.text[index])
        places.append((segment.line, index..<next))
        index = next
      }
      source.append("\n")
      places.append((segment.line, index..<index))
      rows.append((first..<source.count, segment))
    }
    if isTable {
      for row in rows { for cell in cells(row.range) { scanPart(cell) } }
    } else {
      // Spans may run over the lines of a paragraph, but not over the items of a list.
      var first = 0
      for index in rows.indices {
        let isLast = index + 1 == rows.count
        if isLast || rows[index + 1].segment.isSeparate {
          scanPart(rows[first].range.lowerBound..<rows[index].range.upperBound)
          first = index + 1
        }
      }
    }
    markQuotations()
  }

  /// The source of the block between two places, without its comments, a space for each newline.
  func text(_ range: Range<Int>) -> String {
    var result = ""
    var index = range.lowerBound
    while index < range.upperBound {
      if let comment = comments.first(where: { $0.source.contains(index) }) {
        index = comment.source.upperBound
        continue
      }
      result.append(source[index] == "\n" ? " " : source[index])
      index += 1
    }
    return result
  }

  // MARK: Parts

  private func cells(_ row: Range<Int>) -> [Range<Int>] {
    var cells: [Range<Int>] = []
    var start = row.lowerBound
    for index in row where source[index] == "|" && !(index > start && source[index - 1] == "\\") {
      cells.append(start..<index)
      start = index + 1
    }
    cells.append(start..<row.upperBound)
    return cells
  }

  private mutating func scanPart(_ range: Range<Int>) {
    scan(range)
    add("\n", .border, max(range.lowerBound, range.upperBound - 1))
  }

  mutating func add(
    _ character: Character, _ kind: Glyph.Kind, _ index: Int, through last: Int? = nil,
    _ content: String = ""
  ) {
    guard index < places.count else { return }
    let place = places[index]
    var end = place.range.upperBound
    if let last, last < places.count, places[last].line == place.line {
      end = places[last].range.upperBound
    }
    glyphs.append(
      Glyph(
        character: character, kind: kind, line: place.line, range: place.range.lowerBound..<end,
        content: content))
  }

  func matches(_ text: String, _ index: Int, _ end: Int) -> Bool {
    var index = index
    for character in text {
      guard index < end, source[index] == character else { return false }
      index += 1
    }
    return true
  }

  func find(_ text: String, from start: Int, _ end: Int) -> Int? {
    var index = start
    while index < end {
      if matches(text, index, end) { return index }
      index += 1
    }
    return nil
  }

  func string(_ range: Range<Int>) -> String { String(source[range]) }

  /// Where a part of the block's source stands in the text.
  func extent(_ range: Range<Int>) -> Prose.Extent {
    let (first, last) = (places[range.lowerBound], places[range.upperBound - 1])
    return Prose.Extent(
      startLine: first.line, start: first.range.lowerBound, endLine: last.line,
      end: last.range.upperBound)
  }

  // MARK: Scanning

  mutating func scan(_ range: Range<Int>) {
    var index = range.lowerBound
    let end = range.upperBound
    while index < end {
      let character = source[index]
      let next: Int?
      switch character {
      case "\\": next = escape(index, end)
      case "`": next = code(index, end)
      case "$": next = maths(index, end)
      case "<": next = angle(index, end)
      case "!": next = matches("![", index, end) ? link(index, end, isImage: true) : nil
      case "[": next = link(index, end, isImage: false)
      case "&": next = entity(index, end)
      case "*", "~", "_": next = emphasis(index, range)
      case "h": next = address(index, range)
      default: next = nil
      }
      if let next {
        index = next
        continue
      }
      if character.isSpace {
        add(" ", .space, index)
      } else {
        if !character.isASCII,
          character.unicodeScalars.contains(where: { $0.properties.generalCategory == .format })
        {
          let code = String(character.unicodeScalars.last!.value, radix: 16, uppercase: true)
          faults.append(
            (places[index].line, "an invisible character stands here (U+\(code)); delete it"))
        }
        add(character, .text, index)
      }
      index += 1
    }
  }

  private mutating func escape(_ index: Int, _ end: Int) -> Int? {
    guard index + 1 < end else { return nil }
    let next = source[index + 1]
    if next == "\n" {
      add(" ", .space, index)
      return index + 2
    }
    guard next.isASCII, next.isPunctuation || next.isSymbol else { return nil }
    add(next, .text, index, through: index + 1)
    return index + 2
  }

  private mutating func code(_ index: Int, _ end: Int) -> Int? {
    var after = index
    while after < end, source[after] == "`" { after += 1 }
    let count = after - index
    // The closing run has as many.
    var place = after
    while place < end {
      guard source[place] == "`" else {
        place += 1
        continue
      }
      var stop = place
      while stop < end, source[stop] == "`" { stop += 1 }
      if stop - place == count {
        add("\u{FFFC}", .code, index, through: stop - 1, string(after..<place))
        return stop
      }
      place = stop
    }
    for place in index..<after { add("`", .text, place) }
    return after
  }

  private mutating func maths(_ index: Int, _ end: Int) -> Int? {
    func span(_ start: Int, _ close: Int?, _ length: Int) -> (Range<Int>, Int)? {
      close.map { (start..<$0, $0 + length) }
    }
    let found: (Range<Int>, Int)?
    if matches("$`", index, end) {
      found = span(index + 2, find("`$", from: index + 2, end), 2)
    } else if matches("$$", index, end) {
      found = span(index + 2, find("$$", from: index + 2, end), 2)
    } else {
      var close: Int?
      var place = index + 1
      if place < end, !source[place].isWhitespace {
        while place < end {
          if source[place] == "\\" {
            place += 2
            continue
          }
          let isLast = place + 1 >= end
          if source[place] == "$", !source[place - 1].isWhitespace,
            isLast || !(source[place + 1].isLetter || source[place + 1].isNumber)
          {
            close = place
            break
          }
          place += 1
        }
      }
      found = span(index + 1, close, 1)
    }
    guard let (inner, stop) = found else { return nil }
    if let comment = find("<!--", from: inner.lowerBound, inner.upperBound) {
      faults.append(
        (places[comment].line, "a marker stands in a formula here; end the formula before it"))
    }
    add("\u{FFFC}", .maths, index, through: stop - 1, string(inner))
    formulas.append((string(inner), index..<stop))
    return stop
  }

  private mutating func angle(_ index: Int, _ end: Int) -> Int? {
    if matches("<!--", index, end) { return comment(index, end) }
    guard index + 1 < end else { return nil }
    let next = source[index + 1]
    guard next.isASCII, next.isLetter || next == "/" else { return nil }
    var place = index + 1
    var quote: Character?
    while place < end {
      let character = source[place]
      if let open = quote {
        if character == open { quote = nil }
      } else if character == "\"" || character == "'" {
        quote = character
      } else if character == ">" {
        break
      } else if character == "<" {
        return nil
      }
      place += 1
    }
    guard place < end else { return nil }
    let text = string(index + 1..<place)
    let isAddress =
      (text.contains("://") || text.contains("@")) && !text.contains(where: \.isWhitespace)
    guard isAddress || Self.isTag(text) else { return nil }
    let name = text.prefix { $0.isLetter || $0.isNumber || $0 == "/" }.lowercased()
    if isAddress {
      add("\u{FFFC}", .address, index, through: place, text)
    } else if ["br", "br/", "p", "/p", "div", "/div", "td", "/td", "th", "/th", "tr", "li", "hr"]
      .contains(name)
    {
      add("\n", .border, index, through: place)
    }
    for path in Self.addresses(of: text, name) {
      links.append(Image(path: path, line: places[index].line))
    }
    for path in Self.sources(of: text, name) {
      images.append(Image(path: path, line: places[index].line))
    }
    return place + 1
  }

  /// Whether what stands between `<` and `>` is a tag (CommonMark 0.31, section 6.6), or text.
  private static func isTag(_ text: String) -> Bool {
    let attribute = #/\s+[A-Za-z_:][A-Za-z0-9_.:\-]*(\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?/#
    let opening = #/[A-Za-z][A-Za-z0-9\-]*/#
    if text.first == "/" { return text.dropFirst().trimmed.wholeMatch(of: opening) != nil }
    guard let name = text.prefixMatch(of: opening) else { return false }
    var rest = text[name.range.upperBound...]
    while let next = rest.prefixMatch(of: attribute) { rest = rest[next.range.upperBound...] }
    return ["", "/"].contains(rest.trimmed)
  }

  private mutating func comment(_ index: Int, _ end: Int) -> Int {
    let line = places[index].line
    var stop = index + 4
    while stop < end, source[stop] != "\n", !matches("-->", stop, end) { stop += 1 }
    guard stop < end, source[stop] != "\n" else {
      faults.append((line, "a comment is not closed on its line"))
      return stop
    }
    comments.append(
      Comment(
        body: string(index + 4..<stop).trimmed, position: glyphs.count, line: line,
        start: places[index].range.lowerBound, source: index..<stop + 3))
    return stop + 3
  }

  private mutating func entity(_ index: Int, _ end: Int) -> Int? {
    guard let close = find(";", from: index, min(end, index + 32)), close > index + 1 else {
      return nil
    }
    let name = string(index + 1..<close)
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "#") }) else {
      return nil
    }
    var character = Self.entities[name] ?? "\u{FFFD}"
    if name.hasPrefix("#") {
      let digits = name.dropFirst()
      let isHex = digits.first == "x" || digits.first == "X"
      let code = isHex ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
      guard let scalar = code.flatMap(Unicode.Scalar.init) else { return nil }
      character = Character(scalar)
    }
    add(character, character.isWhitespace ? .space : .text, index, through: close)
    return close + 1
  }

  private static let entities: [String: Character] = [
    "minus": "−", "ndash": "–", "mdash": "—", "hyphen": "‐", "dash": "‐", "horbar": "―",
    "nbsp": "\u{A0}", "thinsp": "\u{2009}", "ensp": "\u{2002}", "emsp": "\u{2003}",
    "times": "×", "middot": "·", "sdot": "⋅", "plusmn": "±", "deg": "°", "amp": "&", "lt": "<",
    "gt": ">", "le": "≤", "ge": "≥", "asymp": "≈", "quot": "\"", "apos": "'", "hellip": "…",
    "period": ".", "comma": ",", "percnt": "%", "frac12": "½", "half": "½", "frac14": "¼",
    "frac34": "¾", "sup1": "¹", "sup2": "²", "sup3": "³", "lsquo": "‘", "rsquo": "’",
    "ldquo": "“", "rdquo": "”",
  ]

  private mutating func emphasis(_ index: Int, _ range: Range<Int>) -> Int? {
    let mark = source[index]
    var after = index
    while after < range.upperBound, source[after] == mark { after += 1 }
    let before = index > range.lowerBound ? source[index - 1] : " "
    let behind = after < range.upperBound ? source[after] : " "
    if before.isWhitespace && behind.isWhitespace { return nil }
    if mark == "_", before.isLetter || before.isNumber, behind.isLetter || behind.isNumber {
      return nil
    }
    return after
  }

  private mutating func address(_ index: Int, _ range: Range<Int>) -> Int? {
    let end = range.upperBound
    guard matches("http://", index, end) || matches("https://", index, end) else { return nil }
    var place = index
    while place < end, !source[place].isWhitespace, source[place] != "<", source[place] != ")" {
      place += 1
    }
    add("\u{FFFC}", .address, index, through: place - 1, string(index..<place))
    return place
  }

  // MARK: Quotations

  /// Marks what stands between quotation marks: more than one word, since "97.4" quotes nobody.
  private mutating func markQuotations() {
    var open: (index: Int, close: Character)?
    for index in glyphs.indices {
      let glyph = glyphs[index]
      if glyph.kind == .border {
        open = nil
      } else if let (start, close) = open {
        guard glyph.kind == .text, glyph.character == close else { continue }
        let inner = glyphs[start + 1..<index]
        let words = inner.split { $0.kind == .space }.filter {
          $0.contains { $0.character.isLetter }
        }
        if words.count > 1 { for place in start...index { glyphs[place].isForeign = true } }
        open = nil
      } else if glyph.kind == .text {
        if glyph.character == "“" { open = (index, "”") }
        if glyph.character == "\"" { open = (index, "\"") }
      }
    }
  }
}

extension Character {
  /// Whether it is white space; asking Unicode about each letter of a book takes most of the time.
  var isSpace: Bool { isASCII ? self == " " || self == "\n" || self == "\t" : isWhitespace }
  /// Whether it is a letter, asked likewise.
  var isWordLetter: Bool {
    isASCII ? ("a"..."z").contains(self) || ("A"..."Z").contains(self) : isLetter
  }
}

extension StringProtocol {
  /// The text without the white space at its ends.
  var trimmed: String {
    var rest = self[...]
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest.drop(while: \.isWhitespace))
  }
}
