import Digits
import Foundation
import Networks
import Notebook
import Tensors

/// What chapter 2.1 says of its auto-encoders: the table, the comparisons and two figures.
package struct AutoencoderReport {
  /// A column of the paper's table 1: a rule with its largest momentum, and its error there.
  package struct Column {
    package let kind: Momentum.Kind
    package let μ: Double
    package let inPaper: Double

    package var key: String { μ == 0 ? "sgd" : "\(kind).m\(Int((μ * 1000).rounded()))" }

    package static let momenta = [0.9, 0.99, 0.995, 0.999]
    package static let all =
      [Column(kind: .classical, μ: 0, inPaper: 2.1)]
      + zip(momenta, [1.0, 0.77, 0.84, 0.90]).map {
        Column(kind: .classical, μ: $0, inPaper: $1)
      }
      + zip(momenta, [1.0, 0.73, 0.75, 0.80]).map {
        Column(kind: .nesterov, μ: $0, inPaper: $1)
      }
  }

  /// A column's rate and its trainings, one a seed.
  package struct Row {
    package let column: Column
    /// The rates that were tried, and the squared error of each.
    package let trials: [(rate: Double, error: Double)]
    package let rate: Double
    package let outcomes: [AutoencoderRun.Outcome]

    package init(
      column: Column, trials: [(rate: Double, error: Double)], rate: Double,
      outcomes: [AutoencoderRun.Outcome]
    ) {
      (self.column, self.trials, self.rate, self.outcomes) = (column, trials, rate, outcomes)
    }

    package var errors: [Double] { outcomes.map(\.error) }
    /// The squared error of the run that chose the rate.
    var trial: Double { trials.map(\.error).min()! }
    // A best rate lies close to the edge behind which training is lost: one lost run of five would
    // rule a mean, and hide behind a deviation.
    package var median: Double { errors.median }
  }

  /// One for each column, in the order of `Column.all`.
  package let rows: [Row]

  package init(rows: [Row]) { self.rows = rows }

  private func row(_ kind: Momentum.Kind, _ μ: Double) -> Row {
    rows.first { ($0.column.kind == kind || μ == 0) && $0.column.μ == μ }!
  }

  /// The row of a rule's best largest momentum, by the runs that chose the rates.
  ///
  /// Not by the seeds that are reported: what they show would be in favour of what they chose.
  private func bestRow(_ kind: Momentum.Kind) -> Row {
    ([0] + Column.momenta).map { row(kind, $0) }.min { $0.trial < $1.trial }!
  }

  /// Gives the page its values, claims, checks and figures.
  package func write(on page: Page, _ data: MNIST) {
    let mean = meanImageError(data.train)
    page.value("mean.image", mean, tolerance: 0.01)
    // A quick run has no time to leave the mean image behind at each rate.
    if !page.isQuick {
      page.check(
        "every column is better than the mean image", rows.map(\.median).max()!, atMost: mean)
    }
    for row in rows {
      let (column, key) = (row.column, row.column.key)
      page.quote(
        "\(key).paper", column.inPaper, source: "Sutskever et al. 2013, table 1, MNIST")
      page.value("\(key).rate", row.rate)
      page.value("\(key).error", row.median, tolerance: 3)
      page.value("\(key).low", row.errors.min()!, tolerance: 3)
      // Whether a run at the edge is lost may depend on how a processor rounds.
      let isAtTheEdge = row.errors.max()! > 2 * row.median
      page.value("\(key).high", row.errors.max()!, tolerance: isAtTheEdge ? 40 : 3)
    }
    page.table(
      ["μ_max", "rule", "rate", "squared error", "least", "most", "paper"],
      rows.map { row in
        let numbers = [row.median, row.errors.min()!, row.errors.max()!]
        return [
          "\(row.column.μ)", row.column.μ == 0 ? "descent" : "\(row.column.kind)", "\(row.rate)",
        ]
          + numbers.map { String(format: "%.2f", $0) } + ["\(row.column.inPaper)"]
      })
    compare(page)
    showErrors(page, mean: .horizontal("mean image", at: mean))
    showDigits(page, data)
  }

  /// The squared error of answering every image with the mean of all.
  private func meanImageError(_ set: ImageSet) -> Double {
    let indices = Array(0..<10_000)
    let images = set.images(indices).reshaped([indices.count, 784])
    let mean = images.sumOfRows() * (1 / Float(indices.count))
    let size = Double(images.sumOfSquares()) / Double(indices.count)
    return size - Double(mean.sumOfSquares())
  }

  private func compare(_ page: Page) {
    for (kind, key) in [(Momentum.Kind.classical, "classical"), (.nesterov, "nesterov")] {
      let trials = ([0] + Column.momenta).map { row(kind, $0).trial }
      _ = page.choice(of: "\(key), largest momentum", by: trials, isOpen: (false, true))
      page.value("\(key).best", bestRow(kind).column.μ)
      // What the rule takes away of the error of gradient descent, here and in the paper's table.
      page.value(
        "cut.\(key)", 100 * (1 - bestRow(kind).median / row(.classical, 0).median), tolerance: 6,
        unit: "%")
      page.quote(
        "cut.\(key).paper",
        100
          * (1 - Column.momenta.map { row(kind, $0).column.inPaper }.min()!
            / row(.classical, 0).column.inPaper),
        source: "from the errors of Sutskever et al. 2013, table 1, MNIST")
    }
    // Both rules start from the same weights and see the same batches: pairs may be compared.
    func difference(_ name: String, _ a: Row, minus b: Row) {
      page.difference(name, PairedDifference(a.errors, minus: b.errors), tolerance: 4, unit: "")
    }
    for μ in Column.momenta {
      let key = "gain.m\(Int((μ * 1000).rounded()))"
      // A run at the edge is lost or not by its last bits.
      page.difference(
        key, PairedDifference(row(.classical, μ).errors, minus: row(.nesterov, μ).errors),
        tolerance: μ == 0.9 ? 40 : 4, unit: "")
    }
    difference("lead", bestRow(.classical), minus: bestRow(.nesterov))
    difference("best.m900", row(.classical, 0), minus: row(.classical, 0.9))
    difference("none.m999", row(.classical, 0.999), minus: row(.classical, 0))
    difference("rise.m990", row(.classical, 0.99), minus: row(.classical, 0.9))
    page.claim(
      "At .99, .995 and .999 Nesterov's rule ends lower than momentum.",
      "gain.m990.low > 0 and gain.m995.low > 0 and gain.m999.low > 0")
    page.claim(
      "At its own best, Nesterov's rule ends lower than momentum at its own.", "lead.low > 0")
    page.claim("Momentum of .9 ends lower than gradient descent.", "best.m900.low > 0")
    page.claim(
      "The paper's classical momentum gains when .9 is raised to .99, and ours loses.",
      "classical.m990.paper < classical.m900.paper and rise.m990.low > 0")
  }

  private func showErrors(_ page: Page, mean: Mark) {
    let momenta = [0] + Column.momenta
    func errors(_ name: String, _ kind: Momentum.Kind, colour: Int) -> [Mark] {
      let all = momenta.enumerated().map { (x: Double($0), row: row(kind, $1)) }
      let seeds = all.flatMap { column in column.row.errors.map { (x: column.x, y: $0) } }
      return [
        .line(name, all.map { (x: $0.x, y: $0.row.median) }, colour: colour),
        .points("", seeds, colour: colour),
      ]
    }
    func trials(_ name: String, _ row: Row, colour: Int) -> [Mark] {
      let line = row.trials.map { (x: $0.rate, y: $0.error) }
      return [.line(name, line, colour: colour), .points("", line, colour: colour)]
    }
    let ticks = momenta.enumerated().map { (Double($0), $1 == 0 ? "0" : "\($1)") }
    page.figure(
      Figure(
        "autoencoder",
        title: "A deep auto-encoder learns best with Nesterov's rule and a momentum of .99",
        size: (760, 400), columns: 2,
        panels: [
          Panel(
            title: "five seeds and their median, each at its best rate",
            x: Axis("largest momentum", range: -0.3...4.3, ticks: ticks),
            y: Axis("squared error of an image", range: 0...55),
            marks: errors("momentum", .classical, colour: 1)
              + errors("Nesterov", .nesterov, colour: 0) + [mean]),
          Panel(
            title: "at every rate, momentum up to .99, one seed",
            x: Axis("learning rate", scale: .log, range: 3e-4...1e-1), y: Axis("", range: 0...55),
            marks: trials("gradient descent", row(.classical, 0), colour: 6)
              + trials("momentum", row(.classical, 0.99), colour: 1)
              + trials("Nesterov", row(.nesterov, 0.99), colour: 0) + [mean]),
        ]))
    showCurves(page)
  }

  /// The best largest momentum of a rule, as it is written here: .99.
  private func label(_ kind: Momentum.Kind) -> String {
    String("\(bestRow(kind).column.μ)".trimmingPrefix("0"))
  }

  private func showCurves(_ page: Page) {
    // The mean over the seeds as a line, and from the lowest to the highest as a band.
    func curve(_ name: String, _ row: Row, colour: Int) -> [Mark] {
      let losses = row.outcomes.map(\.losses)
      let blocks = (0..<losses.map(\.count).min()!).map { block in
        (x: Double(20 * block + 10), losses: losses.map { $0[block] })
      }
      return [
        .band("", blocks.map { ($0.x, $0.losses.min()!, $0.losses.max()!) }, colour: colour),
        .line(name, blocks.map { (x: $0.x, y: Spread($0.losses).mean) }, colour: colour),
      ]
    }
    page.figure(
      Figure(
        "curves",
        title:
          "Each at its own best: Nesterov's rule with .99 ends lowest, momentum with .9 behind it",
        size: (760, 340),
        panels: [
          Panel(
            x: Axis("updates"), y: Axis("cross-entropy of an image", range: 80...300),
            marks: curve("gradient descent", row(.classical, 0), colour: 6)
              + curve("momentum, \(label(.classical))", bestRow(.classical), colour: 1)
              + curve("Nesterov, \(label(.nesterov))", bestRow(.nesterov), colour: 0))
        ]))
  }

  private func showDigits(_ page: Page, _ data: MNIST) {
    let originals = AutoencoderRun.digits(of: data.test).map { data.test.images([$0]).values }
    let lines: [(name: String, digits: [[Float]])] = [
      ("image", originals), ("descent", row(.classical, 0).outcomes[0].digits),
      ("momentum", bestRow(.classical).outcomes[0].digits),
      ("Nesterov", bestRow(.nesterov).outcomes[0].digits),
    ]
    let captions = lines.flatMap { line in (0..<10).map { $0 == 0 ? line.name : "" } }
    page.figure(
      Figure(
        "reconstructions",
        title: "Through thirty numbers and back: descent leaves blurs, the other two leave digits",
        size: (760, 440),
        panels: [
          Panel(marks: [.images(lines.flatMap(\.digits), captions: captions, columns: 10)])
        ]))
  }
}
