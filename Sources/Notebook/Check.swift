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
    self.init(name, measured, .atMost, passed: measured.magnitude <= tolerance)
    self.tolerance = tolerance
  }

  /// Passes when measured ≥ bound.
  init(_ name: String, _ measured: Double, atLeast bound: Double) {
    self.init(name, measured, .atLeast, passed: measured >= bound)
    self.bound = bound
  }

  /// Passes when |measured − expected| ≤ tolerance.
  init(_ name: String, _ measured: Double, near expected: Double, tolerance: Double) {
    // An infinity equals itself, but ∞ − ∞ is no number: such a check fails, as a NaN does.
    self.init(name, measured, .near, passed: (measured - expected).magnitude <= tolerance)
    self.expected = expected
    self.tolerance = tolerance
  }

  private init(_ name: String, _ measured: Double, _ relation: Relation, passed: Bool) {
    self.name = name
    self.measured = measured
    self.relation = relation
    // Comparisons with NaN are false, so that a NaN fails without a word about it here. An infinite
    // measurement is no evidence either: it must not pass as "at least 0.01".
    self.passed = passed && measured.isFinite
  }
}
