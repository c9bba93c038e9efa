import Digits
import Experiments
import Gradients
import Networks
import Notebook
import RealModule
import Tensors

/// Chapter 2.4: six examinations of a training, each on a bug that it finds and on a healthy network.
public enum WhatGoesWrong: Chapter {
  /// The chapter's number.
  public static let id = "2.4"
  /// The chapter's title.
  public static let title = "What goes wrong in training, and how to see it"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let split = try Split.kit(data.train.labels)
    let seeds = (0..<(page.isQuick ? 1 : 5)).map { page.seed + UInt64($0) }
    var ward: [Bug?: [Case]] = [:]
    for bug in [nil] + Bug.allCases {
      ward[bug] = seeds.map { Case(bug, seed: $0, data.train, split) }
    }
    // Chosen by other seeds than those on which the examinations are judged.
    let others = (5..<(page.isQuick ? 6 : 10)).map {
      Case(nil, seed: page.seed + $0, data.train, split)
    }
    let rate = try chooseTheRate(page, others, ward)
    try overfitOneBatch(page, ward, rate)
    lookAtTheInputs(page, ward)
    try sweepTheRate(page, ward)
    followTheGradient(page, ward)
    try judgeInBothPhases(page, ward, rate)
    try examine(page, ward, rate)
    try solveTheExercises(page, ward[nil]!, rate)
  }
}

// MARK: - The examinations

extension WhatGoesWrong {
  // snippet.start
  /// How far the loss before the first step is from ln 10, that of a network without an opinion.
  static func distanceFromChance(_ c: Case) -> Double {
    abs(c.loss(c.patient(), c.others) - Double.log(10))
  }
  // snippet.end

  // snippet.batch
  /// The losses of some steps on one and the same batch, without dropout.
  static func lossesOnOneBatch(_ c: Case, rate: Double, steps: Int = 200) -> [Double] {
    var patient = c.patient()
    patient.keep = 1
    var training = c.training(of: patient, on: c.batch, rate: rate)
    return (0..<steps).map { _ in Double(training.takeStep().total.value.scalar) }
  }
  // snippet.end

  // snippet.inputs
  /// The share of images, in %, whose nearest among all others has the same label.
  static func agreement(_ c: Case) -> Double {
    let pairs = c.nearest(count: 500)
    let same = pairs.count { c.set.labels[$0.image] == c.set.labels[$0.neighbour] }
    return 100 * Double(same) / Double(pairs.count)
  }
  // snippet.end

  // snippet.sweep
  /// The loss on other images after one epoch at each rate.
  static func sweep(_ c: Case) throws -> [Double] {
    try rates.map { rate in c.loss(try c.trained(epochs: 1, rate: rate), c.others) }
  }
  // snippet.end

  // snippet.gradients
  /// The size of the gradient of each layer's weights, first to last, before the first step.
  static func gradientSizes(_ c: Case) -> [Double] {
    let (patient, tape) = (c.patient(), Tape())
    var noise = RandomStream(seed: c.seed, id, "noise")
    let images = tape.constant(c.set.images(c.batch))
    let logits = patient.logits(images, .training, using: &noise)
    let gradients = tape.backward(
      from: softmaxCrossEntropy(logits: logits, labels: c.set.labels(c.batch)))
    return patient.layers.map { Double(gradients[$0.weight].sumOfSquares()).squareRoot() }
  }
  // snippet.end

  // snippet.phase
  /// The share of images, in %, that a trained network reads otherwise when it is asked again.
  static func changes(_ c: Case, rate: Double) throws -> Double {
    let patient = try c.trained(epochs: 1, rate: rate)
    var noise = RandomStream(seed: c.seed, id, "noise")
    let images = c.set.images(c.others)
    let (once, again) = (
      patient.judge(images, using: &noise).predictions,
      patient.judge(images, using: &noise).predictions
    )
    return 100 * Double(zip(once, again).count { $0 != $1 }) / Double(once.count)
  }
  // snippet.end

  /// Rates from 10⁻³ to 10, two to a decade.
  static let rates = (-6...2).map { Double.pow(10, Double($0) / 2) }

  /// An examination: what it measures of a case, and beyond which limit it finds a bug.
  struct Examination {
    let name, key: String
    /// The bug that it is for.
    let bug: Bug
    let limit: Double
    /// Whether a number below the limit is the bad one.
    var isLowBad = false
    let measure: (Case) throws -> Double

    func finds(_ number: Double) -> Bool { isLowBad ? !(number >= limit) : !(number <= limit) }
  }

