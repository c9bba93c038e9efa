import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.2: the techniques of section 2, one after the other, on 3,000 labels alone.
public enum TechniquesTogether: Chapter {
  /// The chapter's number.
  public static let id = "3.2"
  /// The chapter's title.
  public static let title = "The techniques together: 3,000 labels and nothing else"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let splits = try RecipeTraining.splits(page, data.train.labels, random: page.isQuick ? 1 : 3)
    let split = splits[0]
    RecipeChecks.run(page, final: SupervisedRecipe.chosen)
    let steps = try steps { key, recipe, rates in
      try tune(page, key, recipe, rates, data.train, split)
    }
    let judged = try train(page, steps, data.train, split)
    reportTheGains(page, judged)
    let chosen = choose(judged)
    let tested = try test(page, judged, data, split)
    reportTheTest(page, tested, chosen)
    drawTheLadder(page, tested)
    drawTheCurves(page, tested)
    try leaveOneOut(page, data.train, splits)
    showMistakes(page, data, tested, chosen)
  }
}

// MARK: - The steps

extension TechniquesTogether {
  /// A recipe with its place in the table.
  struct Step: Sendable {
    /// For values.
    let key: String
    /// For readers.
    let words: String
    let recipe: Recipe
    /// The index of the step that it changes; nil for the first.
    let origin: Int?
  }

  /// Rates that are tried, each twice the one before.
  static let rates = (
    momentum: [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64],
    adam: [0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064]
  )

  // snippet.steps
  /// Each step changes one thing of an earlier one: of the one before, unless it says of which.
  ///
  /// A step with rates takes the one of them that validation prefers.
  static func steps(
    tune: (_ key: String, _ recipe: Recipe, _ rates: [Double]) throws -> Double
  ) throws -> [Step] {
    var steps = [Step(key: "sample", words: "sample code", recipe: Recipe(), origin: nil)]
    func add(
      _ key: String, _ words: String, to other: String? = nil, rates: [Double]? = nil,
      _ change: (inout Recipe) -> Void
    ) throws {
      let origin = other.map { other in steps.firstIndex { $0.key == other }! } ?? steps.count - 1
      var recipe = steps[origin].recipe
      change(&recipe)
      if let rates { recipe.rate = try tune(key, recipe, rates) }
      steps.append(Step(key: key, words: words, recipe: recipe, origin: origin))
    }
    try add("mended", "no stray ReLU") { $0.hasStrayReLU = false }
    try add("longer", "30 epochs") { $0.epochs = 30 }
    try add("batch", "batches of 50") { $0.batchSize = 50 }
    try add("momentum", "momentum 0.9", rates: rates.momentum) { $0.rule = .momentum(0.9) }
    try add("decay", "falling rate", rates: rates.momentum) { $0.decays = true }
    try add("adam", "Adam", rates: rates.adam) { $0.rule = .adam }
    try add("he", "He's rule", rates: rates.adam) { $0.initialiser = .he }
    try add("norm", "batch normalisation", rates: rates.adam) { $0.normalises = true }
    try add("units", "dropout of units only") { $0.channelKeep = 1 }
    try add("nodropout", "no dropout") { $0.keep = 1 }
    try add("turns", "rotation, shift", to: "units") {
      $0.augmentation = Augmentation(rotation: 25, shift: 3)
    }
    try add("elastic", "all five of 2.2.3", to: "units") { $0.augmentation = .together }
    try add("noise", "noise in each layer") { $0.noise = 0.3 }
    try add("time", "60 epochs", to: "elastic") { $0.epochs = 60 }
    try add("deep", "the kit's layers, slim", rates: rates.adam) {
      ($0.blocks, $0.hidden) = (Recipe.kitBlocks(16), 100)
    }
    try add("leaky", "leaky ReLU") { $0.activation = .leakyReLU(slope: 0.1) }
    try add("kit", "trained as the kit did") {
      ($0.noise, $0.augmentation) = (0.3, Augmentation(rotation: 25, shift: 3))
    }
    try add("deepNoise", "noise, to leaky ReLU", to: "leaky") { $0.noise = 0.3 }
    try add("strong", "elastic α = 24") {
      $0.augmentation.elastic = ElasticDistortion(strength: 24, smoothness: 4)
    }
    try add("long", "150 epochs", rates: rates.adam) { $0.epochs = 150 }
    try add("best", "all of the kit's filters") { $0.blocks = Recipe.kitBlocks(32) }
    return steps
  }
  // snippet.end

