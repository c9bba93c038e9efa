import Foundation
import Notebook
import Tensors

/// A softmax regression, trained with the whole Jacobian and with its diagonal alone.
package struct DiagonalTraining {
  /// ∂E/∂x of one example from its probabilities and its true class.
  package typealias Pullback = (_ p: [Double], _ label: Int) -> [Double]

  /// How a training went.
  package struct Course {
    /// The mean cross-entropy of the training examples before each step, and after the last.
    package var losses: [Double] = []
    /// The accuracy in % on other examples, at every tenth of these points.
    package var accuracies: [Double] = []
    /// The share of the steps, in %, that went uphill: against the direction of the right gradient.
    package var uphill = 0.0
  }

  /// Classes that overlap: normal clouds of width 1 about centres that are little further apart.
  private struct Examples {
    let features: [[Double]]
    let labels: [Int]

    init(_ centres: [[Double]], count: Int, using random: inout RandomStream) {
      labels = (0..<count).map { $0 % centres.count }
      features = labels.map { label in
        centres[label].map { $0 + Double(random.normal()) } + [1]
      }
    }
  }

  package static let classes = 5
  package static let steps = 300
  private let softmax: ([Double]) -> [Double]
  private let right: Pullback
  private let features = 10
  private let rate = 0.5

  /// A study by a chapter's own softmax, and what is right to pass back through it.
  package init(
    softmax: @escaping ([Double]) -> [Double], right: @escaping Pullback
  ) {
    (self.softmax, self.right) = (softmax, right)
  }

  /// Trains by what `pullback` says, from weights of 0, on data that a seed draws.
  package func train(_ pullback: Pullback, seed: UInt64, steps: Int = steps) -> Course {
    var random = RandomStream(seed: seed, "1.2", "diagonal")
    let centres = (0..<Self.classes).map { _ in
      (0..<features).map { _ in 0.4 * Double(random.normal()) }
    }
    let training = Examples(centres, count: 200, using: &random)
    let test = Examples(centres, count: 1000, using: &random)
    var weights = [[Double]](
      repeating: [Double](repeating: 0, count: features + 1), count: Self.classes)
    var course = Course()
    for step in 0...steps {
      let zero = weights.map { $0.map { _ in 0.0 } }
      var (loss, truth, direction) = (0.0, zero, zero)
      for (v, label) in zip(training.features, training.labels) {
        let p = probabilities(weights, v)
        loss -= log(p[label])
        add(right(p, label), v, to: &truth)
        add(pullback(p, label), v, to: &direction)
      }
      let count = Double(training.labels.count)
      course.losses.append(loss / count)
      if step % 10 == 0 { course.accuracies.append(accuracy(weights, test)) }
      guard step < steps else { break }
      let product = zip(truth, direction).reduce(0) { $0 + LinearAlgebra.dot($1.0, $1.1) }
      if product < 0 { course.uphill += 100 / Double(steps) }
      for c in weights.indices {
        for i in weights[c].indices { weights[c][i] -= rate / count * direction[c][i] }
      }
    }
    return course
  }

  private func probabilities(_ weights: [[Double]], _ v: [Double]) -> [Double] {
    softmax(weights.map { LinearAlgebra.dot($0, v) })
  }

  private func add(_ gradient: [Double], _ v: [Double], to sum: inout [[Double]]) {
    for c in gradient.indices where gradient[c] != 0 {
      for i in v.indices { sum[c][i] += gradient[c] * v[i] }
    }
  }

  private func accuracy(_ weights: [[Double]], _ examples: Examples) -> Double {
    let hits = zip(examples.features, examples.labels).count { v, label in
      let p = probabilities(weights, v)
      return p.indices.max { p[$0] < p[$1] } == label
    }
    return 100 * Double(hits) / Double(examples.labels.count)
  }

  // MARK: What came of it

  /// Gives the values, the claims and the figure of trainings with both gradients, seed by seed.
  package static func report(_ right: [Course], _ diagonal: [Course], _ page: Page) {
    let start = log(Double(classes))
    for (name, courses) in [("right", right), ("diagonal", diagonal)] {
      page.value(
        "training.\(name).loss", Spread(courses.map { $0.losses.last! }), tolerance: 1e-3)
      page.value(
        "training.\(name).accuracy", Spread(courses.map { $0.accuracies.last! }), tolerance: 0.3,
        unit: "%")
    }
    page.value(
      "training.diagonal.lowest", Spread(diagonal.map { $0.losses.min()! }), tolerance: 1e-3)
    page.value("training.uphill", Spread(diagonal.map(\.uphill)), tolerance: 1, unit: "%")
    page.difference(
      "training.rise",
      PairedDifference(
        diagonal.map { $0.losses.last! }, minus: diagonal.map { _ in start }), tolerance: 1e-3,
      unit: "")
    page.difference(
      "training.cost",
      PairedDifference(
        right.map { $0.accuracies.last! }, minus: diagonal.map { $0.accuracies.last! }),
      tolerance: 0.3)
    page.figure(figure(right, diagonal, start))
  }

  private static func figure(_ right: [Course], _ diagonal: [Course], _ start: Double) -> Figure {
    func marks(_ curve: (Course) -> [Double], every stride: Int) -> [Mark] {
      [("whole Jacobian", right, 0), ("diagonal alone", diagonal, 1)].flatMap {
        name, courses, colour in
        let curves = courses.map(curve)
        let columns = curves[0].indices.map { place in curves.map { $0[place] } }
        return [
          Mark.band(
            "",
            columns.enumerated().map { (Double($0 * stride), $1.min()!, $1.max()!) },
            colour: colour),
          Mark.line(
            name, columns.enumerated().map { (x: Double($0 * stride), y: Spread($1).mean) },
            colour: colour),
        ]
      }
    }
    return Figure(
      "diagonal",
      title: "With the diagonal alone the loss climbs above its start; the accuracy hides it",
      size: (width: 760, height: 360), columns: 2,
      panels: [
        Panel(
          title: "loss on the training examples", x: Axis("step"),
          y: Axis("cross-entropy", range: 0...4),
          marks: marks(\.losses, every: 1) + [.horizontal("ln 5, the start", at: start)]),
        Panel(
          title: "accuracy on others", x: Axis("step"), y: Axis("%", range: 0...100),
          marks: marks(\.accuracies, every: 10)),
      ])
  }
}
