import Digits
import Files
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// The network of the paper on labels alone, as a what-where auto-encoder, and as one that is not told
/// the where.
package enum WhatWhereTraining {
  /// What is trained.
  package enum Kind: String, CaseIterable, Sendable {
    /// The encoder and its output layer, by labels alone.
    case labels
    /// With a decoder that is told where each largest stood.
    case told = "where"
    /// With a decoder that puts each largest in its block's first place.
    case fixed
  }

  /// All that differs between two trainings of a kind.
  package struct Setting: CustomStringConvertible, Sendable {
    /// The rate of Adam.
    package var rate = 0.001
    /// λ_rec.
    package var reconstruction = 0.0
    /// λ_M, smaller because its term sums over more than fifty times as many numbers.
    package var middle: Double { reconstruction / 100 }

    package var description: String {
      let steps = "\(units) × \(stepsPerUnit) steps of \(labelled)"
      guard reconstruction > 0 else { return "rate \(rate), \(steps) images" }
      return "rate \(rate), λ_rec \(reconstruction), λ_M \(middle), \(steps) + \(unlabelled) images"
    }
  }

  /// The rates that the network on labels alone chooses from.
  package static let rates = [3e-4, 1e-3, 3e-3, 1e-2, 3e-2]
  /// The λ_rec that the auto-encoders choose from, at the rate of `Setting`.
  package static let reconstructions = [0.003, 0.01, 0.03, 0.1]
  /// Images of a step, with a label and without: together six groups of sixteen, which is what the
  /// convolutions of the engine take at a time.
  package static let (labelled, unlabelled) = (40, 56)
  /// As many steps for 1,000 labels as for 3,000.
  package static let (units, stepsPerUnit) = (30, 50)

  /// The settings that a kind chooses from.
  package static func settings(_ kind: Kind) -> [Setting] {
    kind == .labels
      ? rates.map { Setting(rate: $0) } : reconstructions.map { Setting(reconstruction: $0) }
  }

  /// The paper's network, half of whose features a step drops; a quick run has a quarter of the
  /// filters.
  private static func plan(
    _ kind: Kind, _ setting: Setting, isQuick: Bool
  ) -> WhatWhereAutoencoder.Plan {
    var plan = WhatWhereAutoencoder.Plan()
    plan.keep = 0.5
    plan.reconstruction = Float(setting.reconstruction)
    plan.middle = Float(setting.middle)
    plan.knowsWhere = kind == .told
    if isQuick { for block in plan.blocks.indices { plan.blocks[block].filters = 16 } }
    return plan
  }

  /// An arm with its settings; a candidate whose training breaks reads no digit, and is no choice.
  ///
  /// A weight of 0 would be the network on labels alone, so that nothing lies below the least.
  package static func arm(_ kind: Kind) -> Study.Arm {
    Study.Arm(kind.rawValue, settings(kind), isGrid: kind == .labels) { setting, task, show in
      var stream = RandomStream(seed: task.seed, task.streams, "weights")
      let network = WhatWhereAutoencoder(
        plan(kind, setting, isQuick: task.isQuick), using: &stream)
      do {
        try train(network, rate: setting.rate, in: task, show)
      } catch let error as LabError where error.kind == .failed && task.share < 1 {
        try show(0) { _, indices in indices.map { _ in -1 } }
      }
    }
  }

  // snippet.training
  /// Steps of labelled images and images without labels, by Adam; the rate falls to 0 over the last
  /// third of them.
  private static func train(
    _ network: WhatWhereAutoencoder, rate: Double, in task: Study.Task,
    _ show: (_ step: Int, Study.Reader) throws -> Void
  ) throws {
    let (seed, name) = (task.seed, task.streams)
    let units = task.epochs(units)
    let stepsPerUnit = task.isQuick ? 1 : stepsPerUnit
    let steps = units * stepsPerUnit
    var training = Training(
      network,
      PairedBatches(
        LabelledBatches(of: task.set, task.labelled, size: labelled, seed: seed, name: name),
        UnlabelledBatches(of: task.unlabelled, size: unlabelled, seed: seed, name: name)),
      Adam(), rate: .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps), seed: seed,
      name: name)
    for unit in 1...units {
      for _ in 0..<stepsPerUnit {
        try task.flag.check()
        try training.takeCheckedStep(of: "The what-where auto-encoder")
      }
      if task.isPoint(unit, of: units) {
        try show(unit * stepsPerUnit, Study.reader(of: network, task.flag))
      }
    }
  }
  // snippet.end
}
