// Free indices renamed, as δ(i, j) does it to what it is multiplied by.

extension Atom {
  /// The same with a free index renamed; what thereby becomes simpler inside of it stays as it is.
  func renaming(_ old: String, to new: String) throws(TooLarge) -> Atom {
    func name(_ index: String) -> String { index == old ? new : index }
    guard depends(on: old) else { return self }
    switch self {
    case .scalar, .count: return self
    case .element(let vector, let index): return .element(vector, index: name(index))
    case .index(let index): return .index(name(index))
    case .delta(let a, let b):
      // δ(i, i) is 1 and would have to go, which is the business of who multiplies.
      guard name(a) != name(b) else { throw TooLarge() }
      return .delta(min(name(a), name(b)), max(name(a), name(b)))
    case .exp(let monomial, let over):
      return .exp(try monomial.renaming(old, to: new), over: over)
    case .ln(let atom): return .ln(try atom.renaming(old, to: new))
    case .step(let inner): return .step(try inner.renaming(old, to: new))
    case .gradient(let inner): return .gradient(try inner.renaming(old, to: new))
    case .total(let index, let monomial):
      return .total(index: index, try monomial.renaming(old, to: new))
    case .function(let function, let arguments):
      var renamed: [Fraction] = []
      for argument in arguments { renamed.append(try argument.renaming(old, to: new)) }
      return .function(function, renamed)
    case .power(let a, let b):
      return .power(try a.renaming(old, to: new), try b.renaming(old, to: new))
    case .comparison(let a, let relation, let b):
      return .comparison(
        try a.renaming(old, to: new), relation, try b.renaming(old, to: new))
    case .opaqueTotal(let index, let inner):
      return .opaqueTotal(index: index, try inner.renaming(old, to: new))
    }
  }
}

extension Monomial {
  func renaming(_ old: String, to new: String) throws(TooLarge) -> Monomial {
    var result = Monomial()
    for (atom, exponent) in exponents {
      if case .delta(let a, let b) = atom, Set([a, b]) == [old, new] { continue }
      result = try result.times(try Monomial(try atom.renaming(old, to: new)).power(exponent))
    }
    return result
  }
}

extension Polynomial {
  func renaming(_ old: String, to new: String) throws(TooLarge) -> Polynomial {
    var result = Polynomial()
    for (monomial, coefficient) in coefficients {
      try result.add(try monomial.renaming(old, to: new), coefficient)
    }
    return result
  }
}

extension Fraction {
  func renaming(_ old: String, to new: String) throws(TooLarge) -> Fraction {
    let below = try denominator.renaming(old, to: new)
    guard below != .zero else { throw TooLarge() }
    return Fraction(reduced: try numerator.renaming(old, to: new), over: below)
  }
}

// MARK: - Text

// Equal normal forms have the same text, whatever the order in which they were computed.

extension Atom: CustomStringConvertible {
  var description: String {
    switch self {
    case .scalar(let name), .index(let name): name
    case .element(let vector, let index): "\(vector)[\(index)]"
    case .delta(let a, let b): "delta(\(a), \(b))"
    case .exp(let monomial, 1): "exp(\(monomial))"
    case .exp(let monomial, let over): "exp(\(monomial)/\(over))"
    case .ln(let atom): "ln(\(atom))"
    case .step(let inner): "step(\(inner))"
    case .gradient(let inner): "grad(\(inner))"
    case .total(let index, let monomial): "sum(\(index), \(monomial))"
    case .opaqueTotal(let index, let inner): "sum(\(index), \(inner))"
    case .count: "sum(k, 1)"
    case .function(let function, let arguments):
      "\(function.rawValue)(\(arguments.map(\.description).joined(separator: ", ")))"
    case .power(let a, let b): "(\(a))^(\(b))"
    case .comparison(let a, let relation, let b): "(\(a) \(relation.rawValue) \(b))"
    }
  }
}

extension Monomial: CustomStringConvertible {
  var description: String {
    guard !exponents.isEmpty else { return "1" }
    return exponents.map { "\($0.key)" + ($0.value == 1 ? "" : "^(\($0.value))") }.sorted()
      .joined(separator: "*")
  }
}

extension Polynomial: CustomStringConvertible {
  var description: String {
    guard !coefficients.isEmpty else { return "0" }
    return coefficients.map { "\($0.value.fraction)*\($0.key)" }.sorted().joined(separator: " + ")
  }
}

extension Fraction: CustomStringConvertible {
  var description: String {
    denominator == .one ? "\(numerator)" : "(\(numerator))/(\(denominator))"
  }
}
