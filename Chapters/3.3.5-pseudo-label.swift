import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.5: a network that learns from its own guesses.
public enum LabelsByGuess: Chapter {
  /// The chapter's number.
  public static let id = "3.3.5"
  /// The chapter's title.
  public static let title = "Pseudo-label: to learn from one's own guesses"
  /// Candidates, then draws, then looks at single trainings.
  public static var hasRounds: Bool { true }

  private typealias Method = PseudoLabel<Perceptron>

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheIdea(page)
    drawTheCourse(page)
    checkTheWeight(page)
    checkTheLoss(page, data)
    checkTheConstants(page, data)
    checkTheDenoiser(page, data)
    let trainings = GuessTraining(page, data)
    let settings = try compare(page, data, trainings)
    try look(page, data, trainings, settings)
  }
}

// MARK: - The idea

extension LabelsByGuess {
  private static func drawTheIdea(_ page: Page) {
    var flow = FlowDiagram(width: 94, height: 44, head: 0.82)
    flow.box(["labelled images", "32 of a step"], x: 1...21, y: 31...42)
    flow.box(["images without labels", "256 of a step"], x: 1...21, y: 2...13)
    flow.box(
      ["784 pixels", "5,000 rectifiers,", "half of them dropped", "10 sigmoids"], x: 31...54,
      y: 24...42)
    flow.box(["the same network,", "all units kept"], x: 31...54, y: 2...13)
    flow.box(["cross-entropy", "with the label"], x: 70...92, y: 32...42)
    flow.box(["cross-entropy", "with the guess"], x: 70...92, y: 19...29)
    flow.arrow([(21, 38), (31, 38)], colour: 0)
    flow.arrow([(54, 37), (70, 37)], colour: 0)
    flow.arrow([(21, 10), (26, 10), (26, 28), (31, 28)], colour: 6)
    flow.arrow([(54, 26), (70, 26)], colour: 6)
    flow.arrow([(21, 6), (31, 6)])
    flow.arrow([(54, 7.5), (62, 7.5), (62, 22), (70, 22)])
    flow.note("largest output: a constant", x: 77, y: 9)
    flow.note("times α(t)", x: 81, y: 16)
    page.figure(
      Figure(
        "idea", title: "What the whole network guesses is the label of what the halved one sees",
        size: (760, 350), panels: [flow.panel]))
  }

  private static func drawTheCourse(_ page: Page) {
    let times = stride(from: 0, through: GuessTraining.paperEpochs, by: 10).map { $0 }
    func line(_ name: String, _ colour: Int, _ value: (Int) -> Double) -> Mark {
      .line(name, times.map { (x: Double($0), y: value($0)) }, colour: colour)
    }
    var late = Method.Plan()
    (late.start, late.end) = (200, 800)
    let (plain, pretrained) = (Method.Plan().schedule, late.schedule)
    page.figure(
      Figure(
        "course",
        title: "Labels first, guesses later: the course of a training by the paper's epochs",
        size: (760, 320), columns: 2,
        panels: [
          Panel(
            title: "weight of the guesses", x: Axis("t, epochs of the paper"), y: Axis("α(t)"),
            marks: [
              line("guesses", 0) { plain.value(at: $0) },
              line("guesses after pretraining", 1) { pretrained.value(at: $0) },
            ]),
          Panel(
            title: "steps", x: Axis("t, epochs of the paper"), y: Axis("", range: 0...1.05),
            marks: [
              line("momentum p(t)", 2) { Method.momentum().value(at: $0) },
              line("rate, ε(t)/ε(0)", 3) { pow(0.998, Double($0)) },
            ]),
        ]))
  }
}

// MARK: - The objective

