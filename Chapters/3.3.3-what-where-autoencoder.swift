import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.3: a convolutional network that has to draw what it classifies.
public enum WhatWhere: Chapter {
  /// The chapter's number.
  public static let id = "3.3.3"
  /// The chapter's title.
  public static let title = "What-where auto-encoder: to classify and to draw"
  /// What small networks draw, candidates, draws.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheNetwork(page)
    checkTheSwitches(page, data.train)
    checkTheLoss(page, data.train)
    checkTheCase(page, data.train)
    try lookAtDrawings(page, data.train)
    try readDigits(page, data)
  }

  private static func drawTheNetwork(_ page: Page) {
    var flow = FlowDiagram(width: 120, height: 50, head: 1.02)
    flow.box(["x", "28 × 28"], x: 1...14, y: 36...48)
    flow.box(["64 filters, 5 × 5", "h¹, 24 × 24"], x: 20...40, y: 36...48)
    flow.box(["64 filters, 3 × 3", "largest of 2 × 2", "h², 11 × 11"], x: 46...66, y: 34...50)
    flow.box(["64 filters, 3 × 3", "9 × 9"], x: 78...98, y: 36...48)
    flow.box(["10 outputs"], x: 104...119, y: 37...47)
    flow.box(["5 × 5 back", "x̃, 28 × 28"], x: 1...15, y: 2...14)
    flow.box(["unpooled,", "3 × 3 back", "h̃¹, 24 × 24"], x: 20...40, y: 0...16)
    flow.box(["3 × 3 back", "h̃², 11 × 11"], x: 53...70, y: 2...14)
    flow.arrow([(14, 42), (20, 42)], colour: 0)
    flow.arrow([(40, 42), (46, 42)], colour: 0)
    flow.arrow([(66, 42), (78, 42)], colour: 0)
    flow.arrow([(98, 42), (104, 42)], colour: 0)
    flow.arrow([(88, 36), (88, 8), (70, 8)], colour: 0)
    flow.arrow([(53, 6), (40, 6)], colour: 0)
    flow.arrow([(20, 8), (15, 8)], colour: 0)
    flow.arrow([(48, 34), (48, 11), (40, 11)], colour: 1)
    flow.note("the what", x: 72, y: 45)
    flow.note("the where", x: 55, y: 20)
    let costs = [
      ("cost of the pixels", "‖x − x̃‖²", 8.5), ("cost of the middle", "‖h¹ − h̃¹‖²", 30),
      ("cost of the middle", "‖h² − h̃²‖²", 63), ("cross-entropy, where", "there is a label", 108),
    ]
    for (upper, lower, x) in costs {
      flow.note(upper, x: x, y: 29)
      flow.note(lower, x: x, y: 25)
    }
    page.figure(
      Figure(
        "network", title: "The what goes up, the where goes across",
        size: (820, 350), panels: [flow.panel]))
  }
}

// MARK: - The switches

extension WhatWhere {
  private static func checkTheSwitches(_ page: Page, _ set: ImageSet) {
    let images = set.images(0..<1000)
    let tape = Tape(recording: false)
    let (what, switches) = maximumPool(tape.constant(images))
    let told = unpool(what, switches, to: images.shape).value
    let first = Tensor(repeating: 0, switches.shape)
    let fixed = unpool(what, first, to: images.shape).value
    let (x, z) = (images.values, told.values)
    var (misplaced, ink, left) = (0, 0.0, 0.0)
    for block in 0..<images.count / 4 {
      let (row, column) = (block / 14, block % 14)
      let corner = row * 2 * ImageSet.side + column * 2
      let places = [corner, corner + 1, corner + ImageSet.side, corner + ImageSet.side + 1]
      let best = places.first { place in places.allSatisfy { x[$0] <= x[place] } }!
      misplaced += places.count { z[$0] != ($0 == best ? x[best] : 0) }
      ink += places.reduce(0) { $0 + Double(x[$1]) * Double(x[$1]) }
      left += Double(x[best]) * Double(x[best])
    }
    page.check(
      "pixels that pooling and unpooling leave elsewhere than a plain search", Double(misplaced),
      atMost: 0)
    func error(_ drawn: Tensor) -> Double { Double((images - drawn).sumOfSquares()) }
    page.check(
      "‖x − z‖² over ‖x‖² − ‖largest‖², in Double", error(told) / (ink - left), near: 1,
      tolerance: 1e-5)
    page.value("pixels.where", 100 * error(told) / ink, tolerance: 0.01, unit: "%")
    page.value("pixels.fixed", 100 * error(fixed) / ink, tolerance: 0.01, unit: "%")

    var stream = RandomStream(seed: page.seed, id, "switches")
    let shape: Shape = [5, 7, 9, 6]
    let some = stream.uniform([5, 7, 4, 3], in: 0.1..<1)
    let anywhere = stream.uniform([5, 7, 4, 3], in: 0..<4).map { $0.rounded(.down) }
    let again = maximumPool(unpool(tape.constant(some), anywhere, to: shape))
    page.check(
      "what and where that come back from unpooling and pooling",
      Double(
        max(
          (again.what.value - some).maximumMagnitude(),
          (again.switches - anywhere).maximumMagnitude())), atMost: 0)
  }
}

