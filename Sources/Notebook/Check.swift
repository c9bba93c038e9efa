/// A measured quantity with the bound that it must keep.
public struct Check: Codable, Equatable, Sendable {
  /// How the measured quantity must stand to its bound.
  public enum Relation: String, Codable, Sendable {
    /// |measured| ≤ tolerance.
    case atMost
    /// measured ≥ bound.
    case atLeast
    /// |measured − expected| ≤ tolerance.
    case near
  }

  /// What is checked; unique in a chapter.
  public var name: String
  /// What the run measured.
  public var measured: Double
  /// Which of the fields below bind it.
  public var relation: Relation
  /// The largest magnitude (`atMost`) or distance (`near`) that passes.
  public var tolerance: Double?
  /// The smallest quantity that passes (`atLeast`).
  public var bound: Double?
  /// What the measured quantity should be (`near`).
  public var expected: Double?
  /// Whether it passed.
  public var passed: Bool

  /// Passes when |measured| ≤ tolerance.
  init(_ name: String, _ measured: Double, atMost tolerance: Double) {
    self.init(name: name, measured: measured, relation: .atMost, tolerance: tolerance)
  }

  /// Passes when measured ≥ bound.
  init(_ name: String, _ measured: Double, atLeast bound: Double) {
    self.init(name: name, measured: measured, relation: .atLeast, bound: bound)
  }

  /// Passes when |measured − expected| ≤ tolerance.
  init(_ name: String, _ measured: Double, near expected: Double, tolerance: Double) {
    self.init(
      name: name, measured: measured, relation: .near, tolerance: tolerance, expected: expected)
  }

  private init(
    name: String, measured: Double, relation: Relation, tolerance: Double? = nil,
    bound: Double? = nil, expected: Double? = nil
  ) {
    self.name = name
    self.measured = measured
    self.relation = relation
    self.tolerance = tolerance
    self.bound = bound
    self.expected = expected
    passed = false
    passed = holds
  }

  /// The verdict, from the measured quantity and its bound.
  public var holds: Bool {
    // Comparisons with NaN are false, so that a NaN fails without a word about it here. An infinite
    // measurement is no evidence either: it must not pass as "at least 0.01".
    guard measured.isFinite else { return false }
    switch relation {
    case .atMost: return tolerance.map { measured.magnitude <= $0 } ?? false
    case .atLeast: return bound.map { measured >= $0 } ?? false
    case .near:
      guard let expected, let tolerance else { return false }
      return (measured - expected).magnitude <= tolerance
    }
  }
}
