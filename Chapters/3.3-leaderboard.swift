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
    for result in results { check(result, page) }
    try readControls(page)
    let best = try page.value("net.accuracy", ofChapter: "3.2", "units.test")
    page.value("net", 100 - best, tolerance: 0.5, unit: "%")
    let papers = quoteThePapers(page)
    drawErrors(page, results, papers)
    drawGains(page, results)
    printTable(page, results)
    claim(page)
  }
}

// MARK: - The methods

// snippet.methods
/// A method and what it is compared with, by the names that its chapter gives them.
private struct Method {
  let key, words, chapter: String
  /// What learns with images without labels, and the same on labels alone.
  let own, supervised: String
  /// The paired difference of the two, with # for the number of labels.
  let gain: String
  /// Its files below Sources/Methods.
  let files: [String]
}

private let methods = [
  Method(
    key: "variational", words: "M1+M2", chapter: "3.3.2", own: "both", supervised: "pixels",
    gain: "pixels.gain.#",
    files: ["VariationalAutoencoder", "SemiSupervisedAutoencoder", "ConditionalLayers"]),
  Method(
    key: "where", words: "what-where auto-encoder", chapter: "3.3.3", own: "where",
    supervised: "labels", gain: "gain.#", files: ["WhatWhereAutoencoder"]),
  Method(
    key: "universum", words: "universum prescription", chapter: "3.3.4", own: "digits",
    supervised: "none", gain: "digits.#.gain", files: ["UniversumPrescription"]),
  Method(
    key: "pseudo", words: "pseudo-label", chapter: "3.3.5", own: "pseudo", supervised: "dropout",
    gain: "pseudo.#.gain", files: ["PseudoLabel"]),
  Method(
    key: "surrogate", words: "surrogate classes", chapter: "3.3.6", own: "surrogate",
    supervised: "supervised", gain: "supervised.gain.#", files: ["SurrogateClasses"]),
  Method(
    key: "sparse", words: "sparse auto-encoder", chapter: "3.3.7", own: "strokes",
    supervised: "plain", gain: "strokes.gain.#",
    files: ["SparseAutoencoder", "LimitedMemoryBFGS"]),
  Method(
    key: "denoising", words: "denoising auto-encoders", chapter: "3.3.8", own: "denoising",
    supervised: "random", gain: "gain.#", files: ["DenoisingAutoencoder"]),
]
// snippet.end

/// Labels alone once more, at another rate than validation chose at a third of the length.
private struct Control {
  /// The method's key and chapter.
  let key, chapter: String
  /// What learns from labels alone at that rate, and at the one that was chosen.
  let own, chosen: String
  /// The method's error beside the first, and its gain over it, with # for the number of labels.
  let method, gain: String
  let counts: [Int]
}

private let controls = [
  Control(
    key: "where", chapter: "3.3.3", own: "same", chosen: "labels", method: "where.#.test",
    gain: "same.gain.#", counts: [1000, 3000]),
  Control(
    key: "universum", chapter: "3.3.4", own: "slower", chosen: "none", method: "digits.#.slow",
    gain: "digits.#.control", counts: [1000, 3000]),
  Control(
    key: "surrogate", chapter: "3.3.6", own: "slower", chosen: "supervised",
    method: "surrogate.#.test", gain: "slower.gain.#", counts: [1000]),
  Control(
    key: "denoising", chapter: "3.3.8", own: "same", chosen: "random",
    method: "denoising.#.test", gain: "same.gain.#", counts: [3000]),
]

/// What a chapter has recorded of its method, in percent and points, by number of labels.
private struct Result {
  let method: Method
  var errors: [Int: Double] = [:]
  var supervised: [Int: Double] = [:]
  var gains: [Int: (mean: Double, low: Double, high: Double)] = [:]
  var minutes = 0.0
  var megabytes = 0.0
  var lines = 0
}

