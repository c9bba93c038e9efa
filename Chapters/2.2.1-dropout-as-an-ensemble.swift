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
    averageFourMasks(page)
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

// MARK: - Four masks by hand

extension DropoutAsEnsemble {
  private static func averageFourMasks(_ page: Page) {
    // Two inputs of 1, kept with probability ½; the logits are 2m₁ − m₂ and 0.
    let layer = SoftmaxLayer(weights: [[2, -1], [0, 0]], biases: [0, 0])
    let masks: [[Double]] = [[0, 0], [1, 0], [0, 1], [1, 1]]
    let first = masks.map { exp(layer.logProbabilities([1, 1], $0)[0]) }
    for (mask, p) in zip(masks, first) {
      page.value("hand.m\(Int(mask[0]))\(Int(mask[1]))", p, tolerance: 1e-9)
    }
    let all = AllMasks(layer, [1, 1], keep: 0.5)
    let scaled = layer.logProbabilities([1, 1], [0.5, 0.5]).map { exp($0) }
    // The fourth roots, of which nothing but multiplication is used.
    func root(_ p: [Double]) -> Double { p.reduce(1, *).squareRoot().squareRoot() }
    let (one, other) = (root(first), root(first.map { 1 - $0 }))
    page.check(
      "by hand: geometric mean of four masks = scaled weights", one / (one + other) - scaled[0],
      atMost: 1e-15)
    page.check(
      "by hand: the arithmetic mean is another", all.arithmetic[0] - scaled[0], near: -0.027,
      tolerance: 0.001)
    page.value("hand.arithmetic", all.arithmetic[0], tolerance: 1e-9)
    page.value("hand.geometric", all.geometric[0], tolerance: 1e-9)
    page.value("hand.scaled", scaled[0], tolerance: 1e-9)
    // For the exercises: another p, and the geometric means without normalisation.
    let kept = AllMasks(layer, [1, 1], keep: 0.8)
    page.value("exercise.geometric", kept.geometric[0], tolerance: 1e-9)
    page.value("exercise.arithmetic", kept.arithmetic[0], tolerance: 1e-9)
    page.value("exercise.first", one, tolerance: 1e-9)
    page.value("exercise.second", other, tolerance: 1e-9)
    page.value("exercise.digits", (1584 * log10(2)).rounded(.up))
    // The same four numbers into a rectifier: its mean output, and its output at the mean.
    let inputs = masks.map { 2 * $0[0] - $0[1] }
    page.value("hand.rectified", Spread(inputs.map { max(0, $0) }).mean, tolerance: 1e-9)
    page.value("hand.atMean", max(0, Spread(inputs).mean), tolerance: 1e-9)
  }
}

// MARK: - One softmax layer: all networks

extension DropoutAsEnsemble {
  /// A layer P = softmax(W·x + b), in double precision.
  struct SoftmaxLayer {
    /// Rows of weights, one for each class.
    let weights: [[Double]]
    let biases: [Double]

    init(weights: [[Double]], biases: [Double]) {
      (self.weights, self.biases) = (weights, biases)
    }

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
      page.check("keep \(p): the masks' probabilities add up to 1", worst.total, atMost: 1e-13)
      page.check("keep \(p): geometric mean = weight scaling", worst.geometric, atMost: 6e-13)
      page.check("keep \(p): arithmetic mean rejected", apart.arithmetic, atLeast: 1e-3)
      page.check("keep \(p): unscaled weights rejected", apart.unscaled, atLeast: 1e-2)
      page.value("one.\(key).geometric", worst.geometric, tolerance: 6e-13)
      page.value("one.\(key).arithmetic", apart.arithmetic, tolerance: 0.01)
      page.value("one.\(key).unscaled", apart.unscaled, tolerance: 0.02)
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
    /// The largest distance of the sum of the masks' probabilities from 1.
    var total = 0.0
    /// What is said of the first image of each of the digits `shownDigits`.
    var shown: [Int: Shown] = [:]
  }

  /// What the thinned networks say of one image, one by one and averaged.
  private struct Shown: Codable {
    let members: SmallNetwork.Members
    let averages: SmallNetwork.Averages
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
      if shownDigits.contains(label) && result.shown[label] == nil {
        result.shown[label] = Shown(
          members: small.members(pixels, label, keep: p), averages: all)
      }
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
      result.total = max(result.total, abs(all.total - 1))
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

  /// The largest distance of the geometric mean from the scaled network, over some images, for a
  /// deep network without rectifiers, and for the same weights with them.
  private static func compareLinear(
    _ page: Page, _ data: MNIST, _ split: Split
  ) throws {
    let p: Float = 0.8
    let training = DropoutTraining(
      sizes: [784, 8, 8, 10], activation: .identity, keepHidden: p, rate: 0.01,
      epochs: page.isQuick ? 2 : 10, seed: 0)
    let (seed, images) = (page.seed, Array(split.validation.prefix(page.isQuick ? 4 : 20)))
    let apart = try SideBySide.run(page, "linear", ["linear, \(training.name)"], tolerance: 1e-3) {
      _, flag in
      let network = try training.network(data.train, split.labelled, seed: seed, flag)
      return [false, true].map { rectifies in
        let small = SmallNetwork(network, rectifies: rectifies)
        return images.map { index in
          let all = small.averages(
            data.train.images([index]).values, Int(data.train.labels[index]), keep: p)
          return distance(all.scaled, all.geometric)
        }.max()!
      }
    }[0]
    page.check("two linear layers: geometric mean = weight scaling", apart[0], atMost: 2e-7)
    page.check("the same weights with rectifiers: rejected", apart[1], atLeast: 1e-3)
    page.value("linear.apart", apart[0], tolerance: 2e-7)
    page.value("rectified.apart", apart[1], tolerance: 0.05)
  }

