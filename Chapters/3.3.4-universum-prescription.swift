import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.4: images of which a network is to say nothing.
public enum NoneOfTheClasses: Chapter {
  /// The chapter's number.
  public static let id = "3.3.4"
  /// The chapter's title.
  public static let title = "Universum prescription: to say nothing of what is none of the classes"
  /// Candidates, then draws, then what the networks are sure of.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheIdea(page)
    showTheUniversums(page, data)
    checkThePrescription(page)
    checkTheWholeLoss(page, data)
    let rate = try compare(page, data)
    try lookAtSureness(page, data, rate)
  }
}

// MARK: - The idea

extension NoneOfTheClasses {
  private static func drawTheIdea(_ page: Page) {
    var flow = FlowDiagram(width: 94, height: 40, head: 0.82)
    flow.box(["labelled images", "32 of a step"], x: 1...22, y: 26...37)
    flow.box(["universum", "32 of a step"], x: 1...22, y: 3...14)
    flow.box(["one network:", "two convolutions,", "50 units, 10 logits"], x: 33...54, y: 13...27)
    flow.box(["softmax, held against", "the label: 0 … 1 … 0"], x: 66...92, y: 26...37)
    flow.box(["softmax, held against", "a tenth for each digit"], x: 66...92, y: 3...14)
    flow.arrow([(22, 31.5), (28, 31.5), (28, 22), (33, 22)], colour: 0)
    flow.arrow([(22, 8.5), (28, 8.5), (28, 18), (33, 18)], colour: 6)
    flow.arrow([(54, 22), (60, 22), (60, 31.5), (66, 31.5)], colour: 0)
    flow.arrow([(54, 18), (60, 18), (60, 8.5), (66, 8.5)], colour: 6)
    flow.note("times 1 − p", x: 79, y: 23)
    flow.note("times p", x: 79, y: 17)
    page.figure(
      Figure(
        "idea", title: "One network, two targets: its label for a digit, and nothing for the rest",
        size: (760, 330), panels: [flow.panel]))
  }

  private static func showTheUniversums(_ page: Page, _ data: MNIST) {
    var stream = RandomStream(seed: page.seed, id, "pictures")
    let batch = data.train.images(Array(0..<9))
    let panels = [Universum.noise, .mixtures, .digits].map { universum in
      let images = universum.images(from: batch, using: &stream)
      return Panel(
        title: universum.rawValue,
        marks: [
          .images(
            (0..<9).map { images.rows($0..<$0 + 1).values.map { min(1, max(0, $0)) } },
            captions: [String](repeating: "", count: 9), columns: 9)
        ])
    }
    page.figure(
      Figure(
        "universums",
        title: "Three universums, from far to near: noise, averages of two images, the digits",
        size: (760, 460), panels: panels))
  }
}

// MARK: - The objective

extension NoneOfTheClasses {
  // snippet.by-hand
  /// ln Pⱼ of one row of logits.
  static func logProbabilities(_ z: [Double]) -> [Double] {
    let largest = z.max()!
    let total = log(z.reduce(0) { $0 + exp($1 - largest) })
    return z.map { $0 - largest - total }
  }

  /// −Σ qⱼ ln Pⱼ of one row of logits and a target.
  static func crossEntropy(_ z: [Double], _ q: [Double]) -> Double {
    -zip(q, logProbabilities(z)).reduce(0) { $0 + $1.0 * $1.1 }
  }
  // snippet.end

  private static let uniform = [Double](repeating: 0.1, count: ImageSet.classCount)