  private static func tune(
    _ page: Page, _ key: String, _ recipe: Recipe, _ rates: [Double], _ set: ImageSet,
    _ split: Split
  ) throws -> Double {
    let choice = try RateGrid.choose(page, for: key, recipe, among: rates, on: set, split)
    if !choice.rates.isEmpty {
      page.table(
        ["\(key): rate"] + choice.rates.map { "\($0)" },
        [["validation, %"] + choice.validation.map { String(format: "%.2f", $0) }])
    }
    page.value("\(key).rate", choice.rate, tolerance: choice.rate)
    return choice.rate
  }
}

// MARK: - Training, and the choice

extension TechniquesTogether {
  /// A step and all that is known of it before the test set is opened, one outcome a seed.
  struct Judged {
    let step: Step
    let jobs: [RecipeTraining.Job]
    let outcomes: [RecipeTraining.Outcome]

    /// The accuracy on validation.
    var validation: Spread { Spread(outcomes.map(\.final)) }
  }

  // snippet.choice
  /// The step that validation chooses; of the test set it is told nothing.
  static func choose(_ judged: [Judged]) -> Int {
    judged.indices.max { judged[$0].validation.mean < judged[$1].validation.mean }!
  }
  // snippet.end

  private static func train(
    _ page: Page, _ steps: [Step], _ set: ImageSet, _ split: Split
  ) throws -> [Judged] {
    let seeds = page.isQuick ? 1 : 5
    let jobs = steps.map { step in
      var recipe = step.recipe
      if page.isQuick { recipe.epochs = 2 }
      return (0..<seeds).map { RecipeTraining.Job(key: step.key, recipe: recipe, seed: $0) }
    }
    let outcomes = try RecipeTraining.run(page, jobs.flatMap(\.self), on: set, split)
    return steps.enumerated().map { index, step in
      Judged(
        step: step, jobs: jobs[index],
        outcomes: Array(outcomes[index * seeds..<(index + 1) * seeds]))
    }
  }

  /// How far another processor, which rounds otherwise, may be from an accuracy.
  private static func tolerance(_ step: Step) -> Double { step.recipe.epochs > 30 ? 0.4 : 1 }

  private static func reportTheGains(_ page: Page, _ judged: [Judged]) {
    for one in judged {
      let (key, tolerance) = (one.step.key, tolerance(one.step))
      page.value(
        "\(key).train", Spread(one.outcomes.map { $0.train.last! }), tolerance: 1, unit: "%")
      page.value("\(key).validation", one.validation, tolerance: tolerance, unit: "%")
      page.value("\(key).validation.deviation", one.validation.deviation, tolerance: tolerance)
      guard let origin = one.step.origin else { continue }
      page.difference(
        "\(key).gain",
        PairedDifference(one.outcomes.map(\.final), minus: judged[origin].outcomes.map(\.final)),
        tolerance: 2 * tolerance)
    }
    let last = judged.last!
    page.difference(
      "best.clean",
      PairedDifference(last.outcomes.map { $0.clean! }, minus: last.outcomes.map(\.final)),
      tolerance: 0.2)
  }
}

// MARK: - The test

extension TechniquesTogether {
  /// A judged step with what the test set says of it.
  struct Tested {
    let judged: Judged
    let outcomes: [RecipeTest.Outcome]

    var test: Spread { Spread(outcomes.map(\.final)) }
  }

  private static func test(
    _ page: Page, _ judged: [Judged], _ data: MNIST, _ split: Split
  ) throws -> [Tested] {
    let outcomes = try RecipeTest.run(page, judged.flatMap(\.jobs), on: data, split)
    let seeds = judged[0].jobs.count
    return judged.enumerated().map { index, one in
      Tested(judged: one, outcomes: Array(outcomes[index * seeds..<(index + 1) * seeds]))
    }
  }

