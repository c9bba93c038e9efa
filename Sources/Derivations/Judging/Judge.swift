import ComplexModule
import RealModule

/// Holds formulas against a task's truth, and says how they differ from it.
///
/// At each of some points, drawn once for the task, a formula's value in Double is compared with the
/// truth, and its slope in a direction of the point's own, by the complex step, with that of the
/// task's answer. What agrees everywhere is right; the algebra may prove it as well.
public struct Judge: Sendable {
  /// The task.
  public let derivation: Derivation
  let vocabulary: Vocabulary
  /// What the algebra may use.
  let knowledge: NormalForm.Knowledge
  /// The task's own answer.
  let answer: Expression
  /// What each point is, and what is right there.
  let cases: [Case]
  /// The largest truth, against which a small one may be rounded.
  let scale: Double
  private let source: PointSource

  /// A point with what is right there.
  struct Case: Sendable {
    let point: Point<Double>
    let truth: Double
    /// The point a complex step aside, and the answer's slope in that direction.
    let moved: Point<Complex<Double>>
    let slope: Double
  }

  /// How far values may differ, relative to their size: rounding may take seven digits of sixteen.
  static let tolerance = 1e-9

  /// A judge of a task.
  public init(_ derivation: Derivation) {
    self.derivation = derivation
    vocabulary = derivation.vocabulary
    source = PointSource(derivation)
    knowledge = source.knowledge
    let answer = derivation.expression(derivation.answer)
    self.answer = answer
    let source = source
    cases = source.draw(24).enumerated().map { number, free in
      let moved = source.moved(free, number)
      let point = source.completed(free)
      return Case(
        point: point, truth: derivation.truth(point), moved: moved,
        slope: answer.value(at: moved).imaginary / Route.step)
    }
    scale = cases.map { abs($0.truth) }.max()!
  }

  /// The expression of a formula.
  ///
  /// - Throws: `ReadingError` with what is wrong, and where.
  public func read(_ formula: String) throws(ReadingError) -> Expression {
    try Parser.read(formula, vocabulary)
  }

  /// What is to be said of a formula.
  ///
  /// - Throws: `ReadingError` with what is wrong, and where, for what cannot be read.
  public func verdict(on formula: String) throws(ReadingError) -> Verdict {
    verdict(on: try read(formula))
  }

  func verdict(on expression: Expression) -> Verdict {
    let isProven = NormalForm.areEqual(expression, answer, knowledge)
    guard isRight(expression) else {
      // What is right on paper may have lost its digits already.
      let diagnosis = Diagnosis(self, expression)
      guard isProven else { return diagnosis.verdict }
      return diagnosis.undefined
        ?? Verdict(
          .unstable, "Right by algebra, but unstable: in Double its digits are lost at any point.",
          isProven: true)
    }
    if !isProven, expression.isPiecewise, let exception = exception(of: expression) {
      return Verdict(.different, "Right at \(cases.count) points, but \(exception)")
    }
    if let weakness = weakness(of: expression) {
      return Verdict(.unstable, "Right, but unstable: \(weakness)", isProven: isProven)
    }
    let ways =
      isProven
      ? "it is equal to the answer by algebra, and agrees with the function itself"
      : "in value and in slope it agrees with the function itself"
    return Verdict(.right, "Right: \(ways) at \(cases.count) points.", isProven: isProven)
  }

  // MARK: Agreement

  /// Whether two numbers are the same up to rounding, beside numbers of a size.
  static func agree(_ a: Double, _ b: Double, beside size: Double) -> Bool {
    abs(a - b) <= tolerance * (abs(b) + size)
  }

  /// Whether an expression has the right value at a point.
  func holds(_ expression: Expression, at instance: Case) -> Bool {
    Self.agree(expression.value(at: instance.point), instance.truth, beside: scale)
  }

  /// Whether an expression is right at every point, in value and in slope.
  func isRight(_ expression: Expression) -> Bool {
    cases.allSatisfy { holds(expression, at: $0) }
      && cases.allSatisfy { instance in
        let slope = expression.value(at: instance.moved).imaginary / Route.step
        // A slope may be known to half of the digits only.
        return abs(slope - instance.slope) <= 1e-7 * (abs(instance.slope) + scale)
      }
  }