  private static func checkThePrescription(_ page: Page) {
    typealias Method = UniversumPrescription<SampleNetwork>
    let k = ImageSet.classCount
    func method(_ rows: Tensor) -> Double {
      Double(Method.prescription(Tape(recording: false).constant(rows)).value.scalar)
    }
    let levels: [Float] = [-3, 0, 20]
    let off = levels.map { abs(method(Tensor(repeating: $0, [4, k])) - log(10)) }
    page.check("equal logits cost ln 10", off.max()!, atMost: 1e-6)
    var stream = RandomStream(seed: page.seed, id, "logits")
    let n = 1000
    let z = stream.normal([n, k], deviation: 2)
    let rows = (0..<n).map { row in (0..<k).map { Double(z[row * k + $0]) } }
    let costs = rows.map { crossEntropy($0, uniform) }
    page.check(
      "any other logits cost more: the least of a thousand", costs.min()! - log(10), atLeast: 0.01)
    page.check(
      "the method's loss, less that by hand", method(z) - costs.reduce(0, +) / Double(n),
      atMost: 1e-5)
    // The gradient: by the tape, by the formula, by central differences of the loss by hand.
    let tape = Tape()
    let logits = Parameter("logits", z)
    let gradient = tape.backward(from: Method.prescription(tape(logits)))[logits]
    let formula = rows.flatMap { row in
      logProbabilities(row).map { (exp($0) - 1 / Double(k)) / Double(n) }
    }
    page.check(
      "gradient at the logits, less (P − 1/k)/n, relative",
      Routes.distance(gradient.values.map(Double.init), formula), atMost: 1e-5)
    let numeric = (0..<k).map { place in
      Routes.centralDifference(at: rows[0][place], step: 1e-5) { x in
        var row = rows[0]
        row[place] = x
        return crossEntropy(row, uniform) / Double(n)
      }
    }
    page.check(
      "the formula, less central differences, relative",
      Routes.distance(Array(formula.prefix(k)), numeric), atMost: 1e-8)
  }

  /// The method's whole loss on real digits against the same by hand.
  private static func checkTheWholeLoss(_ page: Page, _ data: MNIST) {
    var stream = RandomStream(seed: page.seed, id, "small network")
    let network = Perceptron(
      Perceptron.Plan([ImageSet.pixelsPerImage, 6, ImageSet.classCount]), using: &stream)
    var plan = UniversumPrescription<Perceptron>.Plan()
    plan.probability = 0.2
    let (labelled, others) = (Array(0..<12), Array(12..<20))
    /// The mean over images of the cross-entropy with each one's target.
    func byHand(_ images: [Int], _ target: (_ label: Int) -> [Double]) -> Double {
      images.reduce(0) { sum, image in
        let pixels = data.train.images([image]).values.map(Double.init)
        return sum
          + crossEntropy(
            PlainPerceptron.logits(network, pixels), target(data.train.labels([image])[0]))
          / Double(images.count)
      }
    }
    func byMethod(_ universum: [Int]) -> Double {
      let batch = batch(data, labelled, universum, &stream)
      let loss = UniversumPrescription(network, plan).loss(
        batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &stream)
      return Double(loss.total.value.scalar)
    }
    func oneHot(_ label: Int) -> [Double] { uniform.indices.map { $0 == label ? 1 : 0 } }
    let parts = 0.8 * byHand(labelled, oneHot) + 0.2 * byHand(others) { _ in uniform }
    page.check(
      "the whole loss, less that by hand, relative", byMethod(others) / parts - 1, atMost: 1e-5)
    // The same images in both roles: one cross-entropy with a smoothed label.
    let smoothed = byHand(labelled) { label in oneHot(label).map { 0.8 * $0 + 0.2 / 10 } }
    page.check(
      "with the labelled images as universum it is the loss of smoothed labels, relative",
      byMethod(labelled) / smoothed - 1, atMost: 1e-5)
    checkTheCounterpart(page, data, labelled, others)
  }

  /// With p = 0 the method is the supervised network, mask for mask.
  private static func checkTheCounterpart(
    _ page: Page, _ data: MNIST, _ labelled: [Int], _ others: [Int]
  ) {
    var stream = RandomStream(seed: page.seed, id, "counterpart")
    let network = SampleNetwork(hasStrayReLU: false, using: &stream)
    var plan = UniversumPrescription<SampleNetwork>.Plan()
    plan.probability = 0
    let batch = batch(data, labelled, others, &stream)
    var (one, other) = (stream, stream)
    let moment = Moment(step: 0, epoch: 0)
    let tape = Tape(recording: false)
    let prescribed = UniversumPrescription(network, plan).loss(
      batch, at: moment, on: tape, using: &one)
    let supervised = Supervised(network).loss(batch.labelled, at: moment, on: tape, using: &other)
    page.check(
      "the loss with p = 0, less the supervised one",
      Double(prescribed.total.value.scalar - supervised.total.value.scalar), atMost: 0)
  }

