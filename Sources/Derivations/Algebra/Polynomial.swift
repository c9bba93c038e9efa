/// What the algebra does not look into: a symbol, or a function of something in normal form.
indirect enum Atom: Hashable, Sendable {
  case scalar(String)
  case element(String, index: String)
  case index(String)
  case delta(String, String)
  /// e to the power of a monomial, divided by a whole number.
  case exp(Monomial, over: Int)
  /// The logarithm of what is positive.
  case ln(Atom)
  /// 1 where a quotient is positive, else 0.
  case step(Fraction)
  case gradient(Fraction)
  /// A sum over the index 0, 1, … places out, of a monomial each of whose atoms depends on it.
  case total(index: String, Monomial)
  /// How many elements a vector has.
  case count
  /// Any other function.
  case function(Expression.Function, [Fraction])
  case power(Fraction, Fraction)
  case comparison(Fraction, Expression.Relation, Fraction)
  case opaqueTotal(index: String, Fraction)

  /// Whether it is its own square: what is 0 or 1.
  var isIdempotent: Bool {
    switch self {
    case .delta, .step, .comparison: true
    default: false
    }
  }

  /// Whether an index stands free in it.
  func depends(on index: String) -> Bool {
    switch self {
    case .scalar, .count: false
    case .element(_, let own), .index(let own): own == index
    case .delta(let a, let b): a == index || b == index
    case .exp(let monomial, _), .total(_, let monomial): monomial.depends(on: index)
    case .ln(let atom): atom.depends(on: index)
    case .step(let inner), .gradient(let inner), .opaqueTotal(_, let inner):
      inner.depends(on: index)
    case .function(_, let arguments): arguments.contains { $0.depends(on: index) }
    case .power(let a, let b), .comparison(let a, _, let b):
      a.depends(on: index) || b.depends(on: index)
    }
  }
}

/// A product of powers of atoms; exponents may be negative, and none is 0.
struct Monomial: Hashable, Sendable {
  private(set) var exponents: [Atom: Int] = [:]

  static let one = Monomial()

  init() {}

  init(_ atom: Atom, _ exponent: Int = 1) {
    if exponent != 0 { exponents[atom] = exponent }
  }

  /// - Throws: `TooLarge` for powers beyond 1,000, and for the reciprocal of what may be 0 by its
  ///   nature.
  func times(_ other: Monomial) throws(TooLarge) -> Monomial {
    var product = self
    for (atom, exponent) in other.exponents {
      let sum = (product.exponents[atom] ?? 0) + exponent
      guard abs(sum) <= 1000 else { throw TooLarge() }
      product.exponents[atom] = sum == 0 ? nil : atom.isIdempotent ? min(sum, 1) : sum
    }
    return product
  }

  func power(_ exponent: Int) throws(TooLarge) -> Monomial {
    var result = Monomial()
    for (atom, own) in exponents where exponent != 0 {
      let (product, overflow) = own.multipliedReportingOverflow(by: exponent)
      guard !overflow, abs(product) <= 1000, product > 0 || !atom.isIdempotent else {
        throw TooLarge()
      }
      result.exponents[atom] = atom.isIdempotent ? 1 : product
    }
    return result
  }

  /// The product of the other powers.
  func without(_ atom: Atom) -> Monomial {
    var result = self
    result.exponents[atom] = nil
    return result
  }

  func depends(on index: String) -> Bool { exponents.keys.contains { $0.depends(on: index) } }
}

/// A sum of monomials with rational coefficients, none of which is 0.
struct Polynomial: Hashable, Sendable {
  private(set) var coefficients: [Monomial: Rational] = [:]

  static let zero = Polynomial()
  static let one = Polynomial(.one)

  init() {}

  init(_ monomial: Monomial, _ coefficient: Rational = .one) {
    if coefficient != .zero { coefficients[monomial] = coefficient }
  }

  init(_ coefficient: Rational) { self.init(.one, coefficient) }

  /// The one term, where there is but one.
  var onlyTerm: (monomial: Monomial, coefficient: Rational)? {
    coefficients.count == 1 ? coefficients.first.map { ($0.key, $0.value) } : nil
  }

  /// The number that it is, where it has no atoms.
  var constant: Rational? {
    coefficients.isEmpty ? .zero : coefficients.count == 1 ? coefficients[.one] : nil
  }

  func plus(_ other: Polynomial) throws(TooLarge) -> Polynomial {
    var sum = self
    for (monomial, coefficient) in other.coefficients { try sum.add(monomial, coefficient) }
    return sum
  }

  mutating func add(_ monomial: Monomial, _ coefficient: Rational) throws(TooLarge) {
    let sum = try (coefficients[monomial] ?? .zero) + coefficient
    coefficients[monomial] = sum == .zero ? nil : sum
    guard coefficients.count <= 1000 else { throw TooLarge() }
  }

  func scaled(by factor: Rational) throws(TooLarge) -> Polynomial {
    var result = Polynomial()
    for (monomial, coefficient) in coefficients {
      try result.add(monomial, coefficient * factor)
    }
    return result
  }

  func depends(on index: String) -> Bool {
    coefficients.keys.contains { $0.depends(on: index) }
  }
}

/// A quotient of polynomials; where the denominator has one term it is 1.
struct Fraction: Hashable, Sendable {
  let numerator, denominator: Polynomial

  static let zero = Fraction(.zero)
  static let one = Fraction(.one)

  init(_ numerator: Polynomial) { (self.numerator, denominator) = (numerator, .one) }

  /// - Throws: `TooLarge` for an atom that has more in it than is allowed.
  init(_ atom: Atom) throws(TooLarge) {
    guard atom.size <= Atom.sizeLimit else { throw TooLarge() }
    self.init(Polynomial(Monomial(atom)))
  }

  init(reduced numerator: Polynomial, over denominator: Polynomial) {
    (self.numerator, self.denominator) = (numerator, denominator)
  }

  /// Whether it is 0, for all values of its atoms at which it is a number.
  var isZero: Bool { numerator == .zero }

  /// The number that it is, where it has no atoms.
  var constant: Rational? { denominator == .one ? numerator.constant : nil }

  /// The one term, where that is all.
  var onlyTerm: (monomial: Monomial, coefficient: Rational)? {
    denominator == .one ? numerator.onlyTerm : nil
  }

  func depends(on index: String) -> Bool {
    numerator.depends(on: index) || denominator.depends(on: index)
  }
}

// MARK: - Size

// What stands inside of atoms is read whenever two of them are compared, and a function of a
// quotient has what it is of in it twice: nested, that doubles and doubles. So it has a limit.

extension Atom {
  /// The most atoms that may stand in one.
  static let sizeLimit = 300

  /// How many atoms there are in it, itself one of them.
  var size: Int {
    switch self {
    case .scalar, .element, .index, .delta, .count: 1
    case .exp(let monomial, _), .total(_, let monomial): 1 + monomial.size
    case .ln(let atom): 1 + atom.size
    case .step(let inner), .gradient(let inner), .opaqueTotal(_, let inner): 1 + inner.size
    case .function(_, let arguments): arguments.reduce(1) { $0 + $1.size }
    case .power(let a, let b), .comparison(let a, _, let b): 1 + a.size + b.size
    }
  }
}

extension Monomial {
  var size: Int { exponents.keys.reduce(0) { $0 + $1.size } }
}

extension Polynomial {
  /// The number of atoms, counted no further than the limit.
  var size: Int {
    var size = 0
    for monomial in coefficients.keys where size <= Atom.sizeLimit { size += 1 + monomial.size }
    return size
  }
}

extension Fraction {
  var size: Int { numerator.size + denominator.size }
}
