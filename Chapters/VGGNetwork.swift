import Gradients
import Methods
import Networks
import Tensors

/// A network of Simonyan & Zisserman's table 1, an eighth as wide, for images of 32×32 pixels.
///
/// Five stages of 3×3 convolutions with ReLU, each ended by a pooling that halves the side (32 → 16
/// → 8 → 4 → 2 → 1), then three fully connected layers, the first two with dropout.
struct VGGNetwork: Classifier {
  /// A column of their table: the convolutions of each stage.
  enum Column: String {
    /// Column A, 8 + 3 layers.
    case a
    /// Column D, 13 + 3 layers.
    case d

    var convolutions: [Int] { self == .a ? [1, 1, 2, 2, 2] : [2, 2, 3, 3, 3] }
  }

  /// Channels of each stage: 64, 128, 256, 512 and 512 in the paper.
  static let widths = [8, 16, 32, 64, 64]
  /// Units of a hidden fully connected layer: 4,096 in the paper.
  static let hidden = 512

  let stages: [[Convolution]]
  let dense: [Dense]

  init(_ column: Column, _ initialiser: Initialiser, _ stream: inout RandomStream) {
    var channels = 1
    var stages: [[Convolution]] = []
    for (stage, (count, width)) in zip(column.convolutions, Self.widths).enumerated() {
      var layers: [Convolution] = []
      for place in 0..<count {
        layers.append(
          Convolution(
            "convolution\(stage).\(place)", channels, width, kernel: 3, padding: 1,
            activation: .relu, initialiser: initialiser, &stream))
        channels = width
      }
      stages.append(layers)
    }
    self.stages = stages
    dense = [(channels, Self.hidden), (Self.hidden, Self.hidden), (Self.hidden, 10)].enumerated()
      .map { place, size in
        Dense(
          "dense\(place)", size.0, size.1, activation: place < 2 ? .relu : .identity,
          initialiser: initialiser, &stream)
      }
  }

  var parameters: [Parameter] {
    stages.joined().flatMap(\.parameters) + dense.flatMap(\.parameters)
  }

  func logits(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> Variable {
    outputs(images, phase, &stream).last!
  }

  /// What each layer gives, convolutions first, the logits last.
  func outputs(
    _ images: Variable, _ phase: Phase, _ stream: inout RandomStream
  ) -> [Variable] {
    var x = images.tape.constant(Self.framed(images.value))
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
      if place < 2 && phase == .training { x = dropout(x, keep: 0.5, using: &stream) }
    }
    return outputs
  }

  /// What each layer gives in evaluation.
  func forward(_ images: Tensor) -> [Tensor] {
    var unused = RandomStream(seed: 0, "evaluation draws nothing")
    let tape = Tape(recording: false)
    return outputs(tape.constant(images), .evaluation, &unused).map(\.value)
  }

  /// Images with two pixels of paper around them, scaled to mean 0 and deviation 1.
  static func framed(_ images: Tensor) -> Tensor {
    let n = images.shape[1]
    let (from, side) = (images.pointer, 32)
    let paper = (0 - 0.1307) * Float(1 / 0.3081)
    return Tensor(uninitialized: [1, n, side, side]) { target in
      target.update(repeating: paper)
      for image in 0..<n {
        for row in 0..<28 {
          for column in 0..<28 {
            target[(image &* side &+ row &+ 2) &* side &+ column &+ 2] =
              (from[(image &* 28 &+ row) &* 28 &+ column] - 0.1307) * (1 / 0.3081)
          }
        }
      }
    }
  }

  /// Takes the first four convolutions and the last three layers of a trained network of column A.
  ///
  /// Each goes to the place of its own shape: the first of a stage to the first of that stage.
  func copyLayers(from shallow: VGGNetwork) {
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
