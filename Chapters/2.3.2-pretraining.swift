import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 2.3.2: two ways to start from something that was learnt before.
public enum Pretraining: Chapter {
  /// The chapter's number.
  public static let id = "2.3.2"
  /// The chapter's title.
  public static let title = "Pretraining: a shallow network's layers, and patches without labels"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let split =
      page.isQuick
      ? try Split.kit(data.train.labels, labelledPerClass: 60, validationPerClass: 100)
      : try Split.kit(data.train.labels)
    weighTheGains(page, data, split)
    checkTheCopy(page, data, split)
    try deepen(page, data, split)
    try PatchChecks(codes: codes).compare(page, data, split)
    try learnPatches(page, data, split)
    answerTheExercises(page)
  }
}

// MARK: - Signals through N(0, 10⁻²)

extension Pretraining {
  static let course = VGGExperiment.Course(rate: 0.003, shallow: 9, deep: 6, alone: 12)

  // snippet.gain
  /// By what factor the layers of a network multiply the size of a signal at the start, all in all:
  /// the logits' size, for images of size 1.
  ///
  /// A layer of variance v multiplies the mean square by v·fan-in, and each ReLU between two layers
  /// halves it; pooling and the paper around images are left out.
  static func gain(
    of convolutions: [Int], widths: [Int], dense: [Int], variance: (_ fanIn: Int) -> Double
  ) -> Double {
    var fanIns: [Int] = []
    var channels = widths[0] == 64 ? 3 : 1
    for (count, width) in zip(convolutions, widths) {
      for _ in 0..<count {
        fanIns.append(9 * channels)
        channels = width
      }
    }
    fanIns += dense
    let layers = fanIns.reduce(1) { $0 * (variance($1) * Double($1)).squareRoot() }
    return layers * pow(0.5, Double(fanIns.count - 1) / 2)
  }
  // snippet.end

  private static func weighTheGains(_ page: Page, _ data: MNIST, _ split: Split) {
    let (paper, ours) = ([64, 128, 256, 512, 512], VGGNetwork.widths)
    let (paperDense, ourDense) = ([7 * 7 * 512, 4096, 4096], [64, 512, 512])
    func paperGain(_ column: VGGNetwork.Column, _ variance: Double) -> Double {
      gain(of: column.convolutions, widths: paper, dense: paperDense) { _ in variance }
    }
    func ourGain(_ column: VGGNetwork.Column, _ variance: @escaping (Int) -> Double) -> Double {
      gain(of: column.convolutions, widths: ours, dense: ourDense, variance: variance)
    }
    page.value("gain.paper.a.variance", paperGain(.a, 1e-2), tolerance: 1)
    page.value("gain.paper.d.variance", paperGain(.d, 1e-2), tolerance: 1e4)
    page.value("gain.paper.d.deviation", paperGain(.d, 1e-4), tolerance: 1e-12)
    page.value("gain.ours.a", ourGain(.a) { _ in 1e-2 }, tolerance: 1e-6)
    page.value("gain.ours.d", ourGain(.d) { _ in 1e-2 }, tolerance: 1e-6)
    page.value("gain.ours.he", ourGain(.d) { 2 / Double($0) }, tolerance: 1e-6)
    // Against He's rule, under which everything but this factor is the same.
    let whole = ourGain(.d) { _ in 1e-2 } / ourGain(.d) { 2 / Double($0) }
    page.value("gain.ratio", whole, tolerance: 1e-6)
    // How much faster than under He's rule a layer changes, as a part of its own size.
    page.value("pace.first", whole * 2 / 9 / 1e-2, tolerance: 1e-6)
    page.value("pace.late", whole * 2 / 576 / 1e-2, tolerance: 1e-6)
    page.value("exercise.pace", 20 * whole, tolerance: 1e-6)
    let experiment = VGGExperiment(data: data, split: split, seed: page.seed, course: course)
    let images = data.train.images(split.labelled.prefix(20))
    let logits = [VGGExperiment.paper, .he].map { start in
      experiment.network(.d, start, "deep 0").forward(images).last!.values.map(Double.init)
    }
    page.check(
      "logits from N(0, 0.01), over those from He's rule and their ratio: less 1",
      Routes.distance(logits[0], logits[1].map { $0 * whole }), atMost: 4e-6)
    // What pooling and paper add to it; a pixel is read as (x − mean)/deviation, paper as x = 0.
    let (mean, deviation) = (Double(ImageSet.mean), Double(ImageSet.deviation))
    let squares = images.values.reduce(0) { $0 + pow((Double($1) - mean) / deviation, 2) }
    let around = Double(20 * (32 * 32 - 28 * 28)) * pow(mean / deviation, 2)
    let size = ((squares + around) / Double(20 * 32 * 32)).squareRoot()
    let sizes = (0..<(page.isQuick ? 5 : 40)).map { index in
      log(experiment.network(.d, .he, "size \(index)").sizes(images).last! / size)
    }
    page.value("growth.he", exp(Spread(sizes).mean), tolerance: 0.15)
  }

