import RealModule

// Chapter 2.3.1: how large the first weights should be. The truth is the mean over all signs of
// weights of one size: exact, for only their variance counts.

extension Derivation {
  static let initialisation: [Derivation] = [
    Derivation(
      "2.3.1", "he", "The variance of He's initialisation",
      question: """
        A layer has $n$ inputs and $m$ outputs, and its inputs come from rectifiers. Which variance \
        of the weights keeps the mean square of the signal, forward through layer and rectifier?
        """,
      prompt: "A layer has n inputs, m outputs and rectifiers. Which variance of a weight is He's?",
      symbols: fans,
      answer: "2/n",
      hints: [
        "Add up n independent products: how does the mean square of the sum depend on the variance?",
        "The rectifier lets half of the mean square through; the whole factor must be 1.",
        "The answer is `2/n`.",
      ],
      lookalikes: [
        Lookalike("2/(n + m)", "This is Xavier's, you were asked for He's."),
        Lookalike(
          "1/n", "This keeps the signal of a linear layer: the rectifier's half is missing."),
        Lookalike("sqrt(2/n)", "This is the deviation; the variance is asked for."),
        Lookalike(
          "2/m", "This is He's for the gradients, by the fan-out; the signal's is asked for."),
        Lookalike("sqrt(6/n)", "This is the end of the uniform distribution of this variance."),
        Lookalike("0.01^2", "This is what was usual before, whatever n is."),
      ],
      truth: { point in
        let n = Int(point.scalars["n"]!)
        return 1 / gain(n) { max(0, $0) }
      },
      answers: [
        Answer("2/n", .right, "by algebra"),
        Answer("1/(n/2)", .right, "by algebra"),
        Answer("sqrt(2/n)^2", .right),
        Answer("2*n^-1", .right, "by algebra"),
        Answer("2/(n + m)", .lookalike, "Xavier's"),
        Answer("1/n", .lookalike, "half"),
        Answer("sqrt(2/n)", .lookalike, "deviation"),
        Answer("2/m", .lookalike, "fan-out"),
        Answer("sqrt(6/n)", .lookalike, "uniform"),
        Answer("0.01^2", .lookalike, "before"),
        Answer("n/2", .factor, "n^2/4"),
        Answer("2/n^2", .factor, "n is missing"),
        Answer("4/n", .factor, "factor 2"),
        Answer("2/(n*m)", .factor, "m is missing"),
        Answer("2/(n - n)", .undefined, "divides by zero"),
        Answer("2/fan_in", .right),
        Answer("2/N", nil, "no “N”"),
      ]),

    Derivation(
      "2.3.1", "xavier", "The variance of Xavier's initialisation",
      question: """
        A layer is linear, with $n$ inputs and $m$ outputs. Forward one variance of the weights would \
        keep the mean square of the signal, and backward another that of the gradient. Which \
        variance makes the mean of both gains 1?
        """,
      prompt: "A linear layer has n inputs and m outputs. Which variance of a weight is Xavier's?",
      symbols: fans,
      answer: "2/(n + m)",
      hints: [
        "Forward the mean square is multiplied by n times the variance; and backward?",
        "Both gains cannot be 1 unless the layer is square: set their mean to 1.",
        "The answer is `2/(n + m)`.",
      ],
      lookalikes: [
        Lookalike("2/n", "This is He's, you were asked for Xavier's."),
        Lookalike("1/n", "This keeps the signal and not the gradient."),
        Lookalike("1/m", "This keeps the gradient and not the signal."),
        Lookalike("sqrt(2/(n + m))", "This is the deviation; the variance is asked for."),
        Lookalike(
          "6/(n + m)",
          "This is the square of the uniform distribution's end; its variance is a third."
        ),
        Lookalike(
          "sqrt(6/(n + m))",
          "This is the end of the uniform distribution; the variance is asked for."),
        Lookalike(
          "(1/n + 1/m)/2", "This is the mean of both variances; the mean of both gains must be 1."),
        Lookalike(
          "1/sqrt(n*m)", "This makes the product of both gains 1; Xavier takes their mean."),
      ],
      truth: { point in
        let (n, m) = (Int(point.scalars["n"]!), Int(point.scalars["m"]!))
        return 2 / (gain(n) { $0 } + gain(m) { $0 })
      },
      answers: [
        Answer("2/(n + m)", .right, "by algebra"),
        Answer("1/((n + m)/2)", .right, "by algebra"),
        Answer("2/(m + n)", .right, "by algebra"),
        Answer("(6/(n + m))/3", .right, "by algebra"),
        Answer("2/n", .lookalike, "He's"),
        Answer("1/n", .lookalike, "signal"),
        Answer("sqrt(2/(n + m))", .lookalike, "deviation"),
        Answer("sqrt(6/(n + m))", .lookalike, "uniform"),
        Answer("(1/n + 1/m)/2", .lookalike, "gains"),
        Answer("1/sqrt(n*m)", .lookalike, "product"),
        Answer("1/(n + m)", .factor, "1/2"),
        Answer("2/(n - m + 0.5)", .different),
        Answer("2/n + m", .different),
        Answer("2*(n + m)", .slip, "factor"),
        Answer("2/(n + m", nil, "needs a )"),
      ]),
  ]

  private static let fans: [Symbol] = [
    Symbol("n", "the fan-in", .whole(2...9), aliases: ["fan_in"]),
    Symbol("m", "the fan-out", .whole(2...9), aliases: ["fan_out"]),
  ]

  /// The mean square behind f of a sum of n inputs over the mean square of the inputs, with weights
  /// ±1: the mean over all their signs.
  ///
  /// With a variance v it is v times that, for f that lets a positive factor through.
  private static func gain(_ n: Int, behind f: (Double) -> Double) -> Double {
    let inputs = (0..<n).map { 0.3 + Double($0 * 5 % 7) / 7 }
    let square = inputs.reduce(0) { $0 + $1 * $1 } / Double(n)
    let sum = (0..<1 << n).reduce(0.0) { total, signs in
      let y = f(inputs.indices.reduce(0) { $0 + (signs >> $1 & 1 == 1 ? inputs[$1] : -inputs[$1]) })
      return total + y * y
    }
    return sum / Double(1 << n) / square
  }
}
