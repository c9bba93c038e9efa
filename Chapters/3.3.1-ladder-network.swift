import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.1: a network that must undo noise at each of its layers.
public enum Ladder: Chapter {
  /// The chapter's number.
  public static let id = "3.3.1"
  /// The chapter's title.
  public static let title = "Ladder network: noise to undo at every layer"
  /// A look, candidates, draws.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheNetwork(page)
    checkTheGuess(page)
    checkTheLoss(page, data.train)
    checkTheEnds(page, data.train)
    try look(page, data)
    try compare(page, data)
    quotePapers(page)
  }
}

// MARK: - The picture

extension Ladder {
  /// Three columns: the noisy pass up, the decoder down, the clean pass up.
  private static func drawTheNetwork(_ page: Page) {
    var marks: [Mark] = []
    let columns = [0.0, 4, 8]
    func note(_ words: String, _ x: Double, _ y: Double) {
      marks.append(.text(words, at: (x, y), isCentred: true))
    }
    func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double), _ colour: Int) {
      let length = ((to.x - from.x) * (to.x - from.x) + (to.y - from.y) * (to.y - from.y))
        .squareRoot()
      let (dx, dy) = ((to.x - from.x) / length, (to.y - from.y) / length)
      let head = [1.0, -1].map { side in
        (x: to.x - 0.16 * dx - 0.1 * side * dy, y: to.y - 0.1 * dy + 0.07 * side * dx)
      }
      marks.append(.line("", [from, to], colour: colour))
      marks.append(.line("", [head[0], to, head[1]], colour: colour))
    }
    let names = [
      ["x̃ = x + noise", "z̃¹", "z̃²", "z̃³"], ["ẑ⁰", "ẑ¹", "ẑ²", "ẑ³"], ["x", "z¹", "z²", "z³"],
    ]
    for (column, x) in columns.enumerated() {
      for (row, name) in names[column].enumerated() { note(name, x, Double(row)) }
      for row in 0..<3 {
        let (low, high) = (Double(row) + 0.22, Double(row) + 0.78)
        column == 1
          ? line((x, high), (x, low), 0) : line((x, low), (x, high), 6)
      }
    }
    for row in 0...3 {
      let y = Double(row)
      line((row == 0 ? 0.75 : 0.35, y), (3.65, y), 6)
      marks.append(.guide([(4.35, y), (7.65, y)]))
      note("cost C\(["⁰", "¹", "²", "³"][row])", 6, y + 0.14)
    }
    note("W, noise", 0.75, 0.5)
    note("V", 4.25, 0.5)
    note("W", 8.25, 0.5)
    line((0, 3.22), (0, 3.75), 6)
    line((8, 3.22), (8, 3.75), 6)
    marks.append(.line("", [(0.9, 3.95), (4, 3.95)], colour: 0))
    line((4, 3.95), (4, 3.25), 0)
    note("ỹ: learns labels", -0.05, 3.95)
    note("y: reads digits", 8, 3.95)
    for (x, words) in zip(columns, ["noisy pass", "decoder", "clean pass"]) { note(words, x, -0.5) }
    page.figure(
      Figure(
        "network", title: "Noise on each layer of one pass is undone, from beside and from above",
        size: (760, 400),
        panels: [
          Panel(x: .hidden(range: -1.3...9.3), y: .hidden(range: -0.8...4.3), marks: marks)
        ]))
  }
}

// MARK: - The guess