extension LabelsByGuess {
  private static func checkTheWeight(_ page: Page) {
    var plan = Method.Plan()
    // By the formula, at times picked by hand: 0, then 3·(t − 100)/500, then 3.
    let picked: [(t: Int, α: Double)] = [
      (0, 0), (99, 0), (100, 0), (150, 0.3), (350, 1.5), (599, 2.994), (600, 3), (5000, 3),
    ]
    let off = picked.map { abs(plan.schedule.value(at: $0.t) - $0.α) }
    page.check("α(t) at eight times, less what was worked out by hand", off.max()!, atMost: 1e-12)
    plan.stepsPerEpoch = 2.25
    let steps = picked.map { pick in
      let moment = Moment(step: Int((Double(pick.t) * 2.25).rounded(.up)), epoch: 0)
      return abs(Double(plan.schedule(moment)) - pick.α)
    }
    page.check("the same by steps, 2.25 to an epoch", steps.max()!, atMost: 1e-6)
    page.value("steps.1000", Double(GuessTraining.epochs(labels: 1000) * 32))
    page.value("steps.3000", Double(GuessTraining.epochs(labels: 3000) * 94))
  }

  private static func network(
    _ hidden: Int, keep: Float, _ stream: inout RandomStream
  ) -> Perceptron {
    var plan = Perceptron.Plan([ImageSet.pixelsPerImage, hidden, ImageSet.classCount])
    plan.keepHidden = keep
    return Perceptron(plan, using: &stream)
  }

  private static func batch(_ data: MNIST, _ stream: inout RandomStream) -> PairedBatch {
    var source = PairedBatches(
      LabelledBatches(of: data.train, Array(0..<6), size: 6, seed: 1, name: id),
      UnlabelledBatches(
        of: data.train.withoutLabels(Array(6..<20)), size: 14, seed: 1, name: id))
    return source.next(using: &stream)
  }

  // snippet.by-hand
  /// Σ over classes of −t ln σ(z) − (1 − t) ln(1 − σ(z)), with t 1 for the label and 0 for the rest.
  static func crossEntropy(_ z: [Double], label: Int) -> Double {
    z.indices.reduce(0) { sum, k in
      let σ = 1 / (1 + exp(-z[k]))
      return sum - (k == label ? log(σ) : log(1 - σ))
    }
  }
  // snippet.end

  /// The method's loss on real digits against the same by hand, guesses included.
  private static func checkTheLoss(_ page: Page, _ data: MNIST) {
    var stream = RandomStream(seed: page.seed, id, "small network")
    let network = network(8, keep: 1, &stream)
    let batch = batch(data, &stream)
    let loss = Method(network).loss(
      batch, at: Moment(step: 0, epoch: 350), on: Tape(recording: false), using: &stream)
    func logits(_ images: Tensor) -> [[Double]] {
      (0..<images.shape.exampleCount).map {
        PlainPerceptron.logits(network, images.rows($0..<$0 + 1).values.map(Double.init))
      }
    }
    let labelled = zip(logits(batch.labelled.images), batch.labelled.labels).map {
      crossEntropy($0, label: $1)
    }
    let guessed = logits(batch.unlabelled).map { z in
      crossEntropy(z, label: z.indices.max { z[$0] < z[$1] }!)
    }
    let byHand = Spread(labelled).mean + 1.5 * Spread(guessed).mean
    page.check(
      "the loss at epoch 350, less that by hand, relative",
      Double(loss.total.value.scalar) / byHand - 1, atMost: 1e-5)
  }

  /// The gradient with guesses is the gradient with the same labels given from outside.
  private static func checkTheConstants(_ page: Page, _ data: MNIST) {
    var stream = RandomStream(seed: page.seed, id, "network with a mask")
    let network = network(40, keep: 0.5, &stream)
    let batch = batch(data, &stream)
    var (one, other) = (stream, stream)
    let tape = Tape()
    let loss = Method(network).loss(
      batch, at: Moment(step: 0, epoch: 600), on: tape, using: &one)
    let gradient = tape.backward(from: loss.total)
    let labels = network.logits(of: batch.unlabelled).predictions
    let given = Tape()
    func crossEntropy(_ images: Tensor, _ labels: [Int]) -> Variable {
      let logits = network.logits(given.constant(images), .training, using: &other)
      let targets = labels.flatMap { label in (0..<10).map { Float($0 == label ? 1 : 0) } }
      return bernoulliCrossEntropy(logits: logits, targets: Tensor(logits.shape, targets))
    }
    let first = crossEntropy(batch.labelled.images, batch.labelled.labels)
    let right = given.backward(from: first + crossEntropy(batch.unlabelled, labels) * 3)
    func all(_ cotangents: Cotangents) -> [Double] {
      network.parameters.flatMap { cotangents[$0].values.map(Double.init) }
    }
    page.check(
      "gradient with guesses, less that with the same labels given, relative",
      Routes.distance(all(gradient), all(right)), atMost: 1e-6)
  }

