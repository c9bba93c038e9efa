import Digits
import Gradients
import Networks
import Tensors

/// A stacked what-where auto-encoder: a convolutional classifier that must also draw what it saw.
///
/// Each pooling keeps the largest of 2 × 2 pixels, the "what", for the next layer, and its place, the
/// "where", for the decoder, which unpools by it. L = L_NLL + λ_rec·‖x − x̃‖² + λ_M·Σ‖h − h̃‖², squares
/// summed over the units and averaged over the images; images without labels have all terms but the
/// first, which are none where λ_rec and λ_M are 0. Source: Zhao, Mathieu, Goroshin & LeCun 2015.
public struct WhatWhereAutoencoder: Classifier, Objective {
  /// How it is built; the blocks at first are (64)5c-(64)3c-2p-(64)3c-10fc.
  public struct Plan: Sendable {
    /// A convolution with rectified units, and whether a pooling over 2 × 2 follows it.
    public struct Block: Sendable {
      /// Filters, and the side of each in pixels.
      public var filters, kernel: Int
      /// Whether a pooling follows.
      public var pools: Bool

      /// A block without padding.
      public init(filters: Int, kernel: Int, pools: Bool = false) {
        (self.filters, self.kernel, self.pools) = (filters, kernel, pools)
      }
    }

    /// The blocks of the encoder; the decoder has them in reverse.
    public var blocks = [
      Block(filters: 64, kernel: 5), Block(filters: 64, kernel: 3, pools: true),
      Block(filters: 64, kernel: 3),
    ]
    /// Pixels of a side of the images.
    public var side = ImageSet.side
    /// Classes.
    public var classes = ImageSet.classCount
    /// λ_rec, a setting to be chosen: we know of no value of the paper's for these digits.
    public var reconstruction: Float = 0.01
    /// λ_M, likewise.
    public var middle: Float = 0.001
    /// Whether the decoder is told where the largest stood; else it puts each in its block's first
    /// place.
    public var knowsWhere = true
    /// The probability to keep a feature that the fully connected layer reads, 1 for no dropout.
    public var keep: Float = 1
    /// Where the weights start.
    public var initialiser = Initialiser.he
    /// Whether the decoder is asked for anything; if not, images without labels tell nothing.
    var draws: Bool { reconstruction > 0 || middle > 0 }

    /// The plan of the paper's network for MNIST.
    public init() {}
  }

  /// What the encoder found in a batch.
  struct Encoding {
    /// What each block read: the images, then the "what" of each block but the last.
    var inputs: [Variable] = []
    /// Where each block's pooling found the largest, and the shape it pooled; nil without a pooling.
    var places: [(switches: Tensor, shape: Shape)?] = []
    /// What the last block gave.
    var top: Variable
  }

  /// What it was made by.
  public let plan: Plan
  private let convolutions: [Convolution]
  private let output: Dense
  /// First block to last, as the convolutions are; each turns back what its convolution did.
  private let deconvolutions: [Deconvolution]

  /// A network with drawn weights.
  public init(_ plan: Plan = Plan(), using stream: inout RandomStream) {
    self.plan = plan
    var (channels, side) = (1, plan.side)
    var (forth, back): ([Convolution], [Deconvolution]) = ([], [])
    for (index, block) in plan.blocks.enumerated() {
      forth.append(
        Convolution(
          channels: channels, filters: block.filters, kernel: block.kernel, activation: .relu,
          initialiser: plan.initialiser, using: &stream))
      // What the images are compared with may have any sign, what rectified units are may not.
      back.append(
        Deconvolution(
          filters: block.filters, channels: channels, kernel: block.kernel,
          activation: index == 0 ? .identity : .relu, initialiser: plan.initialiser,
          using: &stream))
      (channels, side) = (block.filters, (side - block.kernel + 1) / (block.pools ? 2 : 1))
    }
    precondition(side > 0, "nothing is left of an image of \(plan.side) pixels")
    (convolutions, deconvolutions) = (forth, back)
    output = Dense(
      inputs: channels * side * side, outputs: plan.classes, initialiser: plan.initialiser,
      using: &stream)
  }

  // snippet.encoder
  /// The encoder's pass over images `[1, n, side, side]`.
  func encoding(_ images: Variable) -> Encoding {
    var encoding = Encoding(top: images)
    for (block, convolution) in zip(plan.blocks, convolutions) {
      encoding.inputs.append(encoding.top)
      encoding.top = convolution(encoding.top)
      guard block.pools else {
        encoding.places.append(nil)
        continue
      }
      let shape = encoding.top.shape
      let (what, switches) = maximumPool(encoding.top)
      encoding.top = what
      encoding.places.append((switches, shape))
    }
    return encoding
  }
  // snippet.end