  /// Copies layers, and sees that those and no others are the shallow network's.
  private static func checkTheCopy(_ page: Page, _ data: MNIST, _ split: Split) {
    let experiment = VGGExperiment(data: data, split: split, seed: page.seed, course: course)
    let shallow = experiment.network(.a, VGGExperiment.paper, "shallow check")
    let deep = experiment.network(.d, VGGExperiment.paper, "deep check")
    let before = deep.parameters.map(\.value)
    deep.copyLayers(from: shallow)
    let weights = deep.parameters.indices.filter { before[$0].shape.rank > 1 }
    let changed = weights.count { deep.parameters[$0].value != before[$0] }
    let shared = weights.count { place in
      shallow.parameters.contains { $0.value == deep.parameters[place].value }
    }
    page.check("weight layers that the copy changes", Double(changed), near: 7, tolerance: 0)
    page.check(
      "weight layers then equal to the shallow net's", Double(shared), near: 7, tolerance: 0)
    page.value("layers.a", Double(shallow.parameters.count / 2))
    page.value("layers.d", Double(deep.parameters.count / 2))
    page.value("weights.d", Double(deep.parameters.reduce(0) { $0 + $1.value.count }))
  }
}

// MARK: - VGG's way

extension Pretraining {
  private static func deepen(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let course =
      page.isQuick ? VGGExperiment.Course(rate: 0.003, shallow: 1, deep: 1, alone: 1) : course
    let experiment = VGGExperiment(data: data, split: split, seed: page.seed, course: course)
    let outcomes = try experiment.run(page, repetitions: page.isQuick ? 1 : 20)
    page.value("vgg.count", Double(outcomes[.random]!.count))
    for arm in VGGExperiment.Arm.allCases {
      let own = outcomes[arm]!
      let name = "vgg.\(arm.rawValue)"
      let sorted = own.map(\.final).sorted()
      page.value(
        "\(name).learnt", Double(own.count(where: \.hasLearnt)), tolerance: arm == .shallow ? 0 : 5)
      page.value("\(name).least", sorted.first!, tolerance: 60, unit: "%")
      page.value("\(name).middle", sorted[sorted.count / 2], tolerance: 60, unit: "%")
      page.value("\(name).most", sorted.last!, tolerance: 30, unit: "%")
    }
    if !page.isQuick {
      page.claim(
        "At this rate all shallow networks learn to read.", "vgg.shallow.learnt >= vgg.count")
    }
    // Seed for seed: before training the two are one function but for a factor.
    let stalled = PretrainingFigures.stalled(outcomes[.random]!)
    page.value("vgg.random.stalled", Double(stalled.count), tolerance: 5)
    for arm in [VGGExperiment.Arm.random, .he] {
      let left = Spread(stalled.map { outcomes[arm]![$0].differingAfter.last! })
      page.value("vgg.\(arm.rawValue).differing", left, tolerance: 0.1)
    }
    page.claim(
      "In a network that stands still hardly anything differs.",
      "vgg.random.differing < 0.5 * vgg.he.differing")
    page.value(
      "vgg.random.early",
      Double(outcomes[.random]!.count { $0.hadLearnt(after: course.deep) }), tolerance: 5)
    page.value(
      "work.ratio",
      Double(VGGNetwork.multiplications(.d)) / Double(VGGNetwork.multiplications(.a)),
      tolerance: 1e-9)
    func compare(_ name: String, _ ours: VGGExperiment.Arm, _ theirs: VGGExperiment.Arm) {
      let sides = [ours, theirs].map { outcomes[$0]! }
      page.difference(
        "vgg.\(name)",
        PairedDifference(sides[0].map(\.final), minus: sides[1].map(\.final)), tolerance: 30)
      let counts = sides.map { $0.count(where: \.hasLearnt) }
      page.value(
        "vgg.\(name).chance",
        Counts.chance(counts[0], of: sides[0].count, and: counts[1], of: sides[1].count),
        tolerance: 0.3)
    }
    compare("copied.gain", .copied, .random)
    compare("he.gain", .he, .copied)
    PretrainingFigures.drawCurves(
      page, outcomes, title: "Networks that have begun to read, from four starts")
    PretrainingFigures.drawDiffering(page, outcomes)
  }
}

