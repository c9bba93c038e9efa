/// Numbers in words, where they say how much of something there is.
///
/// A number from two on counts before a unit, a share or "times"; parts such as half and quarter,
/// and twice, count always.
struct NumberWords {
  private struct Word {
    let text: String
    let range: Range<Int>
  }

  private static let small = [
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
  ]
  private static let tens = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
  ]
  private static let powers: [String: Double] = [
    "dozen": 12, "hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9,
    "trillion": 1e12, "dozens": 12, "hundreds": 100, "thousands": 1e3, "millions": 1e6,
    "billions": 1e9,
  ]
  private static let values: [String: Double] = {
    var values: [String: Double] = [:]
    for (index, word) in small.enumerated() { values[word] = Double(index + 2) }
    for (index, word) in tens.enumerated() { values[word] = Double(10 * index + 20) }
    return values
  }()

  /// Words that are a share of something wherever they stand, with the factor that they mean.
  private static let factors: [String: Double] = [
    "half": 0.5, "halves": 0.5, "halved": 0.5, "halve": 0.5, "halving": 0.5, "third": 1.0 / 3,
    "thirds": 1.0 / 3, "quarter": 0.25, "quarters": 0.25, "twice": 2, "thrice": 3, "double": 2,
    "doubles": 2, "doubled": 2, "doubling": 2, "triple": 3, "triples": 3, "tripled": 3,
    "quadruple": 4, "quadruples": 4, "quadrupled": 4,
  ]
  /// Words that are a share behind "a" or a number, and else a place in a row.
  private static let parts: [String: Double] = {
    var parts: [String: Double] = ["hundredth": 0.01, "thousandth": 0.001, "millionth": 1e-6]
    let ordinals = [
      "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth",
      "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
      "nineteenth", "twentieth",
    ]
    for (index, word) in ordinals.enumerated() { parts[word] = 1 / Double(index + 5) }
    return parts
  }()

  private static let units: Set<String> = [
    "times", "fold", "percent", "percentage", "point", "points", "second", "seconds", "minute",
    "minutes", "hour", "hours", "day", "days", "week", "weeks", "year", "years", "millisecond",
    "milliseconds", "microsecond", "microseconds", "nanosecond", "nanoseconds", "ms", "step",
    "steps", "epoch", "epochs", "update", "updates", "iteration", "iterations", "pixel", "pixels",
    "px", "degree", "degrees", "bit", "bits", "byte", "bytes", "kilobyte", "kilobytes", "megabyte",
    "megabytes", "gigabyte", "gigabytes", "nat", "nats", "deviation", "deviations", "order",
    "orders", "decimal", "decimals", "error", "errors", "mistake", "mistakes",
  ]
  /// What may stand between a number and its unit.
  private static let modifiers: Set<String> = [
    "more", "fewer", "less", "full", "whole", "other", "standard", "further", "extra", "good",
    "test", "training", "validation",
  ]

  /// Whether a word is a digit when it follows "point".
  static func isDigitWord(_ word: String) -> Bool {
    values[word] != nil || word == "one" || word == "zero" || word == "nought"
  }

  /// Whether a word is a part of one, as in "and a half".
  static func isPart(_ word: String) -> Bool { factors[word] != nil || parts[word] != nil }

  private let glyphs: [Glyph]
  private var words: [Word] = []
  private(set) var numerals: [Numeral] = []

  init(_ glyphs: [Glyph]) {
    self.glyphs = glyphs
    var index = 0
    while index < glyphs.count {
      guard isLetter(index) else {
        index += 1
        continue
      }
      let start = index
      while index < glyphs.count, isLetter(index) { index += 1 }
      words.append(
        Word(
          text: String(glyphs[start..<index].map(\.character)).lowercased(), range: start..<index))
    }
    find()
  }

  private func isLetter(_ index: Int) -> Bool {
    glyphs[index].kind == .text && glyphs[index].character.isWordLetter
  }

  private func text(_ index: Int) -> String {
    words.indices.contains(index) ? words[index].text : ""
  }

  /// Whether only a space or a hyphen stands between a word and the next.
  private func isJoined(_ index: Int) -> Bool {
    guard index >= 0, index + 1 < words.count else { return false }
    let between = glyphs[words[index].range.upperBound..<words[index + 1].range.lowerBound]
    return between.allSatisfy { $0.kind == .space || ($0.kind == .text && $0.character == "-") }
  }

  private static func isNumber(_ word: String) -> Bool {
    values[word] != nil || powers[word] != nil
  }

  private mutating func find() {
    var index = 0
    while index < words.count {
      var last = index
      while Self.isNumber(text(last)), isJoined(last), Self.isNumber(text(last + 1)) { last += 1 }
      let isRun = Self.isNumber(text(index))
      if isRun, isJoined(last),
        let part = Self.factors[text(last + 1)] ?? Self.parts[text(last + 1)],
        text(last + 1).hasSuffix("s") || text(last + 1).hasSuffix("th")
      {
        // Two thirds, three quarters.
        add(index...last + 1, value(index...last) * part, isFactor: true)
        index = last + 2
      } else if isRun, counts(index...last) {
        add(index...last, value(index...last))
        index = last + 1
      } else if isRun {
        index = last + 1
      } else {
        findPart(at: index)
        index += 1
      }
    }
  }

  private mutating func findPart(at index: Int) {
    let word = text(index)
    if let factor = Self.factors[word], !(word == "double" && text(index + 1) == "precision") {
      add(index...index, factor, isFactor: true)
    } else if let part = Self.parts[word] ?? Self.parts[String(word.dropLast())],
      isJoined(index - 1),
      ["a", "an", "one"].contains(text(index - 1)) || word.hasSuffix("ths")
    {
      add(index...index, part, isFactor: true)
    } else if word.hasSuffix("fold"), let number = Self.number(word.dropLast(4)) {
      add(index...index, number, isFactor: true)
    }
  }

  private static func number(_ word: Substring) -> Double? {
    values[String(word)] ?? powers[String(word)]
  }

  /// Whether a run of number words says how much: a unit, a share or "times" goes with it.
  private func counts(_ run: ClosedRange<Int>) -> Bool {
    var next = run.upperBound
    let behind = glyphs[words[next].range.upperBound...].prefix(2).map(\.character)
    if behind.first == "%" || behind == [" ", "%"] { return true }
    if isJoined(next) {
      next += 1
      if Self.modifiers.contains(text(next)), isJoined(next) { next += 1 }
      if Self.units.contains(text(next)) || (text(next) == "per" && text(next + 1) == "cent") {
        return true
      }
      if text(next) == "of" || (text(next) == "out" && text(next + 1) == "of") { return true }
      if text(next) == "in", Self.isNumber(text(next + 1)) { return true }
    }
    // Nine test images of ten.
    for place in next...next + 2 where text(place) == "of" && Self.isNumber(text(place + 1)) {
      if (run.upperBound..<place).allSatisfy(isJoined) { return true }
    }
    // One of twenty-five, nine in ten, a factor of two.
    let first = run.lowerBound
    guard isJoined(first - 1), isJoined(first - 2) else { return false }
    let (before, share) = (text(first - 1), text(first - 2))
    if before == "in" { return share == "one" || Self.isNumber(share) }
    guard before == "of" else { return false }
    return share == "factor"
      || (first - 4...first - 2).contains { place in
        (text(place) == "one" || Self.isNumber(text(place)))
          && (place..<first).allSatisfy(isJoined)
      }
  }

  /// The number that a run of words means.
  private func value(_ run: ClosedRange<Int>) -> Double {
    var sum = 0.0
    var part = 0.0
    for index in run {
      if let power = Self.powers[text(index)] {
        part = max(part, 1) * power
        if power >= 1000 {
          sum += part
          part = 0
        }
      } else {
        part += Self.values[text(index)] ?? 0
      }
    }
    return sum + part
  }

  private mutating func add(_ run: ClosedRange<Int>, _ value: Double, isFactor: Bool = false) {
    let first = words[run.lowerBound].range.lowerBound
    let last = words[run.upperBound].range.upperBound
    var numeral = Numeral(kind: .words, range: first..<last, texts: run.map { text($0) })
    numeral.meanings = [value, 1 / value]
    numeral.isFactor = isFactor
    numerals.append(numeral)
  }
}
