import RealModule

// Chapter 2.1: momentum and Nesterov's rule. The truth keeps no velocity: both rules are run as
// recurrences of positions, and the velocity is read off as a difference.

extension Derivation {
  static let momentum: [Derivation] = [
    Derivation(
      "2.1", "momentum", "The velocity of classical momentum",
      question: """
        Classical momentum goes from $\\theta$ to $\\theta + v'$. With the old velocity $v$, the \
        coefficient $\\mu$ and the learning rate $\\varepsilon$, what is the new velocity $v'$? The \
        gradient of $f$ at a place is `grad(…)`.
        """,
      prompt:
        "The step is θ' = θ + v'. What is momentum's new velocity v', from v, mu, eps and grad?",
      symbols: ball,
      answer: "mu*v - eps*grad(theta)",
      hints: [
        "The new velocity is a sum: what is kept of the old one, and what the slope adds.",
        "The share μ is kept; the slope is taken where the ball lies, and pushes downhill.",
        "The answer is `mu*v - eps*grad(theta)`.",
      ],
      lookalikes: [
        Lookalike(
          "mu*v - eps*grad(theta + mu*v)", "This is Nesterov's, you were asked for momentum."),
        Lookalike(
          "theta + mu*v - eps*grad(theta)", "This is the new place; the new velocity is asked for."),
        Lookalike("-eps*grad(theta)", "This is plain gradient descent, which remembers nothing."),
        Lookalike(
          "theta - eps*grad(theta)", "This is plain gradient descent, and its place at that."),
        Lookalike(
          "mu*v + grad(theta)",
          "This is the buffer of PyTorch, where the step is −ε times it; here the step is v' itself."
        ),
        Lookalike("mu*v + eps*grad(theta)", "This goes uphill: the slope's sign is wrong."),
        Lookalike("mu*v - grad(theta)", "The slope has no rate: eps is missing."),
        Lookalike(
          "mu*(v - eps*grad(theta))", "The new slope is not damped: mu belongs to the old velocity."
        ),
        Lookalike("v - eps*grad(theta)", "Of the old velocity only the share mu is kept."),
        Lookalike(
          "v + eps*grad(theta)",
          "The slope's sign is wrong, and of the old velocity only the share mu is kept."),
        Lookalike(
          "mu*v - eps*(1 - mu)*grad(theta)",
          "This is a moving average of slopes: off in the slope by the factor 1 − mu."),
      ],
      truth: { step($0, looksAhead: false) },
      answers: [
        Answer("mu*v - eps*grad(theta)", .right, "by algebra"),
        Answer("μ·v − ε·∇f(θ)", .right, "by algebra"),
        Answer("-(eps*grad(theta) - mu*v)", .right, "by algebra"),
        Answer("mu*(v - eps/mu*grad(theta))", .right, "by algebra"),
        Answer("mu*v - eps*grad(theta + mu*v)", .lookalike, "This is Nesterov's"),
        Answer("theta + mu*v - eps*grad(theta)", .lookalike, "new place"),
        Answer("mu*v + eps*grad(theta)", .lookalike, "uphill"),
        Answer("-eps*grad(theta)", .lookalike, "plain"),
        Answer("mu*v + grad(theta)", .lookalike, "PyTorch"),
        Answer("mu*v - eps*(1 - mu)*grad(theta)", .lookalike, "1 − mu"),
        Answer("mu*v - grad(theta)", .lookalike, "eps is missing"),
        Answer("mu*(v - eps*grad(theta))", .lookalike, "damped"),
        Answer("v - eps*grad(theta)", .lookalike, "share mu"),
        Answer("v + eps*grad(theta)", .lookalike, "sign is wrong"),
        Answer("eps*grad(theta) - mu*v", .sign),
        Answer("mu*v - eps*grad(v)", .slip, "symbol"),
        Answer("mu*v - grad(theta)/eps", .slip, "divides"),
        Answer("mu*v - eps*grad", nil, "function"),
        Answer("mu*v - lr*grad(theta)", .right),
        Answer("mu*v - eps*gradient(theta)", nil, "no “gradient”"),
      ]),

    Derivation(
      "2.1", "nesterov", "The velocity of Nesterov's accelerated gradient",
      question: """
        Nesterov's accelerated gradient goes from $\\theta$ to $\\theta + v'$. With the old velocity \
        $v$, the coefficient $\\mu$ and the learning rate $\\varepsilon$, what is the new velocity \
        $v'$? The gradient of $f$ at a place is `grad(…)`.
        """,
      prompt:
        "The step is θ' = θ + v'. What is Nesterov's new velocity v', from v, mu, eps and grad?",
      symbols: ball,
      answer: "mu*v - eps*grad(theta + mu*v)",
      hints: [
        "It differs from momentum in one thing only.",
        "The step will carry the ball by what it keeps of its velocity; ask for the slope there.",
        "The answer is `mu*v - eps*grad(theta + mu*v)`.",
      ],
      lookalikes: [
        Lookalike("mu*v - eps*grad(theta)", "This is momentum's, you were asked for Nesterov's."),
        Lookalike(
          "theta + mu*v - eps*grad(theta + mu*v)",
          "This is the new place; the new velocity is asked for."),
        Lookalike(
          "mu*v - eps*grad(theta + v)",
          "The slope is taken a whole old step ahead; only mu*v of it will be made."),
        Lookalike(
          "mu*v - eps*grad(theta - mu*v)", "The slope is taken behind the ball, and not before it."),
        Lookalike("mu*v + eps*grad(theta + mu*v)", "This goes uphill: the slope's sign is wrong."),
        Lookalike("mu*v - grad(theta + mu*v)", "The slope has no rate: eps is missing."),
        Lookalike(
          "v - eps*grad(theta + mu*v)", "Of the old velocity only the share mu is kept."),
      ],
      truth: { step($0, looksAhead: true) },
      answers: [
        Answer("mu*v - eps*grad(theta + mu*v)", .right, "by algebra"),
        Answer("-eps*grad(v*mu + theta) + v*mu", .right, "by algebra"),
        Answer("μv − ε·∇f(θ + μ·v)", nil, "no “μv”"),
        Answer("μ·v − ε·∇f(θ + μ·v)", .right, "by algebra"),
        Answer("mu*v - eps*grad(theta)", .lookalike, "This is momentum's"),
        Answer("mu*v - grad(theta + mu*v)", .lookalike, "eps is missing"),
        Answer("mu*v - eps*grad(theta + v)", .lookalike, "whole old step"),
        Answer("mu*v - eps*grad(theta - mu*v)", .lookalike, "behind"),
        Answer("mu*v + eps*grad(theta + mu*v)", .lookalike, "uphill"),
        Answer("theta + mu*v - eps*grad(theta + mu*v)", .lookalike, "new place"),
        Answer("v - eps*grad(theta + mu*v)", .lookalike, "share"),
        Answer("eps*grad(theta + mu*v) - mu*v", .sign),
        Answer("mu*v - eps*grad(theta + eps*v)", .slip, "symbol"),
        Answer("mu*v - eps*(grad(theta) + grad(mu*v))", .different),
        Answer("mu*v - mu*grad(theta + mu*v)", .slip, "symbol"),
      ]),
  ]

  private static let ball: [Symbol] = [
    Symbol("theta", "the place", .number(-2...2)),
    Symbol("v", "the old velocity", .number(-2...2)),
    Symbol("mu", "the momentum coefficient", .number(0.2...0.95)),
    Symbol("eps", "the learning rate", .number(0.1...0.6), aliases: ["epsilon", "lr", "eta"]),
    Symbol("grad", "the gradient of f", .gradient),
  ]

  /// The next step of a recurrence of positions (Polyak 1964; Nesterov 1983), with the slope by the
  /// complex step from the function alone.
  private static func step(_ point: Point<Double>, looksAhead: Bool) -> Double {
    let s = point.scalars
    let (θ, μ, ε) = (s["theta"]!, s["mu"]!, s["eps"]!)
    let last = θ - s["v"]!
    let ahead = θ + μ * (θ - last)
    var there = point
    there.scalars["theta"] = looksAhead ? ahead : θ
    let slope = Route.slope(along: "theta", at: there) { Landscape.height($0.scalars["theta"]!) }
    return ahead - ε * slope - θ
  }
}
