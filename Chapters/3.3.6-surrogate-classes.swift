import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.6: features of a network that learns to tell images apart, each a class of its own.
public enum SurrogateFeatures: Chapter {
  /// The chapter's number.
  public static let id = "3.3.6"
  /// The chapter's title.
  public static let title = "Surrogate classes: each image a class of its own"
  /// Rates, networks, candidates, draws.
  public static var hasRounds: Bool { true }

  private static let labelCounts = [1000, 3000]

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheCopies(page, data.train)
    drawTheNetwork(page)
    checkTheLoss(page, data.train)
    checkTheFeatures(page, data.train)
    checkTheParts(page)
    let learning = try SurrogateLearning(page, data.train)
    let trials = try learning.trials(page)
    let rate = SurrogateLearning.rates[
      page.choice(of: "rate on surrogate classes", by: trials.errors)]
    page.value("cold.loss", trials.loss, tolerance: 0.1)
    page.value("rate.best", rate, tolerance: 3 * rate)
    let networks = learning.networks(page, rate: rate)
    let looks = try networks.looks(page)
    let best = chooseTheCount(page, looks)
    lookAtTheCost(page, looks)
    try readDigits(
      page, data, SurrogateArms.arms(page, data.train, networks, best: best, rate: rate))
    answerTheExercises(page)
  }

  private static func drawTheCopies(_ page: Page, _ set: ImageSet) {
    var noise = RandomStream(seed: page.seed, id, "shown copies")
    let (seeds, across) = ([1, 3, 5, 7], 9)
    let pictures = seeds.flatMap { seed in
      [set.images([seed]).values]
        + (1..<across).map { _ in SurrogateBatches.change(set.images([seed]), &noise).values }
    }
    page.figure(
      Figure(
        "copies", title: "Four images, and eight changed copies of each: four classes",
        size: (760, 360),
        panels: [
          Panel(marks: [
            .images(
              pictures, captions: [String](repeating: "", count: pictures.count), columns: across)
          ])
        ]))
  }

  private static func drawTheNetwork(_ page: Page) {
    page.figure(
      Figure(
        "network",
        title: "It learns which image a copy is of; then a machine reads its layers",
        size: (860, 330), columns: 2,
        panels: [
          NetworkDiagram.panel(
            "learning without labels",
            [
              .init("x", "784 pixels", units: 9), .init("c₁", "64 maps", units: 6),
              .init("c₂", "64 maps", units: 6), .init("h", "128 units", units: 5, hollow: [1, 3]),
              .init("P", "N images", units: 9),
            ]),
          NetworkDiagram.panel(
            "reading: quadrants of the maps, and the units",
            [
              .init("x", "784 pixels", units: 9), .init("c₁, c₂, h", "512 + 128", units: 8),
              .init("y", "10 digits", units: 4),
            ]),
        ]))
  }
}

// MARK: - The objective

extension SurrogateFeatures {
  /// Copies belong to their seeds; with output weights of 0 the loss is that of the biases alone,
  /// whatever dropout does to the units.
  private static func checkTheLoss(_ page: Page, _ set: ImageSet) {
    let seeds = set.withoutLabels(Array(0..<12))
    var noise = RandomStream(seed: page.seed, id, "check of the loss")
    let network = ExemplarNetwork(classes: 12, filters: [2, 2], units: 4, using: &noise)
    network.output.weight.value = Tensor(repeating: 0, [12, 4])
    network.output.bias.value = noise.normal([12], deviation: 2)
    var source = SurrogateBatches(of: seeds, size: 30, seed: page.seed, name: id) { x, _ in x }
    let batch = source.next(using: &noise)
    page.check(
      "without a change a copy is the image of its class",
      Double((batch.images - seeds(batch.classes)).sumOfSquares()), atMost: 0)
    let tape = Tape()
    let total = SurrogateClasses(network).loss(
      batch, at: Moment(step: 0, epoch: 0), on: tape, using: &noise
    ).total
    let biases = network.output.bias.value.values.map(Double.init)
    let mass = biases.reduce(0) { $0 + exp($1) }
    let n = Double(batch.classes.count)
    let wanted = batch.classes.reduce(0.0) { $0 + log(mass) - biases[$1] } / n
    page.check(
      "the loss of thirty copies, against Double", Double(total.value.scalar), near: wanted,
      tolerance: 1e-5)
    let gradient = tape.backward(from: total)[network.output.bias].values.map(Double.init)
    let slopes = biases.indices.map { k in
      exp(biases[k]) / mass - Double(batch.classes.count { $0 == k }) / n
    }
    page.check(
      "its slope in the biases: probability less share", Routes.distance(gradient, slopes),
      atMost: 1e-5)
  }

