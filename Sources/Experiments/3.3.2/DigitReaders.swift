import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors

/// q(y|x) by itself: softplus units, or none, below a softmax; of M1's features or of pixels.
///
/// In training features are drawn anew from M1's posterior and pixels from their intensities, as M2
/// has them; evaluation reads the means.
struct DigitReader: Classifier {
  private let features: FrozenFeatures?
  private let hidden: SoftplusLayers
  /// From the uppermost units to the logits.
  let output: Dense

  /// A network with drawn weights.
  init(
    _ features: FrozenFeatures?, hidden sizes: [Int], using stream: inout RandomStream
  ) {
    let start = Initialiser.xavierNormal
    let inputs = features?.count ?? ImageSet.pixelsPerImage
    self.features = features
    hidden = SoftplusLayers([inputs] + sizes, initialiser: start, using: &stream)
    output = Dense(
      inputs: sizes.last ?? inputs, outputs: ImageSet.classCount, initialiser: start,
      using: &stream)
  }

  func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let pixels = flatten(images)
    var x = pixels
    if let features {
      let (mean, logVariance) = features(pixels)
      x =
        phase.isTraining
        ? gaussianSample(mean: mean, logVariance: logVariance, using: &noise) : mean
    } else if phase.isTraining {
      x = pixels.tape.constant(noise.binarised(pixels.value))
    }
    return output(hidden(x))
  }
}

/// A machine with the kernel exp(−γ‖z − z′‖²) on the means of M1's posterior, by random cosines.
///
/// The kernel is the mean of 2·cos(w·z + b)·cos(w·z′ + b) over w ~ N(0, 2γI) and b uniform on a turn;
/// with many draws a linear machine on the cosines is one with the kernel (Rahimi & Recht 2007).
package struct KernelReader: Classifier {
  /// How many cosines there are.
  package static let count = 2000

  private let features: FrozenFeatures?
  /// w and b, in turns.
  private let weight, phase: Parameter
  let output: Dense

  /// A machine that has learnt nothing.
  init(_ features: FrozenFeatures, gamma: Double, using stream: inout RandomStream) {
    self.init(features, inputs: features.count, gamma: gamma, using: &stream)
  }

  /// The same without features, for what needs its cosines alone.
  package init(inputs: Int, gamma: Double, using stream: inout RandomStream) {
    self.init(nil, inputs: inputs, gamma: gamma, using: &stream)
  }

  private init(
    _ features: FrozenFeatures?, inputs: Int, gamma: Double, using stream: inout RandomStream
  ) {
    self.features = features
    let deviation = Float((2 * gamma).squareRoot() / (2 * .pi))
    weight = Parameter(
      "weight", stream.normal([Self.count, inputs], deviation: deviation), isTrainable: false)
    phase = Parameter("phase", stream.uniform([Self.count]), isTrainable: false)
    output = Dense(
      inputs: Self.count, outputs: ImageSet.classCount, initialiser: .gaussian(deviation: 0),
      using: &stream)
  }

  // snippet.cosines
  /// √(2/D)·cos(w·z + b) of rows `[n, inputs]` → `[n, D]`: their scalar products are the kernel.
  package func cosines(_ z: Tensor) -> Tensor {
    var turns = z.product(weight.value, transposing: .second)
    turns.addToRows(phase.value, activation: .identity)
    let scale = (2 / Float(Self.count)).squareRoot()
    return turns.map { u in
      // Rounding can make a whole turn of what is just below one.
      let part = VectorMath.minimum(u - u.rounded(.down), 1 - 0x1p-24)
      return VectorMath.sineAndCosine(turns: part).cosine * scale
    }
  }
  // snippet.end

  /// The cosines of images `[1, n, 28, 28]`.
  func cosines(ofImages images: Tensor) -> Tensor {
    cosines(features!(Tape(recording: false).constant(images.flattenedImages())).mean.value)
  }

  package func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    output(images.tape.constant(cosines(ofImages: images.value)))
  }
}
