import Foundation
import Methods
import Tensors
import Testing

@Suite struct LimitedMemoryBFGSTests {
  /// Σ 100·(y − x²)² + (1 − x)² over pairs (Rosenbrock 1960), in Double on the point's floats.
  static func rosenbrock(_ point: [Tensor]) -> (value: Double, gradient: [Tensor]) {
    var value = 0.0
    let gradients = point.map { x in
      var g = [Float](repeating: 0, count: x.count)
      for i in stride(from: 0, to: x.count, by: 2) {
        let (a, b) = (Double(x[i]), Double(x[i + 1]))
        value += 100 * (b - a * a) * (b - a * a) + (1 - a) * (1 - a)
        g[i] = Float(-400 * a * (b - a * a) - 2 * (1 - a))
        g[i + 1] = Float(200 * (b - a * a))
      }
      return Tensor(x.shape, g)
    }
    return (value, gradients)
  }

  /// The curved valley, from where Rosenbrock started, in two tensors at once.
  @Test func itFollowsTheCurvedValley() {
    let start = [Tensor([2], [-1.2, 1]), Tensor([2], [2, -1])]
    let result = LimitedMemoryBFGS().minimise(from: start, steps: 200, Self.rosenbrock)
    #expect(result.values.last! < 1e-9)
    for point in result.point {
      #expect(abs(point[0] - 1) < 1e-4 && abs(point[1] - 1) < 2e-4)
    }
    // Descent with the same search is nowhere near: what is learnt of the curvature does it.
    let blind = LimitedMemoryBFGS(memory: 0).minimise(from: start, steps: 200, Self.rosenbrock)
    #expect(blind.values.last! > 1e-4)
    #expect(result.evaluations < 150)
  }

  @Test func theValueNeverRises() {
    let result = LimitedMemoryBFGS(memory: 3).minimise(
      from: [Tensor([2], [-1.2, 1])], steps: 60, Self.rosenbrock)
    #expect(zip(result.values, result.values.dropFirst()).allSatisfy { $1 <= $0 })
  }

  /// ½ Σ λᵢ(xᵢ − i)² of curvatures from 1 to 10,000, in Float: a few dozen steps, where descent with
  /// the same search has not begun along the flattest direction.
  @Test func aQuadraticTakesFewSteps() {
    let λ: [Double] = [1, 10, 100, 1000, 10_000]
    func f(_ point: [Tensor]) -> (value: Double, gradient: [Tensor]) {
      let x = point[0]
      let off = λ.indices.map { Double(x[$0]) - Double($0) }
      let value = zip(λ, off).reduce(0) { $0 + 0.5 * $1.0 * $1.1 * $1.1 }
      return (value, [Tensor([5], zip(λ, off).map { Float($0 * $1) })])
    }
    let result = LimitedMemoryBFGS(memory: 10).minimise(
      from: [Tensor([5], [9, 9, 9, 9, 9])], steps: 100, tolerance: 1e-3, f)
    #expect(result.slope <= 1e-3)
    #expect(result.values.count < 50)
    let blind = LimitedMemoryBFGS(memory: 0).minimise(
      from: [Tensor([5], [9, 9, 9, 9, 9])], steps: 50, f)
    #expect(blind.slope > 1)
    for i in λ.indices { #expect(abs(result.point[0][i] - Float(i)) < 1e-3) }
  }

  /// With a memory of two the fifth step goes along −H·g of the last two differences alone.
  ///
  /// H is the BFGS matrix, written out in Double (Nocedal & Wright 2006, eq. 7.16).
  @Test func onlyTheLastDifferencesAreKept() {
    let λ: [Double] = [1, 2, 4, 8, 16]
    var trials: [[Double]] = []
    func gradient(_ x: [Double]) -> [Double] { zip(λ, x).map { $0 * $1 } }
    func f(_ point: [Tensor]) -> (value: Double, gradient: [Tensor]) {
      let x = point[0].values.map(Double.init)
      trials.append(x)
      let value = zip(λ, x).reduce(0) { $0 + 0.5 * $1.0 * $1.1 * $1.1 }
      return (value, [Tensor([5], gradient(x).map { Float($0) })])
    }
    let start = [Tensor([5], [5, -4, 3, -2, 1])]
    func run(_ steps: Int) -> LimitedMemoryBFGS.Result {
      trials = []
      return LimitedMemoryBFGS(memory: 2).minimise(from: start, steps: steps, f)
    }
    let points = (2...4).map { run($0).point[0].values.map(Double.init) }
    let place = run(4).evaluations
    _ = run(5)
    let step = zip(trials[place], points[2]).map { $0 - $1 }
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func less(_ a: [Double], _ b: [Double]) -> [Double] { zip(a, b).map { $0 - $1 } }
    let differences = zip(points, points.dropFirst()).map { from, to in
      (s: less(to, from), y: less(gradient(to), gradient(from)))
    }
    let last = differences[1]
    let γ = dot(last.s, last.y) / dot(last.y, last.y)
    var h = (0..<5).map { i in (0..<5).map { $0 == i ? γ : 0 } }
    for (s, y) in differences {
      // H ← (I − ρsyᵀ) H (I − ρysᵀ) + ρssᵀ
      let ρ = 1 / dot(s, y)
      let v = (0..<5).map { i in (0..<5).map { j in (i == j ? 1 : 0) - ρ * s[i] * y[j] } }
      let vh = v.map { row in (0..<5).map { j in (0..<5).reduce(0) { $0 + row[$1] * h[$1][j] } } }
      h = (0..<5).map { i in (0..<5).map { j in dot(vh[i], v[j]) + ρ * s[i] * s[j] } }
    }
    let g = gradient(points[2])
    let right = h.map { -dot($0, g) }
    let error = less(step, right)
    #expect((dot(error, error) / dot(right, right)).squareRoot() < 1e-3)
  }

  /// A step that leaves the function's domain is taken back: 10x − ln x is least at 1/10, and from .9
  /// a step of length 1 is out.
  @Test func aValueThatIsNoNumberIsTooLarge() {
    var outside = 0
    func f(_ point: [Tensor]) -> (value: Double, gradient: [Tensor]) {
      let x = Double(point[0][0])
      if x <= 0 { outside += 1 }
      return (10 * x - log(x), [Tensor([1], [Float(10 - 1 / x)])])
    }
    let result = LimitedMemoryBFGS().minimise(from: [Tensor([1], [0.9])], steps: 50, f)
    #expect(outside > 0)
    #expect(abs(result.point[0][0] - 0.1) < 1e-4)
  }

  @Test func whatTheFunctionThrowsEndsIt() {
    struct Stop: Error {}
    #expect(throws: Stop.self) {
      try LimitedMemoryBFGS().minimise(from: [Tensor([1], [1])], steps: 5) { _ in throw Stop() }
    }
  }
}
