import Digits
import Gradients
import Methods
import Networks
import Tensors

/// Six 3×3 convolutions, 16-16-32-32-64-64, with batch normalisation, and two poolings.
struct SmallVGG: Classifier {
  private let convolutions: [Convolution]
  private let normalisations: [BatchNormalisation]
  private let output: Dense

  init(using stream: inout RandomStream) {
    let filters = [16, 16, 32, 32, 64, 64]
    convolutions = zip([1] + filters, filters).map { channels, filters in
      Convolution(
        channels: channels, filters: filters, kernel: 3, padding: 1, initialiser: .he,
        using: &stream)
    }
    normalisations = filters.enumerated().map { index, features in
      BatchNormalisation(features: features, activation: .relu, pools: index == 1 || index == 3)
    }
    output = Dense(inputs: 64 * 49, outputs: 10, initialiser: .he, using: &stream)
  }

  func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    var x = images
    for index in convolutions.indices {
      x = normalisations[index](convolutions[index](x), phase)
    }
    return output(flatten(x))
  }
}

/// The encoder of a ladder network, in a clean pass and a noisy one.
///
/// Source: Rasmus et al. 2015. It has no decoder here; the two passes are held together by the
/// distance of their logits.
struct LadderEncoder: Objective {
  private let layers: [Dense]
  private let normalisations: [BatchNormalisation]

  static let sizes = [784, 1000, 500, 250, 250, 250, 10]

  init(using stream: inout RandomStream) {
    layers = zip(Self.sizes, Self.sizes.dropFirst()).map { inputs, outputs in
      Dense(inputs: inputs, outputs: outputs, initialiser: .he, using: &stream)
    }
    let last = layers.count - 1
    normalisations = Self.sizes.dropFirst().enumerated().map { index, features in
      BatchNormalisation(features: features, activation: index < last ? .relu : .identity)
    }
  }

  private func logits(
    _ images: Variable, noise deviation: Float, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    var x = flatten(images)
    for (layer, normalisation) in zip(layers, normalisations) {
      if deviation > 0 { x = gaussianNoise(x, deviation: deviation, using: &noise) }
      x = normalisation(layer(x), phase)
    }
    return x
  }

  /// The cross-entropy of the labelled images in the noisy pass, and the distance of both passes.
  ///
  /// Only the clean pass moves the running statistics.
  func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let labels = batch.labelled.labels
    let images = concatenation(
      [batch.labelled.images, batch.unlabelled].map { tape.constant($0) }, along: .rows)
    let clean = logits(images, noise: 0, .training, using: &noise)
    let noisy = logits(images, noise: 0.3, .trainingAside, using: &noise)
    return Loss([
      (
        "cross-entropy", 1,
        softmaxCrossEntropy(logits: rows(noisy, 0..<labels.count), labels: labels)
      ),
      ("distance", 0.1, squaredError(noisy, clean)),
    ])
  }
}
