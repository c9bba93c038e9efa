import Foundation

/// A number as prose writes it: `97.4`, `12,345`, `−0.31`, `1.2e-11`, `1.2×10⁻¹¹`.
struct Literal: Equatable {
  /// How the exponent is written.
  enum Form: Equatable { case plain, e, power }

  /// The text as it stands in the prose.
  let text: String
  /// The number that it means, as near as a `Double` comes.
  let value: Double
  /// Digits behind the point, of the mantissa where there is an exponent.
  let decimals: Int
  let form: Form
  /// Sign and digits of the mantissa without commas and leading zeros: all that a reader compares.
  private let digits: String
  private let exponent: Int
  private let hasCommas: Bool
  private let minus: Character

  /// A literal from its whole text; nil when it is none, or when its commas group nothing: a reader
  /// may take `1,7` for a list or for a decimal.
  init?(_ text: String) {
    self.text = text
    minus = text.contains("−") ? "−" : "-"
    let ascii = text.replacing("−", with: "-")
    var mantissa = ascii
    if let cut = ascii.range(of: "×10") {
      form = .power
      mantissa = String(ascii[..<cut.lowerBound])
      let power = ascii[cut.upperBound...].map { character -> Character in
        if character == "⁻" { return "-" }
        return Self.superscripts.firstIndex(of: character).map { Character("\($0)") } ?? "x"
      }
      guard let power = Int(String(power)) else { return nil }
      exponent = power
    } else if let cut = ascii.firstIndex(of: "e") {
      form = .e
      mantissa = String(ascii[..<cut])
      guard let power = Int(ascii[ascii.index(after: cut)...]) else { return nil }
      exponent = power
    } else {
      form = .plain
      exponent = 0
    }
    let isNegative = mantissa.hasPrefix("-")
    if isNegative { mantissa.removeFirst() }
    let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, let whole = Self.ungrouped(parts[0]) else { return nil }
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard fraction.allSatisfy(Self.isDigit), !(whole + fraction).isEmpty,
      parts.count == 1 || !fraction.isEmpty
    else { return nil }
    hasCommas = parts[0].contains(",")
    decimals = fraction.count
    let significant = whole.drop { $0 == "0" }
    digits = (isNegative ? "-" : "") + (significant.isEmpty ? "0" : significant) + "." + fraction
    guard let value = Double("\(digits)\(fraction.isEmpty ? "0" : "")e\(exponent)") else {
      return nil
    }
    self.value = value
  }

  private static let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")

  private static func isDigit(_ character: Character) -> Bool { ("0"..."9").contains(character) }

  /// The digits of a whole part; nil when commas stand elsewhere than before each three.
  private static func ungrouped(_ text: Substring) -> String? {
    let groups = text.split(separator: ",", omittingEmptySubsequences: false)
    guard groups.allSatisfy({ $0.allSatisfy(isDigit) }) else { return nil }
    if groups.count > 1 {
      guard (1...3).contains(groups[0].count), groups.dropFirst().allSatisfy({ $0.count == 3 })
      else { return nil }
    }
    return groups.joined()
  }

  /// A unit of the last written digit.
  var lastUnit: Double {
    let power: Double
    if form == .plain || value == 0 {
      power = Double(form == .plain ? 0 : exponent)
    } else {
      power = floor(log10(abs(value)))
    }
    return pow(10, power - Double(decimals))
  }

  /// Half a unit of the last written digit.
  var halfUnit: Double { 0.5 * lastUnit }

  /// How many digits say something: `0.012` has two, and so has `1,200`.
  var significantDigits: Int {
    var significant = digits.filter(Self.isDigit).drop { $0 == "0" }
    if decimals == 0 { while significant.last == "0" { significant.removeLast() } }
    return significant.count
  }

  /// Whether a value that this literal shows is hardly there by chance: one has three digits, or two
  /// with a point, or is the whole number of three digits that the literal is.
  func tells(_ number: Double) -> Bool {
    shows(number)
      && (significantDigits >= (decimals > 0 ? 2 : 3)
        || (decimals == 0 && number == value && value.magnitude >= 100))
  }

  /// Another number in the form and with the digits of this one.
  func writing(_ number: Double) -> String {
    guard number.isFinite else { return "\(number)" }
    var text: String
    switch form {
    case .plain:
      text = Self.printed("%.*f", decimals, number)
      if hasCommas { text = Self.grouped(text) }
    case .e, .power:
      let parts = Self.printed("%.*e", decimals, number).split(separator: "e")
      let exponent = Int(parts[1])!
      if form == .e {
        text = "\(parts[0])e\(exponent)"
      } else {
        let digits = "\(exponent)".map { $0 == "-" ? "⁻" : Self.superscripts[$0.wholeNumberValue!] }
        text = "\(parts[0])×10\(String(digits))"
      }
    }
    // A negative number that rounds to nothing has no sign.
    if text.first == "-", !text.contains(where: { ("1"..."9").contains($0) }) {
      text.removeFirst()
    }
    return text.replacing("-", with: String(minus))
  }

  /// Whether a number is this one at the digits that are written, all of them.
  func shows(_ number: Double) -> Bool {
    guard let other = Literal(writing(number)) else { return false }
    return other.digits == digits && other.exponent == exponent
  }

  /// C's own printing, which has every decimal of a `Double`, however many are asked for.
  private static func printed(_ format: String, _ decimals: Int, _ number: Double) -> String {
    var buffer = [CChar](repeating: 0, count: 400 + decimals)
    let count = withVaList([Int32(clamping: decimals), number]) {
      vsnprintf(&buffer, buffer.count, format, $0)
    }
    return String(decoding: buffer[..<Int(count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func grouped(_ text: String) -> String {
    let parts = text.split(separator: ".", maxSplits: 1)
    var digits = String(parts[0])
    var index = digits.count - 3
    while index > (digits.hasPrefix("-") ? 1 : 0) {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
      index -= 3
    }
    return parts.count == 2 ? "\(digits).\(parts[1])" : digits
  }
}
