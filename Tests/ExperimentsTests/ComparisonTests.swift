@testable import Notebook
import Testing

@testable import Experiments

@Suite struct ComparisonTests {
  @Test(arguments: [
    // Two-sided 95 % quantiles, as tables have them.
    (1, 12.7062), (2, 4.3027), (3, 3.1824), (4, 2.7764), (9, 2.2622), (19, 2.0930), (120, 1.9799),
  ])
  func studentsQuantilesAreThoseOfTheTables(freedom: Int, expected: Double) {
    #expect(abs(StudentT.quantile(0.975, freedom: freedom) - expected) < 6e-5)
  }

  @Test func aPairedDifferenceHasStudentsInterval() {
    // Differences 1, 2, 3, 4, 5: mean 3, deviation √2.5, half width 2.7764·√2.5/√5.
    let found = PairedDifference([11, 22, 33, 44, 55], minus: [10, 20, 30, 40, 50])
    #expect(found.mean == 3 && found.count == 5)
    #expect(abs(found.high - 3 - 1.9632) < 1e-3 && abs(3 - found.low - 1.9632) < 1e-3)
    // Pairs that agree: certain, whatever the spread of each side.
    let same = PairedDifference([1, 50, 7], minus: [0, 49, 6])
    #expect(same.low == 1 && same.high == 1)
    let single = PairedDifference([2], minus: [1])
    #expect(single.low == 1 && single.high == 1)
  }

  @Test func seedsOfOneSplitDoNotSpeakForOtherSplits() {
    // Two splits that differ by 2, five seeds each that agree: over ten pairs the interval would be
    // (0.25, 1.75), over the splits it reaches far beyond 0.
    let ours = [[2.0, 2, 2, 2, 2], [0, 0, 0, 0, 0]]
    let zero = [[0.0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    let found = PairedDifference(bySplit: ours, minus: zero)
    #expect(found.mean == 1 && found.count == 2 && found.low < -11 && found.high > 13)
    let alone = PairedDifference(bySplit: [[1, 2, 3]], minus: [[0, 0, 0]])
    #expect(alone.mean == 2 && alone.count == 3)
  }

  @Test func aChoiceAtTheEndOfItsGridFailsACheck() {
    func passed(_ scores: [Double], _ isOpen: (Bool, Bool) = (true, true)) -> (Int, Bool) {
      let page = Page(id: "0.0")
      let best = page.choice(of: "rate", by: scores, isOpen: isOpen)
      return (best, page.checks.allSatisfy(\.passed))
    }
    #expect(passed([3, 1, 2]) == (1, true))
    #expect(passed([1, 2, 3]) == (0, false))
    #expect(passed([3, 2, 1]) == (2, false))
    #expect(passed([1, 2, 3], (false, true)) == (0, true))
    #expect(passed([3, 2, 1], (true, false)) == (2, true))
  }
}
