import ComplexModule
import Experiments
import Foundation
import Gradients
import Notebook
import RealModule
import Tensors
import _Differentiation

/// Chapter 1.1: the error that sigmoid, tanh and ReLU pass back to their input.
///
/// The derivatives are written by hand on purpose: the tape is held against them.
public enum ActivationDerivatives: Chapter {
  /// The chapter's number.
  public static let id = "1.1"
  /// The chapter's title.
  public static let title = "What an activation function passes back"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    drawTheFunctions(page)
    compareRoutes(page)
    sweepTheStep(page)
    fitTheRemainder(page)
    visitTheKink(page)
    findTheOverflow(page)
    stackLayers(page)
    ActivationExercises(error: squaredError).solve(on: page, subjects[0]) {
      byHand(subjects[0], $0)
    }
  }
}

// MARK: - The functions and what they pass back

extension ActivationDerivatives {
  // snippet.functions
  /// The sigmoid of a real or complex number: the sheet's equation 1.
  public static func sigmoid<Number: AlgebraicField & ElementaryFunctions>(
    _ x: Number
  ) -> Number {
    1 / (1 + .exp(-x))
  }

  /// tanh of a real or complex number as the sheet's equation 2 prints it; NaN where e²ˣ overflows.
  public static func printedTanh<Number: AlgebraicField & ElementaryFunctions>(
    _ x: Number
  ) -> Number {
    (.exp(2 * x) - 1) / (.exp(2 * x) + 1)
  }

  /// The rectified linear unit: the sheet's equation 3.
  public static func relu<Number: Real>(_ x: Number) -> Number {
    max(0, x)
  }
  // snippet.end

  // snippet.backward
  /// ∂E/∂x_in of a sigmoid, from ∂E/∂x_out and x_out.
  public static func sigmoidBackward<Number: Real>(
    _ outputGradient: Number, output: Number
  ) -> Number {
    outputGradient * output * (1 - output)
  }

  /// ∂E/∂x_in of tanh, from ∂E/∂x_out and x_out.
  public static func tanhBackward<Number: Real>(
    _ outputGradient: Number, output: Number
  ) -> Number {
    outputGradient * (1 - output * output)
  }

  /// ∂E/∂x_in of ReLU, from ∂E/∂x_out and x_in; by convention 0 at the kink.
  public static func reluBackward<Number: Real>(
    _ outputGradient: Number, input: Number
  ) -> Number {
    input > 0 ? outputGradient : 0
  }
  // snippet.end

  // The compiler differentiates these: plain functions of Double, each step of which it knows.
  @differentiable(reverse)
  static func compiledSigmoid(_ x: Double) -> Double { 1 / (1 + Foundation.exp(-x)) }

  @differentiable(reverse)
  static func compiledTanh(_ x: Double) -> Double {
    (Foundation.exp(2 * x) - 1) / (Foundation.exp(2 * x) + 1)
  }

  typealias Subject = ActivationRoutes.Subject

  static let subjects = [
    Subject(
      name: "sigmoid", forward: sigmoid, complex: sigmoid,
      backward: { g, _, y in sigmoidBackward(g, output: y) },
      compiled: compiledSigmoid, taped: Gradients.sigmoid),
    Subject(
      name: "tanh", forward: tanh, complex: printedTanh,
      backward: { g, _, y in tanhBackward(g, output: y) },
      compiled: compiledTanh, taped: Gradients.tanh),
    // ReLU is analytic on either side of its kink, and only there.
    Subject(
      name: "ReLU", forward: relu, complex: { $0.real > 0 ? $0 : 0 },
      backward: { g, x, _ in reluBackward(g, input: x) },
      compiled: reluIfPositive, taped: Gradients.relu),
  ]

  private static func drawTheFunctions(_ page: Page) {
    ActivationSlopes(subjects).report(on: page)
    page.claim(
      "A sigmoid passes back at most a quarter of the error that reaches it.",
      "slope.sigmoid <= 0.25")
  }
}

// MARK: - Independent routes to the same number

extension ActivationDerivatives {
  typealias Sample = ActivationRoutes.Sample

  /// ∂E/∂x_in by the formulas above, with an error of `factor` put into the derivative.
  static func byHand(_ subject: Subject, _ sample: Sample, factor: Double = 1) -> [Double] {
    sample.map { x, target in
      let y = subject.forward(x)
      return factor * subject.backward(y - target, x, y)
    }
  }

  /// ½(y − target)², whose derivative ∂E/∂x_out is y − target.
  static func squaredError<Number: AlgebraicField>(_ y: Number, _ target: Number) -> Number {
    (y - target) * (y - target) / 2
  }

  private static func compareRoutes(_ page: Page) {
    ActivationRoutes(
      subjects, error: squaredError, complexError: squaredError,
      formula: { byHand($0, $1, factor: $2) }
    ).compare(on: page)
  }

