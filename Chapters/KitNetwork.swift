import Gradients
import Methods
import Networks
import Tensors

/// The convolutional network of the kit's final model.
///
/// Four convolutions and two fully connected layers, batch normalisation after each.
public struct KitNetwork: Classifier {
  let convolutions: [Convolution]
  let hidden, output: Dense
  let normalisations: [BatchNormalisation]

  /// A network with He's initialisation.
  public init(_ stream: inout RandomStream) {
    let leaky = Activation.leakyReLU(slope: 0.1)
    let sizes = [(1, 32, 5), (32, 64, 3), (64, 64, 3), (64, 128, 3)]
    var convolutions: [Convolution] = []
    var normalisations: [BatchNormalisation] = []
    for (index, (channels, filters, kernel)) in sizes.enumerated() {
      convolutions.append(
        Convolution(
          "convolution\(index)", channels, filters, kernel: kernel, initialiser: .he, &stream))
      normalisations.append(
        BatchNormalisation("normalisation\(index)", filters, activation: leaky))
    }
    hidden = Dense("hidden", 512, 100, initialiser: .he, &stream)
    output = Dense("output", 100, 10, initialiser: .he, &stream)
    normalisations.append(BatchNormalisation("normalisation4", 100, activation: .relu))
    normalisations.append(BatchNormalisation("normalisation5", 10))
    self.convolutions = convolutions
    self.normalisations = normalisations
  }

  /// All weights, biases and running statistics.
  public var parameters: [Parameter] {
    convolutions.flatMap(\.parameters) + hidden.parameters + output.parameters
      + normalisations.flatMap(\.parameters)
  }

  /// The logits of images `[1, n, 28, 28]`.
  public func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    // 28 → 24 → 12 → 10 → 8 → 4 → 2 pixels a side.
    var x = images
    for (index, convolution) in convolutions.enumerated() {
      x = convolution(x)
      if index == 0 || index == 2 { x = maximumPool(x).what }
      x = normalisations[index](x, phase)
    }
    x = normalisations[4](hidden(flatten(x)), phase)
    if phase == .training { x = dropout(x, keep: 0.5, using: &stream) }
    return normalisations[5](output(x), phase)
  }
}
