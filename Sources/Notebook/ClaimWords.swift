/// The comparing words of a claim's sentence held against its comparison, so that a sentence that is
/// turned round is found.
///
/// Three things are looked at, and each only where it is beyond doubt:
///
/// - "more than five points", "at most a quarter": the larger the number, the harder, or the easier,
///   the comparison must be;
/// - "A needs fewer steps than B", where both names are in the comparison: the greater A's value, the
///   harder it must be;
/// - "fewer … than", "less … than", "below", "more … than", "exceeds", "above": the comparison is
///   written in the order of its sentence, so that one of its relations points the same way. "No" and
///   "not" turn the word round; so does "loses" or "costs", unless the values compared are losses.
struct ClaimWords {
  private enum Direction { case less, more }

  /// Phrases before a number, the longest first.
  private static let phrases: [(words: [String], direction: Direction)] = [
    (["no", "more", "than"], .less), (["not", "more", "than"], .less),
    (["no", "less", "than"], .more), (["not", "less", "than"], .more),
    (["no", "fewer", "than"], .more), (["not", "fewer", "than"], .more),
    (["more", "than"], .more), (["greater", "than"], .more), (["larger", "than"], .more),
    (["higher", "than"], .more), (["at", "least"], .more), (["above"], .more),
    (["exceeds"], .more), (["exceed"], .more), (["less", "than"], .less),
    (["fewer", "than"], .less), (["smaller", "than"], .less), (["lower", "than"], .less),
    (["at", "most"], .less), (["below"], .less), (["under"], .less), (["within"], .less),
  ]
  /// Words that compare what stands before them with what stands behind "than".
  private static let comparatives: [String: Direction] = [
    "fewer": .less, "less": .less, "lower": .less, "smaller": .less,
    "more": .more, "higher": .more, "larger": .more, "greater": .more,
  ]
  private static let negations: Set<String> = [
    "no", "not", "nothing", "never", "neither", "nor", "none", "cannot", "without",
  ]
  private static let losses: Set<String> = ["lose", "loses", "lost", "cost", "costs"]

  private let predicate: Predicate
  private let numbers: [String: Double]
  /// The words of the sentence in lower case, and each mark that divides it as a word of its own.
  private let words: [String]
  private let glyphs: [Glyph]

  /// What is turned round in a sentence; nil when nothing is.
  static func fault(
    of sentence: String, _ predicate: Predicate, _ numbers: [String: Double]
  ) -> String? {
    let claim = ClaimWords(sentence, predicate, numbers)
    guard let word = claim.turnedNumber() ?? claim.turnedNames() ?? claim.turnedRelation() else {
      return nil
    }
    return "the sentence says “\(word)”, and its comparison the opposite; turn one of them round, "
      + "and write the comparison in the order of the sentence"
  }

  private init(_ sentence: String, _ predicate: Predicate, _ numbers: [String: Double]) {
    self.predicate = predicate
    self.numbers = numbers
    let segment = GlyphScanner.Segment(line: 0, text: sentence, start: sentence.startIndex)
    glyphs = GlyphScanner([segment], isTable: false, addresses: [:]).glyphs
    words = Self.words(glyphs[...])
  }

  private static func words(_ glyphs: ArraySlice<Glyph>) -> [String] {
    var words: [String] = []
    var word = ""
    func end() {
      if word.hasSuffix("'s") || word.hasSuffix("’s") { word.removeLast(2) }
      if !word.isEmpty { words.append(word) }
      word = ""
    }
    for glyph in glyphs {
      let character = glyph.character
      if character.isLetter || character.isNumber || character == "'" || character == "’" {
        word += character.lowercased()
      } else {
        end()
        if ",;:".contains(character) { words.append(String(character)) }
      }
    }
    end()
    return words
  }

  // MARK: Numbers

  /// How each comparison's margin moves when one constant grows: its sign, nil when it does not move.
  private func growth(ofConstant index: Int) -> Bool? {
    var constants = predicate.constants
    let step = max(abs(constants[index]) * 1e-3, 1e-9)
    constants[index] += step
    return growth { comparison in
      comparison.margin(numbers, constants)
    }
  }

