import Tensors

/// y = (x − μ)·(1/σ) for two numbers: pixels at mean 0 and deviation 1 over the data, say.
///
/// Any shape. Pullback x̄ = ȳ·(1/σ), so that a gradient reaches the images; of a constant it is a
/// constant.
public func standardised(_ x: Variable, mean μ: Float, deviation σ: Float) -> Variable {
  let scale = 1 / σ
  return x.tape.record(.standardisedByNumbers, x.value.map { ($0 - μ) * scale }, from: [x]) { ȳ in
    [ȳ * scale]
  }
}

/// Batch normalisation over the batch at hand, with its activation f.
///
/// y = f(γ·(x − μ)/√(σ² + ε) + β) with μ and σ² of each feature over the batch: the columns of
/// `[n, c]` or the channels of `[c, n, h, w]`; γ and β `[c]`. The moments come back too: running
/// averages need them, and so do the lateral costs of a ladder network.
///
/// Pullback, with z̄ = ȳ ⊙ f′(y), x̂ = (x − μ)/s, s = √(σ² + ε) and m samples: β̄ = Σz̄, γ̄ = Σz̄x̂,
/// x̄ = γ/s·(z̄ − β̄/m − x̂·γ̄/m). Source: Ioffe & Szegedy 2015, algorithm 1 and section 3.
public func batchNormalised(
  _ x: Variable, scale γ: Variable, shift β: Variable, epsilon ε: Float = 1e-5,
  activation: Activation = .identity
) -> (y: Variable, moments: Moments) {
  let (a, g) = (x.value, γ.value)
  let needsX = x.needsGradient
  let moments = a.moments()
  let inverse = moments.variance.map { 1 / ($0 + ε).squareRoot() }
  let factor = g * inverse
  let offset = β.value - moments.mean * factor
  let y = a.scaled(byFeature: factor, shift: offset, activation: activation)
  let samples = Float(a.count / g.count)
  let result = x.tape.record(.batchNormalised, y, from: [x, γ, β]) { ȳ in
    let (β̄, product) = ȳ.featureSums(
      with: a, mean: moments.mean, output: y, activation: activation)
    let γ̄ = product * inverse
    guard needsX else { return [nil, γ̄, β̄] }
    let x̄ = ȳ.featureCombination(
      with: a, mean: moments.mean, output: y, activation: activation,
      factor, factor * inverse * γ̄ * (-1 / samples), factor * β̄ * (-1 / samples))
    return [x̄, γ̄, β̄]
  }
  return (result, moments)
}

/// y = f(s·x + t) with a scale and a shift for each feature: normalisation by known statistics.
///
/// Shapes: x `[n, c]` or `[c, n, h, w]`, s and t `[c]`. Pullback, with z̄ = ȳ ⊙ f′(y): x̄ = s·z̄,
/// s̄ = Σz̄x, t̄ = Σz̄.
public func featureAffine(
  _ x: Variable, scale: Variable, shift: Variable, activation: Activation = .identity
) -> Variable {
  let (a, s) = (x.value, scale.value)
  let needsX = x.needsGradient
  let y = a.scaled(byFeature: s, shift: shift.value, activation: activation)
  return x.tape.record(.featureAffine, y, from: [x, scale, shift]) { ȳ in
    let zero = Tensor(repeating: 0, s.shape)
    let (t̄, s̄) = ȳ.featureSums(with: a, mean: zero, output: y, activation: activation)
    guard needsX else { return [nil, s̄, t̄] }
    let x̄ = ȳ.featureCombination(
      with: a, mean: zero, output: y, activation: activation, s, zero, zero)
    return [x̄, s̄, t̄]
  }
}
