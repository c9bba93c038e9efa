import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.2: digits explained by a class and a style, with and without their labels.
public enum VariationalAutoencoders: Chapter {
  /// The chapter's number.
  public static let id = "3.3.2"
  /// The chapter's title.
  public static let title = "Variational auto-encoders: M1, M2 and M1+M2"
  /// What M1 becomes, candidates, draws; the same for M2 alone; the traps.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    page.value("images", Double(data.train.count))
    drawTheNetwork(page)
    checkTheDivergence(page)
    checkTheBound(page, data.train)
    checkThePixels(page, data.train)
    checkTheSum(page)
    checkTheKernel(page)
    let learning = LatentLearning(page, data.train)
    let looks = try lookAtTheCodes(page, learning)
    try readDigits(page, data, learning, looks)
    quotePapers(page)
  }

  private static func drawTheNetwork(_ page: Page) {
    func three(_ title: String, _ layers: [NetworkDiagram.Layer]) -> Panel {
      NetworkDiagram.panel(title, layers)
    }
    page.figure(
      Figure(
        "network",
        title: "M1 learns a code without labels; M2 explains the code by class and style",
        size: (860, 560), columns: 2,
        panels: [
          NetworkDiagram.panel(
            "M1: q(z₁|x), and p(x|z₁) from z₁ on",
            [
              .init("x", "784", units: 8), .init("", "500", units: 7),
              .init("", "500", units: 7), .init("z₁", "50", units: 4),
              .init("", "500", units: 7), .init("", "500", units: 7),
              .init("p", "784", units: 8),
            ]),
          three(
            "M2: q(y|z₁), the classifier",
            [
              .init("z₁", "code", units: 6), .init("", "500", units: 8),
              .init("y", "10 digits", units: 4),
            ]),
          three(
            "M2: q(z₂|z₁, y), the style of a digit",
            [
              .init("z₁ and y", "code, digit", units: 8, hollow: [6, 7]),
              .init("", "500", units: 8), .init("z₂", "50", units: 4),
            ]),
          three(
            "M2: p(z₁|y, z₂), the code of a digit in a style",
            [
              .init("z₂ and y", "style, digit", units: 6, hollow: [4, 5]),
              .init("", "500", units: 8), .init("z₁", "code", units: 6),
            ]),
        ]))
  }
}

// MARK: - The objectives

extension VariationalAutoencoders {
  /// KL(N(μ, eˢ) ‖ N(0, 1)) of three variables, by the formula and by draws.
  private static func checkTheDivergence(_ page: Page) {
    let (μ, s, n): ([Float], [Float], Int) = ([0.5, -1.2, 0], [-0.4, -2, 0.3], 100_000)
    let closed = zip(μ, s).reduce(0.0) { sum, one in
      let (μ, s) = (Double(one.0), Double(one.1))
      return sum + (μ * μ + exp(s) - 1 - s) / 2
    }
    let tape = Tape(recording: false)
    func copies(_ row: [Float], _ n: Int) -> Variable {
      tape.constant(Tensor([n, 3], (0..<n).flatMap { _ in row }))
    }
    let found = gaussianDivergence(mean: copies(μ, 1), logVariance: copies(s, 1)).value
    page.check(
      "the divergence of three Gaussians, against the formula in Double", Double(found.scalar),
      near: closed, tolerance: 1e-6)
    var stream = RandomStream(seed: page.seed, id, "check of the divergence")
    let z = gaussianSample(
      mean: copies(μ, n), logVariance: copies(s, n), using: &stream
    ).value
    // ln q(z) − ln p(z), whose constants cancel.
    let total = (0..<z.count).reduce(0.0) { sum, i in
      let (z, μ, s) = (Double(z[i]), Double(μ[i % 3]), Double(s[i % 3]))
      return sum + (z * z - (z - μ) * (z - μ) * exp(-s) - s) / 2
    }
    page.check(
      "the mean of ln q(z) − ln p(z) over draws of z", total / Double(n), near: closed,
      tolerance: 0.02)
  }

