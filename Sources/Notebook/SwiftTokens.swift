/// The words and operators of Swift code, without its comments and its text.
///
/// It knows as much of the language as is needed to find names and to leave out comments: strings with
/// their interpolations, which are code again, comments inside comments, and literals of regular
/// expressions.
struct SwiftTokens {
  /// A piece of code.
  enum Token: Equatable {
    /// A name, a keyword or a number; without the backticks of a name.
    case word(String)
    /// A run of characters that operators are made of.
    case symbol(String)
    /// A bracket, a comma, a dot.
    case mark(UInt8)
  }

  /// What a piece of a file is to the eye.
  enum PieceKind { case comment, text, word }

  /// The code, in order.
  private(set) var tokens: [Token] = []
  /// What a reader tells apart by colour, as ranges of bytes in their order.
  private(set) var pieces: [(kind: PieceKind, range: Range<Int>)] = []
  /// Whether every text and every bracket that opens is closed, and each slash is understood: else
  /// names and comments may be wrong.
  private(set) var isWhole = true

  private let bytes: [UInt8]
  private var place = 0

  /// Takes a file apart.
  init(_ source: String) {
    bytes = Array(source.utf8)
    code(isInText: false)
    var depth = 0
    for case .mark(let mark) in tokens {
      if mark == UInt8(ascii: "{") { depth += 1 }
      if mark == UInt8(ascii: "}") { depth -= 1 }
      if depth < 0 { isWhole = false }
    }
    if depth != 0 { isWhole = false }
  }

  /// The file without its comments, and with one space or one end of a line for each white space.
  ///
  /// Two files that differ in this way alone are the same code, where no line is asked its number. One
  /// that is not understood stays as it is.
  var codeAlone: [UInt8] {
    guard isWhole else { return bytes }
    let (newline, blank) = (UInt8(ascii: "\n"), UInt8(ascii: " "))
    var (code, space): ([UInt8], UInt8?) = ([], nil)
    var place = 0
    for piece in pieces.filter({ $0.kind != .word }) + [(.comment, bytes.count..<bytes.count)] {
      for byte in bytes[place..<piece.range.lowerBound] {
        if byte <= 0x20 {
          space = Self.isEnd(byte) || space == newline ? newline : blank
        } else {
          if let space, !code.isEmpty { code.append(space) }
          space = nil
          code.append(byte)
        }
      }
      place = piece.range.upperBound
      if piece.kind == .comment {
        // One that ends lines is an end of a line to the compiler too.
        space = bytes[piece.range].contains(where: Self.isEnd) ? newline : space ?? blank
      } else {
        if let space, !code.isEmpty { code.append(space) }
        space = nil
        code += bytes[piece.range]
      }
    }
    return code
  }

  private func byte(_ offset: Int = 0) -> UInt8 {
    place + offset < bytes.count ? bytes[place + offset] : 0
  }

  /// Whether a byte ends a line, as the compiler has it.
  private static func isEnd(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }

  /// Whether a line ends here.
  private var isEndOfLine: Bool { Self.isEnd(byte()) }

  private func starts(with text: StaticString) -> Bool {
    text.withUTF8Buffer { bytes[place...].starts(with: $0) }
  }

  /// Code to the end of the file, or to the bracket that closes an interpolation.
  private mutating func code(isInText: Bool) {
    var depth = 0
    while place < bytes.count {
      let next = byte()
      if starts(with: "//") {
        let start = place
        while place < bytes.count, !isEndOfLine { place += 1 }
        pieces.append((.comment, start..<place))
      } else if starts(with: "/*") {
        comment()
      } else if next == UInt8(ascii: "\"") {
        text(hashes: 0)
      } else if next == UInt8(ascii: "#"), let hashes = hashesBeforeText() {
        place += hashes
        if byte() == UInt8(ascii: "/") { pattern(hashes: hashes) } else { text(hashes: hashes) }
      } else if next == UInt8(ascii: "/"), isPattern {
        pattern(hashes: 0)
      } else if next == UInt8(ascii: "/"), mayBePattern {
        isWhole = false
        place += 1
      } else if next == UInt8(ascii: "`") {
        place += 1
        word()
        if byte() == UInt8(ascii: "`") { place += 1 }
      } else if scalar(at: place).map({ Self.isOfWord($0.scalar) }) == true {
        word()
      } else if scalar(at: place).map({ Self.isOfSymbol($0.scalar) }) == true {
        symbol()
      } else {
        if next > 0x20 { tokens.append(.mark(next)) }
        place += 1
        if next == UInt8(ascii: "(") { depth += 1 }
        if next == UInt8(ascii: ")") {
          if isInText, depth == 0 { return }
          depth -= 1
        }
      }
    }
    if isInText { isWhole = false }
  }

