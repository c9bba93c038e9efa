import Foundation
import Gradients
import Networks
import Tensors
import Testing

/// Numbers by a formula that the scripts under Benchmarks use too: sin(.37·i + 1.1·k + .5), i the
/// place of an element and k that of its tensor.
func wave(_ shape: Shape, _ k: Int, scale: Double = 1, offset: Double = 0) -> Tensor {
  Tensor(
    shape,
    (0..<shape.count).map {
      Float(offset + scale * sin(0.37 * Double($0) + 1.1 * Double(k) + 0.5))
    })
}

extension Module {
  /// Puts such numbers into all parameters, in their order.
  func fillWithWaves(scale: Double) {
    for (k, parameter) in parameters.enumerated() {
      parameter.value = wave(parameter.value.shape, k, scale: scale)
    }
  }

  /// The parameters whose path begins with a name.
  func parameters(at prefix: String) -> [Parameter] {
    namedParameters.filter { $0.path.hasPrefix(prefix) }.map(\.parameter)
  }
}

extension WholeLoss {
  /// The loss and the norm of its gradient over all trainable parameters, by a stream of noise.
  func lossAndNorm(_ noise: RandomStream) -> (loss: Double, norm: Double) {
    var noise = noise
    let tape = Tape()
    let loss = method.loss(batch, at: moment, on: tape, using: &noise).total
    let gradients = tape.backward(from: loss)
    let squares = method.parameters.filter(\.isTrainable).reduce(0.0) {
      $0 + gradients[$1].dot(gradients[$1])
    }
    return (Double(loss.value.scalar), squares.squareRoot())
  }

  /// Expects the gradients to be right, and gradients that are 3 % off to be found out.
  func expectRight(sourceLocation: SourceLocation = #_sourceLocation) {
    for (path, error) in relativeErrors() {
      #expect(error < Self.tolerance, "\(path)", sourceLocation: sourceLocation)
    }
    for (path, error) in relativeErrors(factor: 1.03) {
      #expect(error > Self.tolerance, "\(path), 3 % off", sourceLocation: sourceLocation)
    }
  }
}

/// Expects two numbers to agree but for a share of the second.
func expect(
  _ found: Double, near golden: Double, within share: Double = 1e-5,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    abs(found - golden) <= share * abs(golden), "\(found), not \(golden)",
    sourceLocation: sourceLocation)
}
