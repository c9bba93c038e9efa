import Notebook

/// How far the routes with a step are from the chapter's Jacobian, against the step and β.
package struct JacobianSweep {
  private let page: Page
  private let study: SoftmaxRoutes
  private let inputs: [[Double]]

  package init(_ page: Page, _ study: SoftmaxRoutes) {
    (self.page, self.study) = (page, study)
    inputs = study.examples(page.seed, β: 2).map(\.x)
  }

  /// The error of a route at each step.
  ///
  /// The inputs shrink as β grows, so that the probabilities stay what they are.
  private func curve(
    _ β: Double, _ route: (_ x: [Double], _ β: Double, _ step: Double) -> [[Double]]
  ) -> [Mark.Point] {
    Routes.steps.map { h in
      let pairs = inputs.map { z in
        let x = z.map { $0 / β }
        return (route(x, β, h), study.formula(study.softmax(x, β), β))
      }
      return (h, SoftmaxRoutes.distance(pairs))
    }
  }

  /// Gives the best steps, the errors at one and the same step, and the figure.
  package func report() {
    var marks: [Mark] = []
    for (key, β) in [("one", 1.0), ("ten", 10), ("hundred", 100)] {
      let central = curve(β) { study.centralDifference($0, $1, step: $2) }
      let best = central.min { $0.y < $1.y }!
      page.value("sweep.\(key).step", best.x, tolerance: 3 * best.x)
      let same = central.first { $0.x < 1.1e-3 }!
      page.value("sweep.\(key).error", same.y, tolerance: 0.02 * same.y)
      marks.append(.line("central, β = \(Int(β))", central))
    }
    let complex = curve(100) { study.complexStep($0, $1, step: $2) }
    page.check("complex step at 10⁻¹⁶", complex.last!.y, atMost: 6e-16)
    page.figure(SoftmaxFigures.step(marks, complex))
  }
}