  private static func checkTheBound(_ page: Page, _ set: ImageSet) {
    let found = PlainBounds.integrate(set, seed: page.seed)
    page.value("surprise", -found.evidence, tolerance: 1e-3, unit: "nats")
    page.value("loss", -found.bound, tolerance: 0.03, unit: "nats")
    page.value("gap", found.gap, tolerance: 1e-3, unit: "nats")
    page.check("ln p(x) lies above the bound by", found.evidence - found.bound, atLeast: 0.01)
    page.check(
      "by the divergence of q from the true posterior", found.evidence - found.bound,
      near: found.gap, tolerance: 0.03)
  }

  /// A digit drawn many times.
  private static func checkThePixels(_ page: Page, _ set: ImageSet) {
    let n = 2000
    var stream = RandomStream(seed: page.seed, id, "check of the pixels")
    let intensities = set.images([0]).flattenedImages()
    let copies = Tensor.concatenation([Tensor](repeating: intensities, count: n), axis: 0)
    let drawn = stream.binarised(copies)
    let counts = drawn.sumOfRows()
    var (worst, others) = (0.0, 0.0)
    for i in 0..<intensities.count {
      let (p, share) = (Double(intensities[i]), Double(counts[i]) / Double(n))
      if p == 0 || p == 1 {
        others = max(others, abs(share - p))
      } else {
        worst = max(worst, abs(share - p) / (p * (1 - p) / Double(n)).squareRoot())
      }
    }
    page.check("pixels of paper and of full ink stay what they are", others, atMost: 0)
    // The largest of some two hundred.
    page.check(
      "grey pixels are black as often as they are grey, in standard errors", worst, atMost: 5)
    let isBlackOrWhite = drawn.map { $0 * (1 - $0) }.maximumMagnitude()
    page.check("nothing is drawn but black and white", Double(isBlackOrWhite), atMost: 0)
  }

  private static func checkTheSum(_ page: Page) {
    let errors = PlainBounds.enumerate(seed: page.seed)
    page.check(
      "the sum over the classes, against one class at a time in Double", errors.bound, atMost: 3e-6)
    for (path, error) in errors.slopes {
      page.check("the gradient of \(path), along a direction", error, atMost: 1e-4)
    }
    page.check(
      "the classifier's gradient by drawn classes, over 4,000 batches of five",
      PlainBounds.sample(seed: page.seed), atMost: 0.03)
  }

  /// The scalar products of cosines, against the kernel that they stand for.
  private static func checkTheKernel(_ page: Page) {
    var stream = RandomStream(seed: page.seed, id, "check of the kernel")
    let reader = KernelReader(inputs: 5, gamma: 0.1, using: &stream)
    let z = stream.normal([6, 5])
    let cosines = reader.cosines(z)
    let products = cosines.product(cosines, transposing: .second)
    var worst = 0.0
    for i in 0..<6 {
      for j in 0..<6 {
        let distance = (0..<5).reduce(0.0) { sum, k in
          let difference = Double(z[i * 5 + k]) - Double(z[j * 5 + k])
          return sum + difference * difference
        }
        worst = max(worst, abs(Double(products[i * 6 + j]) - exp(-0.1 * distance)))
      }
    }
    // Four standard errors of the mean of 2,000 numbers.
    page.check("the kernel, by random cosines", worst, atMost: 0.09)
  }
}

// MARK: - The code