// MARK: - The code of a patch

extension Pretraining {
  // snippet.codes
  /// The hard and the triangle code of a whitened patch, straight from the definition.
  static func codes(of patch: [Double], _ centroids: [[Double]]) -> (
    hard: [Double], triangle: [Double]
  ) {
    let z = centroids.map { c in
      zip(patch, c).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot()
    }
    let mean = z.reduce(0, +) / Double(z.count)
    let nearest = z.indices.min { z[$0] < z[$1] }!
    return (z.indices.map { $0 == nearest ? 1 : 0 }, z.map { max(0, mean - $0) })
  }
  // snippet.end
}

// MARK: - Coates, Ng & Lee's way

extension Pretraining {
  private typealias Constants = PatchExperiment.Constants
  private typealias Sweep = PretrainingFigures.Sweep

  private static func learnPatches(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let experiment = PatchExperiment(
      page: page, data: data, split: split, patchCount: page.isQuick ? 5_000 : 100_000,
      iterations: page.isQuick ? 3 : 15, validationStep: 5,
      costs: page.isQuick ? [0.01] : [1e-4, 0.001, 0.01, 0.1, 1])
    page.value("images.dictionary", Double(experiment.withoutLabels.count))
    page.value("images.judged", Double(experiment.validation.count))
    page.value("pixels", try experiment.pixels().validation.max()!, tolerance: 1, unit: "%")
    let (chosen, whitened) = try chooseConstants(page, experiment)
    try PretrainingFigures.drawDictionaries(page, experiment, chosen, k: few(page))
    let sweep = try sweepCentroids(page, experiment, chosen)
    try compareDictionaries(page, experiment, chosen, whitened, sweep)
    try readTheTest(page, experiment, chosen, sweep)
  }

  static func few(_ page: Page) -> Int { page.isQuick ? 15 : 100 }

  /// The accuracies of some dictionaries that differ in their draws alone, with their best cost.
  private static func accuracies(
    _ page: Page, _ experiment: PatchExperiment, _ constants: Constants,
    from source: PatchExperiment.Source = .unlabelled, count: Int
  ) throws -> (outcomes: [PatchExperiment.Outcome], accuracies: [Double]) {
    let outcomes = try (0..<count).map { repetition in
      try experiment.outcome(
        few(page), constants, from: source, repetition: repetition, [.triangle])
    }
    let best = bestCost(outcomes, code: 0)
    return (outcomes, outcomes.map { $0.scores[0].validation[best] })
  }

  /// The place of the cost C whose mean over dictionaries is best.
  private static func bestCost(_ outcomes: [PatchExperiment.Outcome], code: Int) -> Int {
    let means = outcomes[0].scores[code].validation.indices.map { cost in
      Spread(outcomes.map { $0.scores[code].validation[cost] }).mean
    }
    return means.indices.max { means[$0] < means[$1] }!
  }

