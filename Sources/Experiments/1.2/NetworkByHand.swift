import Foundation
import Gradients
import Notebook
import Tensors

/// The smallest network that has a layer of every kind: two inputs, two sigmoids, two classes.
///
/// z = V·v + a, h = σ(z), x = W·h + b, P the softmax of x with the sheet's −β, E = −ln P of the true
/// class. Each number of one pass forward and one back, with the formulas written out.
package struct NetworkByHand: Sendable {
  /// What is learnt, and the input beside it, since the error has a derivative for that as well.
  package struct Numbers: Sendable {
    package var input: [Double]
    package var firstWeights: [[Double]]
    package var firstBias: [Double]
    package var lastWeights: [[Double]]
    package var lastBias: [Double]
  }

  /// What a pass forward leaves behind for the pass back.
  package struct Forward: Sendable {
    package let z, h, x, p: [Double]
    package let error: Double
  }

  /// The derivatives of the error.
  ///
  /// Those of the biases are those of z and x, to which they are added.
  package struct Backward: Sendable {
    package let x, h: [Double]
    package let lastWeights: [[Double]]
    package let z: [Double]
    package let firstWeights: [[Double]]
    package let input: [Double]

    /// All of them, in the order in which they come, each with the name that the text gives it.
    package var named: [(name: String, value: Double)] {
      NetworkByHand.named("x", [x]) + NetworkByHand.named("W", lastWeights)
        + NetworkByHand.named("h", [h]) + NetworkByHand.named("z", [z])
        + NetworkByHand.named("V", firstWeights) + NetworkByHand.named("v", [input])
    }
  }

  /// The entries of a vector or a matrix with their names, such as `W12`.
  package static func named(
    _ name: String, _ rows: [[Double]]
  ) -> [(name: String, value: Double)] {
    rows.enumerated().flatMap { i, row in
      row.enumerated().map { j, value in
        (rows.count > 1 ? "\(name)\(i + 1)\(j + 1)" : "\(name)\(j + 1)", value)
      }
    }
  }

  package var numbers = Numbers(
    input: [1, 0.5], firstWeights: [[0.5, -0.3], [0.2, 0.4]], firstBias: [0.1, -0.2],
    lastWeights: [[0.6, -0.4], [-0.5, 0.7]], lastBias: [0, 0.1])
  package let β = 1.0
  /// The true class, the first.
  package let label = 0

  package init() {}

  package func forward(_ n: Numbers) -> Forward {
    let z = [0, 1].map { j in
      n.firstWeights[j][0] * n.input[0] + n.firstWeights[j][1] * n.input[1] + n.firstBias[j]
    }
    let h = z.map { 1 / (1 + exp(-$0)) }
    let (x, p, error) = last(n, h)
    return Forward(z: z, h: h, x: x, p: p, error: error)
  }

  private func last(_ n: Numbers, _ h: [Double]) -> (x: [Double], p: [Double], error: Double) {
    let x = [0, 1].map { i in
      n.lastWeights[i][0] * h[0] + n.lastWeights[i][1] * h[1] + n.lastBias[i]
    }
    let powers = x.map { exp(-β * $0) }
    let p = powers.map { $0 / (powers[0] + powers[1]) }
    return (x, p, -log(p[label]))
  }

  // snippet.backward
  package func backward(_ n: Numbers, _ f: Forward) -> Backward {
    let dx = [0, 1].map { i in β * ((i == label ? 1 : 0) - f.p[i]) }
    let dh = [0, 1].map { j in n.lastWeights[0][j] * dx[0] + n.lastWeights[1][j] * dx[1] }
    let dz = [0, 1].map { j in dh[j] * f.h[j] * (1 - f.h[j]) }
    let dv = [0, 1].map { k in n.firstWeights[0][k] * dz[0] + n.firstWeights[1][k] * dz[1] }
    return Backward(
      x: dx, h: dh, lastWeights: dx.map { d in f.h.map { d * $0 } },
      z: dz, firstWeights: dz.map { d in n.input.map { d * $0 } }, input: dv)
  }
  // snippet.end

  /// The same derivatives by the library's tape, in `Float`.
  package func taped() -> Backward {
    func row(_ x: [Double]) -> Tensor { Tensor([1, 2], x.map(Float.init)) }
    func matrix(_ x: [[Double]]) -> Tensor { Tensor([2, 2], x.joined().map(Float.init)) }
    func vector(_ x: [Double]) -> Tensor { Tensor([2], x.map(Float.init)) }
    let tape = Tape()
    let v = tape.variable(row(numbers.input))
    let (V, a) = (
      tape.variable(matrix(numbers.firstWeights)), tape.variable(vector(numbers.firstBias))
    )
    let (W, b) = (
      tape.variable(matrix(numbers.lastWeights)), tape.variable(vector(numbers.lastBias))
    )
    // The tape gives derivatives for what is put into it: zeros that are added to h have those of h.
    let zeros = tape.variable(row([0, 0]))
    let h = sigmoid(affine(v, V, a)) + zeros
    let x = affine(h, W, b)
    // The library's softmax has no −β: its logits are −β·x.
    let error = softmaxCrossEntropy(logits: Float(-β) * x, labels: [label])
    let gradients = tape.backward(from: error)
    func values(_ variable: Variable) -> [Double] { gradients[variable].values.map(Double.init) }
    func rows(_ variable: Variable) -> [[Double]] {
      let all = values(variable)
      return [Array(all[0..<2]), Array(all[2..<4])]
    }
    return Backward(
      x: values(b), h: values(zeros), lastWeights: rows(W), z: values(a), firstWeights: rows(V),
      input: values(v))
  }

  /// The same derivatives by central differences, in the order of `Backward.named`; h, which nobody
  /// can move, by its way into the error.
  package func differences(step: Double = 1e-5) -> [Double] {
    func slope(_ place: WritableKeyPath<Numbers, Double>) -> Double {
      Routes.centralDifference(at: numbers[keyPath: place], step: step) {
        var moved = numbers
        moved[keyPath: place] = $0
        return forward(moved).error
      }
    }
    let h = forward(numbers).h
    let hidden = [0, 1].map { j in
      Routes.centralDifference(at: h[j], step: step) {
        var moved = h
        moved[j] = $0
        return last(numbers, moved).error
      }
    }
    return [slope(\.lastBias[0]), slope(\.lastBias[1])]
      + [slope(\.lastWeights[0][0]), slope(\.lastWeights[0][1])]
      + [slope(\.lastWeights[1][0]), slope(\.lastWeights[1][1])] + hidden
      + [slope(\.firstBias[0]), slope(\.firstBias[1])]
      + [slope(\.firstWeights[0][0]), slope(\.firstWeights[0][1])]
      + [slope(\.firstWeights[1][0]), slope(\.firstWeights[1][1])]
      + [slope(\.input[0]), slope(\.input[1])]
  }

  /// The error after one step against the gradient.
  package func error(afterStep rate: Double) -> Double {
    let gradient = backward(numbers, forward(numbers))
    var moved = numbers
    for i in 0..<2 {
      for j in 0..<2 {
        moved.lastWeights[i][j] -= rate * gradient.lastWeights[i][j]
        moved.firstWeights[i][j] -= rate * gradient.firstWeights[i][j]
      }
      moved.lastBias[i] -= rate * gradient.x[i]
      moved.firstBias[i] -= rate * gradient.z[i]
    }
    return forward(moved).error
  }
}

