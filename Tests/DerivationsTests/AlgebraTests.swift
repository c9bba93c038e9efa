import ComplexModule
import Foundation
import RealModule
import Testing

@testable import Derivations

@Suite struct AlgebraTests {
  private let vocabulary: Vocabulary = {
    var vocabulary = Vocabulary()
    vocabulary.scalars = ["x", "y", "s"]
    vocabulary.vectors = ["P", "w"]
    vocabulary.indices = ["i", "j"]
    vocabulary.hasGradient = true
    return vocabulary
  }()

  private let knowledge: NormalForm.Knowledge = {
    var knowledge = NormalForm.Knowledge()
    knowledge.positive = ["s"]
    return knowledge
  }()

  private func areEqual(_ a: String, _ b: String) throws -> Bool {
    NormalForm.areEqual(
      try Parser.read(a, vocabulary), try Parser.read(b, vocabulary), knowledge)
  }

  @Test(arguments: [
    ("(x + y)^2", "x^2 + 2*x*y + y^2"), ("x/y/y", "x/y^2"), ("1/(x - y) + 1/(y - x)", "0"),
    ("(x^2 - y^2)/(x - y)", "x + y"), ("0.5*x + x/2", "x"), ("1/3 + 1/6", "1/2"),
    ("exp(x + y)", "exp(x)*exp(y)"), ("exp(-x)", "1/exp(x)"), ("exp(2*x)", "exp(x)^2"),
    ("exp(x/2)^2", "exp(x)"), ("sigmoid(-x)", "1 - sigmoid(x)"),
    ("sigmoid(x)*(1 - sigmoid(x))", "exp(-x)/(1 + exp(-x))^2"),
    ("tanh(x)", "2*sigmoid(2*x) - 1"), ("1 - tanh(x)^2", "1/cosh(x)^2"),
    ("cosh(x)^2 - sinh(x)^2", "1"), ("tanh(x)", "sinh(x)/cosh(x)"), ("tanh(-x)", "-tanh(x)"),
    ("ln(s^2)", "2*ln(s)"), ("ln(exp(x))", "x"), ("exp(ln(s))", "s"), ("exp(2*ln(s))", "s^2"),
    ("sqrt(s)^2", "s"), ("s^0.5*s^0.5", "s"), ("sqrt(s^2)", "s"), ("ln(1/s)", "-ln(s)"),
    ("ln(s*exp(x))", "ln(s) + x"), ("max(x, y)", "max(y, x)"), ("relu(x) - relu(-x)", "x"),
    ("abs(x)^2", "x^2"), ("min(x, y) + max(x, y)", "x + y"), ("step(x)^3", "step(x)"),
    ("step(2*x)", "step(x)"), ("(x > y)", "(y < x)"), ("(x >= y)", "1 - (x < y)"),
    ("if(x > 0, y, s)", "y*(x > 0) + s*(1 - (x > 0))"), ("max(0, x)/x", "step(x)"),
    ("delta(i,j)*P[j]", "P[i]*delta(i,j)"), ("delta(i,j)^2", "delta(i,j)"), ("delta(i,i)", "1"),
    ("delta(j,i)", "delta(i,j)"), ("sum(k, delta(k,j)*P[k])", "P[j]"),
    ("sum(k, x*P[k])", "x*sum(l, P[l])"),
    ("sum(k, P[k] + w[k])", "sum(k, P[k]) + sum(k, w[k])"), ("sum(k, 1)*x", "sum(k, x)"),
    ("sum(k, sum(l, P[k]*w[l]))", "sum(k, P[k])*sum(k, w[k])"), ("sum(k, P[i])", "P[i]*sum(k, 1)"),
    ("sum(k, sum(l, P[l]*delta(k,l)))", "sum(k, P[k])"), ("(i == j)", "delta(i,j)"),
    ("(P[i] - P[j])*delta(i,j)", "0"), ("grad(x + y)", "grad(y + x)"),
    ("sum(k, P[k]*(w[k] - w[j]))", "sum(k, P[k]*w[k]) - w[j]*sum(k, P[k])"),
  ])
  func equalFormulasAreShownToBe(_ a: String, _ b: String) throws {
    #expect(try areEqual(a, b))
  }

