import Tensors

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

/// y = f(x·W + b): a fully connected layer backwards, by the weights of `affine` (tied weights).
///
/// Shapes: x `[n, out]`, weight `[out, in]`, bias `[in]` → `[n, in]`. Pullback, with z̄ = ȳ ⊙ f′(y):
/// x̄ = z̄·Wᵀ, W̄ = xᵀ·z̄, b̄ = Σ rows of z̄. Source: Vincent et al. 2010 (W′ = Wᵀ).
public func transposedAffine(
  _ x: Variable, _ weight: Variable, _ bias: Variable, activation: Activation = .identity
) -> Variable {
  let (a, w) = (x.value, weight.value)
  let needs = (x: x.needsGradient, weight: weight.needsGradient, bias: bias.needsGradient)
  var y = a.product(w)
  y.addToRows(bias.value, activation: activation)
  return x.tape.record(.transposedAffine, y, from: [x, weight, bias]) { [y] ȳ in
    let z̄ =
      activation == .identity ? ȳ : ȳ.zip(y) { $0 * activation.derivative(fromOutput: $1) }
    return [
      needs.x ? z̄.product(w, transposing: .second) : nil,
      needs.weight ? a.product(z̄, transposing: .first) : nil,
      needs.bias ? z̄.sumOfRows() : nil,
    ]
  }
}
