import Digits
import Foundation
import Gradients
import Networks
import Tensors

/// An auto-encoder whose hidden units are seldom active: strokes, learnt from images without labels.
///
/// One layer of sigmoid units reads the pixels, another gives them back; each hidden unit shall be
/// active for a small share ρ of the images. Source: A. Ng, "Sparse autoencoder", lecture notes of
/// CS294A, 2011.
public struct SparseAutoencoder: Objective {
  /// How it is built, and what weighs how much; by default as in the course's exercises.
  public struct Plan: Sendable {
    /// The numbers of an image.
    public var inputs = ImageSet.pixelsPerImage
    /// The hidden units.
    public var hidden = 200
    /// ρ, the share of the images for which a unit shall be active.
    public var sparsity: Float = 0.1
    /// λ, the weight of the penalty on the squares of the weights.
    public var decay: Float = 3e-3
    /// β, the weight of the divergence of each unit's activity from ρ; 0 asks for none.
    public var sparsityWeight: Float = 3

    /// The plan of those exercises.
    public init() {}
  }

  /// What it was made by.
  public let plan: Plan
  /// From pixels to hidden units.
  public let encoder: Dense
  /// Back from them to pixels.
  public let decoder: Dense

  /// An auto-encoder whose weights are uniform on ±√(6/(fan-in + fan-out + 1)), its biases 0.
  public init(_ plan: Plan = Plan(), using stream: inout RandomStream) {
    self.plan = plan
    func layer(_ inputs: Int, _ outputs: Int) -> Dense {
      let layer = Dense(
        inputs: inputs, outputs: outputs, activation: .sigmoid, initialiser: .xavierUniform,
        using: &stream)
      // As the course's starter code has it; the notes draw from N(0, .01²).
      let sum = Float(inputs + outputs)
      layer.weight.value = layer.weight.value * (sum / (sum + 1)).squareRoot()
      return layer
    }
    encoder = layer(plan.inputs, plan.hidden)
    decoder = layer(plan.hidden, plan.inputs)
  }

  // snippet.loss
  /// J = (1/m)·Σ ½‖x̂ − x‖² + ½λ·(‖W₁‖² + ‖W₂‖²) + β·Σ KL(ρ ‖ ρ̂ⱼ), over the images of the batch.
  public func loss(
    _ batch: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let x = rows(tape.constant(batch))
    let hidden = encoder(x)  // eqs. 6 and 7
    let squares = [encoder, decoder].map { squaredLength(tape($0.weight)) }
    return Loss(
      [
        ("reconstruction", 0.5, squaredError(decoder(hidden), x)),  // eq. 8, first term
        ("decay", plan.decay / 2, squares[0] + squares[1]),  // eq. 8, second term
        ("sparsity", plan.sparsityWeight, divergence(moments(hidden).mean)),  // section 3
      ], over: x.shape[0])
  }

  /// Σ KL(ρ ‖ ρ̂ⱼ) of the units' mean activities ρ̂ (section 3).
  private func divergence(_ activity: Variable) -> Variable {
    let ρ = plan.sparsity
    let entropy = -(ρ * log(ρ) + (1 - ρ) * log(1 - ρ))
    return sum(-entropy - ρ * log(activity) - (1 - ρ) * log(1 - activity))
  }
  // snippet.end

  private func squaredLength(_ weight: Variable) -> Variable { sum(weight * weight) }

  private func rows(_ images: Variable) -> Variable {
    images.shape.rank == 2 ? images : flatten(images)
  }

  /// The activities of the hidden units: images `[1, n, 28, 28]` or rows `[n, inputs]` →
  /// `[n, hidden]`.
  public func features(_ images: Tensor) -> Tensor {
    encoder(rows(Tape(recording: false).constant(images))).value
  }

  /// For each hidden unit the image of length 1 that makes it most active, `[hidden, inputs]`.
  ///
  /// Its weights, scaled to that length (section 4 of the notes).
  public var strokes: Tensor {
    let weight = encoder.weight.value
    let lengths = (weight * weight).product(Tensor(repeating: 1, [plan.inputs, 1]))
    return weight.scaledRows(
      lengths.map { 1 / VectorMath.squareRoot($0) }.reshaped([plan.hidden]), length: plan.inputs)
  }
}

extension Objective {
  /// Minimises the loss of one batch by L-BFGS, and leaves the parameters where it is least.
  ///
  /// - Parameters:
  ///   - steps: the most that are taken.
  /// - Returns: the losses after each step, and what they cost.
  public func minimise(
    _ batch: Batch, by rule: LimitedMemoryBFGS = LimitedMemoryBFGS(), steps: Int
  ) -> LimitedMemoryBFGS.Result {
    minimise(batch, by: rule, steps: steps) { _ in }
  }

  /// The same, which can be stopped: the parameters are then those of the last evaluation.
  ///
  /// - Parameter observe: is shown the loss each time it is computed; may throw to stop.
  public func minimise(
    _ batch: Batch, by rule: LimitedMemoryBFGS = LimitedMemoryBFGS(), steps: Int,
    observe: (_ loss: Loss) throws -> Void
  ) rethrows -> LimitedMemoryBFGS.Result {
    let trainable = parameters.filter(\.isTrainable)
    let moment = Moment(step: 0, epoch: 0)
    let result = try rule.minimise(from: trainable.map(\.value), steps: steps) { point in
      for (parameter, value) in zip(trainable, point) { parameter.value = value }
      // The same draws each time: what is minimised is one function.
      var noise = RandomStream(seed: 0, "one batch")
      let tape = Tape()
      let loss = loss(batch, at: moment, on: tape, using: &noise)
      try observe(loss)
      let gradients = tape.backward(from: loss.total)
      return (Double(loss.total.value.scalar), trainable.map { gradients[$0] })
    }
    for (parameter, value) in zip(trainable, result.point) { parameter.value = value }
    return result
  }
}