extension NetworkByHand {
  /// Gives every number of the network, of the pass forward and of the pass back, and the tape's.
  package func report(_ byHand: [(name: String, value: Double)], _ page: Page) {
    let (n, f, tape) = (numbers, forward(numbers), taped().named)
    let given = [
      Self.named("v", [n.input]), Self.named("V", n.firstWeights), Self.named("a", [n.firstBias]),
      Self.named("W", n.lastWeights), Self.named("b", [n.lastBias]),
    ]
    for (name, value) in given.joined() { page.value("given.\(name)", value) }
    let passed = [
      Self.named("z", [f.z]), Self.named("h", [f.h]), Self.named("x", [f.x]),
      Self.named("P", [f.p]), [("E", f.error)],
    ]
    for (name, value) in passed.joined() { page.value("forward.\(name)", value, tolerance: 1e-12) }
    for (hand, tape) in zip(byHand, tape) {
      page.value("hand.\(hand.name)", hand.value, tolerance: 1e-12)
      page.value("tape.\(tape.name)", tape.value, tolerance: 1e-6)
    }
    page.table(
      ["∂E/∂", "by hand", "tape"],
      zip(byHand, tape).map {
        [$0.name, String(format: "%.6f", $0.value), String(format: "%.6f", $1.value)]
      })
  }
}
