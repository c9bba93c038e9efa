import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 2.3.1: the variance of the first weights, by Krizhevsky, by Xavier and by He.
public enum HeVersusXavier: Chapter {
  /// The chapter's number.
  public static let id = "2.3.1"
  /// The chapter's title.
  public static let title = "How large the first weights should be: He against Xavier"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    measureOneLayer(page)
    measureVariants(page)
    measureTanh(page)
    measureDepth(page)
    SignalSizes.showTheSag(page)
    multiplyThroughAlexNet(page)
    let data = try await page.mnist()
    let split = try Split.kit(data.train.labels, validationPerClass: page.isQuick ? 100 : 1000)
    showHistograms(page, data, split)
    checkNormalisation(page)
    let groups = try DeepTraining.all(page, data, split)
    let rates = chooseRates(page, groups)
    report(page, groups, normalisedAt: rates)
    DeepTraining.draw(groups, normalisedAt: rates, on: page)
    answerTheExercises(page)
  }

  private static let rules = DeepTraining.rules

  static let activations: [(key: String, activation: Activation)] = [
    ("linear", .identity), ("tanh", .tanh), ("ReLU", .relu),
  ]
}

// MARK: - The formula

extension HeVersusXavier {
  // snippet.gain
  /// What a layer does to mean squares: of its inputs going forward, of gradients coming back.
  ///
  /// - Parameters:
  ///   - fans: n numbers come in, m go out.
  ///   - passed: the share of a mean square that the activation passes: 1 for none, ½ for a
  ///     rectifier, 1 − 2q for tanh of small numbers with mean square q.
  static func gain(
    _ variance: Double, _ fans: (in: Int, out: Int), passed: Double
  ) -> (forward: Double, backward: Double) {
    (Double(fans.in) * variance * passed, Double(fans.out) * variance * passed)
  }

  /// The variance of a weight by each rule.
  static func variance(_ initialiser: Initialiser, _ fans: (in: Int, out: Int)) -> Double {
    switch initialiser {
    case .he: 2 / Double(fans.in)
    case .xavierNormal, .xavierUniform: 2 / Double(fans.in + fans.out)
    case .gaussian(let deviation): Double(deviation) * Double(deviation)
    case .fanInUniform, .sparse: fatalError("no rule of this chapter")
    }
  }
  // snippet.end

  // snippet.measure
  /// The same two factors, measured on weights as a training draws them.
  static func measuredGain(
    _ activation: Activation, _ initialiser: Initialiser, _ fans: (in: Int, out: Int),
    deviation: Float, using stream: inout RandomStream
  ) -> (forward: Double, backward: Double) {
    var (before, after, received, passedBack) = (0.0, 0.0, 0.0, 0.0)
    for _ in 0..<200 {
      let weights = initialiser.weights([fans.out, fans.in], using: &stream)
      let sums = stream.normal([8, fans.in], deviation: deviation)
      let x = sums.map { activation($0) }
      before += SignalSizes.meanSquare(sums)
      after += SignalSizes.meanSquare(x.product(weights, transposing: .second))
      let gradient = stream.normal([8, fans.out])
      received += SignalSizes.meanSquare(gradient)
      passedBack += SignalSizes.meanSquare(
        gradient.product(weights).zip(x) { $0 * activation.derivative(fromOutput: $1) })
    }
    return (after / before, passedBack / received)
  }
  // snippet.end

  private static func measureOneLayer(_ page: Page) {
    let fans = (in: 300, out: 100)
    var rows: [[String]] = []
    for (key, activation) in activations {
      for rule in rules {
        var stream = RandomStream(seed: page.seed, id, "one layer", key, rule.key)
        // tanh is asked near 0, where alone the formula speaks about it.
        let deviation: Float = activation == .tanh ? 0.1 : 1
        let measured = measuredGain(
          activation, rule.initialiser, fans, deviation: deviation, using: &stream)
        let v = variance(rule.initialiser, fans)
        let passed = activation == .relu ? 0.5 : activation == .tanh ? 1 - 2 * 0.01 : 1
        let formula = gain(v, fans, passed: passed)
        for (way, a, b) in [
          ("forward", measured.forward, formula.forward),
          ("backward", measured.backward, formula.backward),
        ] {
          page.check(
            "\(key), \(rule.name), \(way): measured ÷ formula", a / b, near: 1, tolerance: 0.025)
          page.value("gain.\(key).\(rule.key).\(way)", a, tolerance: 0.03 * b)
          rows.append([
            "\(key), \(rule.name), \(way)", String(format: "%.4f", b), String(format: "%.4f", a),
          ])
        }
        if activation == .relu && rule.initialiser == .xavierNormal {
          page.check(
            "a rectifier judged as if it were linear: rejected",
            abs(measured.forward / gain(v, fans, passed: 1).forward - 1), atLeast: 0.4)
          page.check(
            "fan-in and fan-out exchanged: rejected",
            abs(measured.forward / formula.backward - 1), atLeast: 0.4)
        }
      }
    }
    page.table(["300 inputs, 100 outputs", "formula", "measured"], rows)
  }

