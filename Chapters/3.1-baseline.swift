import Digits
import Experiments
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.1: the sample code of the lab sheet, as it stands, on 3,000 labels.
public enum Baseline: Chapter {
  /// The chapter's number.
  public static let id = "3.1"
  /// The chapter's title.
  public static let title = "The baseline: the sample code on 3,000 labels"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let split = try Split.kit(data.train.labels)
    checkTheNetwork(page)
    checkTheSplit(page, data, split)
    let sample = try train(page, data, split, hasStrayReLU: true)
    let mended = try train(page, data, split, hasStrayReLU: false)
    report(page, sample, mended)
    showCurves(page, sample)
    showConfusion(page, sample)
    showMistakes(page, data, sample[0])
  }
}

// MARK: - The network

extension Baseline {
  private static func checkTheNetwork(_ page: Page) {
    var stream = RandomStream(seed: page.seed, id, "shapes")
    let network = SampleNetwork(using: &stream)
    let weights = network.parameters.reduce(0) { $0 + $1.value.count }
    page.value("network.weights", Double(weights))
    page.check(
      "weights of the network", Double(weights),
      near: 10 * 26 + 20 * 251 + 50 * 321 + 10 * 51, tolerance: 0)
    let tape = Tape()
    let batch = stream.uniform([1, 64, 28, 28])
    let logits = network.logits(tape.constant(batch), .training, using: &stream)
    let loss = softmaxCrossEntropy(logits: logits, labels: (0..<64).map { $0 % 10 })
    page.check(
      "loss before training is near ln 10", Double(loss.value.scalar), near: 2.302585,
      tolerance: 0.15)
  }

  private static func checkTheSplit(_ page: Page, _ data: MNIST, _ split: Split) {
    let counts = data.counts(split)
    for (name, each) in [("labelled", 300), ("validation", 1000)] {
      let part = counts.first { $0.name == name }!
      page.check(
        "\(name) images of each digit", Double(part.perClass.map { abs($0 - each) }.max()!),
        atMost: 0)
    }
    page.value("unlabelled", Double(split.unlabelled.count))
  }
}

// MARK: - Training

extension Baseline {
  /// What one training leaves: accuracies after each epoch, and the last evaluation on test.
  struct Outcome {
    var train: [Double] = []
    var validation: [Double] = []
    var test: [Double] = []
    var final: Evaluation
  }

  // snippet.training
  /// Ten epochs of batches of 64 by gradient descent at rate .01 with momentum .5.
  static func train(
    _ page: Page, _ data: MNIST, _ split: Split, hasStrayReLU: Bool
  ) throws -> [Outcome] {
    let (seeds, epochs) = (page.isQuick ? 1 : 5, page.isQuick ? 2 : 10)
    let testIndices = Array(0..<data.test.count)
    return try (0..<seeds).map { seed in
      let name = "\(id)/seed \(seed)"
      var start = RandomStream(seed: page.seed, name, "weights")
      let network = SampleNetwork(hasStrayReLU: hasStrayReLU, using: &start)
      var training = Training(
        of: network, on: data.train, split.labelled, Momentum(momentum: 0.5),
        rate: .constant(0.01), batchSize: 64, seed: page.seed, name: name)
      var outcome = Outcome(final: network.evaluate(data.test, []))
      for epoch in 0..<epochs {
        try training.runEpoch()
        outcome.train.append(network.evaluate(data.train, split.labelled).accuracy)
        outcome.validation.append(network.evaluate(data.train, split.validation).accuracy)
        outcome.final = network.evaluate(data.test, testIndices)
        outcome.test.append(outcome.final.accuracy)
        page.progress(
          hasStrayReLU ? "sample code" : "without the stray ReLU",
          Double(seed * epochs + epoch + 1) / Double(seeds * epochs))
      }
      return outcome
    }
  }
  // snippet.end

