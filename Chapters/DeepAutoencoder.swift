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
struct DeepAutoencoder {
  static let sizes = [784, 128, 64, 30, 64, 128, 784]
  let layers: [Dense]

  init(_ stream: inout RandomStream) {
    let sizes = Self.sizes
    layers = (1..<sizes.count).map { index in
      let isCode = index == (sizes.count - 1) / 2
      return Dense(
        "layer\(index)", sizes[index - 1], sizes[index],
        activation: isCode || index == sizes.count - 1 ? .identity : .sigmoid,
        initialiser: .sparse(connections: 15), &stream)
    }
  }

  var parameters: [Parameter] { layers.flatMap(\.parameters) }

  /// The logits of the pixels of images `[n, 784]`.
  func callAsFunction(_ images: Variable) -> Variable {
    layers.reduce(images) { $1($0) }
  }

  /// What comes out for images `[n, 784]`: the probability of ink in each pixel.
  func reconstruction(of images: Tensor) -> Tensor {
    let tape = Tape(recording: false)
    return sigmoid(self(tape.constant(images))).value
  }

  /// The mean over images of the squared distance between an image and its reconstruction.
  func squaredError(_ images: Tensor) -> Double {
    Double((images - reconstruction(of: images)).sumOfSquares()) / Double(images.shape[0])
  }
}

/// One training of the auto-encoder: a rule, its largest momentum, a learning rate and a seed.
struct AutoencoderRun: Sendable {
  /// Updates after which the last phase begins, in which the momentum is .9 at most.
  static let lastPhase = 100

  var kind: Momentum.Kind
  var largestMomentum: Double
  var rate: Double
  var steps: Int
  var seed: Int
  /// Whether the reconstructions of a few test digits are kept.
  var showsDigits = false

  var name: String {
    "auto-encoder, \(kind) \(largestMomentum), rate \(rate), \(steps) steps, seed \(seed)"
  }

  /// What a training leaves.
  struct Outcome: Codable {
    /// The squared error on the first 10,000 training images, infinite when training diverged.
    var error = Double.infinity
    /// The mean cross-entropy of each twenty batches.
    var losses: [Double] = []
    /// The reconstructions of `digits` of the test images.
    var digits: [[Float]] = []
  }

  /// Test images that are shown, the first of each class.
  static func digits(of set: ImageSet) -> [Int] {
    (0..<10).map { digit in set.labels.firstIndex(of: UInt8(digit))! }
  }

  /// Trains from the same start and on the same batches as every other run of the seed.
  ///
  /// - Throws: `CancellationError` between two steps.
  func outcome(_ data: MNIST, seed: UInt64, _ flag: SideBySide.Flag) throws -> Outcome {
    var start = RandomStream(seed: seed, "2.1", "weights", "\(self.seed)")
    var order = RandomStream(seed: seed, "2.1", "batches", "\(self.seed)")
    let network = DeepAutoencoder(&start)
    var rule = Momentum(kind, momentum: 0)
    let momentum = Schedule.sutskeverMomentum(maximum: largestMomentum, period: 2)
    var outcome = Outcome()
    var total = 0.0
    for step in 0..<steps {
      try flag.check()
      let isLast = step >= steps - Self.lastPhase
      rule.momentum = isLast ? min(0.9, momentum(step)) : momentum(step)
      rule.anticipate(network.parameters)
      let indices = (0..<100).map { _ in Int.random(in: 0..<data.train.count, using: &order) }
      let images = data.train.images(indices).reshaped([100, 784])
      let tape = Tape()
      let loss = bernoulliCrossEntropy(logits: network(tape.constant(images)), targets: images)
      guard loss.value.scalar.isFinite else { return outcome }
      total += Double(loss.value.scalar) / 20
      if step % 20 == 19 {
        outcome.losses.append(total)
        total = 0
      }
      rule.step(network.parameters, tape.backward(from: loss), rate: Float(rate))
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
  static func outcomes(
    _ runs: [AutoencoderRun], _ page: Page, _ data: MNIST, label: String
  ) throws -> [Outcome] {
    let seed = page.seed
    return try SideBySide.run(page, label, runs.map(\.name)) { index, flag in
      try runs[index].outcome(data, seed: seed, flag)
    }
  }
}