extension WhatUnlabelledImagesGive {
  private static func read(_ method: Method, _ page: Page) throws -> Result {
    func value(_ name: String, _ number: String) throws -> Double {
      try page.value("\(method.key).\(name)", ofChapter: method.chapter, number)
    }
    var result = Result(method: method)
    for labels in counts {
      result.errors[labels] = try value("\(labels)", "\(method.own).\(labels).test")
      _ = try value("\(labels).deviation", "\(method.own).\(labels).test.deviation")
      result.supervised[labels] = try value(
        "supervised.\(labels)", "\(method.supervised).\(labels).test")
      let gain = method.gain.replacingOccurrences(of: "#", with: "\(labels)")
      result.gains[labels] = (
        try value("gain.\(labels)", gain), try value("gain.\(labels).low", "\(gain).low"),
        try value("gain.\(labels).high", "\(gain).high")
      )
    }
    result.minutes = try value("minutes", "run.minutes")
    result.megabytes = try value("megabytes", "run.megabytes")
    result.lines = try method.files.reduce(0) { try $0 + page.lineCount(of: "Methods/\($1).swift") }
    page.value("\(method.key).lines", Double(result.lines), unit: "lines")
    return result
  }

  private static func readControls(_ page: Page) throws {
    for control in controls {
      for labels in control.counts {
        func value(_ name: String, _ number: String) throws -> Double {
          try page.value(
            "\(control.key).control.\(labels)\(name)", ofChapter: control.chapter, number)
        }
        func numbered(_ name: String) -> String {
          name.replacingOccurrences(of: "#", with: "\(labels)")
        }
        let gain = numbered(control.gain)
        let error = try value("", "\(control.own).\(labels).test")
        let own = try value(".method", numbered(control.method))
        let mean = try value(".gain", gain)
        _ = try (value(".gain.low", "\(gain).low"), value(".gain.high", "\(gain).high"))
        _ = try value(".chosen", "\(control.chosen).\(labels).validation")
        _ = try value(".validation", "\(control.own).\(labels).validation")
        page.check(
          "\(control.key), \(labels) labels: gain over the control, less the difference of the mean "
            + "errors, points", error - own - mean, atMost: 1e-9)
      }
    }
  }

