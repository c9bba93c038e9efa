import Digits
import Files
import Foundation
import Gradients
import Networks
import Notebook
import Synchronization
import Tensors
import Testing

@testable import Experiments

@Suite struct StudyTests {
  /// Digits that are images of one grey each, which a reader can be right or wrong about at will.
  static func digits(_ count: Int) -> ImageSet {
    ImageSet(
      pixels: (0..<count).flatMap { [UInt8](repeating: UInt8($0 % 10), count: 784) },
      labels: (0..<count).map { UInt8($0 % 10) })
  }

  static let data = MNIST(train: digits(20_000), test: digits(200))

  static func page(isQuick: Bool = false) -> Page { Page(id: "9.9", isQuick: isQuick) }

  /// An arm that misreads as many of a hundred digits as its setting says.
  static func arm(
    _ key: String, _ wrong: [Int], isGrid: Bool = false,
    _ note: @escaping @Sendable (Study.Task) -> Void = { _ in }
  ) -> Study.Arm {
    Study.Arm(key, wrong, isGrid: isGrid) { wrong, task, show in
      note(task)
      let epochs = task.epochs(36)
      for epoch in 1...epochs where task.isPoint(epoch, of: epochs) {
        try show(epoch) { set, indices in
          indices.enumerated().map { place, index in
            let label = set.labels([index])[0]
            return place % 100 < wrong ? (label + 1) % 10 : label
          }
        }
      }
    }
  }

  @Test func theLeastErrorOnValidationIsChosenAtAThirdOfTheLength() throws {
    let seen = Mutex<[Int]>([])
    let study = Study(Self.page(), Self.data)
    let arms = [
      Self.arm("one", [5, 2, 9]) { task in seen.withLock { $0.append(task.epochs(36)) } },
      Self.arm("sole", [7]),
    ]
    let choices = try study.choose(arms, on: LabelDraw(labels: 1000, number: 1))
    #expect(choices == [1, 0])
    #expect(seen.withLock { $0 } == [12, 12, 12], "and the arm without a choice is not trained")
  }

  @Test func errorsAreOfAllImagesAtEachPoint() throws {
    let study = Study(Self.page(), Self.data)
    let draws = [LabelDraw(labels: 1000, number: 1), LabelDraw(labels: 3000, number: 0)]
    let outcomes = try study.run([Self.arm("one", [4])], [0], on: draws)[0]
    #expect(outcomes.count == 2)
    for outcome in outcomes {
      #expect(outcome.epochs == (1...12).map { 3 * $0 })
      #expect(outcome.test == [Double](repeating: 4, count: 12))
      #expect(outcome.validation == outcome.test && outcome.train == outcome.test)
    }
  }

  @Test func aTaskHasTheLabelsOfItsDrawAndTheOthersWithoutLabels() throws {
    let seen = Mutex<[String: [Int]]>([:])
    let study = Study(Self.page(), Self.data)
    let draws = [1, 2].map { LabelDraw(labels: 1000, number: $0) }
    let arm = Self.arm("one", [4]) { task in
      #expect(task.unlabelled.count == Self.data.train.count - 1000)
      seen.withLock { $0[task.streams] = task.labelled }
    }
    _ = try study.run([arm], [0], on: draws)
    let labelled = seen.withLock { $0 }
    #expect(labelled.keys.sorted() == ["9.9/1000 labels, draw 1", "9.9/1000 labels, draw 2"])
    #expect(labelled.values.allSatisfy { Set($0).count == 1000 })
    #expect(Set(labelled.values).count == 2)
  }

  @Test func anEndOfAGridIsNoChoice() throws {
    func checks(_ wrong: [Int], isGrid: Bool) throws -> [Bool] {
      let made = Mutex<[Bool]>([])
      let page = Page(
        id: "9.9",
        output: Page.Output(check: { check in made.withLock { $0.append(check.passed) } }))
      _ = try Study(page, Self.data).choose(
        [Self.arm("one", wrong, isGrid: isGrid)], on: LabelDraw(labels: 1000, number: 1))
      return made.withLock { $0 }
    }
    #expect(try checks([2, 5, 9], isGrid: true) == [false])
    #expect(try checks([5, 2, 9], isGrid: true) == [true])
    #expect(try checks([2, 5, 9], isGrid: false) == [])
  }

  @Test func drawsAreThoseOfTheProtocol() {
    let names = [1000, 3000].map { LabelDraw.all(labels: $0, Self.page()).map(\.number) }
    #expect(names == [[1, 2, 3], [0, 1, 2, 3, 4, 5]])
    #expect(LabelDraw.all(labels: 3000, Self.page(isQuick: true)).map(\.number) == [0])
  }
}

@Suite struct BrokenTrainingTests {
  /// A loss of two parts, of which one breaks in the third step.
  private struct Breaking: Objective {
    let weight = Parameter("weight", Tensor([1, 1], [2]))

    func loss(
      _ batch: LabelledBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
    ) -> Loss {
      let sum = sum(tape(weight) * tape(weight))
      let factor: Float = moment.step == 2 ? .nan : 1
      return Loss([("labels", 1, sum), ("guesses", 1, sum * factor)])
    }
  }

  @Test func theMethodTheStepAndTheFirstBrokenPartAreNamed() throws {
    var training = Training(
      Breaking(), LabelledBatches(of: StudyTests.digits(100), [0, 1], size: 1, seed: 1, name: "a"),
      Momentum(momentum: 0), rate: .constant(0.1), seed: 1, name: "a")
    try training.takeCheckedStep(of: "Pseudo-label")
    try training.takeCheckedStep(of: "Pseudo-label")
    #expect(
      throws: LabError(
        .failed,
        "Pseudo-label broke in step 3 of its training: the part “guesses” of its loss is nan; lower "
          + "the rate, or look at what it was given.")
    ) { try training.takeCheckedStep(of: "Pseudo-label") }
  }
}
