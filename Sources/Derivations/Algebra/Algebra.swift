/// Arithmetic of normal forms, with a limit to the work.
///
/// Monomials are kept simple as they are multiplied: δ and steps are their own squares, an element
/// beside δ(i, j) has its index replaced, and the square of a root is what stands below it.
struct Algebra {
  /// The symbols that are positive wherever they are evaluated.
  let positive: Set<String>
  /// How many multiplications of terms are left.
  private var budget = 20_000

  init(positive: Set<String>) { self.positive = positive }

  private mutating func spend(_ work: Int) throws(TooLarge) {
    budget -= work
    guard budget >= 0 else { throw TooLarge() }
  }

  // MARK: Monomials

  mutating func product(_ a: Monomial, _ b: Monomial) throws(TooLarge) -> Monomial {
    try spend(1)
    var product = try a.times(b)
    // Each replacement leaves fewer indices, or a smaller root.
    while let simpler = try simplified(product) { product = simpler }
    return product
  }

  /// One step towards the simplest monomial of the same value; nil at the end.
  private mutating func simplified(_ monomial: Monomial) throws(TooLarge) -> Monomial? {
    try spend(1)
    for (atom, exponent) in monomial.exponents {
      switch atom {
      case .delta(let kept, let replaced):
        var result = Monomial()
        for (other, power) in monomial.exponents {
          let renamed = other == atom ? other : try other.renaming(replaced, to: kept)
          result = try result.times(try Monomial(renamed).power(power))
        }
        if result != monomial { return result }
      case .exp(let inner, let over) where over > 1:
        let divisor = Rational.commonDivisor(over, exponent)
        guard divisor > 1 else { continue }
        let rest = try monomial.times(Monomial(atom, -exponent))
        let root = try exponential(inner, over: over / divisor)
        return try rest.times(root.power(exponent / divisor))
      default: continue
      }
    }
    return nil
  }

  /// e to the power of a monomial over a whole number; of a logarithm what it is of.
  func exponential(_ monomial: Monomial, over divisor: Int) throws(TooLarge) -> Monomial {
    if divisor == 1, monomial.exponents.count == 1,
      case (.ln(let atom), 1)? = monomial.exponents.first
    {
      return Monomial(atom)
    }
    guard monomial.size < Atom.sizeLimit else { throw TooLarge() }
    return Monomial(.exp(monomial, over: divisor))
  }

  /// Whether an atom is positive wherever it is evaluated.
  func isPositive(_ atom: Atom) -> Bool {
    switch atom {
    case .scalar(let name), .element(let name, _): positive.contains(name)
    case .exp, .count: true
    case .total(_, let monomial): monomial.exponents.keys.allSatisfy(isPositive)
    default: false
    }
  }

  // MARK: Polynomials and fractions

  mutating func product(_ a: Polynomial, _ b: Polynomial) throws(TooLarge) -> Polynomial {
    var result = Polynomial()
    for (left, x) in a.coefficients {
      for (right, y) in b.coefficients { try result.add(product(left, right), x * y) }
    }
    return result
  }

  /// A quotient in lowest terms, as far as single terms go: polynomials are not factored.
  mutating func quotient(_ a: Polynomial, _ b: Polynomial) throws(TooLarge) -> Fraction {
    guard b != .zero else { throw TooLarge() }
    try spend(8 * b.coefficients.count)
    if a == .zero { return .zero }
    if let (monomial, coefficient) = b.onlyTerm {
      let reciprocal = Polynomial(try monomial.power(-1), try Rational.one / coefficient)
      return Fraction(try product(a, reciprocal))
    }
    // One term of the denominator is made 1, always the same one whatever the order was.
    let (monomial, coefficient) = b.coefficients.min { $0.key.description < $1.key.description }!
    let divisor = Polynomial(try Self.divisible(monomial).power(-1), try .one / coefficient)
    let (numerator, denominator) = (try product(a, divisor), try product(b, divisor))
    return numerator == denominator ? .one : Fraction(reduced: numerator, over: denominator)
  }

  /// A monomial without what may be 0.
  private static func divisible(_ monomial: Monomial) throws(TooLarge) -> Monomial {
    var result = Monomial()
    for (atom, exponent) in monomial.exponents where !atom.isIdempotent {
      result = try result.times(Monomial(atom, exponent))
    }
    return result
  }

  mutating func sum(_ a: Fraction, _ b: Fraction) throws(TooLarge) -> Fraction {
    if a.denominator == b.denominator {
      return try quotient(a.numerator.plus(b.numerator), a.denominator)
    }
    let (left, right) = (
      try product(a.numerator, b.denominator), try product(b.numerator, a.denominator)
    )
    return try quotient(left.plus(right), product(a.denominator, b.denominator))
  }

  mutating func difference(_ a: Fraction, _ b: Fraction) throws(TooLarge) -> Fraction {
    try sum(a, scaled(b, by: Rational(-1)))
  }

  func scaled(_ a: Fraction, by factor: Rational) throws(TooLarge) -> Fraction {
    factor == .zero
      ? .zero : Fraction(reduced: try a.numerator.scaled(by: factor), over: a.denominator)
  }

  mutating func product(_ a: Fraction, _ b: Fraction) throws(TooLarge) -> Fraction {
    try quotient(product(a.numerator, b.numerator), product(a.denominator, b.denominator))
  }

  mutating func quotient(_ a: Fraction, _ b: Fraction) throws(TooLarge) -> Fraction {
    try quotient(product(a.numerator, b.denominator), product(a.denominator, b.numerator))
  }

  mutating func power(_ base: Fraction, _ exponent: Int) throws(TooLarge) -> Fraction {
    if let (monomial, coefficient) = base.onlyTerm, coefficient == .one {
      return Fraction(Polynomial(try product(monomial.power(exponent), .one)))
    }
    guard abs(exponent) <= 64 else { throw TooLarge() }
    var result = Fraction.one
    for _ in 0..<abs(exponent) { result = try product(result, base) }
    return exponent < 0 ? try quotient(.one, result) : result
  }
}