// MARK: - The loss

extension WhatWhere {
  /// The first digits of a set, some with their labels and some without.
  private static func batch(
    _ page: Page, _ set: ImageSet, _ labelled: Int, _ unlabelled: Int
  ) -> PairedBatch {
    let (seed, name, last) = (page.seed, "3.3.3/check", labelled + unlabelled)
    var source = PairedBatches(
      LabelledBatches(
        of: set, Array(0..<labelled), size: labelled, seed: seed, name: name),
      UnlabelledBatches(
        of: set.withoutLabels(Array(labelled..<last)), size: unlabelled, seed: seed, name: name))
    var unused = RandomStream(seed: seed, id, "unused")
    return source.next(using: &unused)
  }

  /// (3)4c-2p-(2)2c-2p-(2)3c-10fc, whose poolings leave out odd rows, with random numbers for all
  /// weights.
  private static func tiny(
    _ page: Page, _ change: (inout WhatWhereAutoencoder.Plan) -> Void = { _ in }
  ) -> WhatWhereAutoencoder {
    var plan = WhatWhereAutoencoder.Plan()
    plan.blocks = [
      .init(filters: 3, kernel: 4, pools: true), .init(filters: 2, kernel: 2, pools: true),
      .init(filters: 2, kernel: 3),
    ]
    (plan.reconstruction, plan.middle) = (0.3, 0.2)
    change(&plan)
    var stream = RandomStream(seed: page.seed, id, "tiny")
    let network = WhatWhereAutoencoder(plan, using: &stream)
    for parameter in network.parameters {
      parameter.value = stream.normal(parameter.value.shape) * 0.3
    }
    return network
  }

  private static func checkTheLoss(_ page: Page, _ set: ImageSet) {
    let batch = batch(page, set, 2, 3)
    let size = ImageSet.pixelsPerImage
    let pixels = (batch.labelled.images.values + batch.unlabelled.values).map(Double.init)
    let images = (0..<5).map { image in
      (0..<ImageSet.side).map { row in
        let start = image * size + row * ImageSet.side
        return Array(pixels[start..<start + ImageSet.side])
      }
    }
    for knowsWhere in [true, false] {
      let network = tiny(page) { $0.knowsWhere = knowsWhere }
      let plain = PlainWhatWhere(network.plan)
      let parameters = network.parameters
      let w = parameters.map { $0.value.values.map(Double.init) }
      func loss(_ w: [[Double]]) -> Double {
        plain.loss(w, images: images, labels: batch.labelled.labels)
      }
      let tape = Tape()
      var stream = RandomStream(seed: page.seed, id, "directions")
      let total = network.loss(
        batch, at: Moment(step: 0, epoch: 0), on: tape, using: &stream
      ).total
      let gradients = tape.backward(from: total)
      let words = knowsWhere ? "told the where" : "at fixed places"
      page.check(
        "\(words): the loss of five digits, against Double",
        Double(total.value.scalar) / loss(w) - 1, atMost: 3e-6)
      /// The slope of the plain loss along directions of some parameters, and what the tape says.
      func check(_ name: String, _ directions: [Int: Tensor]) {
        let slope = Routes.centralDifference(at: 0, step: 1e-6) { t in
          loss(
            w.enumerated().map { index, w in
              guard let direction = directions[index] else { return w }
              return zip(w, direction.values).map { $0 + t * Double($1) }
            })
        }
        let found = directions.reduce(0.0) { $0 + gradients[parameters[$1.key]].dot($1.value) }
        page.check("\(words): \(name)", found / slope - 1, atMost: 1e-4)
      }
      func normal(_ indices: Range<Int>) -> [Int: Tensor] {
        Dictionary(
          uniqueKeysWithValues: indices.map { ($0, stream.normal(parameters[$0].value.shape)) })
      }
      check("the gradient of what classifies, which draws as well", normal(0..<8))
      check("the gradient of the decoder", normal(8..<14))
      let direction = stream.normal(parameters[0].value.shape)
      check("filters that are tied: the sum of both gradients", [0: direction, 8: direction])
    }
  }

