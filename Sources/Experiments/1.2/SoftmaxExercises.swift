import Notebook

/// The exercises of chapter 1.2, with the chapter's own softmax and error.
package struct SoftmaxExercises {
  private let page: Page
  private let softmax: (_ x: [Double], _ β: Double) -> [Double]
  private let error: (_ x: [Double], _ label: Int, _ β: Double) -> Double
  private let x = [0.0, 1, 2, 4]

  package init(
    _ page: Page, softmax: @escaping (_ x: [Double], _ β: Double) -> [Double],
    error: @escaping (_ x: [Double], _ label: Int, _ β: Double) -> Double
  ) {
    (self.page, self.softmax, self.error) = (page, softmax, error)
  }

  /// Solves them in the order of the text.
  package func solve() {
    turnColder()
    takeTheLogarithm()
    goOneStep()
  }

  /// The mean input falls as it gets colder, by the variance.
  private func turnColder() {
    func mean(_ β: Double) -> Double { LinearAlgebra.dot(softmax(x, β), x) }
    let p = softmax(x, 1)
    let variance = LinearAlgebra.dot(p, x.map { ($0 - mean(1)) * ($0 - mean(1)) })
    page.value("exercise.mean", mean(1), tolerance: 1e-12)
    page.value("exercise.variance", variance, tolerance: 1e-12)
    page.check(
      "exercise: ∂⟨x⟩/∂β = −Var(x)",
      abs(Routes.centralDifference(at: 1, step: 1e-5, of: mean) + variance), atMost: 7.5e-11)
  }

  /// The Jacobian of ln P is β(P_j − δ_ij), which is large where that of P is not.
  private func takeTheLogarithm() {
    func logSize(_ β: Double) -> Double {
      let p = softmax(x, β)
      let entries = p.indices.flatMap { i in p.indices.map { β * (p[$0] - (i == $0 ? 1 : 0)) } }
      return LinearAlgebra.dot(entries, entries).squareRoot()
    }
    page.value("exercise.logSize", logSize(20), tolerance: 1e-9)
    let slopes = SoftmaxRoutes.slopes(at: x) { -error($0, 3, 2) }
    let cold = softmax(x, 2)
    page.check(
      "exercise: ∂ln P_i/∂x_j = β(P_j − δ_ij)",
      Routes.distance(x.indices.map { 2 * (cold[$0] - ($0 == 3 ? 1 : 0)) }, slopes), atMost: 7.5e-11
    )
  }

  /// One step against the gradient of the small network.
  private func goOneStep() {
    let network = NetworkByHand()
    let forward = network.forward(network.numbers)
    let gradient = network.backward(network.numbers, forward)
    let parameters =
      gradient.x + gradient.z + Array(gradient.lastWeights.joined())
      + Array(gradient.firstWeights.joined())
    page.value(
      "exercise.predicted", 0.1 * LinearAlgebra.dot(parameters, parameters), tolerance: 1e-12)
    page.value(
      "exercise.fall", forward.error - network.error(afterStep: 0.1), tolerance: 1e-12)
  }
}
