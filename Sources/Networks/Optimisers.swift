import Foundation
import Gradients
import Tensors

/// A rule that changes parameters by their gradients.
public protocol Optimiser {
  /// What it remembers between steps, for a checkpoint: tensors in a fixed order.
  var memory: [Tensor] { get set }
  /// How many of those tensors belong to each trainable parameter, one after another.
  var memoriesPerParameter: Int { get }
  /// The number of steps taken.
  var steps: Int { get set }

  /// Gets ready for a step, before its loss is computed.
  ///
  /// A rule may move the parameters to where it wants the gradient; `step` takes them on from there.
  mutating func begin(_ parameters: [Parameter], at moment: Moment)

  /// Takes one step.
  ///
  /// - Parameters:
  ///   - parameters: the same ones, in the same order, at each step; only trainable ones change.
  ///   - gradients: those of the loss at the parameters' present values.
  ///   - rate: the learning rate ε of this step.
  ///   - averages: of the parameters, to be moved in the pass that changes them
  ///     (`ParameterAverage.moving`), which spares a second one; what a rule does not move, `Training`
  ///     does.
  mutating func step(
    _ parameters: [Parameter], _ gradients: Cotangents, rate: Float, averages: [ParameterAverage])
}

extension Optimiser {
  /// Most rules want the gradient where the parameters are.
  public mutating func begin(_ parameters: [Parameter], at moment: Moment) {}

  /// Takes one step of parameters of which no average is kept.
  public mutating func step(_ parameters: [Parameter], _ gradients: Cotangents, rate: Float) {
    step(parameters, gradients, rate: rate, averages: [])
  }
}

/// Gradient descent with classical momentum or Nesterov's accelerated gradient.
///
/// Classical: v ← μv − ε∇f(θ), θ ← θ + v. Nesterov: v ← μv − ε∇f(θ + μv), θ ← θ + v. Source:
/// Sutskever, Martens, Dahl & Hinton 2013, eqs. 1–4.
///
/// Nesterov's gradient is taken at θ + μv: `begin` moves the parameters there before the forward
/// pass, and the step takes them back. Between steps they stand at θ.
public struct Momentum: Optimiser {
  /// Where the gradient is taken.
  public enum Kind: Sendable {
    /// At θ.
    case classical
    /// At θ + μv.
    case nesterov
  }

  /// Where the gradient is taken.
  public let kind: Kind
  /// μ of each step.
  public let schedule: Schedule
  /// λ of the penalty ½λ‖θ‖², whose gradient λθ is added to the loss's.
  public let weightDecay: Float
  /// The memory v, one a trainable parameter; empty before the first step.
  public var memory: [Tensor] = []
  /// v alone.
  public var memoriesPerParameter: Int { 1 }
  /// The number of steps taken.
  public var steps = 0
  /// The μ of the step that has begun, nil between steps.
  private var begun: Float?

  /// A rule with one μ for all steps; 0 is plain gradient descent.
  public init(_ kind: Kind = .classical, momentum: Double, weightDecay: Float = 0) {
    self.init(kind, momentum: .constant(momentum), weightDecay: weightDecay)
  }

  /// A rule whose μ changes in the course of the training.
  public init(_ kind: Kind = .classical, momentum: Schedule, weightDecay: Float = 0) {
    self.kind = kind
    schedule = momentum
    self.weightDecay = weightDecay
  }

  /// Takes the step v ← μv − ε∇f, θ ← θ + v from the point at which the gradient was taken.
  public mutating func step(
    _ parameters: [Parameter], _ gradients: Cotangents, rate: Float, averages: [ParameterAverage]
  ) {
    let trainable = parameters.filter(\.isTrainable)
    prepare(trainable)
    guard let μ = begun else { preconditionFailure("a step begins with `begin`") }
    begun = nil
    steps += 1
    for (index, parameter) in trainable.enumerated() {
      // What is taken back of θ + μv, and the L2 penalty: 0 where there is none.
      let back = kind == .nesterov ? μ : 0
      let shrink = rate * weightDecay
      let gradient = gradients[parameter]
      averages.moving(with: parameter) { value, averages in
        Tensor.update(&value, &memory[index], by: gradient, averages: &averages) { θ, v, g in
          let new = v * μ - g * rate - θ * shrink
          return ((θ - v * back) + new, new)
        }
      }
    }
  }

  /// Takes the step's μ, and moves the parameters from θ to θ + μv, where Nesterov's gradient is
  /// taken; classical momentum stays at θ.
  public mutating func begin(_ parameters: [Parameter], at moment: Moment) {
    precondition(begun == nil, "a step follows each `begin`")
    let μ = schedule(moment)
    begun = μ
    guard kind == .nesterov else { return }
    let trainable = parameters.filter(\.isTrainable)
    prepare(trainable)
    for (index, parameter) in trainable.enumerated() {
      parameter.change { $0.merge(memory[index]) { θ, v in θ + v * μ } }
    }
  }

  private mutating func prepare(_ trainable: [Parameter]) {
    if memory.isEmpty { memory = trainable.map { Tensor(repeating: 0, $0.value.shape) } }
    precondition(memory.count == trainable.count, "the parameters changed between steps")
  }
}

/// Adam: steps scaled by running moments of the gradient.
///
/// m ← β₁m + (1−β₁)g, s ← β₂s + (1−β₂)g², θ ← θ − ε·m̂/(√ŝ + δ) with m̂ = m/(1−β₁ᵗ),
/// ŝ = s/(1−β₂ᵗ). Source: Kingma & Ba 2015, algorithm 1.
public struct Adam: Optimiser {
  private let β1: Float
  private let β2: Float
  private let δ: Float
  /// The number of steps taken.
  public var steps = 0
  /// First and second moments in turn, two a trainable parameter; empty before the first step.
  public var memory: [Tensor] = []
  /// Both moments.
  public var memoriesPerParameter: Int { 2 }

  /// A rule with the paper's constants unless others are given.
  public init(beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-8) {
    (β1, β2, δ) = (beta1, beta2, epsilon)
  }

  /// Takes one step of algorithm 1.
  public mutating func step(
    _ parameters: [Parameter], _ gradients: Cotangents, rate: Float, averages: [ParameterAverage]
  ) {
    let trainable = parameters.filter(\.isTrainable)
    if memory.isEmpty {
      memory = trainable.flatMap {
        [Tensor(repeating: 0, $0.value.shape), Tensor(repeating: 0, $0.value.shape)]
      }
    }
    precondition(memory.count == 2 * trainable.count, "the parameters changed between steps")
    steps += 1
    let (β1, β2, δ) = (β1, β2, δ)
    let firstScale = rate / Float(1 - pow(Double(β1), Double(steps)))
    let secondScale = 1 / Float(1 - pow(Double(β2), Double(steps)))
    for (index, parameter) in trainable.enumerated() {
      let gradient = gradients[parameter]
      averages.moving(with: parameter) { value, averages in
        memory.withUnsafeMutableBufferPointer { memory in
          Tensor.update(
            &value, &memory[2 * index], &memory[2 * index + 1], by: gradient, averages: &averages
          ) { θ, m, s, g in
            let m = m + (g - m) * (1 - β1)
            let s = s + (g * g - s) * (1 - β2)
            return (θ - m * firstScale / (VectorMath.squareRoot(s * secondScale) + δ), m, s)
          }
        }
      }
    }
  }
}