  private func growth(ofName name: String) -> Bool? {
    var moved = numbers
    guard let value = numbers[name] else { return nil }
    moved[name] = value + max(abs(value) * 1e-3, 1e-9)
    return growth { $0.margin(moved, predicate.constants) }
  }

  /// Whether the comparisons become easier; nil when none moves, or when they part.
  private func growth(_ moved: (Comparison) -> Double?) -> Bool? {
    var signs: Set<Bool> = []
    for comparison in predicate.comparisons {
      guard let before = comparison.margin(numbers, predicate.constants),
        let after = moved(comparison), after != before
      else { continue }
      signs.insert(after > before)
    }
    return signs.count == 1 ? signs.first : nil
  }

  /// A number behind "more than" or the like, and how the words say that it bounds.
  private struct Bound {
    let numeral: Numeral
    let direction: Direction
    let phrase: String
    /// Whether it is the second part of "one of twenty-five".
    let isDivisor: Bool
  }

  private var bounds: [Bound] {
    let found = NumeralFinder(glyphs).numerals + NumberWords(glyphs).numerals + single
    return found.compactMap { numeral in
      var before = Self.words(glyphs[..<numeral.range.lowerBound])
      var isDivisor = false
      if before.suffix(2) == ["one", "of"] || before.suffix(2) == ["one", "in"] {
        before.removeLast(2)
        isDivisor = true
      }
      if before.last == "a" || before.last == "an" { before.removeLast() }
      guard
        let phrase = Self.phrases.first(where: { before.suffix($0.words.count) == $0.words[...] })
      else { return nil }
      return Bound(
        numeral: numeral, direction: phrase.direction,
        phrase: phrase.words.joined(separator: " "), isDivisor: isDivisor)
    }
  }

  /// "A point" as the number one.
  private var single: [Numeral] {
    let text = glyphs.map(\.character)
    return text.indices.filter { start in
      guard text[start] == "a", start == 0 || text[start - 1] == " ",
        text[(start + 1)...].first == " "
      else { return false }
      return ["point", "step", "epoch", "second", "minute", "pixel"].contains(
        String(text[(start + 2)...].prefix { $0.isLetter }))
    }.map { start in
      var numeral = Numeral(kind: .words, range: start..<start + 1, texts: ["a"])
      numeral.meanings = [1]
      return numeral
    }
  }

  /// The comparing words of a number whose bound points the other way.
  private func turnedNumber() -> String? {
    for bound in bounds {
      let verdicts = verdicts(on: bound)
      if !verdicts.isEmpty, !verdicts.contains(true) { return bound.phrase }
    }
    return nil
  }

  /// Of each constant that a number can be, whether it bounds as the words say.
  private func verdicts(on bound: Bound) -> [Bool] {
    predicate.constants.indices.compactMap { index in
      let constant = predicate.constants[index]
      let isReciprocal: Bool
      if let literal = Literal(bound.numeral.texts[0]), bound.numeral.kind == .digits {
        guard literal.shows(constant) || literal.shows(100 * constant) else { return nil }
        isReciprocal = false
      } else {
        guard
          let place = bound.numeral.meanings.firstIndex(where: {
            abs($0 - constant) <= 1e-9 * abs($0)
          })
        else { return nil }
        isReciprocal = place == 1
      }
      guard let isEasier = growth(ofConstant: index) else { return nil }
      return (isEasier != (isReciprocal != bound.isDivisor)) == (bound.direction == .less)
    }
  }

  // MARK: Names

  private static func components(_ name: String) -> Set<String> {
    var components: Set<String> = []
    for part in name.split(separator: ".") {
      var word = ""
      for character in part {
        if character.isUppercase, !word.isEmpty {
          components.insert(word)
          word = ""
        }
        word += character.lowercased()
      }
      components.insert(word)
    }
    return components
  }

