import Tensors

/// The test of a pullback against finite differences along random directions.
///
/// For an operation y = f(x), a random direction v and a random cotangent ȳ, the pullback x̄ is
/// right when ⟨x̄, v⟩ = ⟨ȳ, f′(x)·v⟩. The right side comes from a central difference with five
/// points, whose error is of fourth order in the step; sums are added in `Double`.
public struct GradientCheck: Sendable {
  /// The step of the difference, times the direction's unit entries.
  public var step: Float = 0.02
  /// The number of random directions for each input.
  public var directions = 8
  /// The largest relative error that passes.
  public var tolerance = 2e-3

  /// A check with its usual step and tolerance.
  public init() {}

  /// The relative error of each input's pullback.
  ///
  /// The root mean square, over the directions, of the difference between both routes, divided by
  /// that of the finite differences.
  /// - Parameter tamper: changes a pullback before it is judged, to see that it is then rejected.
  public func relativeErrors(
    of sample: Operation.Sample, tamper: (_ input: Int, Tensor) -> Tensor = { $1 }
  ) -> [Double] {
    var stream = RandomStream(seed: 2016, "gradient check")
    return sample.inputs.indices.map { input in
      var (errors, sizes) = (0.0, 0.0)
      for _ in 0..<directions {
        let tape = Tape()
        let variables = sample.inputs.map { tape.variable($0) }
        let output = sample.apply(variables)
        let cotangent = stream.normal(output.shape)
        let gradient = tamper(
          input, tape.backward(from: output, cotangent: cotangent)[variables[input]])
        let direction = stream.normal(sample.inputs[input].shape)
        let slope = self.slope(of: sample, input, along: direction, cotangent)
        let error = gradient.dot(direction) - slope
        errors += error * error
        sizes += slope * slope
      }
      return sizes == 0 ? errors.squareRoot() : (errors / sizes).squareRoot()
    }
  }

  /// `⟨ȳ, f′(x)·v⟩` from f at x ± hv and x ± 2hv (Abramowitz & Stegun 25.3.6).
  private func slope(
    of sample: Operation.Sample, _ input: Int, along direction: Tensor, _ cotangent: Tensor
  ) -> Double {
    func value(_ steps: Float) -> Double {
      let tape = Tape(recording: false)
      var inputs = sample.inputs
      inputs[input] += direction * (steps * step)
      return sample.apply(inputs.map { tape.constant($0) }).value.dot(cotangent)
    }
    return (8 * (value(1) - value(-1)) - (value(2) - value(-2))) / (12 * Double(step))
  }
}
