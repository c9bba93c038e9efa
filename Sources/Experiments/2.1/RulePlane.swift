import Foundation
import Notebook
import Synchronization
import Tensors

/// How many steps a rule needs in the valley of chapter 2.1, at every pair of its two constants.
package struct RulePlane {
  /// The rule, for the names of values and for readers.
  package let key, name: String
  /// Learning rates, a row each, and momenta, a column each.
  package let rates, momenta: [Double]
  /// Steps until the height is below its bound for good; `limit` where it is not.
  package let steps: [[Int]]
  /// The steps after which a descent is given up.
  package static let limit = 2000

  /// Lets a rule run at every pair.
  ///
  /// - Parameters:
  ///   - isQuick: whether only the pairs of the figure are run.
  ///   - run: the steps that the rule needs with ε and μ.
  package init(
    key: String, name: String, isQuick: Bool, run: @Sendable (_ ε: Double, _ μ: Double) -> Int
  ) {
    let rates = (1...(isQuick ? 16 : 80)).map { Double($0) / (isQuick ? 200 : 1000) }
    let momenta = (0...(isQuick ? 10 : 100)).map { Double($0) / (isQuick ? 10 : 100) }
    let rows = Mutex([[Int]](repeating: [], count: rates.count))
    Parallel.forEach(rates.count) { row in
      let steps = momenta.map { run(rates[row], $0) }
      rows.withLock { $0[row] = steps }
    }
    (self.key, self.name, self.rates, self.momenta) = (key, name, rates, momenta)
    steps = rows.withLock { $0 }
  }

  /// The pair with the fewest steps; a check fails where the best is at the plane's edge.
  private func best(on page: Page) -> (rate: Double, momentum: Double, steps: Int) {
    let rate = page.choice(of: "\(name), rate", by: steps.map { Double($0.min()!) })
    // No momentum lies below 0, and 1 has no friction.
    let momentum = page.choice(
      of: "\(name), momentum", by: momenta.indices.map { k in Double(steps.map { $0[k] }.min()!) },
      isOpen: (false, false))
    return (rates[rate], momenta[momentum], steps[rate][momentum])
  }

  /// Gives the page what tuning makes of gradient descent and of two rules, and the figure.
  ///
  /// - Parameter runs: the rules again, for pairs that the planes may lack.
  package static func write(
    momentum: RulePlane, nesterov: RulePlane, rate: Double, eager: Double, on page: Page,
    runs: [(_ ε: Double, _ μ: Double) -> Int]
  ) {
    let plain = momentum.steps.map { Double($0[0]) }
    let plainRate = page.choice(of: "gradient descent, rate", by: plain)
    page.value("tuned.plain.steps", plain[plainRate], tolerance: 1)
    page.value("tuned.plain.rate", momentum.rates[plainRate])
    let bests = [momentum, nesterov].map { $0.best(on: page) }
    for ((plane, best), run) in zip(zip([momentum, nesterov], bests), runs) {
      page.value("tuned.\(plane.key).steps", Double(best.steps), tolerance: 1)
      page.value("tuned.\(plane.key).rate", best.rate)
      page.value("tuned.\(plane.key).mu", best.momentum)
      let row = plane.momenta.map { run(rate, $0) }
      page.value("level.\(plane.key).steps", Double(row.min()!), tolerance: 1)
      page.value("level.\(plane.key).mu", plane.momenta[row.firstIndex(of: row.min()!)!])
      page.value("eager.\(plane.key).steps", Double(run(rate, eager)), tolerance: 1)
    }
    page.figure(
      Figure(
        "plane",
        title: "Tuned, momentum is fastest; Nesterov's rule forgives a large μ, not a large ε",
        size: (760, 480), columns: 2,
        panels: zip([momentum, nesterov], bests).map { plane, best in
          plane.panel(best: (best.rate, best.momentum), fewest: bests.map(\.steps).min()!)
        }))
  }

  /// A map of every fifth rate and every tenth momentum: the darker, the fewer steps, and white where
  /// the limit is not enough; the best pair of all has a mark.
  private func panel(best: (rate: Double, momentum: Double), fewest: Int) -> Panel {
    let rows = (2...16).reversed().map { row in
      rates.firstIndex { abs($0 - Double(row) / 200) < 1e-9 }!
    }
    let columns = (0...10).map { column in
      momenta.firstIndex { abs($0 - Double(column) / 10) < 1e-9 }!
    }
    let shown = rows.map { row in columns.map { steps[row][$0] } }
    return Panel(
      title: "\(name): steps to 10⁻⁶, best at the mark",
      x: Axis(
        "momentum μ",
        ticks: columns.enumerated().map { (Double($0), String(format: "%g", momenta[$1])) }),
      y: Axis(
        key == "momentum" ? "learning rate ε" : "",
        // Every second one.
        ticks: rows.enumerated().filter { $0.offset.isMultiple(of: 2) }.map {
          (Double(rows.count - 1 - $0), String(format: "%.2f", rates[$1]))
        }),
      marks: [
        .heatmap(
          shown.map { $0.map { log(Double(Self.limit) / Double($0)) } },
          labels: shown.map { $0.map { $0 < Self.limit ? "\($0)" : "" } },
          largest: log(Double(Self.limit) / Double(fewest))),
        .points("", [(x: 10 * best.momentum, y: 200 * best.rate - 2)], colour: 1),
      ])
  }
}