extension Ladder {
  /// z = ρu + √(1 − ρ²)e and z̃ = z + noise, for which the best guess is known.
  private static func checkTheGuess(_ page: Page) {
    let (ρ, noise, count) = (0.8, 0.3, 4000)
    // snippet.best
    /// υ and the squared error of the best guess for a z of variance s² about a known mean.
    func best(_ s: Double, noise: Double) -> (weight: Double, error: Double) {
      let weight = s * s / (s * s + noise * noise)
      return (weight, weight * noise * noise)
    }
    // snippet.end
    let (alone, told) = (best(1, noise: noise), best((1 - ρ * ρ).squareRoot(), noise: noise))
    page.value("guess.alone.weight", alone.weight, tolerance: 1e-9)
    page.value("guess.alone.error", alone.error, tolerance: 1e-9)
    page.value("guess.told.weight", told.weight, tolerance: 1e-9)
    page.value("guess.told.error", told.error, tolerance: 1e-9)
    // The error is (1 − υ)²s² + υ²·noise², about any mean: its slope at the best υ.
    let variance = 1 - ρ * ρ
    let slope = Routes.centralDifference(at: told.weight, step: 1e-4) { υ in
      (1 - υ) * (1 - υ) * variance + υ * υ * noise * noise
    }
    page.check("the slope of the error at the best weight", slope, atMost: 1e-9)
    var stream = RandomStream(seed: page.seed, id, "check of the guess")
    let u = stream.normal([count, 1])
    let z = u * Float(ρ) + stream.normal([count, 1]) * Float((1 - ρ * ρ).squareRoot())
    let z̃ = z + stream.normal([count, 1]) * Float(noise)
    let combinator = GaussianCombinator(units: 1)
    var rule = Adam()
    func error(_ tape: Tape) -> Variable {
      squaredError(combinator(tape.constant(z̃), tape.constant(u)), tape.constant(z))
    }
    for step in 0..<600 {
      let tape = Tape()
      rule.step(
        combinator.parameters, tape.backward(from: error(tape)), rate: step < 400 ? 0.02 : 0.002)
    }
    let learnt = Double(error(Tape(recording: false)).value.scalar)
    page.value("guess.learnt", learnt, tolerance: 0.003)
    // Three standard errors of a mean of 4,000 squares.
    page.check(
      "the error of a combinator that learnt, near that of the best guess", learnt,
      near: told.error, tolerance: 3 * told.error * (2 / Double(count)).squareRoot())
    page.claim(
      "Told the sense, the best guess errs less than alone.",
      "guess.told.error < guess.alone.error")
  }

  /// Value and slope of a small ladder's loss on real digits.
  private static func checkTheLoss(_ page: Page, _ set: ImageSet) {
    func small(_ noise: Float) -> LadderNetwork {
      var plan = LadderNetwork.Plan()
      (plan.sizes, plan.denoisingWeights) = ([784, 12, 10], [2, 1, 0.5])
      (plan.pixelNoise, plan.noise) = (noise, noise)
      var stream = RandomStream(seed: page.seed, id, "check of the loss")
      let network = LadderNetwork(plan, using: &stream)
      for parameter in network.combinators.flatMap(\.a) {
        parameter.value = parameter.value + stream.normal(parameter.value.shape, deviation: 0.3)
      }
      return network
    }
    let network = small(0)
    var stream = RandomStream(seed: page.seed, id, "check of the loss", "images")
    var source = PairedBatches(
      LabelledBatches(of: set, Array(0..<8), size: 8, seed: 1, name: id),
      UnlabelledBatches(of: set.withoutLabels(Array(8..<20)), size: 12, seed: 1, name: id))
    let batch = source.next(using: &stream)
    let tape = Tape()
    let total = network.loss(
      batch, at: Moment(step: 0, epoch: 0), on: tape, using: &stream
    ).total
    func images(_ x: Tensor) -> [[Double]] {
      (0..<x.shape.exampleCount).map { x.rows($0..<$0 + 1).values.map(Double.init) }
    }
    let (known, others) = (images(batch.labelled.images), images(batch.unlabelled))
    var plain = PlainLadder(network)
    let wanted = plain.loss(known, batch.labelled.labels, others: others)
    page.check(
      "the loss of twenty digits, against Double",
      (Double(total.value.scalar) - wanted) / wanted, atMost: 1e-5)
    let first = network.layers[0].weight
    let (weights, direction) = (plain.first, stream.normal(first.value.shape))
    let slope = Routes.centralDifference(at: 0, step: 1e-5) { t in
      plain.first = zip(weights, direction.values).map { $0 + t * Double($1) }
      return plain.loss(known, batch.labelled.labels, others: others)
    }
    let gradient = tape.backward(from: total)[first]
    page.check(
      "the gradient of the first weights, along a direction",
      (gradient.dot(direction) - slope) / slope, atMost: 1e-3)
    let noisy = small(0.3)
    let x = flatten(Tape(recording: false).constant(batch.unlabelled))
    let passes = noisy.encode([(x, true), (x, false)], using: &stream)
    let guess = noisy.guesses(passes[0], clean: passes[1]).first { $0.layer == 1 }!
    let right = PlainLadder(noisy).firstGuess(
      images(passes[0].z[1].value), above: images(guess.above.value), of: others)
    page.check(
      "with noise, the guess of the first layer by clean moments, against Double",
      Routes.distance(images(guess.z.value).flatMap { $0 }, right.flatMap { $0 }), atMost: 1e-4)
  }

