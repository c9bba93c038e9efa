import ComplexModule
import Experiments
import Foundation
import Notebook
import RealModule
import _Differentiation

/// Chapter 1.2: the Jacobian of the softmax, with the lab sheet's −β.
///
/// It is written by hand on purpose: the tape is held against it.
public enum SoftmaxJacobian: Chapter {
  /// The chapter's number.
  public static let id = "1.2"
  /// The chapter's title.
  public static let title = "What the softmax passes back"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    workTheExample(page)
    multiplyWithoutTheMatrix(page)
    JacobianChecks(page, study).compareRoutes()
    JacobianChecks(page, study).rejectMistakes { remainder($0, $1, step: $2) }
    sweepTheStep(page)
    findTheOverflow(page)
    turnTheTemperature(page)
    meetTheCrossEntropy(page)
    beConfidentlyWrong(page)
    trainWithTheDiagonal(page)
    passBackByHand(page)
    SoftmaxExercises(
      page, softmax: { softmax($0, beta: $1) }, error: { crossEntropy($0, label: $1, beta: $2) }
    ).solve()
  }
}

extension SoftmaxJacobian {
  /// The chapter's functions on the examples, and the routes, that they are checked by.
  private static let study = SoftmaxRoutes(
    softmax: { softmax($0, beta: $1) }, complexSoftmax: { printedSoftmax($0, beta: $1) },
    compiledRow: { x, i, β in gradient(at: x) { compiledProbability($0, i, β) }.base },
    formula: { jacobian(output: $0, beta: $1) })
}

// MARK: - The Jacobian

extension SoftmaxJacobian {
  // snippet.jacobian
  /// ∂P_i/∂x_j in row i and column j, from the outputs P alone.
  public static func jacobian<Number: Real>(output p: [Number], beta β: Number) -> [[Number]] {
    p.indices.map { i in
      p.indices.map { j in i == j ? β * (p[j] * (p[j] - 1)) : β * (p[i] * p[j]) }
    }
  }
  // snippet.end

  // snippet.backward
  /// ∂E/∂x_in of the softmax from ∂E/∂x_out and x_out, without the matrix.
  public static func softmaxBackward<Number: Real>(
    _ outputGradient: [Number], output p: [Number], beta β: Number
  ) -> [Number] {
    let mean = zip(p, outputGradient).reduce(0) { $0 + $1.0 * $1.1 }
    return zip(p, outputGradient).map { β * $0 * (mean - $1) }
  }
  // snippet.end

  /// Three inputs whose powers e^(−x) are 1, 2 and 3.
  private static func workTheExample(_ page: Page) {
    let p = softmax([0, -Double.log(2), -Double.log(3)], beta: 1)
    let expected: [[Double]] = [[-5, 2, 3], [2, -8, 6], [3, 6, -9]]
    page.check(
      "the worked example, in thirty-sixths",
      LinearAlgebra.largest(
        zip(jacobian(output: p, beta: 1).joined(), expected.joined()).map { $0 * 36 - $1 }),
      atMost: 4e-15)
  }
}

// MARK: - The product without the matrix

extension SoftmaxJacobian {
  private static func multiplyWithoutTheMatrix(_ page: Page) {
    let wide = study.examples(page.seed, count: 1, classes: 1000, β: 2)[0]
    let short = softmaxBackward(wide.target, output: wide.p, beta: wide.β)
    let long = LinearAlgebra.product(
      LinearAlgebra.transposed(jacobian(output: wide.p, beta: wide.β)), wide.target)
    page.check(
      "1,000 classes: short product = matrix times vector", Routes.distance(short, long),
      atMost: 3.5e-15)
    JacobianChecks(page, study).checkProperties()
  }
}

// MARK: - Independent routes to the same matrix

extension SoftmaxJacobian {
  // snippet.compiled
  @differentiable(reverse)
  static func compiledProbability(_ x: [Double], _ i: Int, _ β: Double) -> Double {
    var total = 0.0
    for k in 0..<withoutDerivative(at: x.count) { total += Foundation.exp(-β * x[k]) }
    return Foundation.exp(-β * x[i]) / total
  }
  // snippet.end
}

// MARK: - Wrong answers

extension SoftmaxJacobian {
  // snippet.remainder
  /// |E(x + hd) − E(x) − h·⟨g, d⟩| over the examples, for E = ½‖P − target‖² and g = Jᵀ(P − target).
  static func remainder(
    _ examples: [SoftmaxRoutes.Example], _ mistake: SoftmaxRoutes.Mistake, step h: Double
  ) -> Double {
    func error(_ example: SoftmaxRoutes.Example, _ x: [Double]) -> Double {
      let difference = zip(softmax(x, beta: example.β), example.target).map { $0 - $1 }
      return LinearAlgebra.dot(difference, difference) / 2
    }
    let squares = examples.map { example in
      let outputGradient = zip(example.p, example.target).map { $0 - $1 }
      let gradient = LinearAlgebra.product(
        LinearAlgebra.transposed(study.jacobian(example, mistake)), outputGradient)
      let moved = zip(example.x, example.direction).map { $0 + h * $1 }
      let rest =
        error(example, moved) - error(example, example.x) - h
        * LinearAlgebra.dot(gradient, example.direction)
      return rest * rest
    }
    return squares.reduce(0, +).squareRoot()
  }
  // snippet.end
}