extension VariationalAutoencoders {
  private static func lookAtTheCodes(
    _ page: Page, _ learning: LatentLearning
  ) throws -> [LatentLearning.Kind: LatentLook] {
    let looks = try learning.looks(page)
    for kind in LatentLearning.Kind.allCases {
      let (look, name) = (looks[kind]!, kind.rawValue)
      page.value("\(name).loss", -look.bound, tolerance: 1.5, unit: "nats")
      page.value("\(name).reconstruction", look.reconstruction, tolerance: 1.5, unit: "nats")
      page.value(
        "\(name).divergence", look.divergences.reduce(0, +), tolerance: 1, unit: "nats")
      page.value("\(name).units", Double(look.active), tolerance: 3)
    }
    let (spread, warmed, averaged) = (looks[.spread]!, looks[.warmed]!, looks[.averaged]!)
    for (part, share) in [("third", 1.0 / 3), ("twoThirds", 2.0 / 3), ("last", 1)] {
      let place = Int((Double(spread.losses.count) * share).rounded()) - 1
      page.value("spread.\(part)", spread.losses[max(0, place)], tolerance: 1.5, unit: "nats")
    }
    page.table(
      ["M1", "bound", "−ln p(x|z)", "divergence", "active", "epochs"],
      LatentLearning.Kind.allCases.map { kind in
        let look = looks[kind]!
        return [kind.rawValue]
          + [look.bound, look.reconstruction, look.divergences.reduce(0, +)].map {
            String(format: "%.1f", $0)
          } + ["\(look.active)", "\(look.losses.count)"]
      })
    page.claim(
      "Averaged over the pixels, fewer units are active than with the sum.",
      "averaged.units < spread.units")
    page.claim(
      "From small first weights the loss is higher than from spread ones.",
      "small.loss > spread.loss")
    page.claim("Fewer units are active, too.", "small.units < spread.units")
    page.claim(
      "With a divergence that grows more units are active still.", "warmed.units > spread.units")
    page.figure(
      Figure(
        "collapse",
        title:
          "Of 50 latent variables \(spread.active) say something of an image; from small first "
          + "weights, \(looks[.small]!.active)",
        size: (760, 400),
        panels: [
          Panel(
            x: Axis("latent variable, the most telling first", range: 1...50),
            y: Axis("divergence, nats in the mean over images"),
            marks: [
              (LatentLearning.Kind.spread, "spread weights"), (.small, "small weights"),
              (.warmed, "spread, growing"), (.averaged, "averaged"),
            ].enumerated().map { colour, kind in
              .line(
                kind.1,
                looks[kind.0]!.divergences.enumerated().map { (Double($0 + 1), $1) },
                colour: colour)
            })
        ]))
    func panel(_ title: String, _ pictures: ArraySlice<[Float]>) -> Panel {
      Panel(
        title: title,
        marks: [.images(Array(pictures), captions: pictures.map { _ in "" }, columns: 10)])
    }
    let shown = LatentLook.shown
    page.figure(
      Figure(
        "pictures",
        title: "Ten digits, what the mean of their code becomes, and what draws from the prior do",
        size: (760, 560), columns: 1,
        panels: [
          panel("digits", spread.pictures[..<shown]),
          panel("given back by M1, He's first weights", spread.pictures[shown..<2 * shown]),
          panel("given back with the average over pixels", averaged.pictures[shown..<2 * shown]),
          panel(
            "draws from the prior, He's first weights", spread.pictures[(2 * shown)..<(3 * shown)]),
        ]))
    return looks
  }
}

// MARK: - What it is worth

extension VariationalAutoencoders {
  private typealias Kind = LatentArms.Kind

  // snippet.settings
  /// What M1+M2 is chosen from, and M2 alone.
  private static let settings = [1e-3, 3e-3, 1e-2].map { setting(rate: $0, epochs: 32) }
  private static let aloneSettings = [1e-4, 3e-4, 1e-3, 3e-3].map {
    GenerativeArms.Setting(rate: $0, epochs: 9, labelled: 50, unlabelled: 50)
  }

