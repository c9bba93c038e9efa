import Experiments
import Notebook
import Synchronization
import Testing

@Suite struct SharedTests {
  @Test func aSpreadIsTheSampleMeanAndDeviation() {
    let spread = Spread([2, 4, 4, 4, 5, 5, 7, 9])
    #expect(spread.mean == 5 && abs(spread.deviation - (32.0 / 7).squareRoot()) < 1e-12)
    #expect(Spread([3]).deviation == 0)
  }

  @Test func routesKnowTheDerivativeOfACube() {
    #expect(abs(Routes.centralDifference(at: 2, step: 1e-5) { $0 * $0 * $0 } - 12) < 1e-8)
    #expect(Routes.complexStep(at: 2) { $0 * $0 * $0 } == 12)
    // A forward difference is wrong by h/2 · f″ = 6h: its order is 1, that of the remainder 2.
    #expect(abs(Routes.forwardDifference(at: 2, step: 1e-3) { $0 * $0 * $0 } - 12.006) < 1e-5)
    #expect(abs(Routes.order { h in (2 + h) * (2 + h) - 4 - 4 * h } - 2) < 1e-6)
    #expect(abs(Routes.order { h in abs((2 + h) * (2 + h) - 4 - 4.1 * h) } - 1) < 0.1)
  }

  @Test func matricesAreTimesVectorsByRows() {
    let matrix = [[1.0, 2], [3, 4]]
    #expect(LinearAlgebra.product(matrix, [1, 10]) == [21, 43])
    #expect(LinearAlgebra.product(LinearAlgebra.transposed(matrix), [1, 10]) == [31, 42])
    #expect(LinearAlgebra.largest([1, -3, 2]) == 3)
  }

  @Test func piecesSideBySideComeBackInTheirOrder() throws {
    let page = Page(id: "0.0")
    let names = (0..<20).map { "piece \($0)" }
    #expect(
      try SideBySide.run(page, "pieces", names, tolerance: 0) { index, _ in index * index }
        == (0..<20).map { $0 * $0 })
  }

  @Test func aFailureStopsThePiecesThatHaveNotBegun() {
    struct Broken: Error {}
    let done = Atomic(0)
    let names = (0..<500).map { "piece \($0)" }
    #expect(throws: Broken.self) {
      try SideBySide.run(Page(id: "0.0"), "pieces", names, tolerance: 0) { index, _ in
        if index == 3 { throw Broken() }
        done.add(1, ordering: .relaxed)
        return index
      }
    }
    #expect(done.load(ordering: .relaxed) < 499)
  }
}
