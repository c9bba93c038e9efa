import Foundation
import Notebook
import Tensors

/// What chapter 2.2.2 says of networks whose scaling is right, forgotten, or done twice.
package struct ScalingReport {
  /// The outcomes of the networks of one activation, one a seed.
  package let name: String
  package let outcomes: [ScalingStudy.Outcome]

  package init(name: String, outcomes: [ScalingStudy.Outcome]) {
    (self.name, self.outcomes) = (name, outcomes)
  }

  private func spread(
    _ variant: String, _ path: KeyPath<ScalingStudy.Variant, Double>
  ) -> Spread {
    Spread(outcomes.map { $0.variants[variant]![keyPath: path] })
  }

  private static let ways = ["masks", "right", "forgotten", "twice", "tempered"]

  /// One number of a variant, of each seed.
  package func each(
    _ variant: String, _ path: KeyPath<ScalingStudy.Variant, Double>
  ) -> [Double] {
    outcomes.map { $0.variants[variant]![keyPath: path] }
  }

  /// Gives the page the values of all variants.
  package func write(on page: Page) {
    for variant in Self.ways {
      let key = "\(name).\(variant)"
      let accuracy = spread(variant, \.accuracy)
      // The tempered network says the digits of the right one.
      if variant != "tempered" {
        page.value("\(key).accuracy", accuracy, tolerance: 0.8, unit: "%")
        page.value("\(key).accuracy.deviation", accuracy.deviation, tolerance: 0.2, unit: "points")
      }
      let loss = spread(variant, \.crossEntropy)
      page.value("\(key).loss", loss, tolerance: 0.15 * loss.mean, unit: "nats")
      page.value("\(key).gap", spread(variant, \.gap), tolerance: 1, unit: "points")
    }
    page.value(
      "\(name).temperature", Spread(outcomes.map(\.temperature)), tolerance: 0.2)
    page.table(
      [name, "accuracy, %", "cross-entropy", "confidence − accuracy"],
      Self.ways.map { variant in
        [
          variant, String(format: "%.2f", spread(variant, \.accuracy).mean),
          String(format: "%.3f", spread(variant, \.crossEntropy).mean),
          String(format: "%+.1f", spread(variant, \.gap).mean),
        ]
      })
  }

  /// Gives the page a paired difference of two variants in one of their numbers.
  package func difference(
    _ key: String, _ path: KeyPath<ScalingStudy.Variant, Double>, _ ours: String,
    minus theirs: String, tolerance: Double, unit: String, on page: Page
  ) {
    page.difference(
      "\(name).\(key)", PairedDifference(each(ours, path), minus: each(theirs, path)),
      tolerance: tolerance, unit: unit)
  }

  /// How many times as wide the inputs of a layer are when the scaling is forgotten.
  package func growth(_ layer: Int) -> Spread {
    Spread(
      outcomes.map {
        $0.variants["forgotten"]!.deviations[layer] / $0.variants["right"]!.deviations[layer]
      })
  }

  /// Gives the page the deviations of the inputs of each layer's units, and how far they grow.
  package func writeLayers(on page: Page) {
    page.check(
      "the first layer has nothing to forget", growth(0).mean - 1, atMost: 0)
    for layer in 1..<4 {
      for variant in ["masks", "right", "forgotten"] {
        let deviation = spread(variant, \.deviations[layer]).mean
        page.value("\(variant).layer\(layer + 1)", deviation, tolerance: 0.1 * deviation)
      }
      page.value("growth.layer\(layer + 1)", growth(layer), tolerance: 0.05 * exp2(Double(layer)))
    }
    // A rectifier passes a factor on, and a power of two is exact in floating point.
    page.check(
      "without biases, forgotten: the logits are 8 times the right ones",
      outcomes.map(\.unbiasedDistance).max()!, atMost: 0)
    let changed = outcomes.map(\.unbiasedChanges).reduce(0, +)
    page.check("without biases, forgotten: images read as another digit", changed, atMost: 0)
    page.value("unbiased.changed", changed)
    let panels = [1, 2, 3].map { layer in
      let (reach, bins) = (ScalingStudy.reach, ScalingStudy.bins)
      func curve(_ name: String, _ variant: String, colour: Int) -> Mark {
        let width = 2 * reach / Double(bins)
        let points = (0..<bins).map { bin in
          let share = outcomes.map { $0.variants[variant]!.histograms[layer][bin] }
          return (x: -reach + (Double(bin) + 0.5) * width, y: Spread(share).mean / width)
        }
        return .line(name, points.filter { $0.y > 0 }, colour: colour)
      }
      let title = ["", "second hidden layer", "third hidden layer", "logits"][layer]
      return Panel(
        title: title + String(format: ": %.1f times", growth(layer).mean),
        x: Axis(
          "input, in right deviations",
          range: -reach...reach,
          ticks: [-12, -6, 0, 6, 12].map { (Double($0), "\($0)") }),
        y: Axis(layer == 1 ? "density" : "", scale: .log, range: 1e-4...1),
        marks: [
          curve("with masks", "masks", colour: 6), curve("scaling right", "right", colour: 0),
          curve("scaling forgotten", "forgotten", colour: 1),
        ])
    }
    page.figure(
      Figure(
        "layers", title: "Forgotten scaling: with each layer the inputs are twice as wide again",
        size: (760, 320), columns: 3, panels: panels))
  }
}

