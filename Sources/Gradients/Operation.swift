import Tensors

/// Every operation that has a pullback, from simple to tricky.
///
/// `sample` is an exhaustive switch: an operation without an example to check its gradient on does
/// not compile, and one test walks them all.
public enum Operation: String, CaseIterable, Sendable {
  case add, subtract, multiply, scale, sum, reshape
  case relu, leakyReLU, sigmoid, tanh, softplus, exp, log
  case matrixProduct, affine
  case softmax, softmaxCrossEntropy, softmaxCrossEntropyWithTargets
  case squaredError, bernoulliCrossEntropy
  case flatten, padded, maximumPool, unpool, convolution
  case dropout, channelDropout
  case standardisedByNumbers, featureAffine, batchNormalised

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
    switch self {
    case .add: return [Sample([normal([3, 5]), normal([3, 5])]) { $0[0] + $0[1] }]
    case .subtract: return [Sample([normal([3, 5]), normal([3, 5])]) { $0[0] - $0[1] }]
    case .multiply: return [Sample([normal([3, 5]), normal([3, 5])]) { $0[0] * $0[1] }]
    case .scale: return [Sample([normal([17])]) { $0[0] * -2.5 }]
    case .sum: return [Sample([normal([2, 3, 7])]) { Gradients.sum($0[0]) }]
    case .reshape: return [Sample([normal([4, 6])]) { Gradients.reshape($0[0], [3, 8]) }]
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
    case .affine:
      let activations: [Activation] = [.identity, .sigmoid, .tanh]
      return activations.map { activation in
        Sample([normal([3, 4]), normal([19, 4]), normal([19])]) {
          Gradients.affine($0[0], $0[1], $0[2], activation: activation)
        }
      }
    case .softmax:
      return [Sample([normal([3, 5])]) { Gradients.softmax($0[0], inverseTemperature: -1.7) }]
    case .softmaxCrossEntropy:
      return [
        Sample([normal([4, 5])]) {
          Gradients.softmaxCrossEntropy(logits: $0[0], labels: [0, 4, 2, 2])
        }
      ]
    case .softmaxCrossEntropyWithTargets:
      let targets = stream.uniform([4, 5])
      return [
        Sample([normal([4, 5])]) {
          Gradients.softmaxCrossEntropy(logits: $0[0], targets: targets)
        }
      ]
    case .squaredError:
      return [Sample([normal([4, 5]), normal([4, 5])]) { Gradients.squaredError($0[0], $0[1]) }]
    case .bernoulliCrossEntropy:
      let targets = stream.uniform([4, 5])
      return [
        Sample([normal([4, 5])]) {
          Gradients.bernoulliCrossEntropy(logits: $0[0], targets: targets)
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
    case .convolution:
      return [(0, Activation.identity), (1, .tanh)].map { padding, activation in
        Sample([normal([2, 3, 6, 7]), normal([4, 2, 3, 3]) * 0.3, normal([4])]) {
          Gradients.convolution(
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
    case .featureAffine, .batchNormalised:
      let shapes: [Shape] = [[6, 19], [3, 4, 3, 5]]
      return shapes.map { shape in
        let features: Shape = [shape.rank == 2 ? shape[1] : shape[0]]
        return Sample([normal(shape), normal(features), normal(features)]) {
          self == .featureAffine
            ? Gradients.featureAffine($0[0], scale: $0[1], shift: $0[2], activation: .tanh)
            : Gradients.batchNormalised(
              $0[0], scale: $0[1], shift: $0[2], activation: .tanh
            ).y
        }
      }
    }
  }
}
