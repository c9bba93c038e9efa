import Methods
import Tensors

/// L-BFGS on functions whose minimum is known.
package enum MinimiserTrials {
  /// What a minimisation came to.
  package struct Trial: Sendable {
    /// Steps taken, and how often the function was computed.
    package let steps, evaluations: Int
    /// The value at the end, and the largest distance of a coordinate from where it should be.
    package let value, distance: Double
  }

  // snippet.rosenbrock
  /// 100·(y − x²)² + (1 − x)² (Rosenbrock 1960), least at (1, 1), from (−1.2, 1).
  package static func rosenbrock(_ rule: LimitedMemoryBFGS, steps: Int) -> Trial {
    let result = rule.minimise(from: [Tensor([2], [-1.2, 1])], steps: steps) { point in
      let (x, y) = (Double(point[0][0]), Double(point[0][1]))
      let bend = y - x * x
      let slopes = [-400 * x * bend - 2 * (1 - x), 200 * bend]
      return (100 * bend * bend + (1 - x) * (1 - x), [Tensor([2], slopes.map(Float.init))])
    }
    return trial(result, at: [1, 1])
  }
  // snippet.end

  /// ½·Σ λᵢ·(xᵢ − i)², least at (0, 1, 2, …), from 9 everywhere.
  ///
  /// - Parameter tolerance: the length of the gradient at which it ends.
  package static func quadratic(
    _ curvatures: [Double], _ rule: LimitedMemoryBFGS, steps: Int, tolerance: Double
  ) -> Trial {
    let result = rule.minimise(from: start(curvatures), steps: steps, tolerance: tolerance) {
      (value(curvatures, $0), [slope(curvatures, $0)])
    }
    return trial(result, at: curvatures.indices.map(Double.init))
  }

  private static func trial(_ result: LimitedMemoryBFGS.Result, at minimum: [Double]) -> Trial {
    let off = zip(result.point[0].values, minimum).map { Double($0) - $1 }
    return Trial(
      steps: result.values.count - 1, evaluations: result.evaluations,
      value: result.values.last!, distance: LinearAlgebra.largest(off))
  }

  private static func start(_ curvatures: [Double]) -> [Tensor] {
    [Tensor(repeating: 9, [curvatures.count])]
  }

  private static func value(_ curvatures: [Double], _ point: [Tensor]) -> Double {
    curvatures.indices.reduce(0) { sum, i in
      let off = Double(point[0][i]) - Double(i)
      return sum + 0.5 * curvatures[i] * off * off
    }
  }

  private static func slope(_ curvatures: [Double], _ point: [Tensor]) -> Tensor {
    Tensor(
      [curvatures.count],
      curvatures.indices.map { Float(curvatures[$0] * (Double(point[0][$0]) - Double($0))) })
  }

  /// How far the directions of the two loops are from −H·g with the matrix H of BFGS written out in
  /// Double, after one to four steps on a quadratic: the largest ‖difference‖/‖H·g‖.
  ///
  /// The first point that a search looks at is one whole direction away.
  package static func directionError() -> Double {
    let curvatures: [Double] = [1, 2, 5, 10, 20]
    func run(_ steps: Int) -> (result: LimitedMemoryBFGS.Result, seen: [[Double]]) {
      var seen: [[Double]] = []
      let result = LimitedMemoryBFGS().minimise(from: start(curvatures), steps: steps) { point in
        seen.append(point[0].values.map(Double.init))
        return (value(curvatures, point), [slope(curvatures, point)])
      }
      return (result, seen)
    }
    let points = (0...4).map { run($0).result.point[0].values.map(Double.init) }
    let slopes = points.map { x in x.indices.map { curvatures[$0] * (x[$0] - Double($0)) } }
    return (1...4).map { step in
      let trial = run(step + 1).seen[run(step).result.evaluations]
      let taken = zip(trial, points[step]).map { $0 - $1 }
      let h = inverseHessian(Array(points[...step]), Array(slopes[...step]))
      return Routes.distance(taken, LinearAlgebra.product(h, slopes[step]).map { -$0 })
    }.max()!
  }

  // snippet.matrix
  /// H by Hⱼ₊₁ = (I − s·yᵀ/sᵀy)·Hⱼ·(I − y·sᵀ/sᵀy) + s·sᵀ/sᵀy from γI, over all steps that were taken.
  private static func inverseHessian(_ points: [[Double]], _ slopes: [[Double]]) -> [[Double]] {
    let pairs = points.indices.dropFirst().map { step in
      (
        s: zip(points[step], points[step - 1]).map { $0 - $1 },
        y: zip(slopes[step], slopes[step - 1]).map { $0 - $1 }
      )
    }
    let (s, y) = pairs.last!
    let γ = LinearAlgebra.dot(s, y) / LinearAlgebra.dot(y, y)
    var h = s.indices.map { i in s.indices.map { i == $0 ? γ : 0 } }
    for (s, y) in pairs {
      let curvature = LinearAlgebra.dot(s, y)
      let left = s.indices.map { i in
        s.indices.map { (i == $0 ? 1 : 0) - s[i] * y[$0] / curvature }
      }
      let half = left.map { row in s.indices.map { j in LinearAlgebra.dot(row, h.map { $0[j] }) } }
      h = half.indices.map { i in
        s.indices.map { j in LinearAlgebra.dot(half[i], left[j]) + s[i] * s[j] / curvature }
      }
    }
    return h
  }
  // snippet.end
}
