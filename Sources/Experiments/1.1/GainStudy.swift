import Foundation
import Notebook
import Tensors

/// What is left of a gradient behind a stack of layers, over several networks, against the gain.
///
/// The same networks for each function and each gain, so that a comparison is of pairs.
package struct GainStudy {
  /// What a stack is drawn from: standard normal weights, an input, and a gradient at its top.
  package struct Stack {
    /// Of each layer, the rows of a square matrix one behind the other.
    package let weights: [[Double]]
    package let input, gradient: [Double]

    package init(depth: Int, width: Int, using random: inout RandomStream) {
      func draw(_ count: Int) -> [Double] { (0..<count).map { _ in Double(random.normal()) } }
      weights = (0..<depth).map { _ in draw(width * width) }
      (input, gradient) = (draw(width), draw(width))
    }
  }

  /// The gains that are tried: powers of √2.
  package static let gains = (-4...16).map { pow(2, Double($0) / 2) }
  /// The sizes after each layer by function, gain and network.
  private var sizes: [String: [[[Double]]]] = [:]

  /// A study of some functions by their names; `sizes` gives, for each network, the sizes after each
  /// layer.
  package init(_ functions: [String], sizes: (_ function: String, _ gain: Double) -> [[Double]]) {
    for function in functions {
      self.sizes[function] = Self.gains.map { sizes(function, $0) }
    }
  }

  private func runs(_ function: String, gain: Double) -> [[Double]] {
    // The powers of √2 are rounded, 2 and 16 among them.
    sizes[function]![Self.gains.firstIndex { abs($0 / gain - 1) < 1e-9 }!]
  }

  /// The common logarithm of what is left behind the whole stack, of each network.
  package func decades(_ function: String, gain: Double) -> [Double] {
    runs(function, gain: gain).map { log10($0.last!) }
  }

  /// The gain at which the geometric mean over the networks is 1, the ends of its 95 % interval, and
  /// the factor by which networks deviate from that mean; between two gains of the grid in a line.
  ///
  /// The interval is that of the mean logarithm, divided by the slope of the line.
  private func own(
    _ function: String
  ) -> (gain: Double, low: Double, high: Double, factor: Double) {
    let spreads = sizes[function]!.map { Spread($0.map { log10($0.last!) }) }
    let above = spreads.firstIndex { $0.mean >= 0 }!
    let (low, high) = (spreads[above - 1], spreads[above])
    let part = low.mean / (low.mean - high.mean)
    let deviation = low.deviation + (high.deviation - low.deviation) * part
    let networks = sizes[function]![above].count
    let half =
      StudentT.quantile(0.975, freedom: networks - 1) * deviation / Double(networks).squareRoot()
    let step = Self.gains[above] / Self.gains[above - 1]
    func gain(_ part: Double) -> Double { Self.gains[above - 1] * pow(step, part) }
    let shift = half / (high.mean - low.mean)
    return (gain(part), gain(part - shift), gain(part + shift), pow(10, deviation))
  }

  /// The geometric mean of what is left behind the stack, with the factor by which networks deviate
  /// from it to either side.
  package static func report(
    _ name: String, _ decades: [Double], showsFactor: Bool = false, _ page: Page
  ) {
    let spread = Spread(decades)
    let (mean, factor) = (pow(10, spread.mean), pow(10, spread.deviation))
    page.value(name, mean, deviation: mean * log(factor), tolerance: 0.1 * mean)
    if showsFactor { page.value("\(name).factor", factor, tolerance: 0.1) }
  }

  /// Gives what is left at the gains in use and at others, each function's own gain, and how much
  /// more one function leaves than the one before it.
  package func report(_ usual: [(function: String, gain: Double)], _ page: Page) {
    for (function, gain) in usual {
      let name = function.lowercased()
      Self.report("stack.\(name)", decades(function, gain: gain), showsFactor: true, page)
      let own = self.own(function)
      page.value("own.\(name)", own.gain, tolerance: 0.02 * own.gain)
      page.value("own.\(name).low", own.low, tolerance: 0.02 * own.low)
      page.value("own.\(name).high", own.high, tolerance: 0.02 * own.high)
      page.value("own.\(name).factor", own.factor, tolerance: 0.1)
    }
    // The mean of the squared size is what He's gain keeps at 1.
    let squares = decades("ReLU", gain: 2).map { pow(100, $0) }
    page.difference(
      "stack.relu.square", PairedDifference(squares, minus: squares.map { _ in 0 }),
      tolerance: 0.1, unit: "")
    for (name, function, gain) in [
      ("tanh.double", "tanh", 2.0), ("relu.half", "ReLU", 1), ("relu.double", "ReLU", 4),
    ] { Self.report("stack.\(name)", decades(function, gain: gain), page) }
    let left = usual.map { decades($0.function, gain: $0.gain) }
    page.difference(
      "more.tanh", PairedDifference(left[1], minus: left[0]), tolerance: 0.1, unit: "decades")
    page.difference(
      "more.relu", PairedDifference(left[2], minus: left[1]), tolerance: 0.1, unit: "decades")
  }

  /// Sizes layer by layer at some gains, and behind the whole stack against the gain.
  package func figure(_ usual: [(function: String, gain: Double)]) -> Figure {
    var (left, right): ([Mark], [Mark]) = ([], [])
    for (colour, (function, gain)) in usual.enumerated() {
      let runs = runs(function, gain: gain)
      left += Self.marks(
        function, runs[0].indices.map { layer in (Double(layer), runs.map { $0[layer] }) }, colour)
      right += Self.marks(
        function,
        zip(Self.gains, sizes[function]!).map { gain, runs in (gain, runs.map { $0.last! }) },
        colour)
    }
    let y = Axis("size of the gradient", scale: .log, range: 1e-14...1e4)
    let ticks = [0.25, 1, 4, 16, 64, 256].map { ($0, String(format: "%g", $0)) }
    return Figure(
      "stack",
      title: "Each function has a gain that keeps the gradient; only the sigmoid's is above 100",
      size: (width: 760, height: 400), columns: 2,
      panels: [
        Panel(
          title: "at the gains in use: 1, 1 and 2", x: Axis("layers that it has come back through"),
          y: y, marks: left),
        Panel(
          title: "behind twenty layers",
          x: Axis("gain of the weights", scale: .log, range: 0.25...256, ticks: ticks),
          y: y, marks: right + [.horizontal("", at: 1)]),
      ])
  }

  /// The geometric mean as a line, and a factor of one deviation to either side as a band.
  private static func marks(
    _ name: String, _ points: [(x: Double, sizes: [Double])], _ colour: Int
  ) -> [Mark] {
    let spreads = points.map { Spread($0.sizes.map { log10($0) }) }
    return [
      .band(
        "",
        zip(points, spreads).map {
          ($0.x, pow(10, $1.mean - $1.deviation), pow(10, $1.mean + $1.deviation))
        }, colour: colour),
      .line(name, zip(points, spreads).map { (x: $0.x, y: pow(10, $1.mean)) }, colour: colour),
    ]
  }
}
