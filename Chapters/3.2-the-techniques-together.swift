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
    let split = try Split.kit(data.train.labels)
    checkTheNetwork(page)
    let results = try train(page, data, split)
    report(page, results)
    let chosen = choose(results)
    claim(page, chosen, insteadOf: results[0])
    drawTheLadder(page, results)
    drawTheCurves(page, results)
    showMistakes(page, data, chosen)
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

  // snippet.steps
  /// Each step changes one thing of an earlier one: of the one before, unless it says of which.
  static let steps: [Step] = {
    var steps = [Step(key: "sample", words: "sample code", recipe: Recipe(), origin: nil)]
    func add(
      _ key: String, _ words: String, to other: String? = nil, _ change: (inout Recipe) -> Void
    ) {
      let origin = other.map { other in steps.firstIndex { $0.key == other }! } ?? steps.count - 1
      var recipe = steps[origin].recipe
      change(&recipe)
      steps.append(Step(key: key, words: words, recipe: recipe, origin: origin))
    }
    add("longer", "30 epochs, no stray ReLU") { ($0.epochs, $0.hasStrayReLU) = (30, false) }
    add("momentum", "momentum 0.9") { ($0.rule, $0.decays) = (.momentum(0.9), true) }
    add("adam", "Adam", to: "longer") {
      ($0.rule, $0.rate, $0.decays, $0.batchSize) = (.adam, 0.002, true, 50)
    }
    add("he", "He's initialisation") { $0.initialiser = .he }
    add("norm", "batch normalisation") { $0.normalises = true }
    add("units", "dropout of units only") { $0.channelKeep = 1 }
    add("nodropout", "no dropout") { $0.keep = 1 }
    add("turns", "rotation, shift", to: "units") {
      $0.augmentation = Augmentation(rotation: 25, shift: 3)
    }
    add("elastic", "all five of 2.2.3", to: "units") {
      $0.augmentation = .together
    }
    add("noise", "noise in each layer") { $0.noise = 0.3 }
    add("deep", "the kit's network, slim", to: "elastic") { recipe in
      (recipe.blocks, recipe.hidden) = (Recipe.kitBlocks(16), 100)
      (recipe.activation, recipe.epochs) = (.leakyReLU(slope: 0.1), 60)
    }
    add("kit", "trained as the kit did") {
      ($0.noise, $0.augmentation) = (0.3, Augmentation(rotation: 25, shift: 3))
    }
    add("long", "noise, 150 epochs", to: "deep") { recipe in
      recipe = .best
      recipe.blocks = Recipe.kitBlocks(16)
    }
    add("best", "all of the kit's filters") { $0 = .best }
    return steps
  }()
  // snippet.end

  /// The outcomes of a step, one a seed.
  struct Result {
    let step: Step
    let outcomes: [RecipeTraining.Outcome]

    func spread(_ part: KeyPath<RecipeTraining.Accuracies, Double>) -> Spread {
      Spread(outcomes.map { $0.final[keyPath: part] })
    }
  }

  private static func logits(
    _ network: some Classifier, _ images: Tensor, _ phase: Phase, using stream: inout RandomStream
  ) -> Tensor {
    network.logits(Tape(recording: false).constant(images), phase, using: &stream).value
  }

  private static func checkTheNetwork(_ page: Page) {
    // The recipe's first values are the baseline: same first weights, same logits.
    var (one, two) = (
      RandomStream(seed: page.seed, id, "same"), RandomStream(seed: page.seed, id, "same")
    )
    let (ours, baseline) = (
      ConvolutionalClassifier(Recipe(), using: &one), SampleNetwork(using: &two)
    )
    var stream = RandomStream(seed: page.seed, id, "images")
    let images = stream.uniform([1, 64, 28, 28])
    for (name, phase) in [("training", Phase.training), ("evaluation", .evaluation)] {
      var (first, second) = (stream, stream)
      page.check(
        "the recipe's first network is the sample code's, in \(name)",
        Double(
          (logits(ours, images, phase, using: &first)
            - logits(baseline, images, phase, using: &second))
            .maximumMagnitude()), atMost: 0)
    }
    var third = stream
    var noisy = Recipe()
    noisy.noise = 0.3
    var three = RandomStream(seed: page.seed, id, "same")
    let changed = logits(
      ConvolutionalClassifier(noisy, using: &three), images, .training, using: &third)
    let quiet = logits(baseline, images, .training, using: &stream)
    page.check(
      "with noise it is another", Double((changed - quiet).maximumMagnitude()), atLeast: 0.01)
    let best = ConvolutionalClassifier(.best, using: &stream).parameters.filter(\.isTrainable)
    page.value("best.weights", Double(best.reduce(0) { $0 + $1.value.count }))
  }

  private static func train(
    _ page: Page, _ data: MNIST, _ split: Split
  ) throws -> [Result] {
    let seeds = page.isQuick ? 1 : 5
    let jobs = steps.flatMap { step in
      (0..<seeds).map { seed in
        var recipe = step.recipe
        if page.isQuick { recipe.epochs = recipe.blocks.count > 2 ? 1 : 2 }
        return RecipeTraining.Job(
          key: step.key, recipe: recipe, seed: seed, isQuick: page.isQuick)
      }
    }
    let outcomes = try RecipeTraining.run(page, jobs, data, split)
    return steps.enumerated().map { index, step in
      Result(step: step, outcomes: Array(outcomes[index * seeds..<(index + 1) * seeds]))
    }
  }
}

// MARK: - Results

