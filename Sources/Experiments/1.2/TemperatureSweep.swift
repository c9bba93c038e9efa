import Notebook

/// What comes out of the softmax of four inputs, and what passes back, against β.
package struct TemperatureSweep {
  private let page: Page
  private let study: SoftmaxRoutes
  private let x = [0.0, 1, 2, 4]

  package init(_ page: Page, _ study: SoftmaxRoutes) { (self.page, self.study) = (page, study) }

  private func softmax(_ β: Double) -> [Double] { study.softmax(x, β) }

  /// The root of the sum of the squared entries of the Jacobian.
  private func size(_ β: Double) -> Double {
    let entries = Array(study.formula(softmax(β), β).joined())
    return LinearAlgebra.dot(entries, entries).squareRoot()
  }

  /// Gives the figure, the β at which most comes back, and both ends.
  package func report() {
    let βs = stride(from: -5.0, through: 5, by: 0.05).map { $0 }
    let curves = x.indices.map { i in
      Mark.line("input \(Int(x[i]))", βs.map { (x: $0, y: softmax($0)[i]) })
    }
    page.figure(SoftmaxFigures.temperature(curves, βs.map { (x: $0, y: size($0)) }))
    let best = stride(from: 0.0, through: 10, by: 0.01).max { size($0) < size($1) }!
    page.value("best.beta", best, tolerance: 0.02)
    page.value("best.size", size(best), tolerance: 1e-6)
    page.value("cold.size", size(20), tolerance: 1e-12)
    page.value("cold.first", softmax(5)[0], tolerance: 1e-9)
    page.value("hot.last", softmax(-5)[3], tolerance: 1e-9)
    page.check(
      "β = 0: all outputs are", LinearAlgebra.largest(softmax(0).map { $0 - 0.25 }), atMost: 1e-16)
  }
}
