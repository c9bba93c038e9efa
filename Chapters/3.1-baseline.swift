import Digits
import Experiments
import Foundation
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
    let results = try train(page, data)
    report(page, results)
    showCurves(page, results.sample)
    showTheCuts(page, results)
    showConfusion(page, results.sample)
    showMistakes(page, data, results.sample)
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
    let ends = network.parameters.filter { $0.value.shape.rank > 1 }.map { layer in
      let fanIn = Float(Initialiser.fans(layer.value.shape).in)
      return Double(abs(layer.value.maximumMagnitude() * fanIn.squareRoot() - 1))
    }
    page.check(
      "the largest first weight of each layer is 1/√fan-in, nearly", ends.max()!, atMost: 0.01)
    // The slip: a rectifier behind the last layer.
    let mended = SampleNetwork(hasStrayReLU: false, using: &stream)
    let images = stream.uniform([1, 64, 28, 28])
    func least(_ network: SampleNetwork) -> Double {
      Double(network.logits(of: images).values.min()!)
    }
    page.check("no logit of the sample code is below 0", max(0, -least(network)), atMost: 0)
    page.check("without its last rectifier some are", -least(mended), atLeast: 0.01)
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
  /// Outcomes by split, then seed: of the sample code, and without its stray rectifier.
  struct Results {
    let all, allMended: [[BaselineTraining.Outcome]]

    /// On the kit's split.
    var sample: [BaselineTraining.Outcome] { all[0] }
    var mended: [BaselineTraining.Outcome] { allMended[0] }
  }

  private static func train(_ page: Page, _ data: MNIST) throws -> Results {
    let (splits, seeds, epochs) = page.isQuick ? (1, 1, 2) : (4, 5, 10)
    let jobs = [true, false].flatMap { hasStrayReLU in
      (0..<splits).flatMap { split in
        (0..<seeds).map {
          BaselineTraining.Job(
            hasStrayReLU: hasStrayReLU, split: split, seed: $0, epochs: epochs)
        }
      }
    }
    let outcomes = try BaselineTraining.run(page, jobs, data)
    func part(_ index: Int) -> [[BaselineTraining.Outcome]] {
      (0..<splits).map { split in
        Array(outcomes[(index * splits + split) * seeds..<(index * splits + split + 1) * seeds])
      }
    }
    return Results(all: part(0), allMended: part(1))
  }

  private static func report(_ page: Page, _ results: Results) {
    page.quote("kit.test", 89.88, source: "the kit's report on its sample code")
    for (name, outcomes) in [("sample", results.sample), ("mended", results.mended)] {
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
      ["split, seed", "sample code", "without the stray ReLU"],
      zip(results.all, results.allMended).enumerated().flatMap { split, pair in
        zip(pair.0, pair.1).enumerated().map { seed, pair in
          ["\(split), \(seed)"]
            + [pair.0, pair.1].map { String(format: "%.2f %%", $0.validation.last!) }
        }
      })
    func final(_ outcomes: [[BaselineTraining.Outcome]]) -> [[Double]] {
      outcomes.map { $0.map { $0.validation.last! } }
    }
    page.difference(
      "gain", PairedDifference(bySplit: final(results.allMended), minus: final(results.all)),
      tolerance: 0.5)
    page.claim("Taking the stray ReLU away helps.", "gain.low > 0")
    let random = Spread(results.all.dropFirst().map { Spread($0.map { $0.test.last! }).mean })
    page.value("random.test", random, tolerance: 1, unit: "%")
    page.value("random.test.deviation", random.deviation, tolerance: 1, unit: "points")
    // The deviation of a share of 10,000 images, each misread with the same probability.
    let share = Spread(results.sample.map { $0.test.last! }).mean / 100
    page.value(
      "binomial", 100 * (share * (1 - share) / 10_000).squareRoot(), tolerance: 0.03,
      unit: "points")
  }

  private static func showCurves(_ page: Page, _ outcomes: [BaselineTraining.Outcome]) {
    func last(_ values: [Double], before: Int = 0) -> Double { values[values.count - 1 - before] }
    page.difference(
      "rise",
      PairedDifference(
        outcomes.map { last($0.validation) }, minus: outcomes.map { last($0.validation, before: 1) }
      ),
      tolerance: 0.7)
    page.claim("The tenth epoch still raises the accuracy on validation.", "rise.low > 0")
    page.difference(
      "gap",
      PairedDifference(
        outcomes.map { last($0.train) }, minus: outcomes.map { last($0.validation) }),
      tolerance: 0.7)
    page.figure(
      Figure(
        "curves",
        title: "Ten epochs are too few: the accuracies of the sample code still rise",
        panels: [
          .accuracies(
            x: Axis("epoch (47 steps)"), y: Axis("accuracy, %, mean ± deviation over seeds"),
            epochs: Array(1...outcomes[0].train.count),
            parts: [
              ("train", outcomes.map(\.train)), ("validation", outcomes.map(\.validation)),
              ("test", outcomes.map(\.test)),
            ])
        ]))
  }

  /// What the stray rectifier cuts: classes that are 0 for all labelled images, and right logits.
  private static func showTheCuts(_ page: Page, _ results: Results) {
    let runs = results.all.flatMap(\.self).map(\.logits)
    func classes(_ epoch: (Int) -> Int) -> Double {
      Double(runs.reduce(0) { $0 + $1[epoch($1.count)].deadClasses.count })
    }
    page.value("classes", Double(runs.count * ImageSet.classCount))
    page.value("dead.start", classes { _ in 0 }, tolerance: 5)
    page.value("dead.first", classes { _ in 1 }, tolerance: 15)
    page.value(
      "asleep.first", Double(runs.reduce(0) { $0 + $1[1].deadUnderMasks }), tolerance: 15)
    page.value("dead.end", classes { $0 - 1 }, tolerance: 5)
    page.claim(
      "At the end fewer than half as many are dead as before the first step.",
      "dead.end < 0.5 * dead.start")
    // Classes that were dead after some epoch and are not any more at the end.
    let revived = runs.reduce(0) { sum, run in
      let ever = Set(run.dropLast().flatMap(\.deadClasses))
      return sum + ever.subtracting(run.last!.deadClasses).count
    }
    page.value("dead.revived", Double(revived), tolerance: 15)
    page.value("cut.first", Spread(runs.map { $0[1].ownCut }), tolerance: 8, unit: "%")
    page.value("cut.end", Spread(runs.map { $0.last!.ownCut }), tolerance: 2, unit: "%")
  }
}

