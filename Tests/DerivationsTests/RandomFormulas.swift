import Tensors

@testable import Derivations

/// Formulas that nobody would write, for what must hold of all of them.
struct RandomFormulas {
  private var stream: RandomStream
  private let vocabulary: Vocabulary

  init(_ name: String, _ vocabulary: Vocabulary) {
    stream = RandomStream(seed: 2016, "formulas", name)
    self.vocabulary = vocabulary
  }

  private mutating func pick<T>(_ values: [T]) -> T {
    values[Int.random(in: values.indices, using: &stream)]
  }

  /// An expression at most so deep.
  mutating func expression(depth: Int, bound: [String] = []) -> Expression {
    let indices = vocabulary.indices.sorted() + bound
    guard depth > 0, Int.random(in: 0..<6, using: &stream) > 0 else { return leaf(indices) }
    func part(_ formulas: inout RandomFormulas) -> Expression {
      formulas.expression(depth: depth - 1, bound: bound)
    }
    switch Int.random(in: 0..<10, using: &stream) {
    case 0...2:
      let terms = (0..<Int.random(in: 2...3, using: &stream)).map { _ in
        Expression.Term(isSubtracted: Bool.random(using: &stream), value: part(&self))
      }
      return .sum(terms)
    case 3...5:
      let factors = (0..<Int.random(in: 2...3, using: &stream)).map { place in
        Expression.Factor(
          isDivisor: place > 0 && Bool.random(using: &stream), value: part(&self))
      }
      return .product(factors)
    case 6: return .power(part(&self), .number(Rational(Int.random(in: 0...3, using: &stream))))
    case 7:
      let function = pick(Expression.Function.allCases)
      return .call(function, (0..<function.argumentCount).map { _ in part(&self) })
    case 8: return .comparison(part(&self), pick(Expression.Relation.allCases), part(&self))
    default:
      guard bound.count < 2, !vocabulary.vectors.isEmpty else { return .negative(part(&self)) }
      let index = ["k", "l"][bound.count]
      return .total(index: index, expression(depth: depth - 1, bound: bound + [index]))
    }
  }

  private mutating func leaf(_ indices: [String]) -> Expression {
    var leaves = vocabulary.scalars.sorted().map { Expression.scalar($0) }
    leaves.append(.number(pick(["0", "1", "2", "0.5", "3"].map { Rational(decimal: $0)! })))
    if let index = indices.isEmpty ? nil : pick(indices) {
      leaves += vocabulary.vectors.sorted().map { .element($0, index: index) }
      leaves.append(.delta(index, pick(indices)))
    }
    return pick(leaves)
  }

  /// Pieces of formulas in any order, and some that are none.
  mutating func text() -> String {
    let pieces =
      vocabulary.names + [
        "(", ")", "[", "]", ",", "+", "-", "*", "/", "^", "²", "−", "·", " ", "1", "0.5", "1e300",
        "9999999999999999", "=", "==", "<", "|", "\u{0}", "é", "🎲", "\u{301}", "delta(", "sum(k,",
        "β", "∇f", "**", "_", ".", "e", "1e", "\n", "\u{202E}",
      ]
    return (0..<Int.random(in: 0...14, using: &stream)).map { _ in pick(pieces) }.joined()
  }
}

extension Derivation {
  static func named(_ name: String) -> Derivation { all.first { $0.name == name }! }
}
