import Gradients
import Networks
import Tensors

/// The gradient of an objective's whole loss, held against differences of the loss itself.
///
/// Unlike the registry's test, which takes one operation at a time, it sees a term that is left out,
/// a weight that is applied twice, and a variable that ought to be a constant.
struct WholeLoss<Method: Objective> {
  let method: Method
  let batch: Method.Batch
  var moment = Moment(step: 0, epoch: 0)
  /// The step of the difference along a direction of unit entries.
  var step: Float = 0.01
  var directions = 6
  /// The largest relative error that passes: a third of the 3 % that must not.
  static var tolerance: Double { 0.01 }

  /// The loss, with the same noise each time.
  private func loss(on tape: Tape) -> Variable {
    var noise = RandomStream(seed: 2016, "whole loss")
    return method.loss(batch, at: moment, on: tape, using: &noise).total
  }

  /// The relative error of the gradient of each trainable parameter, by its path.
  ///
  /// The root mean square, over random directions, of gradient · v − (difference along v), divided by
  /// that of the differences; each difference from four values, of fourth order in the step.
  /// - Parameter factor: what the gradients are multiplied with first; 1.03 must be found out.
  func relativeErrors(factor: Float = 1) -> [(path: String, error: Double)] {
    var stream = RandomStream(seed: 2016, "directions")
    return method.namedParameters.filter(\.parameter.isTrainable).map { path, parameter in
      let value = parameter.value
      defer { parameter.value = value }
      func slope(along direction: Tensor) -> Double {
        func f(_ steps: Float) -> Double {
          parameter.value = value + direction * (steps * step)
          return Double(loss(on: Tape(recording: false)).value.scalar)
        }
        return (8 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12 * Double(step))
      }
      var (errors, sizes) = (0.0, 0.0)
      for _ in 0..<directions {
        let direction = stream.normal(value.shape)
        let difference = slope(along: direction)
        parameter.value = value
        let tape = Tape()
        let gradient = tape.backward(from: loss(on: tape))[parameter] * factor
        let error = gradient.dot(direction) - difference
        errors += error * error
        sizes += difference * difference
      }
      return (path, sizes == 0 ? errors.squareRoot() : (errors / sizes).squareRoot())
    }
  }
}
