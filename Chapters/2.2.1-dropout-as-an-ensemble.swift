import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 2.2.1: dropout as an ensemble of thinned networks.
public enum DropoutAsEnsemble: Chapter {
  /// The chapter's number.
  public static let id = "2.2.1"
  /// The chapter's title.
  public static let title = "Dropout as an ensemble"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    let split = try Split.kit(data.train.labels)
    drawThinnedNetworks(page)
    try enumerateOneLayer(page, data, split)
    try enumerateTwoLayers(page, data, split)
    try averageMasks(page, data, split)
  }
}

// MARK: - Thinned networks

extension DropoutAsEnsemble {
  private static func drawThinnedNetworks(_ page: Page) {
    var random = RandomStream(seed: page.seed, id, "drawing")
    let widths = [4, 5, 5, 3]
    func place(_ layer: Int, _ unit: Int) -> Mark.Point {
      (x: Double(layer), y: Double(unit) - Double(widths[layer] - 1) / 2)
    }
    let panels = (0..<6).map { index in
      // Inputs and hidden units may go; outputs stay.
      let kept = widths.indices.map { layer in
        (0..<widths[layer]).map { _ in
          index == 0 || layer == 3 || random.uniform() < (layer == 0 ? 0.8 : 0.5)
        }
      }
      var marks: [Mark] = []
      for layer in 0..<3 {
        for unit in kept[layer].indices where kept[layer][unit] {
          for next in kept[layer + 1].indices where kept[layer + 1][next] {
            marks.append(.guide([place(layer, unit), place(layer + 1, next)]))
          }
        }
      }
      let units = widths.indices.flatMap { layer in
        kept[layer].indices.map { (isKept: kept[layer][$0], place: place(layer, $0)) }
      }
      marks.append(.points("", units.filter(\.isKept).map(\.place), colour: 0))
      for unit in units where !unit.isKept {
        marks.append(.text("×", at: (x: unit.place.x - 0.05, y: unit.place.y)))
      }
      let alive = kept.joined().count { $0 } - 3
      return Panel(
        title: index == 0 ? "the whole network" : "\(alive) of 14 units kept",
        x: .hidden(range: -0.2...3.2), y: .hidden(range: -2.4...2.4), marks: marks)
    }
    page.figure(
      Figure(
        "thinned", title: "Every mask leaves another network, and all share their weights",
        size: (760, 420), columns: 3, panels: panels))
  }
}

// MARK: - One softmax layer: all networks

extension DropoutAsEnsemble {
  /// A layer P = softmax(W·x + b), in double precision.
  struct SoftmaxLayer {
    /// Rows of weights, one for each class.
    let weights: [[Double]]
    let biases: [Double]

    init(_ layer: Dense) {
      let inputs = layer.weight.value.shape[1]
      let values = layer.weight.value.values.map(Double.init)
      biases = layer.bias.value.values.map(Double.init)
      weights = biases.indices.map { Array(values[$0 * inputs..<($0 + 1) * inputs]) }
    }

    /// ln P for inputs x, each of them multiplied by a factor.
    func logProbabilities(_ x: [Double], _ factors: [Double]) -> [Double] {
      var logits = biases
      for k in logits.indices {
        for i in x.indices { logits[k] += weights[k][i] * factors[i] * x[i] }
      }
      let largest = logits.max()!
      let total = log(logits.reduce(0) { $0 + exp($1 - largest) })
      return logits.map { $0 - largest - total }
    }
  }

  // snippet.enumerate
  /// Means of the predictions of all 2ⁿ thinned networks, each counted by its mask's probability.
  struct AllMasks {
    var arithmetic: [Double]
    var geometric: [Double]
    /// The sum of the masks' probabilities, which is 1.
    var total = 0.0

