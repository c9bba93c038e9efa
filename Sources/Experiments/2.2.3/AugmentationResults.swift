import Digits
import Notebook

/// What the trainings of chapter 2.2.3 come to: by treatment, then split, then seed.
package struct AugmentationResults: Sendable {
  package typealias Outcome = AugmentedTraining.Outcome

  /// The outcomes of each treatment after the whole time, by its key, then split, then seed.
  private let long: [String: [[Outcome]]]
  /// Those of the treatments that were hurried.
  private let short: [String: [[Outcome]]]

  /// The rows whose networks read the test set: settled on before any of them was trained.
  package static let tested = ["none", "together"]

  /// Trains all treatments on all splits.
  package init(_ page: Page, _ data: MNIST, _ splits: [Split]) throws {
    let seeds = 1
    func run(
      _ label: String, _ treatments: [Treatment], epochs: Int, isLong: Bool
    ) throws -> [String: [[Outcome]]] {
      let jobs = treatments.flatMap { treatment in
        splits.indices.flatMap { split in
          (0..<seeds).map { seed in
            var job = AugmentedTraining(treatment, epochs: epochs, split: split, seed: seed)
            job.isFollowed = isLong && Self.tested.contains(treatment.key)
            job.readsTest = job.isFollowed
            return job
          }
        }
      }
      let outcomes = try AugmentedTraining.run(page, label, jobs, data, splits)
      var found: [String: [[Outcome]]] = [:]
      for (job, outcome) in zip(jobs, outcomes) {
        if job.seed == 0 { found[job.treatment.key, default: []].append([]) }
        found[job.treatment.key]![job.split].append(outcome)
      }
      return found
    }
    long = try run("augmentations", Treatment.all, epochs: page.isQuick ? 1 : 40, isLong: true)
    short = try run(
      "in a hurry", Treatment.hurried, epochs: page.isQuick ? 1 : 12, isLong: false)
  }

  private func outcomes(_ key: String, isHurried: Bool) -> [[Outcome]] {
    (isHurried ? short : long)[key]!
  }

  /// A number of each training of a treatment, all splits in one list.
  package func spread(
    _ key: String, isHurried: Bool = false, of number: (Outcome) -> Double = \.validation
  ) -> Spread {
    Spread(outcomes(key, isHurried: isHurried).joined().map(number))
  }

  /// What a treatment has more of than another, each split with its own.
  package func difference(
    _ ours: String, minus theirs: String, isHurried: Bool = false,
    of number: (Outcome) -> Double = \.validation
  ) -> PairedDifference {
    let sides = [ours, theirs].map { outcomes($0, isHurried: isHurried).map { $0.map(number) } }
    return PairedDifference(bySplit: sides[0], minus: sides[1])
  }

  /// What the whole time is worth on validation beside the short one, split by split.
  package func time(_ key: String) -> PairedDifference {
    let sides = [false, true].map { outcomes(key, isHurried: $0).map { $0.map(\.validation) } }
    return PairedDifference(bySplit: sides[0], minus: sides[1])
  }

  /// The share of a digit's images that are read otherwise, in percent.
  package static func error(of digit: Int) -> (Outcome) -> Double {
    { outcome in
      let row = outcome.confusion[digit]
      return 100 * (1 - Double(row[digit]) / Double(row.reduce(0, +)))
    }
  }

  /// The share of two digits' images that are read as the other one of them, in percent.
  package static func confusion(of a: Int, and b: Int) -> (Outcome) -> Double {
    { outcome in
      let both = [a, b].map { outcome.confusion[$0].reduce(0, +) }.reduce(0, +)
      return 100 * Double(outcome.confusion[a][b] + outcome.confusion[b][a]) / Double(both)
    }
  }
}

// MARK: - Figures

extension AugmentationResults {
  /// Draws what each treatment of the first table gains, with its interval over the splits.
  package func drawGains(_ page: Page) {
    let treatments = Treatment.helpful.filter { $0.key != "none" }
    let rows = treatments.map { treatment in
      let gain = difference(treatment.key, minus: "none")
      return (name: treatment.words, value: gain.mean, low: gain.low, high: gain.high)
    }
    // Some room, without which an interval that ends at the edge is cut off.
    let (least, most) = (min(0, rows.map(\.low).min()!), max(0, rows.map(\.high).max()!))
    let room = 0.04 * (most - least)
    page.figure(
      Figure(
        "gains",
        title: "Each change alone gains on validation, and so do several together",
        size: (760, 380),
        panels: [
          .intervals(
            x: Axis(
              "gain on validation, points, with its interval at 95 % over the splits",
              range: least - room...most + room),
            rows: rows, marks: [.vertical("", at: 0)])
        ]))
  }

  /// Draws validation against the epoch for the two rows that are followed.
  package func drawCourse(_ page: Page) {
    var marks: [Mark] = []
    for (index, key) in Self.tested.enumerated() {
      let all = Array(outcomes(key, isHurried: false).joined())
      let points = all[0].epochs.indices.map { place in
        (x: Double(all[0].epochs[place]), spread: Spread(all.map { $0.accuracies[place] }))
      }
      marks.append(
        .band(
          "",
          points.map {
            ($0.x, $0.spread.mean - $0.spread.deviation, $0.spread.mean + $0.spread.deviation)
          }, colour: index))
      marks.append(
        .line(
          Treatment.helpful.first { $0.key == key }!.words,
          points.map { ($0.x, $0.spread.mean) }, colour: index))
    }
    page.figure(
      Figure(
        "longer",
        title: "Validation in the course of forty epochs, with and without augmentation",
        panels: [
          Panel(
            x: Axis("epoch (60 steps)"), y: Axis("validation accuracy, %, mean ± deviation"),
            marks: marks)
        ]))
  }

  /// Draws the errors of each digit under the changes that harm.
  package func drawDigits(_ page: Page) {
    let panels = Treatment.harmful.map { treatment in
      Panel(
        title: treatment.words, x: Axis("digit"), y: Axis("error, %: bars with, points without"),
        marks: [
          .bars(
            "", (0...9).map { ("\($0)", spread(treatment.key, of: Self.error(of: $0)).mean, 0) },
            colour: 1),
          .points(
            "", (0...9).map { (Double($0), spread("none", of: Self.error(of: $0)).mean) },
            colour: 0),
        ])
    }
    page.figure(
      Figure(
        "digits", title: "What a false promise costs falls unevenly on the digits",
        size: (860, 360), columns: 3, panels: panels))
  }
}
