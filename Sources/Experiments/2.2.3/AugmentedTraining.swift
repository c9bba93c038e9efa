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

/// A training of chapter 2.2.3: a treatment on one split of the labels from one seed.
package struct AugmentedTraining: Sendable {
  package let treatment: Treatment
  package let epochs: Int
  /// The place of the split in the list of splits.
  package let split: Int
  package let seed: Int
  /// Whether validation is read every five epochs, and not only at the end.
  package var isFollowed = false
  /// Whether the test set is read at its end.
  package var readsTest = false

  package init(_ treatment: Treatment, epochs: Int, split: Int, seed: Int) {
    (self.treatment, self.epochs) = (treatment, epochs)
    (self.split, self.seed) = (split, seed)
  }

  /// Says everything that the result depends on.
  package var name: String {
    "\(treatment.key), \(epochs) epochs, split \(split), seed \(seed)"
      + (isFollowed ? ", followed" : "") + (readsTest ? ", test" : "")
      + ": \(treatment.augmentation)"
  }

  /// What a training leaves.
  package struct Outcome: Codable, Sendable {
    /// Accuracy on the unchanged labelled images, in percent.
    package var train = 0.0
    /// The numbers of epochs done when validation was read, and the accuracies then, in percent.
    package var epochs: [Int] = []
    package var accuracies: [Double] = []
    /// Of the validation images: true digit (row), digit read (column).
    package var confusion: [[Int]] = []
    /// Accuracy on the test images, in percent; 0 if it was not read.
    package var test = 0.0

    /// The accuracy on validation at the end.
    package var validation: Double { accuracies.last! }
  }

  /// The kit's split and three random ones.
  ///
  /// A quick run takes the first alone, and looks at a tenth of its validation images.
  package static func splits(_ page: Page, _ data: MNIST) throws -> [Split] {
    let labels = data.train.labels
    if page.isQuick { return [try Split.kit(labels, validationPerClass: 100)] }
    return [try Split.kit(labels)]
      + (try (1...3).map { try Split.balanced(labels, seed: UInt64($0)) })
  }

  /// Trains networks, one a thread.
  ///
  /// Each is a matter of seconds, and there are more than a hundred: all are committed.
  package static func run(
    _ page: Page, _ label: String, _ jobs: [AugmentedTraining], _ data: MNIST, _ splits: [Split]
  ) throws -> [Outcome] {
    let pageSeed = page.seed
    return try SideBySide.run(
      page, label, jobs.map(\.name), tolerance: 60, committed: .always
    ) { index, flag in
      try jobs[index].outcome(data, splits[jobs[index].split], seed: pageSeed, flag)
    }
  }

  /// Adam at a rate that falls from .003 to 0, batches of 50.
  private func outcome(
    _ data: MNIST, _ split: Split, seed pageSeed: UInt64, _ flag: SideBySide.Flag
  ) throws -> Outcome {
    let name = "2.2.3/seed \(seed)"
    var start = RandomStream(seed: pageSeed, name, "weights")
    let network = ConvolutionalClassifier(.overfitting, using: &start)
    var training = Training(
      of: network, on: data.train, split.labelled, Adam(),
      rate: .linearDecay(3e-3, from: 0, to: epochs, .epochs), batchSize: 50, seed: pageSeed,
      name: name, change: { treatment.augmentation($0, using: &$1) })
    var outcome = Outcome()
    for epoch in 1...epochs {
      try flag.check()
      try training.runEpoch()
      guard epoch == epochs || isFollowed && epoch % 5 == 0 else { continue }
      let validation = network.evaluate(data.train, split.validation)
      outcome.epochs.append(epoch)
      outcome.accuracies.append(validation.accuracy)
      outcome.confusion = validation.confusion
    }
    outcome.train = network.evaluate(data.train, split.labelled).accuracy
    if readsTest {
      outcome.test = network.evaluate(data.test, Array(0..<data.test.count)).accuracy
    }
    return outcome
  }
}