  /// Without noise both passes are one, and labels cost what they cost a plain network.
  private static func checkTheEnds(_ page: Page, _ set: ImageSet) {
    let images = set.images(0..<50)
    func distances(_ noise: Float) -> [Double] {
      var plan = LadderNetwork.Plan()
      (plan.pixelNoise, plan.noise) = (noise, noise)
      var stream = RandomStream(seed: page.seed, id, "check of the ends")
      let network = LadderNetwork(plan, using: &stream)
      let x = flatten(Tape(recording: false).constant(images))
      let passes = network.encode([(x, true), (x, false)], using: &stream)
      return zip(passes[0].z, passes[1].z).map {
        Double(($0.value - $1.value).maximumMagnitude())
      }
    }
    page.check("without noise both passes are one", distances(0).max()!, atMost: 1e-4)
    page.check("with noise they are not, at any layer", distances(0.3).min()!, atLeast: 0.5)
    func ladder(_ noise: Float) -> LadderNetwork {
      var plan = LadderNetwork.Plan()
      (plan.pixelNoise, plan.noise) = (noise, noise)
      var stream = RandomStream(seed: page.seed, id, "check of the ends", "plain networks")
      return LadderNetwork(plan, using: &stream)
    }
    var (source, order) = (
      PairedBatches(
        LabelledBatches(of: set, Array(0..<20), size: 20, seed: 1, name: id),
        UnlabelledBatches(of: set.withoutLabels(Array(20..<40)), size: 20, seed: 1, name: id)),
      RandomStream(seed: page.seed, id, "check of the ends", "order")
    )
    let batch = source.next(using: &order)
    /// The labels' part of the loss, with a draw of noise.
    func labels(_ network: LadderNetwork, draw: String) -> Double {
      var stream = RandomStream(seed: page.seed, id, "check of the ends", draw)
      return Double(
        network.loss(
          batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &stream
        ).parts[0].value)
    }
    let quiet = ladder(0)
    let plain = softmaxCrossEntropy(
      logits: quiet.logits(
        Tape(recording: false).constant(batch.labelled.images), .trainingAside, using: &order),
      labels: batch.labelled.labels)
    page.check(
      "without noise the labels cost what they cost the plain network",
      labels(quiet, draw: "first") - Double(plain.value.scalar), atMost: 1e-6)
    // If the clean pass learnt them, the noise would not touch their cost.
    let noisy = ladder(0.3)
    page.check(
      "with noise another draw of it changes what the labels cost",
      abs(labels(noisy, draw: "first") - labels(noisy, draw: "second")), atLeast: 1e-3)
  }
}

// MARK: - What the decoder learns

