/// A formula as its reader wrote it: what is divided stays divided, and nothing is simplified.
///
/// Sums and products are lists, so that a long one is no deep tree. A minus sign is a sum of one
/// term that is subtracted.
public indirect enum Expression: Hashable, Sendable {
  case number(Rational)
  /// A symbol for one number: `beta`.
  case scalar(String)
  /// An element of a vector: `P[i]`.
  case element(String, index: String)
  /// An index, which counts from 0; it is there to be compared.
  case index(String)
  case sum([Term])
  case product([Factor])
  case power(Expression, Expression)
  case call(Function, [Expression])
  /// 1 where it holds and 0 elsewhere, after Iverson.
  case comparison(Expression, Relation, Expression)
  /// Kronecker's δ: 1 where both indices are the same, else 0.
  case delta(String, String)
  /// The sum over all values of an index that is bound in it.
  case total(index: String, Expression)
  /// The gradient of the function that a task is about, at a point.
  case gradient(Expression)

  /// What is added to a sum, or subtracted from it.
  public struct Term: Hashable, Sendable {
    var isSubtracted: Bool
    var value: Expression
  }

  /// What a product is multiplied by, or divided by.
  public struct Factor: Hashable, Sendable {
    var isDivisor: Bool
    var value: Expression
  }

  /// How two numbers are compared.
  public enum Relation: String, CaseIterable, Sendable {
    case less = "<"
    case greater = ">"
    case atMost = "<="
    case atLeast = ">="
    case equal = "=="
    case different = "!="
  }

  /// The functions that a formula may use.
  public enum Function: String, CaseIterable, Sendable {
    case exp, ln, sqrt, sigmoid, tanh, sinh, cosh, relu, step, sign, abs, max, min
    case choice = "if"

    /// How many arguments it takes.
    var argumentCount: Int {
      switch self {
      case .choice: 3
      case .max, .min: 2
      default: 1
      }
    }

    /// The name, with arguments where they are several.
    var form: String {
      switch argumentCount {
      case 3: "\(rawValue)(a > b, a, b)"
      case 2: "\(rawValue)(a, b)"
      default: rawValue
      }
    }

    /// Other names of some functions.
    static let aliases = ["log": ln, "sigma": sigmoid, "rect": relu, "heaviside": step]

    /// The function of a name.
    init?(named name: String) {
      guard let function = Self(rawValue: name) ?? Self.aliases[name] else { return nil }
      self = function
    }
  }
}

// MARK: - Parts

extension Expression {
  /// Minus an expression.
  static func negative(_ value: Expression) -> Expression {
    .sum([Term(isSubtracted: true, value: value)])
  }

  /// What it is directly made of.
  var children: [Expression] {
    switch self {
    case .number, .scalar, .element, .index, .delta: []
    case .sum(let terms): terms.map(\.value)
    case .product(let factors): factors.map(\.value)
    case .power(let base, let exponent): [base, exponent]
    case .call(_, let arguments): arguments
    case .comparison(let left, _, let right): [left, right]
    case .total(_, let body): [body]
    case .gradient(let place): [place]
    }
  }

  /// The same of other parts, as many as it has.
  func with(_ children: [Expression]) -> Expression {
    switch self {
    case .number, .scalar, .element, .index, .delta: self
    case .sum(let terms):
      .sum(zip(terms, children).map { Term(isSubtracted: $0.isSubtracted, value: $1) })
    case .product(let factors):
      .product(zip(factors, children).map { Factor(isDivisor: $0.isDivisor, value: $1) })
    case .power: .power(children[0], children[1])
    case .call(let function, _): .call(function, children)
    case .comparison(_, let relation, _): .comparison(children[0], relation, children[1])
    case .total(let index, _): .total(index: index, children[0])
    case .gradient: .gradient(children[0])
    }
  }

  /// How many symbols, numbers and operations it has.
  var size: Int { children.reduce(1) { $0 + $1.size } }

  /// The same with indices renamed, those too that are bound.
  func renaming(_ names: [String: String]) -> Expression {
    func new(_ index: String) -> String { names[index] ?? index }
    switch self {
    case .element(let vector, let index): return .element(vector, index: new(index))
    case .index(let index): return .index(new(index))
    case .delta(let a, let b): return .delta(new(a), new(b))
    case .total(let index, let body): return .total(index: new(index), body.renaming(names))
    default: return with(children.map { $0.renaming(names) })
    }
  }
}

// MARK: - Printing

extension Expression: CustomStringConvertible {
  /// The formula in ASCII, with no more parentheses than it needs; reading it gives the same again.
  public var description: String {
    switch self {
    case .number(let number): number.description
    case .scalar(let name), .index(let name): name
    case .element(let vector, let index): "\(vector)[\(index)]"
    case .sum(let terms):
      terms.enumerated().map { place, term in
        let sign =
          switch (place, term.isSubtracted) {
          case (0, false): ""
          case (0, true): "-"
          case (_, false): " + "
          case (_, true): " - "
          }
        return sign + term.value.text(above: .sum)
      }.joined()
    case .product(let factors):
      factors.enumerated().map { place, factor in
        (place == 0 ? "" : factor.isDivisor ? "/" : "*") + factor.value.text(above: .product)
      }.joined()
    case .power(let base, let exponent):
      base.text(above: .power) + "^"
        + (exponent.rank == .power ? exponent.description : exponent.text(above: .power))
    case .call(let function, let arguments):
      "\(function.rawValue)(\(arguments.map(\.description).joined(separator: ", ")))"
    case .comparison(let left, let relation, let right):
      "\(left.text(above: .comparison)) \(relation.rawValue) \(right.text(above: .comparison))"
    case .delta(let a, let b): "delta(\(a), \(b))"
    case .total(let index, let body): "sum(\(index), \(body))"
    case .gradient(let place): "grad(\(place))"
    }
  }

  /// How tightly an expression holds together.
  private enum Rank: Comparable {
    case comparison, sum, product, power, whole
  }

  private var rank: Rank {
    switch self {
    case .comparison: .comparison
    case .sum: .sum
    case .product: .product
    case .power: .power
    default: .whole
    }
  }

  /// The text as a part of something: in parentheses unless it holds together more tightly.
  private func text(above rank: Rank) -> String {
    self.rank > rank ? description : "(\(description))"
  }
}