  // snippet.decoder
  /// What the decoder makes of each block's input, first block to last.
  ///
  /// It begins with what the last convolution gave: the layer that classifies has no part in it.
  func reconstructions(_ encoding: Encoding) -> [Variable] {
    var (x, results): (Variable, [Variable]) = (encoding.top, [])
    for (deconvolution, place) in zip(deconvolutions, encoding.places).reversed() {
      if let (switches, shape) = place {
        x = unpool(
          x, plan.knowsWhere ? switches : Tensor(repeating: 0, switches.shape), to: shape)
      }
      x = deconvolution(x)
      results.insert(x, at: 0)
    }
    return results
  }
  // snippet.end

  /// L of a batch.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let labels = batch.labelled.labels
    // snippet.objective
    // One pass over all images, the labelled ones first: axis 1 counts the images.
    let all = [batch.labelled.images] + (plan.draws ? [batch.unlabelled] : [])
    let encoding = encoding(tape.constant(.concatenation(all, axis: 1)))
    let known = rows(encoding.top, 0..<labels.count)
    let logits = logits(ofTop: known, .training, using: &noise)
    let nll = softmaxCrossEntropy(logits: logits, labels: labels)
    let parts = [("labels", 1, nll)] + (plan.draws ? drawing(encoding) : [])  // eq. 1
    return Loss(parts, over: encoding.inputs[0].shape[1])
    // snippet.end
  }

  // snippet.drawing
  /// λ_rec·‖x − x̃‖² and λ_M·Σ‖h − h̃‖², where h is what each block but the first reads.
  fileprivate func drawing(
    _ encoding: Encoding
  ) -> [(name: String, weight: Float, value: Variable)] {
    let pairs = zip(encoding.inputs, reconstructions(encoding)).prefix(plan.middle > 0 ? .max : 1)
    let errors = pairs.map { squaredError($0, $1) }
    var parts = [("reconstruction", plan.reconstruction, errors[0])]  // L_L2rec
    if errors.count > 1 {
      parts.append(("middle", plan.middle, errors[2...].reduce(errors[1]) { $0 + $1 }))  // L_L2M
    }
    return parts
  }
  // snippet.end

  /// The logits of images `[1, n, side, side]` → `[n, classes]`.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    logits(ofTop: encoding(images).top, phase, using: &noise)
  }

  /// The logits of what the last block gave.
  private func logits(
    ofTop top: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let features = flatten(top)
    return output(
      phase.isTraining && plan.keep < 1
        ? dropout(features, keep: plan.keep, using: &noise) : features)
  }

  /// The images as the decoder draws them: `[1, n, side, side]` → the same.
  ///
  /// - Parameter others: as many images, whose "where" the decoder is told in place of their own.
  public func reconstructed(_ images: Tensor, whereOf others: Tensor? = nil) -> Tensor {
    let tape = Tape(recording: false)
    var encoding = encoding(tape.constant(images))
    if let others { encoding.places = self.encoding(tape.constant(others)).places }
    return reconstructions(encoding)[0].value
  }

  /// The network in training on images alone: its loss without the labels' term.
  public struct Drawing: Objective {
    /// The network in training.
    public let network: WhatWhereAutoencoder

    /// The objective of a network.
    public init(_ network: WhatWhereAutoencoder) { self.network = network }

    /// L without L_NLL of images `[1, n, side, side]`.
    public func loss(
      _ batch: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
    ) -> Loss {
      Loss(network.drawing(network.encoding(tape.constant(batch))), over: batch.shape[1])
    }
  }
}

/// The adjoint of a convolution, by weights of its own: y = f(x ∗ᵀ W + b).
struct Deconvolution: Module {
  /// The filters as the convolution of the same block has them, `[filters, channels, k, k]`.
  private let weight: Parameter
  private let bias: Parameter
  private let activation: Activation

  init(
    filters: Int, channels: Int, kernel: Int, activation: Activation, initialiser: Initialiser,
    using stream: inout RandomStream
  ) {
    // The fan-in is counted for the direction in which it is used: all filters at k × k places.
    let drawn = initialiser.weights([channels, filters, kernel, kernel], using: &stream)
    weight = Parameter("weight", drawn.exchangingFirstTwo())
    bias = Parameter("bias", Tensor(repeating: 0, [channels]))
    self.activation = activation
  }

  /// Images `[filters, n, h, w]` → `[channels, n, h + k − 1, w + k − 1]`.
  func callAsFunction(_ x: Variable) -> Variable {
    transposedConvolution(x, x.tape(weight), x.tape(bias), activation: activation)
  }
}

extension Tensor {
  /// The same elements with the first two dimensions exchanged: `[a, b, h, w]` → `[b, a, h, w]`.
  fileprivate func exchangingFirstTwo() -> Tensor {
    let (a, b) = (shape[0], shape[1])
    let parts = (0..<b).map { slice($0..<$0 + 1, axis: 1).reshaped([1, a, shape[2], shape[3]]) }
    return Tensor.concatenation(parts, axis: 0)
  }
}