  @Test(arguments: [
    ("x", "y"), ("x^2", "x"), ("exp(x*y)", "exp(x)*exp(y)"), ("sqrt(x^2)", "x"),
    ("ln(x^2)", "2*ln(x)"), ("sum(k, P[k])", "1"),
    ("sum(k, P[k]*w[k])", "sum(k, P[k])*sum(k, w[k])"),
    ("delta(i,j)", "1"), ("step(x)", "1 - step(x)"), ("tanh(x)", "sigmoid(x)"),
    ("grad(x + y)", "grad(x) + grad(y)"), ("1/x + 1/y", "1/(x + y)"), ("abs(x)", "x"),
    ("P[i]", "P[j]"), ("step(x)^2", "step(x)*2"),
    // Nothing is equal to what is no number.
    ("1/0", "1/0"), ("x/(y - y)", "1"),
    // Beyond what is allowed for one formula.
    ("(x + y + s + 1)^60", "(x + y + s + 1)^60"), ("x^2000", "x^2000"),
  ])
  func othersAreNot(_ a: String, _ b: String) throws {
    #expect(try !areEqual(a, b))
  }

  @Test func aNormalFormHasTheValueOfItsFormula() throws {
    var formulas = RandomFormulas("soundness", vocabulary)
    let points = (0..<4).map { n -> Point<Double> in
      var point = Point<Double>()
      let t = Double(n)
      point.scalars = ["x": 0.713 - t * 1.07, "y": 1.319 + t / 3.1, "s": 0.437 + t]
      point.vectors = ["P": [0.517, -0.253, 1.531], "w": [1.117, 0.31 * t - 0.523, -0.811]]
      (point.count, point.indices) = (3, ["i": n % 3, "j": n / 2])
      return point
    }
    var compared = 0
    for _ in 0..<2000 {
      let expression = formulas.expression(depth: 4)
      guard let form = try? NormalForm.of(expression, knowledge) else { continue }
      for point in points where expression.isFarFromJumps(at: point) {
        let (direct, rewritten) = (expression.value(at: point), form.value(at: point))
        guard direct.isFinite, rewritten.isFinite, abs(direct) < 1e6 else { continue }
        compared += 1
        #expect(
          abs(direct - rewritten) <= 1e-6 * max(1, abs(direct)), "\(expression) → \(form)")
      }
    }
    #expect(compared > 3000)
  }

  @Test func rationalsAreInLowestTerms() throws {
    #expect(try Rational(6, over: -4) == Rational(-3, over: 2))
    #expect(try Rational(1, over: 3) + Rational(1, over: 6) == Rational(1, over: 2))
    #expect(try Rational(2, over: 3) / Rational(4, over: 9) == Rational(3, over: 2))
    #expect(throws: TooLarge.self) { try Rational(1, over: 0) }
    #expect(throws: TooLarge.self) { try Rational(.max) * Rational(2) }
    #expect(throws: TooLarge.self) { try Rational(1) / Rational(0) }
    #expect(Rational(near: 0.3333333333333) == (try Rational(1, over: 3)))
    #expect(Rational(near: .pi) == nil && Rational(near: .nan) == nil)
    for text in ["0.5", "1.25e-3", "100", "0.001", "12e3"] {
      #expect(Rational(decimal: text)?.value == Double(text))
    }
    #expect(Rational(decimal: "-0.125")?.description == "-0.125")
  }

  @Test func theComplexStepIsTheSlope() throws {
    var point = Point<Double>()
    point.scalars = ["x": 0.8]
    for (text, slope) in [
      ("exp(x)", Double.exp(0.8)), ("ln(x)", 1.25), ("x^3", 1.92), ("1/x", -1.5625),
      ("tanh(x)", 1 - Double.tanh(0.8) * Double.tanh(0.8)), ("sqrt(x)", 0.5 / 0.8.squareRoot()),
      ("relu(x) + abs(-x)", 2), ("sinh(x)", Double.cosh(0.8)), ("cosh(x)", Double.sinh(0.8)),
      ("x^x", Double.pow(0.8, 0.8) * (Double.log(0.8) + 1)), ("max(x, 2)", 0),
    ] {
      let expression = try Parser.read(text, vocabulary)
      let measured = Route.slope(along: "x", at: point) { expression.value(at: $0) }
      #expect(abs(measured - slope) < 1e-14, "\(text)")
    }
  }
}

