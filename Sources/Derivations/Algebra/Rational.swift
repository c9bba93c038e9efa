/// A quotient of whole numbers, in lowest terms and with a positive denominator.
public struct Rational: Hashable, Sendable {
  let numerator, denominator: Int

  static let zero = Rational(0)
  static let one = Rational(1)

  init(_ whole: Int) { (numerator, denominator) = (whole, 1) }

  /// - Throws: `TooLarge` when the lowest terms do not fit, or the denominator is 0.
  init(_ numerator: Int, over denominator: Int) throws(TooLarge) {
    guard denominator != 0, numerator != .min, denominator != .min else { throw TooLarge() }
    let divisor = Self.commonDivisor(numerator, denominator) * (denominator < 0 ? -1 : 1)
    (self.numerator, self.denominator) = (numerator / divisor, denominator / divisor)
  }

  /// The number that a decimal says, `1.5e-3`; nil where it has more than fifteen digits.
  init?(decimal text: String) {
    let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    let halves = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    let digits = halves.joined().drop { $0 == "0" }
    let decimals = halves.count > 1 ? halves[1].count : 0
    guard let shift = parts.count > 1 ? Int(parts[1]) : 0, (-15...15).contains(shift),
      decimals <= 15,
      digits.count <= 15, let value = digits.isEmpty ? 0 : Int(digits)
    else { return nil }
    let exponent = shift - decimals
    var scale = 1
    for _ in 0..<min(abs(exponent), 18) { scale *= 10 }
    guard abs(exponent) <= 15,
      let number = try? exponent < 0
        ? Rational(value, over: scale) : Rational(value) * Rational(scale)
    else { return nil }
    self = number
  }

  /// The greatest whole number that divides both; positive.
  static func commonDivisor(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    while b != 0 { (a, b) = (b, a % b) }
    return max(abs(a), 1)
  }

  /// Itself as a number that the machine computes with.
  public var value: Double { Double(numerator) / Double(denominator) }

  var isWhole: Bool { denominator == 1 }

  /// The simplest quotient near a number, of a denominator of at most 60; nil where none is.
  init?(near value: Double, within tolerance: Double = 1e-7) {
    guard value.isFinite, abs(value) < 1e6 else { return nil }
    for denominator in 1...60 {
      let numerator = (value * Double(denominator)).rounded()
      if abs(numerator - value * Double(denominator)) <= tolerance * abs(value),
        let found = try? Rational(Int(numerator), over: denominator)
      {
        self = found
        return
      }
    }
    return nil
  }
}

/// What the algebra gives up on: numbers that do not fit, or formulas that grow without end.
struct TooLarge: Error {}

extension Rational {
  static func + (a: Rational, b: Rational) throws(TooLarge) -> Rational {
    let (left, right) = (
      a.numerator.multipliedReportingOverflow(by: b.denominator),
      b.numerator.multipliedReportingOverflow(by: a.denominator)
    )
    let sum = left.partialValue.addingReportingOverflow(right.partialValue)
    let below = a.denominator.multipliedReportingOverflow(by: b.denominator)
    guard !left.overflow, !right.overflow, !sum.overflow, !below.overflow else { throw TooLarge() }
    return try Rational(sum.partialValue, over: below.partialValue)
  }

  static func * (a: Rational, b: Rational) throws(TooLarge) -> Rational {
    let above = a.numerator.multipliedReportingOverflow(by: b.numerator)
    let below = a.denominator.multipliedReportingOverflow(by: b.denominator)
    guard !above.overflow, !below.overflow else { throw TooLarge() }
    return try Rational(above.partialValue, over: below.partialValue)
  }

  static func / (a: Rational, b: Rational) throws(TooLarge) -> Rational {
    try a * Rational(b.denominator, over: b.numerator)
  }
}

extension Rational: CustomStringConvertible {
  /// A decimal where it has an end within fifteen digits, else a fraction.
  public var description: String {
    if isWhole { return "\(numerator)" }
    var scale = 1
    for digits in 1...15 {
      scale *= 10
      guard scale % denominator == 0 else { continue }
      let (whole, overflow) = abs(numerator).multipliedReportingOverflow(by: scale / denominator)
      guard !overflow else { break }
      let rest = String(whole % scale)
      let zeros = String(repeating: "0", count: digits - rest.count)
      return (numerator < 0 ? "-" : "") + "\(whole / scale).\(zeros)\(rest)"
    }
    return fraction
  }

  /// The quotient as such: −1/2.
  var fraction: String { isWhole ? "\(numerator)" : "\(numerator)/\(denominator)" }
}
