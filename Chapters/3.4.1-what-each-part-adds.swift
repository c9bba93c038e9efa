import Digits
import Experiments
import Foundation
import Methods
import Notebook

/// Chapter 3.4.1: the final model with one part after the other taken away.
public enum PartsOfTheFinalModel: Chapter {
  /// The chapter's number.
  public static let id = "3.4.1"
  /// The chapter's title.
  public static let title = "What each part of the final model adds"
  /// What is taken away, the ceiling, numbers of labels.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let study = CrossStudy(page, data)
    let whole = try takeAway(page, study, FinalModel.settings)
    let ceiling = try askTheCeiling(page, study, FinalModel.settings)
    try countLabels(page, study, FinalModel.settings, whole, ceiling: ceiling)
    try readCopies(page, data)
  }
}

// MARK: - The parts

extension PartsOfTheFinalModel {
  // snippet.ablation
  /// The settings without one of their parts each, at a third of the length.
  private static func arms(_ whole: CrossSettings) -> [(words: String, arm: CrossStudy.Arm)] {
    func arm(
      _ key: String, _ words: String, _ change: (inout CrossSettings) -> Void = { _ in }
    ) -> (words: String, arm: CrossStudy.Arm) {
      var settings = whole
      change(&settings)
      return (words, .init(key, settings))
    }
    return [
      arm("whole", "nothing"),
      arm("own", "each by its own average") { $0.labeller = .oneself },
      arm("alike", "twice the first network") { $0.networks[1] = $0.networks[0] },
      arm("strong", "augmentation at full strength to the end") { $0.lastStrength = 1 },
      arm("hidden", "without the validation images") { $0.includesValidation = false },
      arm("labels", "without unlabelled images") { $0.weight = 0 },
    ]
  }
  // snippet.end

  /// In how many of their parts two settings differ.
  private static func changes(_ settings: CrossSettings, from other: CrossSettings) -> Int {
    zip(Mirror(reflecting: settings).children, Mirror(reflecting: other).children).count {
      "\($0.value)" != "\($1.value)"
    }
  }

  /// What is lost without each part; the outcomes with all of them are returned.
  private static func takeAway(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings
  ) throws -> [CrossOutcome] {
    let arms = arms(CrossStudy.short(settings, page))
    let changed = arms.dropFirst().map { changes($0.arm.settings, from: arms[0].arm.settings) }
    page.check(
      "settings in which an arm differs from the whole, least", Double(changed.min()!), atLeast: 1)
    page.check(
      "settings in which an arm differs from the whole, most", Double(changed.max()!), atMost: 1)
    let draws = page.isQuick ? Array(1...2) : Array(1...5)
    let jobs = arms.flatMap { arm in draws.map { CrossStudy.Job(arm.arm, draw: $0, .test) } }
    let outcomes = try study.run("parts", jobs)
    let byArm = arms.indices.map { Array(outcomes[$0 * draws.count..<($0 + 1) * draws.count]) }
    let whole = byArm[0].map(\.testError)
    page.value("whole.error", Spread(whole), tolerance: 0.2, unit: "%")
    var rows: [(name: String, value: Double, low: Double, high: Double)] = []
    // A part that needs no other training: that both are asked.
    for (place, network) in ["first", "second"].enumerated() {
      let alone = byArm[0].map { $0.test.last![place] }
      let loss = PairedDifference(alone, minus: whole)
      page.value("\(network).error", Spread(alone), tolerance: 0.2, unit: "%")
      page.difference("\(network).loss", loss, tolerance: 0.25)
      rows.append(("the \(network) network asked alone", loss.mean, loss.low, loss.high))
    }
    for (arm, outcomes) in zip(arms, byArm).dropFirst() {
      let errors = outcomes.map(\.testError)
      let loss = PairedDifference(errors, minus: whole)
      page.value("\(arm.arm.key).error", Spread(errors), tolerance: 0.2, unit: "%")
      page.difference("\(arm.arm.key).loss", loss, tolerance: 0.25)
      rows.append((arm.words, loss.mean, loss.low, loss.high))
    }
    let most = rows.max { $0.value < $1.value }!
    let room = 0.05 * (rows.map(\.high).max()! - rows.map(\.low).min()!) + 0.01
    page.figure(
      Figure(
        "parts",
        title: "Most is lost by one change: \(most.name) "
          + String(format: "(%.2f points)", most.value),
        size: (860, 340),
        panels: [
          .intervals(
            x: Axis(
              "points of test error more, mean and 95 % interval over the draws",
              range: rows.map(\.low).min()! - room...rows.map(\.high).max()! + room),
            rows: rows, marks: [.vertical("", at: 0)])
        ]))
    let byKey = Dictionary(uniqueKeysWithValues: zip(arms.map(\.arm.key), byArm))
    compareTheFirst(page, byKey)
    askWhetherValidationIsFlattered(page, byKey)
    drawTheLabels(page, byKey)
    return byArm[0]
  }

