import Foundation

/// How far a training has come.
public struct Moment: Sendable, Equatable {
  /// Steps taken.
  public var step: Int
  /// Epochs done.
  public var epoch: Int

  /// A moment of a training.
  public init(step: Int, epoch: Int) {
    (self.step, self.epoch) = (step, epoch)
  }
}

/// A number that changes in the course of a training: a learning rate, a momentum, a weight.
public struct Schedule: Sendable {
  /// What a schedule counts, from 0.
  public enum Unit: Sendable { case steps, epochs }

  /// What its rule is given.
  public let unit: Unit
  private let rule: @Sendable (Int) -> Double

  /// A schedule by a rule of one's own.
  public init(in unit: Unit, _ rule: @escaping @Sendable (Int) -> Double) {
    (self.unit, self.rule) = (unit, rule)
  }

  /// The number at a moment.
  public func callAsFunction(_ moment: Moment) -> Float {
    Float(value(at: unit == .steps ? moment.step : moment.epoch))
  }

  /// The number at a count of the schedule's own unit.
  public func value(at count: Int) -> Double { rule(count) }

  /// The same number all the time.
  public static func constant(_ value: Double) -> Schedule { Schedule(in: .steps) { _ in value } }

  /// A number that shrinks by a factor each `period`.
  public static func exponential(
    _ first: Double, factor: Double, every period: Int, _ unit: Unit
  ) -> Schedule {
    Schedule(in: unit) { first * pow(factor, Double($0 / period)) }
  }

  /// A number that stays until `start` and then falls in a line to 0 at `end`.
  public static func linearDecay(
    _ first: Double, from start: Int, to end: Int, _ unit: Unit
  ) -> Schedule {
    Schedule(in: unit) { count in
      first * min(1, max(0, Double(end - count) / Double(max(1, end - start))))
    }
  }

  /// The momentum μₜ = min(1 − 2^(−1 − log₂(⌊t/period⌋ + 1)), μ_max) of step t.
  ///
  /// Source: Sutskever, Martens, Dahl & Hinton 2013, eq. 5, whose period is 250.
  public static func sutskeverMomentum(maximum: Double, period: Int = 250) -> Schedule {
    Schedule(in: .steps) { step in
      min(1 - pow(2, -1 - log2(Double(step / period + 1))), maximum)
    }
  }
}
