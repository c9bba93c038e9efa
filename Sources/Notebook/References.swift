/// Numbers that need no marker because they only point somewhere: chapters, figures, years of
/// papers.
struct References {
  private static let kinds: Set<String> = [
    "chapter", "section", "figure", "fig", "table", "equation", "eq", "theorem", "lemma",
    "proposition", "corollary", "appendix", "algorithm", "page", "p", "pp",
  ]

  private let glyphs: [Glyph]

  /// Says of each number whether it is such a one.
  ///
  /// - Parameter isHeading: whether the glyphs are a heading, which may begin with its own number.
  static func mark(_ numerals: inout [Numeral], _ glyphs: [Glyph], isHeading: Bool) {
    let references = References(glyphs: glyphs)
    var previous: (end: Int, isPlural: Bool)?
    for index in numerals.indices {
      let numeral = numerals[index]
      if glyphs[numeral.range.lowerBound].isForeign {
        numerals[index].exemption = "a quotation or a name"
        continue
      }
      guard numeral.kind == .digits, glyphs[numeral.range.lowerBound].kind == .text else {
        continue
      }
      let text = numeral.texts[0]
      if isHeading, numeral.range.lowerBound == 0, references.isPlace(text),
        references.isTitle(numeral.range.upperBound)
      {
        numerals[index].exemption = "the number of a heading"
      } else if references.isPlace(text), text.count(where: { $0 == "." }) > 1 {
        numerals[index].exemption = "a reference"
      } else if let isPlural = references.kind(before: numeral.range.lowerBound),
        references.isPlace(text), !references.isShare(numeral.range.upperBound)
      {
        numerals[index].exemption = "a reference"
        previous = (numeral.range.upperBound, isPlural)
      } else if let (end, isPlural) = previous, references.isPlace(text),
        let isLast = references.goesOn(end..<numeral.range.lowerBound, isPlural),
        !references.isShare(numeral.range.upperBound)
      {
        numerals[index].exemption = "a reference"
        previous = isLast ? nil : (numeral.range.upperBound, isPlural)
      } else if references.isYear(numeral) {
        numerals[index].exemption = "the year of a citation"
      }
    }
  }

  /// Marks what a citation has under the heading "References": whole numbers such as volumes and
  /// pages, and places such as `arXiv:1502.01852`, in a paragraph that names a year.
  ///
  /// A share is none, nor is a decimal: those are results.
  static func markCitations(_ numerals: inout [Numeral], _ glyphs: [Glyph]) {
    let references = References(glyphs: glyphs)
    let isCitation = numerals.contains {
      $0.kind == .digits && $0.texts[0].count == 4
        && Int($0.texts[0]).map { (1900...2099).contains($0) } == true
    }
    guard isCitation else { return }
    for index in numerals.indices where numerals[index].exemption == nil {
      let range = numerals[index].range
      let isDecimal =
        numerals[index].texts[0].contains(".") && references.character(range.lowerBound - 1) != ":"
      if !isDecimal, Prose.unit(behind: range.upperBound, glyphs) == nil {
        numerals[index].exemption = "the list of references"
      }
    }
  }

  private func character(_ index: Int) -> Character? {
    glyphs.indices.contains(index) && glyphs[index].kind == .text ? glyphs[index].character : nil
  }

  /// Whether a text has the form of a place in a book: short whole numbers with points between.
  private func isPlace(_ text: String) -> Bool {
    text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy {
      (1...4).contains($0.count) && $0.allSatisfy { ("0"..."9").contains($0) }
    }
  }

  /// Whether a share is what the number says, whatever stands before it.
  private func isShare(_ end: Int) -> Bool {
    // "Figure 3 points to" is one.
    Prose.unit(behind: end, glyphs).map { $0 != "points" } ?? false
  }

  /// Whether the words of a title follow, and no unit.
  private func isTitle(_ end: Int) -> Bool {
    let start = end + (character(end) == "." ? 1 : 0)
    guard glyphs.indices.contains(start), glyphs[start].kind == .space else { return false }
    let word = glyphs[(start + 1)...].prefix { $0.kind == .text && $0.character.isWordLetter }
    return !word.isEmpty && word.first!.character.isUppercase
  }

  private func word(endingAt last: Int) -> (text: String, start: Int) {
    var start = last
    while let character = character(start), character.isLetter { start -= 1 }
    return (start < last ? String(glyphs[start + 1...last].map(\.character)) : "", start + 1)
  }

  /// Whether "chapter" or the like stands before, and whether it speaks of several.
  private func kind(before start: Int) -> Bool? {
    var index = start - 1
    guard index >= 0, glyphs[index].kind == .space else { return nil }
    while index >= 0, glyphs[index].kind == .space { index -= 1 }
    if character(index) == "." { index -= 1 }
    let word = word(endingAt: index).text.lowercased()
    if Self.kinds.contains(word) { return word == "pp" }
    if word == "eqs" || word == "figs" || word == "appendices" { return true }
    return word.hasSuffix("s") && Self.kinds.contains(String(word.dropLast())) ? true : nil
  }

  /// Whether a list of places goes on between two numbers, and if so whether with its last.
  private func goesOn(_ range: Range<Int>, _ isPlural: Bool) -> Bool? {
    let text = String(glyphs[range].map { $0.kind == .space ? " " : $0.character })
    if text == "–" || text == "-" { return false }
    guard isPlural else { return nil }
    if [",", "to"].contains(text.trimmed) { return false }
    return ["and", ", and", "or", "&"].contains(text.trimmed) ? true : nil
  }

  /// Whether a number is the year of a paper: four digits behind a name, and the end of what is said
  /// of it.
  private func isYear(_ numeral: Numeral) -> Bool {
    let text = numeral.texts[0]
    guard text.count == 4, numeral.suffix.count <= 1, let year = Int(text),
      (1900...2099).contains(year)
    else { return false }
    var index = numeral.range.lowerBound - 1
    let end = numeral.range.upperBound
    let isInBrackets = character(index) == "(" && (character(end) == ")" || character(end) == ",")
    if character(index) == "(" { index -= 1 }
    while glyphs.indices.contains(index), glyphs[index].kind == .space { index -= 1 }
    if character(index) == "," { index -= 1 }
    let name = word(endingAt: index).text
    let isName =
      name == "al" || character(index) == "." && word(endingAt: index - 1).text == "al"
      || name == "others"
      || (name.count > 1 && name.first!.isUppercase
        && !["In", "Since", "By", "After", "Of", "At", "From", "To", "With", "The"].contains(name))
    guard isName else { return false }
    let isAtEnd = end >= glyphs.count || glyphs[end].kind == .border
    return isInBrackets || isAtEnd || character(end).map { "),.;:]".contains($0) } == true
  }
}
