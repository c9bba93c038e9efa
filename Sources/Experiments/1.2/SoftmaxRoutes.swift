import ComplexModule
import Gradients
import Tensors

/// What chapter 1.2 checks its formula on, and the routes that it checks it by.
///
/// The softmax, and the formula under test, are the chapter's own: they are handed in.
package struct SoftmaxRoutes: Sendable {
  /// Outputs for inputs and β, in real numbers and as the sheet prints it in complex ones.
  let softmax: @Sendable (_ x: [Double], _ β: Double) -> [Double]
  let complexSoftmax: @Sendable (_ x: [Complex<Double>], _ β: Complex<Double>) -> [Complex<Double>]
  /// The gradient of output i with respect to all inputs, as the compiler derives it.
  let compiledRow: @Sendable (_ x: [Double], _ i: Int, _ β: Double) -> [Double]
  /// The formula: the Jacobian from the outputs.
  let formula: @Sendable (_ output: [Double], _ β: Double) -> [[Double]]

  package init(
    softmax: @escaping @Sendable ([Double], Double) -> [Double],
    complexSoftmax:
      @escaping @Sendable ([Complex<Double>], Complex<Double>) -> [Complex<Double>],
    compiledRow: @escaping @Sendable ([Double], Int, Double) -> [Double],
    formula: @escaping @Sendable ([Double], Double) -> [[Double]]
  ) {
    (self.softmax, self.complexSoftmax) = (softmax, complexSoftmax)
    (self.compiledRow, self.formula) = (compiledRow, formula)
  }

  /// Random inputs, directions of length 1 and targets, for each of three β.
  package struct Example {
    package let β: Double
    package let x, direction, target: [Double]
    /// The outputs for x.
    package let p: [Double]
  }

  static let temperatures: [(key: String, β: Double)] = [
    ("half", 0.5), ("two", 2), ("minusOne", -1),
  ]

  package func examples(
    _ seed: UInt64, count: Int = 16, classes: Int = 5, β only: Double? = nil
  ) -> [Example] {
    var random = RandomStream(seed: seed, "1.2", "examples")
    return (0..<count).flatMap { _ in
      func vector() -> [Double] { (0..<classes).map { _ in Double(random.normal()) } }
      let (x, direction, target) = (vector(), vector(), vector())
      let length = LinearAlgebra.dot(direction, direction).squareRoot()
      return Self.temperatures.map(\.β).filter { only == nil || $0 == only }.map {
        Example(
          β: $0, x: x, direction: direction.map { $0 / length }, target: target,
          p: softmax(x, $0))
      }
    }
  }

  /// The right matrix, and four that are wrong.
  package enum Mistake: String, CaseIterable {
    case none = "right"
    case tooSteep = "3 % too steep"
    case mixedTermsTooSteep = "3 % too steep where i ≠ j"
    case signForgotten = "sign of β forgotten"
    case diagonalOnly = "diagonal only"

    /// The first part of the names of its values.
    var key: String { self == .none ? "right" : "\(self)" }
  }

  /// The matrix of an example with a mistake in it.
  package func jacobian(_ example: Example, _ mistake: Mistake) -> [[Double]] {
    formula(example.p, example.β).enumerated().map { i, row in
      row.enumerated().map { j, entry in
        switch mistake {
        case .none: entry
        case .tooSteep: 1.03 * entry
        case .mixedTermsTooSteep: i == j ? entry : 1.03 * entry
        case .signForgotten: -entry
        case .diagonalOnly: i == j ? entry : 0
        }
      }
    }
  }

  /// A route to the whole matrix that does not know the formula for it.
  struct Route: Sendable {
    let name, key: String
    let tolerance: Double
    let jacobian: @Sendable (_ x: [Double], _ β: Double) -> [[Double]]
  }

  var routes: [Route] {
    [
      Route(name: "central difference", key: "central", tolerance: 9.5e-11) { x, β in
        centralDifference(x, β, step: 1e-5)
      },
      Route(name: "complex step", key: "complex", tolerance: 7e-16) { x, β in
        complexStep(x, β, step: 1e-200)
      },
      Route(name: "compiler", key: "compiler", tolerance: 8e-16) { x, β in
        x.indices.map { compiledRow(x, $0, β) }
      },
      // One row of the tape for each output, the same inputs in all of them.
      Route(name: "tape (Float)", key: "tape", tolerance: 2.4e-7) { x, β in
        let n = x.count
        let tape = Tape()
        let rows = tape.variable(Tensor([n, n], x.indices.flatMap { _ in x.map(Float.init) }))
        let p = Gradients.softmax(rows, inverseTemperature: Float(-β))
        let unit = Tensor([n, n], (0..<n * n).map { $0 / n == $0 % n ? 1 : 0 })
        let gradients = tape.backward(from: p, cotangent: unit)[rows].values.map(Double.init)
        return x.indices.map { Array(gradients[$0 * n..<($0 + 1) * n]) }
      },
    ]
  }

  /// The derivatives of an error with respect to each of its inputs, by central differences.
  static func slopes(at x: [Double], of error: (_ x: [Double]) -> Double) -> [Double] {
    x.indices.map { j in
      Routes.centralDifference(at: x[j], step: 1e-5) {
        var moved = x
        moved[j] = $0
        return error(moved)
      }
    }
  }

  /// The matrix by columns: the outputs' difference when one input moves to either side.
  func centralDifference(_ x: [Double], _ β: Double, step h: Double) -> [[Double]] {
    LinearAlgebra.transposed(
      x.indices.map { j in
        var (after, before) = (x, x)
        after[j] += h
        before[j] -= h
        return zip(softmax(after, β), softmax(before, β)).map { ($0 - $1) / (2 * h) }
      })
  }

  func complexStep(_ x: [Double], _ β: Double, step h: Double) -> [[Double]] {
    LinearAlgebra.transposed(
      x.indices.map { j in
        var moved = x.map { Complex($0) }
        moved[j].imaginary = h
        return complexSoftmax(moved, Complex(β)).map { $0.imaginary / h }
      })
  }

  /// The distance of the formula, with or without a mistake, from a route.
  func distance(
    of route: Route, _ β: Double, _ examples: [Example], _ mistake: Mistake = .none
  ) -> Double {
    Self.distance(examples.map { (jacobian($0, mistake), route.jacobian($0.x, β)) })
  }

  /// The relative distance of matrices from others.
  static func distance(_ pairs: [([[Double]], [[Double]])]) -> Double {
    Routes.distance(
      pairs.flatMap { Array($0.0.joined()) }, pairs.flatMap { Array($0.1.joined()) })
  }
}