  /// Without the terms of the decoder nothing but a supervised network is left.
  private static func checkTheCase(_ page: Page, _ set: ImageSet) {
    func compare(_ network: WhatWhereAutoencoder, _ batch: PairedBatch) -> (Double, Double) {
      let noise = RandomStream(seed: page.seed, id, "dropout")
      func gradients(
        _ loss: (Tape, inout RandomStream) -> Loss
      ) -> (loss: Float, values: [Tensor]) {
        let tape = Tape()
        var noise = noise
        let total = loss(tape, &noise).total
        let found = tape.backward(from: total)
        return (total.value.scalar, network.parameters.map { found[$0] })
      }
      let moment = Moment(step: 0, epoch: 0)
      let ours = gradients { network.loss(batch, at: moment, on: $0, using: &$1) }
      let theirs = gradients {
        Supervised(network).loss(batch.labelled, at: moment, on: $0, using: &$1)
      }
      let off = zip(ours.values, theirs.values).map { ($0 - $1).maximumMagnitude() }.max()!
      return (Double(ours.loss - theirs.loss), Double(off))
    }
    var plan = WhatWhereAutoencoder.Plan()
    (plan.reconstruction, plan.middle, plan.keep) = (0, 0, 0.5)
    var stream = RandomStream(seed: page.seed, id, "the paper's network")
    let network = WhatWhereAutoencoder(plan, using: &stream)
    let zero = compare(network, batch(page, set, 10, 6))
    page.check("λ = 0: the loss less that of labels alone", zero.0, atMost: 0)
    page.check("λ = 0: the gradient less that of labels alone", zero.1, atMost: 0)
    // With so small a weight the decoder works, and what it says is lost in the rounding.
    let small = compare(
      tiny(page) { ($0.reconstruction, $0.middle, $0.keep) = (1e-30, 1e-30, 0.5) },
      batch(page, set, 2, 3))
    page.check("λ = 1e-30: the loss less that of labels alone", small.0, atMost: 0)
    page.check("λ = 1e-30: the gradient less that of labels alone", small.1, atMost: 1e-5)

    var (products, side, channels) = (0, ImageSet.side, 1)
    for block in plan.blocks {
      side -= block.kernel - 1
      products += side * side * channels * block.filters * block.kernel * block.kernel
      if block.pools { side /= 2 }
      channels = block.filters
    }
    page.value("products", Double(products))

    let untold = tiny(page) { $0.knowsWhere = false }
    let (images, others) = (set.images(0..<20), set.images(20..<40))
    page.check(
      "at fixed places: drawings less those at the where of other digits",
      Double(
        (untold.reconstructed(images) - untold.reconstructed(images, whereOf: others))
          .maximumMagnitude()), atMost: 0)
  }
}

// MARK: - What the where is worth to a drawing

extension WhatWhere {
  /// The share of the ink's squares that lies outside the upper left pixels of some side, in percent.
  private static func share(of set: ImageSet, outside side: Int) -> Double {
    let squares = set.images(Array(0..<min(10_000, set.count))).flattenedImages().map { $0 * $0 }
    let (sums, width) = (squares.sumOfRows(), ImageSet.side)
    let inside = (0..<sums.count).reduce(0.0) {
      $0 + ($1 / width < side && $1 % width < side ? Double(sums[$1]) : 0)
    }
    return 100 * (1 - inside / (0..<sums.count).reduce(0.0) { $0 + Double(sums[$1]) })
  }

