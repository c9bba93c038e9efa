import Foundation
import Notebook

/// A paired difference of two treatments, with an interval that says how sure its mean is.
///
/// The rule for comparisons, for every chapter. Two treatments are compared on the same seeds and the
/// same labels, run against run, so that what a lucky seed or an easy split gives to both drops out.
/// The interval is Student's at 95 %. What it is taken over decides what it speaks for:
///
/// - Runs that share nothing but the treatments' names, a new seed and a new split for each, are
///   independent: the interval is over the runs.
/// - Runs that share a split of labels in groups are not, and five seeds of one split say little
///   about another split. Then each split counts once, by the mean of its runs, and the interval is
///   over the splits.
/// - Runs on one split alone speak for that split; the sentence about them has to say so.
///
/// A sentence that says "better" holds when the interval lies above 0.
package struct PairedDifference: Sendable {
  /// The mean of the differences, ours − theirs, every split of the same weight.
  package let mean: Double
  /// The ends of the interval, or the mean itself where one pair alone tells nothing of its spread.
  package let low, high: Double
  /// The sample deviation of what the interval is taken over.
  package let deviation: Double
  /// How many differences, or splits where there are several, the interval is taken over.
  package let count: Int

  /// The difference of two treatments over independent pairs.
  /// - Parameters:
  ///   - ours: a result a run.
  ///   - theirs: as many, each of the run with the same seed and the same labels.
  package init(_ ours: [Double], minus theirs: [Double]) {
    precondition(ours.count == theirs.count && !ours.isEmpty, "\(ours.count) and \(theirs.count)")
    self.init(over: zip(ours, theirs).map { $0 - $1 })
  }

  /// The difference of two treatments over splits of labels, each with its seeds.
  ///
  /// One split alone is judged over its seeds.
  /// - Parameters:
  ///   - ours: results by split, then seed.
  ///   - theirs: as many, in the same order.
  package init(bySplit ours: [[Double]], minus theirs: [[Double]]) {
    precondition(ours.map(\.count) == theirs.map(\.count), "results that are no pairs")
    let differences = zip(ours, theirs).map { zip($0, $1).map { $0 - $1 } }
    self.init(over: differences.count == 1 ? differences[0] : differences.map { Spread($0).mean })
  }

  private init(over differences: [Double]) {
    let spread = Spread(differences)
    (mean, deviation, count) = (spread.mean, spread.deviation, differences.count)
    let half =
      count > 1
      ? StudentT.quantile(0.975, freedom: count - 1) * deviation / Double(count).squareRoot() : 0
    (low, high) = (mean - half, mean + half)
  }

  /// The difference for a table: `+0.26 (+0.18 … +0.34)`.
  package var words: String { String(format: "%+.2f (%+.2f … %+.2f)", mean, low, high) }
}

/// Student's distribution, by its density: few degrees of freedom, a handful of calls.
package enum StudentT {
  /// The x that a share of the distribution lies below.
  /// - Parameters:
  ///   - share: more than half and less than 1.
  ///   - freedom: degrees of freedom, at least 1.
  package static func quantile(_ share: Double, freedom: Int) -> Double {
    precondition(share > 0.5 && share < 1 && freedom >= 1)
    var (low, high) = (0.0, 1.0)
    while cumulative(high, freedom) < share { high *= 2 }
    for _ in 0..<60 {
      let middle = (low + high) / 2
      if cumulative(middle, freedom) < share { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }

  /// The share of the distribution below x ≥ 0.
  ///
  /// With x = √ν·tan θ the density becomes a multiple of cosᵛ⁻¹ θ, which Simpson's rule
  /// integrates to thirteen digits (Abramowitz & Stegun, 26.7.3 and 26.7.4, in closed form).
  static func cumulative(_ x: Double, _ freedom: Int) -> Double {
    let ν = Double(freedom)
    let scale = exp(lgamma((ν + 1) / 2) - lgamma(ν / 2)) / Double.pi.squareRoot()
    let (steps, end) = (512, atan(x / ν.squareRoot()))
    let sum = (0...steps).reduce(0.0) { sum, step in
      let weight = step == 0 || step == steps ? 1.0 : step.isMultiple(of: 2) ? 2 : 4
      return sum + weight * pow(cos(end * Double(step) / Double(steps)), ν - 1)
    }
    return 0.5 + scale * sum * end / Double(3 * steps)
  }
}

extension Page {
  /// Gives a difference that the prose may show: `name`, `name.low` and `name.high`.
  ///
  /// Each of the three has to be shown or to stand in a claim: "better" is `name.low > 0`.
  /// - Parameters:
  ///   - name: as for a value.
  ///   - tolerance: how far each of the three may differ on a re-run.
  ///   - unit: such as `points`.
  package func difference(
    _ name: String, _ difference: PairedDifference, tolerance: Double, unit: String = "points"
  ) {
    value(
      name, difference.mean, deviation: difference.deviation, tolerance: tolerance, unit: unit)
    value("\(name).low", difference.low, tolerance: tolerance, unit: unit)
    value("\(name).high", difference.high, tolerance: tolerance, unit: unit)
  }

  /// The index of the setting that a grid's scores choose; a check fails when it is an end.
  ///
  /// The best of a grid at its end says that the grid is too short, and not that the best was found.
  /// - Parameters:
  ///   - name: what is chosen, for the check's name.
  ///   - scores: one a setting, in the order of the settings; smaller is better.
  ///   - isOpen: whether the lower and the upper end are ends of the grid alone; false where nothing
  ///     lies beyond, as below a rate of 0 or above a whole set.
  package func choice(
    of name: String, by scores: [Double], isOpen: (low: Bool, high: Bool) = (true, true)
  ) -> Int {
    precondition(!scores.isEmpty, "a grid without settings for \(name)")
    let best = scores.indices.min { scores[$0] < scores[$1] }!
    let last = scores.count - 1
    let room = min(
      isOpen.low ? best : scores.count, isOpen.high ? last - best : scores.count)
    // A quick run has grids of a few settings, and shows nothing by them.
    if !isQuick, isOpen.low || isOpen.high {
      check("\(name): settings of the grid beyond the best", Double(room), atLeast: 1)
    }
    return best
  }
}
