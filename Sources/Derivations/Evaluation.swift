import ComplexModule
import RealModule

/// The numbers that a formula is evaluated in: real ones, and complex ones for their derivatives.
protocol Quantity: AlgebraicField, ElementaryFunctions, Sendable {
  init(_ value: Double)
  /// What comparisons look at.
  var realPart: Double { get }
  var isFinite: Bool { get }
}

extension Double: Quantity {
  var realPart: Double { self }
}

extension Complex: Quantity where RealType == Double {
  var realPart: Double { real }
}

/// A place at which formulas are evaluated: what each symbol is there.
struct Point<Number: Quantity>: Sendable {
  var scalars: [String: Number] = [:]
  /// Vectors, all of one length.
  var vectors: [String: [Number]] = [:]
  var indices: [String: Int] = [:]
  /// How many elements a vector has.
  var count = 0
  /// ∇f, where a task has it.
  var gradient: (@Sendable (Number) -> Number)?
}

extension Expression {
  /// The value at a point that has all its symbols, by the operations as they are written.
  func value<Number: Quantity>(at point: Point<Number>) -> Number {
    switch self {
    case .number(let number): return Number(number.value)
    case .scalar(let name): return point.scalars[name]!
    case .element(let vector, let index): return point.vectors[vector]![point.indices[index]!]
    case .index(let name): return Number(Double(point.indices[name]!))
    case .sum(let terms):
      var sum: Number?
      for term in terms {
        let value = term.value.value(at: point)
        sum =
          sum.map { term.isSubtracted ? $0 - value : $0 + value }
          ?? (term.isSubtracted ? -value : value)
      }
      return sum!
    case .product(let factors):
      var product: Number?
      for factor in factors {
        let value = factor.value.value(at: point)
        product = product.map { factor.isDivisor ? $0 / value : $0 * value } ?? value
      }
      return product!
    case .power(let base, let exponent):
      return Self.power(base.value(at: point), exponent.value(at: point))
    case .call(let function, let arguments): return function.value(arguments, at: point)
    case .comparison(let left, let relation, let right):
      let holds = relation.holds(
        left.value(at: point).realPart, right.value(at: point).realPart)
      return Number(holds ? 1 : 0)
    case .delta(let a, let b): return Number(point.indices[a] == point.indices[b] ? 1 : 0)
    case .total(let index, let body):
      var point = point
      var sum = Number(0)
      for k in 0..<point.count {
        point.indices[index] = k
        sum += body.value(at: point)
      }
      return sum
    case .gradient(let place): return point.gradient!(place.value(at: point))
    }
  }

  /// A power; a whole exponent multiplies, so that bases below 0 have one too.
  static func power<Number: Quantity>(_ base: Number, _ exponent: Number) -> Number {
    let real = exponent.realPart
    guard exponent == Number(real), real == real.rounded(), abs(real) <= 1000 else {
      return .pow(base, exponent)
    }
    var (result, square, rest) = (Number(1), base, Int(abs(real)))
    while rest > 0 {
      if rest & 1 == 1 { result *= square }
      rest >>= 1
      if rest > 0 { square *= square }
    }
    return real < 0 ? 1 / result : result
  }
}

extension Expression.Relation {
  /// Whether two numbers stand in this relation.
  func holds(_ a: Double, _ b: Double) -> Bool {
    switch self {
    case .less: a < b
    case .greater: a > b
    case .atMost: a <= b
    case .atLeast: a >= b
    case .equal: a == b
    case .different: a != b
    }
  }
}

extension Expression.Function {
  /// The function of its arguments; of `if` the branch that is not taken is not looked at.
  fileprivate func value<Number: Quantity>(
    _ arguments: [Expression], at point: Point<Number>
  ) -> Number {
    let x = arguments[0].value(at: point)
    switch self {
    case .exp: return .exp(x)
    case .ln: return .log(x)
    case .sqrt: return .sqrt(x)
    case .sigmoid:
      // The power that is taken is never large.
      if x.realPart >= 0 { return 1 / (1 + .exp(-x)) }
      let power = Number.exp(x)
      return power / (1 + power)
    case .tanh: return .tanh(x)
    case .sinh: return .sinh(x)
    case .cosh: return .cosh(x)
    case .relu: return x.realPart.isNaN || x.realPart > 0 ? x : 0
    case .step: return x.realPart.isNaN ? x : x.realPart > 0 ? 1 : 0
    case .sign: return x.realPart.isNaN ? x : Number(x.realPart > 0 ? 1 : x.realPart < 0 ? -1 : 0)
    case .abs: return x.realPart < 0 ? -x : x
    case .max, .min:
      let y = arguments[1].value(at: point)
      if x.realPart.isNaN || y.realPart.isNaN { return x + y }
      return (x.realPart > y.realPart) == (self == .max) ? x : y
    case .choice: return arguments[x.realPart != 0 ? 1 : 2].value(at: point)
    }
  }
}
