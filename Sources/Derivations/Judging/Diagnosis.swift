import RealModule

/// How a wrong formula differs from the right one: the first thing that fits, the most telling first.
struct Diagnosis {
  private let judge: Judge
  private let expression: Expression
  private let cases: [Judge.Case]
  private let values: [Double]

  init(_ judge: Judge, _ expression: Expression) {
    (self.judge, self.expression, cases) = (judge, expression, judge.cases)
    values = cases.map { expression.value(at: $0.point) }
  }

  var verdict: Verdict {
    undefined ?? lookalike ?? transposed ?? diagonal ?? multiple(.ofOneSymbol) ?? half ?? slip
      ?? shifted ?? multiple(.ofTwo) ?? different
  }

  private var truths: [Double] { cases.map(\.truth) }

  private var isHeld: [Bool] {
    zip(values, cases).map { Judge.agree($0, $1.truth, beside: judge.scale) }
  }

  // MARK: Diagnoses

  /// A point at which it is no number.
  var undefined: Verdict? {
    guard let bad = values.firstIndex(where: { !$0.isFinite }) else { return nil }
    let place = Self.place(cases[bad].point, judge.derivation)
    if let zero = Self.vanishingDivisor(of: expression, at: cases[bad].point) {
      return Verdict(.undefined, "It divides by zero: `\(zero)` is 0\(place).")
    }
    let isRest = zip(values, isHeld).allSatisfy { !$0.isFinite || $1 }
    let rest =
      isRest && isHeld.contains(true) ? "; where it is one, it is right" : ""
    return Verdict(.undefined, "It is no number\(place)\(rest).")
  }

  /// Something else that a reader may have had in mind.
  private var lookalike: Verdict? {
    judge.derivation.lookalikes.first { lookalike in
      let other = judge.derivation.expression(lookalike.formula)
      return zip(values, cases).allSatisfy {
        Judge.agree($0, other.value(at: $1.point), beside: judge.scale)
      }
    }.map { Verdict(.lookalike, $0.sentence) }
  }

  /// Right on the diagonal of a matrix, or beside it.
  private var diagonal: Verdict? {
    let indices = judge.derivation.indices
    guard indices.count == 2, judge.derivation.indexRelation == .any else { return nil }
    let (i, j) = (indices[0], indices[1])
    let isSame = cases.map { $0.point.indices[i] == $0.point.indices[j] }
    if isHeld == isSame {
      return Verdict(.diagonal, "Right for \(i) = \(j), and wrong for \(i) ≠ \(j).")
    }
    if isHeld == isSame.map({ !$0 }) {
      return Verdict(.offDiagonal, "Right for \(i) ≠ \(j), and wrong for \(i) = \(j).")
    }
    return nil
  }

  /// Right on one side of 0.
  private var half: Verdict? {
    for symbol in judge.derivation.symbols {
      guard case .number(let range) = symbol.kind, range.lowerBound < 0, range.upperBound > 0 else {
        continue
      }
      let isPositive = cases.map { $0.point.scalars[symbol.name]! > 0 }
      let name = symbol.name
      if isHeld == isPositive {
        return Verdict(.half, "Right for \(name) > 0, and wrong for \(name) < 0.")
      }
      if isHeld == isPositive.map({ !$0 }) {
        return Verdict(.half, "Right for \(name) < 0, and wrong for \(name) > 0.")
      }
    }
    return nil
  }

  /// A multiple of the answer, by something simple.
  private func multiple(_ factors: Factors) -> Verdict? {
    let others = zip(values, truths).filter { $1 != 0 }
    guard others.count >= 4, zip(values, truths).allSatisfy({ $1 != 0 || $0 == 0 }),
      others.allSatisfy({ $0.0 != 0 })
    else {
      let isZero = values.allSatisfy { $0 == 0 }
      return isZero ? Verdict(.different, "It is 0 everywhere, which the answer is not.") : nil
    }
    let ratios = zip(values, truths).map { $1 == 0 ? nil : $0 / $1 }
    guard let (constant, monomial) = simple(ratios, factors, complements: true) else { return nil }
    // Nearly the answer is no multiple of it.
    if monomial.isEmpty, constant == .one { return nil }
    if monomial.isEmpty, constant == Rational(-1) {
      return Verdict(.sign, "Off by the sign: it is minus the answer.")
    }
    if constant == .one, monomial.count == 1 {
      let (name, exponent) = monomial[0]
      if exponent == 1 { return Verdict(.factor, "Off by the factor \(name): it is one too many.") }
      if exponent == -1 { return Verdict(.factor, "Off by a factor: \(name) is missing.") }
    }
    let factor = Self.text(constant, monomial)
    return Verdict(.factor, "Off by the factor \(factor): it is \(factor) times the answer.")
  }