  private static func setting(rate: Double, epochs: Int) -> GenerativeArms.Setting {
    GenerativeArms.Setting(rate: rate, epochs: epochs, labelled: 100, unlabelled: 50)
  }
  /// The steps of M1+M2 with 3,000 labels.
  private static var steps: Int { settings[0].epochs * (57_000 / settings[0].unlabelled) }
  // snippet.end

  private static func readDigits(
    _ page: Page, _ data: MNIST, _ learning: LatentLearning,
    _ looks: [LatentLearning.Kind: LatentLook]
  ) throws {
    let study = Study(page, data)
    var report = OutcomeReport(page)
    let counts = [1000, 3000]
    let draws = counts.map { LabelDraw.all(labels: $0, page) }
    let code = try chooseTheCode(page, study, learning, on: draws[0].last!)
    page.value("code.row", Double(LatentLearning.Kind.allCases.firstIndex(of: code.kind)! + 1))
    page.value("code.kept", Double(looks[code.kind]!.kept), tolerance: 5)
    let arms = LatentArms.arms(code, settings, steps: steps)
    let choices = try study.choose(arms, on: draws.map { $0.last! })
    let outcomes = try study.run(arms, choices, on: draws)
    for (group, labels) in counts.enumerated() {
      for ((kind, choice), outcomes) in zip(zip(Kind.allCases, choices[group]), outcomes[group]) {
        giveSetting(page, kind, choice, labels)
        report.add(kind.rawValue, labels: labels, outcomes)
      }
    }
    report.giveValues()
    report.giveSeconds("both", "pixels")
    for labels in counts {
      for kind in [Kind.network, .both] { report.giveLengths(kind.rawValue, labels) }
    }
    for (labels, wanted) in zip(counts, [3.0, 2.7]) {
      let error = Spread(report.errors(Kind.both.rawValue, labels)).mean
      page.value("miss.\(labels)", error - wanted, tolerance: 0.4, unit: "points")
    }
    drawCurves(page, report, counts)
    compare(page, report, counts)
    let setting = settings[choices[0].last!]
    try lookAtOneDraw(page, data, code, setting, report, outcomes[0].last![0], draws[0])
    try trainLonger(
      page, study, code, choices.map { $0.last! }, outcomes, [draws[0], [draws[1][0]]])
    page.value(
      "all.test", try LatentArms.ceiling(code, steps: steps, page, data), tolerance: 0.3, unit: "%")
  }

  // snippet.code
  /// The code that M2 reads: that with which M1+M2 errs least on validation images.
  ///
  /// Of the two that begin with larger weights the better at a third of the length, and of that one
  /// and the first the better at the whole of it: a third of three times the epochs.
  private static func chooseTheCode(
    _ page: Page, _ study: Study, _ learning: LatentLearning, on draw: LabelDraw
  ) throws -> LatentCode {
    func best(_ codes: [LatentCode], _ epochs: Int) throws -> LatentCode {
      let one = setting(rate: 3e-3, epochs: epochs)
      return codes[try study.choose([GenerativeArms.both("both", codes, [one])], on: [draw])[0][0]]
    }
    func code(_ kind: LatentLearning.Kind) -> LatentCode { LatentCode(learning, kind) }
    let epochs = settings[0].epochs
    return try best([code(.small), try best([code(.spread), code(.warmed)], epochs)], 3 * epochs)
  }
  // snippet.end