  /// The first network alone, by who labels for it: how good the second one is does not count there.
  private static func compareTheFirst(_ page: Page, _ byKey: [String: [CrossOutcome]]) {
    func first(_ key: String) -> [Double] { byKey[key]!.map { $0.test.last![0] } }
    for key in ["own", "alike"] {
      page.value("\(key).first", Spread(first(key)), tolerance: 0.2, unit: "%")
      page.difference(
        "\(key).first.loss", PairedDifference(first(key), minus: first("whole")), tolerance: 0.25)
    }
  }

  /// By how much less networks err on validation than on test where they have seen those images.
  private static func askWhetherValidationIsFlattered(
    _ page: Page, _ byKey: [String: [CrossOutcome]]
  ) {
    func distance(_ key: String) -> [Double] {
      byKey[key]!.map { $0.testError - $0.validationError }
    }
    page.difference(
      "flattery", PairedDifference(distance("whole"), minus: distance("hidden")), tolerance: 0.3)
  }

  /// How the labels that count, and the wrong ones among them, come and go.
  private static func drawTheLabels(_ page: Page, _ byKey: [String: [CrossOutcome]]) {
    let byArm = ["whole", "own", "alike"].map { byKey[$0]! }
    let names = ["each other", "each for itself", "two alike"]
    func wrong(_ outcomes: [CrossOutcome]) -> [Double] {
      outcomes.map { Spread($0.wrong[$0.labelling]).mean }
    }
    func mean(_ outcomes: [CrossOutcome], _ part: (CrossOutcome) -> [[Double]], _ point: Int)
      -> Double
    {
      Spread(outcomes.flatMap { part($0)[point] }).mean
    }
    func panel(_ title: String, _ y: Axis, _ part: @escaping (CrossOutcome) -> [[Double]]) -> Panel
    {
      Panel(
        title: title, x: Axis("step"), y: y,
        marks: zip(names, byArm).enumerated().map { colour, pair in
          .line(
            pair.0,
            (0...pair.1[0].labelling).map {
              (x: Double(pair.1[0].steps[$0]), y: mean(pair.1, part, $0))
            }, colour: colour)
        })
    }
    page.figure(
      Figure(
        "labels",
        title: String(
          format: "Wrong labels at last: %.2f %% by the other, %.2f %% by oneself",
          Spread(wrong(byArm[0])).mean, Spread(wrong(byArm[1])).mean),
        size: (860, 380), columns: 2,
        panels: [
          panel("labels that count", Axis("% of the images"), \.kept),
          panel("wrong among them", Axis("%"), \.wrong),
        ]))
    for (name, outcomes) in zip(["whole", "own", "alike"], byArm) {
      let last = outcomes[0].labelling
      page.value("\(name).kept", mean(outcomes, \.kept, last), tolerance: 2, unit: "%")
      page.value("\(name).wrong", mean(outcomes, \.wrong, last), tolerance: 0.3, unit: "%")
    }
    page.difference(
      "echo", PairedDifference(wrong(byArm[1]), minus: wrong(byArm[0])), tolerance: 0.3)
    page.claim(
      "A network that labels for itself is taught more wrong labels than one that another labels "
        + "for.",
      "echo.low > 0")
  }

