import Experiments
import Foundation
import Notebook

/// Chapter 3.3: the methods of part 3.3 side by side, by what their own chapters have recorded.
public enum WhatUnlabelledImagesGive: Chapter {
  /// The chapter's number.
  public static let id = "3.3"
  /// The chapter's title.
  public static let title = "What images without labels give: the methods side by side"

  fileprivate static let counts = [1000, 3000]

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let results = try methods.map { try read($0, page) }
    let best = try page.value("net.accuracy", ofChapter: "3.2", "units.test")
    page.value("net", 100 - best, tolerance: 0.5, unit: "%")
    let papers = quoteThePapers(page)
    // What the top layer alone has of the whole ladder's gain.
    for labels in counts {
      let gains = results.prefix(2).map { $0.comparisons[labels]!.gain.mean }
      page.value("gamma.share.\(labels)", 100 * gains[1] / gains[0], tolerance: 10, unit: "%")
    }
    try readTheDoubts(page)
    try readTheRest(page)
    let fewer = try readFewerLabels(page)
    drawErrors(page, results, fewer, papers)
    drawGains(page, results)
    printTable(page, results)
    claim(page)
  }
}

// MARK: - The methods

// snippet.methods
/// A method and what it is compared with, by the names that its chapter gives them, with # for the
/// number of labels.
private struct Method {
  let key, words, chapter: String
  /// What learns with images without labels, and the same on labels alone.
  let own, supervised: String
  /// The paired difference of the two.
  let gain: String
  /// Labels alone at another setting, in the same way, where a chapter has trained them once more.
  var again: Again?
  /// Its files below Sources/Methods; none where they are those of the method above it.
  var files: [String] = []
}

/// Labels alone at another setting than was chosen at a third of the length.
private struct Again {
  /// Labels alone, the method's error beside them, and the difference.
  let supervised, error, gain: String
  let counts: [Int]
}

private let methods = [
  Method(
    key: "ladder", words: "ladder network", chapter: "3.3.1", own: "ladder",
    supervised: "supervised", gain: "ladder.gain.#", files: ["LadderNetwork", "LadderParts"]),
  Method(
    key: "gamma", words: "Γ-model", chapter: "3.3.1", own: "gamma", supervised: "supervised",
    gain: "gamma.gain.#"),
  Method(
    key: "variational", words: "M1+M2", chapter: "3.3.2", own: "both", supervised: "pixels",
    gain: "pixels.gain.#",
    files: ["VariationalAutoencoder", "SemiSupervisedAutoencoder", "ConditionalLayers"]),
  Method(
    key: "where", words: "what-where auto-encoder", chapter: "3.3.3", own: "where",
    supervised: "labels", gain: "gain.#",
    again: Again(
      supervised: "same", error: "where.#.test", gain: "same.gain.#", counts: [1000, 3000]),
    files: ["WhatWhereAutoencoder"]),
  Method(
    key: "universum", words: "universum prescription", chapter: "3.3.4", own: "digits",
    supervised: "none", gain: "digits.#.gain",
    again: Again(
      supervised: "slower", error: "digits.#.preferred.test", gain: "digits.#.preferred",
      counts: [1000, 3000]),
    files: ["UniversumPrescription"]),
  Method(
    key: "pseudo", words: "pseudo-label", chapter: "3.3.5", own: "pseudo", supervised: "dropout",
    gain: "pseudo.#.gain",
    again: Again(
      supervised: "again", error: "pseudo.#.test", gain: "again.#.gain", counts: [3000]),
    files: ["PseudoLabel"]),
  Method(
    key: "denoised", words: "pseudo-label, pretrained", chapter: "3.3.5", own: "denoised",
    supervised: "dropout", gain: "denoised.#.gain",
    again: Again(
      supervised: "again", error: "denoised.#.test", gain: "again.#.denoised", counts: [3000])),
  Method(
    key: "surrogate", words: "surrogate classes", chapter: "3.3.6", own: "surrogate",
    supervised: "supervised", gain: "supervised.gain.#",
    again: Again(
      supervised: "slower", error: "surrogate.#.test", gain: "slower.gain.#", counts: [1000]),
    files: ["SurrogateClasses"]),
  Method(
    key: "sparse", words: "sparse auto-encoder", chapter: "3.3.7", own: "strokes",
    supervised: "plain", gain: "strokes.gain.#",
    files: ["SparseAutoencoder", "LimitedMemoryBFGS"]),
  Method(
    key: "denoising", words: "denoising auto-encoders", chapter: "3.3.8", own: "denoising",
    supervised: "random", gain: "gain.#",
    again: Again(
      supervised: "same", error: "denoising.#.test", gain: "same.gain.#", counts: [3000]),
    files: ["DenoisingAutoencoder"]),
]
// snippet.end

