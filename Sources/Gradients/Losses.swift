import Foundation
import Tensors

/// The mean cross-entropy of softmax(logits) with the true classes.
///
/// L = −(1/n) Σ ln P(label); pullback x̄ = (P − one-hot)/n · L̄ (chapter 1.2). Shapes: logits
/// `[n, k]`, n labels in 0 ..< k → a scalar.
public func softmaxCrossEntropy(logits: Variable, labels: [Int]) -> Variable {
  let (n, k) = (logits.shape[0], logits.shape[1])
  precondition(labels.count == n, "\(labels.count) labels for \(n) rows")
  let p = softmaxRows(logits.value, 1)
  var loss = 0.0
  for (row, label) in labels.enumerated() {
    loss -= logProbability(logits.value, row: row, label: label)
  }
  return logits.tape.record(
    .softmaxCrossEntropy, Tensor(Float(loss / Double(n))), from: [logits]
  ) { L̄ in
    var x̄ = p
    x̄.withUnsafeMutableBufferPointer { x̄ in
      for (row, label) in labels.enumerated() { x̄[row * k + label] -= 1 }
    }
    return [x̄ * (L̄.scalar / Float(n))]
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

/// The mean cross-entropy of softmax(logits) with target distributions that carry no gradient.
///
/// L = −(1/n) Σ q·ln P; pullback x̄ = (P·Σq − q)/n · L̄. Shapes: both `[n, k]` → a scalar.
public func softmaxCrossEntropy(logits: Variable, targets: Tensor) -> Variable {
  precondition(logits.shape == targets.shape, "\(logits.shape) and \(targets.shape)")
  let (n, k) = (logits.shape[0], logits.shape[1])
  let p = softmaxRows(logits.value, 1)
  var loss = 0.0
  for row in 0..<n {
    for label in 0..<k where targets[row * k + label] != 0 {
      loss -=
        Double(targets[row * k + label]) * logProbability(logits.value, row: row, label: label)
    }
  }
  return logits.tape.record(
    .softmaxCrossEntropyWithTargets, Tensor(Float(loss / Double(n))), from: [logits]
  ) { L̄ in
    let x̄ = Tensor(uninitialized: p.shape) { x̄ in
      for row in 0..<n {
        let places = row * k..<(row + 1) * k
        let mass = places.reduce(Float(0)) { $0 + targets.pointer[$1] }
        for i in places {
          x̄[i] = (p.pointer[i] * mass - targets.pointer[i]) * L̄.scalar / Float(n)
        }
      }
    }
    return [x̄]
  }
}

/// The mean over rows of the squared distance: L = (1/n) Σ ‖x − y‖².
///
/// Shapes: two of one shape, n its first extent → a scalar. Pullback x̄ = 2(x − y)/n · L̄, ȳ = −x̄.
public func squaredError(_ x: Variable, _ y: Variable) -> Variable {
  let difference = x.value - y.value
  let scale = 1 / Float(x.shape[0])
  let needsY = y.needsGradient
  return x.tape.record(
    .squaredError, Tensor(difference.sumOfSquares() * scale), from: [x, y]
  ) { L̄ in
    let x̄ = difference * (2 * scale * L̄.scalar)
    return [x̄, needsY ? x̄ * -1 : nil]
  }
}

/// The mean over rows of the cross-entropy of Bernoulli units, given by their logits.
///
/// L = (1/n) Σ softplus(x) − t·x, which is −t·ln σ(x) − (1 − t)·ln(1 − σ(x)) without overflow;
/// pullback x̄ = (σ(x) − t)/n · L̄. Shapes: two of one shape, n its first extent → a scalar.
public func bernoulliCrossEntropy(logits: Variable, targets: Tensor) -> Variable {
  let x = logits.value
  let scale = 1 / Float(x.shape[0])
  let terms = x.zip(targets) { VectorMath.softplus($0) - $1 * $0 }
  return logits.tape.record(
    .bernoulliCrossEntropy, Tensor(terms.sum() * scale), from: [logits]
  ) { L̄ in
    let factor = scale * L̄.scalar
    return [x.zip(targets) { (VectorMath.sigmoid($0) - $1) * factor }]
  }
}