/// What the chapter says of the probability to keep a hidden unit.
package struct KeepSweep {
  /// One probability with the rate that was chosen for it, and the errors of its seeds in percent.
  package struct Row {
    package let probability: Double
    package let rate: Double
    /// The error on validation images of the run that chose the rate.
    package let validation: Double
    package let train: [Double]
    package let test: [Double]

    package init(
      probability: Double, rate: Double, validation: Double, train: [Double], test: [Double]
    ) {
      (self.probability, self.rate, self.validation) = (probability, rate, validation)
      (self.train, self.test) = (train, test)
    }
  }

  package let rows: [Row]

  package init(rows: [Row]) { self.rows = rows }

  /// Gives the page values, claims and the figure.
  package func write(on page: Page) {
    page.table(
      ["keep", "rate", "train, %", "test, %", "±"],
      rows.map { row in
        ["\(row.probability)", "\(row.rate)"]
          + [Spread(row.train).mean, Spread(row.test).mean, Spread(row.test).deviation].map {
            String(format: "%.2f", $0)
          }
      })
    for row in rows {
      let key = "keep\(Int((10 * row.probability).rounded()))"
      guard ["keep1", "keep3", "keep5", "keep7", "keep10"].contains(key) else { continue }
      let (test, train) = (Spread(row.test), Spread(row.train))
      let tolerance = row.probability < 0.2 ? 3.0 : 0.4
      page.value("\(key).rate", row.rate)
      page.value("\(key).test", test, tolerance: tolerance, unit: "%")
      page.value("\(key).test.deviation", test.deviation, tolerance: tolerance, unit: "points")
      page.value("\(key).train", train, tolerance: tolerance, unit: "%")
    }
    func difference(_ name: String, _ ours: Double, minus theirs: Double, _ tolerance: Double) {
      func test(_ p: Double) -> [Double] { rows.first { abs($0.probability - p) < 0.01 }!.test }
      page.difference(
        name, PairedDifference(test(ours), minus: test(theirs)), tolerance: tolerance)
    }
    difference("keep7.gain", 1, minus: 0.7, 0.4)
    difference("keep5.gain", 1, minus: 0.5, 0.4)
    difference("keep3.cost", 0.3, minus: 1, 0.4)
    difference("keep1.cost", 0.1, minus: 1, 3)
    // Nothing lies above 1, where no unit is dropped.
    let best = page.choice(
      of: "probability to keep", by: rows.map(\.validation), isOpen: (true, false))
    page.value("keep.best", rows[best].probability)
    for (key, p) in [("low", 0.4), ("high", 0.8)] {
      page.quote("flat.\(key)", p, source: "Srivastava et al. 2014, section 7.3 and figure 9a")
    }
    page.claim(
      "With p = 0.7 the network is better than without dropout.", "keep7.gain.low > 0")
    page.claim("With p = 0.3 it is worse than without any.", "keep3.cost.low > 0")
    page.claim("With p = 0.1 it is worse by far.", "keep1.cost.low > 5")
    func curve(_ name: String, _ path: KeyPath<Row, [Double]>, colour: Int) -> [Mark] {
      let points = rows.map { (x: $0.probability, spread: Spread($0[keyPath: path])) }
      let band = points.map { point in
        let (mean, deviation) = (point.spread.mean, point.spread.deviation)
        return (x: point.x, low: mean - deviation, high: mean + deviation)
      }
      let line = points.map { (x: $0.x, y: $0.spread.mean) }
      return [
        .band("", band, colour: colour), .line(name, line, colour: colour),
        .points("", line, colour: colour),
      ]
    }
    // The first point would take four fifths of the height.
    let first = Spread(rows[0].test).mean
    let aside = first > 12 ? String(format: "at %.1f: %.0f %%", rows[0].probability, first) : ""
    page.figure(
      Figure(
        "sweep",
        title: "Keep few units and both errors rise; keep all, and only the test error does",
        panels: [
          Panel(
            x: Axis("probability to keep a hidden unit", range: 0.05...1.02),
            y: Axis("error, %, mean ± deviation of five seeds", range: 0...12),
            marks: curve("test", \.test, colour: 0) + curve("training", \.train, colour: 1)
              + [.text(aside, at: (0.21, 11.3))])
        ]))
  }
}
