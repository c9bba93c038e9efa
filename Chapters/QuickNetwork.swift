import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// A small network that learns 3,000 digits by heart in seconds: 5 × 5 convolutions of 10 and 20
/// filters, each with pooling and a rectifier, 50 hidden units, 10 outputs.
///
/// The sample code's sizes (chapter 3.1) without its dropout and its stray rectifier, from He's
/// initialisation: nothing in it fights overfitting.
struct QuickNetwork: Classifier {
  let first, second: Convolution
  let hidden, output: Dense

  init(_ stream: inout RandomStream) {
    first = Convolution("first", 1, 10, kernel: 5, initialiser: .he, &stream)
    second = Convolution("second", 10, 20, kernel: 5, initialiser: .he, &stream)
    hidden = Dense("hidden", 320, 50, activation: .relu, initialiser: .he, &stream)
    output = Dense("output", 50, 10, initialiser: .he, &stream)
  }

  var parameters: [Parameter] {
    first.parameters + second.parameters + hidden.parameters + output.parameters
  }

  func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    var x = images.tape.constant(images.value.map { ($0 - 0.1307) * (1 / 0.3081) })
    x = relu(maximumPool(first(x)).what)
    x = relu(maximumPool(second(x)).what)
    return output(hidden(flatten(x)))
  }
}

/// Trainings of chapter 2.2.3, which stand here so that its words can change without them.
enum AugmentedTraining {
  /// One training that is asked for.
  struct Job: Sendable {
    let augmentation: Augmentation
    let epochs: Int
    let seed: Int
    /// Whether the test set is read at its end.
    var readsTest = false

    /// Says everything that the result depends on.
    var name: String { "\(augmentation), \(epochs) epochs, seed \(seed), test \(readsTest)" }
  }

  /// What a training leaves.
  struct Outcome: Codable, Sendable {
    /// Accuracy on the unchanged labelled images, in percent.
    var train = 0.0
    /// Accuracy on the validation images now and then, with the number of epochs done.
    var validation: [(epoch: Int, accuracy: Double)] {
      zip(epochs, accuracies).map { ($0, $1) }
    }
    var epochs: [Int] = []
    var accuracies: [Double] = []
    /// Of the validation images: true digit (row), digit read (column).
    var confusion: [[Int]] = []
    /// Accuracy on the test images, in percent; 0 if it was not read.
    var test = 0.0
  }

  /// Adam at a rate that falls from .003 to 0, batches of 50.
  static func run(
    _ page: Page, _ label: String, _ jobs: [Job], _ data: MNIST, _ split: Split
  ) throws -> [Outcome] {
    let pageSeed = page.seed
    return try SideBySide.run(page, label, jobs.map(\.name)) { index, flag in
      let job = jobs[index]
      let name = "2.2.3/seed \(job.seed)"
      var start = RandomStream(seed: pageSeed, name, "weights")
      var training = Supervised(
        QuickNetwork(&start), Adam(), rate: .linearDecay(3e-3, from: 0, to: job.epochs),
        batchSize: 50, seed: pageSeed, name: name)
      let network = training.network
      var outcome = Outcome()
      for epoch in 1...job.epochs {
        try flag.check()
        try training.runEpoch(data.train, split.labelled) { job.augmentation($0, &$1) }
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
