import Gradients
import Tensors

/// A fully connected layer: y = f(x·Wᵀ + b).
public struct Dense {
  /// The weights, `[out, in]`.
  public let weight: Parameter
  /// The biases, `[out]`.
  public let bias: Parameter
  /// The activation f.
  public let activation: Activation

  /// A layer with drawn weights; `name` starts the names of its parameters.
  public init(
    _ name: String, _ inputs: Int, _ outputs: Int, activation: Activation = .identity,
    initialiser: Initialiser, _ stream: inout RandomStream
  ) {
    weight = Parameter("\(name).weight", initialiser.weights([outputs, inputs], &stream))
    bias = Parameter("\(name).bias", initialiser.biases([outputs, inputs], &stream))
    self.activation = activation
  }

  /// The layer applied to rows `[n, in]` → `[n, out]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    affine(x, x.tape(weight), x.tape(bias), activation: activation)
  }

  /// The weights and the biases.
  public var parameters: [Parameter] { [weight, bias] }
}

/// A convolutional layer with stride 1: y = f(x ∗ W + b).
public struct Convolution {
  /// The filters, `[filters, channels, kernel, kernel]`.
  public let weight: Parameter
  /// The biases, `[filters]`.
  public let bias: Parameter
  /// Rows and columns of zeros around each image.
  public let padding: Int
  /// The activation f.
  public let activation: Activation

  /// A layer with drawn filters; `name` starts the names of its parameters.
  public init(
    _ name: String, _ channels: Int, _ filters: Int, kernel: Int, padding: Int = 0,
    activation: Activation = .identity, initialiser: Initialiser, _ stream: inout RandomStream
  ) {
    let shape: Shape = [filters, channels, kernel, kernel]
    weight = Parameter("\(name).weight", initialiser.weights(shape, &stream))
    bias = Parameter("\(name).bias", initialiser.biases(shape, &stream))
    self.padding = padding
    self.activation = activation
  }

  /// The layer applied to images `[channels, n, h, w]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    convolution(x, x.tape(weight), x.tape(bias), padding: padding, activation: activation)
  }

  /// The filters and the biases.
  public var parameters: [Parameter] { [weight, bias] }
}

/// Whether a network learns from a batch or judges it: an argument of its layers, never a global.
public enum Phase: Sendable {
  /// Batch statistics and random masks.
  case training
  /// Running statistics, no masks.
  case evaluation
}

/// Batch normalisation with learnt scale and shift, and running statistics for evaluation.
public struct BatchNormalisation {
  /// γ, `[features]`.
  public let scale: Parameter
  /// β, `[features]`.
  public let shift: Parameter
  /// The running mean, `[features]`.
  public let runningMean: Parameter
  /// The running unbiased variance, `[features]`.
  public let runningVariance: Parameter
  /// The weight of the newest batch in the running statistics.
  public let momentum: Float
  /// Added to a variance before its root is taken.
  public let epsilon: Float
  /// The activation that follows.
  public let activation: Activation

  /// A layer for some features; `name` starts the names of its parameters.
  public init(
    _ name: String, _ features: Int, activation: Activation = .identity, momentum: Float = 0.1,
    epsilon: Float = 1e-5
  ) {
    scale = Parameter("\(name).scale", Tensor(repeating: 1, [features]))
    shift = Parameter("\(name).shift", Tensor(repeating: 0, [features]))
    runningMean = Parameter(
      "\(name).mean", Tensor(repeating: 0, [features]), isTrainable: false)
    runningVariance = Parameter(
      "\(name).variance", Tensor(repeating: 1, [features]), isTrainable: false)
    self.momentum = momentum
    self.epsilon = epsilon
    self.activation = activation
  }

  /// The layer applied to `[n, features]` or `[features, n, h, w]`.
  ///
  /// In training the running statistics move towards the batch's (Ioffe & Szegedy 2015, alg. 2).
  public func callAsFunction(_ x: Variable, _ phase: Phase) -> Variable {
    let (γ, β) = (x.tape(scale), x.tape(shift))
    switch phase {
    case .training:
      let (y, moments) = batchNormalised(
        x, scale: γ, shift: β, epsilon: epsilon, activation: activation)
      let samples = Float(x.value.count / scale.value.count)
      let (rate, unbiased) = (momentum, momentum * samples / max(1, samples - 1))
      runningMean.value = runningMean.value.zip(moments.mean) { $0 + ($1 - $0) * rate }
      runningVariance.value = runningVariance.value.zip(moments.variance) {
        $0 * (1 - rate) + $1 * unbiased
      }
      return y
    case .evaluation:
      let ε = epsilon
      let inverse = runningVariance.value.map { 1 / ($0 + ε).squareRoot() }
      let factor = γ * x.tape.constant(inverse)
      return featureAffine(
        x, scale: factor, shift: β - x.tape.constant(runningMean.value) * factor,
        activation: activation)
    }
  }

  /// Scale, shift and the running statistics.
  public var parameters: [Parameter] { [scale, shift, runningMean, runningVariance] }
}