  /// The features of two digits by plain loops.
  private static func checkTheFeatures(_ page: Page, _ set: ImageSet) {
    var stream = RandomStream(seed: page.seed, id, "check of the features")
    let network = ExemplarNetwork(classes: 5, filters: [3, 4], units: 6, using: &stream)
    for layer in network.convolutions { layer.bias.value = stream.normal(layer.bias.value.shape) }
    let wanted = [0, 7].flatMap { PlainFeatures.features(set.images([$0]), network) }
    let given = network.features(set.images([0, 7])).values.map(Double.init)
    page.check(
      "features of two digits, by plain loops", Routes.distance(given, wanted), atMost: 1e-5)
  }

  /// The two parts of a loss, by hand and against the whole.
  private static func checkTheParts(_ page: Page) {
    // Masses 1, 2, 3, 4: the image has 1/10, its digit 3/10, the image among its digit's 1/3.
    let hand = SurrogateLook.parts([0, log(2), log(3), log(4)], of: 0, [6, 6, 9, 9])
    page.check(
      "the loss for the digit, by hand", hand.digit, near: 1.2039728, tolerance: 1e-6)
    var stream = RandomStream(seed: page.seed, id, "check of the parts")
    let logits = stream.normal([6, 40], deviation: 3)
    let classes = [3, 39, 0, 17, 3, 20]
    let digits = (0..<40).map { $0 % 7 }
    let tape = Tape(recording: false)
    let whole = softmaxCrossEntropy(logits: tape.constant(logits), labels: classes).value.scalar
    let parts = classes.enumerated().reduce(0.0) { sum, entry in
      let row = logits.rows(entry.offset..<entry.offset + 1).values.map(Double.init)
      let parts = SurrogateLook.parts(row, of: entry.element, digits)
      return sum + (parts.digit + parts.image) / Double(classes.count)
    }
    page.check(
      "both parts together are the loss", (parts - Double(whole)) / parts, atMost: 1e-5)
  }
}

// MARK: - What the networks have become

extension SurrogateFeatures {
  private static func chooseTheCount(
    _ page: Page, _ looks: [Pretext: SurrogateLook]
  ) -> Pretext {
    for pretext in Pretext.all {
      page.value(
        "\(pretext.key).validation", Spread(looks[pretext]!.errors), tolerance: 0.6, unit: "%")
    }
    let counts = Pretext.counts
    let own = counts.map { looks[.images($0)]! }
    for (count, look) in zip(counts, own) {
      let name = "images\(count)"
      for (part, error) in zip(["third", "twoThirds", "whole"], look.padded) {
        page.value("\(name).\(part)", error, tolerance: 0.7, unit: "%")
      }
      page.value("\(name).right", look.rightShare, tolerance: 5, unit: "%")
      page.value("\(name).within", look.withinShare, tolerance: 4, unit: "%")
      page.value("\(name).digitLoss", look.digitLoss, tolerance: 0.1)
      page.value("\(name).imageLoss", look.imageLoss, tolerance: 0.3)
    }
    page.table(
      ["learnt", "validation", "right", "wrong within digit", "loss: digit", "loss: image"],
      Pretext.all.map { pretext in
        let look = looks[pretext]!
        return [pretext.key]
          + [
            Spread(look.errors).mean, look.rightShare, look.withinShare, look.digitLoss,
            look.imageLoss,
          ].map { String(format: "%.2f", $0) }
      })
    let choice = page.choice(of: "number of images", by: own.map { Spread($0.errors).mean })
    page.value("classes.best", Double(counts[choice]), tolerance: Double(counts[choice]))
    page.difference(
      "fewer.gain",
      PairedDifference(own.last!.errors, minus: own[counts.firstIndex(of: 1000)!].errors),
      tolerance: 0.3)
    page.claim(
      "The features of all 8,000 are not shown to be worse than those of 1,000.",
      "fewer.gain.low < 0 and fewer.gain.high > 0")
    drawTheCounts(page, counts, own, looks)
    return .images(counts[choice])
  }

