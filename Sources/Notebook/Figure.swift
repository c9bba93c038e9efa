/// A figure: panels of marks under a title that states the finding.
public struct Figure: Sendable {
  /// The part of the file's name after the chapter's number: `trajectories`.
  public let name: String
  /// The finding, as a sentence.
  public let title: String
  /// Width and height in pixels.
  public let size: (width: Int, height: Int)
  /// Panels in a row.
  public let columns: Int
  /// The panels, row by row.
  public let panels: [Panel]

  /// A figure from its panels.
  public init(
    _ name: String, title: String, size: (width: Int, height: Int) = (760, 420),
    columns: Int = 1, panels: [Panel]
  ) {
    self.name = name
    self.title = title
    self.size = size
    self.columns = max(1, columns)
    self.panels = panels
  }

  /// What keeps the figure from being drawn, one sentence each.
  var faults: [String] {
    var faults: [String] = []
    if panels.isEmpty { faults.append("The figure \(name) has no panel; give it one.") }
    if !name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }) {
      faults.append("“\(name)” is no name for a figure; write letters, digits and hyphens.")
    }
    for panel in panels {
      if panel.marks.isEmpty { faults.append("A panel of the figure \(name) shows nothing.") }
      for mark in panel.marks where !mark.isFinite {
        faults.append(
          "The mark “\(mark.name)” of the figure \(name) has a number that is not finite.")
      }
    }
    return faults
  }
}

/// One pair of axes with marks on it.
public struct Panel: Sendable {
  let title: String?
  let x: Axis
  let y: Axis
  let marks: [Mark]

  /// A panel from its axes and marks.
  public init(title: String? = nil, x: Axis = .hidden, y: Axis = .hidden, marks: [Mark]) {
    self.title = title
    self.x = x
    self.y = y
    self.marks = marks
  }
}

/// An axis of a panel.
public struct Axis: Sendable {
  /// How numbers are laid along an axis.
  public enum Scale: Sendable { case linear, log }

  let label: String
  let scale: Scale
  let range: ClosedRange<Double>?
  let ticks: [(Double, String)]?
  var isHidden = false

  /// An axis with its label and unit; without a range it holds what is shown.
  public init(
    _ label: String, scale: Scale = .linear, range: ClosedRange<Double>? = nil,
    ticks: [(Double, String)]? = nil
  ) {
    self.label = label
    self.scale = scale
    self.range = range
    self.ticks = ticks
  }

  /// No axis, as for pictures.
  public static var hidden: Axis { hidden(range: nil) }

  /// No axis, over a range, as for drawings that shall have one scale.
  public static func hidden(range: ClosedRange<Double>?) -> Axis {
    var axis = Axis("", range: range)
    axis.isHidden = true
    return axis
  }
}

/// Something that is drawn in a panel.
public struct Mark: Sendable {
  /// A point of a plane.
  public typealias Point = (x: Double, y: Double)

  enum Kind: Sendable {
    case line([Point])
    case guide([Point], isDotted: Bool)
    case points([Point])
    case band([(x: Double, low: Double, high: Double)])
    case bars([(label: String, value: Double, error: Double)])
    case steps([Point])
    case horizontal(Double)
    case vertical(Double)
    case text(Point, isCentred: Bool)
    case heatmap([[Double]], labels: [[String]], largest: Double?)
    case images([[Float]], captions: [String], columns: Int)
  }

  /// What it shows, for its label; empty for none.
  public let name: String
  let kind: Kind
  /// The place in the palette; nil for the next free one.
  let colour: Int?

  /// A curve through points.
  public static func line(_ name: String, _ points: [Point], colour: Int? = nil) -> Mark {
    Mark(name: name, kind: .line(points), colour: colour)
  }

  /// A thin grey curve without a name, such as a contour; dotted for what others have found.
  public static func guide(_ points: [Point], isDotted: Bool = false) -> Mark {
    Mark(name: "", kind: .guide(points, isDotted: isDotted), colour: nil)
  }

