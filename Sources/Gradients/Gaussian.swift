import Tensors

/// The divergence of each example's diagonal Gaussian from the standard normal: KL(q‖p).
///
/// ℓ = ½ Σ (μ² + σ² − 1 − ln σ²), of s = ln σ²; pullback μ̄ = μ·ℓ̄, s̄ = ½(eˢ − 1)·ℓ̄, ℓ̄ = L̄/n for the
/// mean. Shapes: two of one shape, `[n, c]` or `[c, n, h, w]` → a scalar, or `[n]` when nothing is
/// reduced. Source: Kingma & Welling 2014, appendix B.
public func gaussianDivergence(
  mean: Variable, logVariance: Variable, reducing reduction: Reduction = .mean
) -> Variable {
  let (μ, s) = (mean.value, logVariance.value)
  precondition(μ.shape == s.shape, "\(μ.shape) and \(s.shape)")
  let terms = μ.zip(s) { ($0 * $0 + (VectorMath.exp($1) - 1 - $1)) * 0.5 }
  let loss = reduction(μ.shape.exampleCount, terms.sum(), perExample: terms.sumPerExample())
  let needs = (mean: mean.needsGradient, logVariance: logVariance.needsGradient)
  return mean.tape.record(.gaussianDivergence, loss, from: [mean, logVariance]) { L̄ in
    [
      needs.mean ? reduction.pullback(μ, L̄) : nil,
      needs.logVariance
        ? reduction.pullback(s.map { VectorMath.exp($0) - 1 }, L̄, factor: 0.5) : nil,
    ]
  }
}

/// A draw from a diagonal Gaussian through which gradients reach its mean and variance.
///
/// z = μ + e^(s/2)·ε with s = ln σ² and ε standard normal; pullback μ̄ = z̄, s̄ = ½ z̄ ⊙ e^(s/2)·ε.
/// Shapes: all the same. Source: Kingma & Welling 2014, section 2.4 (the reparametrisation).
public func gaussianSample(
  mean: Variable, logVariance: Variable, using stream: inout RandomStream
) -> Variable {
  precondition(mean.shape == logVariance.shape, "\(mean.shape) and \(logVariance.shape)")
  let ε = stream.normal(mean.shape)
  let noise = logVariance.value.zip(ε) { VectorMath.exp($0 * 0.5) * $1 }
  let needsVariance = logVariance.needsGradient
  return mean.tape.record(.gaussianSample, mean.value + noise, from: [mean, logVariance]) { z̄ in
    [z̄, needsVariance ? z̄.zip(noise) { $0 * $1 * 0.5 } : nil]
  }
}
