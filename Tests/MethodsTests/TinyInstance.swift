import Foundation
import Gradients
import Networks
import Tensors

@testable import Digits

/// A tiny instance of a method that a script in another language can write down as well: parameters
/// and images by a sine of their place.
enum TinyInstance {
  /// scale·sin(rate·(i + 1)² + phase) at the places i, on top of an offset.
  private static func wave(
    _ count: Int, scale: Double, rate: Double, phase: Double, offset: Double = 0
  ) -> [Float] {
    (0..<count).map { i -> Float in
      let place = Double((i + 1) * (i + 1))
      return Float(offset + scale * sin(rate * place + phase))
    }
  }

  /// Gives the k-th trainable parameter the values .8·sin(.37·(i + 1)² + .7·k + .2).
  static func fill(_ module: some Module) {
    for (k, parameter) in module.parameters.filter(\.isTrainable).enumerated() {
      let phase = 0.7 * Double(k) + 0.2
      let values = wave(parameter.value.count, scale: 0.8, rate: 0.37, phase: phase)
      parameter.value = Tensor(parameter.value.shape, values)
    }
  }

  /// Four labelled images of 2 × 2 pixels, and five without labels.
  static var batch: PairedBatch {
    PairedBatch(
      labelled: LabelledBatch(images: images(4, phase: 0), labels: [0, 2, 1, 2]),
      unlabelled: images(5, phase: 2))
  }

  /// Pixels .5 + .5·sin(.31·(i + 1)² + phase).
  static func images(_ n: Int, side: Int = 2, phase: Double) -> Tensor {
    Tensor(
      [1, n, side, side],
      wave(side * side * n, scale: 0.5, rate: 0.31, phase: phase, offset: 0.5))
  }

  /// The loss of an objective on the batch, and the norm of its whole gradient.
  static func lossAndGradientNorm<Method: Objective>(
    _ method: Method, at moment: Moment = Moment(step: 0, epoch: 0)
  ) -> (loss: Double, norm: Double) where Method.Batch == PairedBatch {
    lossAndGradientNorm(method, of: batch, at: moment)
  }

  /// The same of another batch.
  static func lossAndGradientNorm<Method: Objective>(
    _ method: Method, of batch: Method.Batch, at moment: Moment = Moment(step: 0, epoch: 0)
  ) -> (loss: Double, norm: Double) {
    lossAndGradientNorm(method) { tape in
      var noise = RandomStream(seed: 1, "tiny")
      return method.loss(batch, at: moment, on: tape, using: &noise).total
    }
  }

  /// The same of any number that a module's parameters make.
  static func lossAndGradientNorm(
    _ module: some Module, _ loss: (Tape) -> Variable
  ) -> (loss: Double, norm: Double) {
    let tape = Tape()
    let loss = loss(tape)
    let gradient = tape.backward(from: loss)
    let squares = module.parameters.filter(\.isTrainable).map {
      gradient[$0].dot(gradient[$0])
    }
    return (Double(loss.value.scalar), squares.reduce(0, +).squareRoot())
  }

  /// Whether two numbers agree to a share of the second.
  static func agree(_ a: Double, _ b: Double, to tolerance: Double = 1e-5) -> Bool {
    abs(a - b) <= tolerance * abs(b)
  }
}
