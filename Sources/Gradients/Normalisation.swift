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
  let result = x.tape.record(.batchNormalised, y, from: [x, γ, β]) { ȳ in
    let (x̄, γ̄, β̄) = normalisationPullback(
      a, y, moments.mean, inverse, factor: factor, ȳ, activation, needsX: needsX)
    return [x̄, γ̄, β̄]
  }
  return (result, moments)
}

/// The cotangents of x, scale and shift: `factor` is γ/s, `inverse` 1/s.
private func normalisationPullback(
  _ x: Tensor, _ y: Tensor, _ mean: Tensor, _ inverse: Tensor, factor: Tensor, _ ȳ: Tensor,
  _ activation: Activation, needsX: Bool = true
) -> (x: Tensor?, scale: Tensor, shift: Tensor) {
  let (β̄, product) = ȳ.featureSums(with: x, mean: mean, output: y, activation: activation)
  let γ̄ = product * inverse
  guard needsX else { return (nil, γ̄, β̄) }
  let samples = Float(x.count / mean.count)
  let x̄ = ȳ.featureCombination(
    with: x, mean: mean, output: y, activation: activation,
    factor, factor * inverse * γ̄ * (-1 / samples), factor * β̄ * (-1 / samples))
  return (x̄, γ̄, β̄)
}

/// Batch normalisation without scale and shift, and the moments that it took.
///
/// y = (x − μ)/√(σ² + ε) with μ and σ² of each feature over the batch at hand; both are variables
/// too, through which gradients flow: to standardise another pass by them, say, as a ladder network
/// does (Rasmus et al. 2015, algorithm 1). Detached, they are constants.
///
/// Shapes: x `[n, c]` or `[c, n, h, w]` → the same, and twice `[c]`; the variance is the biased one.
/// Pullback: that of `batchNormalised` with γ = 1; x̄ = μ̄/m and x̄ = 2(x − μ)·v̄/m for the moments.
public func normalised(
  _ x: Variable, epsilon ε: Float = 1e-5
) -> (y: Variable, mean: Variable, variance: Variable) {
  let a = x.value
  let moments = a.moments()
  let inverse = moments.variance.map { 1 / ($0 + ε).squareRoot() }
  let y = a.scaled(byFeature: inverse, shift: moments.mean * inverse * -1)
  let result = x.tape.record(.normalised, y, from: [x]) { ȳ in
    [normalisationPullback(a, y, moments.mean, inverse, factor: inverse, ȳ, .identity).x]
  }
  let (mean, variance) = variables(of: moments, x)
  return (result, mean, variance)
}

/// The mean and the biased variance of each feature over the batch, as variables.
///
/// Shapes: `[n, c]` or `[c, n, h, w]` → twice `[c]`. Pullback, with m samples of a feature:
/// x̄ = μ̄/m, and x̄ = 2(x − μ)·v̄/m.
public func moments(_ x: Variable) -> (mean: Variable, variance: Variable) {
  variables(of: x.value.moments(), x)
}

/// The moments of a batch on its tape.
private func variables(of moments: Moments, _ x: Variable) -> (mean: Variable, variance: Variable) {
  let (a, shape) = (x.value, x.shape)
  let samples = Float(a.count / moments.mean.count)
  let mean = x.tape.record(.featureMean, moments.mean, from: [x]) { μ̄ in
    [Tensor(repeating: 1 / samples, shape) * μ̄]
  }
  let variance = x.tape.record(.featureVariance, moments.variance, from: [x]) { v̄ in
    [(a - moments.mean) * (v̄ * (2 / samples))]
  }
  return (mean, variance)
}

/// y = (x − μ)/√(v + ε) by moments of each feature that come from elsewhere: another pass, say.
///
/// Shapes: x `[n, c]` or `[c, n, h, w]`, μ and v `[c]`. Pullback, with s = √(v + ε): x̄ = ȳ/s,
/// μ̄ = −Σȳ/s, v̄ = −½ Σ ȳ ⊙ (x − μ)/s³. Source: Rasmus et al. 2015, algorithm 1 (the decoder's
/// output by the clean pass's moments).
public func standardised(
  _ x: Variable, mean: Variable, variance: Variable, epsilon ε: Float = 1e-5
) -> Variable {
  let (a, μ) = (x.value, mean.value)
  let inverse = variance.value.map { 1 / ($0 + ε).squareRoot() }
  let y = a.scaled(byFeature: inverse, shift: μ * inverse * -1)
  let needs = (x: x.needsGradient, moments: mean.needsGradient || variance.needsGradient)
  return x.tape.record(.standardised, y, from: [x, mean, variance]) { ȳ in
    let x̄ = needs.x ? ȳ * inverse : nil
    guard needs.moments else { return [x̄, nil, nil] }
    let (sum, product) = ȳ.featureSums(with: a, mean: μ, output: y, activation: .identity)
    return [x̄, sum * inverse * -1, product * inverse * inverse * inverse * -0.5]
  }
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
