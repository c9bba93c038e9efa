import Notebook

extension Panel {
  /// Accuracies against the epoch: for each part the mean over seeds, in a band of ± deviation.
  ///
  /// - Parameter parts: a name, such as `validation`, and accuracies by seed, then point.
  package static func accuracies(
    _ title: String? = nil, x: Axis, y: Axis, epochs: [Int],
    parts: [(name: String, bySeed: [[Double]])]
  ) -> Panel {
    let marks = parts.enumerated().flatMap { colour, part in
      let points = epochs.indices.map { point in
        (x: Double(epochs[point]), spread: Spread(part.bySeed.map { $0[point] }))
      }
      let band = points.map {
        ($0.x, $0.spread.mean - $0.spread.deviation, $0.spread.mean + $0.spread.deviation)
      }
      return [
        Mark.band("", band, colour: colour),
        Mark.line(part.name, points.map { ($0.x, $0.spread.mean) }, colour: colour),
      ]
    }
    return Panel(title: title, x: x, y: y, marks: marks)
  }
}
