import Digits
import Foundation
import Notebook

/// What the treatments of chapter 2.2.3 come to, and what the chapter says and draws of it.
package struct AugmentationResults {
  /// The outcomes of each treatment, one a seed, by its key.
  private let outcomes: [String: [AugmentedTraining.Outcome]]

  /// α of the sweep; 34 is the table's.
  package static let strengths: [Float] = [5, 10, 20, 60]

  /// Trains on each treatment, and on each strength of the sweep.
  package init(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let (seeds, epochs) = (page.isQuick ? 1 : 5, page.isQuick ? 2 : 12)
    let sweep = Self.strengths.map { α in
      Treatment(
        key: "elastic.\(Int(α))", words: "",
        augmentation: Augmentation(elastic: ElasticDistortion(strength: α, smoothness: 4)))
    }
    let treatments = Treatment.helpful + Treatment.harmful + sweep
    let jobs = treatments.flatMap { treatment in
      (0..<seeds).map {
        AugmentedTraining.Job(
          key: treatment.key, augmentation: treatment.augmentation, epochs: epochs, seed: $0)
      }
    }
    let results = try AugmentedTraining.run(page, "treatments", jobs, data, split)
    var outcomes: [String: [AugmentedTraining.Outcome]] = [:]
    for (index, treatment) in treatments.enumerated() {
      outcomes[treatment.key] = Array(results[index * seeds..<(index + 1) * seeds])
    }
    self.outcomes = outcomes
  }

  /// What each seed gains on validation over the same seed without augmentation, in points.
  private func gains(_ key: String) -> [Double] {
    zip(outcomes[key]!, outcomes["none"]!).map { $0.accuracies.last! - $1.accuracies.last! }
  }

  package func report(_ page: Page) {
    var rows: [[String]] = []
    var bars: [(label: String, value: Double, error: Double)] = []
    for treatment in Treatment.helpful + Treatment.harmful {
      let key = treatment.key
      let validation = Spread(outcomes[key]!.map { $0.accuracies.last! })
      let gain = Spread(gains(key))
      // A training is a chaos of its own: on another processor each of the five may end elsewhere.
      page.value("\(key).train", Spread(outcomes[key]!.map(\.train)), tolerance: 3, unit: "%")
      page.value("\(key).validation", validation, tolerance: 1.5, unit: "%")
      page.value("\(key).validation.deviation", validation.deviation, tolerance: 1)
      rows.append(
        [
          treatment.words, String(format: "%.2f", validation.mean),
          String(format: "%.2f", validation.deviation),
        ])
      guard key != "none" else { continue }
      page.value("\(key).gain", gain, tolerance: 1.5, unit: "points")
      page.value("\(key).gain.deviation", gain.deviation, tolerance: 1)
      rows[rows.count - 1] += [
        String(format: "%+.2f", gain.mean), String(format: "%.2f", gain.deviation),
      ]
      if Treatment.helpful.contains(where: { $0.key == key }) {
        bars.append((treatment.words, gain.mean, gain.deviation))
      }
    }
    rows[0] += ["", ""]
    page.table(["augmentation", "validation, %", "±", "gain", "±"], rows)
    page.figure(
      Figure(
        "gains",
        title: "What moves ink helps; what only spoils pixels does little",
        size: (860, 420),
        panels: [
          Panel(
            x: Axis(""), y: Axis("gain on validation, points, ± deviation"),
            marks: [.bars("", bars), .horizontal("", at: 0)])
        ]))
    page.claim(
      "Shifts, rotations and elastic distortion each gain more than the spread of their gain.",
      "shift.gain > shift.gain.deviation and rotation.gain > rotation.gain.deviation "
        + "and elastic.gain > elastic.gain.deviation")
    page.claim(
      "Neither of the two that only spoil pixels gains half of what elastic distortion does.",
      "2 * erasing.gain < elastic.gain and 2 * noise.gain < elastic.gain")
    page.claim(
      "Too much of it is worse by more than a point.", "strength.60 < strength.20 - 1")
    page.claim(
      "All three lose more than a point.",
      "flips.gain < -1 and turns.gain < -1 and crops.gain < -1")
    for α in Self.strengths {
      let spread = Spread(outcomes["elastic.\(Int(α))"]!.map { $0.accuracies.last! })
      page.value("strength.\(Int(α))", spread, tolerance: 1.5, unit: "%")
      page.value("strength.\(Int(α)).deviation", spread.deviation, tolerance: 1)
    }
  }

  // MARK: The harm, digit by digit

  /// The share of a digit's validation images that are read otherwise, in percent.
  private func error(_ digit: Int, _ key: String) -> Double {
    Spread(
      outcomes[key]!.map { outcome in
        let row = outcome.confusion[digit]
        return 100 * (1 - Double(row[digit]) / Double(row.reduce(0, +)))
      }
    ).mean
  }

  /// The share of a digit's validation images that are read as a certain other one, in percent.
  private func confusion(_ digit: Int, as other: Int, _ key: String) -> Double {
    Spread(
      outcomes[key]!.map { 100 * Double($0.confusion[digit][other]) / 1000 }
    ).mean
  }

  package func showTheHarm(_ page: Page) {
    let panels = Treatment.harmful.map { treatment in
      Panel(
        title: treatment.words, x: Axis("digit"), y: Axis("error, %: bars with, points without"),
        marks: [
          .bars(
            "", (0...9).map { ("\($0)", error($0, treatment.key), 0) },
            colour: 1),
          .points(
            "", (0...9).map { (Double($0), error($0, "none")) }, colour: 0),
        ])
    }
    page.figure(
      Figure(
        "digits",
        title: "What a false promise costs falls unevenly on the digits",
        size: (860, 360), columns: 3, panels: panels))
    for (key, pairs) in [
      ("turns", [(6, 9), (9, 6)]), ("flips", [(2, 5), (5, 2)]),
      ("none", [(6, 9), (9, 6), (2, 5), (5, 2)]),
    ] {
      for (digit, other) in pairs {
        page.value(
          "\(key).\(digit)as\(other)", confusion(digit, as: other, key), tolerance: 6,
          unit: "%")
      }
    }
    for (key, digits) in [("flips", [1, 3, 5]), ("turns", [7]), ("none", [1, 3, 5, 7])] {
      for digit in digits {
        page.value(
          "\(key).error.\(digit)", error(digit, key), tolerance: 6, unit: "%")
      }
    }
    page.claim(
      "Trained on turned digits, the network confuses more than one of twenty-five sixes and nines.",
      "turns.6as9 + turns.9as6 > 2 * 100 / 25")
    page.claim(
      "Trained on mirrored digits, it takes twos for fives, and fives for twos, more than three "
        + "times as often.",
      "flips.2as5 + flips.5as2 > 3 * (none.2as5 + none.5as2)")
  }

  // MARK: Given time

  package static func trainLonger(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let (seeds, epochs) = (page.isQuick ? 1 : 5, page.isQuick ? 3 : 40)
    let names = [("none", "nothing", Augmentation()), ("together", "first five", .together)]
    let jobs = names.flatMap { name in
      (0..<seeds).map {
        AugmentedTraining.Job(
          key: name.0, augmentation: name.2, epochs: epochs, seed: $0, readsTest: true)
      }
    }
    let results = try AugmentedTraining.run(page, "40 epochs", jobs, data, split)
    var marks: [Mark] = []
    for (index, name) in names.enumerated() {
      let outcomes = results[index * seeds..<(index + 1) * seeds]
      let points = outcomes.first!.validation.indices.map { place in
        (
          x: Double(outcomes.first!.validation[place].epoch),
          spread: Spread(outcomes.map { $0.accuracies[place] })
        )
      }
      marks.append(
        .band(
          "",
          points.map {
            ($0.x, $0.spread.mean - $0.spread.deviation, $0.spread.mean + $0.spread.deviation)
          }, colour: index))
      marks.append(.line(name.1, points.map { ($0.x, $0.spread.mean) }, colour: index))
      for (part, values) in [
        ("train", outcomes.map(\.train)), ("validation", outcomes.map { $0.accuracies.last! }),
        ("test", outcomes.map(\.test)),
      ] {
        let spread = Spread(values)
        page.value("long.\(name.0).\(part)", spread.mean, tolerance: 1, unit: "%")
        page.value("long.\(name.0).\(part).deviation", spread.deviation, tolerance: 1)
      }
    }
    page.figure(
      Figure(
        "longer",
        title: "With augmentation more steps still pay; without it they do not",
        panels: [
          Panel(
            x: Axis("epoch (60 steps)"), y: Axis("validation accuracy, %, mean ± deviation"),
            marks: marks)
        ]))
    page.claim(
      "Augmentation takes away at least two test errors of five.",
      "100 - long.together.test < (1 - 2 / 5) * (100 - long.none.test)")
  }
}