  private static func reportTheTest(_ page: Page, _ tested: [Tested], _ chosen: Int) {
    page.quote("kit.noise", 98.36, source: "the kit's report: its network with noise")
    page.quote("kit.augmented", 99.18, source: "the kit's report: with rotation and shift too")
    let rows = tested.enumerated().map { index, one in
      let (step, validation) = (one.judged.step, one.judged.validation)
      page.value("\(step.key).test", one.test, tolerance: tolerance(step), unit: "%")
      page.value("\(step.key).test.deviation", one.test.deviation, tolerance: tolerance(step))
      let gain = step.origin.map { origin in
        PairedDifference(
          one.judged.outcomes.map(\.final), minus: tested[origin].judged.outcomes.map(\.final)
        ).words
      }
      return [
        "\(index)", step.words,
        String(format: "%.2f ± %.2f", validation.mean, validation.deviation),
        String(format: "%.2f ± %.2f", one.test.mean, one.test.deviation), gain ?? "",
        step.origin.map { "\($0)" } ?? "",
      ]
    }
    page.table(["", "step", "validation, %", "test, %", "gain on validation", "on"], rows)
    let best = tested[chosen]
    page.value("chosen.validation", best.judged.validation, tolerance: 0.2, unit: "%")
    page.value("chosen.test", best.test, tolerance: 0.2, unit: "%")
    page.value("chosen.misread", 100 * (100 - best.test.mean), tolerance: 20)
    page.value(
      "fewer", (100 - tested[0].test.mean) / (100 - best.test.mean), tolerance: 3)
    if !page.isQuick {
      page.check(
        "what validation chooses is what chapter 3.4 sets out from",
        "\(best.judged.step.recipe)" == "\(SupervisedRecipe.chosen)" ? 0 : 1, atMost: 0)
    }
    compareOnImages(page, tested.first { $0.judged.step.key == "long" }!, tested.last!)
    claim(page)
  }

  /// Which test images one network misreads and the other does not, of the first seed.
  private static func compareOnImages(_ page: Page, _ one: Tested, _ other: Tested) {
    let (a, b) = (
      Set(one.outcomes[0].mistakes.map(\.image)), Set(other.outcomes[0].mistakes.map(\.image))
    )
    let (first, second) = (Double(a.subtracting(b).count), Double(b.subtracting(a).count))
    page.value("only.\(one.judged.step.key)", first, tolerance: 20)
    page.value("only.\(other.judged.step.key)", second, tolerance: 20)
    guard first + second > 0 else { return }
    page.value("only.z", (first - second) / (first + second).squareRoot(), tolerance: 3)
  }

  private static func claim(_ page: Page) {
    page.claim(
      "It reads more than 99.2 % of the test images, in the mean of five seeds.",
      "chosen.test > 99.2")
    for (sentence, keys) in [
      ("Each of these four gains.", ["mended", "longer", "momentum", "decay"]),
      ("Batch normalisation gains.", ["norm"]),
      ("Without the dropout of channels it reads better.", ["units"]),
      ("The five changes of chapter 2.2.3 gain.", ["elastic"]),
      ("The four convolutions gain.", ["deep"]),
      ("The long training and the full width gain.", ["long", "best"]),
    ] {
      page.claim(sentence, keys.map { "\($0).gain.low > 0" }.joined(separator: " and "))
    }
    for (sentence, key) in [
      ("With He's rule it reads worse.", "he"),
      ("Without any dropout it reads worse again.", "nodropout"),
      ("A stronger distortion loses.", "strong"),
    ] { page.claim(sentence, "\(key).gain.high < 0") }
  }
}

// MARK: - What is missed

