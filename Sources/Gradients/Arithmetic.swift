import Tensors

/// z = x + y; pullback x̄ = ȳ = z̄.
public func + (x: Variable, y: Variable) -> Variable {
  x.tape.record(.add, x.value + y.value, from: [x, y]) { z̄ in [z̄, z̄] }
}

/// z = x − y; pullback x̄ = z̄, ȳ = −z̄.
public func - (x: Variable, y: Variable) -> Variable {
  let needsY = y.needsGradient
  return x.tape.record(.subtract, x.value - y.value, from: [x, y]) { z̄ in
    [z̄, needsY ? z̄ * -1 : nil]
  }
}

/// z = x ⊙ y; pullback x̄ = z̄ ⊙ y, ȳ = z̄ ⊙ x.
public func * (x: Variable, y: Variable) -> Variable {
  let (a, b) = (x.value, y.value)
  let (needsX, needsY) = (x.needsGradient, y.needsGradient)
  return x.tape.record(.multiply, a * b, from: [x, y]) { z̄ in
    [needsX ? z̄ * b : nil, needsY ? z̄ * a : nil]
  }
}

/// y = c·x for a number c; pullback x̄ = c·ȳ.
public func * (x: Variable, factor: Float) -> Variable {
  x.tape.record(.scale, x.value * factor, from: [x]) { ȳ in [ȳ * factor] }
}

/// y = Σᵢ xᵢ, a scalar; pullback x̄ᵢ = ȳ.
public func sum(_ x: Variable) -> Variable {
  let shape = x.shape
  return x.tape.record(.sum, Tensor(x.value.sum()), from: [x]) { ȳ in
    [Tensor(repeating: ȳ.scalar, shape)]
  }
}

/// y = (1/n) Σᵢ xᵢ, a scalar; pullback x̄ᵢ = ȳ/n.
public func mean(_ x: Variable) -> Variable { sum(x) * (1 / Float(x.value.count)) }

/// The same elements under another shape; the pullback reshapes back.
public func reshape(_ x: Variable, _ shape: Shape) -> Variable {
  let old = x.shape
  return x.tape.record(.reshape, x.value.reshaped(shape), from: [x]) { ȳ in [ȳ.reshaped(old)] }
}

/// Z = X·Y for matrices; pullback X̄ = Z̄·Yᵀ, Ȳ = Xᵀ·Z̄.
public func matrixProduct(_ x: Variable, _ y: Variable) -> Variable {
  let (a, b) = (x.value, y.value)
  let (needsX, needsY) = (x.needsGradient, y.needsGradient)
  return x.tape.record(.matrixProduct, a.product(b), from: [x, y]) { z̄ in
    [
      needsX ? z̄.product(b, transposing: .second) : nil,
      needsY ? a.product(z̄, transposing: .first) : nil,
    ]
  }
}

/// y = f(x·Wᵀ + b) for rows x: a fully connected layer with its activation f in one operation.
///
/// Shapes: x `[n, in]`, weight `[out, in]`, bias `[out]` → `[n, out]`. Pullback, with
/// z̄ = ȳ ⊙ f′(y): x̄ = z̄·W, W̄ = z̄ᵀ·x, b̄ = Σ rows of z̄.
public func affine(
  _ x: Variable, _ weight: Variable, _ bias: Variable, activation: Activation = .identity
) -> Variable {
  let (a, w) = (x.value, weight.value)
  let needs = (x: x.needsGradient, weight: weight.needsGradient, bias: bias.needsGradient)
  var y = a.product(w, transposing: .second)
  y.addToRows(bias.value, activation: activation)
  return x.tape.record(.affine, y, from: [x, weight, bias]) { [y] ȳ in
    let z̄ =
      activation == .identity ? ȳ : ȳ.zip(y) { $0 * activation.derivative(fromOutput: $1) }
    return [
      needs.x ? z̄.product(w) : nil,
      needs.weight ? z̄.product(a, transposing: .first) : nil,
      needs.bias ? z̄.sumOfRows() : nil,
    ]
  }
}
