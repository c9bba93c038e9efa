import Digits
import Methods
import Networks
import Notebook
import Tensors

extension Recipe {
  /// A small network that learns 3,000 digits by heart in seconds: 5 × 5 convolutions of 10 and 20
  /// filters, each with a rectifier and pooling, 50 hidden units, 10 outputs.
  ///
  /// The sample code's sizes (chapter 3.1) without its dropout and its stray rectifier, from He's
  /// initialisation: nothing in it fights overfitting.
  static let overfitting: Recipe = {
    var recipe = Recipe()
    (recipe.hasStrayReLU, recipe.initialiser) = (false, .he)
    (recipe.channelKeep, recipe.keep) = (1, 1)
    return recipe
  }()
}

/// Trainings of chapter 2.2.3.
package enum AugmentedTraining {
  /// One training that is asked for.
  package struct Job: Sendable {
    /// What the augmentation is called.
    package let key: String
    package let augmentation: Augmentation
    package let epochs: Int
    package let seed: Int
    /// Whether the test set is read at its end.
    package var readsTest = false

    /// Says everything that the result depends on.
    package var name: String {
      "\(key), \(epochs) epochs, seed \(seed)\(readsTest ? ", test" : ""): \(augmentation)"
    }
  }

  /// What a training leaves.
  package struct Outcome: Codable, Sendable {
    /// Accuracy on the unchanged labelled images, in percent.
    package var train = 0.0
    /// Accuracy on the validation images now and then, with the number of epochs done.
    package var validation: [(epoch: Int, accuracy: Double)] {
      zip(epochs, accuracies).map { ($0, $1) }
    }
    package var epochs: [Int] = []
    package var accuracies: [Double] = []
    /// Of the validation images: true digit (row), digit read (column).
    package var confusion: [[Int]] = []
    /// Accuracy on the test images, in percent; 0 if it was not read.
    package var test = 0.0
  }

  /// Adam at a rate that falls from .003 to 0, batches of 50.
  package static func run(
    _ page: Page, _ label: String, _ jobs: [Job], _ data: MNIST, _ split: Split
  ) throws -> [Outcome] {
    let pageSeed = page.seed
    return try SideBySide.run(page, label, jobs.map(\.name), tolerance: 60) { index, flag in
      let job = jobs[index]
      let name = "2.2.3/seed \(job.seed)"
      var start = RandomStream(seed: pageSeed, name, "weights")
      let network = ConvolutionalClassifier(.overfitting, using: &start)
      var training = Training(
        of: network, on: data.train, split.labelled, Adam(),
        rate: .linearDecay(3e-3, from: 0, to: job.epochs, .epochs), batchSize: 50, seed: pageSeed,
        name: name, change: { job.augmentation($0, using: &$1) })
      var outcome = Outcome()
      for epoch in 1...job.epochs {
        try flag.check()
        try training.runEpoch()
        guard epoch == job.epochs || epoch % 5 == 0 && job.epochs > 20 else { continue }
        let validation = network.evaluate(data.train, split.validation)
        outcome.epochs.append(epoch)
        outcome.accuracies.append(validation.accuracy)
        outcome.confusion = validation.confusion
      }
      outcome.train = network.evaluate(data.train, split.labelled).accuracy
      if job.readsTest {
        outcome.test = network.evaluate(data.test, Array(0..<data.test.count)).accuracy
      }
      return outcome
    }
  }
}