  private static func batch(
    _ data: MNIST, _ labelled: [Int], _ universum: [Int], _ stream: inout RandomStream
  ) -> PairedBatch {
    var source = PairedBatches(
      LabelledBatches(of: data.train, labelled, size: labelled.count, seed: 1, name: id),
      UnlabelledBatches(
        of: data.train.withoutLabels(universum), size: universum.count, seed: 1, name: id))
    return source.next(using: &stream)
  }
}

// MARK: - What it gives

extension NoneOfTheClasses {
  /// Trains and compares; the rate that the supervised network chose at 3,000 labels.
  private static func compare(_ page: Page, _ data: MNIST) throws -> Double {
    let study = Study(page, data)
    var report = OutcomeReport(page)
    let counts = [1000, 3000]
    let draws = counts.map { LabelDraw.all(labels: $0, page) }
    let supervised = UniversumTraining.supervised
    let firsts = draws.map { $0[0] }
    let chosen = try study.choose([supervised], on: firsts)
    let rates = Dictionary(
      uniqueKeysWithValues: zip(counts, chosen.map { UniversumTraining.rates[$0[0]] }))
    let others = Universum.allCases.map { UniversumTraining.prescribed($0, rates: rates) }
    let doses = try study.choose(others, on: firsts)
    // What is best at a third of the length need not be best at the whole: a control at the rate
    // below the one that was chosen.
    let slower = chosen.map { max(0, $0[0] - 1) }
    let slow = Dictionary(
      uniqueKeysWithValues: zip(counts, slower.map { UniversumTraining.rates[$0] }))
    let slowOthers = Universum.allCases.map { UniversumTraining.prescribed($0, rates: slow) }
    let outcomes = try study.run(
      [supervised] + others, zip(chosen, doses).map { $0 + $1 }, on: draws)
    let controls = try study.run(
      [supervised] + slowOthers, zip(slower, doses).map { [$0] + $1 }, on: draws)
    var control = OutcomeReport(page)
    for (group, labels) in counts.enumerated() {
      page.value("rate.\(labels)", rates[labels]!, tolerance: 0.02)
      page.value("slower.\(labels).rate", slow[labels]!, tolerance: 0.02)
      report.add("none", labels: labels, outcomes[group][0])
      report.add("slower", labels: labels, controls[group][0])
      control.add("slower", labels: labels, controls[group][0])
      page.giveValidation(
        [("none", outcomes[group][0]), ("slower", controls[group][0])], labels: labels)
      for (place, universum) in Universum.allCases.enumerated() {
        report.add(universum.rawValue, labels: labels, outcomes[group][place + 1])
        control.add(universum.rawValue, labels: labels, controls[group][place + 1])
        page.value(
          "\(universum.rawValue).\(labels).p",
          Double(UniversumTraining.probabilities[doses[group][place]]), tolerance: 0.35)
      }
    }
    report.giveValues()
    report.giveSeconds("digits", "slower")
    for labels in counts {
      for universum in Universum.allCases {
        _ = report.giveDifference(
          "\(universum.rawValue).\(labels).gain", "none", minus: universum.rawValue, labels)
        page.value(
          "\(universum.rawValue).\(labels).slow",
          Spread(control.errors(universum.rawValue, labels)), tolerance: 0.5, unit: "%")
        _ = control.giveDifference(
          "\(universum.rawValue).\(labels).control", "slower", minus: universum.rawValue, labels)
      }
      _ = report.giveDifference("slower.\(labels).gain", "none", minus: "slower", labels)
    }
    let keys = ["none"] + Universum.allCases.map(\.rawValue)
    for key in keys { report.giveLengths(key, 3000) }
    for labels in counts {
      _ = report.giveDifference("digits.\(labels).over", "labelled", minus: "digits", labels)
      _ = control.giveDifference(
        "digits.\(labels).over.control", "labelled", minus: "digits", labels)
    }
    for (group, labels) in counts.enumerated() {
      compareAtPreferredRates(page, outcomes[group], controls[group], labels)
    }
    page.claim(
      "With 3,000 labels digits and labelled images gain, and the digits are ahead of the labelled ones.",
      "digits.3000.preferred.low > 0 and labelled.3000.preferred.low > 0 "
        + "and digits.3000.over.preferred.low > 0")
    page.claim(
      "With 1,000 labels the digits are behind the labelled images.",
      "digits.1000.over.preferred.high < 0")
    page.claim(
      "With 1,000 labels noise at the rate that it prefers errs more than no universum at its own; at one "
        + "rate for both neither interval shows that.",
      "noise.1000.preferred.high < 0 and "
        + ["gain", "control"].map {
          "noise.1000.\($0).low < 0 and noise.1000.\($0).high > 0"
        }.joined(separator: " and "))
    page.claim(
      "With 3,000 its interval holds zero, and averages gain a little.",
      "noise.3000.preferred.low < 0 and noise.3000.preferred.high > 0 "
        + "and mixtures.3000.preferred.low > 0")
    page.claim(
      "There it prefers the lower rate.",
      "slower.1000.validation < none.1000.validation "
        + "and slower.3000.validation < none.3000.validation")
    page.claim(
      "With 3,000 labels the interval of noise at the lower rate holds 0.",
      "noise.3000.control.low < 0 and noise.3000.control.high > 0")
    page.claim(
      "The digits, of which it is false, give more than noise, and gain at either rate.",
      "digits.3000.control.low > 0 and digits.3000.gain.low > 0 "
        + "and digits.3000.noise.low > 0 and digits.3000.noise.control.low > 0")
    page.claim(
      "They help with 3,000 labels at the chosen rate, and at the lower one their interval holds 0.",
      "labelled.3000.gain.low > 0 and labelled.3000.control.low < 0 "
        + "and labelled.3000.control.high > 0")
    page.claim(
      "At either rate, the same for both, they add a little with the more labels and take away with the "
        + "fewer.",
      "digits.3000.over.low > 0 and digits.3000.over.control.low > 0 "
        + "and digits.1000.over.high < 0 and digits.1000.over.control.high < 0")
    _ = control.giveDifference("digits.3000.mixtures.control", "mixtures", minus: "digits", 3000)
    _ = report.giveDifference("digits.3000.noise", "noise", minus: "digits", 3000)
    _ = control.giveDifference("digits.3000.noise.control", "noise", minus: "digits", 3000)
    page.claim(
      "Averages, for which the condition holds in part, gain at the lower rate with 3,000 labels.",
      "mixtures.3000.control.low > 0")
    page.claim(
      "What digits have over them there holds 0.",
      "digits.3000.mixtures.control.low < 0 and digits.3000.mixtures.control.high > 0")
    page.figure(
      Figure(
        "curves",
        title: "With digits or labelled images as universum the error falls earlier, 3,000 labels",
        size: (760, 520), columns: 3,
        panels: zip(keys, ["no universum", "noise", "mixtures", "digits", "the labelled images"])
          .map { key, words in
            report.panel(
              words, key, 3000, x: Axis("epoch (94 steps)"), highest: page.isQuick ? 100 : 12)
          }))
    return rates[3000]!
  }

