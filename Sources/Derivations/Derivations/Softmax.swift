import ComplexModule
import RealModule

// Chapter 1.2: the softmax of the lab sheet, with its −β.

extension Derivation {
  static let softmax: [Derivation] = [
    Derivation(
      "1.2", "same", "The softmax Jacobian where i = j",
      question: """
        Let $P_i = \\frac{e^{-\\beta x_i}}{\\sum_k e^{-\\beta x_k}}$. What is \
        $\\frac{\\partial P_i}{\\partial x_i}$?
        """,
      prompt: "P[i] = exp(-beta*x[i])/sum(k, exp(-beta*x[k])). What is ∂P[i]/∂x[i]?",
      symbols: outputs + [Symbol("i", "the element", .index)],
      answer: "-beta*P[i]*(1 - P[i])",
      hints: [
        "Numerator and denominator both move: use the quotient rule.",
        "The derivative of a power is −β times the power; divide both terms by the square of the sum.",
        "The answer is `-beta*P[i]*(1 - P[i])`.",
      ],
      lookalikes: [
        Lookalike(
          "beta*P[i]^2", "This is what i ≠ j would give; here the numerator moves as well."),
        Lookalike(
          "-beta*P[i]^2",
          "This is the denominator's part, with its sign turned; the numerator moves as well."),
      ],
      stresses: [everyInput],
      truth: { slope(of: "i", by: "i", at: $0) },
      answers: [
        Answer("-beta*P[i]*(1 - P[i])", .right, "by algebra"),
        Answer("β·P_i·(P_i − 1)", .right, "by algebra"),
        Answer("beta*(P[i]^2 - P[i])", .right, "by algebra"),
        Answer("-beta*P[i]*(sum(k, P[k]) - P[i])", .right, "by algebra"),
        Answer(
          "-beta*exp(-beta*x[i])/sum(k, exp(-beta*x[k]))*(1 - P[i])", .unstable, "when every x is"),
        Answer("P[i]*(1 - P[i])", .factor, "-1/beta"),
        Answer("beta*P[i]*(1 - P[i])", .sign),
        Answer("beta*P[i]^2", .lookalike, "numerator"),
        Answer("-beta*P[i]*P[i]", .lookalike, "sign turned"),
        Answer("-beta*P[i]*(1 + P[i])", .slip, "sign"),
        Answer("-beta*P[i]", .different),
        Answer("-P[i]*(1 - P[i])", .factor, "beta is missing"),
        Answer("-beta*P[j]*(1 - P[j])", nil, "index"),
        Answer("-beta*P*(1 - P)", nil, "vector"),
      ]),

    Derivation(
      "1.2", "other", "The softmax Jacobian where i ≠ j",
      question: """
        Let $P_i = \\frac{e^{-\\beta x_i}}{\\sum_k e^{-\\beta x_k}}$. What is \
        $\\frac{\\partial P_i}{\\partial x_j}$ for $i \\neq j$?
        """,
      prompt: "P[i] = exp(-beta*x[i])/sum(k, exp(-beta*x[k])). What is ∂P[i]/∂x[j] for i ≠ j?",
      symbols: outputs + pair, indices: .different,
      answer: "beta*P[i]*P[j]",
      hints: [
        "The numerator stands still: it has no x[j].",
        "The sum's derivative is −β times one power; a second power comes from the numerator.",
        "The answer is `beta*P[i]*P[j]`.",
      ],
      lookalikes: [
        Lookalike("-beta*P[i]*(1 - P[i])", "This is the case i = j; here the indices differ."),
        Lookalike("-beta*P[j]*(1 - P[j])", "This is the case i = j; here the indices differ."),
        Lookalike("0", "Every output depends on every input, through the sum: it is not 0."),
      ],
      stresses: [everyInput],
      truth: { slope(of: "i", by: "j", at: $0) },
      answers: [
        Answer("beta*P[i]*P[j]", .right, "by algebra"),
        Answer("P[j]*beta*P[i]", .right, "by algebra"),
        Answer("beta*P[i]*(P[j] - delta(i,j))", .right, "by algebra"),
        Answer("β P_i P_j", nil, "Put a *"),
        Answer("-beta*P[i]*P[j]", .sign),
        Answer("P[i]*P[j]", .factor, "beta is missing"),
        Answer("-P[i]*P[j]", .factor, "-1/beta"),
        Answer("0", .lookalike, "through the sum"),
        Answer("beta*P[i]^2", .factor, "P[i]/P[j]"),
        Answer("-beta*P[i]*(1 - P[i])", .lookalike, "i = j"),
        Answer("beta*P[i]", .factor, "P[j]"),
        Answer("beta^2*P[i]*P[j]", .factor, "beta"),
        Answer(
          "beta*exp(-beta*x[i] - beta*x[j])/sum(k, exp(-beta*x[k]))^2", .unstable, "when every x is"
        ),
      ]),

    Derivation(
      "1.2", "jacobian", "The softmax Jacobian, both cases in one",
      question: """
        Let $P_i = \\frac{e^{-\\beta x_i}}{\\sum_k e^{-\\beta x_k}}$. What is \
        $\\frac{\\partial P_i}{\\partial x_j}$, for all $i$ and $j$? Kronecker's $\\delta_{ij}$ is \
        `delta(i,j)`.
        """,
      prompt: "P[i] = exp(-beta*x[i])/sum(k, exp(-beta*x[k])). What is ∂P[i]/∂x[j], for all i, j?",
      symbols: outputs + pair,
      answer: "beta*P[i]*(P[j] - delta(i,j))",
      hints: [
        "Solve the two cases first, `lab try 1.2 same` and `lab try 1.2 other`.",
        "The cases have most in common; what only i = j has is multiplied by δ.",
        "The answer is `beta*P[i]*(P[j] - delta(i,j))`.",
      ],
      lookalikes: [
        Lookalike(
          "P[i]*(delta(i,j) - P[j])",
          "This is the Jacobian of the usual softmax, with +x in the exponent: the sheet's has −βx, "
            + "and yours is off by the factor −beta.")
      ],
      stresses: [everyInput],
      truth: { slope(of: "i", by: "j", at: $0) },
      answers: [
        Answer("beta*P[i]*(P[j] - delta(i,j))", .right, "by algebra"),
        Answer("beta*(P[i]*P[j] - P[i]*delta(i,j))", .right, "by algebra"),
        Answer("beta*P[j]*(P[i] - delta(i,j))", .right, "by algebra"),
        Answer("if(i == j, -beta*P[i]*(1 - P[i]), beta*P[i]*P[j])", .right, "by algebra"),
        Answer("β·P_i·(P_j − δ_ij)", .right, "by algebra"),
        Answer("P[i]*(delta(i,j) - P[j])", .lookalike, "factor −beta"),
        Answer("-beta*P[i]*(P[j] - delta(i,j))", .sign),
        Answer("P[i]*(P[j] - delta(i,j))", .factor, "beta is missing"),
        Answer("beta*P[i]*P[j]", .offDiagonal, "i ≠ j"),
        Answer("-beta*P[i]*(1 - P[i])", .diagonal, "i = j"),
        Answer("-beta*P[i]*(1 - P[i])*delta(i,j)", .diagonal, "wrong for i ≠ j"),
        Answer("beta*P[i]*(P[j] + delta(i,j))", .offDiagonal),
        Answer("beta*P[i]*(P[j] - 1)", .diagonal),
        Answer("2*beta*P[i]*(P[j] - delta(i,j))", .factor, "factor 2"),
        Answer("beta*P[i]*(P[j] - delta(i,k))", nil, "index"),
        Answer("beta*P[i]*(P[q] - delta(i,j))", nil, "index"),
      ]),

    Derivation(
      "1.2", "logarithm", "The Jacobian of the logarithm of the softmax",
      question: """
        Let $P_i = \\frac{e^{-\\beta x_i}}{\\sum_k e^{-\\beta x_k}}$. What is \
        $\\frac{\\partial \\ln P_i}{\\partial x_j}$, for all $i$ and $j$?
        """,
      prompt:
        "P[i] = exp(-beta*x[i])/sum(k, exp(-beta*x[k])). What is ∂ln P[i]/∂x[j], for all i, j?",
      symbols: outputs + pair,
      answer: "beta*(P[j] - delta(i,j))",
      hints: [
        "The logarithm of the quotient is a difference of two terms; differentiate each.",
        "Only where i = j the first term moves; the second moves always, by one probability.",
        "The answer is `beta*(P[j] - delta(i,j))`.",
      ],
      lookalikes: [
        Lookalike(
          "beta*P[i]*(P[j] - delta(i,j))", "This is the Jacobian of P; that of ln P is asked for."),
        Lookalike(
          "delta(i,j) - P[j]",
          "This is for the usual softmax, with +x in the exponent: off by the factor −beta."),
      ],
      stresses: [everyInput],
      truth: { point in
        let (i, j) = (point.indices["i"]!, point.indices["j"]!)
        return Route.slope(along: "x", j, at: point) { .log(probabilities($0)[i]) }
      },
      answers: [
        Answer("beta*(P[j] - delta(i,j))", .right, "by algebra"),
        Answer("-beta*delta(i,j) + beta*P[j]", .right, "by algebra"),
        Answer("beta*P[i]*(P[j] - delta(i,j))/P[i]", .right, "by algebra"),
        Answer("beta*(P[i] - delta(i,j))", .transpose, "exchanged"),
        Answer("beta*P[i]*(P[j] - delta(i,j))", .lookalike, "ln P"),
        Answer("delta(i,j) - P[j]", .lookalike, "−beta"),
        Answer("beta*(delta(i,j) - P[j])", .sign),
        Answer("P[j] - delta(i,j)", .factor, "beta is missing"),
        Answer("beta*P[j]", .offDiagonal),
        Answer("beta*(P[j] - 1)", .diagonal),
        Answer("beta*(P[j] - delta(i,j)", nil, "needs a )"),
      ]),

    Derivation(
      "1.2", "product", "An error through the softmax",
      question: """
        Let $P_i = \\frac{e^{-\\beta x_i}}{\\sum_k e^{-\\beta x_k}}$, and let \
        $\\frac{\\partial E}{\\partial P_k}$ be given, `dy[k]`. What is \
        $\\frac{\\partial E}{\\partial x_j}$?
        """,
      prompt:
        "P = softmax(-beta*x), and dy[k] = ∂E/∂P[k] is given. What is ∂E/∂x[j]? Write sum(k, …).",
      symbols: outputs + [
        Symbol(
          "dy", "the derivative of the error by each output", .vector(-2...2),
          aliases: ["g", "dP"]),
        Symbol("j", "the element that is asked for", .index),
      ],
      answer: "beta*P[j]*(sum(k, P[k]*dy[k]) - dy[j])",
      hints: [
        "It is a sum over all outputs: each derivative of the error by the Jacobian's element.",
        "Put the Jacobian with its δ into the sum; δ leaves one term, and the rest is a mean.",
        "The answer is `beta*P[j]*(sum(k, P[k]*dy[k]) - dy[j])`.",
      ],
      lookalikes: [
        Lookalike(
          "P[j]*(dy[j] - sum(k, P[k]*dy[k]))",
          "This is for the usual softmax, with +x in the exponent: off by the factor −beta."),
        Lookalike(
          "-beta*P[j]*(1 - P[j])*dy[j]",
          "This is the diagonal alone: the other outputs depend on x[j] as well."),
        Lookalike(
          "beta*P[j]*(sum(k, dy[k]) - dy[j])", "The mean of dy weighs each with its probability."),
        Lookalike(
          "beta*P[j]*sum(k, P[k]*dy[k])",
          "This is right for i ≠ j and wrong for i = j: the term of δ is missing."),
      ],
      stresses: [everyInput],
      truth: { point in
        Route.slope(along: "x", point.indices["j"]!, at: point) { moved in
          zip(probabilities(moved), point.vectors["dy"]!).reduce(0) {
            $0 + $1.0 * Complex($1.1)
          }
        }
      },
      answers: [
        Answer("beta*P[j]*(sum(k, P[k]*dy[k]) - dy[j])", .right, "by algebra"),
        Answer("sum(i, dy[i]*beta*P[i]*(P[j] - delta(i,j)))", .right, "by algebra"),
        Answer("β·P_j·sum(k, P_k·(g_k − g_j))", .right, "by algebra"),
        Answer("sum(i, dy[i]*if(i == j, -beta*P[j]*(1 - P[j]), beta*P[i]*P[j]))", .right),
        Answer("P[j]*(dy[j] - sum(k, P[k]*dy[k]))", .lookalike, "−beta"),
        Answer("-beta*P[j]*(1 - P[j])*dy[j]", .lookalike, "diagonal"),
        Answer("beta*P[j]*(sum(k, dy[k]) - dy[j])", .lookalike, "weighs"),
        Answer("beta*P[j]*sum(k, P[k]*dy[k])", .lookalike, "δ"),
        Answer("beta*P[j]*(dy[j] - sum(k, P[k]*dy[k]))", .sign),
        Answer("beta*(sum(k, P[k]*dy[k]) - dy[j])", .factor, "P[j] is missing"),
        Answer("beta*P[j]*(sum(k, P[k]*dy[k]) + dy[j])", .slip, "sign"),
        Answer("beta*P[j]*(sum(k, P[j]*dy[k]) - dy[j])", .slip, "index"),
        Answer("beta*P[j]*(sum(k, P[k]*dy[k])/sum(k, 1) - dy[j])", .different),
        Answer("beta*P[j]*(sum(j, P[j]*dy[j]) - dy[j])", nil, "another letter"),
      ]),

    Derivation(
      "1.2", "entropy", "The gradient of the cross-entropy",
      question: """
        Let $P_i = \\frac{e^{-\\beta x_i}}{\\sum_k e^{-\\beta x_k}}$ and $E = -\\ln P_c$, with $c$ the \
        true class. What is $\\frac{\\partial E}{\\partial x_j}$? With $y_k$, `y[k]`, 1 at $c$ and \
        else 0.
        """,
      prompt: "P = softmax(-beta*x), E = -ln(P[c]). What is ∂E/∂x[j]? y[k] is 1 at k = c, else 0.",
      symbols: outputs + [
        Symbol("j", "the element that is asked for", .index),
        Symbol("c", "the true class", .index),
        Symbol("y", "1 at the true class, else 0", .vectorDefinition("delta(k,c)", index: "k")),
      ],
      answer: "beta*(y[j] - P[j])",
      hints: [
        "E is a sum of two terms, β times an input and the logarithm of the sum of powers.",
        "The first term has x[j] only if j is c; the second gives −β times a probability.",
        "The answer is `beta*(y[j] - P[j])`.",
      ],
      lookalikes: [
        Lookalike(
          "P[j] - y[j]",
          "This is for the usual softmax, with +x in the exponent: off by the factor −beta."),
        Lookalike("-1/P[c]", "This is ∂E/∂P[c]; it still has to go through the softmax."),
        Lookalike("-y[j]/P[j]", "This is ∂E/∂P[j]; it still has to go through the softmax."),
        Lookalike(
          "beta*y[j]*(1 - P[j])",
          "This is the diagonal of the Jacobian alone: the other inputs get something too."),
      ],
      stresses: [
        everyInput,
        // The probability of the true class vanishes here, and its reciprocal with it.
        Stress("x[c]") { point, value in
          point.scalars["beta"] = 1
          point.vectors["x"]![point.indices["c"]!] = value
        },
      ],
      truth: { point in
        let (j, c) = (point.indices["j"]!, point.indices["c"]!)
        return Route.slope(along: "x", j, at: point) { -.log(probabilities($0)[c]) }
      },
      answers: [
        Answer("beta*(y[j] - P[j])", .right, "by algebra"),
        Answer("beta*(delta(j,c) - P[j])", .right, "by algebra"),
        Answer("-beta*P[j] + if(j == c, beta, 0)", .right, "by algebra"),
        Answer("-beta*P[c]*(P[j] - delta(j,c))/P[c]", .unstable, "when x[c] is"),
        Answer("beta*P[j]*(-1/P[c]*P[c]) + beta*y[j]", .unstable, "when x[c] is"),
        Answer("P[j] - y[j]", .lookalike, "−beta"),
        Answer("beta*(P[j] - y[j])", .sign),
        Answer("y[j] - P[j]", .factor, "beta is missing"),
        Answer("-1/P[c]", .lookalike, "through the softmax"),
        Answer("beta*y[j]*(1 - P[j])", .lookalike, "diagonal"),
        Answer("-beta*P[j]", .offDiagonal),
        Answer("beta*(1 - P[j])", .diagonal),
        Answer("beta*(y[j] - P[c])", .diagonal),
        Answer("beta*(y[j] + P[j])", .slip, "sign"),
        Answer("beta*(t[j] - P[j])", nil, "no “t”"),
      ]),
  ]