    /// Drops each of the inputs x of a softmax layer with probability 1 − p.
    init(_ layer: SoftmaxLayer, _ x: [Double], keep p: Double) {
      let n = x.count
      arithmetic = layer.biases.map { _ in 0 }
      var logarithms = arithmetic
      for bits in 0..<(1 << n) {
        let mask = (0..<n).map { Double(bits >> $0 & 1) }
        let kept = bits.nonzeroBitCount
        let probability = pow(p, Double(kept)) * pow(1 - p, Double(n - kept))
        total += probability
        for (k, logP) in layer.logProbabilities(x, mask).enumerated() {
          arithmetic[k] += probability * exp(logP)
          logarithms[k] += probability * logP
        }
      }
      // The product of powers, made to sum to 1.
      let sum = logarithms.reduce(0) { $0 + exp($1) }
      geometric = logarithms.map { exp($0) / sum }
    }
  }
  // snippet.end

  /// Half the sum of |a − b|: the largest difference that two distributions give to any event.
  static func distance(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
  }

  /// A softmax layer on 4 × 4 means of 7 × 7 pixels, trained with dropout of its inputs.
  ///
  /// In a loop written by hand on purpose: it reads means and no images, all of them in each step.
  private static func trainOneLayer(
    _ page: Page, _ set: ImageSet, _ indices: [Int]
  ) -> SoftmaxLayer {
    var stream = RandomStream(seed: page.seed, id, "one layer")
    let layer = Dense(inputs: 16, outputs: 10, initialiser: .xavierNormal, using: &stream)
    let inputs = Tensor([indices.count, 16], indices.flatMap { blocks(set, $0).map(Float.init) })
    var rule = Momentum(momentum: 0.9)
    for step in 0..<200 {
      rule.begin(layer.parameters, at: Moment(step: step, epoch: step))
      let tape = Tape()
      let x = dropout(tape.constant(inputs), keep: 0.5, using: &stream)
      let loss = softmaxCrossEntropy(logits: layer(x), labels: set.labels(indices))
      rule.step(layer.parameters, tape.backward(from: loss), rate: 0.5)
    }
    return SoftmaxLayer(layer)
  }

  /// The means of the sixteen blocks of 7 × 7 pixels of an image.
  private static func blocks(_ set: ImageSet, _ index: Int) -> [Double] {
    let pixels = set.images([index]).values
    return (0..<16).map { block in
      let (top, left) = (block / 4 * 7, block % 4 * 7)
      let sum = (0..<49).reduce(Float(0)) { $0 + pixels[(top + $1 / 7) * 28 + left + $1 % 7] }
      return Double(sum / 49)
    }
  }

  private static func enumerateOneLayer(_ page: Page, _ data: MNIST, _ split: Split) throws {
    // The library's dropout divides by p when it trains: p·W of the book is this layer's weight.
    let layer = trainOneLayer(page, data.train, split.labelled)
    let images = Array(split.validation.prefix(page.isQuick ? 2 : 20))
    for p in [0.5, 0.8] {
      var worst = (geometric: 0.0, total: 0.0)
      var apart = (arithmetic: 0.0, unscaled: 0.0)
      for index in images {
        try Task.checkCancellation()
        let x = blocks(data.train, index).map { $0 / p }
        let all = AllMasks(layer, x, keep: p)
        let scaled = layer.logProbabilities(x, x.map { _ in p }).map { exp($0) }
        let unscaled = layer.logProbabilities(x, x.map { _ in 1 }).map { exp($0) }
        worst.geometric = max(worst.geometric, distance(all.geometric, scaled))
        worst.total = max(worst.total, abs(all.total - 1))
        apart.arithmetic = max(apart.arithmetic, distance(all.arithmetic, scaled))
        apart.unscaled = max(apart.unscaled, distance(all.geometric, unscaled))
      }
      let key = "p\(Int(10 * p))"
      page.check("keep \(p): the masks' probabilities add up to 1", worst.total, atMost: 1e-11)
      page.check("keep \(p): geometric mean = weight scaling", worst.geometric, atMost: 1e-11)
      page.check("keep \(p): arithmetic mean rejected", apart.arithmetic, atLeast: 1e-3)
      page.check("keep \(p): unscaled weights rejected", apart.unscaled, atLeast: 1e-2)
      page.value("one.\(key).geometric", worst.geometric, tolerance: 1e-11)
      page.value("one.\(key).arithmetic", apart.arithmetic, tolerance: 0.05)
      page.value("one.\(key).unscaled", apart.unscaled, tolerance: 0.2)
    }
  }
}

