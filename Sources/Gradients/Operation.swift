import Tensors

/// Every operation that has a pullback, from simple to tricky.
///
/// `sample` is an exhaustive switch: an operation without an example to check its gradient on does
/// not compile, and one test walks them all.
public enum Operation: String, CaseIterable, Sendable {
  case add, subtract, multiply, divide, scale, sum, reshape
  case rows, concatenation, sumPerExample, weightedPerExample
  case relu, leakyReLU, sigmoid, tanh, softplus, exp, log
  case matrixProduct, affine, transposedAffine
  case softmax, softmaxCrossEntropy, softmaxCrossEntropyWithTargets
  case squaredError, bernoulliCrossEntropy, gaussianDivergence, gaussianSample
  case flatten, padded, maximumPool, unpool, convolution, transposedConvolution
  case dropout, channelDropout, maskingNoise, gaussianNoise
  case featureMean, featureVariance, standardisedByNumbers, standardised, normalised
  case featureAffine, batchNormalised

  /// An example: inputs, and the operation applied to them.
  public struct Sample {
    /// Differentiable inputs.
    public let inputs: [Tensor]
    /// The operation on variables that hold the inputs.
    public let apply: ([Variable]) -> Variable

    init(_ inputs: [Tensor], _ apply: @escaping ([Variable]) -> Variable) {
      self.inputs = inputs
      self.apply = apply
    }
  }