/// A method held against labels alone: errors in percent, the gain in points.
private struct Comparison {
  let error, supervised: Double
  let gain: (mean: Double, low: Double, high: Double)
}

/// What a chapter has recorded of its method, by number of labels.
private struct Result {
  let method: Method
  var comparisons: [Int: Comparison] = [:]
  /// Of the whole chapter; none where the method above it has told them.
  var cost: (minutes: Double, megabytes: Double, lines: Int)?
}

extension WhatUnlabelledImagesGive {
  private static func read(_ method: Method, _ page: Page) throws -> Result {
    let first = Again(
      supervised: method.supervised, error: "\(method.own).#.test", gain: method.gain,
      counts: counts)
    var result = Result(method: method)
    for labels in counts {
      let again = method.again.flatMap { $0.counts.contains(labels) ? $0 : nil }
      let (preferred, other) = try prefer(first, again, labels, method, page)
      let comparison = try give(preferred, "", labels, method, page)
      result.comparisons[labels] = comparison
      if labels == 3000 {
        for (name, arm) in [("seconds", method.own), ("supervised.seconds", preferred.supervised)] {
          try page.value(
            "\(method.key).\(name)", ofChapter: method.chapter, "\(arm).3000.seconds")
        }
      }
      if let other {
        // Where the method has one rate, its error is given already.
        let error = other.error == preferred.error ? comparison.error : nil
        _ = try give(other, "other.", labels, method, page, error: error)
      }
    }
    guard !method.files.isEmpty else { return result }
    let minutes = try page.value(
      "\(method.key).minutes", ofChapter: method.chapter, "run.minutes")
    let megabytes = try page.value(
      "\(method.key).megabytes", ofChapter: method.chapter, "run.megabytes")
    let lines = try method.files.reduce(0) { try $0 + page.lineCount(of: "Methods/\($1).swift") }
    page.value("\(method.key).lines", Double(lines), unit: "lines")
    result.cost = (minutes, megabytes, lines)
    return result
  }

  // snippet.preferred
  /// The comparison with the labels alone that err less on validation at full length, and the other.
  private static func prefer(
    _ first: Again, _ again: Again?, _ labels: Int, _ method: Method, _ page: Page
  ) throws -> (Again, Again?) {
    guard let again else { return (first, nil) }
    let errors = try zip(["first", "again"], [first, again]).map { name, names in
      try page.value(
        "\(method.key).\(name).validation.\(labels)", ofChapter: method.chapter,
        "\(names.supervised).\(labels).validation")
    }
    return errors[1] < errors[0] ? (again, first) : (first, again)
  }
  // snippet.end

  /// Gives a comparison under the method's name with a prefix.
  ///
  /// - Parameter error: the method's error where it has been given.
  private static func give(
    _ names: Again, _ prefix: String, _ labels: Int, _ method: Method, _ page: Page,
    error: Double? = nil
  ) throws -> Comparison {
    let key = "\(method.key).\(prefix)"
    func value(_ name: String, _ number: String) throws -> Double {
      try page.value(
        key + name, ofChapter: method.chapter,
        number.replacingOccurrences(of: "#", with: "\(labels)"))
    }
    let error = try error ?? value("\(labels)", names.error)
    if prefix.isEmpty {
      try page.deviation(
        "\(key)\(labels).deviation", ofChapter: method.chapter,
        names.error.replacingOccurrences(of: "#", with: "\(labels)"), unit: "points")
    }
    let comparison = Comparison(
      error: error, supervised: try value("supervised.\(labels)", "\(names.supervised).#.test"),
      gain: (
        try value("gain.\(labels)", names.gain),
        try value("gain.\(labels).low", names.gain + ".low"),
        try value("gain.\(labels).high", names.gain + ".high")
      ))
    // A row put together of two methods, or with its sign turned, is found.
    page.check(
      "\(method.words)\(prefix.isEmpty ? "" : ", other setting"), \(labels) labels: gain, less the "
        + "difference of the mean errors, points",
      abs(comparison.supervised - comparison.error - comparison.gain.mean), atMost: 1e-9)
    return comparison
  }
}

