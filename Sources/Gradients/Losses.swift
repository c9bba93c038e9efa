import Foundation
import Tensors

/// What becomes of the losses of a batch's examples, one each.
public enum Reduction: Sendable, CaseIterable {
  /// Their mean, a scalar.
  case mean
  /// Their sum, a scalar.
  case sum
  /// They stay as they are, `[n]`: to be weighted one by one, say.
  case none

  /// What the sum over n examples is divided by.
  fileprivate func divisor(_ n: Int) -> Float { self == .mean ? Float(n) : 1 }

  /// The losses of examples, reduced.
  fileprivate func callAsFunction(_ losses: [Double]) -> Tensor {
    guard self != .none else { return Tensor([losses.count], losses.map { Float($0) }) }
    return Tensor(Float(losses.reduce(0, +) / Double(divisor(losses.count))))
  }

  /// The sum over a batch of n examples, or that over each of them.
  func callAsFunction(
    _ n: Int, _ total: @autoclosure () -> Float, perExample: @autoclosure () -> Tensor
  ) -> Tensor {
    self == .none ? perExample() : Tensor(total() * (1 / divisor(n)))
  }

  /// A factor times the derivatives of the examples' losses, times the cotangent of each.
  func pullback(_ derivatives: Tensor, _ L̄: Tensor, factor: Float = 1) -> Tensor {
    guard self != .none else { return derivatives.scaledPerExample(L̄ * factor) }
    return derivatives * (factor * (1 / divisor(derivatives.shape.exampleCount)) * L̄.scalar)
  }
}

/// The cross-entropy of softmax(logits) with the true classes.
///
/// ℓ = −ln P(label); pullback x̄ = (P − one-hot)·ℓ̄, ℓ̄ = L̄/n for the mean (chapter 1.2). Shapes:
/// logits `[n, k]`, n labels in 0 ..< k → a scalar, or `[n]` when nothing is reduced.
public func softmaxCrossEntropy(
  logits: Variable, labels: [Int], reducing reduction: Reduction = .mean
) -> Variable {
  let (n, k) = (logits.shape[0], logits.shape[1])
  precondition(labels.count == n, "\(labels.count) labels for \(n) rows")
  let p = softmaxRows(logits.value, 1)
  let losses = labels.enumerated().map { -logProbability(logits.value, row: $0, label: $1) }
  return logits.tape.record(.softmaxCrossEntropy, reduction(losses), from: [logits]) { L̄ in
    var x̄ = p
    x̄.withUnsafeMutableBufferPointer { x̄ in
      for (row, label) in labels.enumerated() { x̄[row * k + label] -= 1 }
    }
    return [
      reduction == .none ? x̄.scaledPerExample(L̄) : x̄ * (L̄.scalar / reduction.divisor(n))
    ]
  }
}

/// `ln softmax(x)[label]` of one row, as `x[label] − max − ln Σ e^(x − max)`.
private func logProbability(_ x: Tensor, row: Int, label: Int) -> Double {
  let k = x.shape[1]
  precondition(label >= 0 && label < k, "label \(label) is not one of \(k) classes")
  let places = row * k..<(row + 1) * k
  let largest = places.reduce(-Float.infinity) { max($0, x.pointer[$1]) }
  let total = places.reduce(0.0) { $0 + Foundation.exp(Double(x.pointer[$1] - largest)) }
  return Double(x.pointer[row * k + label] - largest) - Foundation.log(total)
}

/// The cross-entropy of softmax(logits) with target distributions that carry no gradient.
///
/// ℓ = −Σ q·ln P; pullback x̄ = (P·Σq − q)·ℓ̄, ℓ̄ = L̄/n for the mean. Shapes: both `[n, k]` → a
/// scalar, or `[n]` when nothing is reduced.
public func softmaxCrossEntropy(
  logits: Variable, targets: Tensor, reducing reduction: Reduction = .mean
) -> Variable {
  precondition(logits.shape == targets.shape, "\(logits.shape) and \(targets.shape)")
  let (n, k) = (logits.shape[0], logits.shape[1])
  let p = softmaxRows(logits.value, 1)
  let losses = (0..<n).map { row in
    var loss = 0.0
    for label in 0..<k where targets[row * k + label] != 0 {
      loss -=
        Double(targets[row * k + label]) * logProbability(logits.value, row: row, label: label)
    }
    return loss
  }
  return logits.tape.record(
    .softmaxCrossEntropyWithTargets, reduction(losses), from: [logits]
  ) { L̄ in
    let divisor = reduction.divisor(n)
    let x̄ = Tensor(uninitialized: p.shape) { x̄ in
      for row in 0..<n {
        let places = row * k..<(row + 1) * k
        let mass = places.reduce(Float(0)) { $0 + targets.pointer[$1] }
        let ℓ̄ = L̄.pointer[reduction == .none ? row : 0]
        for i in places { x̄[i] = (p.pointer[i] * mass - targets.pointer[i]) * ℓ̄ / divisor }
      }
    }
    return [x̄]
  }
}

/// The squared distance of each example of x from that of y.
///
/// ℓ = ‖x − y‖²; pullback x̄ = 2(x − y)·ℓ̄, ȳ = −x̄, ℓ̄ = L̄/n for the mean. Shapes: two of one shape,
/// `[n]`, `[n, c]` or `[c, n, h, w]` → a scalar, or `[n]` when nothing is reduced.
public func squaredError(
  _ x: Variable, _ y: Variable, reducing reduction: Reduction = .mean
) -> Variable {
  precondition(x.shape == y.shape, "\(x.shape) and \(y.shape)")
  let difference = x.value - y.value
  let (needsX, needsY) = (x.needsGradient, y.needsGradient)
  let loss = reduction(
    x.shape.exampleCount, difference.sumOfSquares(),
    perExample: difference.map { $0 * $0 }.sumPerExample())
  return x.tape.record(.squaredError, loss, from: [x, y]) { L̄ in
    let x̄ = reduction.pullback(difference, L̄, factor: 2)
    return [needsX ? x̄ : nil, needsY ? x̄ * -1 : nil]
  }
}

/// The cross-entropy of each example's Bernoulli units, given by their logits.
///
/// ℓ = Σ softplus(x) − t·x, which is −t·ln σ(x) − (1 − t)·ln(1 − σ(x)) without overflow; pullback
/// x̄ = (σ(x) − t)·ℓ̄, ℓ̄ = L̄/n for the mean. Shapes: two of one shape, `[n]`, `[n, c]` or
/// `[c, n, h, w]` → a scalar, or `[n]` when nothing is reduced.
public func bernoulliCrossEntropy(
  logits: Variable, targets: Tensor, reducing reduction: Reduction = .mean
) -> Variable {
  let x = logits.value
  let terms = x.zip(targets) { VectorMath.softplus($0) - $1 * $0 }
  let loss = reduction(x.shape.exampleCount, terms.sum(), perExample: terms.sumPerExample())
  return logits.tape.record(.bernoulliCrossEntropy, loss, from: [logits]) { L̄ in
    [reduction.pullback(x.zip(targets) { VectorMath.sigmoid($0) - $1 }, L̄)]
  }
}