// MARK: - Two layers: all networks

extension DropoutAsEnsemble {
  /// What a small network and all of its thinned networks say of some images.
  private struct Enumeration: Codable {
    /// The error in percent of a network drawn at random, and of the three ways to average.
    var member = 0.0
    var arithmetic = 0.0
    var geometric = 0.0
    var scaled = 0.0
    /// The mean distance of the scaled network's distribution from the two means.
    var toArithmetic = 0.0
    var toGeometric = 0.0
    /// How often the scaled network says the digit of the arithmetic mean, in percent.
    var agreement = 0.0
    /// The largest distance from the network itself when all units are kept.
    var toNetwork = 0.0
    /// The largest distance from the geometric mean when only the last layer's inputs are dropped.
    var lastOnly = 0.0
    /// What is said of the first image of each of the digits `shownDigits`.
    var shown: [Int: SmallNetwork.Averages] = [:]
  }

  private static let shownDigits = [3, 4, 8]

  private static func enumerate(
    _ data: MNIST, _ split: Split, _ images: [Int], seed: UInt64, _ number: Int, epochs: Int,
    _ flag: SideBySide.Flag
  ) throws -> Enumeration {
    let p: Float = 0.8
    let training = DropoutTraining(
      sizes: [784, 8, 8, 10], keepHidden: p, rate: 0.01, epochs: epochs, seed: number)
    let network = try training.network(data.train, split.labelled, seed: seed, flag)
    let small = SmallNetwork(network)
    let whole = network.probabilities(data.train.images(images))
    let top = SoftmaxLayer(network.layers[2])
    var result = Enumeration()
    for (row, index) in images.enumerated() {
      try flag.check()
      let (pixels, label) = (data.train.images([index]).values, Int(data.train.labels[index]))
      let all = small.averages(pixels, label, keep: p)
      if shownDigits.contains(label) && result.shown[label] == nil { result.shown[label] = all }
      func isWrong(_ p: [Double]) -> Double { p[label] == p.max()! ? 0 : 1 }
      result.member += 1 - all.rightMasks
      result.arithmetic += isWrong(all.arithmetic)
      result.geometric += isWrong(all.geometric)
      result.scaled += isWrong(all.scaled)
      result.toArithmetic += distance(all.scaled, all.arithmetic)
      result.toGeometric += distance(all.scaled, all.geometric)
      let (said, meant) = (all.scaled.max()!, all.arithmetic.max()!)
      result.agreement +=
        all.scaled.firstIndex(of: said) == all.arithmetic.firstIndex(of: meant) ? 1 : 0
      let own = (0..<10).map { Double(whole[row * 10 + $0]) }
      result.toNetwork = max(result.toNetwork, distance(all.scaled, own))
      if row < 20 {
        let x = small.lastInputs(pixels).map { $0 / Double(p) }
        let masks = AllMasks(top, x, keep: Double(p))
        let scaled = top.logProbabilities(x, x.map { _ in Double(p) }).map { exp($0) }
        result.lastOnly = max(result.lastOnly, distance(masks.geometric, scaled))
      }
    }
    let count = Double(images.count)
    for share: WritableKeyPath<Enumeration, Double> in [
      \.member, \.arithmetic, \.geometric, \.scaled, \.agreement,
    ] { result[keyPath: share] *= 100 / count }
    result.toArithmetic /= count
    result.toGeometric /= count
    return result
  }

