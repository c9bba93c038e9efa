/// Links and images, in each form that GitHub shows.
extension GlyphScanner {
  /// Reads a link or an image that begins at `[` or `![`; nil when it is none.
  mutating func link(_ index: Int, _ end: Int, isImage: Bool) -> Int? {
    let open = index + (isImage ? 1 : 0)
    guard let close = closingBracket(open, end) else { return nil }
    let inner = open + 1..<close
    if !isImage, inner.count > 1, source[inner.lowerBound] == "^",
      !source[inner].contains(where: \.isWhitespace)
    {
      return close + 1
    }
    var target: (path: String, end: Int)?
    if matches("(", close + 1, end) {
      target = destination(close + 1, end)
    } else if matches("[", close + 1, end), let last = closingBracket(close + 1, end) {
      let label = last == close + 2 ? inner : close + 2..<last
      target = addresses[string(label).words.lowercased()].map { ($0, last + 1) }
    }
    if target == nil {
      target = addresses[string(inner).words.lowercased()].map { ($0, close + 1) }
    }
    guard let target else { return nil }
    if isImage {
      images.append(Image(path: target.path, line: places[index].line))
      // A number would run into the picture.
      add("\n", .border, index)
      return target.end
    }
    links.append(Image(path: target.path, line: places[index].line))
    let first = glyphs.count
    scan(inner)
    let name = String(glyphs[first...].map(\.character)).trimmed
    // What the address says itself, such as a chapter's number or a file's name.
    if !name.isEmpty, !name.contains(" "), target.path.contains(name) {
      for index in first..<glyphs.count { glyphs[index].isForeign = true }
    }
    return target.end
  }

  private func closingBracket(_ open: Int, _ end: Int) -> Int? {
    var depth = 0
    var place = open
    while place < end {
      switch source[place] {
      case "\\": place += 1
      case "`":
        var after = place
        while after < end, source[after] == "`" { after += 1 }
        let run = String(repeating: "`", count: after - place)
        if let close = find(run, from: after, end) { place = close + run.count - 1 }
      case "[": depth += 1
      case "]":
        depth -= 1
        if depth == 0 { return place }
      default: break
      }
      place += 1
    }
    return nil
  }

  private func destination(_ open: Int, _ end: Int) -> (path: String, end: Int)? {
    var place = open + 1
    func skipSpace() { while place < end, source[place].isWhitespace { place += 1 } }
    skipSpace()
    let path: String
    if matches("<", place, end) {
      guard let close = find(">", from: place, end) else { return nil }
      path = string(place + 1..<close)
      place = close + 1
    } else {
      let start = place
      var depth = 0
      while place < end, !source[place].isWhitespace {
        if source[place] == "(" { depth += 1 }
        if source[place] == ")" {
          if depth == 0 { break }
          depth -= 1
        }
        place += 1
      }
      path = string(start..<place)
    }
    skipSpace()
    if place < end, let quote = ["\"": "\"", "'": "'", "(": ")"][source[place]] {
      guard let close = find(quote, from: place + 1, end) else { return nil }
      place = close + 1
      skipSpace()
    }
    return matches(")", place, end) ? (path, place + 1) : nil
  }

  /// The addresses that a tag shows: `<img src="…">` and the like.
  static func sources(of tag: String, _ name: String) -> [String] {
    let shown: Set<String> = ["src", "srcset", "data", "poster", "href", "xlink:href"]
    guard
      ["img", "source", "image", "object", "embed", "iframe", "video", "input", "use", "svg"]
        .contains(name)
    else { return [] }
    return values(of: tag, in: shown)
  }

  /// The addresses to which a tag leads: `<a href="…">`.
  static func addresses(of tag: String, _ name: String) -> [String] {
    name == "a" ? values(of: tag, in: ["href"]) : []
  }

  /// The addresses in some attributes of a tag.
  private static func values(of tag: String, in shown: Set<String>) -> [String] {
    var paths: [String] = []
    var rest = tag.drop { !$0.isWhitespace }
    while !rest.isEmpty {
      rest = rest.drop { $0.isWhitespace || $0 == "/" }
      let attribute = rest.prefix { !$0.isWhitespace && $0 != "=" }
      rest = rest.dropFirst(max(1, attribute.count)).drop(while: \.isWhitespace)
      guard attribute.endIndex < tag.endIndex else { break }
      if tag[attribute.endIndex...].drop(while: \.isWhitespace).first != "=" { continue }
      rest = tag[attribute.endIndex...].drop { $0.isWhitespace || $0 == "=" }
      let value: Substring
      if let quote = rest.first, quote == "\"" || quote == "'" {
        value = rest.dropFirst().prefix { $0 != quote }
        rest = rest.dropFirst(value.count + 2)
      } else {
        value = rest.prefix { !$0.isWhitespace }
        rest = rest.dropFirst(value.count)
      }
      guard shown.contains(attribute.lowercased()) else { continue }
      for part in value.split(separator: ",") {
        if let path = part.split(whereSeparator: \.isWhitespace).first {
          paths.append(String(path))
        }
      }
    }
    return paths
  }
}