  /// The gradient of the denoiser's tied weights: the sum of what both uses say.
  private static func checkTheDenoiser(_ page: Page, _ data: MNIST) {
    var stream = RandomStream(seed: page.seed, id, "small layer")
    let (pixels, hidden, n) = (ImageSet.pixelsPerImage, 5, 6)
    let layer = Dense(
      inputs: pixels, outputs: hidden, activation: .relu, initialiser: .he, using: &stream)
    let images = data.train.images(Array(0..<n))
    let method = LayerDenoiser(layer, masking: 0)
    let tape = Tape()
    let loss = method.loss(images, at: Moment(step: 0, epoch: 0), on: tape, using: &stream)
    let gradient = tape.backward(from: loss.total)[layer.weight].values.map(Double.init)
    let w = layer.weight.value.values.map(Double.init)
    var (reading, writing) = ([Double](repeating: 0, count: w.count), w.map { _ in 0.0 })
    for image in 0..<n {
      let x = images.rows(image..<image + 1).values.map(Double.init)
      let h = (0..<hidden).map { j in
        max(0, x.indices.reduce(0) { $0 + w[j * pixels + $1] * x[$1] })
      }
      let δ = x.indices.map { i in
        let z = (0..<hidden).reduce(0) { $0 + w[$1 * pixels + i] * h[$1] }
        return (1 / (1 + exp(-z)) - x[i]) / Double(n)
      }
      for j in 0..<hidden {
        let back = h[j] > 0 ? x.indices.reduce(0) { $0 + w[j * pixels + $1] * δ[$1] } : 0
        for i in x.indices {
          writing[j * pixels + i] += h[j] * δ[i]
          reading[j * pixels + i] += back * x[i]
        }
      }
    }
    page.check(
      "gradient of the denoiser's weights, less the sum of both uses by hand, relative",
      Routes.distance(gradient, zip(reading, writing).map { $0 + $1 }), atMost: 1e-5)
    page.check(
      "without the reading use it is another one", Routes.distance(gradient, writing),
      atLeast: 0.03)
  }
}

// MARK: - What it gives

extension LabelsByGuess {
  private static let kinds: [GuessTraining.Kind] = [.dropout, .denoised, .pseudo, .pretrained]
  /// Numbers of labels that the paper has too, without a choice of their own.
  private static let fewer = [100, 600]