  // MARK: - The V of the difference quotients

  private static func sweepTheStep(_ page: Page) {
    let (subject, sample) = (subjects[0], Sample(count: 64, seed: page.seed))
    let sweep = StepSweep(sample, exact: byHand(subject, sample))
    let forward = sweep.curve { x, t, h in
      Routes.forwardDifference(at: x, step: h) { squaredError(subject.forward($0), t) }
    }
    let central = sweep.curve { x, t, h in
      Routes.centralDifference(at: x, step: h) { squaredError(subject.forward($0), t) }
    }
    let complex = sweep.curve { x, t, h in
      Routes.complexStep(at: x, step: h) { squaredError(subject.complex($0), Complex(t)) }
    }
    for (name, curve) in [("forward", forward), ("central", central)] {
      StepSweep.report(
        "sweep.\(name)", curve, arm: (from: 1e-4, to: 2e-2), tolerance: 0.01, on: page)
    }
    page.value("sweep.complex.error", complex.last!.y, tolerance: 1e-15)
    page.claim(
      "At its best step the central difference is more than a hundred times as exact as the "
        + "forward one.", "sweep.forward.error > 100 * sweep.central.error")
    page.claim(
      "The complex step has no best step: it is exact to rounding however small the step is.",
      "sweep.complex.error < 1e-14")
    page.figure(StepSweep.figure(forward: forward, central: central, complex: complex))
  }

  // MARK: - The slope of the Taylor remainder

  private static func fitTheRemainder(_ page: Page) {
    let sample = Sample(count: 64, seed: page.seed)
    for subject in subjects {
      let slopes = RemainderSlopes(subject.name) { error in
        let gradient = byHand(subject, sample, factor: 1 + error)
        return Routes.order { remainder(subject, sample, gradient, step: $0) }
      }
      slopes.report(on: page)
    }
  }

  // snippet.remainder
  /// ‖E(x + h) − E(x) − h·g‖ over the sample: of order h² if g is the gradient, else of order h.
  static func remainder(
    _ subject: Subject, _ sample: Sample, _ gradient: [Double], step h: Double
  ) -> Double {
    let moved = sample.map { x, target in
      squaredError(subject.forward(x + h), target) - squaredError(subject.forward(x), target)
    }
    let squares = zip(moved, gradient).map { ($0 - h * $1) * ($0 - h * $1) }
    return squares.reduce(0, +).squareRoot()
  }
  // snippet.end

  // MARK: - At the kink

  // snippet.twoReLUs
  @differentiable(reverse)
  static func reluIfPositive(_ x: Double) -> Double { x > 0 ? x : 0 }

  @differentiable(reverse)
  static func reluUnlessNegative(_ x: Double) -> Double { x < 0 ? 0 : x }
  // snippet.end

  private static func visitTheKink(_ page: Page) {
    let says: [(String, Double, Double)] = [
      ("forward difference", Routes.forwardDifference(at: 0, step: 1e-5, of: relu), 1),
      ("backward difference", Routes.forwardDifference(at: 0, step: -1e-5, of: relu), 0),
      ("central difference", Routes.centralDifference(at: 0, step: 1e-5, of: relu), 0.5),
      ("complex step", Routes.complexStep(at: 0, of: subjects[2].complex), 0),
      ("compiler, x > 0 ? x : 0", gradient(at: 0, of: reluIfPositive), 0),
      ("compiler, x < 0 ? 0 : x", gradient(at: 0, of: reluUnlessNegative), 1),
      ("formula", reluBackward(1.0, input: 0), 0),
    ]
    for (route, measured, expected) in says {
      page.check("ReLU at 0: \(route)", measured, near: expected, tolerance: 0)
    }
    page.value(
      "kink.near", Routes.centralDifference(at: 5e-6, step: 1e-5, of: relu), tolerance: 1e-9)
  }

  // MARK: - Where eq. 2 overflows

  // snippet.tanh
  /// tanh of any real number, without overflow and without cancellation near 0.
  public static func tanh<Number: Real>(_ x: Number) -> Number {
    let m = Number.expMinusOne(-2 * abs(x))  // e^(−2|x|) − 1, between −1 and 0
    return x < 0 ? m / (2 + m) : -m / (2 + m)
  }
  // snippet.end