// MARK: - The V of the central difference

extension SoftmaxJacobian {
  private static func sweepTheStep(_ page: Page) {
    JacobianSweep(page, study).report()
    page.claim(
      "With β a hundred times as large the same step is wrong by ten thousand times as much.",
      "sweep.hundred.error > 0.9 * 10000 * sweep.one.error "
        + "and sweep.hundred.error < 1.1 * 10000 * sweep.one.error"
    )
  }
}

// MARK: - The shift that keeps it finite

extension SoftmaxJacobian {
  // snippet.printed
  /// The softmax of real or complex inputs as the sheet's equation 4 prints it.
  public static func printedSoftmax<Number: AlgebraicField & ElementaryFunctions>(
    _ x: [Number], beta β: Number
  ) -> [Number] {
    let powers = x.map { Number.exp(-β * $0) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }
  // snippet.end

  // snippet.softmax
  /// The softmax of any real inputs: the largest exponent is moved to 0 before any power is taken.
  public static func softmax<Number: Real>(_ x: [Number], beta β: Number) -> [Number] {
    let exponents = x.map { -β * $0 }
    let largest = exponents.max()!
    let powers = exponents.map { Number.exp($0 - largest) }
    let total = powers.reduce(0, +)
    return powers.map { $0 / total }
  }
  // snippet.end

  private static func findTheOverflow(_ page: Page) {
    func isNumber<Number: Real>(_ x: [Number]) -> Bool {
      printedSoftmax(x, beta: 1).allSatisfy(\.isFinite)
    }
    func sumsToOne<Number: Real>(_ x: [Number]) -> Bool {
      abs(printedSoftmax(x, beta: 1).reduce(0, +) - 1) < 1 / 1000
    }
    let tops: (Double, Float) = (
      Routes.last { isNumber([-$0, 0]) }, Routes.last { isNumber([-$0, 0]) }
    )
    let bottoms: (Double, Float) = (
      Routes.last { isNumber([$0, $0]) }, Routes.last { isNumber([$0, $0]) }
    )
    let silent: Float = Routes.last { sumsToOne([-$0, -$0]) }
    page.value("overflow.double", tops.0, tolerance: 1e-9)
    page.value("overflow.float", Double(tops.1), tolerance: 1e-4)
    page.value("silent.float", Double(silent), tolerance: 1e-4)
    page.value("underflow.double", bottoms.0, tolerance: 1e-9)
    page.value("underflow.float", Double(bottoms.1), tolerance: 1e-4)
    page.check(
      "printed, Float, inputs −88.5 and −88.5: the “probabilities” sum to",
      Double(printedSoftmax([-88.5, -88.5] as [Float], beta: 1).reduce(0, +)), near: 0,
      tolerance: 0)
    let near = printedSoftmax([100, 101] as [Float], beta: 1)[0]
    let right = Double(softmax([100, 101] as [Float], beta: 1)[0])
    page.value("underflow.error", abs(Double(near) / right - 1), tolerance: 1e-6)
    page.check(
      "shifted, Float, at 100 and 101", right, near: 1 / (1 + Double.exp(-1)), tolerance: 1e-7)

    // Multiples of 1/8, so that a shift by 1,000 is exact and must not change a bit.
    let x = study.examples(page.seed, β: 2)[0].x.map { ($0 * 8).rounded() / 8 }
    for (name, shift) in [("1,000", 1000.0), ("−1,000", -1000)] {
      let moved = softmax(x.map { $0 + shift }, beta: 2)
      page.check(
        "shifted form: the same bits after adding \(name)",
        LinearAlgebra.largest(zip(moved, softmax(x, beta: 2)).map { $0 - $1 }), atMost: 0)
    }
    page.check(
      "shifted form at ±10³⁰⁰ sums to", softmax([1e300, -1e300, 0], beta: 1).reduce(0, +), near: 1,
      tolerance: 0)
    // The habit of libraries that have +β: take the largest input away.
    let habit = [0, 800.0].map { $0 - 800 }
    page.check(
      "shifted by the largest input, at 0 and 800: numbers that are finite",
      Double(printedSoftmax(habit, beta: 1).count { $0.isFinite }), near: 1, tolerance: 0)
    page.check(
      "shifted by the largest exponent there", softmax([0, 800.0], beta: 1)[0], near: 1,
      tolerance: 0)
  }
}

// MARK: - β as inverse temperature

extension SoftmaxJacobian {
  private static func turnTheTemperature(_ page: Page) {
    TemperatureSweep(page, study).report()
    page.claim(
      "Between the two, at one temperature, most comes back.",
      "best.size > 1000 * cold.size and best.beta > 0.5")
  }
}

// MARK: - With the cross-entropy

extension SoftmaxJacobian {
  /// −ln P of one class: βx_c + ln Σ e^(−βx), with the same shift.
  static func crossEntropy(_ x: [Double], label: Int, beta β: Double) -> Double {
    let exponents = x.map { -β * $0 }
    let largest = exponents.max()!
    let total = exponents.reduce(0) { $0 + Double.exp($1 - largest) }
    return Double.log(total) + largest - exponents[label]
  }