  /// A leaky rectifier under its own rule, and a convolution under He's.
  private static func measureVariants(_ page: Page) {
    var stream = RandomStream(seed: page.seed, id, "variants")
    let (slope, fans) = (0.25, (in: 300, out: 100))
    let own = (2 / ((1 + slope * slope) * Double(fans.in))).squareRoot()
    let leaky = measuredGain(
      .leakyReLU(slope: Float(slope)), .gaussian(deviation: Float(own)), fans, deviation: 1,
      using: &stream)
    for (key, measured, formula) in [
      ("leaky", leaky, (1.0, 1.0 / 3)),
      ("convolution", SignalSizes.convolutionGain(using: &stream), (1.0, 2.0)),
    ] {
      for (way, a, b) in [
        ("forward", measured.forward, formula.0), ("backward", measured.backward, formula.1),
      ] {
        // The outputs of a convolution share its few weights, so that fewer draws are averaged.
        let tolerance = key == "convolution" ? 0.1 : 0.03
        page.check("\(key), \(way): measured ÷ formula", a / b, near: 1, tolerance: tolerance)
        page.value("gain.\(key).\(way)", a, tolerance: 0.03 * b)
      }
    }
  }

  private static func measureTanh(_ page: Page) {
    /// The mean of g(y) over y normal of deviation σ, by the trapezium rule.
    func mean(_ σ: Double, _ g: (Double) -> Double) -> Double {
      let (step, root) = (0.01, (2 * Double.pi).squareRoot())
      return stride(from: -8.0, through: 8, by: step).reduce(0) {
        $0 + step * exp(-$1 * $1 / 2) / root * g(σ * $1)
      }
    }
    let fans = (in: 300, out: 100)
    for (key, σ) in [("near", 0.1), ("far", 1.0)] {
      var stream = RandomStream(seed: page.seed, id, "tanh", key)
      let linear = gain(variance(.he, fans), fans, passed: 1)
      let measured = measuredGain(.tanh, .he, fans, deviation: Float(σ), using: &stream)
      let forward = mean(σ) { Foundation.tanh($0) * Foundation.tanh($0) } / (σ * σ)
      let backward = mean(σ) {
        (1 - pow(Foundation.tanh($0), 2)) * (1 - pow(Foundation.tanh($0), 2))
      }
      page.check(
        "tanh at deviation \(σ), forward: measured ÷ integral",
        measured.forward / linear.forward / forward, near: 1, tolerance: 0.015)
      page.check(
        "tanh at deviation \(σ), backward: measured ÷ integral",
        measured.backward / linear.backward / backward, near: 1, tolerance: 0.015)
      page.value("tanh.\(key).forward", forward, tolerance: 1e-6)
      page.value("tanh.\(key).backward", backward, tolerance: 1e-6)
    }
  }
}

// MARK: - Thirty layers