extension Ladder {
  private static func look(_ page: Page, _ data: MNIST) throws {
    let draw = LabelDraw.all(labels: 1000, page)[0]
    let look = try LadderLook.run(page, data, draw, LadderTraining.ladders[0])
    let names = look.costs.indices.map { $0 == 0 ? "pixels" : "layer \($0)" }
    page.value("look.steps", Double(look.steps.last!))
    for (layer, cost) in look.costs.enumerated() {
      page.value("look.cost.\(layer)", cost.last!, tolerance: 0.2 * cost.last!)
      page.value("look.trust.\(layer)", look.trust[layer], tolerance: 0.3 * look.trust[layer])
    }
    for (layer, noise) in look.noises.enumerated() {
      page.value("look.noise.\(layer)", noise, tolerance: 0.2 * noise)
    }
    page.value("look.alone", look.alone, tolerance: 0.001)
    let noise = Double(LadderTraining.ladders[0].plan.pixelNoise)
    page.value("look.single", leastError(of: data.train, noise: noise), tolerance: 1e-6)
    // υ = E/σ²: of the best line through a pixel, and of a guess that errs like the decoder.
    let variance = noise * noise
    page.value("look.line", look.alone / variance, tolerance: 0.012)
    page.value("look.formula", look.costs[0].last! / variance, tolerance: 0.012)
    page.value("look.trust.most", look.weights[0].last!, tolerance: 0.06)
    page.claim(
      "On the second layer the guess costs more than 0.9, hardly less than that.",
      "look.cost.2 > 0.9")
    page.claim("A guess that bends does better than a line.", "look.single < look.alone")
    page.claim(
      "The decoder errs less on a pixel than whoever sees that pixel alone.",
      "look.cost.0 < look.single")
    func claim(_ sentence: String, _ layers: [Int], _ sign: String) {
      page.claim(
        sentence,
        layers.map { "look.cost.\($0) \(sign) look.noise.\($0)" }.joined(separator: " and "))
    }
    claim(
      "On the pixels, the first, the fifth and the top layer the guess errs less than the noisy layer "
        + "itself.", [0, 1, 5, 6], "<")
    claim("On the second, third and fourth it errs more.", [2, 3, 4], ">")
    page.claim("Of a noisy pixel the guess takes over less than a tenth.", "look.trust.0 < 0.1")
    page.figure(
      Figure(
        "decoder",
        title:
          "The layers in the middle are hardly restored; of a noisy pixel little is taken over",
        size: (760, 380), columns: 2,
        panels: [
          Panel(
            title: "denoising cost of a unit",
            x: Axis("step"), y: Axis("C", scale: .log),
            marks: zip(names, look.costs).enumerated().map { colour, pair in
              .line(
                pair.0, zip(look.steps, pair.1).map { (x: Double($0), y: $1) }, colour: colour)
            }),
          Panel(
            title: "weight υ of the noisy unit",
            x: Axis("share of the layer's units, sorted"), y: Axis("υ/√v"),
            marks: zip(names, look.weights).enumerated().map { colour, pair in
              .line(pair.0, zip(LadderLook.shares, pair.1).map { (x: $0, y: $1) }, colour: colour)
            }),
        ]))
    page.figure(
      Figure(
        "digits", title: "The decoder gives back digits that noise has covered",
        size: (760, 360),
        panels: ["as they are", "with noise", "given back"].enumerated().map { row, title in
          let count = LadderLook.pictureCount
          return Panel(
            title: title,
            marks: [
              .images(
                Array(look.pictures[row * count..<(row + 1) * count]),
                captions: [String](repeating: "", count: count), columns: count)
            ])
        }))
  }
}

extension Ladder {
  // snippet.single
  /// The least squared error of a guess that sees one noisy pixel, and knows how often this pixel has
  /// each value: E[v²] − E[E[v | ṽ]²], a mean over the pixels.
  private static func leastError(of set: ImageSet, noise σ: Double) -> Double {
    let (pixels, levels, step) = (ImageSet.pixelsPerImage, 256, 0.02)
    var counts = [[Double]](repeating: Array(repeating: 0, count: levels), count: pixels)
    for places in Array(0..<set.count).batches(of: 1000) {
      for (place, value) in set.images(places).values.enumerated() {
        counts[place % pixels][Int((value * 255).rounded())] += 1 / Double(set.count)
      }
    }
    // The density of a noisy value, for each clean one; five deviations are all of it.
    let grid = Array(stride(from: -5 * σ, through: 1 + 5 * σ, by: step))
    let density = grid.map { ṽ in
      (0..<levels).map { level in
        let z = (ṽ - Double(level) / 255) / σ
        return exp(-z * z / 2) / (σ * (2 * Double.pi).squareRoot())
      }
    }
    let errors = counts.map { counts in
      let levels = counts.indices.filter { counts[$0] > 0 }
      let square = levels.reduce(0) { $0 + counts[$1] * Double($1 * $1) / (255 * 255) }
      return density.reduce(square) { error, density in
        let (mass, sum) = levels.reduce((0.0, 0.0)) {
          let share = counts[$1] * density[$1]
          return ($0.0 + share, $0.1 + share * Double($1) / 255)
        }
        return mass > 0 ? error - step * sum * sum / mass : error
      }
    }
    return Spread(errors).mean
  }
  // snippet.end
}