  /// Examples on which the gradient of this operation is checked.
  ///
  /// Inputs keep off kinks: finite differences across one say nothing about either side.
  public var samples: [Sample] {
    var stream = RandomStream(seed: 2016, "samples", rawValue)
    func normal(_ shape: Shape) -> Tensor { stream.normal(shape) }
    func awayFromZero(_ shape: Shape) -> Tensor {
      stream.normal(shape).map { x in
        x + Vector(repeating: -0.3).replacing(with: 0.3, where: x .> 0)
      }
    }
    /// Shapes that arithmetic takes together: equal, features over a batch, a number over anything.
    let broadcasts: [(Shape, Shape)] = [
      ([3, 5], [3, 5]), ([3, 19], [19]), ([3], [3, 2, 3, 4]), ([2, 3, 3, 5], [2]), ([], [3, 5]),
      ([2, 2, 2, 2], [1]),
    ]
    /// Batches of all three kinds, and those that have features.
    let batches: [Shape] = [[6], [6, 5], [2, 6, 3, 3]]
    let features: [Shape] = [[6, 19], [3, 4, 3, 5]]
    switch self {
    case .add: return broadcasts.map { Sample([normal($0), normal($1)]) { $0[0] + $0[1] } }
    case .subtract: return broadcasts.map { Sample([normal($0), normal($1)]) { $0[0] - $0[1] } }
    case .multiply: return broadcasts.map { Sample([normal($0), normal($1)]) { $0[0] * $0[1] } }
    case .divide:
      return broadcasts.map {
        Sample([normal($0), stream.uniform($1, in: 0.7..<1.5)]) { $0[0] / $0[1] }
      }
    case .scale: return [Sample([normal([17])]) { $0[0] * -2.5 }]
    case .sum: return [Sample([normal([2, 3, 7])]) { Gradients.sum($0[0]) }]
    case .reshape: return [Sample([normal([4, 6])]) { Gradients.reshape($0[0], [3, 8]) }]
    case .rows: return batches.map { Sample([normal($0)]) { Gradients.rows($0[0], 1..<4) } }
    case .concatenation:
      return [
        Sample([normal([2]), normal([4])]) { Gradients.concatenation($0, along: .rows) },
        Sample([normal([2, 5]), normal([3, 5])]) { Gradients.concatenation($0, along: .rows) },
        Sample([normal([3, 2]), normal([3, 4])]) { Gradients.concatenation($0, along: .columns) },
        Sample([normal([2, 1, 3, 4]), normal([2, 3, 3, 4])]) {
          Gradients.concatenation($0, along: .rows)
        },
        Sample([normal([1, 2, 3, 4]), normal([3, 2, 3, 4])]) {
          Gradients.concatenation($0, along: .columns)
        },
      ]
    case .sumPerExample:
      return batches.map { Sample([normal($0)]) { Gradients.sumPerExample($0[0]) } }
    case .weightedPerExample:
      return batches.map {
        Sample([normal($0), normal([6])]) { Gradients.weighted($0[0], perExample: $0[1]) }
      }
    case .relu: return [Sample([awayFromZero([5, 7])]) { Gradients.relu($0[0]) }]
    case .leakyReLU: return [Sample([awayFromZero([5, 7])]) { Gradients.leakyReLU($0[0]) }]
    case .sigmoid: return [Sample([normal([5, 7])]) { Gradients.sigmoid($0[0]) }]
    case .tanh: return [Sample([normal([5, 7])]) { Gradients.tanh($0[0]) }]
    case .softplus: return [Sample([normal([5, 7])]) { Gradients.softplus($0[0]) }]
    case .exp: return [Sample([normal([5, 7])]) { Gradients.exp($0[0]) }]
    case .log:
      return [Sample([stream.uniform([5, 7], in: 0.5..<2)]) { Gradients.log($0[0]) }]
    case .matrixProduct:
      return [Sample([normal([3, 4]), normal([4, 5])]) { Gradients.matrixProduct($0[0], $0[1]) }]
    case .affine, .transposedAffine:
      let activations: [Activation] = [.identity, .sigmoid, .tanh]
      let isTransposed = self == .transposedAffine
      return activations.map { activation in
        let weight = normal(isTransposed ? [4, 19] : [19, 4])
        return Sample([normal([3, 4]), weight, normal([19])]) {
          isTransposed
            ? Gradients.transposedAffine($0[0], $0[1], $0[2], activation: activation)
            : Gradients.affine($0[0], $0[1], $0[2], activation: activation)
        }
      }
    case .softmax:
      return [Sample([normal([3, 5])]) { Gradients.softmax($0[0], inverseTemperature: -1.7) }]
    case .softmaxCrossEntropy:
      return Reduction.allCases.map { reduction in
        Sample([normal([4, 5])]) {
          Gradients.softmaxCrossEntropy(
            logits: $0[0], labels: [0, 4, 2, 2], reducing: reduction)
        }
      }
    case .softmaxCrossEntropyWithTargets:
      let targets = stream.uniform([4, 5])
      return Reduction.allCases.map { reduction in
        Sample([normal([4, 5])]) {
          Gradients.softmaxCrossEntropy(logits: $0[0], targets: targets, reducing: reduction)
        }
      }
    case .squaredError:
      return reductions(of: batches) { shape, reduction in
        Sample([normal(shape), normal(shape)]) {
          Gradients.squaredError($0[0], $0[1], reducing: reduction)
        }
      }
    case .bernoulliCrossEntropy:
      return reductions(of: batches) { shape, reduction in
        let targets = stream.uniform(shape)
        return Sample([normal(shape)]) {
          Gradients.bernoulliCrossEntropy(
            logits: $0[0], targets: targets, reducing: reduction)
        }
      }
    case .gaussianDivergence:
      return reductions(of: batches) { shape, reduction in
        Sample([normal(shape), normal(shape)]) {
          Gradients.gaussianDivergence(mean: $0[0], logVariance: $0[1], reducing: reduction)
        }
      }
    case .gaussianSample:
      return [
        Sample([normal([4, 5]), normal([4, 5])]) {
          var stream = RandomStream(seed: 1, "sample")
          return Gradients.gaussianSample(mean: $0[0], logVariance: $0[1], using: &stream)
        }
      ]
    case .flatten: return [Sample([normal([3, 2, 4, 5])]) { Gradients.flatten($0[0]) }]
    case .padded: return [Sample([normal([2, 3, 4, 5])]) { Gradients.padded($0[0], by: 2) }]
    case .maximumPool:
      // Distinct numbers far apart, so that no difference step changes a winner; odd extents too.
      let order = stream.permutation(2 * 2 * 5 * 4).map { Float($0) * 0.2 }
      return [Sample([Tensor([2, 2, 5, 4], order)]) { Gradients.maximumPool($0[0]).what }]
    case .unpool:
      let switches = normal([2, 3, 4, 6]).maximumPool().switches
      return [
        Sample([normal([2, 3, 2, 3])]) { Gradients.unpool($0[0], switches, to: [2, 3, 4, 6]) }
      ]
    case .convolution, .transposedConvolution:
      let isTransposed = self == .transposedConvolution
      return [(0, Activation.identity), (1, .tanh)].map { padding, activation in
        // Either sums two channels: a longer sum would carry differences far into the tanh.
        let weight = normal(isTransposed ? [2, 4, 3, 3] : [4, 2, 3, 3]) * 0.3
        return Sample([normal([2, 3, 6, 7]), weight, normal([4])]) {
          isTransposed
            ? Gradients.transposedConvolution(
              $0[0], $0[1], $0[2], padding: padding, activation: activation)
            : Gradients.convolution(
              $0[0], $0[1], $0[2], padding: padding, activation: activation)
        }
      }
    case .dropout:
      return [
        Sample([normal([6, 9])]) {
          var stream = RandomStream(seed: 1, "mask")
          return Gradients.dropout($0[0], keep: 0.6, using: &stream)
        }
      ]
    case .channelDropout:
      return [
        Sample([normal([3, 4, 2, 2])]) {
          var stream = RandomStream(seed: 1, "mask")
          return Gradients.channelDropout($0[0], keep: 0.6, using: &stream)
        }
      ]
    case .standardisedByNumbers:
      return [
        Sample([normal([1, 3, 4, 5])]) {
          Gradients.standardised($0[0], mean: 0.1307, deviation: 0.3081)
        }
      ]
    case .maskingNoise:
      return [
        Sample([normal([6, 9])]) {
          var stream = RandomStream(seed: 1, "mask")
          return Gradients.maskingNoise($0[0], probability: 0.4, using: &stream)
        }
      ]
    case .gaussianNoise:
      return [
        Sample([normal([6, 9])]) {
          var stream = RandomStream(seed: 1, "noise")
          return Gradients.gaussianNoise($0[0], deviation: 0.3, using: &stream)
        }
      ]
    case .featureMean: return features.map { Sample([normal($0)]) { moments($0[0]).mean } }
    case .featureVariance:
      return features.map { Sample([normal($0)]) { moments($0[0]).variance } }
    case .standardised:
      return features.map {
        let moments: Shape = [$0[$0.featureAxis]]
        return Sample([normal($0), normal(moments), stream.uniform(moments, in: 0.7..<1.5)]) {
          Gradients.standardised($0[0], mean: $0[1], variance: $0[2])
        }
      }
    case .normalised:
      return features.map { shape in
        Sample([normal(shape)]) {
          let (y, mean, variance) = Gradients.normalised($0[0])
          return y * mean + variance
        }
      }
    case .featureAffine, .batchNormalised:
      let plain = features.map { normal($0) }
      // As for a pooling of its own; the shift keeps what is largest off 0.
      let order = stream.permutation(2 * 2 * 5 * 7).map { Float($0) * 0.1 - 7 }
      let pooled = Tensor([2, 2, 5, 7], order)
      return (plain + [pooled]).map { x in
        let moments: Shape = [x.shape[x.shape.featureAxis]]
        let pooling = x == pooled
        return Sample([x, normal(moments), normal(moments)]) {
          self == .featureAffine
            ? Gradients.featureAffine(
              $0[0], scale: $0[1], shift: $0[2], activation: .tanh, pooling: pooling)
            : Gradients.batchNormalised(
              $0[0], scale: $0[1], shift: $0[2], activation: .tanh, pooling: pooling
            ).y
        }
      }
    }
  }

  /// An example for each shape and each reduction.
  private func reductions(
    of shapes: [Shape], _ sample: (Shape, Reduction) -> Sample
  ) -> [Sample] {
    shapes.flatMap { shape in Reduction.allCases.map { sample(shape, $0) } }
  }
}