  /// The constants of the pipeline, three dictionaries each, chosen on validation.
  private static func chooseConstants(
    _ page: Page, _ experiment: PatchExperiment
  ) throws -> (chosen: Constants, whitened: Constants) {
    let contrasts: [(key: String, c: Float)] =
      page.isQuick
      ? [("tenth", 0.1)]
      : [
        ("paper", 10 / 65_025), ("hundredth", 0.01), ("tenth", 0.1), ("one", 1), ("hundred", 100),
      ]
    let epsilons: [(key: String, ε: Double?)] =
      page.isQuick
      ? [("tenth", 0.1), ("none", nil)]
      : [("hundredth", 0.01), ("tenth", 0.1), ("one", 1), ("none", nil)]
    var grid: [[Double]] = []
    for contrast in contrasts {
      var row: [Double] = []
      for epsilon in epsilons {
        page.progress(
          "constants",
          Double(grid.count * epsilons.count + row.count) / Double(contrasts.count * epsilons.count)
        )
        let found = try accuracies(
          page, experiment, Constants(contrast: contrast.c, epsilon: epsilon.ε),
          count: page.isQuick ? 1 : 2)
        row.append(Spread(found.accuracies).mean)
        page.value("grid.\(contrast.key).\(epsilon.key)", row.last!, tolerance: 0.6, unit: "%")
      }
      grid.append(row)
    }
    page.table(
      ["contrast"] + epsilons.map { "whitening \($0.key)" },
      zip(contrasts, grid).map { [$0.key] + $1.map { String(format: "%.2f", $0) } })
    // The best place, and whether the grid goes on beyond it along both of its sides. Beyond c = 100
    // all patches are divided by the same number, and beyond "none" there is nothing.
    let row = grid.indices.max { grid[$0].max()! < grid[$1].max()! }!
    let column = page.choice(
      of: "ε", by: grid[row].map { -$0 }, isOpen: (true, false))
    let best = page.choice(
      of: "c", by: grid.map { -$0[column] }, isOpen: (true, false))
    page.value("chosen.contrast", Double(contrasts[best].c))
    // The best with whitening, so that both sides of a comparison are tuned.
    let cells = grid.indices.flatMap { row in
      epsilons.indices.filter { epsilons[$0].ε != nil }.map { (row: row, column: $0) }
    }
    let white = cells.max { grid[$0.row][$0.column] < grid[$1.row][$1.column] }!
    page.value("whitened.contrast", Double(contrasts[white.row].c))
    page.value("whitened.epsilon", epsilons[white.column].ε!)
    if !page.isQuick {
      page.check(
        "the best of the grid has no whitening", epsilons[column].ε == nil ? 0 : 1, atMost: 0)
    }
    return (
      Constants(contrast: contrasts[best].c, epsilon: epsilons[column].ε),
      Constants(contrast: contrasts[white.row].c, epsilon: epsilons[white.column].ε)
    )
  }

  private static func sweepCentroids(
    _ page: Page, _ experiment: PatchExperiment, _ constants: Constants
  ) throws -> Sweep {
    let (counts, repetitions) = page.isQuick ? ([15, 30], 1) : ([50, 100, 200, 400], 3)
    var sweep: Sweep = []
    var (rise, reseeded) = (0.0, 0)
    for (place, k) in counts.enumerated() {
      page.progress("\(k) centroids", Double(place) / Double(counts.count))
      let learnt = try (0..<repetitions).map { repetition in
        try experiment.outcome(
          k, constants, repetition: repetition, PatchEncoder.Code.allCases)
      }
      let drawn = try (0..<repetitions).map { repetition in
        try experiment.outcome(
          k, constants, from: .random, repetition: repetition, [.triangle])
      }
      rise = max(rise, learnt.map { $0.lastCost / $0.firstCost }.max()!)
      reseeded += learnt.reduce(0) { $0 + $1.reseeded }
      for (kind, outcomes, code) in [
        (PretrainingFigures.SweepKind.hard, learnt, 0), (.triangle, learnt, 1), (.random, drawn, 0),
      ] {
        let means = experiment.costs.indices.map { cost in
          Spread(outcomes.map { $0.scores[code].validation[cost] }).mean
        }
        let best = page.choice(of: "C, \(k) centroids, \(kind.rawValue)", by: means.map { -$0 })
        let accuracies = outcomes.map { $0.scores[code].validation[best] }
        sweep.append((k, kind, best, accuracies))
        let name = "k\(k).\(kind.rawValue)"
        page.value(name, Spread(accuracies), tolerance: 0.6, unit: "%")
        page.value(
          "\(name).deviation", Spread(accuracies).deviation, tolerance: 0.3, unit: "points")
      }
    }
    page.check("cost of K-means at the end, part of the first", rise, atMost: 0.8)
    page.value("reseeded", Double(reseeded), tolerance: 100)
    compareCounts(page, sweep, counts)
    PretrainingFigures.drawSweep(page, sweep)
    return sweep
  }

  /// The codes, and the numbers of centroids, against each other: dictionary by dictionary.
  private static func compareCounts(_ page: Page, _ sweep: Sweep, _ counts: [Int]) {
    func accuracies(_ k: Int, _ kind: PretrainingFigures.SweepKind) -> [Double] {
      sweep.first { $0.k == k && $0.kind == kind }!.accuracies
    }
    for k in counts {
      page.difference(
        "lead.k\(k)", PairedDifference(accuracies(k, .triangle), minus: accuracies(k, .hard)),
        tolerance: 0.6)
      page.difference(
        "drawn.k\(k)", PairedDifference(accuracies(k, .random), minus: accuracies(k, .triangle)),
        tolerance: 0.6)
    }
    page.claim(
      "The triangle code wins for every number of centroids.",
      counts.map { "lead.k\($0).low > 0" }.joined(separator: " and "))
    for (name, many, few) in [
      ("whole", counts.last!, counts[0]), ("first", counts[1], counts[0]),
      ("last", counts.last!, counts[counts.count - 2]),
    ] {
      page.difference(
        "gain.\(name)",
        PairedDifference(accuracies(many, .triangle), minus: accuracies(few, .triangle)),
        tolerance: 0.5)
    }
    page.claim("More centroids read better.", "gain.whole.low > 0")
  }

