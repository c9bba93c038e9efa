import Gradients
import Tensors

/// A fully connected layer: y = f(x·Wᵀ + b).
public struct Dense: Module {
  /// The weights, `[out, in]`.
  public let weight: Parameter
  /// The biases, `[out]`.
  public let bias: Parameter
  /// The activation f.
  public let activation: Activation

  /// A layer with drawn weights.
  public init(
    inputs: Int, outputs: Int, activation: Activation = .identity, initialiser: Initialiser,
    using stream: inout RandomStream
  ) {
    let shape: Shape = [outputs, inputs]
    weight = Parameter("weight", initialiser.weights(shape, using: &stream))
    bias = Parameter("bias", initialiser.biases(shape, using: &stream))
    self.activation = activation
  }

  /// The layer applied to rows `[n, in]` → `[n, out]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    affine(x, x.tape(weight), x.tape(bias), activation: activation)
  }
}

/// A convolutional layer with stride 1: y = f(x ∗ W + b).
public struct Convolution: Module {
  /// The filters, `[filters, channels, kernel, kernel]`.
  public let weight: Parameter
  /// The biases, `[filters]`.
  public let bias: Parameter
  /// Rows and columns of zeros around each image.
  public let padding: Int
  /// The activation f.
  public let activation: Activation

  /// A layer with drawn filters of `kernel` × `kernel` pixels.
  public init(
    channels: Int, filters: Int, kernel: Int, padding: Int = 0,
    activation: Activation = .identity, initialiser: Initialiser,
    using stream: inout RandomStream
  ) {
    let shape: Shape = [filters, channels, kernel, kernel]
    weight = Parameter("weight", initialiser.weights(shape, using: &stream))
    bias = Parameter("bias", initialiser.biases(shape, using: &stream))
    self.padding = padding
    self.activation = activation
  }

  /// The layer applied to images `[channels, n, h, w]`.
  public func callAsFunction(_ x: Variable) -> Variable {
    convolution(x, x.tape(weight), x.tape(bias), padding: padding, activation: activation)
  }
}

/// Whether a network learns from a batch or judges it: an argument of its layers, never a global.
public enum Phase: Sendable, Equatable {
  /// Batch statistics, which move the running ones, and random masks.
  case training
  /// Batch statistics and random masks, while the running statistics stay: a second pass over a
  /// batch, say, whose images are noisy and shall not count.
  case trainingAside
  /// Batch statistics, of which the running ones take a share, and neither masks nor noise: to
  /// estimate the running statistics anew, on images as evaluation sees them.
  case estimation(share: Float)
  /// Running statistics, no masks.
  case evaluation

  /// Whether the network learns from the batch: there are masks and noise.
  public var isTraining: Bool { self == .training || self == .trainingAside }
}

/// Batch normalisation with learnt scale and shift, and running statistics for evaluation.
public struct BatchNormalisation: Module {
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
  /// Whether the largest of each 2 × 2 pixels is taken after that.
  public let pools: Bool

  /// A layer for some features.
  public init(
    features: Int, activation: Activation = .identity, pools: Bool = false, momentum: Float = 0.1,
    epsilon: Float = 1e-5
  ) {
    func filled(_ name: String, _ value: Float, isTrainable: Bool = true) -> Parameter {
      Parameter(name, Tensor(repeating: value, [features]), isTrainable: isTrainable)
    }
    (scale, shift) = (filled("scale", 1), filled("shift", 0))
    runningMean = filled("runningMean", 0, isTrainable: false)
    runningVariance = filled("runningVariance", 1, isTrainable: false)
    self.momentum = momentum
    self.epsilon = epsilon
    self.activation = activation
    self.pools = pools
  }

  /// The layer applied to `[n, features]` or `[features, n, h, w]`; of images that it pools,
  /// `[features, n, ⌊h/2⌋, ⌊w/2⌋]` is left.
  ///
  /// In `.training` the running statistics move towards the batch's (Ioffe & Szegedy 2015, alg. 2).
  public func callAsFunction(_ x: Variable, _ phase: Phase) -> Variable {
    let (γ, β) = (x.tape(scale), x.tape(shift))
    guard phase != .evaluation else {
      let (mean, variance) = (x.tape(runningMean), x.tape(runningVariance))
      let ε = epsilon
      let inverse = variance.value.map { 1 / VectorMath.squareRoot($0 + ε) }
      let factor = γ * x.tape.constant(inverse)
      return featureAffine(
        x, scale: factor, shift: β - mean * factor, activation: activation, pooling: pools)
    }
    let (y, moments) = batchNormalised(
      x, scale: γ, shift: β, epsilon: epsilon, activation: activation, pooling: pools)
    // What is kept with the model is part of the step too, though no gradient reaches it.
    _ = (x.tape(runningMean), x.tape(runningVariance))
    let samples = Float(x.value.count / scale.value.count)
    switch phase {
    case .training: move(to: moments, samples: samples, rate: momentum, x.tape)
    case .estimation(let share): move(to: moments, samples: samples, rate: share, x.tape)
    case .trainingAside, .evaluation: break
    }
    return y
  }

  /// Moves the running statistics towards a batch's; the variance becomes an unbiased one.
  private func move(to moments: Moments, samples: Float, rate: Float, _ tape: Tape) {
    precondition(!tape.readsCopy, "the running statistics of a copy do not move")
    let unbiased = rate * samples / max(1, samples - 1)
    runningMean.value = runningMean.value.zip(moments.mean) { $0 + ($1 - $0) * rate }
    runningVariance.value = runningVariance.value.zip(moments.variance) {
      $0 * (1 - rate) + $1 * unbiased
    }
  }
}