// Foundation has an `Expression` too.
extension Derivations.Expression {
  /// Whether all parts are numbers at a point, and none is where rounding decides on which side.
  fileprivate func isFarFromJumps(at point: Point<Double>) -> Bool {
    func isApart(_ x: Double) -> Bool { abs(x) > 1e-9 }
    guard value(at: point).isFinite else { return false }
    switch self {
    case .comparison(let a, _, let b):
      guard isApart(a.value(at: point) - b.value(at: point)) else { return false }
    case .call(let function, let arguments) where [.step, .sign].contains(function):
      guard isApart(arguments[0].value(at: point)) else { return false }
    case .call(.choice, let arguments):
      let condition = arguments[0].value(at: point)
      guard condition == 0 || isApart(condition) else { return false }
    case .total(let index, let body):
      return (0..<point.count).allSatisfy { k in
        var inner = point
        inner.indices[index] = k
        return body.isFarFromJumps(at: inner)
      }
    default: break
    }
    return children.allSatisfy { $0.isFarFromJumps(at: point) }
  }
}

// MARK: - The value of a normal form

extension Fraction {
  fileprivate func value(at point: Point<Double>) -> Double {
    numerator.value(at: point) / denominator.value(at: point)
  }
}

extension Polynomial {
  fileprivate func value(at point: Point<Double>) -> Double {
    coefficients.reduce(0) { $0 + $1.value.value * $1.key.value(at: point) }
  }
}

extension Monomial {
  fileprivate func value(at point: Point<Double>) -> Double {
    exponents.reduce(1) { $0 * Double.pow($1.key.value(at: point), $1.value) }
  }
}

extension Atom {
  fileprivate func value(at point: Point<Double>) -> Double {
    func sum(_ index: String, _ f: (Point<Double>) -> Double) -> Double {
      (0..<point.count).reduce(0) { sum, k in
        var inner = point
        inner.indices[index] = k
        return sum + f(inner)
      }
    }
    switch self {
    case .scalar(let name): return point.scalars[name]!
    case .element(let vector, let index): return point.vectors[vector]![point.indices[index]!]
    case .index(let index): return Double(point.indices[index]!)
    case .delta(let a, let b): return point.indices[a] == point.indices[b] ? 1 : 0
    case .exp(let monomial, let over):
      return Double.exp(monomial.value(at: point) / Double(over))
    case .ln(let atom): return .log(atom.value(at: point))
    case .step(let inner): return inner.value(at: point) > 0 ? 1 : 0
    case .gradient(let inner): return point.gradient!(inner.value(at: point))
    case .total(let index, let monomial): return sum(index) { monomial.value(at: $0) }
    case .opaqueTotal(let index, let inner): return sum(index) { inner.value(at: $0) }
    case .count: return Double(point.count)
    case .function(let function, let arguments):
      var inner = point
      let names = arguments.indices.map { "argument\($0)" }
      for (name, argument) in zip(names, arguments) {
        inner.scalars[name] = argument.value(at: point)
      }
      return Expression.call(function, names.map { .scalar($0) }).value(at: inner)
    case .power(let a, let b): return Expression.power(a.value(at: point), b.value(at: point))
    case .comparison(let a, let relation, let b):
      return relation.holds(a.value(at: point), b.value(at: point)) ? 1 : 0
    }
  }
}