// MARK: - What it is worth

extension Ladder {
  private static let counts = [1000, 3000]

  private static func compare(_ page: Page, _ data: MNIST) throws {
    let study = Study(page, data)
    let arms = LadderTraining.arms
    var report = OutcomeReport(page)
    // The kit's split is the first with 3,000 labels.
    let draws = counts.map { LabelDraw.all(labels: $0, page) }
    let choice = try study.choose(arms, on: [draws[1].last!])[0]
    // With 1,000 labels the methods are as the paper has them; labels alone choose their noise.
    let noise = try study.choose([arms[0]], on: [draws[0].last!])[0][0]
    let papers = [noise, LadderTraining.papers.gamma, LadderTraining.papers.ladder]
    let choices = [papers, choice]
    var outcomes = try study.run(arms, choices, on: draws)
    // At the paper's rate, as what learns from distorted images.
    let plain = outcomes[1][0]
    let preferred = try counts.indices.map { group in
      try prefer(page, study, outcomes[group][0], choices[group][0], draws[group])
    }
    for (group, labels) in counts.enumerated() {
      outcomes[group][0] = preferred[group].outcomes
      for (arm, outcomes) in zip(arms, outcomes[group]) {
        report.add(arm.key, labels: labels, outcomes)
      }
      page.value(
        "supervised.\(labels).noise",
        Double(LadderTraining.supervised[choices[group][0]].plan.noise), tolerance: 0.4)
    }
    let plans = zip([LadderTraining.gammas, LadderTraining.ladders], choice.dropFirst())
      .map { $0[$1].plan }
    page.value("gamma.weight", Double(plans[0].denoisingWeights.last!), tolerance: 10)
    page.value("ladder.pixels", Double(plans[1].denoisingWeights[0]), tolerance: 1000)
    page.value("ladder.above", Double(plans[1].denoisingWeights[1]), tolerance: 19)
    page.value("ladder.noise", Double(plans[1].noise), tolerance: 0.1)
    report.giveValues(tolerance: 0.4)
    report.giveSeconds("ladder", "gamma", "supervised")
    for labels in counts {
      for arm in arms { report.giveLengths(arm.key, labels, tolerance: 0.5) }
    }
    try takeAway(page, study, &report, draws[0], noise: noise, isSlower: preferred[0].isSlower)
    try addTheSingles(
      page, study, &report, kit: draws[1][0], ladder: choice[2], right: outcomes[1][2][0])
    try addTheAugmented(page, study, &report, draws[1], gamma: choice[1], ladder: choice[2])
    drawTheCurves(page, report)
    drawTheDifferences(page, report)
    drawTheConvolution(page, report)
    report.add("plain", labels: 3000, plain)
    compareTheAugmented(page, report)
  }

  /// Takes away what the gains with 1,000 labels may be of: the costs above the pixels, and moments that
  /// are known better.
  ///
  /// - Parameters:
  ///   - noise: the place of the noise of labels alone.
  ///   - isSlower: whether they take a third of the paper's rate.
  private static func takeAway(
    _ page: Page, _ study: Study, _ report: inout OutcomeReport, _ draws: [LabelDraw], noise: Int,
    isSlower: Bool
  ) throws {
    let arms = [LadderTraining.bottom, LadderTraining.settled(isSlower: isSlower)]
    let outcomes = try study.run(arms, [[0, noise]], on: [draws])[0]
    for (arm, outcomes) in zip(arms, outcomes) {
      report.add(arm.key, labels: 1000, outcomes)
      let error = Spread(outcomes.map { $0.test.last! })
      page.value("\(arm.key).1000.test", error, tolerance: 0.4, unit: "%")
    }
    _ = report.giveDifference(
      "settled.gain", "supervised", minus: "settled", 1000, tolerance: 0.4)
    page.claim(
      "They explain less than 0.2 points of what the methods gain there.", "settled.gain.high < 0.2"
    )
    for other in ["ladder", "gamma", "supervised"] {
      _ = report.giveDifference("bottom.\(other)", other, minus: "bottom", 1000, tolerance: 0.4)
    }
    page.claim(
      "With the pixels' cost alone it gains over labels alone and over the Γ-model.",
      "bottom.supervised.low > 0 and bottom.gamma.low > 0")
    page.claim(
      "It errs more than the whole ladder, and more than the paper's.",
      "bottom.1000.test > ladder.1000.test and bottom.1000.test > paper.bottom.1000")
  }

