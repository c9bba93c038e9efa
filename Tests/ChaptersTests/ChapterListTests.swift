@testable import Chapters
import Notebook
import Testing

@Suite struct ChapterListTests {
  @Test func chaptersStandInTheOrderOfTheirNumbers() {
    let numbers = allChapters.map { $0.id.split(separator: ".").map { Int($0)! } }
    for (one, next) in zip(numbers, numbers.dropFirst()) {
      #expect(one.lexicographicallyPrecedes(next), "\(one) stands before \(next)")
    }
  }

  @Test func everyChapterSaysWhatItIs() {
    for chapter in allChapters { #expect(!chapter.title.isEmpty) }
  }

  @Test func theOptimiserOfTheChapterIsHeldAgainstItsOwnBall() {
    // Chapter 2.1 derives both rules by hand; one step from rest is plain descent for either.
    var (classical, nesterov) = (Ball(at: [2.0]), Ball(at: [2.0]))
    classical.classicalStep(ε: 0.1, μ: 0.9) { $0 }
    nesterov.nesterovStep(ε: 0.1, μ: 0.9) { $0 }
    #expect(classical.position == [1.8] && nesterov.position == [1.8])
    classical.classicalStep(ε: 0.1, μ: 0.9) { $0 }
    nesterov.nesterovStep(ε: 0.1, μ: 0.9) { $0 }
    #expect(abs(classical.position[0] - (1.8 - 0.18 - 0.18)) < 1e-12)
    #expect(abs(nesterov.position[0] - (1.8 - 0.18 - 0.1 * (1.8 - 0.18))) < 1e-12)
  }
}
