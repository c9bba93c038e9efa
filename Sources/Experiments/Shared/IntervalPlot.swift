import Notebook

extension Panel {
  /// Rows of a number with what it may be, the first on top, each beside its name.
  ///
  /// - Parameters:
  ///   - rows: a name, the number, and the ends of its interval or deviation.
  ///   - marks: what else is drawn, such as a vertical line at 0.
  package static func intervals(
    _ title: String? = nil, x: Axis,
    rows: [(name: String, value: Double, low: Double, high: Double)], marks: [Mark] = []
  ) -> Panel {
    let heights = rows.indices.map { -Double($0) }
    let lines = zip(rows, heights).map { row, y in
      Mark.line("", [(row.low, y), (row.high, y)], colour: 0)
    }
    let points = zip(rows, heights).map { row, y in (x: row.value, y: y) }
    return Panel(
      title: title, x: x,
      y: Axis(
        "", range: 0.5 - Double(rows.count)...0.5,
        ticks: zip(rows, heights).map { ($1, $0.name) }),
      marks: lines + [.points("", points, colour: 0)] + marks)
  }
}
