import Digits
import Gradients
import Networks
import Tensors

/// One layer that learns to undo a corruption of its input: a denoising auto-encoder.
///
/// A part of the input is set to 0, and the whole of it is to be given back: y = s(W·x̃ + b),
/// z = s(Wᵀ·y + b′), with the same weights both ways. Source: Vincent, Larochelle, Lajoie, Bengio &
/// Manzagol 2010, sections 2.2 and 3.
public struct DenoisingAutoencoder: Objective {
  /// W and b.
  public let encoder: Dense
  /// b′, `[inputs]`.
  public let visibleBias: Parameter
  /// The probability of each number of the input to be set to 0; with 0 it is a plain auto-encoder.
  public let masking: Float

  /// A layer of sigmoid units.
  public init(inputs: Int, hidden: Int, masking: Float, using stream: inout RandomStream) {
    encoder = Dense(
      inputs: inputs, outputs: hidden, activation: .sigmoid, initialiser: .xavierUniform,
      using: &stream)
    visibleBias = Parameter("visibleBias", Tensor(repeating: 0, [inputs]))
    self.masking = masking
  }

  // snippet.loss
  /// The cross-entropy of the clean input x ∈ [0, 1] with what is made of x̃: the paper's L_H(x, z).
  ///
  /// The mean over the batch: images `[1, n, 28, 28]`, or rows `[n, inputs]` of the layer below.
  public func loss(
    _ batch: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let clean = rows(tape.constant(batch))
    let corrupted = maskingNoise(clean, probability: masking, using: &noise)  // section 3.3
    let logits = transposedAffine(
      encoder(corrupted), tape(encoder.weight), tape(visibleBias))
    return Loss(
      bernoulliCrossEntropy(logits: logits, targets: clean.value), over: clean.shape[0])
  }
  // snippet.end

  private func rows(_ input: Variable) -> Variable {
    input.shape.rank == 2 ? input : flatten(input)
  }

  /// What the layer makes of clean input: `[1, n, 28, 28]` or `[n, inputs]` → `[n, hidden]`.
  public func features(_ input: Tensor) -> Tensor {
    encoder(rows(Tape(recording: false).constant(input))).value
  }
}

/// Sigmoid layers below a softmax, which may have been trained one by one before: a stacked
/// denoising auto-encoder.
///
/// Each layer is pretrained on what the layers below it make of clean images, as a
/// `DenoisingAutoencoder`; then the whole is fine-tuned on labels. Source: Vincent et al. 2010,
/// section 3.2 and figure 3; three layers are its SDAE-3, here of one of the widths that it tries.
public struct StackedAutoencoder: Classifier {
  /// The hidden layers, the lowest first.
  public let layers: [Dense]
  /// From the uppermost hidden layer to the logits.
  public let output: Dense

  /// A network of random weights, as one without pretraining starts.
  public init(_ sizes: [Int], classes: Int = ImageSet.classCount, using stream: inout RandomStream)
  {
    layers = zip(sizes, sizes.dropFirst()).map { inputs, outputs in
      Dense(
        inputs: inputs, outputs: outputs, activation: .sigmoid, initialiser: .xavierUniform,
        using: &stream)
    }
    output = Dense(
      inputs: sizes.last!, outputs: classes, initialiser: .xavierUniform, using: &stream)
  }

  /// The logits of images `[1, n, 28, 28]`.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    output(hidden(flatten(images), below: layers.count))
  }

  /// What the first `count` layers make of clean images `[1, n, 28, 28]`: `[n, units]`.
  public func features(_ images: Tensor, below count: Int) -> Tensor {
    hidden(flatten(Tape(recording: false).constant(images)), below: count).value
  }

  private func hidden(_ rows: Variable, below count: Int) -> Variable {
    layers.prefix(count).reduce(rows) { $1($0) }
  }

  // snippet.pretraining
  /// Pretrains the layers one after the other, each on what those below it make of the images.
  ///
  /// - Parameters:
  ///   - masking: the probability of each number of a layer's input to be set to 0.
  ///   - train: trains one layer on batches of images that `change` has taken through those below.
  public func pretrain(
    masking: Float, using stream: inout RandomStream,
    _ train: (_ layer: DenoisingAutoencoder, _ index: Int, _ change: @escaping ImageChange) throws
      -> Void
  ) rethrows {
    for (index, layer) in layers.enumerated() {
      let one = DenoisingAutoencoder(
        inputs: layer.weight.value.shape[1], hidden: layer.weight.value.shape[0],
        masking: masking, using: &stream)
      try train(one, index) { images, _ in features(images, below: index) }
      layer.weight.value = one.encoder.weight.value
      layer.bias.value = one.encoder.bias.value
    }
  }
  // snippet.end
}
