/// Formulas rewritten until those that are equal look the same, as far as a few identities reach.
///
/// A normal form is a quotient of two sums of products with rational coefficients. Symbols that a
/// task defines are replaced by what they mean; sigmoid, tanh, sinh and cosh by exponentials;
/// e^(a+b) = e^a·e^b; roots and logarithms of positive symbols are taken apart; max, abs, sign and
/// the rectifier become steps; what does not depend on a sum's index leaves the sum, and δ empties
/// it. Two formulas are equal where the numerator of their difference is 0. The reverse does not
/// hold: what is not shown to be equal may yet be.
struct NormalForm {
  /// What the rewriting knows of the symbols.
  struct Knowledge: Sendable {
    /// What scalars are, in terms of others.
    var scalars: [String: Expression] = [:]
    /// What a vector's element of an index is.
    var vectors: [String: (index: String, value: Expression)] = [:]
    /// The symbols that are positive at every point.
    var positive: Set<String> = []
    /// Pairs of indices that are the same, the second of which is replaced, or that are not.
    var relation: (first: String, second: String, areEqual: Bool)?
  }

  private let knowledge: Knowledge
  var algebra: Algebra

  /// The normal form of an expression.
  ///
  /// - Throws: `TooLarge` when the work or the numbers grow beyond what is allowed for one formula.
  static func of(
    _ expression: Expression, _ knowledge: Knowledge
  ) throws(TooLarge) -> Fraction {
    var rewriter = NormalForm(knowledge)
    return try rewriter.form(expression)
  }

  /// Whether two expressions are shown to be equal.
  static func areEqual(_ a: Expression, _ b: Expression, _ knowledge: Knowledge) -> Bool {
    var rewriter = NormalForm(knowledge)
    do {
      let (left, right) = (try rewriter.form(a), try rewriter.form(b))
      return try rewriter.algebra.difference(left, right).isZero
    } catch {
      return false
    }
  }

  private init(_ knowledge: Knowledge) {
    self.knowledge = knowledge
    algebra = Algebra(positive: knowledge.positive)
  }

  // MARK: Expressions

  private mutating func form(_ expression: Expression) throws(TooLarge) -> Fraction {
    switch expression {
    case .number(let number): return Fraction(Polynomial(number))
    case .scalar(let name):
      guard let definition = knowledge.scalars[name] else { return try Fraction(.scalar(name)) }
      return try form(definition)
    case .element(let vector, let index):
      let index = representative(index)
      guard let (own, value) = knowledge.vectors[vector] else {
        return try Fraction(.element(vector, index: index))
      }
      return try form(value.renaming([own: index]))
    case .index(let name): return try Fraction(.index(representative(name)))
    case .sum(let terms):
      var sum = Fraction.zero
      for term in terms {
        let value = try form(term.value)
        sum = try term.isSubtracted ? algebra.difference(sum, value) : algebra.sum(sum, value)
      }
      return sum
    case .product(let factors):
      var product = Fraction.one
      for factor in factors {
        let value = try form(factor.value)
        product =
          try factor.isDivisor
          ? algebra.quotient(product, value) : algebra.product(product, value)
      }
      return product
    case .power(let base, let exponent): return try power(form(base), form(exponent))
    case .call(let function, let arguments):
      var forms: [Fraction] = []
      for argument in arguments { forms.append(try form(argument)) }
      return try call(function, forms)
    case .comparison(let left, let relation, let right):
      return try comparison(left, relation, right)
    case .delta(let a, let b): return try delta(a, b)
    case .total(let index, let body): return try total(index, form(body))
    case .gradient(let place): return try Fraction(.gradient(form(place)))
    }
  }

  /// The one of several equal indices that stands for all.
  private func representative(_ index: String) -> String {
    guard let relation = knowledge.relation, relation.areEqual, index == relation.second else {
      return index
    }
    return relation.first
  }

  private func delta(_ a: String, _ b: String) throws(TooLarge) -> Fraction {
    let (a, b) = (representative(a), representative(b))
    if a == b { return .one }
    if let relation = knowledge.relation, !relation.areEqual,
      Set([a, b]) == [relation.first, relation.second]
    {
      return .zero
    }
    return try Fraction(.delta(min(a, b), max(a, b)))
  }

  private mutating func comparison(
    _ left: Expression, _ relation: Expression.Relation, _ right: Expression
  ) throws(TooLarge) -> Fraction {
    if case .index(let a) = left, case .index(let b) = right {
      switch relation {
      case .equal: return try delta(a, b)
      case .different: return try algebra.difference(.one, delta(a, b))
      default: break
      }
    }
    let (a, b) = (try form(left), try form(right))
    switch relation {
    case .greater: return try step(algebra.difference(a, b))
    case .less: return try step(algebra.difference(b, a))
    // a ≥ b where b > a does not hold.
    case .atLeast: return try algebra.difference(.one, step(algebra.difference(b, a)))
    case .atMost: return try algebra.difference(.one, step(algebra.difference(a, b)))
    case .equal, .different: return try Fraction(.comparison(a, relation, b))
    }
  }

  // MARK: Functions