extension TechniquesTogether {
  private static func report(_ page: Page, _ results: [Result]) {
    page.quote("kit.noise", 98.36, source: "the kit's report: its network with noise")
    page.quote("kit.augmented", 99.18, source: "the kit's report: with rotation and shift too")
    var rows: [[String]] = []
    for (index, result) in results.enumerated() {
      let key = result.step.key
      let parts: [(String, KeyPath<RecipeTraining.Accuracies, Double>)] = [
        ("train", \.train), ("validation", \.validation), ("test", \.test),
      ]
      var row = ["\(index)", result.step.words]
      for (part, path) in parts {
        let spread = result.spread(path)
        // Another processor rounds otherwise, and a training enlarges that.
        let tolerance = key == "sample" || key == "longer" ? 1.0 : part == "train" ? 1 : 0.4
        page.value("\(key).\(part)", spread, tolerance: tolerance, unit: "%")
        row.append(String(format: "%.2f", spread.mean))
        guard part != "train" else { continue }
        page.value("\(key).\(part).deviation", spread.deviation, tolerance: tolerance)
        row[row.count - 1] += String(format: " ± %.2f", spread.deviation)
      }
      if let origin = result.step.origin {
        let gain = Spread(
          zip(result.outcomes, results[origin].outcomes).map {
            $0.final.validation - $1.final.validation
          })
        page.value("\(key).gain", gain, tolerance: 1, unit: "points")
        page.value("\(key).gain.deviation", gain.deviation, tolerance: 1)
        row.append(String(format: "%+.2f ± %.2f", gain.mean, gain.deviation))
      } else {
        row.append("")
      }
      rows.append(row)
    }
    page.table(["", "step", "train", "validation, %", "test, %", "gain on validation"], rows)
  }

  // snippet.choice
  /// The step that validation chooses.
  static func choose(_ results: [Result]) -> Result {
    results.max { $0.spread(\.validation).mean < $1.spread(\.validation).mean }!
  }
  // snippet.end

  private static func claim(_ page: Page, _ chosen: Result, insteadOf first: Result) {
    page.value("chosen.validation", chosen.spread(\.validation), tolerance: 0.2, unit: "%")
    page.value("chosen.test", chosen.spread(\.test), tolerance: 0.2, unit: "%")
    page.value(
      "fewer",
      (100 - first.spread(\.test).mean) / (100 - chosen.spread(\.test).mean),
      tolerance: 3)
    page.claim(
      "It reads more than 99.2 % of the test images, in the mean of five seeds.",
      "chosen.test > 99.2")
    let gained = [
      ("Each of the three gains more than its spread.", ["longer", "momentum", "adam"]),
      (
        "The deeper network, the longer training with noise, and the five changes of chapter 2.2.3 "
          + "each gain more than their spread.", ["deep", "long", "elastic"]
      ),
    ]
    for (sentence, keys) in gained {
      page.claim(
        sentence, keys.map { "\($0).gain > \($0).gain.deviation" }.joined(separator: " and "))
    }
    page.claim(
      "Dropout of channels is a loss here and dropout of hidden units a gain, each by more than "
        + "its spread.",
      "units.gain > units.gain.deviation and -1 * nodropout.gain > nodropout.gain.deviation")
    page.claim(
      "Elastic distortion, scale and shear are worth more than larger rotations and shifts.",
      "elastic.gain > turns.gain + 0.2")
  }

  private static func drawTheLadder(_ page: Page, _ results: [Result]) {
    let bars = results.enumerated().map { index, result in
      let spread = result.spread(\.test)
      return (label: "\(index)", value: 100 - spread.mean, error: spread.deviation)
    }
    page.figure(
      Figure(
        "ladder",
        title: "From ten errors in a hundred to less than one, with the same 3,000 labels",
        size: (860, 420), columns: 2,
        panels: [
          Panel(
            title: "all steps", x: Axis("step of the table"),
            y: Axis("test error, %, mean ± deviation"), marks: [.bars("", bars)]),
          Panel(
            title: "from augmentation on", x: Axis("step of the table"),
            y: Axis("test error, %", range: 0...2.5),
            marks: [.bars("", Array(bars.dropFirst(8))), .horizontal("the kit", at: 100 - 99.18)]),
        ]))
  }

  private static func drawTheCurves(_ page: Page, _ results: [Result]) {
    let parts: [(String, KeyPath<RecipeTraining.Accuracies, Double>)] = [
      ("train", \.train), ("validation", \.validation), ("test", \.test),
    ]
    let panels = results.enumerated().map { index, result in
      // The sample code alone is below 90 % for most of its time.
      let least = index == 0 ? 20.0 : 90
      return Panel(
        title: "\(index) \(result.step.words)", x: Axis("epoch"),
        y: Axis("", range: least...100),
        marks: parts.enumerated().map { colour, part in
          .line(
            part.0,
            result.outcomes[0].epochs.indices.map { point in
              (
                x: Double(result.outcomes[0].epochs[point]),
                y: max(
                  least, Spread(result.outcomes.map { $0.curve[point][keyPath: part.1] }).mean)
              )
            }, colour: colour)
        })
    }
    page.figure(
      Figure(
        "curves",
        title: "Augmentation closes the gap between train and the other two; %, means over seeds",
        size: (980, 1020), columns: 4, panels: panels))
  }

  private static func showMistakes(_ page: Page, _ data: MNIST, _ chosen: Result) {
    // Images that most of the seeds misread, and what the first of those reads them as.
    var counts: [Int: [RecipeTraining.Mistake]] = [:]
    for outcome in chosen.outcomes {
      for mistake in outcome.mistakes { counts[mistake.image, default: []].append(mistake) }
    }
    let majority = counts.values.filter { 2 * $0.count > chosen.outcomes.count }
    let shown = majority.sorted {
      ($1.count, $0[0].image) < ($0.count, $1[0].image)
    }.prefix(40)
    page.value("mistakes.shared", Double(majority.count), tolerance: 30)
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