  static func examinations(rate: Double) -> [Examination] {
    [
      Examination(
        name: "loss before the first step", key: "start", bug: .bytes, limit: 0.1,
        measure: distanceFromChance),
      Examination(name: "one batch", key: "batch", bug: .softmaxTwice, limit: 0.05) {
        lossesOnOneBatch($0, rate: rate).last!
      },
      Examination(
        name: "labels of neighbours", key: "inputs", bug: .shiftedLabels, limit: 50,
        isLowBad: true, measure: agreement),
      Examination(name: "sweep of the rate", key: "sweep", bug: .dividedRate, limit: 1.5) {
        let losses = try sweep($0)
        return losses[rates.firstIndex(of: rate)!] / losses.filter(\.isFinite).min()!
      },
      Examination(
        name: "gradients by layer", key: "gradients", bug: .detached, limit: 0.001, isLowBad: true
      ) {
        let sizes = gradientSizes($0)
        return sizes.min()! / sizes.max()!
      },
      Examination(name: "asking again", key: "phase", bug: .trainingPhase, limit: 0) {
        try changes($0, rate: rate)
      },
    ]
  }
}

// MARK: - Symptom by symptom

extension WhatGoesWrong {
  /// The rate at which the healthy network has the lowest loss after an epoch, over some seeds.
  private static func chooseTheRate(
    _ page: Page, _ cases: [Case], _ ward: [Bug?: [Case]]
  ) throws -> Double {
    let losses = try cases.map(sweep)
    let scores = rates.indices.map { i in
      let score = Spread(losses.map { $0[i] }).mean
      return score.isFinite ? score : .infinity
    }
    let rate = rates[page.choice(of: "rate of the healthy network", by: scores)]
    page.value("rate", rate)
    for (name, bug) in [("healthy", nil), ("bytes", Bug.bytes)] {
      let starts = ward[bug]!.map { $0.loss($0.patient(), $0.others) }
      page.value("start.\(name)", Spread(starts), tolerance: 0.05 * starts[0])
    }
    return rate
  }

  private static func overfitOneBatch(
    _ page: Page, _ ward: [Bug?: [Case]], _ rate: Double
  ) throws {
    let floor = Double.log(.exp(1) + 9) - 1
    page.value("floor", floor)
    let curves = [("healthy", nil), ("softmax twice", Bug.softmaxTwice)].map { name, bug in
      (name, ward[bug]!.map { lossesOnOneBatch($0, rate: rate) })
    }
    for (name, losses) in zip(["healthy", "twice"], curves.map(\.1)) {
      page.value("batch.\(name)", Spread(losses.map { $0.last! }), tolerance: 0.01)
    }
    page.check(
      "softmax twice: lowest loss of all seeds, at least −ln(e/(e + 9))",
      curves[1].1.map { $0.min()! }.min()!, atLeast: floor - 1e-5)
    page.figure(SymptomFigures.batch(curves, floor: floor))
  }

  private static func lookAtTheInputs(_ page: Page, _ ward: [Bug?: [Case]]) {
    let (healthy, shifted) = (ward[nil]![0], ward[.shiftedLabels]![0])
    page.figure(SymptomFigures.inputs(healthy, shifted))
    for (name, bug) in [("healthy", nil), ("shifted", Bug.shiftedLabels)] {
      page.value("agreement.\(name)", agreement(ward[bug]![0]), tolerance: 0.5, unit: "%")
    }
    for (name, bug) in [("healthy", nil), ("bytes", Bug.bytes)] {
      let c = ward[bug]![0]
      let rows = c.patient().rows(Tape(recording: false).constant(c.set.images(c.labelled))).value
      let mean = Double(rows.sum()) / Double(rows.count)
      let square = Double(rows.sumOfSquares()) / Double(rows.count)
      page.value("inputs.\(name).mean", mean, tolerance: 1e-3 * (1 + abs(mean)))
      page.value(
        "inputs.\(name).deviation", (square - mean * mean).squareRoot(),
        tolerance: 1e-3 * (1 + abs(mean)))
    }
  }

  private static func sweepTheRate(_ page: Page, _ ward: [Bug?: [Case]]) throws {
    let curves = try [("healthy", nil), ("divided twice", Bug.dividedRate)].map { name, bug in
      (name, try ward[bug]!.map(sweep))
    }
    for (name, losses) in zip(["healthy", "divided"], curves.map(\.1)) {
      let finite = losses[0].indices.filter { losses[0][$0].isFinite }
      let best = rates[finite.min { losses[0][$0] < losses[0][$1] }!]
      // Another processor may find the neighbour on the grid better, a factor of √10.
      page.value("best.\(name)", best, tolerance: 2.2 * best)
    }
    page.figure(SymptomFigures.sweep(curves, rates))
  }