// MARK: - What it gets wrong

extension Baseline {
  private static func showConfusion(_ page: Page, _ outcomes: [BaselineTraining.Outcome]) {
    var counts = [[Double]](repeating: [Double](repeating: 0, count: 10), count: 10)
    for mistake in outcomes.flatMap(\.mistakes) {
      counts[mistake.label][mistake.read] += 1 / Double(outcomes.count)
    }
    // Each two digits, by how often either is read as the other.
    var pairs: [(one: Int, other: Int, there: Double, back: Double)] = []
    for one in 0..<10 {
      for other in 0..<one {
        let (there, back) = (counts[one][other], counts[other][one])
        pairs.append(there > back ? (one, other, there, back) : (other, one, back, there))
      }
    }
    pairs.sort { $0.there + $0.back > $1.there + $1.back }
    let labels = counts.map { $0.map { $0 < 0.5 ? "" : "\(Int($0.rounded()))" } }
    let digits = (0...9).map { (Double($0), "\($0)") }
    page.figure(
      Figure(
        "confusion",
        title: "\(pairs[0].one) and \(pairs[0].other) are confused most often by the baseline",
        size: (620, 520),
        panels: [
          Panel(
            x: Axis("digit read", ticks: digits),
            y: Axis("true digit", ticks: (0...9).map { (Double(9 - $0), "\($0)") }),
            marks: [.heatmap(counts, labels: labels)])
        ]))
    for (place, pair) in zip(["first", "second"], pairs) {
      page.value("\(place).one", Double(pair.one))
      page.value("\(place).other", Double(pair.other))
      page.value("\(place).there", pair.there, tolerance: 15)
      page.value("\(place).back", pair.back, tolerance: 15)
    }
    func count(_ outcome: BaselineTraining.Outcome, _ label: Int, readAs read: Int) -> Double {
      Double(outcome.mistakes.count { $0.label == label && $0.read == read })
    }
    let (one, other) = (pairs[0].one, pairs[0].other)
    page.difference(
      "favourite",
      PairedDifference(
        outcomes.map { count($0, one, readAs: other) },
        minus: outcomes.map { count($0, other, readAs: one) }), tolerance: 25, unit: "images")
  }

  private static func showMistakes(
    _ page: Page, _ data: MNIST, _ outcomes: [BaselineTraining.Outcome]
  ) {
    let wrong = outcomes[0].mistakes
    let surest = wrong.sorted { $0.confidence > $1.confidence }.prefix(40)
    page.figure(
      Figure(
        "mistakes",
        title: "Forty misread digits, those of which one network is surest: most are plain to us",
        size: (760, 400),
        panels: [
          Panel(marks: [
            .images(
              surest.map { data.test.images([$0.image]).values },
              captions: surest.map { "\($0.label) read as \($0.read)" }, columns: 10)
          ])
        ]))
    page.value("mistakes", Double(wrong.count), tolerance: 100)
    page.value("surest", 100 * Double(surest.first!.confidence), tolerance: 5, unit: "%")
    vote(page, outcomes)
  }

  /// What five networks misread when each has a vote, and what they would if they erred apart.
  private static func vote(_ page: Page, _ outcomes: [BaselineTraining.Outcome]) {
    let wrong = Misreadings(outcomes.map(\.mistakes)).countByVote
    page.value("vote", 100 - Double(wrong) / 100, tolerance: 1, unit: "%")
    // Three of five or more, each wrong with the probability p: Σ C(5, k)·pᵏ(1 − p)⁵⁻ᵏ.
    let p = 1 - Spread(outcomes.map { $0.test.last! }).mean / 100
    let apart = zip([10.0, 5, 1], [3.0, 4, 5]).reduce(0) { sum, term in
      sum + term.0 * pow(p, term.1) * pow(1 - p, 5 - term.1)
    }
    page.value("vote.apart", 100 * (1 - apart), tolerance: 0.3, unit: "%")
  }
}