extension HeVersusXavier {
  private static func measureDepth(_ page: Page) {
    let width = 100
    var panels: [[Panel]] = [[], []]
    for (key, activation) in activations {
      var marks: [[Mark]] = [[], []]
      for rule in rules {
        var stream = RandomStream(seed: page.seed, id, "depth", key, rule.key)
        var plan = Perceptron.Plan.deep(width: width, inputs: width, outputs: width)
        (plan.activation, plan.initialiser) = (activation, rule.initialiser)
        let profile = SignalSizes.profile(
          plan, networks: page.isQuick ? 32 : 128, deviation: activation == .tanh ? 0.1 : 1,
          using: &stream)
        let formula = gain(
          variance(rule.initialiser, (width, width)), (width, width),
          passed: activation == .relu ? 0.5 : 1
        ).forward
        for (row, way, path) in [
          (0, "forward", \SignalSizes.Profile.forward),
          (1, "backward", \SignalSizes.Profile.backward),
        ] {
          let ratio = profile.ratio(path)
          // With He's rule tanh leaves the neighbourhood of 0 after a few layers; with Xavier's it
          // stays there, where its factor is not quite 1.
          if activation != .tanh || rule.key != "he" {
            page.check(
              "30 layers, \(key), \(rule.name), \(way): ratio of layers ÷ formula", ratio / formula,
              near: 1, tolerance: (activation == .tanh ? 0.03 : 0.015) * (page.isQuick ? 2 : 1))
          }
          let sizes = profile.typical(path)
          let points = sizes.enumerated().map { (x: Double($0 + 1), y: $1) }
          marks[row].append(.guide(points.map { ($0.x, sizes[0] * pow(formula, ($0.x - 1) / 2)) }))
          marks[row].append(.line(rule.name, points))
          if activation == .relu {
            page.value(
              "depth.\(rule.key).\(way)", sizes.last! / sizes[0],
              tolerance: 0.3 * sizes.last! / sizes[0])
          }
        }
      }
      for row in 0...1 {
        panels[row].append(
          Panel(
            title: "\(key), \(row == 0 ? "forward" : "backward")",
            x: Axis(row == 0 ? "layer" : "layers back"),
            y: Axis("root mean square", scale: .log, range: 1e-8...1e5),
            marks: marks[row]))
      }
    }
    page.figure(
      Figure(
        "sizes",
        title:
          "Only He keeps the size of signals in ReLU nets; in linear and tanh nets Xavier does",
        size: (width: 760, height: 540), columns: 3, panels: panels[0] + panels[1]))
  }

  /// The eight layers of Krizhevsky, Sutskever & Hinton 2012, with their σ.
  private static func multiplyThroughAlexNet(_ page: Page) {
    let inputs = [
      11 * 11 * 3, 5 * 5 * 48, 3 * 3 * 256, 3 * 3 * 192, 3 * 3 * 192, 6 * 6 * 256, 4096, 4096,
    ]
    let gains = inputs.enumerated().map { layer, n in
      gain(1e-4, (n, 0), passed: layer == 0 ? 1 : 0.5).forward.squareRoot()
    }
    let total = gains.reduce(1, *)
    let parts = [("least", gains.min()!), ("most", gains.max()!), ("total", total)]
    for (key, part) in parts { page.value("alexnet.\(key)", part, tolerance: 1e-9) }
    page.value("alexnet.layers", -2 * log2(total), tolerance: 1e-9)
    // Model B of the VGG paper, from its tenth convolution back to its second: fan-outs k²d.
    let filters = [64, 128, 128, 256, 256, 512, 512, 512, 512]
    let shrinks = filters.map { 1 / gain(1e-4, (0, 9 * $0), passed: 0.5).backward.squareRoot() }
    page.value("vgg.shrink", shrinks.reduce(1, *), tolerance: 1e-6)
    page.quote("vgg.shrink.he", 1.7e4, source: "He et al. 2015, section 2.2")
  }
}

// MARK: - Histograms

