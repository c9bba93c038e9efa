import Digits
import Methods
import Networks
import Notebook
import Tensors

/// A shallow network trained, and a deeper one from its layers, from N(0, 10⁻²) and from He's rule.
package struct VGGExperiment {
  /// What is trained.
  package enum Arm: String, Codable, CaseIterable {
    /// Column A from N(0, 10⁻²), from which the next takes its layers.
    case shallow
    /// Column D with seven layers of the trained column A, the others from N(0, 10⁻²).
    case copied
    /// Column D from N(0, 10⁻²).
    case random
    /// Column D from He's initialisation.
    case he
  }

  /// What one training leaves.
  package struct Outcome: Codable {
    /// The mean loss of each epoch.
    package var losses: [Double] = []
    /// The accuracy after each epoch, in percent, on a fifth of the validation images.
    package var validation: [Double] = []
    /// The accuracy at the end on all of them.
    package var final = 0.0
    /// For each layer, how much of its output differs from image to image, before and after.
    package var differingBefore: [Double] = []
    package var differingAfter: [Double] = []
  }

  /// The paper's N(0, 10⁻²): a variance, so that the deviation is a tenth.
  package static let paper = Initialiser.gaussian(deviation: 0.1)

  package let data: MNIST
  package let split: Split
  package let seed: UInt64
  /// The epochs of a deep network; the shallow one, which is to be trained well, has twice as many.
  package let epochs: Int

  package init(data: MNIST, split: Split, seed: UInt64, epochs: Int) {
    (self.data, self.split, self.seed, self.epochs) = (data, split, seed, epochs)
  }

  /// Trains all arms for each of some repetitions; what was done before is kept.
  package func run(_ page: Page, repetitions: Int) throws -> [Arm: [Outcome]] {
    var outcomes: [Arm: [Outcome]] = [:]
    for repetition in 0..<repetitions {
      for arm in Arm.allCases where arm != .shallow {
        // The shallow network is trained, and kept, together with the deep one that needs it.
        let pair = try page.kept("vgg \(arm.rawValue) \(repetition) \(epochs)", tolerance: 90) {
          try train(arm, repetition)
        }
        outcomes[arm, default: []].append(pair.last!)
        if arm == .copied { outcomes[.shallow, default: []].append(pair[0]) }
        page.progress(
          "deep networks",
          (Double(repetition) + (arm == .copied ? 0.4 : arm == .random ? 0.7 : 1))
            / Double(repetitions))
      }
    }
    return outcomes
  }

  /// The outcomes of one arm, that of the shallow network first where one is needed.
  package func train(_ arm: Arm, _ repetition: Int) throws -> [Outcome] {
    let deep = network(.d, arm == .he ? .he : Self.paper, "deep \(repetition)")
    guard arm == .copied else {
      return [try train(deep, epochs, "\(arm.rawValue) \(repetition)")]
    }
    let shallow = network(.a, Self.paper, "shallow \(repetition)")
    let first = try train(shallow, 2 * epochs, "shallow \(repetition)")
    deep.copyLayers(from: shallow)
    return [first, try train(deep, epochs, "copied \(repetition)")]
  }

  /// A network before its training.
  package func network(
    _ column: VGGNetwork.Column, _ initialiser: Initialiser, _ name: String
  ) -> VGGNetwork {
    var stream = RandomStream(seed: seed, "2.3.2", name, "weights")
    return VGGNetwork(column, initialiser, using: &stream)
  }

  /// The paper's training: momentum .9, an L2 penalty of 5·10⁻⁴, dropout, rate .01 and then .001.
  private func train(_ network: VGGNetwork, _ epochs: Int, _ name: String) throws -> Outcome {
    var training = Training(
      of: network, on: data.train, split.labelled, Momentum(momentum: 0.9, weightDecay: 5e-4),
      rate: .exponential(0.01, factor: 0.1, every: max(1, epochs * 3 / 4), .epochs), batchSize: 50,
      seed: seed, name: "2.3.2/\(name)")
    let fifth = stride(from: 0, to: split.validation.count, by: 5).map { split.validation[$0] }
    let probe = data.train.images(fifth.prefix(100))
    var outcome = Outcome()
    outcome.differingBefore = network.differingShares(probe)
    for _ in 0..<epochs {
      outcome.losses.append(try training.runEpoch())
      outcome.validation.append(network.evaluate(data.train, fifth).accuracy)
    }
    outcome.differingAfter = network.differingShares(probe)
    outcome.final = network.evaluate(data.train, split.validation).accuracy
    return outcome
  }
}

extension VGGNetwork {
  /// For each layer, the part of its output that differs from image to image.
  ///
  /// √(Σ(x − mean over the images)² / Σx²): 0 when the layer says the same of every image.
  package func differingShares(_ images: Tensor) -> [Double] {
    forward(images).map { output in
      let rows = output.shape.rank == 4 ? output.flattenedImages() : output
      let mean = rows.sumOfRows().map { $0 * (1 / Float(rows.shape[0])) }
      var centred = rows
      centred.addToRows(mean.map { -$0 }, activation: .identity)
      let whole = Double(rows.sumOfSquares())
      return whole > 0 ? (Double(centred.sumOfSquares()) / whole).squareRoot() : 0
    }
  }

  /// The size of each layer's output: the root of the mean square.
  package func sizes(_ images: Tensor) -> [Double] {
    forward(images).map { (Double($0.sumOfSquares()) / Double($0.count)).squareRoot() }
  }
}
