import Digits
import Methods
import Networks
import Notebook
import Tensors

/// Trainings of chapter 3.2.
package enum RecipeTraining {
  /// One training that is asked for.
  package struct Job: Sendable {
    /// The step of the chapter that it belongs to.
    package let key: String
    package let recipe: Recipe
    package let seed: Int
    /// Whether a fifth of the images is enough at the end too.
    package let isQuick: Bool

    package init(key: String, recipe: Recipe, seed: Int, isQuick: Bool) {
      (self.key, self.recipe, self.seed, self.isQuick) = (key, recipe, seed, isQuick)
    }

    /// Says everything that the result depends on.
    package var name: String { "\(key), seed \(seed): \(recipe)" }
  }

  /// Accuracies in percent.
  package struct Accuracies: Codable, Sendable {
    package let train, validation, test: Double
  }

  /// What a training leaves.
  package struct Outcome: MeasuredResult, Sendable {
    /// Epochs done at each point of the curves.
    package var epochs: [Int] = []
    /// Of every third labelled image, and of every fifth of the other two sets.
    package var curve: [Accuracies] = []
    /// Of all images, at the end.
    package var final = Accuracies(train: 0, validation: 0, test: 0)
    /// The test images that are misread, and as what, where they are few enough to be looked at.
    package var mistakes: [Mistake] = []

    /// Most that are looked at.
    static let mostMistakes = 200

    /// The accuracies: which images are misread is chance.
    package var measures: [[Double]] {
      (curve + [final]).map { [$0.train, $0.validation, $0.test] }
    }
  }

  /// A test image that is misread.
  package struct Mistake: Codable, Sendable {
    package let image, label, read: Int
    package let confidence: Float
  }

  /// Trains each job; curves have about ten points.
  package static func run(
    _ page: Page, _ jobs: [Job], _ data: MNIST, _ split: Split
  ) throws -> [Outcome] {
    let seed = page.seed
    return try SideBySide.run(
      page, "trainings", jobs.map(\.name), tolerance: 2, committed: .always
    ) { index, flag in
      let job = jobs[index]
      switch job.recipe.rule {
      case .momentum(let μ):
        return try run(job, Momentum(momentum: μ), seed, data, split, flag)
      case .adam:
        return try run(job, Adam(), seed, data, split, flag)
      }
    }
  }

  private static func run(
    _ job: Job, _ rule: some Optimiser, _ seed: UInt64, _ data: MNIST, _ split: Split,
    _ flag: SideBySide.Flag
  ) throws -> Outcome {
    let recipe = job.recipe
    let name = "3.2/seed \(job.seed)"
    var start = RandomStream(seed: seed, name, "weights")
    let network = ConvolutionalClassifier(recipe, using: &start)
    var training = Training(
      of: network, on: data.train, split.labelled, rule, rate: recipe.schedule,
      batchSize: recipe.batchSize, seed: seed, name: name,
      change: { recipe.augmentation($0, using: &$1) })
    var outcome = Outcome()
    func few(_ indices: [Int], _ step: Int) -> [Int] {
      stride(from: 0, to: indices.count, by: step).map { indices[$0] }
    }
    func evaluate(every step: Int) throws -> (train: Double, validation: Double, Evaluation) {
      let check = { try flag.check() }
      let train = try network.evaluate(
        data.train, few(split.labelled, min(3, step)), beforeEachBatch: check)
      let validation = try network.evaluate(
        data.train, few(split.validation, step), beforeEachBatch: check)
      let test = try network.evaluate(
        data.test, few(Array(0..<data.test.count), step), beforeEachBatch: check)
      return (train.accuracy, validation.accuracy, test)
    }
    for epoch in 1...recipe.epochs {
      try training.runEpoch { _ in try flag.check() }
      if epoch % max(1, recipe.epochs / 10) == 0 || epoch == 1 {
        let (train, validation, test) = try evaluate(every: 5)
        outcome.epochs.append(epoch)
        outcome.curve.append(
          Accuracies(train: train, validation: validation, test: test.accuracy))
      }
    }
    let (train, validation, test) = try evaluate(every: job.isQuick ? 5 : 1)
    outcome.final = Accuracies(train: train, validation: validation, test: test.accuracy)
    let misread = test.labels.indices.filter { test.predictions[$0] != test.labels[$0] }
    for image in misread where misread.count <= Outcome.mostMistakes {
      outcome.mistakes.append(
        Mistake(
          image: job.isQuick ? 5 * image : image, label: test.labels[image],
          read: test.predictions[image], confidence: test.confidences[image]))
    }
    return outcome
  }
}