  /// The answer plus something simple.
  private var shifted: Verdict? {
    let gaps = zip(values, truths).map { Optional($0 - $1) }
    guard zip(gaps, truths).allSatisfy({ abs($0!) > Judge.tolerance * (abs($1) + judge.scale) }),
      let (constant, monomial) = simple(gaps, .ofOneSymbol) ?? simple(gaps, .ofTwo)
    else { return nil }
    return monomial.isEmpty
      ? Verdict(.summand, "Off by the summand \(constant.fraction), and else right.")
      : Verdict(
        .summand,
        "The terms in \(Self.text(.one, monomial)) do not come out right; all others do.")
  }

  /// Right with its two indices exchanged.
  private var transposed: Verdict? {
    let indices = judge.derivation.indices
    guard indices.count == 2 else { return nil }
    let exchanged = expression.renaming([indices[0]: indices[1], indices[1]: indices[0]])
    guard judge.isRight(exchanged) else { return nil }
    return Verdict(
      .transpose, "Off by a transpose: \(indices[0]) and \(indices[1]) have to be exchanged.")
  }

  /// Right after one small change.
  private var slip: Verdict? {
    guard expression.size <= 200 else { return nil }
    for (slip, changed) in expression.neighbours(judge.vocabulary) where judge.isRight(changed) {
      return Verdict(.slip, slip.sentence)
    }
    return nil
  }

  /// Two numbers that differ.
  private var different: Verdict {
    guard let place = isHeld.firstIndex(of: false) else {
      return Verdict(.different, "It has the right values at all points, and other slopes.")
    }
    let (own, right) = (Judge.shown(values[place]), Judge.shown(truths[place]))
    guard own != right else {
      return Verdict(
        .different, "Its first digits are right, \(own) for one, and those behind are not.")
    }
    return Verdict(
      .different,
      "Wrong\(Self.place(cases[place].point, judge.derivation)): it gives \(own), where the "
        + "answer is \(right).")
  }

  // MARK: Simple relations

  /// A product of powers of symbols: `[("beta", 1)]`.
  private typealias Monomial = [(name: String, exponent: Int)]

  /// How much is looked for: the more, the less it says.
  private enum Factors {
    /// A constant, times a symbol or over it.
    case ofOneSymbol
    /// A constant, times a square or over it, or two symbols.
    case ofTwo

    /// The products of powers of some symbols.
    func monomials(of names: [String]) -> [Monomial] {
      func powers(_ exponents: [Int]) -> [Monomial] {
        exponents.flatMap { exponent in names.map { [($0, exponent)] } }
      }
      guard self == .ofTwo else { return [[]] + powers([1, -1]) }
      let pairs = names.indices.flatMap { place in
        names[(place + 1)...].flatMap { second in
          [(1, 1), (1, -1), (-1, 1), (-1, -1)].map { [(names[place], $0.0), (second, $0.1)] }
        }
      }
      return powers([2, -2]) + pairs
    }
  }