extension WhatUnlabelledImagesGive {
  /// What other chapters say of whose the gains are.
  private static func readTheDoubts(_ page: Page) throws {
    for part in ["", ".low", ".high"] {
      try page.value("bottom.gamma.1000\(part)", ofChapter: "3.3.1", "bottom.gamma\(part)")
      for labels in counts {
        try page.value(
          "universum.images.\(labels)\(part)", ofChapter: "3.3.4",
          "digits.\(labels).over.preferred\(part)")
      }
      for (name, chapter, gain) in [
        ("variational.own", "3.3.2", "length.gain"), ("sparse.network", "3.3.7", "network.gain"),
        ("surrogate.learning", "3.3.6", "learning.gain"),
      ] {
        try page.value("\(name).3000\(part)", ofChapter: chapter, "\(gain).3000\(part)")
      }
    }
    try page.value("bottom.1000", ofChapter: "3.3.1", "bottom.1000.test")
    page.claim(
      "Over the Γ-model the ladder with the pixels' cost alone gains.", "bottom.gamma.1000.low > 0")
    try page.value("surrogate.pixels.3000", ofChapter: "3.3.6", "pixels.gain.3000")
    try page.value("variational.code.3000", ofChapter: "3.3.2", "features.gain.3000")
    for name in ["plainConvolution", "convolution", "ladder"] {
      try page.value("\(name).kit", ofChapter: "3.3.1", "\(name).kit")
    }
    try page.value("ladder.chance", ofChapter: "3.3.1", "ladder.chance")
    for name in ["plainConvolution", "ladder"] {
      try page.value(
        "\(name).kit.validation", ofChapter: "3.3.1", "\(name).kit.validation")
    }
    page.claim(
      "The digits are ahead of the labelled images with 3,000 labels, and behind them with 1,000.",
      "universum.images.3000.low > 0 and universum.images.1000.high < 0")
    page.claim(
      "By the first yardstick surrogate features gain more than strokes, by the second less.",
      "surrogate.pixels.3000 > sparse.gain.3000 and surrogate.gain.3000 < sparse.network.3000")
    page.claim(
      "There the interval of what M2 adds to its code holds zero.",
      "variational.own.3000.low < 0 and variational.own.3000.high > 0")
    page.claim(
      "On labels alone, one convolutional network of chapter 3.3.1 is beside the ladder.",
      "plainConvolution.kit < ladder.kit "
        + "and plainConvolution.kit.validation > ladder.kit.validation "
        + "and ladder.kit - plainConvolution.kit < 2 * ladder.chance "
        + "and plainConvolution.kit.validation - ladder.kit.validation < 2 * ladder.chance")
  }

  /// What chapters have of distorted images and of longer trainings.
  private static func readTheRest(_ page: Page) throws {
    for key in ["plain", "gamma", "ladder"] {
      try page.value("\(key).augmented", ofChapter: "3.3.1", "\(key)Augmented.test")
    }
    for (key, chapter, own, alone) in [
      ("denoised", "3.3.5", "patient.longer.3000", "again.longer.3000"),
      ("variational", "3.3.2", "long.1000", "alone.long.1000"),
    ] {
      try page.value("\(key).longer", ofChapter: chapter, "\(own).test")
      try page.value("\(key).longer.alone", ofChapter: chapter, "\(alone).test")
    }
  }

  /// The errors with 100 and with 600 labels, by method.
  private static func readFewerLabels(
    _ page: Page
  ) throws -> [String: [(x: Double, y: Double)]] {
    for name in ["low", "high"] {
      try page.value("pseudo.gain.100.\(name)", ofChapter: "3.3.5", "pseudo.100.gain.\(name)")
    }
    page.claim("With 100 labels the interval of the gain holds 0.", "pseudo.gain.100.low < 0")
    return try Dictionary(
      uniqueKeysWithValues: ["dropout", "pseudo"].map { key in
        (
          key,
          try [100, 600].map { labels in
            let error = try page.value(
              "\(key).\(labels)", ofChapter: "3.3.5", "\(key).\(labels).test")
            return (x: Double(labels), y: error)
          }
        )
      })
  }
}

// MARK: - The papers

extension WhatUnlabelledImagesGive {
  /// A curve of somebody else's: errors in percent by number of labels.
  private struct Paper {
    let key, words, source: String
    let errors: [(labels: Int, error: Double)]
  }

