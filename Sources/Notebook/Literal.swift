import Foundation

/// A number as prose writes it: `97.4`, `12,345`, `−0.31`, `1.2e-11`, `1.2×10⁻¹¹`.
struct Literal: Equatable {
  /// How the exponent is written.
  enum Form: Equatable { case plain, e, power }

  /// The text as it stands in the prose.
  let text: String
  /// The number that it means.
  let value: Double
  /// Digits behind the point, of the mantissa where there is an exponent.
  let decimals: Int
  let form: Form
  private let hasCommas: Bool
  private let minus: Character

  /// The literal at the end of a text, directly before a marker; nil when there is none.
  init?(endOf text: some StringProtocol) {
    let pattern = /[−-]?\d[\d,]*(?:\.\d+)?(?:e[−+-]?\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?$/
    let line = String(text.suffix(60))
    guard let match = line.firstMatch(of: pattern) else { return nil }
    var literal = String(match.output)
    if let before = line[..<match.range.lowerBound].last,
      before.isLetter || before.isNumber || before == "."
    {
      // In a range such as 3–5 or 3-5 the dash is no sign; in x2 or 1.2.3 there is no number.
      guard let first = literal.first, first == "-" || first == "−", before != "." else {
        return nil
      }
      literal.removeFirst()
    }
    self.init(literal)
  }

  /// A literal from its whole text.
  init?(_ text: String) {
    self.text = text
    minus = text.contains("−") ? "−" : "-"
    hasCommas = text.contains(",")
    let ascii = text.replacing("−", with: "-").replacing(",", with: "")
    var mantissa = ascii
    var exponent = 0
    if let cut = ascii.range(of: "×10") {
      form = .power
      mantissa = String(ascii[..<cut.lowerBound])
      let digits = ascii[cut.upperBound...].map { character -> Character in
        if character == "⁻" { return "-" }
        return Self.superscripts.firstIndex(of: character).map { Character("\($0)") } ?? "x"
      }
      guard let power = Int(String(digits)) else { return nil }
      exponent = power
    } else if let cut = ascii.firstIndex(of: "e") {
      form = .e
      mantissa = String(ascii[..<cut])
      guard let power = Int(ascii[ascii.index(after: cut)...]) else { return nil }
      exponent = power
    } else {
      form = .plain
    }
    guard let value = Double("\(mantissa)e\(exponent)") else { return nil }
    self.value = value
    decimals = mantissa.firstIndex(of: ".").map { mantissa[$0...].count - 1 } ?? 0
  }

  private static let superscripts = Array("⁰¹²³⁴⁵⁶⁷⁸⁹")

  /// Half a unit of the last written digit.
  var halfUnit: Double {
    let exponent = form == .plain || value == 0 ? 0 : floor(log10(abs(value)))
    return 0.5 * pow(10, exponent - Double(decimals))
  }

  /// Another number in the form and with the digits of this one.
  func writing(_ number: Double) -> String {
    guard number.isFinite else { return "\(number)" }
    var text: String
    switch form {
    case .plain:
      text = String(format: "%.\(decimals)f", number)
      if hasCommas { text = Self.grouped(text) }
    case .e, .power:
      let parts = String(format: "%.\(decimals)e", number).split(separator: "e")
      let exponent = Int(parts[1])!
      if form == .e {
        text = "\(parts[0])e\(exponent)"
      } else {
        let digits = "\(exponent)".map { $0 == "-" ? "⁻" : Self.superscripts[$0.wholeNumberValue!] }
        text = "\(parts[0])×10\(String(digits))"
      }
    }
    // A negative number that rounds to nothing has no sign.
    if !text.contains(where: { ("1"..."9").contains($0) }) {
      text = text.replacing("-", with: "")
    }
    return text.replacing("-", with: String(minus))
  }

  /// Whether a number is this one at the digits that are written.
  func shows(_ number: Double) -> Bool {
    guard let other = Literal(writing(number)) else { return false }
    return other.value == value
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
