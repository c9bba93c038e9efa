/// A document of HTML or SVG cut into tags and what stands between them.
///
/// It is no parser of everything that a browser takes, but of what is well formed, as the converter
/// of Markdown and gnuplot write it; what it does not understand it passes on as it stands.
enum Markup {
  /// A part of a document.
  enum Piece: Equatable {
    /// What stands between tags, its entities as they are.
    case text(String)
    /// A tag that opens an element.
    case open(Tag)
    /// A tag that closes one, by its name.
    case close(String)
    /// A comment, without its marks.
    case comment(String)
    /// A declaration, passed on as it stands.
    case other(String)
  }

  /// A tag with its attributes, whose values are escaped as they stood.
  struct Tag: Equatable {
    var name: String
    var attributes: [(name: String, value: String?)] = []
    var isSelfClosing = false

    /// A tag from its parts.
    init(_ name: String, _ attributes: [(name: String, value: String?)] = []) {
      self.name = name
      self.attributes = attributes
    }

    /// The value of an attribute; nil where there is none.
    subscript(_ name: String) -> String? {
      get { attributes.first { $0.name == name }?.value }
      set {
        if let place = attributes.firstIndex(where: { $0.name == name }) {
          if let newValue {
            attributes[place].value = newValue
          } else {
            attributes.remove(at: place)
          }
        } else if let newValue {
          attributes.append((name, newValue))
        }
      }
    }

    /// The tag as it is written.
    var text: String {
      var result = "<\(name)"
      for (name, value) in attributes {
        result += value.map { " \(name)=\"\($0)\"" } ?? " \(name)"
      }
      return result + (isSelfClosing ? "/>" : ">")
    }

    /// Elements that have no end.
    var isVoid: Bool {
      isSelfClosing || ["br", "hr", "img", "input", "wbr", "source", "link", "meta"].contains(name)
    }

    static func == (a: Tag, b: Tag) -> Bool { a.text == b.text }
  }

  /// The parts of a document; written one after the other, they are the document again.
  static func pieces(of text: String) -> [Piece] {
    var reader = Reader(bytes: Array(text.utf8))
    return reader.pieces()
  }

  /// The document of some parts.
  static func text(of pieces: some Sequence<Piece>) -> String {
    var result = ""
    for piece in pieces {
      switch piece {
      case .text(let text), .other(let text): result += text
      case .open(let tag): result += tag.text
      case .close(let name): result += "</\(name)>"
      case .comment(let text): result += "<!--\(text)-->"
      }
    }
    return result
  }

  /// A text as it stands in a document, in an attribute too.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// What the converter of Markdown has escaped, as it was.
  static func unescaped(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
    return text.replacing("&lt;", with: "<").replacing("&gt;", with: ">")
      .replacing("&quot;", with: "\"").replacing("&#39;", with: "'").replacing("&amp;", with: "&")
  }
}

private struct Reader {
  let bytes: [UInt8]
  var place = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  func find(_ text: StaticString, from start: Int) -> Int? {
    text.withUTF8Buffer { wanted in
      var index = start
      while index + wanted.count <= bytes.count {
        if bytes[index..<index + wanted.count].elementsEqual(wanted) { return index }
        index += 1
      }
      return nil
    }
  }

  func isLetter(_ place: Int) -> Bool {
    place < bytes.count && (bytes[place] | 0x20) >= 0x61 && (bytes[place] | 0x20) <= 0x7A
  }

  mutating func pieces() -> [Markup.Piece] {
    var result: [Markup.Piece] = []
    var start = 0
    func flush(_ end: Int) { if end > start { result.append(.text(string(start..<end))) } }
    while place < bytes.count {
      guard bytes[place] == UInt8(ascii: "<") else {
        place += 1
        continue
      }
      let opening = place
      guard let piece = tag() else {
        place = opening + 1
        continue
      }
      flush(opening)
      result.append(piece)
      start = place
    }
    flush(bytes.count)
    return result
  }

  /// The piece that begins at a `<`, and goes behind it; nil when there is none.
  private mutating func tag() -> Markup.Piece? {
    let opening = place
    let next = place + 1 < bytes.count ? bytes[place + 1] : 0
    if bytes[opening...].starts(with: "<!--".utf8) {
      guard let end = find("-->", from: opening + 4) else { return nil }
      place = end + 3
      return .comment(string(opening + 4..<end))
    }
    if next == UInt8(ascii: "!") || next == UInt8(ascii: "?") {
      guard let end = find(">", from: opening) else { return nil }
      place = end + 1
      return .other(string(opening..<place))
    }
    if next == UInt8(ascii: "/") {
      guard isLetter(opening + 2), let end = find(">", from: opening) else { return nil }
      place = end + 1
      let name = string(opening + 2..<end)
      return .close(String(name.prefix { !$0.isWhitespace }))
    }
    guard isLetter(opening + 1) else { return nil }
    place = opening + 1
    var tag = Markup.Tag(word())
    while true {
      space()
      guard place < bytes.count else { return nil }
      if bytes[place] == UInt8(ascii: ">") {
        place += 1
        return .open(tag)
      }
      if bytes[place] == UInt8(ascii: "/") {
        tag.isSelfClosing = true
        place += 1
        continue
      }
      let name = word()
      guard !name.isEmpty else { return nil }
      space()
      guard place < bytes.count, bytes[place] == UInt8(ascii: "=") else {
        tag.attributes.append((name, nil))
        continue
      }
      place += 1
      space()
      guard let value = value() else { return nil }
      tag.attributes.append((name, value))
    }
  }

  private mutating func space() {
    while place < bytes.count, bytes[place] <= 0x20 { place += 1 }
  }

  private mutating func word() -> String {
    let start = place
    while place < bytes.count, bytes[place] > 0x20, !"=>/<".utf8.contains(bytes[place]) {
      place += 1
    }
    return string(start..<place)
  }

  private mutating func value() -> String? {
    guard place < bytes.count else { return nil }
    let quote = bytes[place]
    guard quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") else {
      let start = place
      while place < bytes.count, bytes[place] > 0x20, bytes[place] != UInt8(ascii: ">") {
        place += 1
      }
      return string(start..<place)
    }
    guard let end = bytes[(place + 1)...].firstIndex(of: quote) else { return nil }
    let value = string(place + 1..<end)
    place = end + 1
    // The value is written in double quotation marks whatever it stood in.
    return value.replacing("\"", with: "&quot;")
  }
}