  /// Trains and compares; the settings that were chosen at 1,000 labels, by kind.
  private static func compare(
    _ page: Page, _ data: MNIST, _ trainings: GuessTraining
  ) throws -> [GuessTraining.Kind: GuessTraining.Setting] {
    let study = Study(page, data)
    var report = OutcomeReport(page)
    var settings: [GuessTraining.Kind: GuessTraining.Setting] = [:]
    let groups = [1000, 3000].map { LabelDraw.all(labels: $0, page) }
    let arms = kinds.map { trainings.arm($0) }
    let choices = try study.choose(arms, on: groups.map { $0[0] })
    let outcomes = try study.run(arms, choices, on: groups)
    var last: [GuessTraining.Kind: GuessTraining.Setting] = [:]
    for (group, labels) in [1000, 3000].enumerated() {
      for (place, kind) in kinds.enumerated() {
        report.add(kind.rawValue, labels: labels, outcomes[group][place])
        let setting = GuessTraining.settings(kind)[choices[group][place]]
        page.value("\(kind.rawValue).\(labels).rate", setting.rate, tolerance: 1.5)
        page.value("\(kind.rawValue).\(labels).keep", Double(setting.keep), tolerance: 0.4)
        if labels == 1000 { settings[kind] = setting } else { last[kind] = setting }
      }
    }
    try runAgain(page, study, &report, arms[0], outcomes[1][0], on: groups[1])
    let short = outcomes[1][kinds.firstIndex(of: .denoised)!][0]
    try attempt(page, study, report, trainings, last, short, on: groups[1][0])
    try takeMore(page, study, &report, trainings, last, on: groups[1])
    let places = [.dropout, .pseudo].map { kinds.firstIndex(of: $0)! }
    try useFewer(
      page, study, &report, places.map { arms[$0] }, places.map { choices[0][$0] })
    report.giveValues()
    report.giveSeconds("pseudo", "denoised", "again")
    for labels in fewer {
      _ = report.giveDifference("pseudo.\(labels).gain", "dropout", minus: "pseudo", labels)
    }
    for labels in [1000, 3000] {
      _ = report.giveDifference("pseudo.\(labels).gain", "dropout", minus: "pseudo", labels)
      _ = report.giveDifference("denoised.\(labels).gain", "dropout", minus: "denoised", labels)
      _ = report.giveDifference("denoised.\(labels).extra", "pseudo", minus: "denoised", labels)
      _ = report.giveDifference("pretrained.\(labels).over", "pretrained", minus: "pseudo", labels)
      _ = report.giveDifference("pretrained.\(labels).gain", "dropout", minus: "pretrained", labels)
      _ = report.giveDifference(
        "denoised.\(labels).guesses", "pretrained", minus: "denoised", labels)
      for kind in kinds { report.giveLengths(kind.rawValue, labels) }
    }
    _ = report.giveDifference("again.3000.gain", "again", minus: "pseudo", 3000)
    _ = report.giveDifference("again.3000.denoised", "again", minus: "denoised", 3000)
    _ = report.giveDifference("again.3000.pretrained", "again", minus: "pretrained", 3000)
    report.giveLengths("again", 3000)
    quoteThePaper(page)
    page.claim("With 1,000 labels guesses help.", "pseudo.1000.gain.low > 0")
    page.claim(
      "With 3,000 they help too, over either.",
      "pseudo.3000.gain.low > 0 and again.3000.gain.low > 0")
    page.claim("It prefers some pixels dropped.", "again.3000.validation < dropout.3000.validation")
    page.claim(
      "With guesses the error still falls in the last third, less than before.",
      [1000, 3000].map { "pseudo.\($0)" }.map {
        "\($0).test < \($0).twoThirds "
          + "and \($0).twoThirds - \($0).test < \($0).third - \($0).twoThirds"
      }.joined(separator: " and "))
    page.claim(
      "Without guesses the layer gains with 3,000 labels, and with 1,000 none is shown.",
      "again.3000.pretrained.low > 0 and pretrained.1000.gain.low < 0")
    page.claim(
      "Guesses without the layer are ahead of the layer without guesses with 1,000 labels; with 3,000 neither is.",
      "pretrained.1000.over.low > 0 and pretrained.3000.over.low < 0 and pretrained.3000.over.high > 0"
    )
    page.claim(
      "With 600 labels guesses help; with 100 the interval of three draws holds 0.",
      "pseudo.600.gain.low > 0 and pseudo.100.gain.low < 0")
    page.claim(
      "The pretrained layer adds to the guesses with either number of labels.",
      "denoised.1000.extra.low > 0 and denoised.3000.extra.low > 0")
    drawCurves(page, report)
    return settings
  }

  /// The middle of the cross that arms choose from.
  private static let middle = GuessTraining.settings(.dropout)
    .firstIndex { ($0.rate, $0.keep) == (0.5, 0.8) }!

  // snippet.again
  /// With 3,000 labels, labels alone once more at full length, with dropout of pixels as in the middle
  /// of the cross: what is best at a third of the length need not be best at the whole.
  private static func runAgain(
    _ page: Page, _ study: Study, _ report: inout OutcomeReport, _ alone: Study.Arm,
    _ outcomes: [Study.Outcome], on draws: [LabelDraw]
  ) throws {
    let again = try study.run([alone], [[middle]], on: [draws])[0][0]
    report.add("again", labels: 3000, again)
    page.giveValidation([("dropout", outcomes), ("again", again)], labels: 3000)
  }
  // snippet.end