  private static func followTheGradient(_ page: Page, _ ward: [Bug?: [Case]]) {
    let sizes = [("healthy", nil), ("detached", Bug.detached)].map { name, bug in
      (name, ward[bug]!.map(gradientSizes))
    }
    page.value(
      "gradients.healthy", Spread(sizes[0].1.map { $0.min()! / $0.max()! }), tolerance: 0.01)
    page.figure(SymptomFigures.gradients(sizes))
  }

  private static func judgeInBothPhases(
    _ page: Page, _ ward: [Bug?: [Case]], _ rate: Double
  ) throws {
    let epochs = page.isQuick ? 2 : 6
    let accuracies = try ward[nil]!.map { c in
      let patient = c.patient()
      var training = c.training(of: patient, on: c.labelled, rate: rate)
      return try (0..<epochs).map { _ in
        try training.runEpoch()
        return (right: c.accuracy(patient, .evaluation), wrong: c.accuracy(patient, .training))
      }
    }
    let last = accuracies.map { $0.last! }
    page.value("phase.right", Spread(last.map(\.right)), tolerance: 1, unit: "%")
    page.value("phase.wrong", Spread(last.map(\.wrong)), tolerance: 1, unit: "%")
    page.difference(
      "phase.cost", PairedDifference(last.map(\.right), minus: last.map(\.wrong)), tolerance: 1)
    page.claim(
      "Judged with dropout the same networks are worse.", "phase.cost.low > 0")
    page.figure(
      SymptomFigures.phases([
        ("evaluation's phase", accuracies.map { $0.map(\.right) }),
        ("training's phase", accuracies.map { $0.map(\.wrong) }),
      ]))
  }
}

// MARK: - Every examination on every bug

extension WhatGoesWrong {
  private static func examine(_ page: Page, _ ward: [Bug?: [Case]], _ rate: Double) throws {
    var rows: [[String]] = []
    for examination in examinations(rate: rate) {
      var row = [examination.name]
      for bug in [nil] + Bug.allCases {
        let numbers = try ward[bug]!.map(examination.measure)
        let found = numbers.count(where: examination.finds)
        row.append("\(found)")
        page.value(
          "\(examination.key).finds.\(bug?.rawValue ?? "healthy")", Double(found),
          tolerance: bug == nil || bug == examination.bug ? 0 : 1)
        if bug == nil || bug == examination.bug {
          page.check(
            "\(examination.name), \(bug.map { "\($0)" } ?? "healthy"): seeds in which it fires",
            Double(found), near: bug == nil ? 0 : Double(numbers.count), tolerance: 0)
        }
      }
      rows.append(row)
      page.progress("examinations", Double(rows.count) / 6)
    }
    page.table(["seeds in which it finds"] + ["healthy"] + Bug.allCases.map(\.rawValue), rows)
    try costs(page, ward, rate)
  }

  /// What each bug costs: the accuracy after some epochs, judged as the patient judges itself.
  private static func costs(_ page: Page, _ ward: [Bug?: [Case]], _ rate: Double) throws {
    func accuracies(_ bug: Bug?) throws -> [Double] {
      try ward[bug]!.map { c in
        let patient = try c.trained(epochs: page.isQuick ? 2 : 6, rate: rate)
        // Whatever it learnt by, it is asked for the true labels.
        return c.accuracyAsJudged(patient, labels: ward[nil]![0].set)
      }
    }
    let healthy = try accuracies(nil)
    page.value("cost.healthy", Spread(healthy), tolerance: 1, unit: "%")
    for bug in Bug.allCases {
      let sick = try accuracies(bug)
      page.value("cost.\(bug.rawValue)", Spread(sick), tolerance: 2, unit: "%")
      page.difference(
        "cost.\(bug.rawValue).loss", PairedDifference(healthy, minus: sick), tolerance: 2)
    }
    page.claim(
      "For two softmaxes no loss is shown at all.",
      "cost.softmaxTwice.loss.low < 0 and cost.softmaxTwice.loss.high > 0")
  }
}

// MARK: - Exercises

extension WhatGoesWrong {
  private static func solveTheExercises(_ page: Page, _ cases: [Case], _ rate: Double) throws {
    // Batch normalisation by the batch instead of the running statistics.
    let spreads = try cases.map { c in try c.changesByBatches(rate: rate) }
    page.value("exercise.again", Spread(spreads.map(\.again)).mean, unit: "%")
    page.value("exercise.others", Spread(spreads.map(\.others)), tolerance: 1, unit: "%")
    page.value("exercise.floor", Double.log(.exp(1) + 1) - 1)
  }
}
