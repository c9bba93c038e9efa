/// A number that a reader meets: all that the eye takes together, in digits or in words.
struct Numeral {
  enum Kind { case digits, words }

  let kind: Kind
  /// The glyphs of it.
  let range: Range<Int>
  /// The number as it is written, with `-` for any minus; of words each of them, in lower case.
  let texts: [String]
  /// Letters that go on behind the digits: `2nd`, `3x`.
  var suffix = ""
  /// What it is when it needs no marker: a reference, somebody's words.
  var exemption: String?
  /// The numbers that a predicate may have in its place, such as 0.25 and 4 for "a quarter".
  var meanings: [Double] = []
  /// Whether the word is a factor, such as "half" and "twice", and no count.
  var isFactor = false

  var text: String { texts.joined(separator: " ") + suffix }
}

/// The numbers in digits of a row of glyphs, as a reader finds them.
struct NumeralFinder {
  let glyphs: [Glyph]
  private(set) var numerals: [Numeral] = []

  init(_ glyphs: [Glyph]) {
    self.glyphs = glyphs
    find()
  }

  // MARK: Glyphs

  private func character(_ index: Int) -> Character? {
    glyphs.indices.contains(index) && glyphs[index].kind == .text ? glyphs[index].character : nil
  }

  private func isDigit(_ index: Int) -> Bool {
    character(index).map { ("0"..."9").contains($0) } ?? false
  }

  /// A digit of another script, a fraction in one sign, a raised digit.
  private func isOdd(_ index: Int) -> Bool {
    guard let character = character(index), !character.isASCII else { return false }
    return character.isNumber || character == "⁻"
  }

  private func isRaised(_ index: Int) -> Bool {
    character(index).map { "⁻⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉".contains($0) } ?? false
  }

  private func isLetter(_ index: Int) -> Bool {
    character(index).map { $0.isWordLetter || $0 == "_" } ?? false
  }

  // MARK: Finding

  private mutating func find() {
    var index = 0
    while index < glyphs.count {
      let glyph = glyphs[index]
      if glyph.kind == .maths || glyph.kind == .code {
        if let number = Self.bareNumber(glyph.content) {
          numerals.append(Numeral(kind: .digits, range: index..<index + 1, texts: [number]))
        }
        index += 1
        continue
      }
      let isPoint = character(index) == "." && isDigit(index + 1) && !isDigit(index - 1)
      guard isDigit(index) || isPoint || (isOdd(index) && !isRaised(index)) else {
        index += 1
        continue
      }
      if isLetter(index - 1) {
        // Part of a name, such as x2 or v1.5.
        while isDigit(index) || isLetter(index) || isOdd(index)
          || (character(index) == "." && isDigit(index + 1))
        {
          index += 1
        }
        continue
      }
      let numeral = numeral(at: index)
      numerals.append(numeral)
      index = numeral.range.upperBound
    }
  }

  private func numeral(at first: Int) -> Numeral {
    var start = first
    if let sign = character(first - 1), sign == "-" || sign == "−",
      !isDigit(first - 2), !isLetter(first - 2), !isOdd(first - 2), character(first - 2) != ")"
    {
      start -= 1
    }
    var end = first
    while isDigit(end) || ((character(end) == "." || character(end) == ",") && isDigit(end + 1)) {
      end += 1
    }
    if let mark = character(end), mark == "e" || mark == "E" {
      var place = end + 1
      if let sign = character(place), "+-−".contains(sign) { place += 1 }
      if isDigit(place) {
        while isDigit(place) { place += 1 }
        end = place
      }
    } else if character(end) == "×", character(end + 1) == "1", character(end + 2) == "0",
      isRaised(end + 3)
    {
      end += 3
    }
    while isOdd(end) { end += 1 }
    let text = String(glyphs[start..<end].map { $0.character == "−" ? "-" : $0.character })
    let stop = end
    while isLetter(end) || isDigit(end) || isOdd(end) { end += 1 }
    var numeral = Numeral(kind: .digits, range: start..<end, texts: [text])
    numeral.suffix = String(glyphs[stop..<end].map(\.character))
    return numeral
  }

  /// The number that is all of a formula or of a span of code; nil when there is more to it.
  private static func bareNumber(_ content: String) -> String? {
    var text = content.replacing("{,}", with: ",").replacing("\\%", with: "%")
      .replacing("−", with: "-")
    for space in ["\\,", "\\;", "\\:", "\\!", "\\ ", "~"] {
      text = text.replacing(space, with: "")
    }
    text = text.filter { !$0.isWhitespace }
    if text.last == "%" { text.removeLast() }
    var power = ""
    if let found = text.firstMatch(of: #/\\(?:times|cdot)10\^\{?(-?[0-9]+)\}?$/#) {
      power = "e\(found.output.1)"
      text.removeSubrange(found.range)
    }
    let unsigned = text.first == "-" ? text.dropFirst() : text[...]
    guard let first = unsigned.first, first.isNumber || first == ".",
      unsigned.allSatisfy({ $0.isNumber || $0 == "." || $0 == "," })
    else { return nil }
    // 2.2.3 is a chapter.
    return unsigned.count { $0 == "." } > 1 ? nil : text + power
  }

  // MARK: Ambiguity