  /// What else might bring the errors down, with one set of labels: other first weights, more steps, a
  /// longer pretraining.
  ///
  /// - Parameter short: guesses and pretraining at the length of the table.
  private static func attempt(
    _ page: Page, _ study: Study, _ report: OutcomeReport, _ trainings: GuessTraining,
    _ settings: [GuessTraining.Kind: GuessTraining.Setting], _ short: Study.Outcome,
    on draw: LabelDraw
  ) throws {
    let starts = [("he", GuessTraining.Kind.dropout), ("he.pseudo", .pseudo)]
      .map { (key: $0.0, settings: GuessTraining.heSettings($0.1)) }
    let weights = starts.map { trainings.arm($0.key, $0.settings) }
    let choice = try study.choose(weights, on: [draw])[0]
    let chosen = zip(starts, choice).map { $0.settings[$1] }
    // The longest is begun first.
    let arms =
      [
        trainings.arm("longest.denoised", [settings[.denoised]!.longer(9)]),
        trainings.arm("patient.longer", [settings[.denoised]!.longer(3).patient]),
        trainings.arm("patient.denoised", [settings[.denoised]!.patient]),
        trainings.arm("patient.pretrained", [settings[.pretrained]!.patient]),
      ]
      + [.dropout, .denoised, .pseudo].map {
        trainings.arm("longer.\($0.rawValue)", [settings[$0]!.longer(3)])
      }
    let outcomes = try study.run(
      arms + weights, [arms.map { _ in 0 } + choice], on: [[draw]])[0]
    for (arm, outcome) in zip(arms + weights, outcomes) {
      page.value("\(arm.key).kit", outcome[0].test.last!, tolerance: 0.7, unit: "%")
    }
    let measured = [("denoised", short)] + zip(arms, outcomes).map { ($0.key, $1[0]) }
    for (key, outcome) in measured
    where key == "patient.longer" || key.hasSuffix("denoised") {
      page.value("\(key).kit.validation", outcome.validation.last!, tolerance: 0.7, unit: "%")
    }
    for (start, setting) in zip(starts, chosen) {
      page.value("\(start.key).rate", setting.rate, tolerance: 1.5)
      page.value("\(start.key).keep", Double(setting.keep), tolerance: 0.4)
    }
    for key in kinds.map(\.rawValue) + ["again"] {
      page.value("\(key).kit", report.errors(key, draw.labels)[0], tolerance: 0.7, unit: "%")
    }
    page.claim(
      "Three times the length brings each of these errors down by more than 0.3 points, but that of labels "
        + "alone that keep all pixels.",
      "pseudo.kit - longer.pseudo.kit > 0.3 and denoised.kit - longer.denoised.kit > 0.3 "
        + "and again.kit - again.longer.kit > 0.3 and dropout.kit - longer.dropout.kit < 0.3")
    let alike = ["patient", "longer", "longest"].map { "\($0).denoised.kit.validation" }
    page.claim(
      "On validation five times the pretraining, three times the steps and nine times the steps come out "
        + "alike, to a tenth of a point, each below the first column.",
      (alike.flatMap { first in
        alike.filter { $0 != first }.map { "\(first) - \($0) < 0.1" }
      } + alike.map { "\($0) < denoised.kit.validation" }).joined(separator: " and "))
    page.claim(
      "Five times the pretraining and three times the steps together are lowest there, by less than 0.3 points.",
      alike.map {
        "patient.longer.kit.validation < \($0) and \($0) - patient.longer.kit.validation < 0.3"
      }
      .joined(separator: " and "))
    page.claim(
      "He's first weights err no less than labels alone that drop pixels; with guesses they err less, by less "
        + "than 0.3 points.",
      "he.kit > again.kit and he.pseudo.kit < pseudo.kit and pseudo.kit - he.pseudo.kit < 0.3")
    page.claim(
      "All arms took the middle one.",
      kinds.flatMap { kind in [1000, 3000].map { "\(kind.rawValue).\($0).rate == 0.5" } }
        .joined(separator: " and "))
    page.claim(
      "With guesses validation prefers it, with and without pretraining, for either number of labels.",
      ["pseudo", "denoised"].flatMap { kind in
        [1000, 3000].map { "\(kind).\($0).keep < 1" }
      }.joined(separator: " and "))
  }