  /// Separate points.
  public static func points(_ name: String, _ points: [Point], colour: Int? = nil) -> Mark {
    Mark(name: name, kind: .points(points), colour: colour)
  }

  /// The area between two curves, such as a mean less and plus a deviation.
  public static func band(
    _ name: String, _ values: [(x: Double, low: Double, high: Double)], colour: Int? = nil
  ) -> Mark { Mark(name: name, kind: .band(values), colour: colour) }

  /// A bar for each category, with the half length of an error bar (0 for none).
  public static func bars(
    _ name: String, _ values: [(label: String, value: Double, error: Double)], colour: Int? = nil
  ) -> Mark { Mark(name: name, kind: .bars(values), colour: colour) }

  /// A histogram: heights at the left edges of equal bins, of which there are two or more.
  public static func histogram(_ name: String, _ points: [Point], colour: Int? = nil) -> Mark {
    precondition(points.count > 1, "a histogram of \(points.count) bins")
    // A step ends where the next begins, so that the last bin needs a right edge.
    let (last, before) = (points[points.count - 1], points[points.count - 2])
    let edge = (x: 2 * last.x - before.x, y: last.y)
    return Mark(name: name, kind: .steps(points + [edge]), colour: colour)
  }

  /// A thin level line.
  public static func horizontal(_ name: String, at y: Double) -> Mark {
    Mark(name: name, kind: .horizontal(y), colour: nil)
  }

  /// A thin upright line.
  public static func vertical(_ name: String, at x: Double) -> Mark {
    Mark(name: name, kind: .vertical(x), colour: nil)
  }

  /// Words that begin at a point, or have their middle there.
  public static func text(_ text: String, at point: Point, isCentred: Bool = false) -> Mark {
    Mark(name: text, kind: .text(point, isCentred: isCentred), colour: nil)
  }

  /// A matrix as coloured cells, the first row on top, each with its label.
  ///
  /// - Parameter largest: the number of the darkest colour, the same in panels that are compared;
  ///   nil for the largest of the matrix.
  public static func heatmap(
    _ rows: [[Double]], labels: [[String]], largest: Double? = nil
  ) -> Mark {
    Mark(name: "", kind: .heatmap(rows, labels: labels, largest: largest), colour: nil)
  }

  /// Square grey pictures (0 paper, 1 ink) of one size in rows, each with a caption below.
  public static func images(_ pixels: [[Float]], captions: [String], columns: Int) -> Mark {
    Mark(name: "", kind: .images(pixels, captions: captions, columns: columns), colour: nil)
  }

  /// The extents in x and y, for the ranges of axes.
  var extent: (x: [Double], y: [Double]) {
    switch kind {
    case .line(let points), .guide(let points, _), .points(let points):
      (points.map(\.x), points.map(\.y))
    case .steps(let points): (points.map(\.x), points.map(\.y) + [0])
    case .band(let values): (values.map(\.x), values.flatMap { [$0.low, $0.high] })
    case .bars(let values):
      (
        [-0.6, Double(values.count) - 0.4],
        values.flatMap { [0, $0.value - $0.error, $0.value + $0.error] }
      )
    case .horizontal(let y): ([], [y])
    case .vertical(let x): ([x], [])
    case .text(let point, _): ([point.x], [point.y])
    case .heatmap(let rows, _, _):
      ([-0.5, Double(rows.first?.count ?? 0) - 0.5], [-0.5, Double(rows.count) - 0.5])
    case .images: ([], [])
    }
  }

  var isFinite: Bool {
    switch kind {
    case .heatmap(let rows, _, _): rows.joined().allSatisfy(\.isFinite)
    case .images(let pixels, _, _): pixels.joined().allSatisfy(\.isFinite)
    default: extent.x.allSatisfy(\.isFinite) && extent.y.allSatisfy(\.isFinite)
    }
  }
}
