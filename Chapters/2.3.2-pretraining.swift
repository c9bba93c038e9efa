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
    let split = try Split.kit(data.train.labels)
    weighTheGains(page, data, split)
    checkTheCopy(page, data, split)
    try deepen(page, data, split)
    try PatchChecks(codes: codes).compare(page, data, split)
    try learnPatches(page, data, split)
  }
}

// MARK: - Signals through N(0, 10⁻²)

extension Pretraining {
  // snippet.gain
  /// By what factor the layers of a network multiply the size of a signal at the start, all in all.
  ///
  /// A layer with ReLU and weights of variance v multiplies the mean square by v·fan-in/2.
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
    return fanIns.reduce(1) { $0 * (variance($1) * Double($1) / 2).squareRoot() }
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
    let whole = ourGain(.d) { _ in 1e-2 }
    page.value("gain.ours.a", ourGain(.a) { _ in 1e-2 }, tolerance: 1e-6)
    page.value("gain.ours.d", whole, tolerance: 1e-6)
    page.check(
      "He's rule keeps a signal's size", ourGain(.d) { 2 / Double($0) }, near: 1, tolerance: 1e-12)
    // How much faster than under He's rule a layer changes, as a part of its own size.
    page.value("pace.first", whole * 2 / 9 / 1e-2, tolerance: 1e-6)
    page.value("pace.late", whole * 2 / 576 / 1e-2, tolerance: 1e-6)
    let experiment = VGGExperiment(data: data, split: split, seed: page.seed, epochs: 0)
    let images = data.train.images(split.labelled.prefix(20))
    let logits = [VGGExperiment.paper, .he].map { start in
      experiment.network(.d, start, "deep 0").forward(images).last!.values.map(Double.init)
    }
    page.check(
      "logits from N(0, 0.01), over those from He's rule and their ratio: less 1",
      Routes.distance(logits[0], logits[1].map { $0 * whole }), atMost: 1e-3)
  }

  /// Copies layers, and sees that those and no others are the shallow network's.
  private static func checkTheCopy(_ page: Page, _ data: MNIST, _ split: Split) {
    let experiment = VGGExperiment(data: data, split: split, seed: page.seed, epochs: 0)
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
    let experiment = VGGExperiment(
      data: data, split: split, seed: page.seed, epochs: page.isQuick ? 1 : 6)
    let outcomes = try experiment.run(page, repetitions: page.isQuick ? 1 : 5)
    for arm in VGGExperiment.Arm.allCases {
      let own = outcomes[arm]!
      let (final, loss) = (Spread(own.map(\.final)), Spread(own.map { $0.losses.last! }))
      let name = "vgg.\(arm.rawValue)"
      // One network that stalls, or does not, on another processor moves the mean by 16.
      let room = arm == .he ? 20.0 : 45
      page.value("\(name).final", final, tolerance: room, unit: "%")
      page.value("\(name).deviation", final.deviation, tolerance: room, unit: "points")
      page.value("\(name).loss", loss, tolerance: room / 20)
    }
    for (arm, own) in [
      ("random", PretrainingFigures.stalled(outcomes[.random]!)), ("he", outcomes[.he]!),
    ] {
      let left = Spread(own.map { $0.differingAfter.last! })
      page.value("vgg.\(arm).differing", left, tolerance: 0.2)
    }
    // A network that reads more than every second digit has learnt to read, however badly.
    for arm in VGGExperiment.Arm.allCases {
      let learnt = outcomes[arm]!.count { $0.final > 50 }
      page.value("vgg.\(arm.rawValue).learnt", Double(learnt), tolerance: 2)
    }
    let learnt = outcomes[.copied]!.filter { $0.final > 50 }.map(\.final)
    page.value("vgg.copied.best", learnt.max() ?? 0, tolerance: 40, unit: "%")
    page.value("vgg.random.best", outcomes[.random]!.map(\.final).max()!, tolerance: 60, unit: "%")
    page.value("vgg.he.worst", outcomes[.he]!.map(\.final).min()!, tolerance: 30, unit: "%")
    PretrainingFigures.drawCurves(page, outcomes)
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
  private static func learnPatches(_ page: Page, _ data: MNIST, _ split: Split) throws {
    func experiment(_ costs: [Double]) -> PatchExperiment {
      PatchExperiment(
        page: page, data: data, split: split, patchCount: page.isQuick ? 10_000 : 100_000,
        iterations: page.isQuick ? 5 : 15, validationStep: page.isQuick ? 20 : 5, costs: costs)
    }
    // The hard code wants a smaller C than the triangle code, which alone is judged elsewhere.
    let (single, both) = (experiment([0.01, 0.1, 1]), experiment([0.001, 0.01, 0.1, 1]))
    page.value("images.dictionary", Double(single.withoutLabels.count))
    page.value("images.judged", Double(single.validation.count))
    page.value("pixels", try single.pixels().validation.max()!, tolerance: 1, unit: "%")
    let chosen = try chooseConstants(page, single)
    try PretrainingFigures.drawDictionaries(page, single, chosen, k: few(page))
    let sweep = try sweepCentroids(page, both, chosen)
    try compareSources(page, single, chosen, sweep)
    try readTheTest(page, both, chosen, sweep)
  }

  static func few(_ page: Page) -> Int { page.isQuick ? 25 : 100 }

  /// The constants of the pipeline, one dictionary each, chosen on validation.
  private static func chooseConstants(
    _ page: Page, _ experiment: PatchExperiment
  ) throws -> PatchExperiment.Constants {
    typealias Constants = PatchExperiment.Constants
    let contrasts: [(String, Float)] =
      page.isQuick
      ? [("tenth", 0.1)]
      : [("paper", 10 / 65_025), ("hundredth", 0.01), ("tenth", 0.1), ("one", 1)]
    let epsilons: [(String, Double?)] =
      page.isQuick
      ? [("tenth", 0.1), ("none", nil)] : [("tenth", 0.1), ("one", 1), ("none", nil)]
    var found: [(constants: Constants, accuracy: Double)] = []
    var rows: [[String]] = []
    func accuracy(_ constants: Constants) throws -> Double {
      let outcome = try experiment.outcome(few(page), constants, repetition: 0, [.triangle])
      return outcome.scores[0].validation.max()!
    }
    for contrast in contrasts {
      var row = [contrast.0]
      for epsilon in epsilons {
        let constants = Constants(
          contrast: contrast.1, epsilon: epsilon.1, leastVariance: 0.001)
        found.append((constants, try accuracy(constants)))
        page.value(
          "grid.\(contrast.0).\(epsilon.0)", found.last!.accuracy, tolerance: 0.6, unit: "%")
        row.append("\(found.last!.accuracy)")
        page.progress("constants", Double(found.count) / Double(contrasts.count * epsilons.count))
      }
      rows.append(row)
    }
    page.table(["contrast"] + epsilons.map { "whitening \($0.0)" }, rows)
    let best = found.max { $0.accuracy < $1.accuracy }!
    var flat = best.constants
    flat.leastVariance = 0
    page.value("flat.accuracy", try accuracy(flat), tolerance: 0.6, unit: "%")
    page.value("flat.best", best.accuracy, tolerance: 0.6, unit: "%")
    let outcome = try experiment.outcome(few(page), best.constants, repetition: 0, [.triangle])
    page.value("flat.share", 100 * outcome.leftOut, tolerance: 2, unit: "%")
    page.value("chosen.contrast", Double(best.constants.contrast), tolerance: 1)
    return best.constants
  }

  private typealias Sweep = PretrainingFigures.Sweep

  private static func sweepCentroids(
    _ page: Page, _ experiment: PatchExperiment, _ constants: PatchExperiment.Constants
  ) throws -> Sweep {
    let (counts, repetitions) = page.isQuick ? ([25, 50], 2) : ([50, 100, 200, 400], 5)
    var sweep: Sweep = []
    var (remainder, rise, reseeded) = (0.0, 0.0, 0)
    for (place, k) in counts.enumerated() {
      let outcomes = try (0..<repetitions).map { repetition in
        page.progress(
          "\(k) centroids",
          Double(place * repetitions + repetition) / Double(counts.count * repetitions))
        return try experiment.outcome(
          k, constants, repetition: repetition, PatchEncoder.Code.allCases)
      }
      for outcome in outcomes {
        remainder = max(remainder, outcome.scores.map(\.remainder).max()!)
        rise = max(rise, outcome.lastCost / outcome.firstCost)
        reseeded += outcome.reseeded
      }
      for (index, code) in PatchEncoder.Code.allCases.enumerated() {
        // The cost C is the one whose mean over the repetitions is best.
        let spreads = experiment.costs.indices.map { cost in
          Spread(outcomes.map { $0.scores[index].validation[cost] })
        }
        let best = spreads.indices.max { spreads[$0].mean < spreads[$1].mean }!
        sweep.append(
          (k, code, best, outcomes.map { $0.scores[index].validation[best] }))
        let name = "k\(k).\(code.rawValue)"
        page.value(name, spreads[best].mean, tolerance: 0.6, unit: "%")
        page.value("\(name).deviation", spreads[best].deviation, tolerance: 0.3, unit: "points")
      }
    }
    page.check("largest remainder of a support vector machine's gradient", remainder, atMost: 0.01)
    page.check("cost of K-means at the end, part of the first", rise, atMost: 0.95)
    page.value("reseeded", Double(reseeded), tolerance: 100)
    func accuracies(_ k: Int, _ code: PatchEncoder.Code) -> [Double] {
      sweep.first { $0.k == k && $0.code == code }!.accuracies
    }
    let leads = counts.map { k in
      Spread(zip(accuracies(k, .triangle), accuracies(k, .hard)).map { $0 - $1 })
    }
    page.value("lead.first", leads.first!.mean, tolerance: 0.6, unit: "points")
    page.value("lead.last", leads.last!, tolerance: 0.6, unit: "points")
    // Of paired differences: how many deviations the mean is from 0.
    page.value("lead.least", leads.map { $0.mean / $0.deviation }.min()!, tolerance: 5)
    page.claim(
      "The triangle code wins for every number of centroids, each time by more than the differences "
        + "spread.", "lead.least > 1")
    let gains = zip(counts, counts.dropFirst()).map { few, many in
      Spread(zip(accuracies(many, .triangle), accuracies(few, .triangle)).map { $0 - $1 })
    }
    page.value("gain.first", gains.first!, tolerance: 0.5, unit: "points")
    page.value("gain.first.deviation", gains.first!.deviation, tolerance: 0.5, unit: "points")
    page.value("gain.last", gains.last!, tolerance: 0.5, unit: "points")
    page.value("gain.last.deviation", gains.last!.deviation, tolerance: 0.5, unit: "points")
    let whole = Spread(
      zip(accuracies(counts.last!, .triangle), accuracies(counts.first!, .triangle)).map { $0 - $1 }
    )
    page.value("gain.whole", whole, tolerance: 0.5, unit: "points")
    page.value("gain.whole.deviation", whole.deviation, tolerance: 0.3, unit: "points")
    page.claim("More centroids read better.", "gain.whole > gain.whole.deviation")
    PretrainingFigures.drawSweep(page, sweep)
    return sweep
  }

  /// Other dictionaries of the same size: what the learning and the 57,000 images give.
  private static func compareSources(
    _ page: Page, _ experiment: PatchExperiment, _ chosen: PatchExperiment.Constants,
    _ sweep: Sweep
  ) throws {
    let here = sweep.first { $0.k == few(page) && $0.code == .triangle }!
    var whitened = chosen
    whitened.epsilon = 0.1
    let others: [(String, PatchExperiment.Constants, PatchExperiment.Source)] = [
      ("labelled", chosen, .labelled), ("random", chosen, .random),
      ("whitened", whitened, .unlabelled),
    ]
    for (place, (name, constants, source)) in others.enumerated() {
      let outcomes = try here.accuracies.indices.map { repetition in
        page.progress("other dictionaries", (Double(place) + Double(repetition) / 5) / 3)
        return try experiment.outcome(
          here.k, constants, from: source, repetition: repetition, [.triangle])
      }
      let accuracies = experiment.costs.indices.map { cost in
        outcomes.map { $0.scores[0].validation[cost] }
      }.max { Spread($0).mean < Spread($1).mean }!
      let losses = zip(here.accuracies, accuracies).map { $0 - $1 }
      page.value("other.\(name)", Spread(accuracies), tolerance: 0.6, unit: "%")
      page.value(
        "other.\(name).deviation", Spread(accuracies).deviation, tolerance: 0.3, unit: "points")
      page.value("other.\(name).loss", Spread(losses), tolerance: 0.5, unit: "points")
      page.value(
        "other.\(name).spread", Spread(losses).deviation, tolerance: 0.3, unit: "points")
    }
    page.claim(
      "Whitening costs more than the dictionaries differ.",
      "other.whitened.loss > other.whitened.spread")
    page.claim(
      "A dictionary from the labelled images alone loses nothing that exceeds the spread.",
      "other.labelled.loss < other.labelled.spread")
    page.claim(
      "Nor does one that was never learnt, of patches as they were drawn.",
      "other.random.loss < other.random.spread")
  }

  /// The chosen setting on the test images: once, when all is chosen.
  private static func readTheTest(
    _ page: Page, _ experiment: PatchExperiment, _ constants: PatchExperiment.Constants,
    _ sweep: Sweep
  ) throws {
    let best = sweep.filter { $0.code == .triangle }
      .max { Spread($0.accuracies).mean < Spread($1.accuracies).mean }!
    let indices = Array(0..<(page.isQuick ? 1000 : experiment.data.test.count))
    let accuracies = try best.accuracies.indices.map { repetition in
      page.progress("test", Double(repetition) / Double(best.accuracies.count))
      return try experiment.test(
        best.k, constants, cost: experiment.costs[best.cost], repetition: repetition, indices)
    }
    page.value("chosen.k", Double(best.k), tolerance: 400)
    page.value("chosen.cost", experiment.costs[best.cost], tolerance: 1)
    page.value("test", Spread(accuracies), tolerance: 0.4, unit: "%")
    page.value("test.deviation", Spread(accuracies).deviation, tolerance: 0.2, unit: "points")
    page.value("test.error", 100 - Spread(accuracies).mean, tolerance: 0.4, unit: "%")
    page.quote("sample.test", 89.88, source: "the kit's report on its sample code")
    page.quote("kit.noise", 98.36, source: "the kit's report: its network with noise, 3,000 labels")
    page.quote("kit.final", 99.48, source: "the kit's report: Γ-model and augmentation")
    page.quote("cnn.error", 3.35, source: "Kingma et al. 2014, table 1: CNN, 3,000 labels")
    page.quote("tsvm.error", 3.45, source: "Kingma et al. 2014, table 1: TSVM, 3,000 labels")
    page.quote("vae.error", 2.18, source: "Kingma et al. 2014, table 1: M1+M2, 3,000 labels")
    page.claim(
      "It errs on fewer than their convolutional network does from as many labels.",
      "test.error < cnn.error")
  }
}
