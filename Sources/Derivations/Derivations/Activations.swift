import ComplexModule
import RealModule

// Chapter 1.1: what sigmoid, tanh and ReLU pass back.

extension Derivation {
  static let activations: [Derivation] = [
    Derivation(
      "1.1", "sigmoid", "The pullback of the sigmoid",
      question: """
        Let $y = \\frac{1}{1 + e^{-x}}$, and let $\\frac{\\partial E}{\\partial y}$ be given, `dy`. \
        What is $\\frac{\\partial E}{\\partial x}$?
        """,
      prompt: "y = 1/(1 + exp(-x)), and dy = ∂E/∂y is given. What is ∂E/∂x?",
      symbols: activation("sigmoid(x)"),
      answer: "dy*y*(1 - y)",
      hints: [
        "By the chain rule the error is multiplied by the slope of the function.",
        "Write the slope as a product of two quotients, and say each of them by y.",
        "The answer is `dy*y*(1 - y)`.",
      ],
      lookalikes: [
        Lookalike("dy*(1 - y^2)", "This is the pullback of tanh; the sigmoid's is asked for."),
        Lookalike(
          "dy*y", "This passes back the output itself; the slope of the output is missing."),
        Lookalike(
          "dy*x*(1 - x)", "This takes the slope at the input, where the formula wants the output y."
        ),
      ],
      stresses: [.scalar("x")],
      truth: { point in
        point.scalars["dy"]!
          * Route.slope(along: "x", at: point) { 1 / (1 + .exp(-$0.scalars["x"]!)) }
      },
      answers: [
        Answer("dy * y * (1 - y)", .right, "by algebra"),
        Answer("dy·(y − y²)", .right, "by algebra"),
        Answer("dy * sigmoid(x) * sigmoid(-x)", .right, "by algebra"),
        Answer("dy/(4*cosh(x/2)^2)", .right),
        Answer("dy*exp(-x)/(1 + exp(-x))^2", .unstable, "when x is -"),
        Answer("dy*exp(x)/(1 + exp(x))^2", .unstable, "when x is 710 or more"),
        Answer("y*(1 - y)", .factor, "dy is missing"),
        Answer("-dy*y*(1 - y)", .sign),
        Answer("dy*y*(y - 1)", .sign),
        Answer("dy*(1 - y^2)", .lookalike, "tanh"),
        Answer("dy*y", .lookalike),
        Answer("2*dy*y*(1 - y)", .factor, "factor 2"),
        Answer("dy*y*(1 + y)", .slip, "sign"),
        Answer("dy*x*(1 - x)", .lookalike, "output"),
        Answer("dy*y*(1 - x)", .slip, "symbol"),
        Answer("dy*y*(1 - y)*(x > 0)", .half, "x > 0"),
        Answer("dy*y*(1 - y)/(x - x)", .undefined, "divides by zero"),
        Answer("dy*y*(1 - y)/ln(x)*ln(x)", .undefined, "it is right"),
        Answer("dz*y*(1 - y)", nil, "no “dz”"),
        Answer("dy y (1 - y)", nil, "Put a *"),
        Answer("dy*((1e9 + y) - 1e9)*(1 - y)", .unstable, "by algebra"),
        Answer(
          "dy*y*(1 - y)*(x < 5000)", .right, failure: "It is 0 from 5,000 on, where no point is."),
        Answer(
          "dy*y*(1 - y)*1.000000000001", .right,
          failure: "What is wrong in the twelfth digit passes for rounding."),
        Answer(
          "dy*((1e9 + y) - 1e9)*(1 - y)*abs(x)/sqrt(x^2)", .different,
          failure: "It is right, but rounding hides it, and the algebra does not know √x² = |x|."),
      ]),

    Derivation(
      "1.1", "tanh", "The pullback of tanh",
      question: """
        Let $y = \\tanh x = \\frac{e^{2x} - 1}{e^{2x} + 1}$, and let \
        $\\frac{\\partial E}{\\partial y}$ be given, `dy`. What is \
        $\\frac{\\partial E}{\\partial x}$?
        """,
      prompt: "y = (exp(2*x) - 1)/(exp(2*x) + 1), and dy = ∂E/∂y is given. What is ∂E/∂x?",
      symbols: activation("tanh(x)"),
      answer: "dy*(1 - y^2)",
      hints: [
        "By the chain rule the error is multiplied by the slope of the function.",
        "With u for the power, the quotient rule gives 4u/(u + 1)²; compare the square of y.",
        "The answer is `dy*(1 - y^2)`.",
      ],
      lookalikes: [
        Lookalike(
          "dy*y*(1 - y)", "This is the pullback of the sigmoid; that of tanh is asked for."),
        Lookalike("dy*(1 - y)^2", "The square belongs to y alone: 1 - y^2 is no (1 - y)^2."),
        Lookalike("dy/y", "This divides by the function; its slope is not its reciprocal."),
      ],
      stresses: [.scalar("x")],
      truth: { point in
        point.scalars["dy"]!
          * Route.slope(along: "x", at: point) {
            let u = Complex.exp(2 * $0.scalars["x"]!)
            return (u - 1) / (u + 1)
          }
      },
      answers: [
        Answer("dy*(1 - y^2)", .right, "by algebra"),
        Answer("dy*(1 + y)*(1 - y)", .right, "by algebra"),
        Answer("dy/cosh(x)^2", .right, "by algebra"),
        Answer("dy - dy*tanh(x)²", .right),
        Answer("4*dy*sigmoid(2*x)*sigmoid(-2*x)", .right, "by algebra"),
        Answer("4*dy*exp(2*x)/(exp(2*x) + 1)^2", .unstable, "when x is"),
        Answer("dy*4/(exp(x) + exp(-x))^2", .right),
        Answer("1 - y^2", .factor, "dy is missing"),
        Answer("dy*(y^2 - 1)", .sign),
        Answer("dy*(1 - y)", .slip, "exponent"),
        Answer("dy*(1 + y^2)", .slip, "sign"),
        Answer("dy*(1 - y)^2", .lookalike, "belongs to y alone"),
        Answer("dy*y*(1 - y)", .lookalike, "sigmoid"),
        Answer("dy*(1 - x^2)", .slip, "symbol"),
        Answer("dy*(1 - y^2)/2", .factor, "1/2"),
        Answer("dy*(2 - y^2)", .slip, "number"),
        Answer("dy*(1 - y^3)", .slip, "exponent"),
        Answer("dy*(1 - y^2", nil, "needs a )"),
        Answer("dy(1 - y^2)", nil, "Put a *"),
      ]),

    Derivation(
      "1.1", "relu", "The pullback of the rectifier",
      question: """
        Let $y = \\max(0, x)$ with $x \\neq 0$, and let $\\frac{\\partial E}{\\partial y}$ be given, \
        `dy`. What is $\\frac{\\partial E}{\\partial x}$? A comparison such as `(x > 0)` is 1 where \
        it holds, else 0.
        """,
      prompt: "y = max(0, x), and dy = ∂E/∂y is given. What is ∂E/∂x? Here (x > 0) is 1 or 0.",
      symbols: activation("max(0, x)"),
      answer: "dy*(x > 0)",
      hints: [
        "There are two cases, and in each of them the function is a straight line.",
        "One of the lines has the slope of the identity, the other of a constant.",
        "The answer is `dy*(x > 0)`.",
      ],
      lookalikes: [
        Lookalike("y", "This is the function; what it passes back is asked for."),
        Lookalike("dy*y", "This multiplies by the output; its slope is asked for."),
        Lookalike("max(0, dy)", "This rectifies the error; what decides is the input."),
      ],
      stresses: [.scalar("x")],
      truth: { point in
        point.scalars["dy"]!
          * Route.slope(along: "x", at: point) {
            let x = $0.scalars["x"]!
            return x.real > 0 ? x : 0
          }
      },
      answers: [
        Answer("dy*(x > 0)", .right, "by algebra"),
        Answer("dy*(y > 0)", .right),
        Answer("dy*step(x)", .right, "by algebra"),
        Answer("if(x > 0, dy, 0)", .right, "by algebra"),
        Answer("dy*max(0, x)/x", .right, "by algebra"),
        Answer("dy*(1 + sign(x))/2", .right),
        Answer("dy*(1 - (x ≤ 0))", .right, "by algebra"),
        Answer(
          "dy*sigmoid(x*1e6)", .right, failure: "It is a half at 0 and else right to rounding."),
        Answer("dy", .half, "Right for x > 0"),
        Answer("0", .different, "0 everywhere"),
        Answer("max(0, x)", .lookalike, "the function"),
        Answer("max(0, dy)", .lookalike, "the input"),
        Answer("dy*max(0, x)", .lookalike, "slope"),
        Answer("-dy*(x > 0)", .sign),
        Answer("(x > 0)", .factor, "dy is missing"),
        Answer("dy*(x < 0)", .different),
        Answer("dy*y/y", .undefined, "divides by zero"),
        Answer("dy*[x > 0]", nil, "follows"),
      ]),
  ]

  /// The symbols of an activation function.
  private static func activation(_ function: String) -> [Symbol] {
    [
      Symbol("x", "the input", .number(-3...3), aliases: ["x_in"]),
      Symbol("y", "the output", .definition(function), aliases: ["x_out"]),
      Symbol("dy", "the derivative of the error by the output", .number(-2...2)),
    ]
  }
}
