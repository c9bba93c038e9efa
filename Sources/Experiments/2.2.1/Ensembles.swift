import Notebook

/// What chapter 2.2.1 says of networks with dropout, of its controls, and of networks that were
/// trained apart.
package struct Ensembles {
  /// The networks of each regulariser, one a seed; of the networks without any there are more.
  private let results: [Regulariser: [MaskAverages]]
  /// The digits of the test images.
  private let labels: [Int]

  package init(_ results: [Regulariser: [MaskAverages]], labels: [Int]) {
    (self.results, self.labels) = (results, labels)
  }

  private var dropout: [MaskAverages] { results[.dropout]! }
  private var plain: [MaskAverages] { results[.none]! }

  /// Gives the page its values, claims and the figure.
  package func write(on page: Page, _ settings: Regulariser.Settings) {
    let counts = Array(MaskAverages.counts.prefix(dropout[0].arithmetic.count))
    let last = counts.count - 1
    for (key, index) in [("one", 0), ("eight", min(3, last)), ("most", last)] {
      func value(_ name: String, _ path: KeyPath<MaskAverages, [Double]>) {
        page.value(
          "masks.\(key).\(name)", Spread(dropout.map { $0[keyPath: path][index] }),
          tolerance: 0.4, unit: "%")
      }
      value("arithmetic", \.arithmetic)
      if index > 0 {
        value("geometric", \.geometric)
        value("votes", \.votes)
      }
    }
    page.quote("paper.masks", 50, source: "Srivastava et al. 2014, section 7.5 and figure 11")
    let thinned = dropout.map { Spread($0.thinned).mean }
    page.value("thinned", Spread(thinned), tolerance: 0.4, unit: "%")
    page.value("thinned.least", dropout.flatMap(\.thinned).min()!, tolerance: 0.6, unit: "%")
    for regulariser in Regulariser.allCases { write(regulariser, settings[regulariser]!, on: page) }
    page.value("plain.least", plain.map(\.scaled).min()!, tolerance: 0.4, unit: "%")
    page.value("plain.most", plain.map(\.scaled).max()!, tolerance: 0.4, unit: "%")
    page.value("plain.together", MaskAverages.error(of: plain, labels), tolerance: 0.4, unit: "%")
    page.value("plain.voted", MaskAverages.voteError(of: plain, labels), tolerance: 0.4, unit: "%")
    page.value(
      "dropout.together", MaskAverages.error(of: dropout, labels), tolerance: 0.4, unit: "%")
    page.value("dropout.least", dropout.map(\.scaled).min()!, tolerance: 0.4, unit: "%")
    let apart = MaskAverages.pairs(of: plain, labels)
    page.value("disagreement.plain", apart.disagreement, tolerance: 0.5, unit: "%")
    page.value("shared.plain", apart.shared, tolerance: 4, unit: "%")
    page.value(
      "disagreement.thinned", Spread(dropout.map(\.disagreement)).mean, tolerance: 0.8, unit: "%")
    page.value("shared.thinned", Spread(dropout.map(\.shared)).mean, tolerance: 4, unit: "%")
    compare(on: page, last: last)
    page.figure(figure(counts, scaled: Spread(dropout.map(\.scaled)).mean))
  }

  /// A row of the table: what was chosen, and what came of it on test images.
  private func write(
    _ regulariser: Regulariser, _ setting: (rate: Double, strength: Double), on page: Page
  ) {
    let errors = Spread(results[regulariser]!.map(\.scaled))
    page.value("\(regulariser).rate", setting.rate)
    if regulariser == .decay { page.value("decay.factor", setting.strength) }
    page.value("\(regulariser).error", errors, tolerance: 0.3, unit: "%")
    page.value(
      "\(regulariser).error.deviation", errors.deviation, tolerance: 0.2, unit: "points")
    guard regulariser != .none else { return }
    page.difference(
      "\(regulariser).gain", difference(.none, minus: regulariser), tolerance: 0.15)
  }

  /// The errors of one regulariser less those of another, on the same seeds.
  private func difference(_ ours: Regulariser, minus theirs: Regulariser) -> PairedDifference {
    let (ours, theirs) = (results[ours]!.map(\.scaled), results[theirs]!.map(\.scaled))
    let count = min(ours.count, theirs.count)
    return PairedDifference(Array(ours.prefix(count)), minus: Array(theirs.prefix(count)))
  }

  private func compare(on page: Page, last: Int) {
    func difference(_ name: String, _ ours: [Double], minus theirs: [Double]) {
      page.difference(name, PairedDifference(ours, minus: theirs), tolerance: 0.15)
    }
    let scaled = dropout.map(\.scaled)
    difference(
      "thinned.cost", dropout.map { Spread($0.thinned).mean },
      minus: plain.prefix(dropout.count).map(\.scaled))
    let sampled = dropout.map { $0.arithmetic[last] }
    difference("sampled.apart", sampled, minus: scaled)
    page.value(
      "scaled.most", PairedDifference(scaled, minus: sampled).high, tolerance: 0.15, unit: "points")
    difference(
      "vote.cost", dropout.map { $0.votes[last] }, minus: dropout.map { $0.arithmetic[last] })
    page.difference(
      "dropout.overDecay", self.difference(.decay, minus: .dropout), tolerance: 0.15)
    page.difference(
      "dropout.overBoosting", self.difference(.boosting, minus: .dropout), tolerance: 0.15)
    // Of two networks that were trained apart, five times, no network twice.
    let couples = stride(from: 0, to: plain.count - 1, by: 2).map { Array(plain[$0...$0 + 1]) }
    difference(
      "couple.gain", couples.map { Spread($0.map(\.scaled)).mean },
      minus: couples.map { MaskAverages.error(of: $0, labels) })
    let own = couples.prefix(dropout.count).map { MaskAverages.pairs(of: $0, labels).shared }
    page.difference(
      "shared.gap",
      PairedDifference(own, minus: dropout.prefix(own.count).map(\.shared)), tolerance: 4, unit: "%"
    )
    page.claim(
      "Which of the two is better is not shown.", "vote.cost.low < 0 and vote.cost.high > 0")
    page.claim("The masks alone do harm.", "boosting.gain.high < 0")
    page.claim(
      "A single thinned network is worse than a network that was trained without dropout.",
      "thinned.cost.low > 0")
    page.claim(
      "Between the thirty-two and the scaled weights no difference is shown.",
      "sampled.apart.low < 0 and sampled.apart.high > 0")
    page.claim(
      "As a whole, a network with dropout is better than one without.", "dropout.gain.low > 0")
    page.claim(
      "Two networks that were trained apart are better together than alone.",
      "couple.gain.low > 0")
    page.claim(
      "Where one of two networks errs that were trained apart, the other errs more often than where "
        + "one of two thinned networks errs.", "shared.gap.low > 0")
    page.claim(
      "Dropout is better than the penalty, at its best factor.", "dropout.overDecay.low > 0")
    page.claim(
      "Dropout is better than the same masks without the ensemble.",
      "dropout.overBoosting.low > 0")
  }

  /// Error against the number of masks, and against the number of networks.
  private func figure(_ counts: [Int], scaled: Double) -> Figure {
    func curve(_ name: String, _ path: KeyPath<MaskAverages, [Double]>, colour: Int) -> [Mark] {
      let points = counts.indices.map { index in
        (x: Double(counts[index]), spread: Spread(dropout.map { $0[keyPath: path][index] }))
      }
      let band = points.map { point in
        let (mean, deviation) = (point.spread.mean, point.spread.deviation)
        return (x: point.x, low: mean - deviation, high: mean + deviation)
      }
      return [
        .band("", band, colour: colour),
        .line(name, points.map { (x: $0.x, y: $0.spread.mean) }, colour: colour),
      ]
    }
    func growth(_ name: String, _ members: [MaskAverages], colour: Int) -> [Mark] {
      // Each number of members on all runs of neighbours in a ring.
      let points = (1...members.count).map { count in
        let errors = (0..<(count == members.count ? 1 : members.count)).map { first in
          MaskAverages.error(
            of: (0..<count).map { members[(first + $0) % members.count] }, labels)
        }
        return (x: Double(count), y: Spread(errors).mean)
      }
      return [.line(name, points, colour: colour), .points("", points, colour: colour)]
    }
    func level(_ from: Double, _ to: Double) -> Mark {
      .line("scaled weights", [(x: from, y: scaled), (x: to, y: scaled)], colour: 6)
    }
    let ticks = counts.map { (Double($0), "\($0)") }
    return Figure(
      "masks",
      title: "Test error against masks averaged, and against networks averaged",
      size: (760, 400), columns: 2,
      panels: [
        Panel(
          title: "masks of one network with dropout",
          x: Axis("masks averaged", scale: .log, range: 0.9...36, ticks: ticks),
          y: Axis("test error, %; band: ± deviation of five seeds", range: 4...9),
          marks: curve("arithmetic", \.arithmetic, colour: 1)
            + curve("geometric", \.geometric, colour: 0) + curve("vote", \.votes, colour: 3)
            + [level(0.9, 36)]),
        Panel(
          title: "networks trained apart",
          x: Axis("networks averaged", range: 0.5...10.5), y: Axis("", range: 4...9),
          marks: growth("without dropout", plain, colour: 4)
            + growth("with dropout", dropout, colour: 2) + [level(0.5, 10.5)]),
      ])
  }
}
