import Notebook
import RealModule

/// The exercises of chapter 1.1 that a run can answer.
package struct ActivationExercises {
  private let error: (_ y: Double, _ target: Double) -> Double

  /// Exercises with the chapter's own error.
  package init(error: @escaping (_ y: Double, _ target: Double) -> Double) { self.error = error }

  /// Solves them, the second for a function whose gradient is known.
  package func solve(
    on page: Page, _ subject: ActivationRoutes.Subject,
    gradient: (ActivationRoutes.Sample) -> [Double]
  ) {
    let sample = ActivationRoutes.Sample(count: 64, seed: page.seed)
    passBackSoftplus(sample, page)
    sweepTheBetterDifference(subject, sample, exact: gradient(sample), page)
  }

  /// Softplus, ln(1 + eˣ), from its output.
  private func passBackSoftplus(_ sample: ActivationRoutes.Sample, _ page: Page) {
    func softplus(_ x: Double) -> Double { Double.log(onePlus: .exp(x)) }
    let formula = sample.map { x, target in
      let y = softplus(x)
      return (y - target) * -Double.expMinusOne(-y)
    }
    let difference = sample.map { x, target in
      Routes.centralDifference(at: x, step: 1e-5) { error(softplus($0), target) }
    }
    page.check(
      "exercise: softplus passes back 1 − e^(−y)", Routes.distance(formula, difference),
      atMost: 5e-11)
  }

  /// The difference of fourth order: [8(E(x + h) − E(x − h)) − (E(x + 2h) − E(x − 2h))]/12h.
  private func sweepTheBetterDifference(
    _ subject: ActivationRoutes.Subject, _ sample: ActivationRoutes.Sample, exact: [Double],
    _ page: Page
  ) {
    let curve = StepSweep(sample, exact: exact).curve { x, target, h in
      func difference(_ k: Double) -> Double {
        Routes.centralDifference(at: x, step: k * h) { error(subject.forward($0), target) }
      }
      return (4 * difference(1) - difference(2)) / 3
    }
    StepSweep.report("exercise", curve, arm: (from: 5e-3, to: 0.2), tolerance: 0.02, on: page)
  }
}
