/// A piece of a formula and where it stands.
struct Token: Equatable {
  enum Kind: Equatable {
    case number(Rational)
    /// A name, with Greek letters spelt out.
    case name(String)
    /// An operator, a bracket or a comma, in ASCII.
    case mark(String)
    case end
  }

  var kind: Kind
  /// The text as it was typed.
  var text: String
  /// Which letter of the formula it begins with, from 0.
  var position: Int
}

/// Cuts a formula into tokens.
struct Lexer {
  private let letters: [Character]
  private var position = 0
  private var tokens: [Token] = []

  private init(_ text: String) { letters = Array(text) }

  /// The tokens of a formula, `end` the last.
  static func tokens(of text: String) throws(ReadingError) -> [Token] {
    var lexer = Lexer(text)
    while lexer.position < lexer.letters.count { try lexer.next() }
    lexer.add(.end, from: lexer.position)
    return lexer.tokens
  }

  /// How other scripts write the marks of ASCII.
  private static let marks: [Character: String] = [
    "+": "+", "-": "-", "−": "-", "–": "-", "*": "*", "·": "*", "⋅": "*", "×": "*", "∗": "*",
    "/": "/", "÷": "/", "^": "^", "(": "(", ")": ")", "[": "[", "]": "]", ",": ",",
    "<": "<", ">": ">", "≤": "<=", "≥": ">=", "≠": "!=",
  ]

  private static let pairs = ["<=", ">=", "==", "!=", "**"]

  private static let greek: [Character: String] = [
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "eps", "ϵ": "eps", "η": "eta",
    "θ": "theta", "ϑ": "theta", "λ": "lambda", "μ": "mu", "µ": "mu", "σ": "sigma",
  ]

  private static let superscripts = Dictionary(
    uniqueKeysWithValues: zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789"))

  private mutating func next() throws(ReadingError) {
    let (start, letter) = (position, letters[position])
    if letter.isWhitespace {
      position += 1
    } else if isDigit(start) || letter == "." && isDigit(start + 1) {
      try readNumber()
    } else if letter.isLetter || letter == "_" {
      while position < letters.count, isPartOfName(letters[position]) { position += 1 }
      let name = letters[start..<position].map { Self.greek[$0] ?? String($0) }.joined()
      add(.name(name), from: start)
    } else if letter == "∇" {
      position += 1
      // ∇f is a function's name, of which the f says nothing.
      if position < letters.count, letters[position] == "f" { position += 1 }
      add(.name("grad"), from: start)
    } else if Self.superscripts[letter] != nil {
      var digits = ""
      while position < letters.count, let digit = Self.superscripts[letters[position]] {
        digits.append(digit)
        position += 1
      }
      guard let exponent = Rational(decimal: digits) else { throw tooLong(from: start) }
      add(.mark("^"), from: start)
      add(.number(exponent), from: start)
    } else if start + 1 < letters.count,
      let pair = Self.pairs.first(where: { $0 == String(letters[start...start + 1]) })
    {
      position += 2
      add(.mark(pair == "**" ? "^" : pair), from: start)
    } else if let mark = Self.marks[letter] {
      position += 1
      add(.mark(mark), from: start)
    } else {
      throw ReadingError(complaint(about: letter), at: start)
    }
  }

  private func complaint(about letter: Character) -> String {
    switch letter {
    case "=": "Write the formula alone, without what it is equal to and without “=”"
    case "|": "Write abs(x) for the absolute value"
    case "{", "}": "Write parentheses ( ) and, for an element, brackets: P[i]"
    case "√": "Write sqrt(x) for the root"
    default: "The sign “\(Self.shown(letter))” has no meaning here"
    }
  }

  /// A letter that a terminal can show.
  private static func shown(_ letter: Character) -> String {
    let scalars = letter.unicodeScalars
    let isHidden = scalars.contains { !$0.properties.isGraphemeBase }
    return isHidden
      ? "U+" + String(scalars.first!.value, radix: 16, uppercase: true) : String(letter)
  }

  private func isDigit(_ place: Int) -> Bool {
    place < letters.count && letters[place].isASCII && letters[place].isNumber
  }

  private func isPartOfName(_ letter: Character) -> Bool {
    (letter.isLetter || letter.isNumber || letter == "_") && Self.superscripts[letter] == nil
  }

  /// Reads `12`, `.5` or `1.5e-3`.
  private mutating func readNumber() throws(ReadingError) {
    let start = position
    func skippingDigits(_ place: Int) -> Int {
      var place = place
      while isDigit(place) { place += 1 }
      return place
    }
    position = skippingDigits(start)
    if position < letters.count, letters[position] == "." {
      position = skippingDigits(position + 1)
    }
    if position < letters.count, letters[position] == "e" || letters[position] == "E" {
      let hasSign = position + 1 < letters.count && "+-−".contains(letters[position + 1])
      let digits = position + (hasSign ? 2 : 1)
      // Otherwise the e begins a name, as in 2exp(x), which the parser will speak of.
      if isDigit(digits) { position = skippingDigits(digits) }
    }
    let text = String(letters[start..<position].map { $0 == "−" ? "-" : $0 })
    guard let number = Rational(decimal: text) else { throw tooLong(from: start) }
    add(.number(number), from: start)
  }

  private func tooLong(from start: Int) -> ReadingError {
    ReadingError(
      "A number may have fifteen digits, before and behind the point together", at: start)
  }

  private mutating func add(_ kind: Token.Kind, from start: Int) {
    tokens.append(Token(kind: kind, text: String(letters[start..<position]), position: start))
  }
}
