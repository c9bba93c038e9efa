import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// A deep auto-encoder of digits, for the experiment of chapter 2.1.
///
/// Sigmoid units around a linear code, and logits of Bernoulli pixels at the end (Hinton &
/// Salakhutdinov 2006), started sparsely: fifteen standard normal weights into each unit.
package struct DeepAutoencoder: Objective {
  package static let sizes = [784, 128, 64, 30, 64, 128, 784]
  package let layers: [Dense]

  package init(using stream: inout RandomStream) {
    let sizes = Self.sizes
    layers = (1..<sizes.count).map { index in
      let isCode = index == (sizes.count - 1) / 2
      return Dense(
        inputs: sizes[index - 1], outputs: sizes[index],
        activation: isCode || index == sizes.count - 1 ? .identity : .sigmoid,
        initialiser: .sparse(connections: 15), using: &stream)
    }
  }

  /// The mean cross-entropy of the pixels of images, each with the image as its own target.
  package func loss(
    _ images: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let rows = images.reshaped([images.shape[1], Self.sizes[0]])
    return Loss(bernoulliCrossEntropy(logits: self(tape.constant(rows)), targets: rows))
  }

  /// The logits of the pixels of images `[n, 784]`.
  package func callAsFunction(_ images: Variable) -> Variable {
    layers.reduce(images) { $1($0) }
  }

  /// What comes out for images `[n, 784]`: the probability of ink in each pixel.
  package func reconstruction(of images: Tensor) -> Tensor {
    let tape = Tape(recording: false)
    return sigmoid(self(tape.constant(images))).value
  }

  /// The mean over images of the squared distance between an image and its reconstruction.
  package func squaredError(_ images: Tensor) -> Double {
    Double((images - reconstruction(of: images)).sumOfSquares()) / Double(images.shape[0])
  }
}

/// Images that are drawn with replacement, a hundred a step.
struct RandomImages: BatchSource {
  let images: ImageSet
  /// Draws the images; it stands where the next batch begins.
  var state: RandomStream
  /// There are no passes: a block of twenty steps, whose mean loss is a point of the curve.
  let stepsPerEpoch = 20

  mutating func next(using noise: inout RandomStream) -> Tensor {
    images.images((0..<100).map { _ in Int.random(in: 0..<images.count, using: &state) })
  }

  mutating func restore(_ state: RandomStream) -> Bool {
    self.state = state
    return true
  }
}

/// One training of the auto-encoder: a rule, its largest momentum, a learning rate and a seed.
package struct AutoencoderRun: Sendable {
  /// Updates after which the last phase begins, in which the momentum is .9 at most.
  package static let lastPhase = 100

  package var kind: Momentum.Kind
  package var largestMomentum: Double
  package var rate: Double
  package var steps: Int
  package var seed: Int
  /// Whether the reconstructions of a few test digits are kept.
  package var showsDigits: Bool

  package init(
    kind: Momentum.Kind, largestMomentum: Double, rate: Double, steps: Int, seed: Int,
    showsDigits: Bool = false
  ) {
    (self.kind, self.largestMomentum, self.rate) = (kind, largestMomentum, rate)
    (self.steps, self.seed, self.showsDigits) = (steps, seed, showsDigits)
  }

  package var name: String {
    "auto-encoder, \(kind) \(largestMomentum), rate \(rate), \(steps) steps, seed \(seed)"
  }

  /// What a training leaves.
  package struct Outcome: Codable {
    /// The squared error on the first 10,000 training images, infinite when training diverged.
    package var error = Double.infinity
    /// The mean cross-entropy of each twenty batches.
    package var losses: [Double] = []
    /// The reconstructions of `digits` of the test images.
    package var digits: [[Float]] = []
  }

  /// Test images that are shown, the first of each class.
  package static func digits(of set: ImageSet) -> [Int] {
    (0..<10).map { digit in set.labels.firstIndex(of: UInt8(digit))! }
  }

  /// Trains from the same start and on the same batches as every other run of the seed.
  ///
  /// - Throws: `CancellationError` between two steps.
  package func outcome(_ data: MNIST, seed: UInt64, _ flag: SideBySide.Flag) throws -> Outcome {
    var start = RandomStream(seed: seed, "2.1", "weights", "\(self.seed)")
    let order = RandomStream(seed: seed, "2.1", "batches", "\(self.seed)")
    let network = DeepAutoencoder(using: &start)
    let grown = Schedule.sutskeverMomentum(maximum: largestMomentum, period: 2)
    let (steps, lastPhase) = (steps, Self.lastPhase)
    let momentum = Schedule(in: .steps) { step in
      let isLast = step >= steps - lastPhase
      return isLast ? min(0.9, grown.value(at: step)) : grown.value(at: step)
    }
    var training = Training(
      network, RandomImages(images: data.train, state: order), Momentum(kind, momentum: momentum),
      rate: .constant(rate), seed: seed, name: "2.1/\(self.seed)")
    var outcome = Outcome()
    while training.moment.step < steps {
      try flag.check()
      guard training.takeStep().total.value.scalar.isFinite else { return outcome }
      if training.batch == 0 { outcome.losses.append(training.epochLoss) }
    }
    let parts = Array(0..<10_000).batches(of: 1000)
    outcome.error = parts.reduce(0) { sum, indices in
      let images = data.train.images(indices).reshaped([indices.count, 784])
      return sum + network.squaredError(images) / Double(parts.count)
    }
    if showsDigits {
      let images = data.test.images(Self.digits(of: data.test)).reshaped([10, 784])
      let shown = network.reconstruction(of: images).values
      outcome.digits = (0..<10).map { Array(shown[$0 * 784..<($0 + 1) * 784]) }
    }
    return outcome
  }

  /// The outcomes of many trainings, each on one thread.
  package static func outcomes(
    _ runs: [AutoencoderRun], _ page: Page, _ data: MNIST, label: String
  ) throws -> [Outcome] {
    let seed = page.seed
    return try SideBySide.run(page, label, runs.map(\.name), tolerance: 40) { index, flag in
      try runs[index].outcome(data, seed: seed, flag)
    }
  }
}
