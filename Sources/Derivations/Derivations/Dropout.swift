import ComplexModule
import RealModule

// Chapter 2.2.2: weights and dropout. The truth is a sum over all masks, each with its probability.

extension Derivation {
  static let dropout: [Derivation] = [
    Derivation(
      "2.2.2", "dropout", "The weights at test after dropout",
      question: """
        In training each input of a unit is kept with probability $p$, and else set to 0. At test all \
        inputs are kept. What must take the place of a weight $w$ at test, so that the unit receives \
        what it received on average in training?
        """,
      prompt: "An input is kept with probability p. What stands at test for the weight w?",
      symbols: [keep, Symbol("w", "the weight in training", .number(-2...2))],
      answer: "p*w",
      hints: [
        "Take the mean over the two cases: the input is kept, or it is not.",
        "In one case, of probability p, the weight counts whole; in the other not at all.",
        "The answer is `p*w`.",
      ],
      lookalikes: [
        Lookalike(
          "w/p", "This is inverted dropout's, which belongs into training; at test it is too large."
        ),
        Lookalike(
          "w", "This is what a network does whose author forgot: its sums are too large by 1/p."),
        Lookalike(
          "(1 - p)*w", "This takes p for the probability to drop; here it is that to keep."),
        Lookalike(
          "w/(1 - p)", "This takes p for the probability to drop, and belongs to training."),
        Lookalike("p", "This is the factor alone; the weight at test is asked for."),
      ],
      truth: { point in
        let (p, w) = (point.scalars["p"]!, point.scalars["w"]!)
        var inputs = point
        inputs.vectors["x"] = [0.7, -1.3, 0.4]
        // By how much the mean sum rises with one input.
        return Route.slope(along: "x", 0, at: inputs) { moved in
          mean(masks: 3, keep: p) { mask in
            zip(mask, moved.vectors["x"]!).reduce(0) { $1.0 ? $0 + Complex(w) * $1.1 : $0 }
          }
        }
      },
      answers: [
        Answer("p*w", .right, "by algebra"),
        Answer("w*p", .right, "by algebra"),
        Answer("p*w + (1 - p)*0", .right, "by algebra"),
        Answer("w - (1 - p)*w", .right, "by algebra"),
        Answer("w/p", .lookalike, "inverted"),
        Answer("w", .lookalike, "1/p"),
        Answer("(1 - p)*w", .lookalike, "drop"),
        Answer("w/(1 - p)", .lookalike, "drop"),
        Answer("p", .lookalike, "factor alone"),
        Answer("-p*w", .sign),
        Answer("p^2*w", .factor, "factor p"),
        Answer("p*(1 - p)*w", .factor, "(1 - p)"),
        Answer("sqrt(p)*w", .slip, "exponent"),
        Answer("p w", nil, "Put a *"),
      ]),

    Derivation(
      "2.2.2", "inverted", "The factor of inverted dropout",
      question: """
        In training each input is kept with probability $p$. By what must a kept input be multiplied \
        in training, so that at test nothing has to be done to the weights?
        """,
      prompt: "An input is kept with probability p. By what is it multiplied then in training?",
      symbols: [keep],
      answer: "1/p",
      hints: [
        "The mean over the two cases must be the input itself.",
        "With m for the factor, the mean is what p gives of m; solve for m.",
        "The answer is `1/p`.",
      ],
      lookalikes: [
        Lookalike(
          "p", "This is the factor of the weights at test, in the scheme that is not inverted."),
        Lookalike(
          "1/(1 - p)", "This takes p for the probability to drop; here it is that to keep."),
        Lookalike("1 - p", "This is the probability to drop."),
      ],
      truth: { point in
        1 / mean(masks: 1, keep: point.scalars["p"]!) { $0[0] ? 1.0 : 0 }
      },
      answers: [
        Answer("1/p", .right, "by algebra"),
        Answer("p^-1", .right, "by algebra"),
        Answer("p/p²", .right, "by algebra"),
        Answer("p", .lookalike, "test"),
        Answer("1/(1 - p)", .lookalike, "drop"),
        Answer("1 - p", .lookalike, "drop"),
        Answer("1", .factor, "factor p"),
        Answer("1/sqrt(p)", .slip, "exponent"),
        Answer("1/p^2", .factor, "p is missing"),
        Answer("-1/p", .sign),
        Answer("1/p - 1", .factor, "(1 - p)"),
        Answer("2/p", .factor, "factor 2"),
        Answer("1/(p - p)", .undefined, "divides by zero"),
      ]),

    Derivation(
      "2.2.2", "variance", "The variance that dropout adds",
      question: """
        A unit receives $z = \\sum_k w_k m_k x_k$, where each $m_k$ is 1 with probability $p$ and else \
        0, independently of the others. What is the variance of $z$?
        """,
      prompt:
        "z = sum(k, w[k]*m[k]*x[k]), each m[k] is 1 with probability p, else 0. What is Var z?",
      symbols: [
        keep, Symbol("w", "the weights", .vector(-2...2)),
        Symbol("x", "the inputs", .vector(-2...2)),
      ],
      answer: "p*(1 - p)*sum(k, w[k]^2*x[k]^2)",
      hints: [
        "Variances of independent terms add up; begin with that of one mask.",
        "The square of a mask is the mask. Its variance is the mean of the square less its own square.",
        "The answer is `p*(1 - p)*sum(k, w[k]^2*x[k]^2)`.",
      ],
      lookalikes: [
        Lookalike(
          "p*sum(k, w[k]^2*x[k]^2)",
          "This is the mean of the squares; the square of the mean is missing."),
        Lookalike(
          "(1 - p)/p*sum(k, w[k]^2*x[k]^2)",
          "This is inverted dropout's, whose masks are 1/p; here they are 1."),
        Lookalike("p*sum(k, w[k]*x[k])", "This is the mean of z; its variance is asked for."),
        Lookalike(
          "p*(1 - p)*sum(k, w[k]*x[k])^2",
          "The square belongs into the sum: variances of independent terms add up."),
      ],
      truth: { point in
        let products = zip(point.vectors["w"]!, point.vectors["x"]!).map(*)
        func moment(_ f: (Double) -> Double) -> Double {
          mean(masks: point.count, keep: point.scalars["p"]!) { mask in
            f(zip(mask, products).reduce(0) { $1.0 ? $0 + $1.1 : $0 })
          }
        }
        let center = moment { $0 }
        return moment { ($0 - center) * ($0 - center) }
      },
      answers: [
        Answer("p*(1 - p)*sum(k, w[k]^2*x[k]^2)", .right, "by algebra"),
        Answer("(p - p²)·sum(k, (w_k·x_k)²)", .right, "by algebra"),
        Answer("sum(i, p*(1 - p)*(w[i]*x[i])^2)", .right, "by algebra"),
        Answer("p*sum(k, w[k]^2*x[k]^2)", .lookalike, "square of the mean"),
        Answer("(1 - p)/p*sum(k, w[k]^2*x[k]^2)", .lookalike, "inverted"),
        Answer("p*sum(k, w[k]*x[k])", .lookalike, "mean of z"),
        Answer("p*(1 - p)*sum(k, w[k]*x[k])^2", .lookalike, "into the sum"),
        Answer("-p*(1 - p)*sum(k, w[k]^2*x[k]^2)", .sign),
        Answer("p*(1 - p)*sum(k, w[k]^2*x[k])", .slip, "exponent"),
        Answer("p*(1 + p)*sum(k, w[k]^2*x[k]^2)", .slip, "sign"),
        Answer("(1 - p)*sum(k, w[k]^2*x[k]^2)", .factor, "p is missing"),
        Answer("p*(1 - p)*sum(w[k]^2*x[k]^2)", nil, "index"),
        Answer("p*(1 - p)*w[k]^2*x[k]^2", nil, "index"),
      ]),
  ]

  private static let keep = Symbol(
    "p", "the probability that an input is kept", .number(0.15...0.9))

  /// The mean over all masks, each of which keeps with probability p.
  private static func mean<Number: Quantity>(
    masks count: Int, keep p: Double, of f: ([Bool]) -> Number
  ) -> Number {
    (0..<1 << count).reduce(0) { sum, bits in
      let mask = (0..<count).map { bits >> $0 & 1 == 1 }
      let weight = mask.reduce(1) { $0 * ($1 ? p : 1 - p) }
      return sum + Number(weight) * f(mask)
    }
  }
}