  private mutating func comment() {
    let start = place
    defer { pieces.append((.comment, start..<place)) }
    var depth = 0
    repeat {
      if starts(with: "/*") {
        depth += 1
        place += 2
      } else if starts(with: "*/") {
        depth -= 1
        place += 2
      } else {
        place += 1
      }
    } while depth > 0 && place < bytes.count
    if depth > 0 { isWhole = false }
  }

  /// How many `#` stand before a text or a pattern here; nil when there is none.
  private func hashesBeforeText() -> Int? {
    let hashes = bytes[place...].prefix { $0 == UInt8(ascii: "#") }.count
    let opens = byte(hashes) == UInt8(ascii: "\"") || byte(hashes) == UInt8(ascii: "/")
    return opens ? hashes : nil
  }

  private func has(_ mark: UInt8, count: Int, at start: Int) -> Bool {
    start + count <= bytes.count && bytes[start..<start + count].allSatisfy { $0 == mark }
  }

  /// A text from its opening quotation mark on; what it interpolates is code.
  private mutating func text(hashes: Int) {
    let quote = UInt8(ascii: "\"")
    let quotes = has(quote, count: 3, at: place) ? 3 : 1
    var start = place
    defer { pieces.append((.text, start..<place)) }
    place += quotes
    while place < bytes.count {
      if has(quote, count: quotes, at: place),
        has(UInt8(ascii: "#"), count: hashes, at: place + quotes)
      {
        place += quotes + hashes
        tokens.append(.mark(quote))
        return
      }
      if byte() == UInt8(ascii: "\\"), has(UInt8(ascii: "#"), count: hashes, at: place + 1) {
        place += 1 + hashes
        if byte() == UInt8(ascii: "(") {
          place += 1
          pieces.append((.text, start..<place))
          code(isInText: true)
          start = place - 1
        } else {
          place += 1
        }
        continue
      }
      if quotes == 1, isEndOfLine { break }
      place += 1
    }
    isWhole = false
  }

  /// Whether a slash opens a pattern, as Swift has it: where no operand stands before it, no space
  /// behind it, and another slash on its line.
  private var isPattern: Bool {
    switch tokens.last {
    case .word(let word):
      guard ["return", "in", "case", "where", "if", "else", "try", "await"].contains(word) else {
        return false
      }
    case .mark(let mark):
      if [")", "]", "}", "\""].contains(Unicode.Scalar(mark)) { return false }
    default: break
    }
    guard byte(1) > 0x20 else { return false }
    let line = bytes[(place + 1)...].prefix { $0 != UInt8(ascii: "\n") }
    return line.contains(UInt8(ascii: "/"))
  }

  /// Whether a slash that opens no pattern here may do so for the compiler, as behind `switch`: it has
  /// space or a bracket before it, and none behind it.
  private var mayBePattern: Bool {
    let before = place == 0 ? UInt8(ascii: " ") : bytes[place - 1]
    let opens = before <= 0x20 || "([{,".utf8.contains(before)
    return opens && byte(1) > 0x20 && byte(1) != UInt8(ascii: "=")
  }

  private mutating func pattern(hashes: Int) {
    let start = place
    defer { pieces.append((.text, start..<place)) }
    place += 1
    while place < bytes.count {
      if byte() == UInt8(ascii: "/"), has(UInt8(ascii: "#"), count: hashes, at: place + 1) {
        place += 1 + hashes
        tokens.append(.mark(UInt8(ascii: "\"")))
        return
      }
      if hashes == 0, isEndOfLine { break }
      place += byte() == UInt8(ascii: "\\") && hashes == 0 ? 2 : 1
    }
    isWhole = false
  }

  private mutating func word() {
    let start = place
    while let next = scalar(at: place), Self.isOfWord(next.scalar) { place += next.length }
    tokens.append(.word(String(decoding: bytes[start..<place], as: UTF8.self)))
    pieces.append((.word, start..<place))
  }

  private mutating func symbol() {
    let start = place
    while let next = scalar(at: place), Self.isOfSymbol(next.scalar) {
      if place > start, starts(with: "//") || starts(with: "/*") { break }
      place += next.length
    }
    tokens.append(.symbol(String(decoding: bytes[start..<place], as: UTF8.self)))
  }

  private func scalar(at place: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    guard place < bytes.count else { return nil }
    let first = bytes[place]
    if first < 0x80 { return (Unicode.Scalar(first), 1) }
    let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    let end = min(place + length, bytes.count)
    let scalar = String(decoding: bytes[place..<end], as: UTF8.self).unicodeScalars.first
    return scalar.map { ($0, end - place) }
  }

  private static func isOfWord(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII {
      return scalar == "_" || scalar == "$" || ("a"..."z").contains(scalar)
        || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }
    return scalar.properties.isXIDContinue
  }

  private static func isOfSymbol(_ scalar: Unicode.Scalar) -> Bool {
    scalar.isASCII ? "/=-+!*%<>&|^~?".unicodeScalars.contains(scalar) : !isOfWord(scalar)
  }
}
