import Foundation
import Lanes
import Testing

@Suite struct VectorMathTests {
  @Test func elementaryFunctionsAreWithinAFewUnits() {
    func worst(
      _ range: ClosedRange<Float>, _ fast: (Vector) -> Vector, _ exact: (Double) -> Double
    ) -> Double {
      (0...20_000).reduce(0) { worst, step in
        let x = range.lowerBound + (range.upperBound - range.lowerBound) * Float(step) / 20_000
        let (got, wanted) = (Double(fast(Vector(repeating: x))[3]), exact(Double(x)))
        return max(worst, abs(got - wanted) / max(abs(wanted), 1e-30))
      }
    }
    #expect(worst(-87...88.7, VectorMath.exp, { exp($0) }) < 3e-7)
    #expect(worst(1e-3...0.9, VectorMath.log, { log($0) }) < 4e-7)
    #expect(worst(1.1...1e6, VectorMath.log, { log($0) }) < 4e-7)
    #expect(worst(-9...9, VectorMath.tanh, { tanh($0) }) < 4e-7)
    #expect(worst(-80...80, VectorMath.sigmoid, { 1 / (1 + exp(-$0)) }) < 4e-7)
    #expect(worst(-80...80, VectorMath.softplus, { log1p(exp(-abs($0))) + max($0, 0) }) < 6e-7)
    #expect(VectorMath.exp(Vector(repeating: 100))[0] == .infinity)
    #expect(VectorMath.exp(Vector(repeating: -200))[0] == 0)
    #expect(VectorMath.exp(Vector(repeating: .nan))[0].isNaN)
    #expect(VectorMath.log(Vector(repeating: 0))[0] == -.infinity)
    #expect(VectorMath.log(Vector(repeating: -1))[0].isNaN)
  }

  @Test func rootsAreRoundedToTheNearest() {
    for step in 0..<2000 {
      let x = Float(step) * 0.37
      let roots = VectorMath.squareRoot(Vector(repeating: x))
      #expect((0..<16).allSatisfy { roots[$0] == x.squareRoot() })
    }
    #expect(VectorMath.squareRoot(Vector(repeating: -1))[5].isNaN)
  }

  @Test func sinesAndCosinesGoRoundTheCircle() {
    for step in 0..<4096 {
      let u = Float(step) / 4096
      let (sine, cosine) = VectorMath.sineAndCosine(turns: Vector(repeating: u))
      #expect(abs(Double(sine[7]) - sin(2 * .pi * Double(u))) < 2e-7)
      #expect(abs(Double(cosine[7]) - cos(2 * .pi * Double(u))) < 2e-7)
    }
  }
}
