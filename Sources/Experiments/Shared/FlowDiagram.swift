import Notebook

/// The picture of what flows where: boxes with words in them, arrows between them.
///
/// Coordinates are of the whole picture, from (0, 0) at the lower left.
package struct FlowDiagram {
  private let width, height, head: Double
  private var marks: [Mark] = []

  /// An empty picture.
  ///
  /// - Parameter head: the length of an arrow's head in its units.
  package init(width: Double, height: Double, head: Double) {
    (self.width, self.height, self.head) = (width, height, head)
  }

  /// Adds a box around lines of words, of which the first is the uppermost.
  package mutating func box(
    _ lines: [String], x: ClosedRange<Double>, y: ClosedRange<Double>
  ) {
    let corners = [
      (x.lowerBound, y.lowerBound), (x.upperBound, y.lowerBound), (x.upperBound, y.upperBound),
      (x.lowerBound, y.upperBound), (x.lowerBound, y.lowerBound),
    ].map { (x: $0.0, y: $0.1) }
    marks.append(.guide(corners))
    let pitch = (y.upperBound - y.lowerBound) / Double(lines.count + 1)
    for (index, words) in lines.enumerated() {
      note(
        words, x: (x.lowerBound + x.upperBound) / 2, y: y.upperBound - pitch * Double(index + 1))
    }
  }

  /// Adds words with their middle at a place.
  package mutating func note(_ words: String, x: Double, y: Double) {
    marks.append(.text(words, at: (x, y), isCentred: true))
  }

  /// Adds an arrow along level and upright lines; the last piece is level and has the head.
  package mutating func arrow(_ points: [(x: Double, y: Double)], colour: Int? = nil) {
    let (end, before) = (points.last!, points[points.count - 2])
    let back = end.x > before.x ? -head : head
    let lift = head * 0.6 * height / width * 2
    let pieces = [
      points, [(end.x + back, end.y + lift), end, (end.x + back, end.y - lift)],
    ]
    marks += pieces.map { colour == nil ? .guide($0) : .line("", $0, colour: colour) }
  }

  /// The finished picture.
  package var panel: Panel {
    Panel(x: .hidden(range: 0...width), y: .hidden(range: 0...height), marks: marks)
  }
}
