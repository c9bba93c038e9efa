extension Expression {
  /// Whether it is made of pieces: it compares numbers, or has a function that does.
  var isPiecewise: Bool {
    switch self {
    case .comparison(.index, _, .index): false
    case .comparison: true
    case .call(let function, let arguments):
      switch function {
      case .relu, .step, .sign, .abs, .max, .min, .choice: true
      default: arguments.contains(where: \.isPiecewise)
      }
    default: children.contains(where: \.isPiecewise)
    }
  }
}

extension Symbol {
  /// The values at which a formula of pieces is looked at; none of what is no number of its own.
  ///
  /// What is drawn from positive numbers stays positive, and what is at most 1 stays so. 0 itself, where
  /// pieces meet by convention, is not among them.
  var sweep: [Double] {
    func values(_ range: ClosedRange<Double>, by step: Double) -> [Double] {
      let low = range.lowerBound < 0 ? 4 * range.lowerBound : 0
      let high = range.upperBound > 1 ? 4 * range.upperBound : range.upperBound
      // The middle of each step, what is close to 0, and the quarters, at which one compares.
      let middles = stride(from: low + step / 2, to: high, by: step)
      let quarters = stride(from: low.rounded(.up), through: high, by: 0.25)
      return (Array(middles) + [-0.003, 0.003] + quarters).filter {
        $0 != 0 && $0 > low
      }
    }
    switch kind {
    case .number(let range): return values(range, by: 0.02)
    case .vector(let range): return values(range, by: 0.1)
    case .whole(let range): return (range.lowerBound...4 * range.upperBound).map(Double.init)
    case .index, .gradient, .definition, .vectorDefinition: return []
    }
  }

  /// A point with this symbol, or one element of it, at a value, and what is at it by name.
  func points(
    beside point: Point<Double>, _ value: Double
  ) -> [(name: String, point: Point<Double>)] {
    guard let vector = point.vectors[name] else {
      var moved = point
      moved.scalars[name] = value
      return [(name, moved)]
    }
    return vector.indices.map { index in
      var moved = point
      moved.vectors[name]![index] = value
      return ("\(name)[\(index)]", moved)
    }
  }
}
