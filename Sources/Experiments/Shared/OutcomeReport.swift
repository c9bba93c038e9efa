import Foundation
import Notebook

/// What the outcomes of a study come to: values for the prose, rows of a table, panels of curves.
package struct OutcomeReport {
  /// The outcomes of one arm for one number of labels, by draw.
  private struct Entry {
    let key: String
    let labels: Int
    let outcomes: [Study.Outcome]
  }

  private let page: Page
  private var entries: [Entry] = []

  /// A report for a chapter's page.
  package init(_ page: Page) { self.page = page }

  /// A number of labels for a figure: `3,000 labels`.
  package static func words(_ labels: Int) -> String {
    labels < 1000
      ? "\(labels) labels" : String(format: "%d,%03d labels", labels / 1000, labels % 1000)
  }

  /// Takes the outcomes of an arm over the draws of a number of labels.
  package mutating func add(_ key: String, labels: Int, _ outcomes: [Study.Outcome]) {
    entries.append(Entry(key: key, labels: labels, outcomes: outcomes))
  }

  private func outcomes(_ key: String, _ labels: Int) -> [Study.Outcome] {
    entries.first { $0.key == key && $0.labels == labels }!.outcomes
  }

  /// Test errors of an arm at the end, in percent, by draw.
  package func errors(_ key: String, _ labels: Int) -> [Double] {
    outcomes(key, labels).map { $0.test.last! }
  }

  /// Gives `key.1000.test` with its deviation and `key.1000.train` of all that was added, in percent.
  package func giveValues(tolerance: Double = 0.5) {
    for entry in entries {
      let name = "\(entry.key).\(entry.labels)"
      let test = Spread(entry.outcomes.map { $0.test.last! })
      page.value("\(name).test", test, tolerance: tolerance, unit: "%")
      page.value("\(name).test.deviation", test.deviation, tolerance: tolerance, unit: "points")
      page.value(
        "\(name).train", Spread(entry.outcomes.map { $0.train.last! }), tolerance: tolerance,
        unit: "%")
    }
    page.table(
      ["arm", "labels", "train", "validation", "test", "deviation", "draws", "seconds each"],
      entries.map { entry in
        let parts = [\Study.Outcome.train, \.validation, \.test].map { part in
          Spread(entry.outcomes.map { $0[keyPath: part].last! })
        }
        return [entry.key, "\(entry.labels)"] + parts.map { String(format: "%.2f %%", $0.mean) }
          + [
            String(format: "%.2f", parts[2].deviation), "\(entry.outcomes.count)",
            String(format: "%.0f", Spread(entry.outcomes.map(\.seconds)).mean),
          ]
      })
  }

  /// Gives `key.3000.seconds`, how long a training with 3,000 labels took, of some arms.
  ///
  /// The median over the draws: what several trainings share was done by the first that asked for it.
  package func giveSeconds(_ keys: String...) {
    for key in keys {
      let median = outcomes(key, 3000).map(\.seconds).median
      page.value("\(key).3000.seconds", median, tolerance: 4 * median + 10, unit: "s")
    }
  }

  /// Gives `key.1000.third` and `key.1000.twoThirds`, the test errors at the points that are nearest to
  /// these parts of the length.
  package func giveLengths(_ key: String, _ labels: Int, tolerance: Double = 0.7) {
    for (name, share) in [("third", 1.0 / 3), ("twoThirds", 2.0 / 3)] {
      let errors = outcomes(key, labels).map { outcome in
        let goal = Double(outcome.epochs.last!) * share
        func distance(_ point: Int) -> Double { abs(Double(outcome.epochs[point]) - goal) }
        return outcome.test[outcome.epochs.indices.min { distance($0) < distance($1) }!]
      }
      page.value("\(key).\(labels).\(name)", Spread(errors), tolerance: tolerance, unit: "%")
    }
  }

  /// Gives a paired difference of the test errors, the first arm's less the second's.
  package func giveDifference(
    _ name: String, _ first: String, minus second: String, _ labels: Int, tolerance: Double = 0.5
  ) -> PairedDifference {
    let difference = PairedDifference(errors(first, labels), minus: errors(second, labels))
    page.difference(name, difference, tolerance: tolerance)
    return difference
  }

  /// Errors of the labelled, the validation and the test images against the length.
  package func panel(
    _ title: String, _ key: String, _ labels: Int, x: Axis, highest: Double
  ) -> Panel {
    let own = outcomes(key, labels)
    return .accuracies(
      title, x: x, y: Axis("error, %", range: 0...highest), epochs: own[0].epochs,
      parts: [
        ("train", own.map(\.train)), ("validation", own.map(\.validation)),
        ("test", own.map(\.test)),
      ])
  }
}
