import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What a network learns before it sees a label.
package enum Pretext: Hashable, Sendable {
  /// Nothing: its weights are random.
  case untrained
  /// To tell 1,000 images apart that are never changed.
  case unchanged
  /// To say the digit of copies of 1,000 images, for whose digits it is told: the control.
  case digits
  /// To tell changed copies of so many images apart.
  case images(Int)

  /// The numbers of images that are compared.
  package static let counts = [60, 125, 250, 1000, 4000, 8000]
  /// All of them, in the order in which several threads begin them.
  package static let all =
    [Pretext.untrained, .unchanged, .digits] + counts.map { .images($0) }

  /// A word for it, the first of its values' names.
  package var key: String {
    switch self {
    case .untrained: "untrained"
    case .unchanged: "unchanged"
    case .digits: "digits"
    case .images(let count): "images\(count)"
    }
  }

  /// The images that copies are made of.
  package var count: Int {
    if case .images(let count) = self { count } else { 1000 }
  }

  /// The classes that are told apart.
  package var classes: Int { self == .digits ? ImageSet.classCount : count }
}

/// Networks that learn to tell images apart, once for all draws of labels.
package struct SurrogateLearning: Sendable {
  /// How long each network is trained, and the copies of a step.
  package static let (steps, batchSize) = (3200, 100)
  /// The rates of Adam, half a decade apart: for these networks and for those that learn from labels.
  package static let rates = [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
  /// What the rates are tried on, for a third of the steps.
  package static let trial = Pretext.images(1000)

  /// A network as it is kept.
  private struct Learnt: Codable, Sendable {
    let weights: ModuleWeights
    let look: SurrogateLook
  }

  private let set: ImageSet
  private let order: [Int]
  private let judges: [SurrogateJudge]
  private let seed: UInt64
  private let isQuick: Bool

  /// A learning from the images of a set.
  ///
  /// Seeds are the first of one random order of all images, so that fewer are among more; none of
  /// their labels is seen, but by the control and by the look at what is confused.
  package init(_ page: Page, _ set: ImageSet) throws {
    (self.set, seed, isQuick) = (set, page.seed, page.isQuick)
    var stream = RandomStream(seed: seed, "3.3.6", "seeds")
    order = stream.permutation(set.count)
    judges = try LabelDraw.all(labels: 3000, page).filter { $0.number > 0 || page.isQuick }
      .prefix(3).map { SurrogateJudge(set, try $0.split(set, page), isQuick: page.isQuick) }
  }

  private static func name(_ work: String, _ pretext: Pretext, _ rate: Double, _ steps: Int)
    -> String
  {
    "\(work), \(pretext.key): \(pretext.count) images, rate \(rate), \(steps) × \(batchSize) copies"
  }

  /// The error on validation by rate, after a third of the steps, and the loss of 8,000 classes that
  /// begin all at once, at the third of the rates after a tenth.
  package func trials(_ page: Page) throws -> (errors: [Double], loss: Double) {
    let (rates, steps) = (page.isQuick ? Array(Self.rates[1...2]) : Self.rates, Self.steps / 3)
    let all = Pretext.images(Pretext.counts.last!)
    let results = try Round(page, "trials").run(
      [Self.name("all at once", all, Self.rates[2], Self.steps / 10)]
        + rates.map { Self.name("trial", Self.trial, $0, steps) }, tolerance: 3
    ) { index, flag in
      if index == 0 {
        return try learn(all, Self.rates[2], steps: Self.steps / 10, isGentle: false, flag) {
          _, _ in
        }.losses.last!
      }
      let network = try learn(Self.trial, rates[index - 1], steps: steps, flag) { _, _ in }.network
      return try judges[0].errors(of: network, flag).min()!
    }
    return (Array(results.dropFirst()), results[0])
  }

  /// The networks that learn at a rate.
  package func networks(_ page: Page, rate: Double) -> SurrogateNetworks {
    let stages = Pretext.all.map { pretext in
      let stage = SharedStage(page, Self.name("network", pretext, rate, Self.steps)) { flag in
        try learnt(pretext, rate, flag)
      }
      let load: @Sendable (SideBySide.Flag) throws -> (ExemplarNetwork, SurrogateLook) = { flag in
        let learnt = try stage(flag)
        var unused = RandomStream(seed: 0, "3.3.6", "replaced")
        let network = ExemplarNetwork(classes: pretext.classes, using: &unused)
        learnt.weights.put(into: network.parameters)
        return (network, learnt.look)
      }
      return (pretext, load)
    }
    return SurrogateNetworks(
      stages: Dictionary(uniqueKeysWithValues: stages),
      names: Pretext.all.map { Self.name("look", $0, rate, Self.steps) })
  }

  /// Trains a network, and looks at it at each third of its steps and at the end.
  private func learnt(
    _ pretext: Pretext, _ rate: Double, _ flag: SideBySide.Flag
  ) throws -> Learnt {
    var look = SurrogateLook()
    let steps = pretext == .untrained ? 0 : Self.steps
    let (network, losses) = try learn(pretext, rate, steps: steps, flag) { network, third in
      if !isQuick || third == 3 {
        look.thirds.append(try judges[0].errors(of: network, flag).min()!)
      }
    }
    look.losses = losses
    // One cost for all draws, as one chooses it by their mean.
    let errors = try judges.map { try $0.errors(of: network, flag) }
    let costs = errors[0].indices
    let best = costs.min { a, b in
      errors.reduce(0) { $0 + $1[a] } < errors.reduce(0) { $0 + $1[b] }
    }!
    look.errors = errors.map { $0[best] }
    if pretext.classes == pretext.count {
      let seeds = Array(order.prefix(pretext.count))
      try look.confuse(
        network, set.withoutLabels(seeds), digits: set.labels(seeds), seed: seed,
        copies: isQuick ? 100 : 8000, flag)
    }
    return Learnt(weights: ModuleWeights(of: network.parameters), look: look)
  }

  // snippet.learning
  /// Adam on the cross-entropy of the surrogate classes, in two parts.
  ///
  /// As a precaution the first quarter of the steps sees 1,000 of the images at most: with 8,000
  /// classes from the start the loss had not moved after 320 steps. The last third slows down to 0.
  ///
  /// - Parameter isGentle: false for all images from the start.
  private func learn(
    _ pretext: Pretext, _ rate: Double, steps: Int, isGentle: Bool = true,
    _ flag: SideBySide.Flag,
    atThird: (_ network: ExemplarNetwork, _ third: Int) throws -> Void
  ) throws -> (network: ExemplarNetwork, losses: [Double]) {
    let steps = isQuick ? min(4, steps) : steps
    let first = isGentle ? steps / 4 : 0
    // All networks begin with the same convolutions.
    var stream = RandomStream(seed: seed, "3.3.6", "weights")
    let network = ExemplarNetwork(classes: pretext.classes, using: &stream)
    var losses = [log(Double(pretext.classes))]
    for (part, range) in [0..<first, first..<steps].enumerated() where !range.isEmpty {
      let name = "3.3.6/part \(part + 1)"
      let rates: Schedule =
        part == 0
        ? .constant(rate)
        : .linearDecay(rate, from: 2 * steps / 3 - first, to: steps - first, .steps)
      var training = Training(
        SurrogateClasses(network),
        batches(pretext, part == 0 ? min(pretext.count, 1000) : pretext.count, name),
        Adam(), rate: rates, seed: seed, name: name)
      for step in range {
        try flag.check()
        try training.takeCheckedStep(of: "The training on surrogate classes")
        let done = step + 1
        if (1...12).contains(where: { $0 * steps / 12 == done }), training.epochLoss.isFinite {
          losses.append(training.epochLoss)
        }
        if let third = (1...3).first(where: { $0 * steps / 3 == done }) {
          try atThird(network, third)
        }
      }
    }
    return (network, losses)
  }
  // snippet.end

  /// Copies of the first of the seeds.
  private func batches(_ pretext: Pretext, _ count: Int, _ name: String) -> SurrogateBatches {
    let seeds = Array(order.prefix(count))
    return SurrogateBatches(
      of: set.withoutLabels(seeds), size: isQuick ? 20 : Self.batchSize, seed: seed,
      name: name,
      shared: pretext == .digits ? set.labels(seeds) : nil
    ) { images, noise in
      pretext == .unchanged ? images : SurrogateBatches.change(images, &noise)
    }
  }
}

/// The networks, each trained when it is first asked for.
package struct SurrogateNetworks: Sendable {
  let stages: [Pretext: @Sendable (SideBySide.Flag) throws -> (ExemplarNetwork, SurrogateLook)]
  let names: [String]

  /// What each has become.
  package func looks(_ page: Page) throws -> [Pretext: SurrogateLook] {
    let looks = try Round(page, "networks").run(names, tolerance: 5) { index, flag in
      try stages[Pretext.all[index]]!(flag).1
    }
    return Dictionary(uniqueKeysWithValues: zip(Pretext.all, looks))
  }

  /// A network as its pretext left it.
  func network(_ pretext: Pretext, _ flag: SideBySide.Flag) throws -> ExemplarNetwork {
    try stages[pretext]!(flag).0
  }
}