  private static func lookAtDrawings(_ page: Page, _ set: ImageSet) throws {
    let outcomes = try DrawingTraining.run(page, set)
    func outcome(_ poolings: Int, _ knowsWhere: Bool) -> DrawingTraining.Outcome {
      outcomes[.init(poolings: poolings, knowsWhere: knowsWhere)]!
    }
    let none = outcome(0, true)
    page.value("drawing0", none.error, tolerance: 2, unit: "%")
    for poolings in 1...3 {
      page.value("told\(poolings)", outcome(poolings, true).error, tolerance: 3, unit: "%")
      page.value("untold\(poolings)", outcome(poolings, false).error, tolerance: 6, unit: "%")
    }
    // What three poolings reach at fixed places, and what two do.
    page.value("outside.three", share(of: set, outside: 17), tolerance: 0.5, unit: "%")
    page.value("outside.two", share(of: set, outside: 25), tolerance: 0.5, unit: "%")
    page.table(
      ["poolings", "told the where", "at fixed places"],
      (1...3).map { poolings in
        ["\(poolings)"]
          + [true, false].map { String(format: "%.1f %%", outcome(poolings, $0).error) }
      })
    page.claim(
      "With two poolings and with three, a decoder that is not told the where draws worse.",
      "untold2 > told2 and untold3 > told3")
    page.claim("With one it draws a little better.", "untold1 < told1")
    func line(_ name: String, _ knowsWhere: Bool, _ colour: Int) -> Mark {
      .line(
        name,
        [(x: 0, y: none.error)]
          + (1...3).map { (x: Double($0), y: outcome($0, knowsWhere).error) }, colour: colour)
    }
    page.figure(
      Figure(
        "cost", title: "From two poolings on a drawing that is not told the where misses more",
        size: (760, 300),
        panels: [
          Panel(
            x: Axis("poolings of 2 × 2", ticks: (0...3).map { (Double($0), "\($0)") }),
            y: Axis("error of the drawing, % of the ink"),
            marks: [line("told the where", true, 0), line("at fixed places", false, 1)])
        ]))
    let originals = DrawingTraining.originals(set)
    func row(_ title: String, _ pictures: [[Float]]) -> Panel {
      Panel(
        title: title,
        marks: [.images(pictures, captions: pictures.map { _ in "" }, columns: pictures.count)])
    }
    page.figure(
      Figure(
        "drawings", title: "After three poolings fixed places draw the upper left corner alone",
        size: (860, 380), columns: 2,
        panels: [row("the digits", originals), row("the digits", originals)]
          + (1...3).flatMap { poolings in
            [true, false].map { knowsWhere in
              row(
                "\(knowsWhere ? "told the where" : "at fixed places"), poolings: \(poolings)",
                outcome(poolings, knowsWhere).drawings)
            }
          }))

    for poolings in [1, 3] {
      let found = outcome(poolings, true)
      page.value("exchanged\(poolings).what", found.errorByWhat, tolerance: 15, unit: "%")
      page.value("exchanged\(poolings).where", found.errorByWhere, tolerance: 8, unit: "%")
    }
    page.claim(
      "With one pooling the drawing is closer to the digit that gave the what, and with three to the "
        + "one that gave the where.",
      "exchanged1.what < exchanged1.where and exchanged3.where < exchanged3.what")
    page.figure(
      Figure(
        "exchanged", title: "Each digit's what, drawn at the where of the next",
        size: (560, 430),
        panels: [
          row("the what is of", originals),
          row("the where is of", Array(originals.dropFirst()) + [originals[0]]),
          row("drawn, poolings: 1", outcome(1, true).exchangedDrawings),
          row("drawn, poolings: 3", outcome(3, true).exchangedDrawings),
        ]))
  }
}

// MARK: - What it is worth to reading

extension WhatWhere {
  private typealias Kind = WhatWhereTraining.Kind

