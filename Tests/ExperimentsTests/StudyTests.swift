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

  /// An arm that misreads as many of a hundred validation images as its setting says, one more of the
  /// test images, and the fewer of the labelled ones.
  static func arm(
    _ key: String, _ wrong: [Int], isGrid: Bool = false,
    _ note: @escaping @Sendable (_ task: Study.Task, _ isTest: Bool?) -> Void = { _, _ in }
  ) -> Study.Arm {
    Study.Arm(key, wrong, isGrid: isGrid) { wrong, task, show in
      note(task, nil)
      let labelled = Set(task.labelled)
      let epochs = task.epochs(36)
      for epoch in 1...epochs where task.isPoint(epoch, of: epochs) {
        try show(epoch) { set, indices in
          let isTest = set.count == Self.data.test.count
          note(task, isTest)
          let share = isTest ? wrong + 1 : labelled.contains(indices[0]) ? 20 - wrong : wrong
          return indices.enumerated().map { place, index in
            let label = set.labels([index])[0]
            return place % 100 < share ? (label + 1) % 10 : label
          }
        }
      }
    }
  }

  @Test func theLeastErrorOnValidationIsChosenAtAThirdOfTheLengthAndTheTestIsNotRead() throws {
    let (lengths, readsTest) = (Mutex<[Int]>([]), Mutex(false))
    let study = Study(Self.page(), Self.data)
    let arms = [
      Self.arm("one", [5, 2, 9]) { task, isTest in
        if isTest == nil { lengths.withLock { $0.append(task.epochs(36)) } }
        if isTest == true { readsTest.withLock { $0 = true } }
      },
      Self.arm("sole", [7]),
    ]
    let choices = try study.choose(
      arms, on: [LabelDraw(labels: 1000, number: 1), LabelDraw(labels: 3000, number: 5)])
    #expect(choices == [[1, 0], [1, 0]])
    #expect(
      lengths.withLock { $0 } == [Int](repeating: 12, count: 6), "the sole one is not trained")
    #expect(!readsTest.withLock { $0 })
  }

  @Test func errorsAreOfEachSetAtEachPoint() throws {
    let study = Study(Self.page(), Self.data)
    let draws = [1000, 3000].map {
      [LabelDraw(labels: $0, number: 1), .init(labels: $0, number: 2)]
    }
    let outcomes = try study.run(
      [Self.arm("one", [4, 6]), Self.arm("two", [1])], [[1, 0], [0, 0]], on: draws)
    #expect(outcomes.map { $0.map(\.count) } == [[2, 2], [2, 2]])
    for (group, arm, wrong) in [(0, 0, 6.0), (0, 1, 1), (1, 0, 4), (1, 1, 1)] {
      for outcome in outcomes[group][arm] {
        #expect(outcome.epochs == (1...12).map { 3 * $0 })
        #expect(outcome.validation == [Double](repeating: wrong, count: 12))
        #expect(outcome.train == [Double](repeating: 20 - wrong, count: 12))
        #expect(outcome.test == [Double](repeating: wrong + 1, count: 12))
      }
    }
  }

  @Test(arguments: [12, 30, 36, 100, 150])
  func aThirdAndTwoThirdsOfTheLengthAreAmongItsTwelvePoints(_ epochs: Int) throws {
    let seen = Mutex<[Int]>([])
    let study = Study(Self.page(), Self.data)
    let arm = Study.Arm("one", [0]) { _, task, _ in
      seen.withLock { $0 = (1...epochs).filter { task.isPoint($0, of: epochs) } }
      throw CancellationError()
    }
    #expect(throws: CancellationError.self) {
      try study.run([arm], [[0]], on: [[LabelDraw(labels: 1000, number: 1)]])
    }
    let points = seen.withLock { $0 }
    #expect(points.count == 12 && points.last == epochs)
    for share in [1.0 / 3, 2.0 / 3] {
      #expect(points.contains(Int((Double(epochs) * share).rounded())))
    }
  }

  @Test func aTaskHasTheLabelsOfItsDrawAndTheOthersWithoutLabels() throws {
    let seen = Mutex<[String: [Int]]>([:])
    let study = Study(Self.page(), Self.data)
    let draws = [1, 2].map { LabelDraw(labels: 1000, number: $0) }
    let arm = Self.arm("one", [4]) { task, _ in
      #expect(task.unlabelled.count == Self.data.train.count - 1000)
      seen.withLock { $0[task.streams] = task.labelled }
    }
    _ = try study.run([arm], [[0]], on: [draws])
    let labelled = seen.withLock { $0 }
    #expect(labelled.keys.sorted() == ["9.9/1000 labels, draw 1", "9.9/1000 labels, draw 2"])
    #expect(labelled.values.allSatisfy { Set($0).count == 1000 })
    #expect(Set(labelled.values).count == 2)
    for draw in draws {
      let split = try draw.split(Self.data.train, Self.page())
      #expect(Set(split.labelled).isDisjoint(with: split.validation))
    }
  }

  @Test func anEndOfAGridIsNoChoice() throws {
    func checks(_ wrong: [Int], isGrid: Bool) throws -> [Bool] {
      let made = Mutex<[Bool]>([])
      let page = Page(
        id: "9.9",
        output: Page.Output(check: { check in made.withLock { $0.append(check.passed) } }))
      _ = try Study(page, Self.data).choose(
        [Self.arm("one", wrong, isGrid: isGrid)], on: [LabelDraw(labels: 1000, number: 1)])
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
