/// A nonlinearity that is applied in the pass that makes its input, and undone from its output.
///
/// Each of these has a derivative that can be read off the output y, so the input need not be kept:
/// σ′ = y(1 − y), tanh′ = 1 − y², and for the rectifiers the sign of y is the sign of the input.
public enum Activation: Sendable, Equatable {
  /// y = x.
  case identity
  /// y = max(0, x).
  case relu
  /// y = x for x > 0, else `slope`·x; the slope is positive.
  case leakyReLU(slope: Float)
  /// y = 1/(1 + e⁻ˣ).
  case sigmoid
  /// y = tanh x.
  case tanh

  /// The activation of each lane.
  @inlinable @inline(__always)
  public func callAsFunction(_ x: Vector) -> Vector {
    switch self {
    case .identity: x
    case .relu: x.replacing(with: 0, where: x .< 0)
    case .leakyReLU(let slope): x.replacing(with: x * slope, where: x .< 0)
    case .sigmoid: VectorMath.sigmoid(x)
    case .tanh: VectorMath.tanh(x)
    }
  }

  /// The derivative in terms of the output y; at the kink of a rectifier, that of the left side.
  @inlinable @inline(__always)
  public func derivative(fromOutput y: Vector) -> Vector {
    switch self {
    case .identity: Vector(repeating: 1)
    case .relu: Vector(repeating: 0).replacing(with: 1, where: y .> 0)
    case .leakyReLU(let slope):
      Vector(repeating: slope).replacing(with: 1, where: y .> 0)
    case .sigmoid: y * (1 - y)
    case .tanh: 1 - y * y
    }
  }
}