  /// Each arm at the rate that validation prefers for it at full length, in the mean over the draws.
  private static func compareAtPreferredRates(
    _ page: Page, _ outcomes: [[Study.Outcome]], _ controls: [[Study.Outcome]], _ labels: Int
  ) {
    var report = OutcomeReport(page)
    func add(_ key: String, _ place: Int) -> [Double] {
      let rates = [outcomes[place], controls[place]]
      let errors = rates.map(Page.finalValidation)
      report.add(key, labels: labels, rates[Page.preferred(errors)])
      return errors
    }
    _ = add("none", 0)
    for (place, universum) in Universum.allCases.enumerated() {
      let key = universum.rawValue
      let errors = add(key, place + 1)
      page.value("\(key).\(labels).validation", errors[0], tolerance: 0.5, unit: "%")
      page.value("\(key).\(labels).validation.lower", errors[1], tolerance: 0.5, unit: "%")
      page.value(
        "\(key).\(labels).preferred.test", Spread(report.errors(key, labels)), tolerance: 0.5,
        unit: "%")
      _ = report.giveDifference("\(key).\(labels).preferred", "none", minus: key, labels)
    }
    _ = report.giveDifference(
      "digits.\(labels).over.preferred", "labelled", minus: "digits", labels)
  }
}

// MARK: - What the networks are sure of