  /// Adds what is trained on the kit's split alone: convolutions, and the moments of the noisy pass.
  ///
  /// - Parameter right: what the ladder of the table has come to on that split.
  private static func addTheSingles(
    _ page: Page, _ study: Study, _ report: inout OutcomeReport, kit: LabelDraw, ladder: Int,
    right: Study.Outcome
  ) throws {
    let mistaken = LadderTraining.mistaken(LadderTraining.ladders[ladder])
    // The longest is begun first.
    let singles = [LadderTraining.convolutional[1], mistaken, LadderTraining.convolutional[0]]
    let outcomes = try study.run(singles, [singles.map { _ in 0 }], on: [[kit]])[0]
    for (arm, outcomes) in zip(singles, outcomes) {
      report.add(arm.key, labels: kit.labels, outcomes)
    }
    for arm in LadderTraining.arms + singles {
      page.value(
        "\(arm.key).kit", report.errors(arm.key, kit.labels)[0], tolerance: 0.3, unit: "%")
    }
    for (key, outcome) in [("plainConvolution", outcomes[2][0]), ("ladder", right)] {
      page.value(
        "\(key).kit.validation", outcome.validation.last!, tolerance: 0.3, unit: "%")
    }
    // The deviation of the difference of two counts of misread images.
    for other in ["convolution", "ladder"] {
      let misread = ["plainConvolution", other].map { 100 * report.errors($0, kit.labels)[0] }
      page.value(
        "\(other).chance", (misread[0] + misread[1]).squareRoot() / 100, tolerance: 0.03,
        unit: "points")
    }
    report.giveLengths("convolution", kit.labels, tolerance: 0.5)
    page.claim(
      "On the test images the convolutional network on labels alone is ahead of the ladder by less than "
        + "twice that, and on the validation images behind it by less than twice that.",
      "0 < ladder.kit - plainConvolution.kit "
        + "and ladder.kit - plainConvolution.kit < 2 * ladder.chance "
        + "and plainConvolution.kit.validation > ladder.kit.validation "
        + "and plainConvolution.kit.validation - ladder.kit.validation < 2 * ladder.chance")
    page.claim(
      "Its Γ-model is ahead of it by less than such counts differ by.",
      "convolution.kit < plainConvolution.kit "
        + "and plainConvolution.kit - convolution.kit < convolution.chance")
    page.claim(
      "The two ladders differ by less than 0.1 points.",
      "moments.kit - ladder.kit < 0.1 and ladder.kit - moments.kit < 0.1")
  }

  // snippet.augmented
  /// Adds the arms with distorted images, on the first three draws; labels alone choose their noise
  /// anew, the methods keep what they chose without.
  private static func addTheAugmented(
    _ page: Page, _ study: Study, _ report: inout OutcomeReport, _ draws: [LabelDraw], gamma: Int,
    ladder: Int
  ) throws {
    let arms = LadderTraining.augmented(gamma: gamma, ladder: ladder)
    let choice = try study.choose(arms, on: [draws.last!])
    let outcomes = try study.run(arms, choice, on: [Array(draws.prefix(3))])[0]
    for (arm, outcomes) in zip(arms, outcomes) {
      report.add(arm.key, labels: draws[0].labels, outcomes)
      page.value(
        "\(arm.key).train", Spread(outcomes.map { $0.train.last! }), tolerance: 0.3, unit: "%")
    }
    page.value(
      "plainAugmented.noise", Double(LadderTraining.augmentedNoises[choice[0][0]]), tolerance: 0.4)
  }
  // snippet.end

