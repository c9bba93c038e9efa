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

/// Batch normalisation over the batch at hand, with its activation f and a pooling if one follows.
///
/// y = f(γ·(x − μ)/√(σ² + ε) + β) with μ and σ² of each feature over the batch: the columns of
/// `[n, c]` or the channels of `[c, n, h, w]`; γ and β `[c]`. With `pooling`, y is the largest of each
/// 2 × 2 pixels of that. The moments come back too: running averages need them, and so do the
/// lateral costs of a ladder network.
///
/// Pullback, with z̄ = ȳ ⊙ f′(y), at the winners' places and 0 elsewhere where there is a pooling,
/// x̂ = (x − μ)/s, s = √(σ² + ε) and m samples: β̄ = Σz̄, γ̄ = Σz̄x̂, x̄ = γ/s·(z̄ − β̄/m − x̂·γ̄/m).
/// Source: Ioffe & Szegedy 2015, algorithm 1 and section 3.
public func batchNormalised(
  _ x: Variable, scale γ: Variable, shift β: Variable, epsilon ε: Float = 1e-5,
  activation: Activation = .identity, pooling: Bool = false
) -> (y: Variable, moments: Moments) {
  let needsX = x.needsGradient
  let (mapping, moments) = FeatureMapping.normalising(
    x.value, scale: γ.value, shift: β.value, epsilon: ε, activation: activation, pooling: pooling)
  let result = x.tape.record(.batchNormalised, mapping.output, from: [x, γ, β]) { ȳ in
    let parts = mapping.pullback(ȳ, needsInput: needsX)
    return [parts.input, parts.product * inverseDeviation(moments.variance, ε), parts.sum]
  }
  return (result, moments)
}

/// 1/√(v + ε).
private func inverseDeviation(_ variance: Tensor, _ ε: Float) -> Tensor {
  variance.map { 1 / VectorMath.squareRoot($0 + ε) }
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
  let features: Shape = [x.shape[x.shape.featureAxis]]
  let (mapping, moments) = FeatureMapping.normalising(
    x.value, scale: Tensor(repeating: 1, features), shift: Tensor(repeating: 0, features),
    epsilon: ε)
  let result = x.tape.record(.normalised, mapping.output, from: [x]) { ȳ in
    [mapping.pullback(ȳ).input]
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
  let inverse = inverseDeviation(variance.value, ε)
  let needs = (x: x.needsGradient, moments: mean.needsGradient || variance.needsGradient)
  let mapping = FeatureMapping(
    x.value, scale: inverse, shift: mean.value * inverse * -1, center: mean.value)
  return x.tape.record(.standardised, mapping.output, from: [x, mean, variance]) { ȳ in
    let parts = mapping.pullback(ȳ, needsInput: needs.x)
    guard needs.moments else { return [parts.input, nil, nil] }
    return [
      parts.input, parts.sum * inverse * -1,
      parts.product * inverse * inverse * inverse * -0.5,
    ]
  }
}

/// y = f(s·x + t) with a scale and a shift for each feature: normalisation by known statistics.
///
/// Shapes: x `[n, c]` or `[c, n, h, w]`, s and t `[c]`; with `pooling`, y is the largest of each 2 × 2
/// pixels. Pullback, with z̄ = ȳ ⊙ f′(y) at the winners' places: x̄ = s·z̄, s̄ = Σz̄x, t̄ = Σz̄.
public func featureAffine(
  _ x: Variable, scale: Variable, shift: Variable, activation: Activation = .identity,
  pooling: Bool = false
) -> Variable {
  let needsX = x.needsGradient
  let mapping = FeatureMapping(
    x.value, scale: scale.value, shift: shift.value, activation: activation, pooling: pooling)
  return x.tape.record(.featureAffine, mapping.output, from: [x, scale, shift]) { ȳ in
    let parts = mapping.pullback(ȳ, needsInput: needsX)
    return [parts.input, parts.product, parts.sum]
  }
}