extension TechniquesTogether {
  /// What is claimed of the arms, where there are all of them.
  private static func claim(_ page: Page, missed keys: [String]) {
    guard keys.count > 3 else { return }
    page.claim("Without any of the five changes it loses.", "without.augmentation.low > 0")
    func isOpen(_ keys: [String]) -> String {
      keys.map { "without.\($0).low < 0 and without.\($0).high > 0" }.joined(separator: " and ")
    }
    page.claim(
      "Where one kind of change is left, no loss is shown without the other.",
      isOpen(["elastic", "affine"]))
    page.claim(
      "The falling rate, batch normalisation, Adam and noise are each missed.",
      ["decay", "norm", "adam", "noise"].map { "without.\($0).low > 0" }.joined(separator: " and "))
    page.claim(
      "The leak and He's rule are not missed: no loss is shown.", isOpen(["leaky", "he"]))
    page.claim(
      "And what is lost with the dropout of units lies below 0.", "without.units.high < 0")
  }
}

// MARK: - Figures

extension TechniquesTogether {
  private static func drawTheLadder(_ page: Page, _ tested: [Tested]) {
    let rows = tested.enumerated().map { index, one in
      let (error, deviation) = (100 - one.test.mean, one.test.deviation)
      return (
        name: "\(one.judged.step.words)  \(index)", value: error, low: error - deviation,
        high: error + deviation
      )
    }
    let ticks = [0.5, 1, 2, 5, 10].map { ($0, "\($0.formatted())") }
    page.figure(
      Figure(
        "ladder",
        title: "From ten errors in a hundred to less than one, with the same 3,000 labels",
        size: (860, 600),
        panels: [
          .intervals(
            x: Axis(
              "test error, %, mean ± deviation over five seeds, on a logarithmic scale",
              scale: .log, range: 0.5...14, ticks: ticks),
            rows: rows,
            marks: [.vertical("the kit's best supervised report", at: 100 - 99.18)])
        ]))
  }

  /// The steps that the curves are drawn of.
  private static let drawn = ["longer", "decay", "units", "elastic", "leaky", "best"]

  private static func drawTheCurves(_ page: Page, _ tested: [Tested]) {
    let panels = tested.enumerated().compactMap { index, one -> Panel? in
      let judged = one.judged
      guard drawn.contains(judged.step.key) else { return nil }
      return .accuracies(
        "\(index)  \(judged.step.words)", x: Axis("epoch"), y: Axis("accuracy, %"),
        epochs: judged.outcomes[0].epochs,
        parts: [
          ("train", judged.outcomes.map(\.train)),
          ("validation", judged.outcomes.map(\.validation)),
          ("test", one.outcomes.map(\.accuracies)),
        ])
    }
    page.figure(
      Figure(
        "curves",
        title:
          "Augmentation brings train down to validation and test; depth and time lift all three",
        size: (980, 760), columns: 3, panels: panels))
  }

  private static func showMistakes(
    _ page: Page, _ data: MNIST, _ tested: [Tested], _ chosen: Int
  ) {
    // Images that most of the seeds misread, and what the first of those reads them as.
    let misread = Misreadings(tested[chosen].outcomes.map(\.mistakes))
    let majority = misread.byImage.filter { 2 * $0.count > misread.networks }
    let shown = majority.sorted { ($1.count, $0[0].image) < ($0.count, $1[0].image) }.prefix(40)
    page.value("mistakes.shared", Double(majority.count), tolerance: 30)
    page.value("vote", Double(misread.countByVote), tolerance: 20)
    // What the networks of a quick run misread is not kept: too many.
    guard !shown.isEmpty else { return }
    page.figure(
      Figure(
        "mistakes", title: "What most of the five networks misread, and as what", size: (760, 400),
        panels: [
          Panel(marks: [
            .images(
              shown.map { data.test.images([$0[0].image]).values },
              captions: shown.map { "\($0[0].label) read as \($0[0].read)" }, columns: 10)
          ])
        ]))
  }
}

// MARK: - Leaving one out