  /// The errors of papers without augmentation, for the figure and the table.
  private static func quoteThePapers(_ page: Page) -> [Paper] {
    let kingma = "Kingma et al. 2014, table 1"
    let papers = [
      Paper(
        key: "network", words: "network, labels alone", source: kingma,
        errors: [(100, 25.81), (600, 11.44), (1000, 10.7), (3000, 6.04)]),
      Paper(
        key: "convolutional", words: "convolutional, labels alone", source: kingma,
        errors: [(100, 22.98), (600, 7.68), (1000, 6.45), (3000, 3.35)]),
      Paper(
        key: "guesses", words: "pseudo-label", source: "Lee 2013, table 2",
        errors: [(100, 16.15), (600, 5.03), (1000, 4.30), (3000, 2.80)]),
      Paper(
        key: "pretrained", words: "pseudo-label, pretrained", source: "Lee 2013, table 2",
        errors: [(100, 10.49), (600, 4.01), (1000, 3.46), (3000, 2.69)]),
      Paper(
        key: "whatWhere", words: "what-where", source: "Zhao et al. 2015, with dropout",
        errors: [(100, 8.71), (600, 3.31), (1000, 2.83), (3000, 2.10)]),
      Paper(
        key: "variational", words: "M1+M2", source: kingma,
        errors: [(100, 3.33), (600, 2.59), (1000, 2.40), (3000, 2.18)]),
      Paper(
        key: "ladder", words: "ladder", source: "Rasmus et al. 2015, table 1",
        errors: [(100, 1.06), (1000, 0.84)]),
      Paper(
        key: "gamma", words: "Γ-model", source: "Rasmus et al. 2015, table 1",
        errors: [(100, 3.06), (1000, 1.53)]),
    ]
    for paper in papers {
      for (labels, error) in paper.errors {
        page.quote("\(paper.key).paper.\(labels)", error, source: paper.source)
      }
    }
    return papers
  }
}

// MARK: - Figures

extension WhatUnlabelledImagesGive {
  private static func drawErrors(
    _ page: Page, _ results: [Result], _ fewer: [String: [(x: Double, y: Double)]],
    _ papers: [Paper]
  ) {
    // A name stands left of its line, a little aside where another name would meet it.
    let places = ["network": 1.05, "convolutional": 0.95, "variational": 1.05, "gamma": 0.94]
    let theirs = papers.flatMap { paper in
      [
        Mark.guide(
          paper.errors.map { (x: Double($0.labels), y: $0.error) }, isDotted: true),
        .text(
          paper.words, at: (x: 15, y: paper.errors[0].error * (places[paper.key] ?? 1))),
      ]
    }
    // A colour is a chapter's.
    let ours = Dictionary(grouping: results, by: \.method.chapter).sorted { $0.key < $1.key }
      .enumerated().flatMap { colour, family in
        family.value.map { result in
          Mark.line(
            result.method.words,
            fewer[result.method.key, default: []]
              + counts.map { (x: Double($0), y: result.comparisons[$0]!.error) },
            colour: colour)
        }
      }
    page.figure(
      Figure(
        "errors",
        title: "The ladder errs least, as among the papers, whose lines are dotted grey",
        size: (860, 520),
        panels: [
          Panel(
            x: Axis(
              "images with a label", scale: .log, range: 14...4000,
              ticks: [(100, "100"), (600, "600"), (1000, "1,000"), (3000, "3,000")]),
            y: Axis(
              "test error, %", scale: .log, range: 0.7...35,
              ticks: [1, 2, 3, 5, 10, 20, 30].map { ($0, "\(Int($0))") }),
            marks: theirs + ours)
        ]))
  }

  private static func drawGains(_ page: Page, _ results: [Result]) {
    page.figure(
      Figure(
        "gains",
        title: "What each gains over labels alone: strokes most, over the weakest opponent",
        size: (760, 320), columns: 2,
        panels: counts.map { labels in
          let rows = results.map { result in
            let gain = result.comparisons[labels]!.gain
            return (name: result.method.words, value: gain.mean, low: gain.low, high: gain.high)
          }
          let (least, most) = (rows.map(\.low).min()!, rows.map(\.high).max()!)
          let room = 0.05 * (most - least)
          return .intervals(
            OutcomeReport.words(labels),
            x: Axis(
              "points of test error, 95 % interval", range: min(0, least) - room...most + room),
            rows: rows,
            marks: [.vertical("", at: 0)])
        }))
  }