  private static func drawTheCounts(
    _ page: Page, _ counts: [Int], _ own: [SurrogateLook], _ looks: [Pretext: SurrogateLook]
  ) {
    let axis = Axis(
      "images that are classes", scale: .log, range: 50...10_000,
      ticks: counts.map { (Double($0), "\($0)") })
    let points = zip(counts, own).map { (x: Double($0), spread: Spread($1.errors)) }
    let others = [(Pretext.unchanged, "never changed"), (.digits, "told the digits")].map {
      Mark.points(
        $1, [(x: Double($0.count), y: Spread(looks[$0]!.errors).mean)],
        colour: $0 == .digits ? 2 : 1)
    }
    func loss(_ part: (SurrogateLook) -> Double) -> [Mark.Point] {
      zip(counts, own).map { (x: Double($0), y: part($1)) }
    }
    page.figure(
      Figure(
        "classes", title: "More images as classes leave more of the loss, and are read no better",
        size: (860, 360), columns: 2,
        panels: [
          Panel(
            title: "reading by 3,000 labels", x: axis,
            y: Axis("error on validation, %"),
            marks: [
              .band(
                "",
                points.map {
                  ($0.x, $0.spread.mean - $0.spread.deviation, $0.spread.mean + $0.spread.deviation)
                }, colour: 0),
              .line("surrogate", points.map { ($0.x, $0.spread.mean) }, colour: 0),
              .points("", points.map { ($0.x, $0.spread.mean) }, colour: 0),
            ] + others),
          Panel(
            title: "fresh copies", x: axis, y: Axis("mean loss, nats", range: 0...9.5),
            marks: [
              .line("ln N", counts.map { (x: Double($0), y: log(Double($0))) }, colour: 3),
              .line("for the image", loss(\.imageLoss), colour: 4),
              .line("for the digit", loss(\.digitLoss), colour: 6),
            ]),
        ]))
    page.figure(
      Figure(
        "learning",
        title: "The more images are classes, the less of the loss is learnt in the same steps",
        size: (760, 340),
        panels: [
          Panel(
            x: Axis("step (batches of 100 copies)", range: 0...Double(SurrogateLearning.steps)),
            y: Axis("loss, as a share of ln N", range: 0...1),
            marks: zip(counts, own).enumerated().map { colour, pair in
              let (count, losses) = (pair.0, pair.1.losses)
              let step = Double(SurrogateLearning.steps) / Double(max(1, losses.count - 1))
              return .line(
                "\(count)",
                losses.enumerated().map { (x: Double($0) * step, y: $1 / log(Double(count))) },
                colour: colour)
            })
        ]))
  }

