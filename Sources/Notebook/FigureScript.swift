import Foundation

/// The gnuplot script that draws a figure from its `.dat` file, in the one style of all figures.
///
/// The layout is computed here, in pixels from the top left, rather than left to gnuplot: only so
/// can labels stand at the ends of their lines without covering each other.
struct FigureScript {
  /// Okabe & Ito's palette, without its yellow, which white paper swallows.
  static let palette = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555", "#000000",
  ]

  private let figure: Figure
  private let data: String
  private let canvas: Canvas
  private(set) var text = ""

  /// The script for a figure whose data lie at a path.
  init(_ figure: Figure, data: String, on canvas: Canvas = .page) {
    self.figure = figure
    self.data = data
    self.canvas = canvas
    write()
  }

  private var sharedNames: [(name: String, colour: Int)]? {
    guard figure.panels.count > 1 else { return nil }
    var found: [(name: String, colour: Int)] = []
    for panel in figure.panels {
      for (mark, colour) in zip(panel.marks, Self.colours(panel)) where mark.isLabelled {
        if !found.contains(where: { $0.name == mark.name }) { found.append((mark.name, colour)) }
      }
    }
    return found.isEmpty ? nil : found
  }

  private mutating func write() {
    let (width, height) = figure.size
    let lines = Self.wrap(figure.title, width: canvas.titleLength(in: width))
    let legend = sharedNames
    var top = 14 + 21 * lines.count
    add(canvas.terminal(width: width, height: height))
    add("set encoding utf8")
    add("unset key")
    add("set multiplot")
    let legendTop = top
    if legend != nil { top += 22 }
    let rows = (figure.panels.count + figure.columns - 1) / figure.columns
    let cell = (x: width / figure.columns, y: (height - top) / rows)
    var block = 0
    for (index, panel) in figure.panels.enumerated() {
      let origin = (x: index % figure.columns * cell.x, y: top + index / figure.columns * cell.y)
      add("unset label; unset arrow")
      if index == 0 { head(lines, legend ?? [], legendTop) }
      draw(panel, origin, cell, &block, labelsLines: legend == nil)
    }
    add("unset multiplot")
  }

  /// The title and the legend that all panels share, which the first panel's plot prints.
  private mutating func head(
    _ lines: [String], _ legend: [(name: String, colour: Int)], _ legendTop: Int
  ) {
    for (index, line) in lines.enumerated() {
      label(line, x: 14, y: 22 + 21 * index, size: 16, colour: "#111111")
    }
    var x = 14
    for (name, colour) in legend {
      let words = "\(canvas.sample(colour)) \(name)"
      label(words, x: x, y: legendTop + 8, size: 13, colour: Self.palette[colour])
      x += Int(8 * canvas.letterWidth(in: figure.size.width) / 7.4) * (name.count + 4)
    }
  }

  private mutating func draw(
    _ panel: Panel, _ origin: (x: Int, y: Int), _ cell: (x: Int, y: Int), _ block: inout Int,
    labelsLines: Bool
  ) {
    let hidden = panel.x.isHidden && panel.y.isHidden
    let colours = Self.colours(panel)
    let (xs, ys) = (panel.marks.flatMap(\.extent.x), panel.marks.flatMap(\.extent.y))
    let (xRange, yRange) = (
      Self.range(panel.x, xs),
      Self.range(panel.y, ys, padding: panel.marks.contains(where: \.isMatrix) ? 0 : 0.05)
    )
    let longest = labelsLines ? panel.marks.filter(\.isLabelled).map(\.name.count).max() ?? 0 : 0
    let yLabelWidth = max(2, panel.y.ticks?.map(\.1.count).max() ?? 5) * 7 + 8
    let left = origin.x + (hidden ? 14 : yLabelWidth + (panel.y.label.isEmpty ? 10 : 32))
    let letter = canvas.letterWidth(in: figure.size.width)
    let right = origin.x + cell.x - (longest > 0 ? 14 + Int(Double(longest) * letter) : 20)
    // Letters cannot be turned: what the upright axis means stands above it, below the title.
    let line = canvas.isLetters && !panel.y.label.isEmpty ? 20 : 0
    let top = origin.y + (panel.title == nil ? 12 : 30) + line
    let bottom = origin.y + cell.y - (hidden ? 10 : panel.x.label.isEmpty ? 30 : 52)
    place(left, right, top, bottom)
    if let title = panel.title {
      label(title, x: left, y: top - 13 - line, size: 14, colour: "#333333")
    }
    axes(panel, xRange, yRange, hidden: hidden)
    if !hidden {
      label(
        panel.x.label, x: (left + right) / 2, y: bottom + 40, size: 13, colour: "#333333",
        align: "center")
      if line > 0 {
        label("↑ " + panel.y.label, x: left, y: top - 13, size: 13, colour: "#333333")
      } else {
        label(
          panel.y.label, x: left - yLabelWidth - 12, y: (top + bottom) / 2, size: 13,
          colour: "#333333", align: "center rotate by 90")
      }
    }
    var plots: [String] = []
    for (mark, colour) in zip(panel.marks, colours) {
      plots += plot(mark, block, Self.palette[colour], dash: colour)
      block += 1
      annotate(mark, xRange, yRange)
      if case .heatmap = mark.kind, canvas.isLetters {
        label(
          "(shades, which letters cannot show)", x: (left + right) / 2, y: (top + bottom) / 2,
          size: 13, colour: "#333333", align: "center")
      }
      if case .images(let pixels, let captions, let columns) = mark.kind {
        if canvas.isLetters {
          label(
            "(pictures, which letters cannot show)", x: (left + right) / 2, y: (top + bottom) / 2,
            size: 13, colour: "#333333", align: "center")
        }
        let grid = ImageGrid(pixels, columns: columns)
        add(
          "set xrange [-0.5:\(grid.rows[0].count).0-0.5]; set yrange [-0.5:\(grid.rows.count).0-0.5]"
        )
        add("set palette gray negative; set cbrange [0:255]; unset colorbox")
        for (index, caption) in captions.enumerated() {
          let left = index % columns * grid.pitch.x + ImageGrid.margin
          let x = Double(left) + Double(grid.side) / 2
          let y = Double(grid.rows.count - index / columns * grid.pitch.y - grid.side) - 5.5
          add(
            "set label \(quote(caption)) at \(x),\(y) center font ',11' textcolor '#333333' noenhanced front"
          )
        }
      }
    }
    if labelsLines {
      labelEnds(panel, colours, yRange, right: right, top: top, bottom: bottom)
    }
    add("plot " + plots.joined(separator: ", \\\n  "))
  }

  private mutating func axes(
    _ panel: Panel, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>, hidden: Bool
  ) {
    if hidden {
      add("unset border; unset xtics; unset ytics; unset grid; unset xlabel; unset ylabel")
      add("unset logscale; set xrange [\(x.lowerBound):\(x.upperBound)]")
      add("set yrange [\(y.lowerBound):\(y.upperBound)]")
      return
    }
    add("set border 3 lc rgb '#888888' lw 1")
    add(canvas.isLetters ? "unset grid" : "set grid lc rgb '#e4e4e4' lt 1 lw 1")
    for (name, axis, range) in [("x", panel.x, x), ("y", panel.y, y)] {
      add("unset logscale \(name)")
      if axis.scale == .log { add("set logscale \(name)") }
      add("set format \(name) '\(canvas.tickFormat(axis.scale))'")
      add("set \(name)range [\(range.lowerBound):\(range.upperBound)]")
      if let ticks = axis.ticks {
        let list = ticks.map { "\(quote($0.1.tickFormat)) \($0.0)" }.joined(separator: ", ")
        add("set \(name)tics nomirror out scale 0.5 (\(list)) textcolor rgb '#444444' noenhanced")
      } else if let bars = panel.marks.lazy.compactMap(\.bars).first, name == "x" {
        let list = bars.enumerated().map { "\(quote($1.label.tickFormat)) \($0)" }
          .joined(separator: ", ")
        add("set xtics nomirror out scale 0 (\(list)) textcolor rgb '#444444' noenhanced")
      } else {
        add("set \(name)tics nomirror out scale 0.5 autofreq textcolor rgb '#444444' enhanced")
      }
    }
  }

  private func plot(_ mark: Mark, _ block: Int, _ colour: String, dash: Int) -> [String] {
    let source = "\(quote(data)) index \(block)"
    if canvas.isLetters { return Canvas.letters(mark.kind, source, colour: dash) }
    let dashes = ["1", "'-'", "'_ '", "'-.'", "'.'", "'--.'", "1", "1"]
    switch mark.kind {
    case .line:
      return ["\(source) using 1:2 with lines lw 2.2 dt \(dashes[dash]) lc rgb '\(colour)'"]
    case .guide(_, let isDotted):
      let look = isDotted ? "lw 2 dt '.' lc rgb '#666666'" : "lw 1 lc rgb '#c4c4c4'"
      return ["\(source) using 1:2 with lines \(look)"]
    case .points:
      return [
        "\(source) using 1:2 with points pt \([7, 5, 9, 13][dash % 4]) ps 0.6 lc rgb '\(colour)'"
      ]
    case .band:
      return [
        "\(source) using 1:2:3 with filledcurves fs transparent solid 0.18 noborder lc rgb '\(colour)'"
      ]
    case .bars:
      return [
        "\(source) using 1:2:(0.62) with boxes fs solid 0.85 noborder lc rgb '\(colour)'",
        // Not yerrorbars, whose middle SVG leaves white.
        "\(source) using 1:($3 > 0 ? $2-$3 : 1/0):(0):(2*$3) with vectors heads "
          + "size graph 0.008,90 lw 1.6 lc rgb '#333333'",
      ]
    case .steps:
      return [
        "\(source) using 1:2 with fillsteps fs transparent solid 0.6 noborder lc rgb '\(colour)'"
      ]
    case .horizontal, .vertical, .text:
      return ["NaN with lines"]
    case .heatmap:
      return ["\(source) matrix with image pixels"]
    case .images:
      // One embedded picture: a shape for each pixel would take a hundred times the space.
      return ["\(source) matrix with image"]
    }
  }

  private mutating func annotate(
    _ mark: Mark, _ x: ClosedRange<Double>, _ y: ClosedRange<Double>
  ) {
    switch mark.kind {
    case .horizontal(let value):
      add(
        "set arrow from graph 0, first \(value) to graph 1, first \(value) nohead lc rgb '#777777' dt '-' lw 1.2 back"
      )
      add(
        "set label \(quote(mark.name)) at graph 0.99, first \(value) right offset 0,0.5 textcolor rgb '#555555' font ',12' noenhanced"
      )
    case .vertical(let value):
      add(
        "set arrow from first \(value), graph 0 to first \(value), graph 1 nohead lc rgb '#777777' dt '-' lw 1.2 back"
      )
      add(
        "set label \(quote(mark.name)) at first \(value), graph 0.96 left offset 0.5,0 textcolor rgb '#555555' font ',12' noenhanced"
      )
    case .text(let point, let isCentred):
      let side = isCentred ? "center" : "left"
      add(
        "set label \(quote(mark.name)) at first \(point.x),\(point.y) \(side) textcolor rgb '#333333' font ',12' noenhanced front"
      )
    case .heatmap(let rows, let labels, let darkest):
      let largest = darkest ?? rows.joined().max() ?? 1
      add(
        "set palette defined (0 '#ffffff', 1 '#0072B2'); unset colorbox; set cbrange [0:\(largest)]; unset grid"
      )
      for (row, cells) in labels.enumerated() {
        for (column, cell) in cells.enumerated() {
          let ink = rows[row][column] > largest * 0.6 ? "#ffffff" : "#222222"
          add(
            "set label \(quote(cell)) at \(column),\(rows.count - 1 - row) center textcolor rgb '\(ink)' font ',12' noenhanced front"
          )
        }
      }
    default: break
    }
  }

  /// Names at the right ends of lines, pushed apart where they would cover each other.
  private mutating func labelEnds(
    _ panel: Panel, _ colours: [Int], _ range: ClosedRange<Double>, right: Int, top: Int,
    bottom: Int
  ) {
    func pixel(_ y: Double) -> Double {
      let (low, high, value) =
        panel.y.scale == .log
        ? (log10(range.lowerBound), log10(range.upperBound), log10(max(y, 1e-300)))
        : (range.lowerBound, range.upperBound, y)
      return Double(bottom) - (value - low) / (high - low) * Double(bottom - top)
    }
    var ends: [(name: String, colour: Int, y: Double)] = []
    for (mark, colour) in zip(panel.marks, colours) where mark.isLabelled {
      guard let last = mark.end else { continue }
      ends.append((mark.name, colour, min(Double(bottom), max(Double(top), pixel(last.y)))))
    }
    ends.sort { $0.y < $1.y }
    for index in ends.indices.dropFirst() {
      ends[index].y = max(ends[index].y, ends[index - 1].y + 16)
    }
    // What was pushed below the axis goes up again, and takes its neighbours along.
    var limit = Double(bottom)
    for index in ends.indices.reversed() {
      ends[index].y = min(ends[index].y, limit)
      limit = ends[index].y - 16
    }
    for end in ends {
      label(end.name, x: right + 7, y: Int(end.y), size: 13, colour: Self.palette[end.colour])
    }
  }

  // MARK: - Small things

  private mutating func add(_ line: String) { text += line + "\n" }

  private mutating func label(
    _ words: String, x: Int, y: Int, size: Int, colour: String, align: String = "left"
  ) {
    guard !words.isEmpty else { return }
    let (width, height) = figure.size
    let place = String(
      format: "screen %.4f, screen %.4f", Double(x) / Double(width),
      1 - Double(y) / Double(height))
    add(
      "set label \(quote(words)) at \(place) \(align) font ',\(size)' textcolor rgb '\(colour)' noenhanced front"
    )
  }

  private mutating func place(_ left: Int, _ right: Int, _ top: Int, _ bottom: Int) {
    let (width, height) = (Double(figure.size.width), Double(figure.size.height))
    add(
      String(
        format: "set lmargin at screen %.4f; set rmargin at screen %.4f; "
          + "set tmargin at screen %.4f; set bmargin at screen %.4f",
        Double(left) / width, Double(right) / width, 1 - Double(top) / height,
        1 - Double(bottom) / height))
  }

  /// A text as gnuplot reads it back to the letter: even words in backquotes, which it would run.
  private func quote(_ text: String) -> String {
    "\"" + text.onOneLine.with("\\", before: ["\\", "\"", "`"]) + "\""
  }

  /// The place in the palette of each mark: its own, that of a mark of the same name, or the next.
  private static func colours(_ panel: Panel) -> [Int] {
    var next = 0
    var known: [String: Int] = [:]
    return panel.marks.map { mark in
      if let colour = mark.colour { return colour % palette.count }
      guard mark.isColoured else { return 6 }
      if !mark.name.isEmpty, let colour = known[mark.name] { return colour }
      defer { next += 1 }
      known[mark.name] = next % palette.count
      return next % palette.count
    }
  }

  /// The range of an axis: the given one, or what is shown with some room.
  private static func range(
    _ axis: Axis, _ values: [Double], padding: Double = 0
  ) -> ClosedRange<Double> {
    if let range = axis.range { return range }
    if axis.scale == .log {
      let positive = values.filter { $0 > 0 }
      let (low, high) = (positive.min() ?? 1, positive.max() ?? 10)
      return pow(10, floor(log10(low)))...pow(10, max(ceil(log10(high)), floor(log10(low)) + 1))
    }
    let (low, high) = (values.min() ?? 0, values.max() ?? 1)
    let room = (high > low ? high - low : max(1, abs(high))) * padding
    return (low == 0 ? 0 : low - room)...(high > low || room > 0 ? high + room : high + 1)
  }

  /// A title in lines of at most `width` characters.
  private static func wrap(_ text: String, width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + word.count < width {
        lines[lines.count - 1] = last + " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }
}

extension String {
  /// The text with a space for each character that would end a line or move a cursor.
  var onOneLine: String {
    let scalars = unicodeScalars.map { scalar -> Unicode.Scalar in
      switch scalar.properties.generalCategory {
      case .control, .lineSeparator, .paragraphSeparator: " "
      default: scalar
      }
    }
    return String(String.UnicodeScalarView(scalars))
  }

  /// The text with a mark before some of its scalars, whatever accent may follow them.
  func with(_ mark: String, before special: Set<Unicode.Scalar>) -> String {
    unicodeScalars.map { special.contains($0) ? "\(mark)\($0)" : "\($0)" }.joined()
  }

  /// The same words as gnuplot wants them on a tick, where % starts a format.
  fileprivate var tickFormat: String { with("%", before: ["%"]) }
}

extension Mark {
  /// Whether a label or a legend names it.
  var isLabelled: Bool {
    switch kind {
    case .line, .points, .band, .steps: !name.isEmpty
    default: false
    }
  }

  /// Whether it takes a colour of the palette.
  var isColoured: Bool {
    switch kind {
    case .line, .points, .band, .bars, .steps: true
    default: false
    }
  }

  /// Whether its cells fill the panel to the edge.
  var isMatrix: Bool {
    if case .heatmap = kind { true } else { false }
  }

  /// The point at its right end.
  var end: Point? {
    switch kind {
    case .line(let points), .points(let points), .steps(let points):
      points.max { $0.x < $1.x }
    case .band(let values): values.last.map { ($0.x, ($0.low + $0.high) / 2) }
    default: nil
    }
  }

  var bars: [(label: String, value: Double, error: Double)]? {
    if case .bars(let bars) = kind { bars } else { nil }
  }
}
