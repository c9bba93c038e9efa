import Tensors

/// y = f(x) for an activation f; pullback x̄ = ȳ ⊙ f′, read off the output.
private func activate(_ operation: Operation, _ x: Variable, _ f: Activation) -> Variable {
  let y = x.value.map { f($0) }
  return x.tape.record(operation, y, from: [x]) { ȳ in
    [ȳ.zip(y) { $0 * f.derivative(fromOutput: $1) }]
  }
}

/// y = max(0, x); pullback x̄ = ȳ where y > 0, else 0 (at the kink too).
public func relu(_ x: Variable) -> Variable { activate(.relu, x, .relu) }

/// y = x where x > 0, else slope·x; pullback x̄ = ȳ or slope·ȳ (Maas, Hannun & Ng 2013).
public func leakyReLU(_ x: Variable, slope: Float = 0.1) -> Variable {
  activate(.leakyReLU, x, .leakyReLU(slope: slope))
}

/// y = 1/(1 + e⁻ˣ); pullback x̄ = ȳ·y(1 − y) (chapter 1.1).
public func sigmoid(_ x: Variable) -> Variable { activate(.sigmoid, x, .sigmoid) }

/// y = tanh x; pullback x̄ = ȳ·(1 − y²) (chapter 1.1).
public func tanh(_ x: Variable) -> Variable { activate(.tanh, x, .tanh) }

/// y = ln(1 + eˣ); pullback x̄ = ȳ·σ(x).
public func softplus(_ x: Variable) -> Variable {
  let a = x.value
  return x.tape.record(.softplus, a.map { VectorMath.softplus($0) }, from: [x]) { ȳ in
    [ȳ.zip(a) { $0 * VectorMath.sigmoid($1) }]
  }
}

/// y = eˣ; pullback x̄ = ȳ·y.
public func exp(_ x: Variable) -> Variable {
  let y = x.value.map { VectorMath.exp($0) }
  return x.tape.record(.exp, y, from: [x]) { ȳ in [ȳ * y] }
}

/// y = ln x; pullback x̄ = ȳ/x.
public func log(_ x: Variable) -> Variable {
  let a = x.value
  return x.tape.record(.log, a.map { VectorMath.log($0) }, from: [x]) { ȳ in
    [ȳ.zip(a) { $0 / $1 }]
  }
}

/// P = softmax(βx) row by row; pullback x̄ = β·P ⊙ (P̄ − ⟨P̄, P⟩) (chapter 1.2).
///
/// Shapes: `[n, k] → [n, k]`. β is the inverse temperature; the lab sheet writes e^(−βx), its β
/// is minus this one.
public func softmax(_ x: Variable, inverseTemperature β: Float = 1) -> Variable {
  let p = softmaxRows(x.value, β)
  return x.tape.record(.softmax, p, from: [x]) { p̄ in
    let k = p.shape[1]
    let x̄ = Tensor(uninitialized: p.shape) { x̄ in
      for row in 0..<p.shape[0] {
        let places = row * k..<(row + 1) * k
        let inner = places.reduce(Float(0)) { $0 + p̄.pointer[$1] * p.pointer[$1] }
        for i in places { x̄[i] = β * p.pointer[i] * (p̄.pointer[i] - inner) }
      }
    }
    return [x̄]
  }
}

/// The softmax of each row of βx, shifted by the row's largest so that no exponential overflows.
func softmaxRows(_ x: Tensor, _ β: Float) -> Tensor {
  precondition(x.shape.rank == 2, "rows of logits wanted: \(x.shape)")
  let k = x.shape[1]
  var p = Tensor(uninitialized: x.shape) { p in
    for row in 0..<x.shape[0] {
      let places = row * k..<(row + 1) * k
      let largest = places.reduce(-Float.infinity) { max($0, β * x.pointer[$1]) }
      for i in places { p[i] = β * x.pointer[i] - largest }
    }
  }
  p.mutate { VectorMath.exp($0) }
  p.withUnsafeMutableBufferPointer { p in
    for row in 0..<x.shape[0] {
      let places = row * k..<(row + 1) * k
      let total = places.reduce(Float(0)) { $0 + p[$1] }
      for i in places { p[i] /= total }
    }
  }
  return p
}