  /// Whether the gain of a record is the difference of its errors: a row put together of two methods,
  /// or with its sign turned, is found.
  private static func check(_ result: Result, _ page: Page) {
    let off = counts.map {
      result.supervised[$0]! - result.errors[$0]! - result.gains[$0]!.mean
    }
    page.check(
      "\(result.method.words): gain, less the difference of the mean errors, points",
      off.map(abs).max()!, atMost: 1e-9)
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
        key: "guesses", words: "pseudo-label", source: "Lee 2013, table 1",
        errors: [(100, 16.15), (600, 5.03), (1000, 4.30), (3000, 2.80)]),
      Paper(
        key: "whatWhere", words: "what-where", source: "Zhao et al. 2015, with dropout",
        errors: [(100, 8.71), (600, 3.31), (1000, 2.83), (3000, 2.10)]),
      Paper(
        key: "variational", words: "M1+M2", source: kingma,
        errors: [(100, 3.33), (600, 2.59), (1000, 2.40), (3000, 2.18)]),
      Paper(
        key: "ladder", words: "ladder", source: "Rasmus et al. 2015, table 1",
        errors: [(100, 1.06), (1000, 0.84)]),
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
  private static func drawErrors(_ page: Page, _ results: [Result], _ papers: [Paper]) {
    let theirs = papers.flatMap { paper in
      [
        Mark.guide(paper.errors.map { (x: Double($0.labels), y: $0.error) }),
        .text(
          paper.words,
          at: (x: 104, y: paper.errors[0].error * (paper.key == "network" ? 1.15 : 1.06))),
      ]
    }
    let ours = results.enumerated().map { colour, result in
      Mark.line(
        result.method.words, counts.map { (x: Double($0), y: result.errors[$0]!) }, colour: colour)
    }
    page.figure(
      Figure(
        "errors",
        title:
          "Test error against the number of labels: ours in colour, what papers report in grey",
        size: (760, 520),
        panels: [
          Panel(
            x: Axis(
              "images with a label", scale: .log, range: 90...4000,
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
        title: "What each gains over the same on labels alone, with its interval",
        size: (760, 320), columns: 2,
        panels: counts.map { labels in
          let rows = results.map { result in
            let gain = result.gains[labels]!
            return (name: result.method.words, value: gain.mean, low: gain.low, high: gain.high)
          }
          let (least, most) = (rows.map(\.low).min()!, rows.map(\.high).max()!)
          let room = 0.05 * (most - least)
          return .intervals(
            OutcomeReport.words(labels),
            x: Axis("points of test error", range: min(0, least) - room...most + room), rows: rows,
            marks: [.vertical("", at: 0)])
        }))
  }

  private static func printTable(_ page: Page, _ results: [Result]) {
    page.table(
      ["method", "1,000 labels", "3,000 labels", "gain at 3,000", "minutes", "MB", "lines"],
      results.map { result in
        let gain = result.gains[3000]!
        return [result.method.words]
          + counts.map { String(format: "%.2f %%", result.errors[$0]!) } + [
            String(format: "%+.2f (%+.2f … %+.2f)", gain.mean, gain.low, gain.high),
            String(format: "%.0f", result.minutes), String(format: "%.0f", result.megabytes),
            "\(result.lines)",
          ]
      })
  }
}

// MARK: - What they teach

extension WhatUnlabelledImagesGive {
  private static func claim(_ page: Page) {
    page.claim(
      "At the rates that were chosen all but the universum gain with 1,000 labels.",
      "variational.gain.1000.low > 0 "
        + "and where.gain.1000.low > 0 and pseudo.gain.1000.low > 0 and surrogate.gain.1000.low > 0 "
        + "and sparse.gain.1000.low > 0 and denoising.gain.1000.low > 0")
    page.claim(
      "With 3,000 all gain but surrogate classes and the what-where auto-encoder, whose intervals "
        + "hold zero.",
      "variational.gain.3000.low > 0 and universum.gain.3000.low > 0 "
        + "and pseudo.gain.3000.low > 0 and sparse.gain.3000.low > 0 "
        + "and denoising.gain.3000.low > 0 "
        + "and surrogate.gain.3000.low < 0 and surrogate.gain.3000.high > 0 "
        + "and where.gain.3000.low < 0 and where.gain.3000.high > 0")
    page.claim(
      "In each row validation prefers the other rate.",
      controls.flatMap { control in
        control.counts.map {
          "\(control.key).control.\($0).validation < \(control.key).control.\($0).chosen"
        }
      }.joined(separator: " and "))
    page.claim(
      "The gains of the what-where auto-encoder and of surrogate classes with 1,000 labels are not "
        + "shown against it; those of the universum and of denoising with 3,000 are.",
      "where.control.1000.gain.low < 0 and surrogate.control.1000.gain.low < 0 "
        + "and universum.control.3000.gain.low > 0 and denoising.control.3000.gain.low > 0")
    page.claim(
      "The two that start from the least errors gain least; of the others, M1+M2 left out, the order "
        + "of the gains is that of the errors on labels alone: smallest is that of the universum, then guesses, then "
        + "denoising, and the largest is that of the strokes.",
      "where.gain.3000 < universum.gain.3000 and surrogate.gain.3000 < universum.gain.3000 "
        + "and universum.gain.3000 < pseudo.gain.3000 and pseudo.gain.3000 < denoising.gain.3000 "
        + "and denoising.gain.3000 < sparse.gain.3000 "
        + "and where.supervised.3000 < universum.supervised.3000 "
        + "and surrogate.supervised.3000 < universum.supervised.3000 "
        + "and universum.supervised.3000 < pseudo.supervised.3000 "
        + "and pseudo.supervised.3000 < denoising.supervised.3000 "
        + "and denoising.supervised.3000 < sparse.supervised.3000")
    page.claim(
      "Surrogate classes err less than that network on labels alone.", "surrogate.3000 < net")
    page.claim(
      "M1+M2, universum, guesses, strokes and denoising err more than it.",
      "variational.3000 > net and universum.3000 > net and pseudo.3000 > net and sparse.3000 > net and denoising.3000 > net"
    )
  }
}
