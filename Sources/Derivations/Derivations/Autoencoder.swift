import RealModule

// Kingma and Welling 2014: the divergence in the variational auto-encoder's bound. The truth is an
// integral, by the trapezoidal rule: for a Gaussian it is right to rounding.

extension Derivation {
  static let autoencoder: [Derivation] = [
    Derivation(
      "3.3.2", "kl", "The divergence of the variational auto-encoder",
      question: """
        The encoder gives a latent unit the distribution $q = N(\\mu, \\sigma^2)$; its prior is \
        $p = N(0, 1)$. What is $\\mathrm{KL}(q \\,\\|\\, p) = \\int q \\ln\\frac{q}{p}$?
        """,
      prompt: "q = N(mu, sigma^2) and p = N(0, 1). What is KL(q‖p), the mean of ln(q/p) under q?",
      symbols: [
        Symbol("mu", "the mean", .number(-2...2)),
        Symbol("sigma", "the deviation", .number(0.3...2)),
      ],
      answer: "(mu^2 + sigma^2 - 1 - ln(sigma^2))/2",
      hints: [
        "The logarithm of a Gaussian is a square and a constant; take the mean of both under q.",
        "Under q the mean of z² is μ² + σ², and that of (z − μ)²/σ² is one. The rest is a logarithm.",
        "The answer is `(mu^2 + sigma^2 - 1 - ln(sigma^2))/2`.",
      ],
      lookalikes: [
        Lookalike(
          "ln(sigma) + (1 + mu^2)/(2*sigma^2) - 1/2",
          "This is KL(p‖q), with the roles exchanged; KL(q‖p) is asked for."),
        Lookalike(
          "(mu^2 + sigma - 1 - ln(sigma))/2",
          "This takes sigma for the variance; here it is the deviation."),
        Lookalike(
          "(mu^2 + exp(sigma) - 1 - sigma)/2",
          "This takes sigma for the logarithm of the variance; here it is the deviation."),
        Lookalike(
          "(mu^2 + sigma^2 - 1 - ln(sigma))/2",
          "The logarithm should be of the variance: a factor 2 is missing before it."),
      ],
      stresses: [.scalar("mu")],
      truth: { point in
        let (μ, σ) = (point.scalars["mu"]!, point.scalars["sigma"]!)
        let steps = 2000
        let width = 24 * σ / Double(steps)
        return (0...steps).reduce(0) { sum, k in
          let z = μ - 12 * σ + Double(k) * width
          let u = (z - μ) / σ
          let q = Double.exp(-u * u / 2) / (σ * (2 * Double.pi).squareRoot())
          return sum + q * (-.log(σ) - u * u / 2 + z * z / 2) * width
        }
      },
      answers: [
        Answer("(mu^2 + sigma^2 - 1 - ln(sigma^2))/2", .right, "by algebra"),
        Answer("-1/2*(1 + ln(sigma^2) - mu^2 - sigma^2)", .right, "by algebra"),
        Answer("½·(μ² + σ² − 1) − ln(σ)", nil, "no meaning"),
        Answer("0.5·(μ² + σ² − 1) − ln(σ)", .right, "by algebra"),
        Answer("mu^2/2 + sigma^2/2 - 1/2 - log(sigma)", .right, "by algebra"),
        Answer("(mu^2 + sigma^2 - 1)/2 + ln(1/sigma)", .right, "by algebra"),
        Answer("(mu^2 + sigma^2 - 1)/2 - ln(sigma*exp(mu)) + mu", .unstable, "when mu is"),
        Answer("1/2*(1 + ln(sigma^2) - mu^2 - sigma^2)", .sign),
        Answer("mu^2 + sigma^2 - 1 - ln(sigma^2)", .factor, "factor 2"),
        Answer("(mu^2 + sigma^2 - ln(sigma^2))/2", .summand, "1/2"),
        Answer("(mu^2 + sigma^2 - 1 - ln(sigma))/2", .lookalike, "factor 2"),
        Answer("(mu^2 + sigma - 1 - ln(sigma))/2", .lookalike, "variance"),
        Answer("ln(sigma) + (1 + mu^2)/(2*sigma^2) - 1/2", .lookalike, "KL(p‖q)"),
        Answer("(sigma^2 - 1 - ln(sigma^2))/2", .summand, "mu^2"),
        Answer("(mu + sigma^2 - 1 - ln(sigma^2))/2", .slip, "exponent"),
        Answer("(mu^2 + sigma^2 - 1 + ln(sigma^2))/2", .slip, "sign"),
        Answer("(mu^2 + sigma^2 - 1 - ln(mu))/2", .undefined, "no number"),
        Answer("(mu^2 + s^2 - 1 - ln(s^2))/2", nil, "no “s”"),
      ])
  ]
}