  // snippet.fused
  /// ∂E/∂x_in for E = −ln P of the true class.
  public static func crossEntropyBackward<Number: Real>(
    output p: [Number], label: Int, beta β: Number
  ) -> [Number] {
    p.enumerated().map { j, p in β * ((j == label ? 1 : 0) - p) }
  }
  // snippet.end

  private static func meetTheCrossEntropy(_ page: Page) {
    let checks = CrossEntropyChecks(
      page, study, error: { crossEntropy($0, label: $1, beta: $2) },
      fused: { crossEntropyBackward(output: $0, label: $1, beta: $2) },
      backward: { softmaxBackward($0, output: $1, beta: $2) })
    checks.compareRoutes()
    checks.compareTape()
  }

  private static func beConfidentlyWrong(_ page: Page) {
    func gradients(_ gap: Double) -> (fused: Double, squared: Double) {
      let p = softmax([gap] + [Double](repeating: 0, count: 9), beta: 1)
      let difference = p.enumerated().map { $0 == 0 ? $1 - 1 : $1 }
      return (
        crossEntropyBackward(output: p, label: 0, beta: 1)[0],
        softmaxBackward(difference, output: p, beta: 1)[0]
      )
    }
    let gaps = stride(from: -10.0, through: 15, by: 0.1).map { $0 }
    page.figure(
      SoftmaxFigures.wrong(
        fused: gaps.map { (x: $0, y: gradients($0).fused) },
        squared: gaps.map { (x: $0, y: gradients($0).squared) }))
    page.value("wrong.fused", gradients(10).fused, tolerance: 1e-9)
    page.value("wrong.squared", gradients(10).squared, tolerance: 1e-12)
    page.claim(
      "Where the network is sure of a wrong class, the squared error passes almost nothing back.",
      "wrong.fused > 0.99 and wrong.squared < 1e-4")
    // P of the true class is 0 here: −1/P is infinite, and the product with the matrix is NaN.
    let p = softmax([800.0, 0], beta: 1)
    page.check(
      "true class underflowed: β(y − P)", crossEntropyBackward(output: p, label: 0, beta: 1)[0],
      near: 1, tolerance: 0)
    page.check(
      "and −1/P through the Jacobian is finite",
      softmaxBackward([-1 / p[0], 0], output: p, beta: 1)[0].isFinite ? 1 : 0, near: 0,
      tolerance: 0)
  }
}

// MARK: - The diagonal alone

extension SoftmaxJacobian {
  private static func trainWithTheDiagonal(_ page: Page) {
    let whole = { (p: [Double], label: Int) in
      crossEntropyBackward(output: p, label: label, beta: 1)
    }
    // Jᵀg with the diagonal of J alone: βP_c(P_c − 1)·(−1/P_c) at the true class c, and 0 elsewhere.
    let diagonal = { (p: [Double], label: Int) in
      p.indices.map { $0 == label ? 1 - p[label] : 0 }
    }
    let study = DiagonalTraining(softmax: { softmax($0, beta: 1) }, right: whole)
    let seeds = (0..<5).map { page.seed + $0 }
    let steps = page.isQuick ? 60 : DiagonalTraining.steps
    DiagonalTraining.report(
      seeds.map { study.train(whole, seed: $0, steps: steps) },
      seeds.map { study.train(diagonal, seed: $0, steps: steps) }, page)
    page.claim(
      "The loss ends above its start.", "training.rise.low > 0")
  }
}

// MARK: - A small network by hand

extension SoftmaxJacobian {
  private static func passBackByHand(_ page: Page) {
    let network = NetworkByHand()
    let byHand = network.backward(network.numbers, network.forward(network.numbers)).named
    network.report(byHand, page)
    page.check(
      "small network: by hand = tape (Float)",
      Routes.distance(byHand.map(\.value), network.taped().named.map(\.value)), atMost: 1.8e-7)
    page.check(
      "small network: by hand = central difference",
      Routes.distance(byHand.map(\.value), network.differences()), atMost: 6.6e-11)
  }
}