  private static func printTable(_ page: Page, _ results: [Result]) {
    page.table(
      ["method", "1,000 labels", "3,000 labels", "gain at 3,000", "minutes", "MB", "lines"],
      results.map { result in
        let gain = result.comparisons[3000]!.gain
        return [result.method.words]
          + counts.map { String(format: "%.2f %%", result.comparisons[$0]!.error) } + [
            String(format: "%+.2f (%+.2f … %+.2f)", gain.mean, gain.low, gain.high)
          ]
          + (result.cost.map {
            [
              String(format: "%.0f", $0.minutes), String(format: "%.0f", $0.megabytes),
              "\($0.lines)",
            ]
          } ?? ["", "", ""])
      })
  }
}

// MARK: - What they teach

extension WhatUnlabelledImagesGive {
  private static func claim(_ page: Page) {
    func holdsZero(_ gain: String) -> String { "\(gain).low < 0 and \(gain).high > 0" }
    let gaining = ["ladder", "gamma", "variational", "pseudo", "denoised", "sparse", "denoising"]
    page.claim(
      "With 1,000 labels ladder, Γ-model, M1+M2, pseudo-label with and without pretraining, strokes and "
        + "denoising gain, and the intervals of the other three hold zero.",
      (gaining.map { "\($0).gain.1000.low > 0" }
        + ["where", "universum", "surrogate"].map { holdsZero("\($0).gain.1000") })
        .joined(separator: " and "))
    page.claim(
      "With 3,000 these seven gain again, and the universum with them.",
      (gaining + ["universum"]).map { "\($0).gain.3000.low > 0" }.joined(separator: " and "))
    page.claim(
      "The what-where auto-encoder and surrogate classes show no gain there.",
      ["where", "surrogate"].map { holdsZero("\($0).gain.3000") }.joined(separator: " and "))
    page.claim(
      "In each row but the second validation prefers the other setting.",
      methods.flatMap { method in
        (method.again?.counts ?? []).map { labels in
          let order = (method.key, labels) == ("where", 3000) ? ">" : "<"
          return "\(method.key).again.validation.\(labels) \(order) "
            + "\(method.key).first.validation.\(labels)"
        }
      }.joined(separator: " and "))
    page.claim(
      "For the universum with 1,000 labels it does so by less than 0.1 points.",
      "universum.first.validation.1000 - universum.again.validation.1000 < 0.1")
    page.claim(
      "Against the rates that were chosen first the what-where auto-encoder and surrogate classes would "
        + "have gained with 1,000 labels.",
      "where.other.gain.1000.low > 0 and surrogate.other.gain.1000.low > 0")
    page.claim(
      "The two that start from the least errors gain least; of the others, but for the ladder and its "
        + "Γ-model, the order of the gains is that of the errors on labels alone: smallest is that of the "
        + "universum, then guesses without and with pretraining, M1+M2 and denoising, and the largest is that of "
        + "the strokes.",
      "where.gain.3000 < universum.gain.3000 and surrogate.gain.3000 < universum.gain.3000 "
        + "and universum.gain.3000 < pseudo.gain.3000 and pseudo.gain.3000 < denoised.gain.3000 "
        + "and denoised.gain.3000 < variational.gain.3000 "
        + "and variational.gain.3000 < denoising.gain.3000 "
        + "and denoising.gain.3000 < sparse.gain.3000 "
        + "and where.supervised.3000 < universum.supervised.3000 "
        + "and surrogate.supervised.3000 < universum.supervised.3000 "
        + "and universum.supervised.3000 < pseudo.supervised.3000 "
        + "and pseudo.supervised.3000 < variational.supervised.3000 "
        + "and variational.supervised.3000 < denoising.supervised.3000 "
        + "and denoising.supervised.3000 < sparse.supervised.3000")
    page.claim(
      "These two break that order: their labels alone err less than those of guesses, and they gain more.",
      ["ladder", "gamma"].map {
        "\($0).supervised.3000 < pseudo.supervised.3000 and pseudo.gain.3000 < \($0).gain.3000"
      }.joined(separator: " and "))
    page.claim(
      "The ladder, the Γ-model and surrogate classes err less than that network on labels alone.",
      "ladder.3000 < net and gamma.3000 < net and surrogate.3000 < net")
    page.claim(
      "On labels alone the ladder's own network errs more.", "ladder.supervised.3000 > net")
    page.claim(
      "With either number of labels the ladder errs less than every other method here.",
      counts.flatMap { labels in
        methods.dropFirst().map { "ladder.\(labels) < \($0.key).\(labels)" }
      }.joined(separator: " and "))
    page.claim(
      "M1+M2, universum, guesses, strokes and denoising err more than it.",
      ["variational", "universum", "pseudo", "denoised", "sparse", "denoising"].map {
        "\($0).3000 > net"
      }.joined(separator: " and "))
  }
}