  private static func enumerateTwoLayers(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let seeds = page.isQuick ? 1 : 5
    let images = Array(split.validation.prefix(page.isQuick ? 20 : 400))
    let (seed, epochs) = (page.seed, page.isQuick ? 5 : 40)
    let results = try SideBySide.run(
      page, "enumerating", (0..<seeds).map { "two layers, \(images.count) images, seed \($0)" },
      tolerance: 8
    ) { number, flag in
      try enumerate(data, split, images, seed: seed, number, epochs: epochs, flag)
    }
    page.check(
      "enumeration with all units = the network", results.map(\.toNetwork).max()!, atMost: 1e-4)
    page.check(
      "dropout below the last layer alone: geometric mean = weight scaling",
      results.map(\.lastOnly).max()!, atMost: 1e-11)
    page.check(
      "dropout in two layers: they differ", results.map(\.toGeometric).min()!, atLeast: 1e-3)
    let parts: [(String, KeyPath<Enumeration, Double>, Double)] = [
      ("member", \.member, 8), ("arithmetic", \.arithmetic, 6), ("geometric", \.geometric, 6),
      ("scaled", \.scaled, 6), ("toArithmetic", \.toArithmetic, 0.1),
      ("toGeometric", \.toGeometric, 0.1), ("agreement", \.agreement, 5),
    ]
    for (key, path, tolerance) in parts {
      let spread = Spread(results.map { $0[keyPath: path] })
      page.value("two.\(key)", spread, tolerance: tolerance)
      page.value("two.\(key).deviation", spread.deviation, tolerance: tolerance)
    }
    let gains = results.map { $0.member - max($0.arithmetic, $0.geometric, $0.scaled) }
    page.value("two.gain.least", gains.min()!, tolerance: 8, unit: "points")
    let ratios = results.map { $0.toGeometric / $0.toArithmetic }
    page.value("two.ratio.most", ratios.max()!, tolerance: 0.15)
    page.claim(
      "In each of the five networks all three averages are far better than a thinned network drawn "
        + "at random.", "two.gain.least > 5")
    page.claim(
      "In each of the five it lies much closer to the geometric mean than to the arithmetic one.",
      "two.ratio.most < 0.5")
    showMembers(page, results[results.count > 1 ? 1 : 0])
  }

  private static func showMembers(_ page: Page, _ enumeration: Enumeration) {
    let panels = shownDigits.compactMap { label -> Panel? in
      guard let all = enumeration.shown[label] else { return nil }
      let bars = all.histogram.enumerated().map { (x: Double($0) / 40, y: 100 * $1) }
      let top = bars.map(\.y).max()!
      return Panel(
        title: "a \(label)",
        x: Axis("probability of the \(label)", range: 0...1),
        y: Axis("share of the networks, %", range: 0...(1.25 * top)),
        marks: [
          .histogram("", bars, colour: 5),
          .points("arithmetic mean", [(x: all.arithmetic[label], y: 1.2 * top)], colour: 1),
          .points("geometric mean", [(x: all.geometric[label], y: 1.12 * top)], colour: 2),
          .points("scaled weights", [(x: all.scaled[label], y: 1.04 * top)], colour: 0),
        ])
    }
    page.figure(
      Figure(
        "members",
        title:
          "Thinned networks contradict each other; scaled weights answer like their geometric mean",
        size: (760, 320), columns: 3, panels: panels))
  }
}

// MARK: - A network of ordinary size

extension DropoutAsEnsemble {
  private static func averageMasks(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let epochs = page.isQuick ? 3 : 60
    let masks = page.isQuick ? 8 : 64
    let (seed, seeds, plainSeeds) = (page.seed, page.isQuick ? 1 : 5, page.isQuick ? 2 : 10)
    let trainings =
      (0..<seeds).map {
        DropoutTraining(
          sizes: [784, 400, 400, 10], keepInput: 0.8, keepHidden: 0.5, epochs: epochs, seed: $0)
      }
      + (0..<plainSeeds).map {
        DropoutTraining(sizes: [784, 400, 400, 10], epochs: epochs, seed: $0)
      }
    let results = try SideBySide.run(
      page, "training", trainings.map { "\($0.name), \(masks) masks" }, tolerance: 1
    ) { index, flag in
      let training = trainings[index]
      let network = try training.network(data.train, split.labelled, seed: seed, flag)
      var stream = RandomStream(seed: seed, id, "masks", "\(training.seed)")
      return try MaskAverages.measure(
        network, data.test, masks: training.plan.keepHidden < 1 ? masks : 0, using: &stream, flag)
    }
    let ensembles = Ensembles(
      dropout: Array(results[..<seeds]), plain: Array(results[seeds...]),
      labels: data.test.labels.map(Int.init))
    ensembles.write(on: page)
  }
}
