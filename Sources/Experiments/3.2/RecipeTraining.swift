import Digits
import Methods
import Networks
import Notebook
import Tensors

/// Trainings of chapter 3.2, and all of them that a choice may be made by.
///
/// The test set is no argument of anything here: it is read by `RecipeTest`.
package enum RecipeTraining {
  /// One training that is asked for.
  package struct Job: Sendable {
    /// The step of the chapter that it belongs to.
    package let key: String
    package let recipe: Recipe
    package let seed: Int

    package init(key: String, recipe: Recipe, seed: Int) {
      (self.key, self.recipe, self.seed) = (key, recipe, seed)
    }

    /// Says everything that the result depends on.
    package var name: String { "\(key), seed \(seed): \(recipe)" }

    /// What the weights are kept as.
    var nameOfWeights: String { "weights of \(name)" }

    /// What all random streams of the training are named by: the same for each recipe.
    private var streams: String { "3.2/seed \(seed)" }

    /// The network before its training.
    func network(seed pageSeed: UInt64) -> ConvolutionalClassifier {
      var start = RandomStream(seed: pageSeed, streams, "weights")
      return ConvolutionalClassifier(recipe, using: &start)
    }

    /// Trains, and leaves the parameters at some points, of which the last is the end.
    ///
    /// - Parameter points: how many, at equal distances where the epochs can be divided so.
    func train(
      on set: ImageSet, _ split: Split, points: Int, seed pageSeed: UInt64, _ flag: SideBySide.Flag
    ) throws -> KeptWeights {
      switch recipe.rule {
      case .momentum(let μ):
        try train(Momentum(momentum: μ), set, split, points, pageSeed, flag)
      case .adam:
        try train(Adam(), set, split, points, pageSeed, flag)
      }
    }

    private func train(
      _ rule: some Optimiser, _ set: ImageSet, _ split: Split, _ points: Int, _ pageSeed: UInt64,
      _ flag: SideBySide.Flag
    ) throws -> KeptWeights {
      let network = network(seed: pageSeed)
      let change = recipe.augmentation
      var training = Training(
        of: network, on: set, split.labelled, rule, rate: recipe.schedule,
        batchSize: recipe.batchSize, seed: pageSeed, name: streams,
        change: { change($0, using: &$1) })
      var weights = KeptWeights()
      let distance = max(1, recipe.epochs / points)
      for epoch in 1...recipe.epochs {
        try training.runEpoch { _ in try flag.check() }
        if epoch == recipe.epochs || epoch % distance == 0 && weights.epochs.count < points - 1 {
          weights.append(network, epoch: epoch)
        }
      }
      return weights
    }
  }

  /// What is known of a training before the test set is opened; accuracies in percent.
  package struct Outcome: Codable, Sendable {
    /// Epochs done at each point of the curves.
    package var epochs: [Int] = []
    /// Of the unchanged labelled images, at each point.
    package var train: [Double] = []
    /// Of the validation images, at each point.
    package var validation: [Double] = []
    /// Of the validation images at the end, by statistics that were estimated anew on clean images;
    /// nil for a network that reads no noise or is not normalised.
    package var clean: Double?

    /// Of the validation images at the end.
    package var final: Double { validation.last! }
  }

  /// The points of a curve.
  static let points = 10

  /// The kit's split and `random` others like it; a quick run has a tenth of the labels.
  package static func splits(_ page: Page, _ labels: [UInt8], random: Int) throws -> [Split] {
    let (labelled, validation) = page.isQuick ? (30, 50) : (300, 1000)
    let kit = try Split.kit(
      labels, labelledPerClass: labelled, validationPerClass: validation)
    return try [kit]
      + (0..<random).map {
        try Split.balanced(
          labels, labelledPerClass: labelled, validationPerClass: validation,
          seed: UInt64($0 + 1))
      }
  }

  /// Trains each job, and keeps its weights for the test that follows.
  package static func run(
    _ page: Page, _ jobs: [Job], on set: ImageSet, _ split: Split
  ) throws -> [Outcome] {
    let (seed, kept) = (page.seed, page.kept)
    return try SideBySide.run(
      page, "trainings", jobs.map(\.name), tolerance: 2, committed: .always
    ) { index, flag in
      let job = jobs[index]
      let weights = try job.train(on: set, split, points: points, seed: seed, flag)
      let outcome = try evaluate(job, weights, set, split, seed: seed, flag)
      _ = kept(job.nameOfWeights, committed: .never) { weights }
      return outcome
    }
  }

  /// What the weights of a training say of the labelled and the validation images.
  static func evaluate(
    _ job: Job, _ weights: KeptWeights, _ set: ImageSet, _ split: Split, seed: UInt64,
    _ flag: SideBySide.Flag
  ) throws -> Outcome {
    let network = job.network(seed: seed)
    func accuracy(_ indices: [Int]) throws -> Double {
      try network.evaluate(set, indices) { try flag.check() }.accuracy
    }
    var outcome = Outcome(epochs: weights.epochs)
    for point in weights.epochs.indices {
      weights.put(point, into: network)
      outcome.train.append(try accuracy(split.labelled))
      outcome.validation.append(try accuracy(split.validation))
    }
    if job.recipe.noise > 0 && job.recipe.normalises {
      try network.estimateStatistics(of: set, split.labelled) { try flag.check() }
      outcome.clean = try accuracy(split.validation)
    }
    return outcome
  }
}