  /// What it costs that two images of one digit are two classes, and what it is to change nothing.
  private static func lookAtTheCost(_ page: Page, _ looks: [Pretext: SurrogateLook]) {
    let look = looks[.images(1000)]!
    let shares = look.copies.indices.map { 100 * look.right[$0] / max(1, look.copies[$0]) }
    for (name, digit) in [
      ("hardest", shares.indices.min { shares[$0] < shares[$1] }!),
      ("easiest", shares.indices.max { shares[$0] < shares[$1] }!),
    ] {
      page.value("\(name).digit", Double(digit), tolerance: 0)
      page.value("\(name).right", shares[digit], tolerance: 6, unit: "%")
    }
    let all = look.copies.reduce(0, +)
    page.value(
      "chance.within", 100 * look.copies.reduce(0) { $0 + $1 * $1 } / (all * all), tolerance: 0.5,
      unit: "%")
    page.claim(
      "Of the copies that are taken for a wrong image more than half are taken for one of the same "
        + "digit.", "images1000.within > 50")
    let rows = look.taken.map { row in
      row.map { 100 * $0 / max(1, row.reduce(0, +)) }
    }
    page.figure(
      Figure(
        "confusion",
        title: String(
          format: "Of all wrong answers, %.0f %% name an image of the same digit", look.withinShare),
        size: (620, 520),
        panels: [
          Panel(
            x: Axis(
              "digit of the image that it is taken for",
              ticks: (0...9).map { (Double($0), "\($0)") }),
            y: Axis(
              "digit of the copy (rows: % of its wrong answers)",
              ticks: (0...9).map { (Double(9 - $0), "\($0)") }),
            marks: [
              .heatmap(rows, labels: rows.map { $0.map { String(format: "%.0f", $0) } })
            ])
        ]))
    let own = looks[.images(1000)]!.errors
    page.difference(
      "digits.gain", PairedDifference(own, minus: looks[.digits]!.errors), tolerance: 0.6)
    page.difference(
      "change.gain", PairedDifference(looks[.unchanged]!.errors, minus: own), tolerance: 0.6)
    page.value("unchanged.right", looks[.unchanged]!.rightShare, tolerance: 5, unit: "%")
    page.claim(
      "Told the digits of its images, the network has features that read better.",
      "digits.gain.low > 0")
    page.claim(
      "Its interval holds zero, so that three draws do not show it.",
      "change.gain.low < 0 and change.gain.high > 0")
  }
}

extension SurrogateLook {
  /// The errors at each third; a quick run has the last alone.
  fileprivate var padded: [Double] {
    thirds.count == 3 ? thirds : [Double](repeating: thirds.last!, count: 3)
  }
}

// MARK: - What it is worth

extension SurrogateFeatures {
  private typealias Kind = SurrogateArms.Kind

  private static func readDigits(_ page: Page, _ data: MNIST, _ arms: [Study.Arm]) throws {
    let study = Study(page, data)
    var report = OutcomeReport(page)
    let draws = labelCounts.map { LabelDraw.all(labels: $0, page) }
    let choices = try study.choose(arms, on: draws.map { $0.last! })
    let outcomes = try study.run(arms, choices, on: draws)
    for (group, labels) in labelCounts.enumerated() {
      for ((kind, choice), outcomes) in zip(zip(Kind.allCases, choices[group]), outcomes[group]) {
        let setting = (kind.isNetwork ? SurrogateLearning.rates : SurrogateArms.costs)[choice]
        page.value(
          "\(kind.rawValue).\(labels).setting", setting,
          tolerance: (kind.isNetwork ? 3 : 10) * setting)
        report.add(kind.rawValue, labels: labels, outcomes)
      }
    }
    // What is best at a third of the steps need not be best at all of them: with 1,000 labels a
    // control, the network at the rate below the one that it chose.
    let network = Kind.allCases.firstIndex(of: .supervised)!
    let slower = max(0, choices[0][network] - 1)
    let control = try study.run([arms[network]], [[slower]], on: [draws[0]])
    report.add("slower", labels: 1000, control[0][0])
    page.giveValidation(
      [("supervised", outcomes[0][network]), ("slower", control[0][0])], labels: 1000)
    let rate = SurrogateLearning.rates[slower]
    page.value("slower.1000.rate", rate, tolerance: 3 * rate)
    report.giveValues()
    report.giveSeconds("surrogate", "supervised")
    for labels in labelCounts {
      for kind in Kind.allCases where kind.isNetwork { report.giveLengths(kind.rawValue, labels) }
    }
    page.figure(
      Figure(
        "curves",
        title: "Images as they are get learnt by heart, changed copies do not",
        size: (760, 640), columns: 2,
        panels: labelCounts.flatMap { labels in
          // With 1,000 labels validation prefers the lower rate.
          [
            (
              labels == 1000 ? "slower" : Kind.supervised.rawValue,
              labels == 1000 ? "as they are, lower rate" : "as they are"
            ),
            (Kind.changed.rawValue, "changed copies"),
          ].map { key, words in
            report.panel(
              "\(words), \(OutcomeReport.words(labels))", key, labels,
              x: Axis("step (batches of 100)"), highest: 12)
          }
        }))
    compare(page, report)
  }