  /// Whether the values compared are losses themselves, so that "loses more" is a greater value; what
  /// one loses beyond another is called extra.
  private var comparesLosses: Bool {
    predicate.names.contains { name in
      !Self.components(name).isDisjoint(with: ["loss", "error", "errors", "cost", "extra"])
    }
  }

  private func isTurned(before place: Int) -> Bool {
    let start = words[..<place].lastIndex { ",;:".contains($0) }.map { $0 + 1 } ?? 0
    let clause = words[start..<place]
    var turns = clause.count { Self.negations.contains($0) }
    if !comparesLosses { turns += clause.count { Self.losses.contains($0) } }
    return !turns.isMultiple(of: 2)
  }

  /// Whether "little more" or "hardly less" says no more than "about".
  private func isVague(_ place: Int) -> Bool {
    place > 0 && ["little", "hardly", "barely", "scarcely"].contains(words[place - 1])
  }

  /// A comparative whose two sides stand the other way in the comparison.
  private func turnedNames() -> String? {
    for (place, word) in words.enumerated() {
      guard let stated = Self.comparatives[word], !isVague(place),
        let than = words[place...].prefix(5).firstIndex(of: "than"),
        than > place + 1 || !bounds.contains(where: { $0.phrase.hasSuffix("\(word) than") })
      else { continue }
      let isLess = (stated == .less) != isTurned(before: place)
      let start = words[..<place].lastIndex { ",;:".contains($0) || $0 == "and" } ?? -1
      let end = words[than...].firstIndex { ",;:".contains($0) || $0 == "and" } ?? words.count
      let subject = Set(words[(start + 1)..<place])
      let object = Set(words[(than + 1)..<end])
      let noun = Set(words[(place + 1)..<than])
      for comparison in predicate.comparisons {
        let (left, right) = (comparison.left.names, comparison.right.names)
        guard left.count == 1, right.count == 1, let a = left.first, let b = right.first else {
          continue
        }
        let (partsA, partsB) = (Self.components(a), Self.components(b))
        let common = partsA.intersection(partsB)
        // "More stable" may be a smaller number: what is compared must be what the values are.
        guard noun.isEmpty || !noun.isDisjoint(with: common) else { continue }
        let (onlyA, onlyB) = (partsA.subtracting(common), partsB.subtracting(common))
        let name: String
        if !onlyA.isDisjoint(with: subject), !onlyB.isDisjoint(with: object),
          onlyB.isDisjoint(with: subject), onlyA.isDisjoint(with: object)
        {
          name = a
        } else if !onlyB.isDisjoint(with: subject), !onlyA.isDisjoint(with: object),
          onlyA.isDisjoint(with: subject), onlyB.isDisjoint(with: object)
        {
          name = b
        } else {
          continue
        }
        // The greater the subject's value, the harder "less" is.
        if let isEasier = growth(ofName: name), isEasier == isLess { return "\(word) … than" }
      }
    }
    return nil
  }

  // MARK: Relations

  private func turnedRelation() -> String? {
    let numbered = bounds.filter { !verdicts(on: $0).isEmpty }.map(\.phrase)
    var stated: [(word: String, direction: Direction)] = []
    for (place, word) in words.enumerated() {
      let direction: Direction
      switch word {
      case "fewer", "less", "more":
        guard !isVague(place), let than = words[place...].firstIndex(of: "than") else { continue }
        if than == place + 1, numbered.contains(where: { $0.hasSuffix("\(word) than") }) {
          continue
        }
        direction = word == "more" ? .more : .less
      case "exceeds", "exceed", "above", "below":
        if numbered.contains(word) { continue }
        direction = word == "below" ? .less : .more
      default: continue
      }
      let isTurned = isTurned(before: place)
      stated.append((word, isTurned ? (direction == .less ? .more : .less) : direction))
    }
    let relations = Set(predicate.comparisons.map { $0.relation.first! })
    for (word, direction) in stated where !relations.contains(direction == .less ? "<" : ">") {
      return word
    }
    return nil
  }
}