  private static let outputs: [Symbol] = [
    Symbol("beta", "the sheet's β", .number(-2...2)),
    Symbol("x", "the inputs", .vector(-2...2), aliases: ["X_in"]),
    // Shifted so that no power overflows where the quotient does not.
    Symbol(
      "P", "the outputs", .vectorDefinition("1/sum(l, exp(beta*(x[k] - x[l])))", index: "k"),
      aliases: ["X_out"]),
  ]

  private static let pair: [Symbol] = [
    Symbol("i", "the output", .index), Symbol("j", "the input", .index),
  ]

  /// All inputs moved together, which changes no output.
  private static let everyInput = Stress("every x") { point, shift in
    point.scalars["beta"] = 1
    point.vectors["x"] = point.vectors["x"]!.map { $0 + shift }
  }

  /// The softmax as equation 4 of the sheet prints it.
  private static func probabilities(_ point: Point<Complex<Double>>) -> [Complex<Double>] {
    let powers = point.vectors["x"]!.map { Complex.exp(-point.scalars["beta"]! * $0) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }

  /// ∂P/∂x by the complex step.
  private static func slope(of i: String, by j: String, at point: Point<Double>) -> Double {
    let (i, j) = (point.indices[i]!, point.indices[j]!)
    return Route.slope(along: "x", j, at: point) { probabilities($0)[i] }
  }
}