  private static func readDigits(_ page: Page, _ data: MNIST) throws {
    let study = Study(page, data)
    let arms = Kind.allCases.map(WhatWhereTraining.arm)
    let counts = [1000, 3000]
    let draws = counts.map { LabelDraw.all(labels: $0, page) }
    let choices = try study.choose(arms, on: draws.map { $0.last! })
    // A control beside what labels alone have chosen: the rate of the others.
    let rate = WhatWhereTraining.rates.firstIndex(of: WhatWhereTraining.settings(.told)[0].rate)!
    let outcomes = try study.run(
      arms + [WhatWhereTraining.arm(.labels)], choices.map { $0 + [rate] }, on: draws)
    var report = OutcomeReport(page)
    for (group, labels) in counts.enumerated() {
      for ((kind, choice), outcomes) in zip(zip(Kind.allCases, choices[group]), outcomes[group]) {
        let setting = WhatWhereTraining.settings(kind)[choice]
        if kind == .labels {
          page.value("labels.\(labels).rate", setting.rate, tolerance: 3 * setting.rate)
        } else {
          let weight = setting.reconstruction
          page.value("\(kind.rawValue).\(labels).weight", weight, tolerance: 10 * weight)
          if !page.isQuick {
            page.check(
              "\(kind.rawValue), \(labels) labels: weights above the best",
              Double(WhatWhereTraining.reconstructions.count - 1 - choice), atLeast: 1)
          }
        }
        report.add(kind.rawValue, labels: labels, outcomes)
      }
      report.add("same", labels: labels, outcomes[group].last!)
      page.giveValidation(
        [("labels", outcomes[group][0]), ("same", outcomes[group].last!)], labels: labels)
    }
    report.giveValues()
    report.giveSeconds("where", "labels")
    for labels in counts {
      for kind in Kind.allCases where kind != .fixed { report.giveLengths(kind.rawValue, labels) }
    }
    quotePapers(page)
    page.figure(
      Figure(
        "curves",
        title: "At the chosen rate the network on 1,000 labels alone errs more on the way",
        size: (760, 640), columns: 2,
        panels: counts.flatMap { labels in
          [(Kind.labels, "labels alone"), (.told, "what and where")].map { kind, words in
            report.panel(
              "\(words), \(OutcomeReport.words(labels))", kind.rawValue, labels,
              x: Axis("step"), highest: 10)
          }
        }))
    compare(page, report, counts)
  }

  private static func compare(_ page: Page, _ report: OutcomeReport, _ counts: [Int]) {
    let own = Kind.told.rawValue
    page.giveGains(
      [
        ("gain", "against labels alone", Kind.labels.rawValue, own),
        ("same.gain", "against labels alone at its rate", "same", own),
        ("told.gain", "against fixed places", Kind.fixed.rawValue, own),
      ], of: report, labels: counts,
      title: "At the rate of the auto-encoder labels alone lose nothing that shows",
      axis: "test error of the other less that of the auto-encoder, points",
      size: (760, 320))
    _ = report.giveDifference("rate.gain.1000", Kind.labels.rawValue, minus: "same", 1000)
    page.claim(
      "Its interval holds zero.", "rate.gain.1000.low < 0 and rate.gain.1000.high > 0")
    page.claim(
      "There it prefers the control's rate with 1,000 labels, and the chosen one with 3,000.",
      "same.1000.validation < labels.1000.validation "
        + "and same.3000.validation > labels.3000.validation")
    page.claim(
      "The what-where auto-encoder errs on less than 2.8 % with 3,000 labels.",
      "where.3000.test < 2.8")
    page.claim(
      "At fixed places with 3,000 labels that is the least weight of the grid:",
      "fixed.3000.weight < 0.01")
    page.claim(
      "With 1,000 labels the what-where auto-encoder gains over labels alone at the rate of the "
        + "choice.", "gain.1000.low > 0")
    page.claim(
      "Over labels alone at its own rate no gain is shown.", "same.gain.1000.low < 0")
    page.claim(
      "With 3,000 labels no gain is shown over either.",
      "gain.3000.low < 0 and same.gain.3000.low < 0")
    page.claim(
      "After two thirds of the steps labels alone err more than after one.",
      "labels.1000.twoThirds > labels.1000.third")
  }

  private static func quotePapers(_ page: Page) {
    let source = "Zhao et al. 2015, as we remember it"
    page.quote("paper.1000", 3.39, source: "\(source): 1,000 labels, without dropout")
    page.quote("paper.1000.dropout", 2.83, source: "\(source): 1,000 labels, with dropout")
    page.quote("paper.3000", 2.50, source: "\(source): 3,000 labels, without dropout")
    page.quote("paper.3000.dropout", 2.10, source: "\(source): 3,000 labels, with dropout")
    page.quote("cnn.1000", 6.45, source: "Kingma et al. 2014, table 1: CNN, 1,000 labels")
    page.quote("cnn.3000", 3.35, source: "Kingma et al. 2014, table 1: CNN, 3,000 labels")
  }
}
