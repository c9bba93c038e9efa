import Notebook

/// How far difference quotients are from a gradient, against their step.
package struct StepSweep {
  private let sample: ActivationRoutes.Sample
  private let exact: [Double]

  /// A sweep over a sample, whose gradient is known.
  package init(_ sample: ActivationRoutes.Sample, exact: [Double]) {
    (self.sample, self.exact) = (sample, exact)
  }

  /// The relative error of a quotient at each step.
  package func curve(
    _ quotient: (_ x: Double, _ target: Double, _ step: Double) -> Double
  ) -> [Mark.Point] {
    Routes.steps.map { h in
      (x: h, y: Routes.distance(sample.map { quotient($0, $1, h) }, exact))
    }
  }

  /// Gives the page the best step of a curve, the error there, and the slope of the right arm.
  ///
  /// - Parameter arm: the ends of the arm, neither of which belongs to it.
  package static func report(
    _ name: String, _ curve: [Mark.Point], arm: (from: Double, to: Double), tolerance: Double,
    on page: Page
  ) {
    let best = curve.min { $0.y < $1.y }!
    page.value("\(name).step", best.x, tolerance: 0.8 * best.x)
    page.value("\(name).error", best.y, tolerance: 0.8 * best.y)
    let falling = curve.filter { $0.x > arm.from && $0.x < arm.to }
    page.value("\(name).slope", Routes.logarithmicSlope(falling), tolerance: tolerance)
  }

  /// The errors of three difference schemes against their step.
  package static func figure(
    forward: [Mark.Point], central: [Mark.Point], complex: [Mark.Point]
  ) -> Figure {
    Figure(
      "step",
      title: "Too small a step ruins a difference quotient; the complex step has no such limit",
      panels: [
        Panel(
          x: Axis("step h", scale: .log), y: Axis("relative error", scale: .log),
          marks: [
            .line("forward difference", forward), .line("central difference", central),
            .line("complex step", complex),
          ])
      ])
  }
}
