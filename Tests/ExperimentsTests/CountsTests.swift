import Testing

@testable import Experiments

@Suite struct CountsTests {
  @Test func aLadyWhoTastesTeaHasFishersChances() {
    // Four of four right among eight cups: 1/70 for all right, the same for all wrong.
    #expect(abs(Counts.chance(4, of: 4, and: 0, of: 4) - 2.0 / 70) < 1e-12)
    #expect(abs(Counts.chance(3, of: 4, and: 1, of: 4) - 34.0 / 70) < 1e-12)
    #expect(abs(Counts.chance(2, of: 4, and: 2, of: 4) - 1) < 1e-12)
  }

  @Test func groupsMayBeOfUnlikeSize() {
    // Of the C(5, 2) = 10 places of two successes one has both in the first two, three none: 1/10.
    #expect(abs(Counts.chance(2, of: 2, and: 0, of: 3) - 0.1) < 1e-12)
  }
}