extension NoneOfTheClasses {
  private static func lookAtSureness(_ page: Page, _ data: MNIST, _ rate: Double) throws {
    let draw = LabelDraw.all(labels: 3000, page)[0]
    let doses: [Float] = page.isQuick ? [0.2] : [0.05, 0.1, 0.2, 0.4, 0.8]
    let settings =
      [UniversumTraining.Setting(.digits, probability: 0, rate: rate)]
      + Universum.allCases.flatMap { universum in
        doses.map { UniversumTraining.Setting(universum, probability: $0, rate: rate) }
      }
    let found = try Sureness.run(page, data, draw, settings)
    let byUniversum = Universum.allCases.indices.map {
      Array(found[1 + $0 * doses.count..<1 + ($0 + 1) * doses.count])
    }
    let fifth = doses.firstIndex(of: 0.2)!
    let rows =
      [("none", found[0])] + zip(Universum.allCases.map(\.rawValue), byUniversum.map { $0[fifth] })
    for (name, sureness) in rows {
      page.value("sure.\(name).error", sureness.error, tolerance: 0.6, unit: "%")
      page.value("sure.\(name).labelled", sureness.labelled, tolerance: 4, unit: "%")
      page.value("sure.\(name).test", sureness.test, tolerance: 4, unit: "%")
      page.value("sure.\(name).mixtures", sureness.mixtures, tolerance: 8, unit: "%")
      page.value("sure.\(name).noise", sureness.noise, tolerance: 25, unit: "%")
    }
    let harmful = byUniversum[Universum.allCases.firstIndex(of: .digits)!]
    page.value("expected.fifth", expected(0.2), unit: "%")
    page.value("expected.most", expected(0.8), unit: "%")
    page.value("most.error", harmful.last!.error, tolerance: 2, unit: "%")
    page.value("most.test", harmful.last!.test, tolerance: 5, unit: "%")
    page.value("most.labelled", harmful.last!.labelled, tolerance: 10, unit: "%")
    page.claim(
      "It is less sure of test digits than the network without a universum.",
      "sure.digits.test < sure.none.test")
    page.claim(
      "Of averages the network that was taught with averages is less sure than the one without a "
        + "universum.",
      "sure.mixtures.mixtures < sure.none.mixtures")
    drawDoses(page, doses, found[0], byUniversum)
  }

  /// The largest probability where the two kinds of images cannot be told apart: 1 − p + p/10, in
  /// percent.
  private static func expected(_ p: Double) -> Double {
    100 * (1 - p + p / Double(ImageSet.classCount))
  }

  private static func drawDoses(
    _ page: Page, _ doses: [Float], _ none: Sureness, _ byUniversum: [[Sureness]]
  ) {
    func lines(_ part: KeyPath<Sureness, Double>) -> [Mark] {
      zip(Universum.allCases, byUniversum).enumerated().map { colour, pair in
        .line(
          pair.0.rawValue,
          [(x: 0, y: none[keyPath: part])]
            + zip(doses, pair.1).map { (x: Double($0), y: $1[keyPath: part]) }, colour: colour)
      }
    }
    page.figure(
      Figure(
        "doses",
        title: "With digits as universum sureness falls from the first p on, reading at large p",
        size: (760, 360), columns: 2,
        panels: [
          Panel(
            title: "error on validation", x: Axis("p", range: 0...0.85), y: Axis("error, %"),
            marks: lines(\.error)),
          Panel(
            title: "largest probability, mean over test images", x: Axis("p", range: 0...0.85),
            y: Axis("%, grey: 100 − 90 p", range: 0...100),
            marks: [.guide([0, 0.8].map { ($0, expected($0)) })] + lines(\.test)),
        ]))
  }
}