  private static func enumerateTwoLayers(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let seeds = page.isQuick ? 1 : 5
    // Evenly over the validation images: the first of them lack the digits that are rarer early on.
    let count = page.isQuick ? 20 : 200
    let images = (0..<count).map { split.validation[$0 * split.validation.count / count] }
    let (seed, epochs) = (page.seed, page.isQuick ? 5 : 40)
    let results = try SideBySide.run(
      page, "enumerating", (0..<seeds).map { "two layers, \(images.count) images, seed \($0)" },
      tolerance: 8
    ) { number, flag in
      try enumerate(data, split, images, seed: seed, number, epochs: epochs, flag)
    }
    page.check(
      "two layers: the masks' probabilities add up to 1", results.map(\.total).max()!, atMost: 1e-7)
    page.check(
      "enumeration with all units = the network", results.map(\.toNetwork).max()!, atMost: 2.5e-6)
    page.check(
      "dropout below the last layer alone: geometric mean = weight scaling",
      results.map(\.lastOnly).max()!, atMost: 2e-15)
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
    for (key, path) in [
      ("arithmetic", \Enumeration.arithmetic), ("geometric", \.geometric), ("scaled", \.scaled),
    ] {
      page.difference(
        "two.\(key).gain",
        PairedDifference(results.map(\.member), minus: results.map { $0[keyPath: path] }),
        tolerance: 8)
    }
    page.difference(
      "two.nearer",
      PairedDifference(results.map(\.toArithmetic), minus: results.map(\.toGeometric)),
      tolerance: 0.08, unit: "")
    page.claim(
      "Each of the three averages is better than a thinned network drawn at random.",
      "two.arithmetic.gain.low > 0 and two.geometric.gain.low > 0 and two.scaled.gain.low > 0")
    page.claim(
      "The scaled network lies closer to the geometric mean than to the arithmetic one.",
      "two.nearer.low > 0")
    try compareLinear(page, data, split)
    showMembers(page, results[results.count > 1 ? 1 : 0])
  }

  private static func showMembers(_ page: Page, _ enumeration: Enumeration) {
    let panels = shownDigits.compactMap { label -> Panel? in
      guard let shown = enumeration.shown[label] else { return nil }
      let (members, all) = (shown.members, shown.averages)
      func bars(_ shares: [Double]) -> [Mark.Point] {
        shares.enumerated().map { (x: Double($0) / 40, y: 100 * $1) }
      }
      page.value("members.d\(label).kept", members.meanKept, tolerance: 0.3)
      page.value("members.d\(label).dropped", members.meanDropped, tolerance: 0.3)
      let top = bars(members.histogram).map(\.y).max()!
      let layer = members.unit < SmallNetwork.units ? "first" : "second"
      return Panel(
        title: "a \(label), by a unit of the \(layer) layer",
        x: Axis("probability given to the \(label)", range: 0...1),
        y: Axis(
          label == shownDigits[0] ? "probability of the masks, %" : "", range: 0...(1.25 * top)),
        marks: [
          .histogram("without the unit", bars(members.histogram), colour: 5),
          .histogram("with it", bars(members.kept), colour: 4),
          .points("arithmetic mean", [(x: all.arithmetic[label], y: 1.2 * top)], colour: 1),
          .points("geometric mean", [(x: all.geometric[label], y: 1.12 * top)], colour: 2),
          .points("scaled weights", [(x: all.scaled[label], y: 1.04 * top)], colour: 0),
        ])
    }
    page.figure(
      Figure(
        "members",
        title: "784-8-8-10: one unit divides the thinned networks; scaled weights answer like "
          + "their geometric mean",
        size: (760, 340), columns: 3, panels: panels))
  }
}

// MARK: - A network of ordinary size

extension DropoutAsEnsemble {
  // snippet.regularisers
  /// Trains the networks with every regulariser: rates and the factor of the penalty are chosen on
  /// validation images with seed 0, and the result is that of other seeds on the test images.
  private static func averageMasks(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let (epochs, masks) = page.isQuick ? (3, 8) : (60, 32)
    let settings = try Regulariser.choose(page, data, split, epochs: epochs)
    let trainings = Regulariser.allCases.flatMap { regulariser in
      let seeds = page.isQuick ? (regulariser == .none ? 2 : 1) : (regulariser == .none ? 10 : 5)
      let (rate, strength) = settings[regulariser]!
      return (1...seeds).map { seed in
        (
          regulariser,
          regulariser.training(rate: rate, strength: strength, epochs: epochs, seed: seed)
        )
      }
    }
    let seed = page.seed
    let results = try SideBySide.run(
      page, "training", trainings.map { "\($0.rawValue), \($1.name), \(masks) masks" }, tolerance: 1
    ) { index, flag in
      let (regulariser, training) = trainings[index]
      let network = try regulariser.network(training, data.train, split.labelled, seed: seed, flag)
      var stream = RandomStream(seed: seed, id, "masks", "\(training.seed)")
      return try MaskAverages.measure(
        network, data.test, masks: regulariser == .dropout ? masks : 0, using: &stream, flag)
    }
    let grouped = Dictionary(grouping: zip(trainings, results)) { $0.0.0 }
    let ensembles = Ensembles(
      grouped.mapValues { $0.map(\.1) }, labels: data.test.labels.map(Int.init))
    ensembles.write(on: page, settings)
  }
  // snippet.end
}
