import Gradients
import Notebook
import Tensors

/// What the softmax and the cross-entropy pass back together, against other routes.
///
/// The error, and the formulas under test, are the chapter's own: they are handed in.
package struct CrossEntropyChecks {
  private let page: Page
  private let study: SoftmaxRoutes
  private let error: (_ x: [Double], _ label: Int, _ β: Double) -> Double
  private let fused: (_ p: [Double], _ label: Int, _ β: Double) -> [Double]
  private let backward: (_ outputGradient: [Double], _ p: [Double], _ β: Double) -> [Double]

  /// Checks of `fused`, both layers in one, by the error and by the softmax's own pullback.
  package init(
    _ page: Page, _ study: SoftmaxRoutes,
    error: @escaping (_ x: [Double], _ label: Int, _ β: Double) -> Double,
    fused: @escaping (_ p: [Double], _ label: Int, _ β: Double) -> [Double],
    backward: @escaping (_ outputGradient: [Double], _ p: [Double], _ β: Double) -> [Double]
  ) {
    (self.page, self.study, self.error) = (page, study, error)
    (self.fused, self.backward) = (fused, backward)
  }

  /// Checks both layers in one by the two apart and by differences, and where the diagonal points.
  package func compareRoutes() {
    var (product, central, worst) = (0.0, 0.0, 1.0)
    for example in study.examples(page.seed) {
      let (x, p, β) = (example.x, example.p, example.β)
      for label in x.indices {
        let both = fused(p, label, β)
        let outputGradient = x.indices.map { $0 == label ? -1 / p[label] : 0 }
        product = max(product, Routes.distance(both, backward(outputGradient, p, β)))
        let slopes = SoftmaxRoutes.slopes(at: x) { error($0, label, β) }
        central = max(central, Routes.distance(both, slopes))
        let diagonal = LinearAlgebra.product(study.jacobian(example, .diagonalOnly), outputGradient)
        worst = min(
          worst,
          LinearAlgebra.dot(diagonal, both)
            / (LinearAlgebra.dot(diagonal, diagonal) * LinearAlgebra.dot(both, both)).squareRoot()
        )
      }
    }
    page.check("cross-entropy: β(y − P) = Jacobian times vector", product, atMost: 1e-14)
    page.check("cross-entropy: β(y − P) = central difference", central, atMost: 6e-9)
    page.value("diagonal.cosine", worst, tolerance: 0.01)
    page.check("diagonal only: cosine with the right gradient", worst, atLeast: 0.5.squareRoot())
  }

  /// Checks that the tape's loss, which has no −β, is that of β = −1 and the opposite of β = 1.
  package func compareTape() {
    let (x, tape) = (study.examples(page.seed)[0].x, Tape())
    let logits = tape.variable(Tensor([1, x.count], x.map(Float.init)))
    let gradients = tape.backward(from: softmaxCrossEntropy(logits: logits, labels: [2]))[logits]
    for (name, β, relation) in [("−1", -1.0, 0.0), ("1", 1, 2)] {
      page.check(
        "tape's cross-entropy: distance from β(y − P) with β = \(name)",
        Routes.distance(fused(study.softmax(x, -1), 2, β), gradients.values.map(Double.init)),
        near: relation, tolerance: 3e-7)
    }
  }
}