  private mutating func call(
    _ function: Expression.Function, _ arguments: [Fraction]
  ) throws(TooLarge) -> Fraction {
    let x = arguments[0]
    let minus = try algebra.scaled(x, by: Rational(-1))
    switch function {
    case .exp: return try exponential(x)
    case .ln: return try logarithm(x)
    case .sqrt: return try power(x, Fraction(Polynomial(Rational(1, over: 2))))
    case .sigmoid:
      return try algebra.quotient(.one, algebra.sum(.one, exponential(minus)))
    case .tanh:
      let square = try algebra.power(exponential(x), 2)
      return try algebra.quotient(
        algebra.difference(square, .one), algebra.sum(square, .one))
    case .sinh, .cosh:
      let (up, down) = (try exponential(x), try exponential(minus))
      let both = try function == .sinh ? algebra.difference(up, down) : algebra.sum(up, down)
      return try algebra.scaled(both, by: Rational(1, over: 2))
    case .relu: return try ramp(x)
    case .step: return try step(x)
    case .sign: return try algebra.difference(step(x), step(minus))
    case .abs: return try algebra.difference(algebra.scaled(ramp(x), by: Rational(2)), x)
    case .max: return try algebra.sum(arguments[1], ramp(algebra.difference(x, arguments[1])))
    case .min: return try algebra.difference(x, ramp(algebra.difference(x, arguments[1])))
    case .choice:
      guard Self.isIndicator(x) else { return try Fraction(.function(.choice, arguments)) }
      let gap = try algebra.difference(arguments[1], arguments[2])
      return try algebra.sum(arguments[2], algebra.product(x, gap))
    }
  }

  /// Whether it is 0 or 1 and nothing else: one such atom, or 1 minus it.
  private static func isIndicator(_ x: Fraction) -> Bool {
    guard x.denominator == .one else { return false }
    var (constant, others) = (Rational.zero, [Rational]())
    for (monomial, coefficient) in x.numerator.coefficients {
      if monomial == .one {
        constant = coefficient
      } else if monomial.exponents.keys.allSatisfy(\.isIdempotent) {
        others.append(coefficient)
      } else {
        return false
      }
    }
    let pair = (constant, others.count <= 1 ? others.first ?? .zero : Rational(2))
    return pair == (.zero, .one) || pair == (.one, Rational(-1)) || pair == (.one, .zero)
      || pair == (.zero, .zero)
  }

  private mutating func exponential(_ x: Fraction) throws(TooLarge) -> Fraction {
    guard x.denominator == .one else { return try Fraction(.function(.exp, [x])) }
    var product = Monomial.one
    for (monomial, coefficient) in x.numerator.coefficients {
      let base = try algebra.exponential(monomial, over: coefficient.denominator)
      product = try algebra.product(product, base.power(coefficient.numerator))
    }
    return Fraction(Polynomial(product))
  }

  private mutating func logarithm(_ x: Fraction) throws(TooLarge) -> Fraction {
    guard let (monomial, coefficient) = x.onlyTerm, coefficient.numerator > 0,
      monomial.exponents.keys.allSatisfy(algebra.isPositive)
    else { return try Fraction(.function(.ln, [x])) }
    var sum =
      coefficient == .one
      ? Fraction.zero : try Fraction(.function(.ln, [Fraction(Polynomial(coefficient))]))
    for (atom, exponent) in monomial.exponents {
      let term =
        if case .exp(let inner, let over) = atom {
          Polynomial(inner, try Rational(exponent, over: over))
        } else {
          Polynomial(Monomial(.ln(atom)), Rational(exponent))
        }
      sum = try algebra.sum(sum, Fraction(term))
    }
    return sum
  }

  private mutating func power(_ base: Fraction, _ exponent: Fraction) throws(TooLarge) -> Fraction {
    if let number = exponent.constant, number.isWhole {
      return try algebra.power(base, number.numerator)
    }
    // A positive base is e to the power of its logarithm.
    if let (monomial, coefficient) = base.onlyTerm, coefficient == .one,
      monomial.exponents.keys.allSatisfy(algebra.isPositive)
    {
      return try exponential(algebra.product(exponent, logarithm(base)))
    }
    return try Fraction(.power(base, exponent))
  }

  /// 1 where x > 0, else 0; a step of −x is left as it is, for both are 0 where x is.
  private mutating func step(_ x: Fraction) throws(TooLarge) -> Fraction {
    if let constant = x.constant { return constant.numerator > 0 ? .one : .zero }
    // A positive factor moves no step.
    let leading = Self.leadingCoefficient(of: x)
    let size = try Rational(abs(leading.numerator), over: leading.denominator)
    return try Fraction(.step(algebra.scaled(x, by: .one / size)))
  }

  /// max(0, x): x times its step, or x less x times the step of −x, whichever reads better.
  private mutating func ramp(_ x: Fraction) throws(TooLarge) -> Fraction {
    if x.isZero || Self.leadingCoefficient(of: x).numerator > 0 {
      return try algebra.product(x, step(x))
    }
    let minus = try algebra.scaled(x, by: Rational(-1))
    return try algebra.difference(x, algebra.product(x, step(minus)))
  }

  /// The coefficient of a term that is always the same one.
  private static func leadingCoefficient(of x: Fraction) -> Rational {
    x.numerator.coefficients.min { $0.key.description < $1.key.description }!.value
  }
}