extension TechniquesTogether {
  // snippet.arms
  /// The last recipe at half its width and a fifth of its length, and what it is without each technique.
  static func arms(
    tune: (_ key: String, _ recipe: Recipe, _ rates: [Double]) throws -> Double
  ) throws -> [(words: String, arm: LeaveOneOut.Arm)] {
    var base = SupervisedRecipe.chosen
    (base.blocks, base.epochs) = (Recipe.kitBlocks(16), 30)
    base.rate = try tune("whole", base, rates.adam)
    var arms = [(words: "nothing", arm: LeaveOneOut.Arm(key: "nothing", recipe: base))]
    func add(
      _ key: String, _ words: String, rates: [Double]? = nil, _ change: (inout Recipe) -> Void
    ) throws {
      var recipe = base
      change(&recipe)
      if let rates { recipe.rate = try tune("without.\(key)", recipe, rates) }
      arms.append((words, LeaveOneOut.Arm(key: key, recipe: recipe)))
    }
    try add("elastic", "elastic distortion") { $0.augmentation.elastic = nil }
    try add("affine", "rotation, shift, scale, shear") {
      $0.augmentation = Augmentation(elastic: $0.augmentation.elastic)
    }
    try add("augmentation", "all five of these") { $0.augmentation = Augmentation() }
    try add("noise", "noise") { $0.noise = 0 }
    try add("norm", "batch normalisation", rates: rates.adam) { $0.normalises = false }
    try add("units", "dropout of units") { $0.keep = 1 }
    try add("adam", "Adam (momentum 0.9)", rates: rates.momentum) { $0.rule = .momentum(0.9) }
    try add("leaky", "the leak (ReLU)") { $0.activation = .relu }
    try add("decay", "the falling rate", rates: rates.adam) { $0.decays = false }
    try add("he", "He's rule (the sample's)", rates: rates.adam) {
      $0.initialiser = Recipe().initialiser
    }
    return arms
  }
  // snippet.end

  private static func leaveOneOut(
    _ page: Page, _ set: ImageSet, _ splits: [Split]
  ) throws {
    var arms = try arms { key, recipe, rates in
      try tune(page, key, recipe, rates, set, splits[0])
    }
    if page.isQuick { arms = Array(arms.prefix(3)) }
    let outcomes = try LeaveOneOut.run(
      page,
      arms.map { one in
        var recipe = one.arm.recipe
        if page.isQuick { recipe.epochs = 1 }
        return LeaveOneOut.Arm(key: one.arm.key, recipe: recipe)
      }, seeds: page.isQuick ? 1 : 5, on: set, splits)
    let whole = outcomes[0]
    var rows: [(name: String, value: Double, low: Double, high: Double)] = []
    var table: [[String]] = []
    for (arm, outcome) in zip(arms, outcomes) {
      let (key, spread) = (arm.arm.key, Spread(outcome.validation.map { Spread($0).mean }))
      page.value("without.\(key).validation", spread, tolerance: 0.5, unit: "%")
      guard key != "nothing" else { continue }
      let loss = PairedDifference(bySplit: whole.validation, minus: outcome.validation)
      page.difference("without.\(key)", loss, tolerance: 0.5)
      rows.append((arm.words, loss.mean, loss.low, loss.high))
      table.append([arm.words, String(format: "%.2f", spread.mean), loss.words])
    }
    page.table(["left out", "validation, %", "loss, points"], table)
    claim(page, missed: arms.map(\.arm.key))
    page.difference(
      "whole.clean", PairedDifference(bySplit: whole.clean, minus: whole.validation),
      tolerance: 0.2)
    page.value("whole.kit", Spread(whole.validation[0]), tolerance: 0.4, unit: "%")
    page.value(
      "whole.random", Spread(whole.validation.dropFirst().map { Spread($0).mean }), tolerance: 0.4,
      unit: "%")
    // Some room, without which an interval that ends at the edge is cut off.
    let (least, most) = (rows.map(\.low).min()!, rows.map(\.high).max()!)
    let room = 0.04 * (most - least)
    page.figure(
      Figure(
        "left-out",
        title:
          "What a short, half-wide form of the last recipe loses without one technique, on four splits",
        size: (860, 420),
        panels: [
          .intervals(
            x: Axis(
              "points of validation accuracy lost, mean and 95 % interval over the splits",
              range: least - room...most + room),
            rows: rows, marks: [.vertical("", at: 0)])
        ]))
  }
}
