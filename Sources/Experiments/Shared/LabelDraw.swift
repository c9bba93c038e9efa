import Digits
import Notebook

/// Which images of the training set carry a label: one of the draws that part 3.3 is measured over.
package struct LabelDraw: Sendable, Hashable {
  /// How many images carry a label, as many of each digit.
  package let labels: Int
  /// The number of the random draw, from 1; 0 for the split of the kit.
  package let number: Int

  /// The draws for a number of labels: three random ones, five at 3,000 and the kit's before them.
  ///
  /// A quick run has the first alone.
  package static func all(labels: Int, _ page: Page) -> [LabelDraw] {
    let numbers = labels == 3000 ? 0...5 : 1...3
    return (page.isQuick ? numbers.prefix(1) : numbers[...]).map {
      LabelDraw(labels: labels, number: $0)
    }
  }

  /// What tells it apart: `3000 labels, draw 2`.
  package var name: String { "\(labels) labels, \(number == 0 ? "the kit's" : "draw \(number)")" }

  /// The images with a label, those that judge, and the rest; a quick run has a tenth of the first.
  ///
  /// Without a label are 60,000 less the labelled ones, the images that judge among them: their
  /// labels never train.
  func split(_ set: ImageSet, _ page: Page) throws -> Split {
    let (labelled, validation) = page.isQuick ? (labels / 100, 50) : (labels / 10, 1000)
    return number == 0
      ? try .kit(set.labels, labelledPerClass: labelled, validationPerClass: validation)
      : try .balanced(
        set.labels, labelledPerClass: labelled, validationPerClass: validation,
        seed: UInt64(number))
  }
}
