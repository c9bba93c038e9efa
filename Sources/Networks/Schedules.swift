import Foundation

/// A number that depends on the step, counted from 0: a learning rate or a momentum.
public struct Schedule: Sendable {
  private let rule: @Sendable (Int) -> Double

  /// A schedule by a rule of one's own.
  public init(_ rule: @escaping @Sendable (Int) -> Double) { self.rule = rule }

  /// The number at a step.
  public func callAsFunction(_ step: Int) -> Float { Float(rule(step)) }

  /// The same number at each step.
  public static func constant(_ value: Double) -> Schedule { Schedule { _ in value } }

  /// A number that shrinks by a factor each `period` steps.
  public static func exponential(_ first: Double, factor: Double, every period: Int) -> Schedule {
    Schedule { first * pow(factor, Double($0 / period)) }
  }

  /// A number that stays until `start` and then falls in a line to 0 at `end`.
  public static func linearDecay(_ first: Double, from start: Int, to end: Int) -> Schedule {
    Schedule { step in
      first * min(1, max(0, Double(end - step) / Double(max(1, end - start))))
    }
  }

  /// The momentum μₜ = min(1 − 2^(−1 − log₂(⌊t/period⌋ + 1)), μ_max).
  ///
  /// Source: Sutskever, Martens, Dahl & Hinton 2013, eq. 5, whose period is 250.
  public static func sutskeverMomentum(maximum: Double, period: Int = 250) -> Schedule {
    Schedule { step in min(1 - pow(2, -1 - log2(Double(step / period + 1))), maximum) }
  }
}
