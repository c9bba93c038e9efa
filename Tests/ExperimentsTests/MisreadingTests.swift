import Experiments
@testable import Methods
import Testing

@Suite struct MisreadingTests {
  @Test func misreadingsNameTheImagesOfTheirSet() {
    let evaluation = Evaluation(
      predictions: [3, 1, 7], confidences: [0.5, 0.9, 0.6], labels: [3, 2, 9], classes: 10)
    let found = evaluation.misreadings(of: [10, 15, 20])
    #expect(found.map(\.image) == [15, 20])
    #expect(found.map(\.label) == [2, 9] && found.map(\.read) == [1, 7])
    #expect(found.map(\.confidence) == [0.9, 0.6])
    #expect(abs(evaluation.accuracy - 100.0 / 3) < 1e-12)
    // A true digit is a row, the digit that is read a column.
    let confusion = evaluation.confusion
    #expect(confusion[3][3] == 1 && confusion[2][1] == 1 && confusion[9][7] == 1)
    #expect(confusion.joined().reduce(0, +) == 3)
  }

  @Test func theMajorityIsHeard() {
    func misread(_ image: Int, as read: Int) -> Misreading {
      Misreading(image: image, label: 4, read: read, confidence: 1)
    }
    // Image 0: three of five say 9. Image 1: two say 9 and three are right. Image 2: one says 9,
    // one 7, one 5, and two are right. Image 3: two say 9, two say 7, one is right. Image 4: two say
    // 1, which is before 4, one says 9, and two are right.
    let networks = [
      [misread(0, as: 9), misread(1, as: 9), misread(2, as: 9), misread(3, as: 9)],
      [misread(0, as: 9), misread(1, as: 9), misread(2, as: 7), misread(3, as: 9)],
      [misread(0, as: 9), misread(2, as: 5), misread(3, as: 7), misread(4, as: 1)],
      [misread(3, as: 7), misread(4, as: 1)], [misread(4, as: 9)],
    ]
    let found = Misreadings(networks)
    #expect(found.byImage.map(\.count) == [3, 2, 3, 4, 3])
    #expect(found.countByVote == 3)
    #expect(Misreadings([[misread(8, as: 0)]]).countByVote == 1)
  }
}