  /// Whether a number is another than the answer, and not a rounded one.
  private func isFar(_ own: Double, from right: Double) -> Bool {
    abs(own - right) > 1e-6 * (abs(right) + scale)
  }

  // MARK: Pieces

  /// Where a formula of pieces is another number than the answer, in half a sentence; nil where it is
  /// not found to be one.
  ///
  /// The points of a task lie apart, and a piece may lie between them or beside them. So one symbol at a
  /// time goes through its range and as far again to each side, as far as it can have such values.
  private func exception(of expression: Expression) -> String? {
    for symbol in derivation.symbols {
      for value in symbol.sweep {
        for instance in cases.prefix(3) {
          for (name, point) in symbol.points(beside: instance.point, value) {
            let point = source.completed(point)
            let (own, right) = (expression.value(at: point), answer.value(at: point))
            guard own.isFinite, right.isFinite, isFar(own, from: right) else { continue }
            let apart = Self.shownApart(own, right)
            return "when \(name) is \(Self.shown(value)) it gives \(apart.own), where the "
              + "answer is \(apart.right)."
          }
        }
      }
    }
    return nil
  }

  // MARK: Stability

  /// Where a right formula goes wrong in Double, in half a sentence; nil where it does not.
  func weakness(of expression: Expression) -> String? {
    for stress in derivation.stresses {
      for sign in [1.0, -1] {
        var last = 0.0
        for size in Stress.sizes {
          if fault(of: expression, under: stress, sign * size) == nil {
            last = size
            continue
          }
          let first = firstFault(of: expression, under: stress, after: last, until: size, sign)
          let fault = fault(of: expression, under: stress, sign * first)!
          let side = sign > 0 ? "\(Int(first)) or more" : "-\(Int(first)) or less"
          return "when \(stress.symbol) is \(side) it \(fault)."
        }
      }
    }
    return nil
  }

  /// The first whole number at which it fails, between one where it does not and one where it does.
  private func firstFault(
    of expression: Expression, under stress: Stress, after good: Double, until bad: Double,
    _ sign: Double
  ) -> Double {
    var (good, bad) = (good, bad)
    while bad - good > 1 {
      let middle = ((good + bad) / 2).rounded(.down)
      if fault(of: expression, under: stress, sign * middle) == nil {
        good = middle
      } else {
        bad = middle
      }
    }
    return bad
  }

  /// What an expression does wrong at a place where the answer holds.
  private func fault(of expression: Expression, under stress: Stress, _ value: Double) -> String? {
    for instance in cases.prefix(3) {
      var point = instance.point
      stress.set(&point, value)
      point = source.completed(point)
      let (own, right) = (expression.value(at: point), answer.value(at: point))
      guard right.isFinite else { continue }
      let wanted = "where the answer is \(Self.shown(right))"
      if own.isNaN { return "is no number, \(wanted)" }
      if own.isInfinite { return "is infinite, \(wanted)" }
      if isFar(own, from: right) {
        let apart = Self.shownApart(own, right)
        return "gives \(apart.own), where the answer is \(apart.right)"
      }
    }
    return nil
  }

  /// A number with three digits, or as many as are asked for.
  static func shown(_ value: Double, digits count: Int = 3) -> String {
    // What is far below anything that a task has is shown as nothing.
    if abs(value) < 1e-100 { return "0" }
    if abs(value) >= 1e5 || abs(value) < 1e-3 {
      let exponent = Int(Double.log10(abs(value)).rounded(.down))
      let mantissa = value / Double.pow(10, Double(exponent))
      let digits = Double.pow(10, Double(count - 1))
      return "\((mantissa * digits).rounded() / digits)e\(exponent)"
    }
    let digits = Double.pow(10, Double(count - 1) - Double.log10(abs(value)).rounded(.down))
    let rounded = (value * digits).rounded() / digits
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  /// Two numbers with three digits, or with as many as tell them apart.
  static func shownApart(_ own: Double, _ right: Double) -> (own: String, right: String) {
    let pairs = (3...17).lazy.map { (own: shown(own, digits: $0), right: shown(right, digits: $0)) }
    return pairs.first { $0.own != $0.right } ?? pairs.last!
  }
}
