/// A small mistake: one thing in a formula that should have been another.
enum Slip: CaseIterable {
  case sign, exponent, number, symbol, index, division

  /// What is said of it, which does not tell where it is.
  var sentence: String {
    let (what, rest) =
      switch self {
      case .sign: ("sign", "")
      case .exponent: ("exponent", "")
      case .number: ("number", "")
      case .symbol: ("symbol", ", which stands where another should")
      case .index: ("index", ", which stands where another should")
      case .division: ("factor", ", which divides and should multiply, or the reverse")
      }
    return "All is right but one \(what)\(rest)."
  }
}

extension Expression {
  /// All expressions that differ from this one by a single slip.
  func neighbours(_ vocabulary: Vocabulary) -> [(Slip, Expression)] {
    neighbours(vocabulary, bound: [])
  }

  private func neighbours(
    _ vocabulary: Vocabulary, bound: Set<String>
  ) -> [(Slip, Expression)] {
    var inner = bound
    if case .total(let index, _) = self { inner.insert(index) }
    var result = ownNeighbours(vocabulary, bound: bound)
    let children = children
    for (place, child) in children.enumerated() {
      for (slip, changed) in child.neighbours(vocabulary, bound: inner) {
        var all = children
        all[place] = changed
        result.append((slip, with(all)))
      }
    }
    return result
  }

  /// Those that differ at the top.
  private func ownNeighbours(
    _ vocabulary: Vocabulary, bound: Set<String>
  ) -> [(Slip, Expression)] {
    let indices = vocabulary.indices.union(bound).sorted()
    switch self {
    case .number(let number):
      let others = [
        try? number + .one, try? number + Rational(-1), try? number * Rational(2),
        try? number / Rational(2),
      ]
      return others.compactMap { $0 }.map { (.number, .number($0)) }
    case .scalar(let name):
      let squared = Expression.power(self, .number(Rational(2)))
      return vocabulary.scalars.sorted().filter { $0 != name }.map { (.symbol, .scalar($0)) }
        + [(.exponent, squared)]
    case .element(let vector, let index):
      return indices.filter { $0 != index }.map { (.index, .element(vector, index: $0)) }
        + vocabulary.vectors.sorted().filter { $0 != vector }.map {
          (.symbol, .element($0, index: index))
        } + [(.exponent, .power(self, .number(Rational(2))))]
    case .delta(let a, let b):
      return indices.filter { $0 != a }.map { (.index, .delta($0, b)) }
        + indices.filter { $0 != b }.map { (.index, .delta(a, $0)) }
    case .sum(let terms):
      return terms.indices.map { place in
        var changed = terms
        changed[place].isSubtracted.toggle()
        return (.sign, .sum(changed))
      }
    case .product(let factors):
      return factors.indices.map { place in
        var changed = factors
        changed[place].isDivisor.toggle()
        // A product begins with a factor, which may be 1.
        if place == 0 { changed.insert(Factor(isDivisor: false, value: .number(.one)), at: 0) }
        return (.division, .product(changed))
      }
    case .power(let base, let exponent):
      guard case .number(let number) = exponent else { return [] }
      let others = [try? number + .one, try? number + Rational(-1)].compactMap { $0 }
      return others.map { (.exponent, .power(base, .number($0))) }
        + [(.exponent, .power(base, .negative(exponent)))]
    case .index, .call, .comparison, .total, .gradient: return []
    }
  }
}