  /// M1+M2 for three times as long, on all draws of 1,000 labels and on the kit's split, and with 1,000
  /// labels the classifier alone for about as many steps: a diagnosis, by which nothing is chosen.
  private static func trainLonger(
    _ page: Page, _ study: Study, _ code: LatentCode, _ choices: [Int],
    _ outcomes: [[[Study.Outcome]]], _ draws: [[LabelDraw]]
  ) throws {
    let longer = settings.map { setting(rate: $0.rate, epochs: 3 * $0.epochs) }
    let arms = LatentArms.arms(code, longer, steps: 3 * steps)
    let (both, alone) = (arms.last!, arms[Kind.allCases.firstIndex(of: .patient)!])
    let long = try study.run([both], choices.map { [$0] }, on: draws)
    var report = OutcomeReport(page)
    report.add("long", labels: 1000, long[0][0])
    report.add(
      "alone.long", labels: 1000, try study.run([alone], [[0]], on: [draws[0]])[0][0])
    report.giveValues()
    page.value(
      "miss.long.1000", Spread(report.errors("long", 1000)).mean - 3, tolerance: 0.4, unit: "points"
    )
    page.value(
      "miss.long.3000", long[1][0][0].test.last! - 2.7, tolerance: 0.4, unit: "points")
    _ = report.giveDifference("long.gain.1000", "alone.long", minus: "long", 1000)
    for (group, draw) in draws.map({ $0[0] }).enumerated() {
      func short(_ kind: Kind) -> Study.Outcome {
        outcomes[group][Kind.allCases.firstIndex(of: kind)!][0]
      }
      for (name, outcome) in [
        ("network", short(.network)), ("patient", short(.patient)), ("short", short(.both)),
        ("long", long[group][0][0]),
      ] {
        page.value(
          "first.\(name).\(draw.labels).test", outcome.test.last!, tolerance: 0.8, unit: "%")
        page.value(
          "first.\(name).\(draw.labels).train", outcome.train.last!, tolerance: 0.8, unit: "%")
      }
    }
    page.claim(
      "So long, too, M1+M2 reads better than its classifier with 1,000 labels.",
      "long.gain.1000.low > 0")
    page.claim(
      "Three times the length lowers the test error on either draw.",
      "first.long.1000.test < first.short.1000.test and first.long.3000.test < first.short.3000.test"
    )
  }

  private static func giveSetting(_ page: Page, _ kind: Kind, _ choice: Int, _ labels: Int) {
    func value(_ name: String, _ value: Double) {
      page.value("\(kind.rawValue).\(labels).\(name)", value, tolerance: 10 * value)
    }
    switch kind {
    case .linear: value("cost", LatentArms.costs[choice])
    case .kernel: value("gamma", LatentArms.gammas[choice])
    case .pixels: value("rate", PixelReading.rates[choice])
    case .network: value("rate", LatentArms.rates[choice])
    case .patient: break
    case .both: value("rate", settings[choice].rate)
    }
  }

  private static func drawCurves(_ page: Page, _ report: OutcomeReport, _ counts: [Int]) {
    func end(_ kind: Kind) -> String {
      String(format: "%.1f", Spread(report.errors(kind.rawValue, counts[0])).mean)
    }
    page.figure(
      Figure(
        "curves",
        title: "With 1,000 labels M1+M2 ends at \(end(.both)) %, its classifier by labels alone at "
          + "\(end(.network)) %",
        size: (760, 640), columns: 2,
        panels: counts.flatMap { labels in
          [
            (Kind.network, "q(y|z₁) alone", "step (batches of 100)"),
            (.both, "M1+M2", "pass over the images without labels"),
          ].map { kind, words, axis in
            report.panel(
              "\(words), \(OutcomeReport.words(labels))", kind.rawValue, labels, x: Axis(axis),
              highest: 10)
          }
        }))
  }