  private static func compare(_ page: Page, _ report: OutcomeReport) {
    page.giveGains(
      [
        ("pixels.gain", "pixels", Kind.pixels), ("learning.gain", "random weights", .untrained),
        ("patches.gain", "patches", .patches),
        ("supervised.gain", "the network on labels", .supervised),
        ("changed.gain", "the same on changed copies", .changed),
      ].map { ($0, $1, $2.rawValue, Kind.surrogate.rawValue) },
      [
        (
          ("slower.gain", "the network on labels, lower rate", "slower", Kind.surrogate.rawValue),
          1000
        )
      ], of: report, labels: labelCounts,
      title: "Surrogate features gain on pixels, and are not seen to gain on changed copies",
      axis: "test error of the other less that on surrogate features, points", size: (820, 410))
    page.claim(
      "A linear machine reads surrogate features better than pixels, with either number of labels.",
      "pixels.gain.1000.low > 0 and pixels.gain.3000.low > 0")
    page.claim(
      "It reads them better than the features of the same network at random weights, and than "
        + "patches.",
      "learning.gain.1000.low > 0 and learning.gain.3000.low > 0 "
        + "and patches.gain.1000.low > 0 and patches.gain.3000.low > 0")
    page.claim(
      "At full length it prefers the lower rate.",
      "slower.1000.validation < supervised.1000.validation")
    page.claim(
      "Over the network at the lower rate the interval holds zero with 1,000 labels too, and less "
        + "than half of the gain is left.",
      "slower.gain.1000.low < 0 and slower.gain.1000.high > 0 "
        + "and slower.gain.1000 < 0.5 * supervised.gain.1000")
    page.claim(
      "With 1,000 labels it errs less than the network that had the labels alone at the rate of "
        + "the choice.", "0 < supervised.gain.1000.low")
    page.claim(
      "With 3,000 the interval holds zero.",
      "supervised.gain.3000.low < 0 and supervised.gain.3000.high > 0")
    page.claim(
      "Against the network that had the changes for its labelled images neither interval shows a "
        + "difference.",
      "changed.gain.1000.low < 0 and changed.gain.1000.high > 0 "
        + "and changed.gain.3000.low < 0 and changed.gain.3000.high > 0")
    page.claim(
      "From two thirds of the steps to the end the error falls by more than 0.2 points with 4,000 images, "
        + "and by less than 0.1 with any other number.",
      "images4000.twoThirds - images4000.whole > 0.2 and "
        + [60, 125, 250, 1000, 8000].map {
          "images\($0).twoThirds - images\($0).whole < 0.1"
        }.joined(separator: " and "))
    page.quote("cnn.1000", 6.45, source: "Kingma et al. 2014, table 1: CNN, 1,000 labels")
    page.quote("cnn.3000", 3.35, source: "Kingma et al. 2014, table 1: CNN, 3,000 labels")
  }

  private static func answerTheExercises(_ page: Page) {
    page.value("exercise.digit", log(800.0), tolerance: 1e-9)
    page.value("exercise.uniform", log(8000.0), tolerance: 1e-9)
  }
}
