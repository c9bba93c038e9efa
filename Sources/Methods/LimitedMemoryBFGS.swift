import Foundation
import Tensors

/// Minimises a smooth function of many numbers, with its curvature learnt from the last steps.
///
/// Each step goes along −H·g, where H approximates the inverse Hessian by the last few differences
/// of points and gradients, as far as a search that meets the strong Wolfe conditions. The
/// function must be the same each time: a whole batch, no noise. Source: Nocedal 1980, "Updating
/// quasi-Newton matrices with limited storage"; Nocedal & Wright 2006, algorithms 7.4 (the
/// direction), 3.5 and 3.6 (the search).
public struct LimitedMemoryBFGS: Sendable {
  /// The number of differences that are kept.
  public var memory: Int
  /// The share of the decrease along the tangent that a step must bring (c₁).
  public var sufficientDecrease = 1e-4
  /// The share of the slope that may be left at the end of a step (c₂).
  public var remainingSlope = 0.9
  /// The most evaluations of one search.
  public var evaluationsPerStep = 25

  /// A minimiser that keeps `memory` differences, 100 in the program that CS294A refers to.
  public init(memory: Int = 20) { self.memory = memory }

  /// A function's value at a point, and its gradient, in the shapes of the point.
  public typealias Function = (_ point: [Tensor]) throws -> (value: Double, gradient: [Tensor])

  /// Where a minimisation has come to.
  public struct Result: Sendable {
    /// The best point that was found.
    public internal(set) var point: [Tensor]
    /// The value at the start and after each step.
    public internal(set) var values: [Double]
    /// The length of the gradient at the point.
    public internal(set) var slope: Double
    /// How often the function was evaluated.
    public internal(set) var evaluations: Int
  }

  /// Minimises a function.
  ///
  /// It ends after `steps`, where the gradient is no longer than `tolerance`, or where no step along
  /// the negative gradient makes the value smaller, as rounding has it at last.
  /// - Throws: what the function throws.
  public func minimise(
    from start: [Tensor], steps: Int, tolerance: Double = 0, _ function: Function
  ) rethrows -> Result {
    var (value, gradient) = try function(start)
    var result = Result(
      point: start, values: [value], slope: length(gradient), evaluations: 1)
    var history: [Difference] = []
    while result.values.count <= steps, result.slope > tolerance {
      let direction = direction(gradient, history)
      // Without knowledge of the curvature a step of length 1.
      let first = history.isEmpty ? 1 / result.slope : 1
      var evaluations = 0
      let end = try search(
        from: Place(t: 0, value: value, slope: dot(gradient, direction)), first: first
      ) { t in
        evaluations += 1
        let point = added(result.point, direction, t)
        let (value, gradient) = try function(point)
        return Place(
          t: t, value: value, slope: dot(gradient, direction), point: point, gradient: gradient)
      }
      result.evaluations += evaluations
      guard let end else {
        // What the differences say may be worn out: once more along the gradient itself.
        if history.isEmpty { break }
        history = []
        continue
      }
      let difference = Difference(
        point: added(end.point, result.point, -1), gradient: added(end.gradient, gradient, -1))
      if difference.curvature > 0 { history.append(difference) }
      if history.count > memory { history.removeFirst() }
      (value, gradient, result.point) = (end.value, end.gradient, end.point)
      result.values.append(value)
      result.slope = length(gradient)
    }
    return result
  }

  // MARK: - The direction

  /// What one step changed: s and y.
  private struct Difference {
    let point, gradient: [Tensor]
    /// sᵀy, positive where the function curves upwards along the step.
    let curvature: Double

    init(point: [Tensor], gradient: [Tensor]) {
      (self.point, self.gradient) = (point, gradient)
      curvature = dot(point, gradient)
    }
  }