  private static func findTheOverflow(_ page: Page) {
    let double: Double = Routes.last { !printedTanh($0).isNaN }
    let float: Float = Routes.last { !printedTanh($0).isNaN }
    func isNaN(_ x: Double) -> Double { x.isNaN ? 1 : 0 }
    page.check(
      "eq. 2 after its last input is no number", isNaN(printedTanh(double.nextUp)), near: 1,
      tolerance: 0)
    page.check("the stable form there is 1", tanh(double.nextUp), near: 1, tolerance: 0)
    page.check(
      "the compiled sigmoid's derivative at −710 is no number",
      isNaN(gradient(at: -710, of: compiledSigmoid)), near: 1, tolerance: 0)
    page.check(
      "the formula's there", sigmoidBackward(1, output: sigmoid(-710.0)), near: 0, tolerance: 0)
    // The slope is e^(−710) to all digits: no normal number, and none that is 0 either.
    let slope = Double.exp(-710)
    page.check(
      "the true slope there, in smallest normal numbers", slope / .leastNormalMagnitude,
      near: 0.2011, tolerance: 1e-4)
    page.value("overflow.double", double, tolerance: 1e-9)
    page.value("overflow.float", Double(float), tolerance: 1e-4)
    let inputs = (-3000...3000).filter { $0 != 0 }.flatMap { k in
      [Double(k) / 100, Double.pow(10, Double(k) / 100)]
    }
    let worst = inputs.map { abs(tanh($0) / Foundation.tanh($0) - 1) }.max()!
    page.check("the stable form is the library's tanh to rounding", worst, atMost: 3 * .ulpOfOne)
    page.value("printed.error", abs(printedTanh(1e-8) / 1e-8 - 1), tolerance: 1e-9)
    // In Float 1 + e^(−17) is 1: the output says “saturated”, and no error passes any more.
    let dead = (1...100).first { sigmoidBackward(1, output: sigmoid(Float($0))) == 0 }!
    page.value("dead.input", Double(dead))
    page.value("dead.slope", sigmoidBackward(1, output: sigmoid(-Double(dead))), tolerance: 1e-12)
  }
}

// MARK: - Twenty layers

extension ActivationDerivatives {
  typealias Stack = GainStudy.Stack

  // snippet.stack
  /// The size of a gradient after each layer of a stack that it comes back through, at first 1.
  ///
  /// Each layer is x ← f(s·W·x) with s² = `gain`/width; the pullback of a layer is
  /// s·Wᵀ·(f′ ⊙ gradient).
  static func gradientSizes(_ subject: Subject, gain: Double, _ stack: Stack) -> [Double] {
    let width = stack.input.count
    let scale = (gain / Double(width)).squareRoot()
    var layers: [(input: [Double], output: [Double])] = []
    for weights in stack.weights {
      let x = layers.last?.output ?? stack.input
      let input = (0..<width).map { row in
        scale * x.indices.reduce(0) { $0 + weights[row * width + $1] * x[$1] }
      }
      layers.append((input, input.map(subject.forward)))
    }
    var gradient = stack.gradient
    var sizes = [norm(gradient)]
    for (weights, layer) in zip(stack.weights, layers).reversed() {
      let inner = (0..<width).map {
        scale * subject.backward(gradient[$0], layer.input[$0], layer.output[$0])
      }
      gradient = [Double](repeating: 0, count: width)
      for (row, error) in inner.enumerated() {
        for i in 0..<width { gradient[i] += weights[row * width + i] * error }
      }
      sizes.append(norm(gradient))
    }
    return sizes.map { $0 / sizes[0] }
  }
  // snippet.end

  private static func norm(_ x: [Double]) -> Double {
    x.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }

  private static func stackLayers(_ page: Page) {
    var random = RandomStream(seed: page.seed, id, "stack")
    let stacks = (0..<(page.isQuick ? 8 : 24)).map { _ in
      Stack(depth: 20, width: 64, using: &random)
    }
    let study = GainStudy(subjects.map(\.name)) { name, gain in
      let subject = subjects.first { $0.name == name }!
      return stacks.map { gradientSizes(subject, gain: gain, $0) }
    }
    let usual = zip(subjects, [1.0, 1, 2]).map { (function: $0.name, gain: $1) }
    study.report(usual, page)
    page.claim(
      "At these gains more is left behind tanhs than behind sigmoids, and more behind ReLUs than "
        + "behind tanhs.", "more.tanh.low > 0 and more.relu.low > 0")
    page.figure(study.figure(usual))

    // For an exercise: a sigmoid whose mean is taken away, which is ½·tanh(x/2).
    let centred = Subject(
      name: "centred", forward: { sigmoid($0) - 0.5 }, complex: { sigmoid($0) - Complex(0.5) },
      backward: { g, _, y in g * (0.5 + y) * (0.5 - y) },
      compiled: compiledSigmoid, taped: { Gradients.sigmoid($0) - 0.5 })
    let sizes = stacks.map { gradientSizes(centred, gain: 16, $0).last! }
    GainStudy.report("exercise.centred", sizes.map { Double.log10($0) }, page)
    GainStudy.report("exercise.sigmoid", study.decades("sigmoid", gain: 16), page)
  }
}
