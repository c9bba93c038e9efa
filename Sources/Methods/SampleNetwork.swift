import Digits
import Gradients
import Networks
import Tensors

// snippet.network
/// The network of the sample code: two convolutions, two fully connected layers.
public struct SampleNetwork: Classifier {
  let first, second: Convolution
  let hidden, output: Dense

  /// A network with the first weights that PyTorch would draw: uniform on ±1/√fan-in.
  ///
  /// - Parameter hasStrayReLU: whether the logits pass a rectifier, as they do in the sample code.
  public init(hasStrayReLU: Bool = true, using stream: inout RandomStream) {
    let start = Initialiser.fanInUniform
    first = Convolution(
      channels: 1, filters: 10, kernel: 5, initialiser: start, using: &stream)
    second = Convolution(
      channels: 10, filters: 20, kernel: 5, initialiser: start, using: &stream)
    hidden = Dense(
      inputs: 320, outputs: 50, activation: .relu, initialiser: start, using: &stream)
    output = Dense(
      inputs: 50, outputs: 10, activation: hasStrayReLU ? .relu : .identity,
      initialiser: start, using: &stream)
  }

  /// The logits of images `[1, n, 28, 28]`, scaled to mean 0 and deviation 1 over the data set.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    var x = standardised(images, mean: ImageSet.mean, deviation: ImageSet.deviation)
    x = relu(maximumPool(first(x)).what)
    x = second(x)
    if phase.isTraining { x = channelDropout(x, keep: 0.5, using: &noise) }
    x = relu(maximumPool(x).what)
    x = hidden(flatten(x))
    if phase.isTraining { x = dropout(x, keep: 0.5, using: &noise) }
    return output(x)
  }
}
// snippet.end
