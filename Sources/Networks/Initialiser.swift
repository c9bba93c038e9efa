import Tensors

/// A distribution from which a layer's weights are drawn at first.
///
/// Weights are `[out, in]` or `[filters, channels, kh, kw]`: the fan-in is the number of weights of
/// one output unit, the fan-out that of weights that read one input unit.
public enum Initialiser: Sendable, Equatable {
  /// Normal with a fixed deviation; .01 in Krizhevsky, Sutskever & Hinton 2012.
  case gaussian(deviation: Float)
  /// Uniform on ±√(6/(fan-in + fan-out)) (Glorot & Bengio 2010, eq. 16).
  case xavierUniform
  /// Normal with variance 2/(fan-in + fan-out) (Glorot & Bengio 2010, eq. 12).
  case xavierNormal
  /// Normal with variance 2/fan-in, for rectifiers (He, Zhang, Ren & Sun 2015, eq. 10).
  case he
  /// Uniform on ±1/√fan-in, for weights and biases alike: what PyTorch's layers start from.
  case fanInUniform
  /// Of each unit's weights, `connections` are standard normal and the rest 0 (Martens 2010, sec. 5).
  case sparse(connections: Int)

  /// The fan-in and the fan-out of weights of a shape.
  public static func fans(_ shape: Shape) -> (in: Int, out: Int) {
    precondition(shape.rank >= 2, "weights have at least two dimensions: \(shape)")
    let inputs = shape.count / shape[0]
    return (inputs, shape[0] * inputs / shape[1])
  }

  /// Weights of a shape.
  public func weights(_ shape: Shape, using stream: inout RandomStream) -> Tensor {
    let fan = Self.fans(shape)
    switch self {
    case .gaussian(let deviation):
      return stream.normal(shape, deviation: deviation)
    case .xavierUniform:
      let bound = (6 / Float(fan.in + fan.out)).squareRoot()
      return stream.uniform(shape, in: -bound..<bound)
    case .xavierNormal:
      return stream.normal(shape, deviation: (2 / Float(fan.in + fan.out)).squareRoot())
    case .he:
      return stream.normal(shape, deviation: (2 / Float(fan.in)).squareRoot())
    case .fanInUniform:
      let bound = 1 / Float(fan.in).squareRoot()
      return stream.uniform(shape, in: -bound..<bound)
    case .sparse(let connections):
      var weights = Tensor(repeating: 0, shape)
      weights.withUnsafeMutableBufferPointer { weights in
        for unit in 0..<shape[0] {
          for input in stream.permutation(fan.in).prefix(connections) {
            weights[unit * fan.in + input] = stream.normal()
          }
        }
      }
      return weights
    }
  }

  /// Biases of a layer whose weights have a shape: 0, but for `fanInUniform`.
  public func biases(_ shape: Shape, using stream: inout RandomStream) -> Tensor {
    guard self == .fanInUniform else { return Tensor(repeating: 0, [shape[0]]) }
    let bound = 1 / Float(Self.fans(shape).in).squareRoot()
    return stream.uniform([shape[0]], in: -bound..<bound)
  }
}
