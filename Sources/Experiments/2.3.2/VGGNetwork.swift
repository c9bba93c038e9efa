import Digits
import Gradients
import Methods
import Networks
import Tensors

/// A network of Simonyan & Zisserman's table 1, an eighth as wide, for images of 32×32 pixels.
///
/// Five stages of 3×3 convolutions with ReLU, each ended by a pooling that halves the side (32 → 16
/// → 8 → 4 → 2 → 1), then three fully connected layers, the first two with dropout.
package struct VGGNetwork: Classifier {
  /// A column of their table: the convolutions of each stage.
  package enum Column: String {
    /// Column A, 8 + 3 layers.
    case a
    /// Column D, 13 + 3 layers.
    case d

    package var convolutions: [Int] { self == .a ? [1, 1, 2, 2, 2] : [2, 2, 3, 3, 3] }
  }

  /// The multiplications of a forward pass of one image of 32×32 pixels.
  package static func multiplications(_ column: Column) -> Int {
    var (channels, side, sum) = (1, 32, 0)
    for (count, width) in zip(column.convolutions, widths) {
      for _ in 0..<count {
        sum += 9 * channels * width * side * side
        channels = width
      }
      side /= 2
    }
    return sum + channels * hidden + hidden * hidden + hidden * 10
  }

  /// Channels of each stage: 64, 128, 256, 512 and 512 in the paper.
  package static let widths = [8, 16, 32, 64, 64]
  /// Units of a hidden fully connected layer: 4,096 in the paper.
  package static let hidden = 512

  package let stages: [[Convolution]]
  package let dense: [Dense]

  package init(
    _ column: Column, _ initialiser: Initialiser, using stream: inout RandomStream
  ) {
    var channels = 1
    var stages: [[Convolution]] = []
    for (count, width) in zip(column.convolutions, Self.widths) {
      var layers: [Convolution] = []
      for _ in 0..<count {
        layers.append(
          Convolution(
            channels: channels, filters: width, kernel: 3, padding: 1, activation: .relu,
            initialiser: initialiser, using: &stream))
        channels = width
      }
      stages.append(layers)
    }
    self.stages = stages
    dense = [(channels, Self.hidden), (Self.hidden, Self.hidden), (Self.hidden, 10)].enumerated()
      .map { place, size in
        Dense(
          inputs: size.0, outputs: size.1, activation: place < 2 ? .relu : .identity,
          initialiser: initialiser, using: &stream)
      }
  }

  package func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    outputs(images, phase, using: &noise).last!
  }

  /// What each layer gives, convolutions first, the logits last.
  package func outputs(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> [Variable] {
    // Two pixels of paper around each image, scaled to mean 0 and deviation 1 like the rest.
    var x = standardised(
      padded(images, by: 2), mean: ImageSet.mean, deviation: ImageSet.deviation)
    var outputs: [Variable] = []
    for stage in stages {
      for layer in stage {
        x = layer(x)
        outputs.append(x)
      }
      x = maximumPool(x).what
    }
    x = flatten(x)
    for (place, layer) in dense.enumerated() {
      x = layer(x)
      outputs.append(x)
      if place < 2 && phase.isTraining { x = dropout(x, keep: 0.5, using: &noise) }
    }
    return outputs
  }

  /// What each layer gives in evaluation.
  package func forward(_ images: Tensor) -> [Tensor] {
    var unused = RandomStream(seed: 0, "evaluation draws nothing")
    let tape = Tape(recording: false)
    return outputs(tape.constant(images), .evaluation, using: &unused).map(\.value)
  }

  /// Takes the first four convolutions and the last three layers of a trained network of column A.
  ///
  /// Each goes to the place of its own shape: the first of a stage to the first of that stage.
  package func copyLayers(from shallow: VGGNetwork) {
    let four = [(0, 0), (1, 0), (2, 0), (2, 1)]
    for (stage, place) in four {
      stages[stage][place].weight.value = shallow.stages[stage][place].weight.value
      stages[stage][place].bias.value = shallow.stages[stage][place].bias.value
    }
    for (own, other) in zip(dense, shallow.dense) {
      own.weight.value = other.weight.value
      own.bias.value = other.bias.value
    }
  }
}