  /// What distorted images give, on the draws that have them, and the Γ-model and the ladder with them.
  private static func compareTheAugmented(_ page: Page, _ report: OutcomeReport) {
    let keys = ["plain", "gamma", "ladder"]
    let errors = zip(keys, ["plainAugmented", "gammaAugmented", "ladderAugmented"]).map {
      key, augmented in
      let own = report.errors(augmented, 3000)
      let without = Array(report.errors(key, 3000).prefix(own.count))
      for (name, errors) in [(augmented, own), ("\(key).same", without)] {
        let spread = Spread(errors)
        page.value("\(name).test", spread, tolerance: 0.3, unit: "%")
        page.value("\(name).deviation", spread.deviation, tolerance: 0.3, unit: "points")
      }
      page.difference(
        "\(augmented).gain", PairedDifference(without, minus: own), tolerance: 0.3)
      return own
    }
    for (key, errors0, errors1) in [
      ("gammaAugmented", errors[0], errors[1]), ("ladderAugmented", errors[0], errors[2]),
      ("rungsAugmented", errors[1], errors[2]),
    ] {
      page.difference("\(key).over", PairedDifference(errors0, minus: errors1), tolerance: 0.3)
    }
    page.claim(
      "Distortions help labels alone and the Γ-model, and are not shown to help the ladder.",
      "plainAugmented.gain.low > 0 and gammaAugmented.gain.low > 0 "
        + "and ladderAugmented.gain.low < 0")
    page.claim(
      "The Γ-model shows no gain over labels alone any more.", "gammaAugmented.over.low < 0")
    page.claim(
      "The ladder errs less than labels alone in the mean.",
      "ladderAugmented.test < plainAugmented.test")
    page.figure(
      Figure(
        "augmented", title: "With distorted images labels alone come near the ladder",
        size: (980, 300), columns: 3,
        panels: panels(
          page, report, ["plainAugmented", "gammaAugmented", "ladderAugmented"], 3000)))
  }

  // snippet.rate
  /// Labels alone on all draws, at the rate that validation prefers at full length: on the draw of the
  /// choice, between the paper's and a third of it.
  private static func prefer(
    _ page: Page, _ study: Study, _ outcomes: [Study.Outcome], _ choice: Int, _ draws: [LabelDraw]
  ) throws -> (outcomes: [Study.Outcome], isSlower: Bool) {
    let (slower, labels) = (LadderTraining.slower, draws[0].labels)
    let trial = try study.run([slower], [[choice]], on: [[draws.last!]])[0][0][0]
    page.giveValidation(
      [("supervised", [outcomes.last!]), ("slower", [trial])], labels: labels)
    let validation = [outcomes.last!, trial].map { $0.validation.last! }
    let isSlower = Page.preferred(validation) == 1
    page.value(
      "supervised.\(labels).rate", LadderTraining.rate / (isSlower ? 3 : 1), tolerance: 0.002)
    let slow = isSlower ? try study.run([slower], [[choice]], on: [draws])[0][0] : nil
    return (slow ?? outcomes, isSlower)
  }
  // snippet.end

  /// Errors against the steps of one arm.
  private static func panel(
    _ page: Page, _ report: OutcomeReport, _ key: String, _ words: String, _ labels: Int
  ) -> Panel {
    let isConvolutional = key.lowercased().hasSuffix("convolution")
    // Ticks at the thirds of the length.
    let ticks = (1...3).map { third -> (Double, String) in
      let steps = third * (key.hasPrefix("gamma") ? 9600 : isConvolutional ? 1920 : 6000)
      return (Double(steps), String(format: "%d,%03d", steps / 1000, steps % 1000))
    }
    return report.panel(
      "\(words), \(OutcomeReport.words(labels))", key, labels,
      x: page.isQuick ? Axis("step") : Axis("step", ticks: ticks),
      highest: page.isQuick ? 100 : isConvolutional || key.hasSuffix("Augmented") ? 3 : 9)
  }

