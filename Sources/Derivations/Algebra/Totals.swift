// Sums over an index.

extension NormalForm {
  /// The sum of a quotient over an index, term by term.
  mutating func total(_ index: String, _ body: Fraction) throws(TooLarge) -> Fraction {
    guard !body.denominator.depends(on: index) else {
      let name = "$\(Self.height(of: body))"
      return try Fraction(.opaqueTotal(index: name, body.renaming(index, to: name)))
    }
    var sum = Fraction.zero
    for (monomial, coefficient) in body.numerator.coefficients {
      let term = Polynomial(try total(index, monomial), coefficient)
      sum = try algebra.sum(sum, Fraction(term))
    }
    return try algebra.quotient(sum, Fraction(body.denominator))
  }

  /// The sum of a monomial: what does not depend on the index stands before the sum.
  private mutating func total(_ index: String, _ monomial: Monomial) throws(TooLarge) -> Monomial {
    for case .delta(let a, let b) in monomial.exponents.keys where a == index || b == index {
      // δ leaves one term of the sum.
      let rest = monomial.without(.delta(a, b))
      return try algebra.product(rest.renaming(index, to: a == index ? b : a), .one)
    }
    var (outside, inside) = (Monomial.one, Monomial.one)
    for (atom, exponent) in monomial.exponents {
      let power = try Monomial(atom).power(exponent)
      if atom.depends(on: index) {
        inside = try inside.times(power)
      } else {
        outside = try outside.times(power)
      }
    }
    if inside == .one { return try algebra.product(outside, Monomial(.count)) }
    let name = "$\(Self.height(of: Fraction(Polynomial(inside))))"
    guard inside.size < Atom.sizeLimit else { throw TooLarge() }
    let atom = Atom.total(index: name, try inside.renaming(index, to: name))
    return try algebra.product(outside, Monomial(atom))
  }

  /// How many sums stand in each other, so that a sum around them can have a name of its own.
  private static func height(of x: Fraction) -> Int {
    [x.numerator, x.denominator].flatMap { $0.coefficients.keys }
      .flatMap { $0.exponents.keys }.map(height(of:)).max() ?? 0
  }

  private static func height(of atom: Atom) -> Int {
    func of(_ monomial: Monomial) -> Int { height(of: Fraction(Polynomial(monomial))) }
    switch atom {
    case .scalar, .element, .index, .delta, .count: return 0
    case .exp(let monomial, _): return of(monomial)
    case .ln(let inner): return height(of: inner)
    case .total(_, let monomial): return of(monomial) + 1
    case .opaqueTotal(_, let inner): return height(of: inner) + 1
    case .step(let inner), .gradient(let inner): return height(of: inner)
    case .function(_, let arguments): return arguments.map(height(of:)).max() ?? 0
    case .power(let a, let b), .comparison(let a, _, let b):
      return Swift.max(height(of: a), height(of: b))
    }
  }
}
