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
  /// What is taken away, then the copies.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let study = CrossStudy(page, data)
    let full = try takeAway(page, study, FinalModel.settings)
    try takeImagesAway(page, study, FinalModel.settings, full)
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
      arm("own", "each network labels for itself") { $0.labeller = .oneself },
      arm("labels", "no unlabelled images") { $0.weight = 0 },
    ]
  }
  // snippet.end

  /// In how many of their parts two settings differ.
  private static func changes(_ settings: CrossSettings, from other: CrossSettings) -> Int {
    zip(Mirror(reflecting: settings).children, Mirror(reflecting: other).children).count {
      "\($0.value)" != "\($1.value)"
    }
  }

  /// What is lost without each part, at a third of the length; returned are the errors of the whole at
  /// full length, draw by draw.
  private static func takeAway(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings
  ) throws -> [Double] {
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
    for (arm, outcomes) in zip(arms, byArm) {
      page.value(
        "\(arm.arm.key).error", Spread(outcomes.map(\.testError)), tolerance: 0.2, unit: "%")
      for (draw, outcome) in zip(draws, outcomes) {
        page.value("\(arm.arm.key).draw\(draw)", outcome.testError, tolerance: 0.2, unit: "%")
      }
    }
    drawTheLosses(page, byArm[0], own: byArm[1], labels: byArm[2])
    drawTheLabels(page, byArm[0], own: byArm[1])
    return try compareLengths(page, whole)
  }

  /// What each change costs both networks together, and each of them asked alone.
  private static func drawTheLosses(
    _ page: Page, _ whole: [CrossOutcome], own: [CrossOutcome], labels: [CrossOutcome]
  ) {
    var rows: [(name: String, value: Double, low: Double, high: Double)] = []
    func lose(_ key: String, _ words: String, _ errors: [Double], over others: [Double]) {
      let loss = PairedDifference(errors, minus: others)
      page.difference("\(key).loss", loss, tolerance: 0.25)
      rows.append((words, loss.mean, loss.low, loss.high))
    }
    func error(_ outcomes: [CrossOutcome], _ place: Int) -> [Double] {
      outcomes.map { $0.test.last![place] }
    }
    let networks = ["first", "second"]
    for (key, words, arm) in [
      ("labels", "no unlabelled images", labels), ("own", "each labels for itself", own),
    ] {
      lose(key, "\(words): both", error(arm, 2), over: error(whole, 2))
      for (place, network) in networks.enumerated() {
        let alone = error(arm, place)
        page.value("\(key).\(network)", Spread(alone), tolerance: 0.2, unit: "%")
        lose(
          "\(key).\(network)", "\(words): the \(network) alone", alone, over: error(whole, place))
      }
    }
    // A part that needs no other training: that both are asked.
    for (place, network) in networks.enumerated() {
      let alone = error(whole, place)
      page.value("\(network).error", Spread(alone), tolerance: 0.2, unit: "%")
      lose(network, "one asked alone: the \(network)", alone, over: error(whole, 2))
      // What the second opinion gives where there are no images, less what it gives where they are.
      let opinions = [labels, whole, own].map { arm in
        zip(error(arm, place), error(arm, 2)).map { $0 - $1 }
      }
      for (key, other) in [("opinion", opinions[1]), ("opinion.own", opinions[2])] {
        page.difference(
          "\(key).\(network)", PairedDifference(opinions[0], minus: other), tolerance: 0.25)
      }
    }
    page.claim(
      "For the second network this is so in either count, for the first in neither.",
      "opinion.second.low > 0 and opinion.own.second.low > 0 and opinion.first.low < 0 "
        + "and opinion.first.high > 0 and opinion.own.first.low < 0 and opinion.own.first.high > 0")
    page.claim(
      "Whether a network learns its own labels or the other one's makes no difference that shows.",
      ["own", "own.first", "own.second"].map { "\($0).loss.low < 0 and \($0).loss.high > 0" }
        .joined(separator: " and "))
    let room = 0.05 * (rows.map(\.high).max()! - rows.map(\.low).min()!) + 0.01
    page.figure(
      Figure(
        "parts",
        title: String(
          format: "Without the images one network errs by %.2f and %.2f points more, both by %.2f",
          rows[1].value, rows[2].value, rows[0].value),
        size: (900, 400),
        panels: [
          .intervals(
            x: Axis(
              "points of test error more, mean and 95 % interval over the draws",
              range: rows.map(\.low).min()! - room...rows.map(\.high).max()! + room),
            rows: rows, marks: [.vertical("", at: 0)])
        ]))
  }

  /// What the rest of the steps adds to the whole, draw by draw.
  private static func compareLengths(_ page: Page, _ whole: [Double]) throws -> [Double] {
    let full = try whole.indices.map {
      try page.value("full.draw\($0 + 1)", ofChapter: "3.4", "draw\($0 + 1).together")
    }
    page.value("full.error", Spread(full), tolerance: 0.2, unit: "%")
    page.difference("length.loss", PairedDifference(whole, minus: full), tolerance: 0.25)
    return full
  }

  /// The images taken away at full length, where chapter 3.4 has trained the whole.
  private static func takeImagesAway(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings, _ full: [Double]
  ) throws {
    var labels = page.isQuick ? CrossStudy.tiny(settings) : settings
    labels.weight = 0
    let arm = CrossStudy.Arm("labels alone", labels)
    let outcomes = try study.run(
      "images", full.indices.map { .init(arm, draw: $0 + 1, .test) })
    let errors = outcomes.map(\.testError)
    for (place, network) in ["first", "second"].enumerated() {
      let alone = outcomes.map { $0.test.last![place] }
      page.value("long.\(network)", Spread(alone), tolerance: 0.2, unit: "%")
      _ = try page.value("full.\(network)", ofChapter: "3.4", "mean.\(network)")
    }
    page.value("long.error", Spread(errors), tolerance: 0.2, unit: "%")
    page.value("long.accuracy", 100 - Spread(errors).mean, tolerance: 0.2, unit: "%")
    page.value("long.error.deviation", Spread(errors).deviation, tolerance: 0.2, unit: "points")
    for (draw, error) in errors.enumerated() {
      page.value("long.draw\(draw + 1)", error, tolerance: 0.2, unit: "%")
    }
    page.difference("images.gain", PairedDifference(errors, minus: full), tolerance: 0.25)
    page.claim(
      "On these test images the two networks err more without the images than with them.",
      "images.gain.low > 0")
    // Other test images would move a difference by the root of the mistakes of both, among 10,000.
    page.value(
      "images.chance", (100 * (Spread(errors).mean + Spread(full).mean)).squareRoot() / 100,
      tolerance: 0.03, unit: "points")
    // Against the recipe that is tuned for labels alone, on the same draws.
    let alone = try page.value("alone.error", ofChapter: "3.4", "alone.error")
    _ = try page.value("gain", ofChapter: "3.4", "gain")
    page.value("rest.gain", alone - Spread(errors).mean, tolerance: 0.25, unit: "points")
  }

  /// How the labels that a network gives come and go, and how many of them are wrong, by who learns
  /// them.
  private static func drawTheLabels(
    _ page: Page, _ whole: [CrossOutcome], own: [CrossOutcome]
  ) {
    let givers: [(key: String, words: String, outcomes: [CrossOutcome], learner: Int)] = [
      ("whole.first", "the first, for the second", whole, 1),
      ("own.first", "the first, for itself", own, 0),
      ("whole.second", "the second, for the first", whole, 0),
      ("own.second", "the second, for itself", own, 1),
    ]
    let steps = whole[0].steps.dropLast()
    let last = steps.endIndex - 1
    func panel(_ title: String, _ part: @escaping (CrossOutcome) -> [[Double]]) -> Panel {
      Panel(
        title: title, x: Axis("step"), y: Axis("% of the images"),
        marks: givers.enumerated().map { colour, giver in
          .line(
            giver.words,
            steps.indices.map { point in
              let shares = giver.outcomes.map { part($0)[point][giver.learner] }
              return (x: Double(steps[point]), y: Spread(shares).mean)
            }, colour: colour)
        })
    }
    page.figure(
      Figure(
        "labels",
        title:
          "Fewer of the second network's labels are wrong, those for the other and those for itself",
        size: (980, 420), columns: 2,
        panels: [
          panel("labels that count", \.kept),
          panel("labels that count and are wrong", \.wrongOfAll),
        ]))
    page.value("labelling", Double(steps[last]))
    var wrong: [String: [Double]] = [:]
    for giver in givers {
      let shares = giver.outcomes.map { $0.wrongOfAll[last][giver.learner] }
      wrong[giver.key] = shares
      let kept = giver.outcomes.map { $0.kept[last][giver.learner] }
      page.value("\(giver.key).kept", Spread(kept), tolerance: 2, unit: "%")
      page.value("\(giver.key).wrong", Spread(shares), tolerance: 0.3, unit: "%")
    }
    for (name, one, other) in [
      ("echo.first", "own.first", "whole.first"), ("echo.second", "own.second", "whole.second"),
      ("givers", "whole.first", "whole.second"),
    ] {
      page.difference(name, PairedDifference(wrong[one]!, minus: wrong[other]!), tolerance: 0.3)
    }
    page.claim(
      "Of the labels that the two give each other, fewer of the second's count and are wrong.",
      "givers.low > 0")
    page.claim(
      "To itself neither is seen to give more wrong labels than to the other.",
      "echo.first.low < 0 and echo.first.high > 0 and echo.second.low < 0 and echo.second.high > 0")
  }
}

// MARK: - Distorted copies

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
    let (won, lost) = (Double(copies.won.last!), Double(copies.lost.last!))
    page.value("copies.surplus", lost - won, tolerance: 15)
    page.value("copies.chance", (lost + won).squareRoot(), tolerance: 3)
    page.claim(
      "For each kind the average errs less than one copy.",
      DistortedCopies.kinds.map { "\($0.key).average < \($0.key).single" }
        .joined(separator: " and "))
    page.claim(
      "With all of it the average errs more than the image as it is.", "all.average > copies.plain")
    page.claim(
      "But one copy is misread more often than the image where it is turned, shifted, bent, or all of it.",
      ["turned", "shifted", "bent", "all"].map { "\($0).single > copies.plain" }
        .joined(separator: " and "))
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
  /// At each point and for each network the share of all validation images, in percent, whose label
  /// counts and is wrong.
  fileprivate var wrongOfAll: [[Double]] {
    zip(kept, wrong).map { zip($0, $1).map { $0 * $1 / 100 } }
  }
}
