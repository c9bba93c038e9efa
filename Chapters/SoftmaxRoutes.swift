import ComplexModule
import Gradients
import Tensors
import _Differentiation

/// What chapter 1.2 checks its formula on, and the routes that it checks it by.
extension SoftmaxJacobian {
  /// Random inputs, directions of length 1 and targets, for each of three β.
  struct Example {
    let β: Double
    let x, direction, target: [Double]
    var p: [Double] { softmax(x, beta: β) }
  }

  static let temperatures: [(key: String, β: Double)] = [
    ("half", 0.5), ("two", 2), ("minusOne", -1),
  ]

  static func examples(
    _ seed: UInt64, count: Int = 16, classes: Int = 5, β only: Double? = nil
  ) -> [Example] {
    var random = RandomStream(seed: seed, id, "examples")
    return (0..<count).flatMap { _ in
      func vector() -> [Double] { (0..<classes).map { _ in Double(random.normal()) } }
      let (x, direction, target) = (vector(), vector(), vector())
      let length = Vectors.dot(direction, direction).squareRoot()
      return temperatures.map(\.β).filter { only == nil || $0 == only }.map {
        Example(β: $0, x: x, direction: direction.map { $0 / length }, target: target)
      }
    }
  }

  /// The right matrix, and four that are wrong.
  enum Mistake: String, CaseIterable {
    case none = "right"
    case tooSteep = "3 % too steep"
    case mixedTermsTooSteep = "3 % too steep where i ≠ j"
    case signForgotten = "sign of β forgotten"
    case diagonalOnly = "diagonal only"

    /// The first part of the names of its values.
    var key: String { self == .none ? "right" : "\(self)" }

    /// The matrix of an example with the mistake in it.
    func jacobian(_ example: Example) -> [[Double]] {
      SoftmaxJacobian.jacobian(output: example.p, beta: example.β).enumerated().map { i, row in
        row.enumerated().map { j, entry in
          switch self {
          case .none: entry
          case .tooSteep: 1.03 * entry
          case .mixedTermsTooSteep: i == j ? entry : 1.03 * entry
          case .signForgotten: -entry
          case .diagonalOnly: i == j ? entry : 0
          }
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

  static let routes = [
    Route(name: "central difference", key: "central", tolerance: 1e-8) { x, β in
      centralDifference(x, β, step: 1e-5)
    },
    Route(name: "complex step", key: "complex", tolerance: 1e-14) { x, β in
      complexStep(x, β, step: 1e-200)
    },
    Route(name: "compiler", key: "compiler", tolerance: 1e-14) { x, β in
      x.indices.map { i in gradient(at: x) { compiledProbability($0, i, β) }.base }
    },
    // One row of the tape for each output, the same inputs in all of them.
    Route(name: "tape (Float)", key: "tape", tolerance: 1e-5) { x, β in
      let n = x.count
      let tape = Tape()
      let rows = tape.variable(Tensor([n, n], x.indices.flatMap { _ in x.map(Float.init) }))
      let p = Gradients.softmax(rows, inverseTemperature: Float(-β))
      let unit = Tensor([n, n], (0..<n * n).map { $0 / n == $0 % n ? 1 : 0 })
      let gradients = tape.backward(from: p, cotangent: unit)[rows].values.map(Double.init)
      return x.indices.map { Array(gradients[$0 * n..<($0 + 1) * n]) }
    },
  ]

  /// The matrix by columns: the outputs' difference when one input moves to either side.
  static func centralDifference(_ x: [Double], _ β: Double, step h: Double) -> [[Double]] {
    Vectors.transposed(
      x.indices.map { j in
        var (after, before) = (x, x)
        after[j] += h
        before[j] -= h
        return zip(softmax(after, beta: β), softmax(before, beta: β)).map { ($0 - $1) / (2 * h) }
      })
  }

  static func complexStep(_ x: [Double], _ β: Double, step h: Double) -> [[Double]] {
    Vectors.transposed(
      x.indices.map { j in
        var moved = x.map { Complex($0) }
        moved[j].imaginary = h
        return printedSoftmax(moved, beta: Complex(β)).map { $0.imaginary / h }
      })
  }

  /// The distance of the formula, with or without a mistake, from a route.
  static func distance(
    of route: Route, _ β: Double, _ examples: [Example], _ mistake: Mistake = .none
  ) -> Double {
    distance(examples.map { (mistake.jacobian($0), route.jacobian($0.x, β)) })
  }

  /// The relative distance of matrices from others.
  static func distance(_ pairs: [([[Double]], [[Double]])]) -> Double {
    Routes.distance(
      pairs.flatMap { Array($0.0.joined()) }, pairs.flatMap { Array($0.1.joined()) })
  }
}