  /// The same networks with all labels: how much room there is.
  private static func askTheCeiling(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings
  ) throws -> Double {
    var all = page.isQuick ? CrossStudy.tiny(settings) : settings
    (all.labelled, all.weight) = (all.labelled + all.unlabelled, 0)
    let ceiling = try study.run(
      "ceiling", [.init(.init("ceiling", all, knowsAllLabels: true), .test)])[0]
    page.value("ceiling.error", ceiling.testError, tolerance: 0.15, unit: "%")
    let p = ceiling.testError / 100
    page.value("ceiling.doubt", 100 * sqrt(p * (1 - p) / 10_000), tolerance: 0.03, unit: "points")
    _ = try page.value("model.error", ofChapter: "3.4", "mean.together")
    return ceiling.testError
  }

  private static func countLabels(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings, _ whole: [CrossOutcome],
    ceiling: Double
  ) throws {
    let counts = page.isQuick ? [1000] : [100, 600, 1000]
    let draws = page.isQuick ? [1] : [1, 2, 3]
    let arm = CrossStudy.Arm("whole", CrossStudy.short(settings, page))
    let jobs = counts.flatMap { count in
      draws.map { CrossStudy.Job(arm, labels: count, draw: $0, .test) }
    }
    let outcomes = try study.run("numbers of labels", jobs)
    var points: [(labels: Double, spread: Spread)] = []
    for (place, count) in counts.enumerated() {
      let errors = outcomes[place * draws.count..<(place + 1) * draws.count].map(\.testError)
      let spread = Spread(errors)
      page.value("labels.\(count)", spread, tolerance: 2, unit: "%")
      page.value("labels.\(count).deviation", spread.deviation, tolerance: 2, unit: "points")
      points.append((Double(count), spread))
    }
    points.append((3000, Spread(whole.map(\.testError))))
    page.figure(
      Figure(
        "counts",
        title: String(
          format: "Test error: from %.2f %% with %d labels to %.2f %% with 3,000",
          points[0].spread.mean, counts[0], points.last!.spread.mean),
        panels: [
          Panel(
            x: Axis(
              "images with a label", scale: .log,
              ticks: [100, 600, 1000, 3000].map { ($0, "\(Int($0))") }),
            y: Axis("test error, %", scale: .log),
            marks: [
              .line("cross-labels", points.map { ($0.labels, max(0.01, $0.spread.mean)) }),
              .line(
                "50,000 labels, full length",
                points.map { ($0.labels, max(0.01, ceiling)) }, colour: 3),
            ])
        ]))
  }
}

extension PartsOfTheFinalModel {
  /// Why a reading is not averaged over distorted copies.
  private static func readCopies(_ page: Page, _ data: MNIST) throws {
    let copies = try DistortedCopies.run(
      page, data, CrossStudy.short(FinalModel.settings, page))
    page.value("copies.plain", copies.plain, tolerance: 0.3, unit: "%")
    for (place, kind) in DistortedCopies.kinds.enumerated() {
      page.value("\(kind.key).single", copies.single[place], tolerance: 0.5, unit: "%")
      page.value("\(kind.key).average", copies.average[place], tolerance: 0.3, unit: "%")
      page.value("\(kind.key).won", Double(copies.won[place]), tolerance: 15)
      page.value("\(kind.key).lost", Double(copies.lost[place]), tolerance: 15)
    }
    page.table(
      ["copies", "one, %", "eight, %", "won", "lost"],
      DistortedCopies.kinds.enumerated().map { place, kind in
        [
          kind.words, String(format: "%.2f", copies.single[place]),
          String(format: "%.2f", copies.average[place]), "\(copies.won[place])",
          "\(copies.lost[place])",
        ]
      })
  }
}

extension CrossOutcome {
  /// The last point at which the averages still labelled: at the end they have new statistics.
  fileprivate var labelling: Int { max(0, steps.count - 2) }
}