  /// Numbers as a constant times a product of powers; nil for what is not so simple.
  private func simple(
    _ numbers: [Double?], _ factors: Factors, complements: Bool = false
  ) -> (Rational, Monomial)? {
    let symbols = namedValues(complements: complements)
    let candidates = factors.monomials(of: symbols.map(\.name))
    let values = Dictionary(uniqueKeysWithValues: symbols.map { ($0.name, $0.values) })
    for monomial in candidates {
      var constant: Double?
      let isConstant = numbers.enumerated().allSatisfy { place, number in
        guard let number else { return true }
        let product = monomial.reduce(1.0) {
          $0 * Double.pow(abs(values[$1.name]![place]), $1.exponent)
            * (values[$1.name]![place] < 0 && $1.exponent % 2 != 0 ? -1 : 1)
        }
        let quotient = number / product
        guard let first = constant else {
          constant = quotient
          return quotient.isFinite
        }
        return abs(quotient - first) <= 1e-8 * abs(first)
      }
      if isConstant, let constant, let rational = Rational(near: constant), rational != .zero {
        return (rational, monomial)
      }
    }
    return nil
  }

  /// The symbols that a factor may be made of, with their values at each point.
  ///
  /// - Parameter complements: whether 1 less a symbol is looked for too.
  private func namedValues(complements: Bool) -> [(name: String, values: [Double])] {
    let derivation = judge.derivation
    var result: [(name: String, values: [Double])] = []
    for symbol in derivation.symbols {
      switch symbol.kind {
      case .number, .whole, .definition:
        let values = cases.map { $0.point.scalars[symbol.name]! }
        result.append((symbol.name, values))
        if complements { result.append(("(1 - \(symbol.name))", values.map { 1 - $0 })) }
      case .vector, .vectorDefinition:
        for index in derivation.indices {
          let values = cases.map { $0.point.vectors[symbol.name]![$0.point.indices[index]!] }
          result.append(("\(symbol.name)[\(index)]", values))
        }
      case .index, .gradient: break
      }
    }
    return result
  }

  /// A constant times powers as text: `-2*beta`, `1/n`.
  private static func text(_ constant: Rational, _ monomial: Monomial) -> String {
    func powers(_ sign: Int) -> [String] {
      monomial.filter { $0.exponent * sign > 0 }.map {
        abs($0.exponent) == 1 ? $0.name : "\($0.name)^\(abs($0.exponent))"
      }
    }
    let size = abs(constant.numerator)
    let above = (size == 1 ? [] : ["\(size)"]) + powers(1)
    let below = (constant.denominator == 1 ? [] : ["\(constant.denominator)"]) + powers(-1)
    let top = above.isEmpty ? "1" : above.joined(separator: "*")
    let bottom = below.count > 1 ? "(\(below.joined(separator: "*")))" : below.first ?? ""
    return (constant.numerator < 0 ? "-" : "") + top + (bottom.isEmpty ? "" : "/\(bottom)")
  }

  // MARK: Words

  /// A part that something is divided by, and that is 0 at a point.
  private static func vanishingDivisor(
    of expression: Expression, at point: Point<Double>
  ) -> Expression? {
    switch expression {
    case .product(let factors):
      for factor in factors where factor.isDivisor && factor.value.value(at: point) == 0 {
        return factor.value
      }
    case .power(let base, let exponent):
      if base.value(at: point) == 0, exponent.value(at: point) < 0 { return base }
    case .total(let index, let body):
      for k in 0..<point.count {
        var inner = point
        inner.indices[index] = k
        if let zero = vanishingDivisor(of: body, at: inner) { return zero }
      }
      return nil
    default: break
    }
    for child in expression.children {
      if let zero = vanishingDivisor(of: child, at: point) { return zero }
    }
    return nil
  }

  /// Where a point is: ` at x = 1.2, dy = -0.5`.
  private static func place(_ point: Point<Double>, _ derivation: Derivation) -> String {
    let parts = derivation.symbols.compactMap { symbol -> String? in
      switch symbol.kind {
      case .number, .whole:
        return "\(symbol.name) = \(Judge.shown(point.scalars[symbol.name]!))"
      case .vector:
        let numbers = point.vectors[symbol.name]!.map { Judge.shown($0) }.joined(separator: ", ")
        return "\(symbol.name) = (\(numbers))"
      case .index: return "\(symbol.name) = \(point.indices[symbol.name]! + 1)"
      case .definition, .vectorDefinition, .gradient: return nil
      }
    }
    return parts.isEmpty ? "" : " at " + parts.joined(separator: ", ")
  }
}
