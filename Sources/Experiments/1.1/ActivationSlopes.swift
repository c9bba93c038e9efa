import Notebook

/// What some functions pass back at most, and the figure that shows it.
package struct ActivationSlopes {
  private let subjects: [ActivationRoutes.Subject]
  private let xs = (-80...80).map { Double($0) / 20 }

  /// The slopes of functions that go by their formulas.
  package init(_ subjects: [ActivationRoutes.Subject]) { self.subjects = subjects }

  /// Gives the page the figure, and the largest slope of each, which differences must find too.
  package func report(on page: Page) {
    page.figure(figure)
    for subject in subjects {
      let largest = xs.map(subject.slope).max()!
      let measured = xs.map {
        Routes.centralDifference(at: $0, step: 1e-5, of: subject.forward)
      }
      page.check(
        "\(subject.name): largest slope, by the formula and by differences",
        abs(largest - measured.max()!), atMost: 1e-10)
      page.value("slope.\(subject.name.lowercased())", largest)
    }
  }

  private var figure: Figure {
    func points(_ xs: [Double], _ y: (Double) -> Double) -> [Mark.Point] {
      xs.map { (x: $0, y: y($0)) }
    }
    let panels = subjects.map { subject in
      // ReLU's slope jumps at 0: a line through the jump would show slopes that it does not have.
      let parts =
        subject.name == "ReLU" ? [xs.filter { $0 <= 0 }, [1e-9] + xs.filter { $0 > 0 }] : [xs]
      return Panel(
        title: subject.name, x: Axis("input", range: -4...4), y: Axis("", range: -1.1...2.1),
        marks: [.line("output", points(xs, subject.forward))]
          + parts.map { .line("derivative", points($0, subject.slope)) })
    }
    return Figure(
      "functions",
      title: "Sigmoid passes back at most a quarter of the error; tanh and ReLU at most all of it",
      size: (width: 760, height: 300), columns: 3, panels: panels)
  }
}