extension HeVersusXavier {
  private static func showHistograms(_ page: Page, _ data: MNIST, _ split: Split) {
    let images = Array(split.labelled.prefix(200))
    let labels = data.train.labels(images)
    var panels: [[Panel]] = [[], []]
    for rule in rules {
      var stream = RandomStream(seed: page.seed, id, "histograms")
      var plan = Perceptron.Plan.deep()
      plan.initialiser = rule.initialiser
      let network = Perceptron(plan, using: &stream)
      let rows = network.rows(Tape(recording: false).constant(data.train.images(images))).value
      let signals = network.signals(rows) { logits in
        let tape = Tape()
        let x = tape.variable(logits)
        return tape.backward(from: softmaxCrossEntropy(logits: x, labels: labels))[x]
      }
      let low = rule.key == "gaussian" ? -40.0 : -10
      for (row, layers) in [signals.activations, signals.gradients].enumerated() {
        let marks = [0, 9, 18, 28].map { layer in
          Mark.histogram(
            "layer \(layer + 1)", SignalSizes.histogram(layers[layer], from: low, to: 2))
        }
        panels[row].append(
          Panel(
            title: "\(rule.name), \(row == 0 ? "activations" : "gradients")",
            x: Axis(
              "log₁₀ of the size", range: low...2,
              ticks: stride(from: low, through: 0, by: low == -40 ? 10 : 2).map {
                ($0, "\(Int($0))")
              }),
            y: Axis(row == 0 ? "share of activations" : "share of gradients"), marks: marks))
        let typical = [0, 28].map { SignalSizes.meanSquare(layers[$0]).squareRoot() }
        let ratio = row == 0 ? typical[1] / typical[0] : typical[0] / typical[1]
        page.value(
          "digits.\(rule.key).\(row == 0 ? "forward" : "backward")", ratio, tolerance: 0.1 * ratio)
      }
    }
    page.figure(
      Figure(
        "histograms",
        title:
          "Before training: He's layers look alike, Xavier's fade, with σ = 0.01 they are gone",
        size: (width: 760, height: 520), columns: 3, panels: panels[0] + panels[1]))
  }
}

// MARK: - Batch normalisation

extension HeVersusXavier {
  private static func checkNormalisation(_ page: Page) {
    var plan = Perceptron.Plan.deep(12, width: 200, inputs: 200, outputs: 200)
    plan.isNormalised = true
    var stream = RandomStream(seed: page.seed, id, "normalisation")
    let network = Perceptron(plan, using: &stream)
    let (rows, cotangent) = (stream.normal([256, 200]), stream.normal([256, 200]))
    func output() -> (Tensor, Double) {
      let tape = Tape()
      let y = network.output(tape.constant(rows), .training, using: &stream)
      let gradients = tape.backward(from: y, cotangent: cotangent)
      return (y.value, SignalSizes.meanSquare(gradients[network.layers[4].weight]).squareRoot())
    }
    let (before, slope) = output()
    network.layers[4].weight.value = network.layers[4].weight.value * 10
    let (after, flatter) = output()
    page.check(
      "normalised: weights ten times as large change the output by",
      (SignalSizes.meanSquare(after - before) / SignalSizes.meanSquare(before)).squareRoot(),
      atMost: 1e-5)
    page.check(
      "and their gradient becomes this much smaller", slope / flatter, near: 10, tolerance: 0.001)
    var sizes = network.signals(rows) { _ in cotangent }.gradients.map(SignalSizes.meanSquare)
    sizes.removeLast()
    let growth = pow(sizes.first! / sizes.last!, 1 / Double(sizes.count - 1))
    page.check(
      "normalised: growth of the gradient's mean square a layer", growth, near: .pi / (.pi - 1),
      tolerance: 0.025)
    page.value("normalised.growth", growth, tolerance: 0.04)
  }
}

// MARK: - Training

extension HeVersusXavier {
  private typealias Groups = [String: [DeepTraining.Outcome]]

  /// The training losses of a group's seeds after some epochs.
  private static func losses(_ groups: Groups, _ group: String, after epochs: Int) -> [Double] {
    groups[group]!.map { $0.loss(after: epochs) }
  }

  /// The rate of each rule with normalised layers, by the loss after twelve epochs.
  private static func chooseRates(_ page: Page, _ groups: Groups) -> [String: Double] {
    let rates = DeepTraining.rates(page)
    func means(_ kind: String, _ rule: String) -> [Double] {
      rates.map { Spread(losses(groups, "\(kind).\($0).\(rule)", after: 12)).mean }
    }
    var rows: [[String]] = []
    for kind in ["plain", "normalised"] {
      for rule in rules {
        let found = means(kind, rule.key)
        rows.append(["\(rule.name), \(kind)"] + found.map { String(format: "%.2f", $0) })
        for (place, loss) in found.enumerated() where !page.isQuick {
          page.value(
            "rates.\(kind).\(rule.key).\(place + 1)", loss, tolerance: kind == "plain" ? 0.6 : 0.4)
        }
      }
    }
    page.table(["loss after 12 epochs, 30 layers"] + rates.map { "rate \($0)" }, rows)
    // Where no rate moves a rule there is nothing to choose.
    let plain = page.choice(of: "rate for He, plain", by: means("plain", "he"))
    page.value("rates.plain.best", rates[plain])
    if !page.isQuick {
      page.difference(
        "rates.plain.lost",
        PairedDifference(
          losses(groups, "plain.0.003.he", after: 12),
          minus: losses(groups, "plain.\(rates[plain]).he", after: 12)), tolerance: 0.05, unit: "")
    }
    return Dictionary(
      uniqueKeysWithValues: rules.map { rule in
        let best = page.choice(
          of: "rate for \(rule.name), normalised", by: means("normalised", rule.key))
        page.value("rates.normalised.\(rule.key).best", rates[best])
        return (rule.key, rates[best])
      })
  }