  /// The curves of labels alone, of a Γ-model and of a ladder, by their keys.
  private static func panels(
    _ page: Page, _ report: OutcomeReport, _ keys: [String], _ labels: Int
  ) -> [Panel] {
    zip(keys, ["labels alone", "Γ-model", "ladder"]).map { key, words in
      panel(page, report, key, words, labels)
    }
  }

  private static func drawTheCurves(_ page: Page, _ report: OutcomeReport) {
    page.figure(
      Figure(
        "curves",
        title: "Labels alone err most, the Γ-model less, the ladder least",
        size: (980, 560), columns: 3,
        panels: counts.flatMap { labels in
          panels(page, report, ["supervised", "gamma", "ladder"], labels)
        }))
  }

  private static func drawTheConvolution(_ page: Page, _ report: OutcomeReport) {
    page.figure(
      Figure(
        "convolution", title: "On convolutions with noise the cost of the top shows no gain",
        size: (760, 320), columns: 2,
        panels: panels(page, report, ["plainConvolution", "convolution"], 3000)))
  }

  private static func drawTheDifferences(_ page: Page, _ report: OutcomeReport) {
    page.giveGains(
      [
        ("ladder.gain", "ladder against labels alone", "supervised", "ladder"),
        ("gamma.gain", "Γ-model against labels alone", "supervised", "gamma"),
        ("rungs.gain", "ladder against Γ-model", "gamma", "ladder"),
      ], of: report, labels: counts,
      title: "The Γ-model gains much over labels alone, the ladder more",
      axis: "test error of the other less that of the first, points", size: (820, 380))
    page.claim(
      "A ladder reads digits better than the same network on labels alone, with either number of "
        + "labels.", "ladder.gain.1000.low > 0 and ladder.gain.3000.low > 0")
    page.claim(
      "With 1,000 labels the ladder errs on less than 1.2 %.", "ladder.1000.test < 1.2")
    page.claim("The Γ-model errs on less than 2 % there.", "gamma.1000.test < 2")
    page.claim(
      "The Γ-model beats labels alone too.",
      "gamma.gain.1000.low > 0 and gamma.gain.3000.low > 0")
    page.claim(
      "After a third of its steps the Γ-model errs less than labels alone at their end.",
      "gamma.1000.third < supervised.1000.test and gamma.3000.third < supervised.3000.test")
    page.claim(
      "The two rates differ by less than 0.1 points.",
      counts.flatMap { labels in
        let pair = ["slower", "supervised"].map { "\($0).\(labels).validation" }
        return ["\(pair[0]) - \(pair[1]) < 0.1", "\(pair[1]) - \(pair[0]) < 0.1"]
      }.joined(separator: " and "))
    page.claim(
      "With 1,000 labels it prefers the paper's rate, with 3,000 a third of it.",
      "supervised.1000.validation < slower.1000.validation "
        + "and slower.3000.validation < supervised.3000.validation")
    page.claim(
      "Our network on labels alone errs less than the paper's.",
      "supervised.1000.test < paper.supervised.1000")
    page.claim(
      "Both are above the paper's errors.",
      "ladder.1000.test > paper.ladder.1000 and gamma.1000.test > paper.gamma.1000")
    page.claim(
      "The ladder is ahead of the Γ-model with either number of labels.",
      "rungs.gain.1000.low > 0 and rungs.gain.3000.low > 0")
  }

  private static func quotePapers(_ page: Page) {
    let source = "Rasmus et al. 2015, table 1"
    page.quote("paper.supervised.1000", 5.70, source: source)
    page.quote("paper.ladder.1000", 0.84, source: source)
    page.quote("paper.gamma.1000", 1.53, source: source)
    page.quote("paper.supervised.all", 0.80, source: source)
    page.quote("paper.ladder.all", 0.57, source: source)
    page.quote("paper.gamma.all", 0.78, source: source)
    page.quote("paper.bottom.1000", 0.90, source: source)
    page.quote("kit.gamma", 1.18, source: "the kit's report: Γ-model, losses in alternate epochs")
    page.quote("kit.final", 0.52, source: "the kit's report: Γ-model, losses summed, augmentation")
  }
}
