import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// A fully connected classifier of digits with dropout, for chapters 2.2.1 and 2.2.2.
struct DropoutNetwork: Classifier {
  let layers: [Dense]
  /// The probability to keep an input, and to keep a hidden unit; 1 for no dropout.
  let keep: (input: Float, hidden: Float)

  /// A network of some sizes, the inputs first, with He's weights.
  init(
    _ sizes: [Int], activation: Activation = .relu, keep: (input: Float, hidden: Float),
    _ stream: inout RandomStream
  ) {
    layers = (1..<sizes.count).map { index in
      let isLast = index == sizes.count - 1
      return Dense(
        "layer\(index)", sizes[index - 1], sizes[index],
        activation: isLast ? .identity : activation, initialiser: .he, &stream)
    }
    self.keep = keep
  }

  var parameters: [Parameter] { layers.flatMap(\.parameters) }

  func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    var x = flatten(images)
    for (index, layer) in layers.enumerated() {
      let keep = index == 0 ? keep.input : keep.hidden
      if phase == .training && keep < 1 { x = dropout(x, keep: keep, using: &stream) }
      x = layer(x)
    }
    return x
  }

  /// The probabilities of the classes of images, `[n, 10]`; with a mask for each in training.
  func probabilities(
    _ images: Tensor, _ phase: Phase, _ stream: inout RandomStream
  ) -> Tensor {
    let tape = Tape(recording: false)
    return softmax(logits(tape.constant(images), phase, &stream)).value
  }
}

/// How the networks of chapters 2.2.1 and 2.2.2 are trained: by momentum, at a rate that falls.
struct DropoutTraining: Sendable {
  var sizes: [Int]
  var activation = Activation.relu
  var keepInput: Float = 1
  var keepHidden: Float = 1
  var rate = 0.05
  var epochs: Int
  var seed: Int

  /// All that the result depends on.
  var name: String {
    "\(sizes) \(activation), keep \(keepInput) \(keepHidden), rate \(rate), \(epochs) epochs, "
      + "seed \(seed)"
  }

  /// The network after its training on some images.
  ///
  /// The rate falls in a line to 0; batches of 50, momentum .9, no other regularisation.
  func network(
    _ set: ImageSet, _ indices: [Int], seed: UInt64, _ flag: SideBySide.Flag
  ) throws -> DropoutNetwork {
    var start = RandomStream(seed: seed, "dropout", "weights", "\(self.seed)")
    let network = DropoutNetwork(
      sizes, activation: activation, keep: (keepInput, keepHidden), &start)
    var training = Supervised(
      network, Momentum(momentum: 0.9), rate: .linearDecay(rate, from: 0, to: epochs),
      batchSize: 50, seed: seed, name: "dropout/\(self.seed)")
    for _ in 0..<epochs {
      try flag.check()
      try training.runEpoch(set, indices)
    }
    return network
  }
}
