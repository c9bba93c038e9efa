import Gradients
import Networks
import Tensors

/// What guesses a clean layer from the noisy one and from the layer above: the Gaussian combinator.
///
/// Ten numbers a₁…a₁₀ for each unit. Source: Rasmus et al. 2015, section 3.3.
package struct GaussianCombinator: Module {
  /// a₁…a₁₀, `[units]` each.
  package let a: [Parameter]

  /// A combinator whose sigmoids begin with slope 1, and everything else at 0: at first the guess is 0.
  package init(units: Int) {
    a = (1...10).map {
      Parameter("a\($0)", Tensor(repeating: $0 == 2 || $0 == 7 ? 1 : 0, [units]))
    }
  }

  // snippet.combinator
  /// ẑ = (z̃ − μ(u)) ⊙ υ(u) + μ(u): what is left of the noisy z̃, given u from above: `[n, m]`.
  package func callAsFunction(_ z̃: Variable, _ u: Variable) -> Variable {
    let (μ, υ) = bent(u)
    return (z̃ - μ) * υ + μ  // eq. 2
  }

  /// μ(u) = a₁σ(a₂u + a₃) + a₄u + a₅, and υ(u) likewise of a₆…a₁₀: below equation 2.
  package func bent(_ u: Variable) -> (mean: Variable, weight: Variable) {
    let a = a.map { u.tape($0) }
    func bend(_ first: Int) -> Variable {
      let s = featureAffine(u, scale: a[first + 1], shift: a[first + 2], activation: .sigmoid)
      return featureAffine(s, scale: a[first], shift: a[first + 4]) + u * a[first + 3]
    }
    return (bend(0), bend(5))
  }
  // snippet.end
}

/// The running mean and unbiased variance of a layer in clean passes, as evaluation takes them.
struct LadderStatistics: Module {
  /// `[features]` each.
  let mean, variance: Parameter

  init(features: Int) {
    mean = Parameter("mean", Tensor(repeating: 0, [features]), isTrainable: false)
    variance = Parameter("variance", Tensor(repeating: 1, [features]), isTrainable: false)
  }

  /// Moves towards the moments of a clean pass over so many samples of each feature.
  func move(to moments: (mean: Variable, variance: Variable), samples: Int, share: Float) {
    precondition(!moments.mean.tape.readsCopy, "the running statistics of a copy do not move")
    let unbiased = share * Float(samples) / Float(max(1, samples - 1))
    mean.value = mean.value * (1 - share) + moments.mean.value * share
    variance.value = variance.value * (1 - share) + moments.variance.value * unbiased
  }
}
