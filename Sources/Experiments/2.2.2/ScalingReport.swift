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

  /// Gives the page the values of all variants.
  package func write(on page: Page) {
    for variant in ["masks", "right", "forgotten", "twice"] {
      let key = "\(name).\(variant)"
      let accuracy = spread(variant, \.accuracy)
      page.value("\(key).accuracy", accuracy, tolerance: 1.5, unit: "%")
      page.value("\(key).accuracy.deviation", accuracy.deviation, tolerance: 1, unit: "points")
      let loss = spread(variant, \.crossEntropy)
      page.value("\(key).loss", loss, tolerance: 0.3 * loss.mean, unit: "nats")
      page.value("\(key).confidence", spread(variant, \.confidence), tolerance: 4, unit: "%")
    }
    page.table(
      [name, "accuracy, %", "cross-entropy", "confidence, %"],
      ["masks", "right", "forgotten", "twice"].map { variant in
        [
          variant, String(format: "%.2f", spread(variant, \.accuracy).mean),
          String(format: "%.3f", spread(variant, \.crossEntropy).mean),
          String(format: "%.1f", spread(variant, \.confidence).mean),
        ]
      })
  }

  /// How many times as wide the inputs of the softmax are when the scaling is forgotten.
  package var growthOfLogits: Double {
    Spread(
      outcomes.map {
        $0.variants["forgotten"]!.deviations[3] / $0.variants["right"]!.deviations[3]
      }
    ).mean
  }

  /// Gives the page the deviations of the inputs of each layer's units, and how far they grow.
  package func writeLayers(on page: Page) {
    for layer in 0..<4 {
      let deviations = ["masks", "right", "forgotten"].map { variant in
        spread(variant, \.deviations[layer]).mean
      }
      for (variant, deviation) in zip(["masks", "right", "forgotten"], deviations)
      where layer > 0 {
        page.value(
          "\(variant).layer\(layer + 1)", deviation, tolerance: 0.15 * deviation)
      }
      let ratios = outcomes.map {
        $0.variants["forgotten"]!.deviations[layer] / $0.variants["right"]!.deviations[layer]
      }
      if layer == 0 {
        page.check("the first layer has nothing to forget", ratios.max()! - 1, atMost: 1e-6)
      } else {
        page.value("growth.layer\(layer + 1)", Spread(ratios), tolerance: 0.6)
        // Exactly 2ˡ if there were no biases.
        page.check(
          "forgotten, layer \(layer + 1): growth over 2^\(layer)",
          Spread(ratios).mean / exp2(Double(layer)), near: 1, tolerance: 0.25)
      }
    }
    let panels = [1, 2, 3].map { layer in
      let reach = ScalingStudy.reach[layer]
      func curve(_ name: String, _ variant: String, colour: Int) -> Mark {
        let width = 2 * reach / Double(ScalingStudy.bins)
        let points = (0..<ScalingStudy.bins).map { bin in
          let share = outcomes.map { $0.variants[variant]!.histograms[layer][bin] }
          return (x: -reach + (Double(bin) + 0.5) * width, y: Spread(share).mean / width)
        }
        return .line(name, points, colour: colour)
      }
      return Panel(
        title: ["", "second hidden layer", "third hidden layer", "logits"][layer],
        x: Axis(
          "input of a unit", range: -reach...reach,
          ticks: [-1, 0, 1].map { (0.75 * reach * $0, "\(Int(0.75 * reach * $0))") }),
        y: Axis(layer == 1 ? "density" : "", scale: .log, range: 1e-5...1),
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
    package let train: [Double]
    package let test: [Double]

    package init(probability: Double, rate: Double, train: [Double], test: [Double]) {
      (self.probability, self.rate, self.train, self.test) = (probability, rate, train, test)
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
      let tolerance = row.probability < 0.2 ? 25.0 : 0.8
      page.value("\(key).rate", row.rate, tolerance: 0.04)
      page.value("\(key).test", test, tolerance: tolerance, unit: "%")
      page.value("\(key).test.deviation", test.deviation, tolerance: tolerance, unit: "points")
      page.value("\(key).train", train, tolerance: tolerance, unit: "%")
    }
    func test(_ p: Double) -> [Double] { rows.first { abs($0.probability - p) < 0.01 }!.test }
    page.value("keep7.test.most", test(0.7).max()!, tolerance: 0.6, unit: "%")
    page.value("keep3.test.least", test(0.3).min()!, tolerance: 0.8, unit: "%")
    page.value("keep10.test.most", test(1).max()!, tolerance: 0.6, unit: "%")
    page.value("keep10.test.least", test(1).min()!, tolerance: 0.6, unit: "%")
    for (key, p) in [("low", 0.4), ("high", 0.8)] {
      page.quote("flat.\(key)", p, source: "Srivastava et al. 2014, section 7.3 and figure 9a")
    }
    page.claim(
      "Each of the five networks with p = 0.7 is better than each of the five without dropout.",
      "keep7.test.most < keep10.test.least")
    page.claim(
      "Each of those with p = 0.3 is worse than any without dropout.",
      "keep3.test.least > keep10.test.most")
    page.claim(
      "With p = 0.1 hardly anything is learnt: the training images themselves are misread.",
      "keep1.train > 20")
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
    page.figure(
      Figure(
        "sweep",
        title: "Keep too few units and the network underfits; keep all and it has no ensemble",
        panels: [
          Panel(
            x: Axis("probability to keep a hidden unit", range: 0.15...1.02),
            y: Axis("error, %, mean ± deviation of five seeds", range: 0...13),
            marks: curve("test", \.test, colour: 0) + curve("training", \.train, colour: 1))
        ]))
  }
}