  // snippet.more
  /// With 3,000 labels, three times the length on a layer that was pretrained five times as long, beside
  /// labels alone for as long, without such a layer and with it.
  private static func takeMore(
    _ page: Page, _ study: Study, _ report: inout OutcomeReport, _ trainings: GuessTraining,
    _ settings: [GuessTraining.Kind: GuessTraining.Setting], on draws: [LabelDraw]
  ) throws {
    let arms = [
      trainings.arm("patient.longer", [settings[.denoised]!.longer(3).patient]),
      trainings.arm("layer.longer", [settings[.pretrained]!.longer(3).patient]),
      trainings.arm("again.longer", [GuessTraining.settings(.dropout)[middle].longer(3)]),
    ]
    let outcomes = try study.run(arms, [[0, 0, 0]], on: [draws])[0]
    for (arm, outcomes) in zip(arms, outcomes) {
      report.add(arm.key, labels: 3000, outcomes)
    }
    page.giveValidation(
      [("patient.longer", outcomes[0]), ("again.longer", outcomes[2])], labels: 3000)
    _ = report.giveDifference("longer.3000.gain", "again.longer", minus: "patient.longer", 3000)
    _ = report.giveDifference("longer.3000.guesses", "layer.longer", minus: "patient.longer", 3000)
    page.value(
      "again.longer.kit", outcomes[2][0].test.last!, tolerance: 0.7, unit: "%")
    page.claim(
      "In the mean over the draws the error is then below 3 %, and on the kit's split above it.",
      "patient.longer.3000.test < 3 and patient.longer.kit > 3")
    page.claim(
      "Labels alone stay behind the paper's, and the gain is larger than the paper's.",
      "again.longer.3000.test > paper.dropout.3000 "
        + "and longer.3000.gain > paper.dropout.3000 - paper.denoised.3000")
  }
  // snippet.end

  // snippet.fewer
  /// Labels alone and guesses with 100 and with 600 labels, at the settings that 1,000 labels chose.
  private static func useFewer(
    _ page: Page, _ study: Study, _ report: inout OutcomeReport, _ arms: [Study.Arm],
    _ choices: [Int]
  ) throws {
    let draws = fewer.map { LabelDraw.all(labels: $0, page) }
    let outcomes = try study.run(arms, fewer.map { _ in choices }, on: draws)
    for (group, labels) in fewer.enumerated() {
      for (arm, outcomes) in zip(arms, outcomes[group]) {
        report.add(arm.key, labels: labels, outcomes)
      }
    }
  }
  // snippet.end

  private static func quoteThePaper(_ page: Page) {
    let source = "Lee 2013, table 2"
    let errors = [
      ("dropout", [21.89, 8.57, 6.59, 3.72]), ("pseudo", [16.15, 5.03, 4.30, 2.80]),
      ("denoised", [10.49, 4.01, 3.46, 2.69]),
    ]
    for (key, errors) in errors {
      for (labels, error) in zip([100, 600, 1000, 3000], errors) {
        page.quote("paper.\(key).\(labels)", error, source: source)
      }
    }
    page.value("paper.gain.1000", 6.59 - 4.30)
    page.value("paper.gain.3000", 3.72 - 2.80)
  }

