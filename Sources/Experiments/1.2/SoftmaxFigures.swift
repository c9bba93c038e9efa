import Notebook

/// Figures of chapter 1.2, from what the chapter has computed.
package enum SoftmaxFigures {
  /// The error of a difference against its step, and that of the complex step.
  package static func step(_ differences: [Mark], _ complex: [Mark.Point]) -> Figure {
    Figure(
      "step",
      title: "The best step of a difference shrinks as β grows; the complex step has none",
      panels: [
        Panel(
          x: Axis("step h", scale: .log), y: Axis("relative error", scale: .log),
          marks: differences + [.line("complex step, β = 100", complex)])
      ])
  }

  /// The probabilities, and the size of the Jacobian, against β.
  package static func temperature(_ probabilities: [Mark], _ sizes: [Mark.Point]) -> Figure {
    let axis = Axis("β", range: -5...5)
    return Figure(
      "temperature",
      title: "At β = 0 the softmax is blind, at a large β it is sure: both pass nothing back",
      size: (width: 760, height: 360), columns: 2,
      panels: [
        Panel(
          title: "what comes out", x: axis, y: Axis("probability"), marks: probabilities),
        Panel(
          title: "what passes back", x: axis, y: Axis("‖J‖"),
          marks: [.line("size of the Jacobian", sizes, colour: 7)]),
      ])
  }

  /// The gradient at the true class against its input, for two errors.
  package static func wrong(fused: [Mark.Point], squared: [Mark.Point]) -> Figure {
    Figure(
      "wrong",
      title: "Surely wrong: the cross-entropy passes the error back, the squared error nothing",
      panels: [
        Panel(
          x: Axis("input of the true class, above the nine others (large is wrong)"),
          y: Axis("∂E/∂x of the true class"),
          marks: [.line("cross-entropy", fused), .line("squared error", squared)])
      ])
  }
}
