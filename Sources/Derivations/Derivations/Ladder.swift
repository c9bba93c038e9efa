import RealModule

// Rasmus et al. 2015: the ladder network's cost where only the top layer has one, the Γ-model.

extension Derivation {
  static let ladder: [Derivation] = [
    Derivation(
      "3.3.1", "gamma", "The cost of the ladder's Γ-model",
      question: """
        The noisy pass gives an image of class $c$ the probabilities $P_k$. The top layer's $m$ units \
        are $z_k$ in the clean pass, normalised. The decoder guesses $\\hat z_k$, `zhat[k]`, which is \
        then normalised by the clean pass's means $\\mu_k$ and deviations $\\sigma_k$. The weight of \
        the denoising cost is $\\lambda$. What is the cost of the image (Rasmus et al. 2015)?
        """,
      prompt:
        "What is the Γ-model's cost of an image of class c? P noisy, z clean, zhat guessed, not yet "
        + "normalised by mu and sigma.",
      symbols: [
        Symbol("a", "the logits of the noisy pass", .vector(-2...2)),
        Symbol(
          "P", "the probabilities of the noisy pass",
          .vectorDefinition("1/sum(l, exp(a[l] - a[k]))", index: "k")),
        Symbol("c", "the class", .index),
        Symbol("z", "the clean top layer, normalised", .vector(-2...2)),
        Symbol("ztilde", "the noisy top layer", .vector(-2...2)),
        Symbol("zhat", "the decoder's guess of it", .vector(-2...2)),
        Symbol("mu", "the clean pass's means", .vector(-2...2)),
        Symbol("sigma", "the clean pass's deviations", .vector(0.5...2)),
        Symbol("lambda", "the weight of the denoising cost", .number(0.2...5)),
        Symbol("m", "the units of the top layer", .definition("sum(k, 1)")),
      ],
      answer: "-ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)",
      hints: [
        "It has two parts: one that needs the label, and one that does not.",
        "The second is λ times a mean over units of squares: clean layer less normalised guess.",
        "The answer is `-ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)`.",
      ],
      lookalikes: [
        Lookalike(
          "lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)",
          "This is the denoising cost alone; the labelled part is missing."),
        Lookalike("-ln(P[c])", "This is the labelled part alone; the denoising cost is missing."),
        Lookalike(
          "-ln(P[c]) + lambda/m*sum(k, (z[k] - zhat[k])^2)",
          "The guess has to be normalised by the clean pass's means and deviations."),
        Lookalike(
          "-ln(P[c]) + lambda*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)",
          "The denoising cost is off by the factor m: it is a mean over the units, so 1/m is missing."
        ),
        Lookalike(
          "-ln(P[c]) + lambda/m*sum(k, (ztilde[k] - (zhat[k] - mu[k])/sigma[k])^2)",
          "The target is the clean layer z, and this takes the noisy one."),
        Lookalike(
          "-ln(P[c]) + 1/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)",
          "The denoising cost has no weight: lambda is missing."),
        Lookalike(
          "ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)",
          "The labelled part is off by its sign: the logarithm of a probability is negative."),
        Lookalike(
          "-ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k]^2)^2)",
          "The guess is divided by the variance; it should be by the deviation."),
      ],
      stresses: [
        Stress("every a") { point, shift in
          point.vectors["a"] = point.vectors["a"]!.map { $0 + shift }
        }
      ],
      truth: { point in
        // The logarithm of the sum, and the square by its three terms.
        let a = point.vectors["a"]!
        let label = Double.log(a.reduce(0) { $0 + .exp($1) }) - a[point.indices["c"]!]
        let (z, ẑ) = (point.vectors["z"]!, point.vectors["zhat"]!)
        let (μ, σ) = (point.vectors["mu"]!, point.vectors["sigma"]!)
        let g = ẑ.indices.map { (ẑ[$0] - μ[$0]) * (1 / σ[$0]) }
        let squares = zip(z, g).reduce(0) { $0 + $1.0 * $1.0 - 2 * $1.0 * $1.1 + $1.1 * $1.1 }
        return label + point.scalars["lambda"]! * squares / Double(z.count)
      },
      answers: [
        Answer(
          "-ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)", .right,
          "by algebra"),
        Answer("-log(P_c) + λ·sum(k, (z_k − (zhat_k − μ_k)/σ_k)²)/m", .right, "by algebra"),
        Answer(
          "ln(1/P[c]) + lambda/m*sum(k, ((zhat[k] - mu[k])/sigma[k] - z[k])^2)", .right,
          "by algebra"),
        Answer(
          "-ln(P[c]) + sum(k, lambda*(z[k] - (zhat[k] - mu[k])/sigma[k])^2)/sum(k, 1)", .right),
        Answer(
          "ln(sum(k, exp(a[k]))) - a[c] + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)",
          .unstable, "when every a is"),
        Answer(
          "-a[c] + ln(sum(k, exp(a[k] - a[c]))) + a[c] "
            + "+ lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)", .right),
        Answer("-ln(P[c])", .lookalike, "denoising cost is missing"),
        Answer(
          "lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)", .lookalike, "labelled part"),
        Answer("-ln(P[c]) + lambda/m*sum(k, (z[k] - zhat[k])^2)", .lookalike, "normalised"),
        Answer(
          "-ln(P[c]) + lambda*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)", .lookalike, "1/m"),
        Answer(
          "-ln(P[c]) + lambda/m*sum(k, (ztilde[k] - (zhat[k] - mu[k])/sigma[k])^2)", .lookalike,
          "noisy"),
        Answer(
          "ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)", .lookalike, "sign"),
        Answer(
          "-ln(P[c]) + lambda/m*sum(k, z[k] - (zhat[k] - mu[k])/sigma[k])", .different),
        Answer(
          "-ln(P[c]) + lambda/m*sum(k, (z[k] - (zhat[k] + mu[k])/sigma[k])^2)", .slip, "sign"),
        Answer(
          "-ln(P[c]) + lambda/(2*m)*sum(k, (z[k] - (zhat[k] - mu[k])/sigma[k])^2)", .slip, "number"),
        Answer("-ln(P) + lambda/m*sum(k, z[k]^2)", nil, "vector"),
      ])
  ]
}
