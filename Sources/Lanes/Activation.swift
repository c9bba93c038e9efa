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
    case .relu: Self.rectified(x, slope: 0)
    case .leakyReLU(let slope): Self.rectified(x, slope: slope)
    case .sigmoid: VectorMath.sigmoid(x)
    case .tanh: VectorMath.tanh(x)
    }
  }

  /// x, and its product with a slope where it is negative.
  @inlinable @inline(__always)
  static func rectified(_ x: Vector, slope: Float) -> Vector {
    x.replacing(with: slope == 0 ? Vector(repeating: 0) : x * slope, where: x .< 0)
  }

  /// 1 where x is positive, else a slope.
  @inlinable @inline(__always)
  static func rectifiedSlope(_ x: Vector, slope: Float) -> Vector {
    Vector(repeating: slope).replacing(with: 1, where: x .> 0)
  }

  /// Calls `body` with the function of lanes that this is.
  ///
  /// Outside a loop, so that the loop need not ask again what it applies.
  @inlinable @inline(__always)
  public func specialised(_ body: ((Vector) -> Vector) -> Void) {
    switch self {
    case .identity: body { $0 }
    case .relu: body { Self.rectified($0, slope: 0) }
    case .leakyReLU(let slope): body { Self.rectified($0, slope: slope) }
    case .sigmoid: body { VectorMath.sigmoid($0) }
    case .tanh: body { VectorMath.tanh($0) }
    }
  }

  /// The derivative in terms of the output y; at the kink of a rectifier, that of the left side.
  @inlinable @inline(__always)
  public func derivative(fromOutput y: Vector) -> Vector {
    switch self {
    case .identity: Vector(repeating: 1)
    case .relu: Self.rectifiedSlope(y, slope: 0)
    case .leakyReLU(let slope): Self.rectifiedSlope(y, slope: slope)
    case .sigmoid: y * (1 - y)
    case .tanh: 1 - y * y
    }
  }

  /// Calls `body` with the function that gives the derivative from the output.
  @inlinable @inline(__always)
  public func specialisedDerivative(_ body: ((Vector) -> Vector) -> Void) {
    switch self {
    case .identity: body { _ in Vector(repeating: 1) }
    case .relu: body { Self.rectifiedSlope($0, slope: 0) }
    case .leakyReLU(let slope): body { Self.rectifiedSlope($0, slope: slope) }
    case .sigmoid: body { $0 * (1 - $0) }
    case .tanh: body { 1 - $0 * $0 }
    }
  }

  /// Calls `body` with the function that gives the derivative from the input.
  ///
  /// For the rectifiers the input does as well as the output, whose sign is the same.
  @inlinable @inline(__always)
  public func specialisedSlope(_ body: ((Vector) -> Vector) -> Void) {
    switch self {
    case .identity: body { _ in Vector(repeating: 1) }
    case .relu: body { Self.rectifiedSlope($0, slope: 0) }
    case .leakyReLU(let slope): body { Self.rectifiedSlope($0, slope: slope) }
    case .sigmoid:
      body { x in
        let y = VectorMath.sigmoid(x)
        return y * (1 - y)
      }
    case .tanh:
      body { x in
        let y = VectorMath.tanh(x)
        return 1 - y * y
      }
    }
  }
}
