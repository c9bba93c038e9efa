import Digits
import Methods
import Networks
import Notebook
import Tensors

/// A shallow network trained, and a deeper one from its layers, from N(0, 10⁻²) and from He's rule.
package struct VGGExperiment: Sendable {
  /// What is trained.
  package enum Arm: String, Codable, CaseIterable, Sendable {
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
  package struct Outcome: Codable, Sendable {
    /// The mean loss of each epoch.
    package var losses: [Double] = []
    /// The accuracy after each epoch, in percent, on a tenth of the validation images.
    package var validation: [Double] = []
    /// The accuracy at the end on all of them.
    package var final = 0.0
    /// For each layer, how much of its output differs from image to image, before and after.
    package var differingBefore: [Double] = []
    package var differingAfter: [Double] = []

    /// Whether it reads more than every second digit, however badly.
    package var hasLearnt: Bool { final > 50 }
    /// Whether it did after some epochs, by the tenth.
    package func hadLearnt(after epochs: Int) -> Bool { validation[epochs - 1] > 50 }
  }

  /// How long and how fast is trained.
  package struct Course: Sendable {
    /// The rate at first; it falls to a tenth after two thirds of the epochs.
    package var rate: Double
    /// Epochs of the shallow network, which is to be trained well.
    package var shallow: Int
    /// Epochs of the deep networks that have its layers, and of those from He's rule.
    package var deep: Int
    /// Epochs of the deep networks from N(0, 10⁻²) alone: more work than both trainings of a copied
    /// one, so that what copying gives is not the time that it takes.
    package var alone: Int

    package init(rate: Double, shallow: Int, deep: Int, alone: Int) {
      (self.rate, self.shallow, self.deep, self.alone) = (rate, shallow, deep, alone)
    }

    /// Epochs of the networks of an arm.
    package func epochs(_ arm: Arm) -> Int {
      switch arm {
      case .shallow: shallow
      case .random: alone
      case .copied, .he: deep
      }
    }
  }

  /// The paper's N(0, 10⁻²): a variance, so that the deviation is a tenth.
  package static let paper = Initialiser.gaussian(deviation: 0.1)

  package let data: MNIST
  package let split: Split
  package let seed: UInt64
  package let course: Course

  package init(data: MNIST, split: Split, seed: UInt64, course: Course) {
    (self.data, self.split, self.seed, self.course) = (data, split, seed, course)
  }

  /// Trains all arms for each of some repetitions, one network a thread; all are kept.
  package func run(_ page: Page, repetitions: Int) throws -> [Arm: [Outcome]] {
    // The shallow network is trained, and kept, together with the deep one that needs it.
    let pieces = (0..<repetitions).flatMap { repetition in
      [Arm.copied, .random, .he].map { (arm: $0, repetition: repetition) }
    }
    let names = pieces.map { "vgg \($0.arm.rawValue) \($0.repetition), \(course)" }
    let results = try SideBySide.run(
      page, "deep networks", names, tolerance: 90, committed: .always
    ) { index, flag in
      try train(pieces[index].arm, pieces[index].repetition, flag)
    }
    var outcomes: [Arm: [Outcome]] = [:]
    for (piece, trained) in zip(pieces, results) {
      outcomes[piece.arm, default: []].append(trained.last!)
      if piece.arm == .copied { outcomes[.shallow, default: []].append(trained[0]) }
    }
    return outcomes
  }

  /// The outcomes of one arm, that of the shallow network first where one is needed.
  private func train(
    _ arm: Arm, _ repetition: Int, _ flag: SideBySide.Flag
  ) throws -> [Outcome] {
    let deep = network(.d, arm == .he ? .he : Self.paper, "deep \(repetition)")
    guard arm == .copied else {
      return [try train(deep, course.epochs(arm), "\(arm.rawValue) \(repetition)", flag)]
    }
    let shallow = network(.a, Self.paper, "shallow \(repetition)")
    let first = try train(shallow, course.shallow, "shallow \(repetition)", flag)
    deep.copyLayers(from: shallow)
    return [first, try train(deep, course.deep, "copied \(repetition)", flag)]
  }

  /// A network before its training.
  package func network(
    _ column: VGGNetwork.Column, _ initialiser: Initialiser, _ name: String
  ) -> VGGNetwork {
    var stream = RandomStream(seed: seed, "2.3.2", name, "weights")
    return VGGNetwork(column, initialiser, using: &stream)
  }

  /// The paper's training: momentum .9, an L2 penalty of 5·10⁻⁴, dropout, a rate that falls once.
  package func train(
    _ network: VGGNetwork, _ epochs: Int, _ name: String, _ flag: SideBySide.Flag
  ) throws -> Outcome {
    var training = Training(
      of: network, on: data.train, split.labelled, Momentum(momentum: 0.9, weightDecay: 5e-4),
      rate: .exponential(course.rate, factor: 0.1, every: max(1, epochs * 2 / 3), .epochs),
      batchSize: 50, seed: seed, name: "2.3.2/\(name)")
    // Pairs of neighbours: MNIST's order alternates between easier and harder hands.
    let tenth = split.validation.indices.filter { $0 % 20 < 2 }.map { split.validation[$0] }
    let probe = data.train.images(tenth.prefix(100))
    var outcome = Outcome()
    outcome.differingBefore = network.differingShares(probe)
    for _ in 0..<epochs {
      try flag.check()
      outcome.losses.append(try training.runEpoch())
      outcome.validation.append(network.evaluate(data.train, tenth).accuracy)
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