  /// Other dictionaries of the same size: what each step of the pipeline gives.
  private static func compareDictionaries(
    _ page: Page, _ experiment: PatchExperiment, _ chosen: Constants, _ whitened: Constants,
    _ sweep: Sweep
  ) throws {
    let here = sweep.first { $0.k == few(page) && $0.kind == .triangle }!
    let count = here.accuracies.count
    var (sharp, flat) = (chosen, chosen)
    (sharp.contrast, flat.leastVariance) = (10 / 65_025, 0)
    let others: [(String, Constants, PatchExperiment.Source)] = [
      ("labelled", chosen, .labelled), ("whitened", whitened, .unlabelled),
      ("sharp", sharp, .unlabelled), ("flat", flat, .unlabelled),
    ]
    for (place, (name, constants, source)) in others.enumerated() {
      page.progress("other dictionaries", Double(place) / Double(others.count))
      let found = try accuracies(page, experiment, constants, from: source, count: count)
      page.value("other.\(name)", Spread(found.accuracies), tolerance: 0.6, unit: "%")
      page.value(
        "other.\(name).deviation", Spread(found.accuracies).deviation, tolerance: 0.3,
        unit: "points")
      page.difference(
        "other.\(name).loss", PairedDifference(here.accuracies, minus: found.accuracies),
        tolerance: 0.5)
    }
    let own = try accuracies(page, experiment, chosen, count: 1)
    page.value("flat.share", 100 * own.outcomes[0].leftOut, tolerance: 2, unit: "%")
    page.claim("Whitening costs accuracy.", "other.whitened.loss.low > 0")
    guard !page.isQuick else { return }
    page.claim(
      "Neither the learning nor the 57,000 images are worth half a point.",
      "other.labelled.loss.high < 0.5 and drawn.k100.low > -0.5 and drawn.k400.low > -0.5")
  }

  /// The largest of the learnt dictionaries on the test images: once, when all is chosen.
  ///
  /// How many centroids is a budget and no choice: nothing says that more of them would do harm.
  private static func readTheTest(
    _ page: Page, _ experiment: PatchExperiment, _ constants: Constants, _ sweep: Sweep
  ) throws {
    let largest = sweep.last { $0.kind == .triangle }!
    let indices = Array(0..<(page.isQuick ? 200 : experiment.data.test.count))
    let accuracies = try largest.accuracies.indices.map { repetition in
      page.progress("test", Double(repetition) / Double(largest.accuracies.count))
      return try experiment.test(
        largest.k, constants, cost: experiment.costs[largest.cost], repetition: repetition, indices)
    }
    page.value("chosen.cost", experiment.costs[largest.cost])
    page.value("test", Spread(accuracies), tolerance: 0.4, unit: "%")
    page.value("test.deviation", Spread(accuracies).deviation, tolerance: 0.2, unit: "points")
    page.value("test.error", 100 - Spread(accuracies).mean, tolerance: 0.4, unit: "%")
    page.quote("sample.test", 89.88, source: "the kit's report on its sample code")
    page.quote("kit.noise", 98.36, source: "the kit's report: its network with noise, 3,000 labels")
    page.quote("kit.final", 99.48, source: "the kit's report: Γ-model and augmentation")
    page.quote("cnn.error", 3.35, source: "Kingma et al. 2014, table 1: CNN, 3,000 labels")
    page.quote("tsvm.error", 3.45, source: "Kingma et al. 2014, table 1: TSVM, 3,000 labels")
    page.quote("vae.error", 2.18, source: "Kingma et al. 2014, table 1: M1+M2, 3,000 labels")
  }

  private static func answerTheExercises(_ page: Page) {
    page.value("exercise.five", Counts.chance(5, of: 5, and: 2, of: 5))
    page.value(
      "exercise.twenty",
      Double((0...20).last { Counts.chance(20, of: 20, and: $0, of: 20) < 0.05 }!))
    page.value(
      "exercise.twenty.chance",
      Counts.chance(
        20, of: 20, and: (0...20).last { Counts.chance(20, of: 20, and: $0, of: 20) < 0.05 }!,
        of: 20))
  }
}
