import Notebook

/// What chapter 2.2.1 says of networks with dropout, and of networks that were trained apart.
package struct Ensembles {
  /// Networks with dropout, one a seed.
  package let dropout: [MaskAverages]
  /// Networks without, of other starts and orders of images.
  package let plain: [MaskAverages]
  /// The digits of the test images.
  package let labels: [Int]

  package init(dropout: [MaskAverages], plain: [MaskAverages], labels: [Int]) {
    (self.dropout, self.plain, self.labels) = (dropout, plain, labels)
  }

  /// Gives the page its values, claims, checks and the figure.
  package func write(on page: Page) {
    let counts = Array(MaskAverages.counts.prefix(dropout[0].arithmetic.count))
    for (key, index) in [("one", 0), ("eight", 3), ("most", counts.count - 1)] {
      let (arithmetic, geometric) = (
        dropout.map { $0.arithmetic[index] }, dropout.map { $0.geometric[index] }
      )
      page.value("masks.\(key).arithmetic", Spread(arithmetic), tolerance: 0.5, unit: "%")
      if index > 0 {
        page.value("masks.\(key).geometric", Spread(geometric), tolerance: 0.5, unit: "%")
      }
    }
    page.quote("paper.masks", 50, source: "Srivastava et al. 2014, section 7.5 and figure 11")
    let scaled = Spread(dropout.map(\.scaled))
    let single = Spread(plain.map(\.scaled))
    page.value("scaled", scaled, tolerance: 0.4, unit: "%")
    page.value("scaled.deviation", scaled.deviation, tolerance: 0.3, unit: "points")
    page.value("scaled.most", dropout.map(\.scaled).max()!, tolerance: 0.5, unit: "%")
    page.value("plain", single, tolerance: 0.4, unit: "%")
    page.value("plain.deviation", single.deviation, tolerance: 0.3, unit: "points")
    page.value("plain.least", plain.map(\.scaled).min()!, tolerance: 0.5, unit: "%")
    page.value("plain.most", plain.map(\.scaled).max()!, tolerance: 0.5, unit: "%")
    page.value("thinned.least", dropout.map { $0.arithmetic[0] }.min()!, tolerance: 0.8, unit: "%")
    let together = MaskAverages.error(of: plain, labels)
    page.value("plain.together", together, tolerance: 0.4, unit: "%")
    page.value(
      "dropout.together", MaskAverages.error(of: dropout, labels), tolerance: 0.4, unit: "%")
    page.value("dropout.least", dropout.map(\.scaled).min()!, tolerance: 0.5, unit: "%")
    page.value(
      "disagreement.thinned", Spread(dropout.map(\.disagreement)), tolerance: 1, unit: "%")
    let pairs = plain.indices.flatMap { a in (0..<a).map { (a, $0) } }
    page.value(
      "disagreement.plain",
      Spread(pairs.map { MaskAverages.disagreement(plain[$0.0], plain[$0.1]) }).mean,
      tolerance: 0.7, unit: "%")
    claim(on: page)
    page.figure(figure(counts, scaled: scaled.mean))
  }

  private func claim(on page: Page) {
    page.check(
      "a network without dropout is no mean of masks", Double(plain[0].arithmetic.count),
      atMost: 0)
    page.claim(
      "A single thinned network is worse than any of the ten without dropout.",
      "thinned.least > plain.most")
    page.claim(
      "Sixty-four of them together are as good as the scaled weights, to a quarter of a point.",
      "masks.most.arithmetic - scaled < 0.25 and scaled - masks.most.arithmetic < 0.25 "
        + "and masks.most.geometric - scaled < 0.25 and scaled - masks.most.geometric < 0.25")
    page.claim(
      "Every network with dropout is better than every network without.",
      "scaled.most < plain.least")
    page.claim(
      "The ten together are better than their mean, and worse than any single network with dropout.",
      "plain.together < plain and plain.together > scaled.most")
    page.claim(
      "Thinned networks differ among themselves more than twice as often as networks that were "
        + "trained apart.", "disagreement.thinned > 2 * disagreement.plain")
    page.claim(
      "The five with dropout, averaged, are better than the best of them.",
      "dropout.together < dropout.least")
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
    let ticks = counts.map { (Double($0), "\($0)") }
    return Figure(
      "masks",
      title:
        "Sampled masks approach the scaled weights; networks trained apart gain little",
      size: (760, 400), columns: 2,
      panels: [
        Panel(
          title: "masks of one network with dropout",
          x: Axis("masks averaged", scale: .log, range: 0.9...72, ticks: ticks),
          y: Axis("test error, %", range: 4...9),
          marks: curve("arithmetic mean", \.arithmetic, colour: 1)
            + curve("geometric mean", \.geometric, colour: 0)
            + [.horizontal("scaled weights", at: scaled)]),
        Panel(
          title: "networks trained apart",
          x: Axis("networks averaged", range: 0.5...10.5), y: Axis("", range: 4...9),
          marks: growth("without dropout", plain, colour: 6)
            + growth("with dropout", dropout, colour: 2)
            + [.horizontal("scaled weights", at: scaled)]),
      ])
  }
}