  private static func compare(_ page: Page, _ report: OutcomeReport, _ counts: [Int]) {
    page.giveGains(
      [
        ("gain", "M1+M2 against its classifier alone", Kind.network.rawValue, Kind.both.rawValue),
        (
          "length.gain", "M1+M2 against that, about as many steps", Kind.patient.rawValue,
          Kind.both.rawValue
        ),
        (
          "pixels.gain", "M1+M2 against that network on pixels", Kind.pixels.rawValue,
          Kind.both.rawValue
        ),
        (
          "features.gain", "M1's features against pixels", Kind.pixels.rawValue,
          Kind.network.rawValue
        ),
      ], of: report, labels: counts,
      title:
        "After \(settings[0].epochs) passes M2 gains on its classifier with 1,000 labels; the code gains with both",
      axis: "test error of the other less that of the first, points", size: (820, 300))
    page.claim(
      "With 1,000 labels M1+M2 reads better than its classifier by labels alone, and than that with "
        + "about as many steps.", "gain.1000.low > 0 and length.gain.1000.low > 0")
    page.claim(
      "With 3,000 both intervals hold zero.",
      "gain.3000.low < 0 and gain.3000.high > 0 "
        + "and length.gain.3000.low < 0 and length.gain.3000.high > 0")
    page.claim(
      "M1's code gains more than M2 does on top of it, with either number of labels.",
      "features.gain.1000.low > gain.1000.high and features.gain.3000.low > gain.3000.high")
    page.claim(
      "M1+M2 misreads more of its own labelled images than the classifier alone, with either number of "
        + "labels.", "both.1000.train > network.1000.train and both.3000.train > network.3000.train"
    )
  }

  /// M2 alone and two traps, on one draw of 1,000 labels.
  private static func lookAtOneDraw(
    _ page: Page, _ data: MNIST, _ code: LatentCode, _ setting: GenerativeArms.Setting,
    _ report: OutcomeReport, _ both: Study.Outcome, _ draws: [LabelDraw]
  ) throws {
    let (study, styles) = (Study(page, data), StyleLooks(page))
    let alone = GenerativeArms.alone(styles, aloneSettings)
    let choice = try study.choose([alone], on: [draws.last!])[0][0]
    let chosen = aloneSettings[choice]
    let arms = GenerativeArms.traps(code, setting) + [alone]
    let outcomes = try study.run(arms, [[0, 0, choice]], on: [[draws[0]]])[0].map { $0[0] }
    for (name, outcome) in zip(["sampled", "fixed", "alone"], outcomes) {
      page.value("\(name).test", outcome.test.last!, tolerance: 1, unit: "%")
    }
    var lengths = OutcomeReport(page)
    for (name, outcome) in [("sampled", outcomes[0]), ("summed", both), ("alone", outcomes[2])] {
      lengths.add(name, labels: 1000, [outcome])
      lengths.giveLengths(name, 1000, tolerance: 3)
    }
    for (name, kind) in [("both.one", Kind.both), ("pixels.one", .pixels)] {
      page.value(name, report.errors(kind.rawValue, 1000)[0], tolerance: 1, unit: "%")
    }
    page.value("alone.train", outcomes[2].train.last!, tolerance: 1, unit: "%")
    page.value("alone.rate", chosen.rate, tolerance: 10 * chosen.rate)
    let look = try styles(page, chosen, data, on: draws[0])
    page.value("style.read", look.read, tolerance: 5, unit: "%")
    page.figure(
      Figure(
        "styles",
        title: "The style of the first digit of a row, in ten digits: "
          + "\(Int(look.read.rounded())) % are read as meant",
        size: (760, 620),
        panels: [
          Panel(
            marks: [
              .images(
                look.pictures,
                captions: look.pictures.indices.map {
                  $0 < look.pictures.count - 11 ? "" : $0 % 11 == 0 ? "image" : "\($0 % 11 - 1)"
                },
                columns: 11)
            ])
        ]))
  }

  private static func quotePapers(_ page: Page) {
    let source = "Kingma et al. 2014, table 1"
    for (name, words, few, many) in [
      ("nn", "NN", 10.7, 6.04), ("m1", "M1+TSVM", 4.24, 3.49), ("m2", "M2", 3.60, 3.92),
      ("m1m2", "M1+M2", 2.40, 2.18),
    ] {
      page.quote("theirs.\(name).1000", few, source: "\(source): \(words), 1,000 labels")
      page.quote("theirs.\(name).3000", many, source: "\(source): \(words), 3,000 labels")
    }
  }
}