  private static let dashes: Set<Character> = [
    "-", "‐", "‑", "‒", "–", "—", "―", "−", "⁃", "﹣", "－", "⁻", "₋", "˗", "➖",
  ]

  /// Multipliers that a reader adds to the number before them.
  private static let multipliers: Set<String> = [
    "hundred", "thousand", "million", "billion", "trillion", "dozen", "hundreds", "thousands",
    "millions", "billions", "dozens", "k", "K", "M", "G", "T", "bn", "mn",
  ]

  /// What stands beside a number so that a reader may take both for one; nil when nothing does.
  func ambiguity(of range: Range<Int>) -> String? {
    let isFree = isClear(before: range.lowerBound) && isClear(behind: range.upperBound)
    guard !isFree else { return nil }
    var first = range.lowerBound
    while first > 0, range.lowerBound - first < 8, glyphs[first - 1].kind != .border { first -= 1 }
    var last = range.upperBound
    while last < glyphs.count, last - range.upperBound < 8, glyphs[last].kind != .border {
      last += 1
    }
    return glyphs[first..<last].map { $0.content.isEmpty ? String($0.character) : $0.content }
      .joined().words
  }

  private func isClear(before start: Int) -> Bool {
    var index = start - 1
    guard index >= 0, glyphs[index].kind != .border else { return true }
    if glyphs[index].kind == .text {
      let character = glyphs[index].character
      if character == "–" { return isDigit(index - 1) || isRaised(index - 1) }
      guard "([{\"“‘'|=<>≤≥≈±+×".contains(character) else { return false }
      return !("\"“‘'+".contains(character) && isDigit(index - 1))
    }
    guard glyphs[index].kind == .space else { return false }
    while index >= 0, glyphs[index].kind == .space { index -= 1 }
    guard index >= 0 else { return true }
    switch glyphs[index].kind {
    case .border, .space: return true
    case .address: return true
    case .maths, .code:
      let content = glyphs[index].content.filter { !$0.isWhitespace && $0 != "{" && $0 != "}" }
      guard let last = content.last else { return false }
      return !(last.isNumber || Self.dashes.contains(last) || last == "." || last == ",")
    case .text:
      if isDigit(index) || isOdd(index) || Self.dashes.contains(glyphs[index].character) {
        return false
      }
      let word = word(endingAt: index)
      if word.text == "minus" || word.text == "negative" {
        return self.word(endingAt: word.start - 2).text == "or"
      }
      return true
    }
  }

  private func isClear(behind end: Int) -> Bool {
    guard end < glyphs.count, glyphs[end].kind != .border else { return true }
    var index = end
    if glyphs[index].kind == .text {
      let character = glyphs[index].character
      guard "%)]}.,;:!?\"”’'…|–—-=<>≤≥±°/+".contains(character) else { return false }
      let goesOn = isDigit(index + 1) || isOdd(index + 1)
      if goesOn { return character == "–" || "=<>≤≥±".contains(character) }
      if character == "-" { return !Self.multipliers.contains(word(startingAt: index + 1).text) }
      return character != "’" && character != "'" || !isDigit(index + 1)
    }
    guard glyphs[index].kind == .space else { return false }
    while index < glyphs.count, glyphs[index].kind == .space { index += 1 }
    guard index < glyphs.count else { return true }
    switch glyphs[index].kind {
    case .border, .space, .address: return true
    case .maths, .code:
      let content = glyphs[index].content.filter { !$0.isWhitespace && $0 != "{" }
      let continued = ["\\times", "\\cdot", "^", "_", "×", "·", ".", ",", "e", "\\%"]
      return
        !(content.isEmpty || content.first!.isNumber
        || continued.contains { content.hasPrefix($0) })
    case .text:
      if isDigit(index) || isOdd(index) { return false }
      let character = glyphs[index].character
      if (character == "." || character == ",") && isDigit(index + 1) { return false }
      if character == "^" { return false }
      if "×·⋅*".contains(character) || word(startingAt: index).text == "x" {
        var factor = index + 1
        while factor < glyphs.count, glyphs[factor].kind == .space { factor += 1 }
        let isFormula = factor < glyphs.count && glyphs[factor].kind == .maths
        return !(isFormula || (self.character(factor) == "1" && self.character(factor + 1) == "0"))
      }
      return isClearWord(at: index)
    }
  }

  /// Whether the words from here on say nothing of how large the number before them is.
  private func isClearWord(at index: Int) -> Bool {
    let first = word(startingAt: index)
    if Self.multipliers.contains(first.text) { return false }
    if first.text.lowercased() == "e", isDigit(first.end) { return false }
    let second = word(startingAt: first.end + 1)
    if first.text == "point", isDigit(first.end + 1) || NumberWords.isDigitWord(second.text) {
      return false
    }
    let third = word(startingAt: second.end + 1)
    return !(first.text == "and" && NumberWords.isPart(third.text))
  }

  private func word(startingAt start: Int) -> (text: String, end: Int) {
    var end = start
    while isLetter(end) { end += 1 }
    return (start < end ? String(glyphs[start..<end].map(\.character)) : "", end)
  }

  private func word(endingAt last: Int) -> (text: String, start: Int) {
    var start = last
    while isLetter(start) { start -= 1 }
    return (
      start < last ? String(glyphs[start + 1...last].map(\.character)).lowercased() : "", start + 1
    )
  }
}