  private static func report(_ page: Page, _ sample: [Outcome], _ mended: [Outcome]) {
    page.quote("kit.test", 89.88, source: "the kit's report on its sample code")
    for (name, outcomes) in [("sample", sample), ("mended", mended)] {
      for (part, values) in [
        ("train", outcomes.map { $0.train.last! }),
        ("validation", outcomes.map { $0.validation.last! }),
        ("test", outcomes.map { $0.test.last! }),
      ] {
        let spread = Spread(values)
        // Another processor rounds otherwise, and ten epochs of training enlarge that.
        page.value("\(name).\(part)", spread, tolerance: 1, unit: "%")
        page.value("\(name).\(part).deviation", spread.deviation, tolerance: 1, unit: "points")
      }
    }
    page.table(
      ["seed", "sample code", "without the stray ReLU"],
      zip(sample, mended).enumerated().map { seed, pair in
        ["\(seed)"] + [pair.0, pair.1].map { "\(($0.test.last! * 100).rounded() / 100) %" }
      })
    let gains = zip(sample, mended).map { $1.test.last! - $0.test.last! }
    page.value("gain", Spread(gains), tolerance: 1, unit: "points")
    page.value("gain.least", gains.min()!, tolerance: 2, unit: "points")
    page.claim(
      "Taking the stray ReLU away helps every one of the five seeds.", "gain.least > 0")
  }

  private static func showCurves(_ page: Page, _ outcomes: [Outcome]) {
    let parts: [(String, (Outcome) -> [Double])] = [
      ("train", \.train), ("validation", \.validation), ("test", \.test),
    ]
    var marks: [Mark] = []
    for (colour, part) in parts.enumerated() {
      let epochs = outcomes[0].train.indices.map { epoch in
        (epoch: Double(epoch + 1), spread: Spread(outcomes.map { part.1($0)[epoch] }))
      }
      marks.append(
        .band(
          "",
          epochs.map {
            ($0.epoch, $0.spread.mean - $0.spread.deviation, $0.spread.mean + $0.spread.deviation)
          }, colour: colour))
      marks.append(
        .line(part.0, epochs.map { (x: $0.epoch, y: $0.spread.mean) }, colour: colour))
    }
    page.figure(
      Figure(
        "curves",
        title: "Ten epochs are too few: all three accuracies of the sample code still rise",
        panels: [
          Panel(
            x: Axis("epoch (47 steps)"), y: Axis("accuracy, %, mean ± deviation over seeds"),
            marks: marks)
        ]))
  }
}

// MARK: - What it gets wrong

extension Baseline {
  private static func showConfusion(_ page: Page, _ outcomes: [Outcome]) {
    var counts = [[Double]](repeating: [Double](repeating: 0, count: 10), count: 10)
    for outcome in outcomes {
      for (row, cells) in outcome.final.confusion.enumerated() {
        for (column, cell) in cells.enumerated() {
          counts[row][column] += Double(cell) / Double(outcomes.count)
        }
      }
    }
    // The diagonal is a hundred times the rest; it is written, and left out of the colours.
    let shown = counts.enumerated().map { row, cells in
      cells.enumerated().map { $0 == row ? 0 : $1 }
    }
    var worst = (count: 0.0, row: 0, column: 0)
    for row in 0..<10 {
      for column in 0..<10 where shown[row][column] > worst.count {
        worst = (shown[row][column], row, column)
      }
    }
    let labels = counts.map { $0.map { $0 < 0.5 ? "" : "\(Int($0.rounded()))" } }
    let digits = (0...9).map { (Double($0), "\($0)") }
    page.figure(
      Figure(
        "confusion",
        title: "\(worst.row) read as \(worst.column) is the commonest confusion of the baseline",
        size: (620, 520),
        panels: [
          Panel(
            x: Axis("digit read", ticks: digits),
            y: Axis("true digit", ticks: (0...9).map { (Double(9 - $0), "\($0)") }),
            marks: [.heatmap(shown, labels: labels)])
        ]))
    page.value("confusion.count", worst.count, tolerance: 30)
    page.value("confusion.true", Double(worst.row), tolerance: 9)
    page.value("confusion.read", Double(worst.column), tolerance: 9)
  }

  private static func showMistakes(_ page: Page, _ data: MNIST, _ outcome: Outcome) {
    let final = outcome.final
    let wrong = final.labels.indices.filter { final.predictions[$0] != final.labels[$0] }
    let surest = wrong.sorted { final.confidences[$0] > final.confidences[$1] }.prefix(40)
    let pictures = surest.map { index in data.test.images([index]).values }
    page.figure(
      Figure(
        "mistakes", title: "The forty test digits that the first seed is most surely wrong about",
        size: (760, 400),
        panels: [
          Panel(marks: [
            .images(
              pictures,
              captions: surest.map { "\(final.labels[$0]) read as \(final.predictions[$0])" },
              columns: 10)
          ])
        ]))
    page.value("mistakes", Double(wrong.count), tolerance: 200)
    page.value("surest", 100 * Double(final.confidences[surest.first!]), tolerance: 5, unit: "%")
  }
}