  private static func report(
    _ page: Page, _ groups: Groups, normalisedAt rates: [String: Double]
  ) {
    func losses(_ group: String, after epochs: Int) -> [Double] {
      Self.losses(groups, group, after: epochs)
    }
    func normalised(_ rule: String) -> String { "normalised.\(rates[rule]!).\(rule)" }
    page.check(
      "30 layers, He: the worst seed's loss after 16 epochs",
      losses("plain.30.he", after: 16).max()!, atMost: page.isQuick ? 1.5 : 0.9)
    page.check(
      "30 layers, Xavier: the best seed's loss then",
      losses("plain.30.xavier", after: 16).min()!, atLeast: 2.2)
    page.check(
      "30 layers, normalised: the worst loss of all rules",
      rules.flatMap { losses(normalised($0.key), after: 12) }.max()!,
      atMost: page.isQuick ? 2.29 : 2.1)
    if page.isQuick { return }

    for rule in rules {
      for (depth, key) in [(22, "shallow"), (30, "deep")] {
        let (name, group) = ("\(key).\(rule.key)", "plain.\(depth).\(rule.key)")
        let outcomes = groups[group]!
        let after = losses(group, after: 16)
        let tolerance = rule.key == "he" ? 0.2 : name == "shallow.xavier" ? 0.5 : 0.03
        page.value("\(name).loss", Spread(after), tolerance: tolerance)
        if name == "deep.he" {
          page.value("deep.he.most", after.max()!, tolerance: 0.4)
        } else if name != "shallow.he" && name != "shallow.xavier" {
          page.value("\(name).least", after.min()!, tolerance: 0.06)
        }
        let arrivals = outcomes.compactMap { $0.arrival.map(Double.init) }
        page.value(
          "\(name).count", Double(arrivals.count),
          tolerance: rule.key != "xavier" ? 0 : key == "deep" ? 3 : 1)
        if !arrivals.isEmpty {
          let tolerance = rule.key == "he" ? 3.0 : 15
          page.value("\(name).arrival", Spread(arrivals), tolerance: tolerance, unit: "epochs")
          page.value("\(name).first", arrivals.min()!, tolerance: tolerance, unit: "epochs")
          page.value("\(name).last", arrivals.max()!, tolerance: 2 * tolerance, unit: "epochs")
        }
        let accuracy = Spread(outcomes.map(\.accuracy))
        let room = rule.key == "xavier" ? 25.0 : 3
        page.value("\(name).accuracy", accuracy, tolerance: room, unit: "%")
        page.value("\(name).deviation", accuracy.deviation, tolerance: room, unit: "points")
      }
      let outcomes = groups[normalised(rule.key)]!
      let loss = losses(normalised(rule.key), after: 12)
      let accuracy = Spread(outcomes.map(\.accuracy))
      page.value("normalised.\(rule.key).loss", Spread(loss), tolerance: 0.25)
      page.value("normalised.\(rule.key).most", loss.max()!, tolerance: 0.6)
      page.value("normalised.\(rule.key).accuracy", accuracy, tolerance: 12, unit: "%")
      page.value(
        "normalised.\(rule.key).deviation", accuracy.deviation, tolerance: 10, unit: "points")
      page.difference(
        "normalised.\(rule.key).behind",
        PairedDifference(loss, minus: losses("plain.30.he", after: 12)), tolerance: 0.4, unit: "")
    }
    reportTheOrder(page, groups)
    page.difference(
      "normalised.gap",
      PairedDifference(
        losses(normalised("xavier"), after: 12), minus: losses(normalised("he"), after: 12)),
      tolerance: 0.4, unit: "")
    page.claim(
      "With batch normalisation 30 layers leave the plateau under all three rules, in every seed.",
      "normalised.he.most < 2.1 and normalised.xavier.most < 2.1 and normalised.gaussian.most < 2.1"
    )
    page.claim(
      "After the same twelve epochs each of them has a higher loss than He's plain network.",
      "normalised.he.behind.low > 0 and normalised.xavier.behind.low > 0 "
        + "and normalised.gaussian.behind.low > 0")
    page.quote("he.fourteen", 33.82, source: "He et al. 2015, section 2.2 (top-1 error, 14 layers)")
    page.quote("xavier.fourteen", 33.90, source: "He et al. 2015, section 2.2 (the same, Xavier)")
  }

