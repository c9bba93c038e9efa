import Gradients
import Methods
import Networks
import Tensors

/// Fully connected layers with rectifiers between them: 784-1200-1200-10.
struct Perceptron: Classifier {
  private let layers: [Dense]

  init(_ sizes: [Int], _ stream: inout RandomStream) {
    var layers: [Dense] = []
    for index in 1..<sizes.count {
      layers.append(
        Dense(
          "dense\(index)", sizes[index - 1], sizes[index],
          activation: index + 1 < sizes.count ? .relu : .identity, initialiser: .he, &stream))
    }
    self.layers = layers
  }

  var parameters: [Parameter] { layers.flatMap(\.parameters) }

  func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    layers.reduce(flatten(images)) { x, layer in layer(x) }
  }
}

/// Six 3×3 convolutions, 16-16-32-32-64-64, with batch normalisation, and two poolings.
struct SmallVGG: Classifier {
  private let convolutions: [Convolution]
  private let normalisations: [BatchNormalisation]
  private let output: Dense

  init(_ stream: inout RandomStream) {
    var convolutions: [Convolution] = []
    var channels = 1
    for (index, filters) in Self.filters.enumerated() {
      convolutions.append(
        Convolution(
          "convolution\(index)", channels, filters, kernel: 3, padding: 1, initialiser: .he,
          &stream))
      channels = filters
    }
    self.convolutions = convolutions
    normalisations = Self.filters.enumerated().map {
      BatchNormalisation("normalisation\($0)", $1, activation: .relu)
    }
    output = Dense("output", 64 * 49, 10, initialiser: .he, &stream)
  }

  static let filters = [16, 16, 32, 32, 64, 64]

  var parameters: [Parameter] {
    convolutions.flatMap(\.parameters) + normalisations.flatMap(\.parameters) + output.parameters
  }

  func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    var x = images
    for index in convolutions.indices {
      x = normalisations[index](convolutions[index](x), phase)
      if index == 1 || index == 3 { x = maximumPool(x).what }
    }
    return output(flatten(x))
  }
}

/// The encoder of a ladder network: a clean pass and a noisy one.
///
/// Source: Rasmus et al. 2015. It has no decoder here; the two passes are held together by the distance of their logits.
struct LadderEncoder {
  private let layers: [Dense]
  private let normalisations: [BatchNormalisation]

  static let sizes = [784, 1000, 500, 250, 250, 250, 10]

  init(_ stream: inout RandomStream) {
    var layers: [Dense] = []
    for index in 1..<Self.sizes.count {
      layers.append(
        Dense(
          "dense\(index)", Self.sizes[index - 1], Self.sizes[index], initialiser: .he, &stream))
    }
    self.layers = layers
    normalisations = (1..<Self.sizes.count).map {
      BatchNormalisation(
        "normalisation\($0)", Self.sizes[$0],
        activation: $0 + 1 < Self.sizes.count ? .relu : .identity)
    }
  }

  var parameters: [Parameter] {
    layers.flatMap(\.parameters) + normalisations.flatMap(\.parameters)
  }

  func callAsFunction(
    _ images: Variable, noise: Float, _ stream: inout RandomStream
  ) -> Variable {
    var x = flatten(images)
    for index in layers.indices {
      if noise > 0 { x = x + x.tape.constant(stream.normal(x.shape, deviation: noise)) }
      x = normalisations[index](layers[index](x), .training)
    }
    return x
  }

  /// The loss of a batch whose first `labels.count` images are labelled.
  func loss(_ images: Variable, _ labels: [Int], _ stream: inout RandomStream) -> Variable {
    let clean = self(images, noise: 0, &stream)
    let noisy = self(images, noise: 0.3, &stream)
    let n = images.shape[1]
    let targets = Tensor(uninitialized: [n, 10]) { targets in
      targets.update(repeating: 0)
      for (row, label) in labels.enumerated() { targets[row * 10 + label] = 1 }
    }
    return softmaxCrossEntropy(logits: noisy, targets: targets)
      + squaredError(noisy, clean) * 0.1
  }
}