  private static func drawCurves(_ page: Page, _ report: OutcomeReport) {
    let titles = [
      ("dropout", "labels alone"), ("pseudo", "with guesses"), ("denoised", "with both"),
    ]
    page.figure(
      Figure(
        "curves", title: "Guesses lower the error of labels alone, pretraining lowers it further",
        size: (760, 560), columns: 3,
        panels: [1000, 3000].flatMap { labels in
          titles.map { key, words in
            // With 3,000 labels validation prefers more dropout for labels alone.
            report.panel(
              "\(words), \(labels == 1000 ? "1,000" : "3,000")",
              key == "dropout" && labels == 3000 ? "again" : key, labels, x: Axis("epoch"),
              highest: page.isQuick ? 100 : labels == 1000 ? 16 : 10)
          }
        }))
  }
}

// MARK: - What becomes of the guesses

extension LabelsByGuess {
  private static func look(
    _ page: Page, _ data: MNIST, _ trainings: GuessTraining,
    _ settings: [GuessTraining.Kind: GuessTraining.Setting]
  ) throws {
    let draw = LabelDraw.all(labels: 1000, page)[0]
    let (alone, guesses) = (settings[.dropout]!, settings[.pseudo]!)
    let looks = try GuessLook.run(
      page, data, draw, trainings, [alone, guesses, guesses.of(.unramped)])
    let half = GuessLook.margins.firstIndex(of: 0.5)!
    for (name, look) in zip(["dropout", "pseudo", "unramped"], looks) {
      page.value("wrong.\(name)", look.wrong.last!, tolerance: 1.5, unit: "%")
      page.value("narrow.\(name)", look.narrow[half], tolerance: 3, unit: "%")
      page.value("entropy.\(name)", look.entropy, tolerance: 0.1)
    }
    for (name, look) in zip(["dropout", "pseudo"], looks) {
      page.value("mended.\(name)", look.mended, tolerance: 1.5, unit: "%")
      page.value("spoiled.\(name)", look.spoiled, tolerance: 1, unit: "%")
    }
    page.value("wrong.start.dropout", looks[0].wrong.first!, tolerance: 4, unit: "%")
    page.value("wrong.start", looks[1].wrong.first!, tolerance: 2, unit: "%")
    page.value("wrong.start.unramped", looks[2].wrong.first!, tolerance: 4, unit: "%")
    page.claim(
      "More of them are guessed wrong without the ramp than with it.",
      "wrong.unramped > wrong.pseudo")
    // A quick run has one point.
    for (name, look) in zip(["", ".unramped"], looks.dropFirst()) {
      let second = look.wrong.prefix(2).last!
      page.value("wrong.second\(name)", second, tolerance: 2, unit: "%")
    }
    page.claim(
      "At the first point of the curve, when the ramp has not begun, the network without a ramp is ahead of "
        + "both, and at the second behind the one with the ramp.",
      "wrong.start.unramped < wrong.start and wrong.start.unramped < wrong.start.dropout "
        + "and wrong.second < wrong.second.unramped")
    page.claim("The guesses are still better than none.", "wrong.unramped < wrong.dropout")
    page.claim(
      "After guesses fewer outputs are undecided than after labels alone.",
      "narrow.pseudo < narrow.dropout")
    let words = ["labels alone", "guesses with the ramp", "without the ramp"]
    page.figure(
      Figure(
        "ramp", title: "Guesses that count from the first step on gain less than with the ramp",
        panels: [
          Panel(
            x: Axis("epoch (32 steps)"),
            y: Axis(
              "validation images guessed wrong, %", range: 4...16),
            marks: zip(words, looks).enumerated().map { colour, pair in
              .line(
                pair.0, zip(pair.1.epochs, pair.1.wrong).map { (x: Double($0), y: $1) },
                colour: colour)
            })
        ]))
    page.figure(
      Figure(
        "margins", title: "Guesses leave fewer test images between two classes",
        panels: [
          Panel(
            x: Axis("margin x: largest output less the second", range: 0...1),
            y: Axis("test images with less, %"),
            marks: zip(words, looks).enumerated().map { colour, pair in
              .line(
                pair.0,
                [(x: 0, y: 0)]
                  + zip(GuessLook.margins, pair.1.narrow).dropLast().map { (x: $0, y: $1) },
                colour: colour)
            })
        ]))
  }
}