  /// What is claimed of plain networks: who starts first, and who reads better in the end.
  private static func reportTheOrder(_ page: Page, _ groups: Groups) {
    for (depth, key) in [(22, "shallow"), (30, "deep")] {
      let sides = ["xavier", "he"].map { groups["plain.\(depth).\($0)"]! }
      // A network that never arrives counts as arriving in the epoch behind the last.
      let arrivals = sides.map { $0.map { Double($0.arrival ?? 97) } }
      page.difference(
        "\(key).wait", PairedDifference(arrivals[0], minus: arrivals[1]), tolerance: 10,
        unit: "epochs")
      let trained = sides[0].indices.filter { i in sides.allSatisfy { $0[i].arrival != nil } }
      page.value("\(key).accuracy.pairs", Double(trained.count), tolerance: 1)
      page.difference(
        "\(key).accuracy.gap",
        PairedDifference(
          trained.map { sides[1][$0].accuracy }, minus: trained.map { sides[0][$0].accuracy }),
        tolerance: 15)
    }
    func waits(_ depth: Int) -> [Double] {
      let sides = ["xavier", "he"].map { groups["plain.\(depth).\($0)"]! }
      return zip(sides[0], sides[1]).map { Double(($0.arrival ?? 97) - ($1.arrival ?? 97)) }
    }
    page.difference(
      "wait.deeper", PairedDifference(waits(30), minus: waits(22)), tolerance: 10, unit: "epochs")
    page.claim("With 30 layers the wait is longer than with 22.", "wait.deeper.low > 0")
    let still = DeepTraining.rates(page).flatMap { rate in
      ["xavier", "gaussian"].map { losses(groups, "plain.\(rate).\($0)", after: 12).min()! }
    }
    page.value("rates.still.least", still.min()!, tolerance: 0.03)
    page.claim(
      "At 22 layers both rules train, and He's networks are there many epochs before Xavier's.",
      "shallow.he.count == 5 and shallow.xavier.count >= 4 and shallow.wait.low > 5")
    page.claim(
      "At 30 layers all of He's networks have trained after 16 epochs, and none of Xavier's has moved.",
      "deep.he.most < 1 and deep.xavier.least > 2.2")
    page.claim(
      "With σ = 0.01 neither depth moves at all.",
      "shallow.gaussian.count == 0 and deep.gaussian.count == 0 "
        + "and shallow.gaussian.least > 2.2 and deep.gaussian.least > 2.2")
    page.claim(
      "In twelve epochs no rate from 0.0003 to 0.1 moves 30 layers from Xavier's rule or from "
        + "σ = 0.01, in any seed.",
      "rates.still.least > 2.2")
  }

  private static func answerTheExercises(_ page: Page) {
    // A leaky slope of ¼ under the rule for a plain rectifier: c·n·v = (1 + a²)/2 · 2.
    page.value("exercise.leaky.layer", 1 + 0.25 * 0.25)
    page.value("exercise.leaky.whole", pow(1 + 0.25 * 0.25, 29.0 / 2))
    // 3 × 3 from 64 channels to 128.
    for (key, initialiser) in [("he", Initialiser.he), ("xavier", .xavierNormal)] {
      let fans = Initialiser.fans([128, 64, 3, 3])
      page.value("exercise.convolution.\(key)", variance(initialiser, fans).squareRoot())
    }
  }
}