  // snippet.direction
  /// −H·g by two loops over the differences (Nocedal & Wright 2006, algorithm 7.4).
  private func direction(_ gradient: [Tensor], _ history: [Difference]) -> [Tensor] {
    var q = gradient
    var factors: [Double] = []
    for one in history.reversed() {
      let α = dot(one.point, q) / one.curvature
      q = added(q, one.gradient, -α)
      factors.append(α)
    }
    // H₀ = γI with the curvature of the last step (eq. 7.20).
    if let last = history.last {
      let γ = last.curvature / dot(last.gradient, last.gradient)
      q = q.map { $0 * Float(γ) }
    }
    for (one, α) in zip(history, factors.reversed()) {
      let β = dot(one.gradient, q) / one.curvature
      q = added(q, one.point, α - β)
    }
    return q.map { $0 * -1 }
  }
  // snippet.end

  // MARK: - The search

  /// A place along the direction: φ(t) and φ′(t).
  private struct Place {
    let t, value, slope: Double
    var point: [Tensor] = []
    var gradient: [Tensor] = []
  }

  /// A place at which the strong Wolfe conditions hold; where none is found in time, the lowest one
  /// that brings the decrease; nil where there is none (algorithm 3.5).
  private func search(
    from start: Place, first: Double, _ φ: (Double) throws -> Place
  ) rethrows -> Place? {
    guard start.slope < 0 else { return nil }
    var (before, t) = (start, first)
    for trial in 0..<evaluationsPerStep {
      let here = try φ(t)
      // Written so that a value that is no number counts as too large.
      let falls = brings(here, start) && (trial == 0 || here.value < before.value)
      if !falls { return try zoom(before, here, start, evaluationsPerStep - trial, φ) }
      if isFlat(here, start) { return here }
      if here.slope >= 0 { return try zoom(here, before, start, evaluationsPerStep - trial, φ) }
      before = here
      t *= 2
    }
    return before
  }

  /// Narrows an interval that holds a place that is wanted, `low` its lowest end (algorithm 3.6).
  private func zoom(
    _ low: Place, _ high: Place, _ start: Place, _ trials: Int, _ φ: (Double) throws -> Place
  ) rethrows -> Place? {
    var (low, high) = (low, high)
    for _ in 0..<max(0, trials) {
      let here = try φ(between(low, high))
      if !brings(here, start) || !(here.value < low.value) {
        high = here
      } else {
        if isFlat(here, start) { return here }
        if here.slope * (high.t - low.t) >= 0 { high = low }
        low = here
      }
    }
    return low.t > 0 ? low : nil
  }

  /// Whether the decrease is enough: the first Wolfe condition (3.7a).
  private func brings(_ place: Place, _ start: Place) -> Bool {
    place.value <= start.value + sufficientDecrease * place.t * start.slope
  }

  /// Whether the slope that is left is small: the second Wolfe condition (3.7b).
  private func isFlat(_ place: Place, _ start: Place) -> Bool {
    abs(place.slope) <= -remainingSlope * start.slope
  }

  /// The minimum of the cubic through two places and their slopes, or the middle where that lies at
  /// an end (3.59).
  private func between(_ a: Place, _ b: Place) -> Double {
    let middle = (a.t + b.t) / 2
    let d₁ = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    let square = d₁ * d₁ - a.slope * b.slope
    guard square >= 0 else { return middle }
    let d₂ = (b.t > a.t ? 1 : -1) * square.squareRoot()
    let t = b.t - (b.t - a.t) * (b.slope + d₂ - d₁) / (b.slope - a.slope + 2 * d₂)
    let edge = 0.1 * abs(b.t - a.t)
    return abs(t - middle) <= abs(b.t - a.t) / 2 - edge ? t : middle
  }
}

private func dot(_ a: [Tensor], _ b: [Tensor]) -> Double {
  zip(a, b).reduce(0) { $0 + $1.0.dot($1.1) }
}

private func length(_ a: [Tensor]) -> Double { dot(a, a).squareRoot() }

/// a + factor·b.
private func added(_ a: [Tensor], _ b: [Tensor], _ factor: Double) -> [Tensor] {
  zip(a, b).map { $0 + $1 * Float(factor) }
}
