import Digits
import Methods
import Networks
import Notebook
import Tensors

/// What the test images say of trainings of chapter 3.2, once the choice is made.
package enum RecipeTest {
  /// What the test set says of one training.
  package struct Outcome: MeasuredResult, Sendable {
    /// Accuracy in percent on the test images, at each point of the curves.
    package var accuracies: [Double] = []
    /// The images that are misread at the end, where they are few enough to be looked at.
    package var mistakes: [Misreading] = []

    /// Most mistakes that are looked at.
    static let mostMistakes = 200

    /// Accuracy at the end.
    package var final: Double { accuracies.last! }

    /// The accuracies: which images are misread is chance.
    package var measures: [Double] { accuracies }
  }

  /// The outcomes of trainings that have been judged, from the weights that they left.
  ///
  /// Where these are not kept, as in a clone, the network is trained again.
  package static func run(
    _ page: Page, _ jobs: [RecipeTraining.Job], on data: MNIST, _ split: Split
  ) throws -> [Outcome] {
    let (seed, isQuick, kept) = (page.seed, page.isQuick, page.kept)
    return try SideBySide.run(
      page, "test", jobs.map { "test of \($0.name)" }, tolerance: 2, committed: .always
    ) { index, flag in
      let job = jobs[index]
      let weights = try kept(job.nameOfWeights, committed: .never) {
        try job.train(
          on: data.train, split, points: RecipeTraining.points, seed: seed, flag)
      }
      return try evaluate(job, weights, data.test, seed: seed, isQuick: isQuick, flag)
    }
  }

  /// What the weights of a training say of the test images.
  private static func evaluate(
    _ job: RecipeTraining.Job, _ weights: KeptWeights, _ set: ImageSet, seed: UInt64,
    isQuick: Bool, _ flag: SideBySide.Flag
  ) throws -> Outcome {
    let network = job.network(seed: seed)
    let images = Array(stride(from: 0, to: set.count, by: isQuick ? 10 : 1))
    var outcome = Outcome()
    for point in weights.epochs.indices {
      weights.put(point, into: network)
      let test = try network.evaluate(set, images) { try flag.check() }
      outcome.accuracies.append(test.accuracy)
      guard point == weights.epochs.count - 1 else { continue }
      let mistakes = test.misreadings(of: images)
      if mistakes.count <= Outcome.mostMistakes { outcome.mistakes = mistakes }
    }
    return outcome
  }
}
