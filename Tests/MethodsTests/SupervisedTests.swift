import Digits
import Files
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

@Suite struct SupervisedTests {
  /// Sixty images whose digit is drawn as a bright row.
  let set: ImageSet = {
    var pixels = [UInt8](repeating: 0, count: 60 * 784)
    for image in 0..<60 {
      for column in 0..<28 { pixels[image * 784 + (image % 10) * 56 + column] = 255 }
    }
    return ImageSet(pixels: pixels, labels: (0..<60).map { UInt8($0 % 10) })
  }()

  /// One fully connected layer behind dropout: small, and it draws from every stream.
  func training<Rule: Optimiser>(
    _ rule: Rule
  ) -> Training<Supervised<Perceptron>, LabelledBatches, Rule> {
    var plan = Perceptron.Plan([784, 10])
    (plan.keepInput, plan.initialiser) = (0.8, .xavierNormal)
    var stream = RandomStream(seed: 3, "perceptron")
    return Training(
      of: Perceptron(plan, using: &stream), on: set, Array(0..<60), rule, rate: .constant(0.01),
      batchSize: 16, seed: 1, name: "test")
  }

  @Test func trainingLearnsWhatIsPlain() throws {
    var training = training(Adam())
    for _ in 0..<20 { try training.runEpoch() }
    let evaluation = training.method.network.evaluate(set, Array(0..<60))
    #expect(evaluation.accuracy == 100)
    #expect((0..<10).allSatisfy { evaluation.confusion[$0][$0] == 6 })
  }

  func resumes<Rule: Optimiser>(_ rule: Rule) throws {
    var whole = training(rule)
    for _ in 0..<6 { try whole.runEpoch() }

    var first = training(rule)
    for _ in 0..<3 { try first.runEpoch() }
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).lab")
    defer { try? FileManager.default.removeItem(at: url) }
    try first.checkpoint(label: "t").write(to: url)

    var second = training(rule)
    try second.restore(Archive(reading: url), label: "t", from: url)
    #expect(second.moment == Moment(step: 12, epoch: 3))
    for _ in 0..<3 { try second.runEpoch() }
    #expect(second.checkpoint(label: "t").encoded == whole.checkpoint(label: "t").encoded)

    var other = training(rule)
    #expect(throws: LabError.self) {
      try other.restore(Archive(reading: url), label: "another", from: url)
    }
  }

  @Test func aResumedTrainingEndsInTheSameBits() throws {
    try resumes(Adam())
    try resumes(Momentum(momentum: 0.9))
    try resumes(Momentum(.nesterov, momentum: .sutskeverMomentum(maximum: 0.9, period: 3)))
  }

  struct Stop: Error {}

  /// Stops after each of the steps of two epochs in turn, and goes on from the archive.
  func resumesAnywhere<Rule: Optimiser>(_ rule: Rule) throws {
    var whole = training(rule)
    let losses = try (0..<2).map { _ in try whole.runEpoch() }
    let url = URL(fileURLWithPath: "checkpoint")
    for stop in 1...8 {
      var first = training(rule)
      var archive: Archive?
      #expect(throws: Stop.self) {
        while first.moment.epoch < 2 {
          try first.runEpoch {
            if $0.moment.step == stop {
              archive = $0.checkpoint(label: "t")
              throw Stop()
            }
          }
        }
      }
      #expect(first.checkpoint(label: "t").encoded == archive?.encoded)
      var second = training(rule)
      try second.restore(try #require(archive), label: "t", from: url)
      #expect(second.moment == Moment(step: stop, epoch: stop / 4) && second.batch == stop % 4)
      while second.moment.epoch < 2 { try second.runEpoch() }
      #expect(second.epochLoss == losses[1])
      #expect(second.checkpoint(label: "t").encoded == whole.checkpoint(label: "t").encoded)
    }
  }

  @Test func aTrainingGoesOnFromTheMiddleOfAnEpoch() throws {
    try resumesAnywhere(Adam())
    try resumesAnywhere(Momentum(momentum: 0.9))
    try resumesAnywhere(Momentum(.nesterov, momentum: 0.9))
  }

  @Test func aCancelledTrainingStandsBetweenTwoSteps() async throws {
    let archive = await Task {
      var training = training(Adam())
      #expect(throws: CancellationError.self) {
        try training.runEpoch { training in
          if training.batch == 2 { withUnsafeCurrentTask { $0?.cancel() } }
        }
      }
      return training.checkpoint(label: "t")
    }.value
    var again = training(Adam())
    try again.restore(archive, label: "t", from: URL(fileURLWithPath: "checkpoint"))
    #expect(again.batch == 2 && again.moment.step == 2)
  }

  @Test func aHostileCheckpointIsRefused() throws {
    var training = training(Adam())
    try training.runEpoch()
    let whole = training.checkpoint(label: "t")
    let url = URL(fileURLWithPath: "checkpoint")
    var hostile: [Archive] = []
    for (old, new) in [
      (#""epoch":1"#, #""epoch":-1"#), (#""epoch":1"#, #""epoch":9223372036854775807"#),
      (#""batch":0"#, #""batch":-5"#), (#""batch":0"#, #""batch":4"#),
      (#""place":0"#, #""place":-1"#), (#""place":0"#, #""place":60"#),
      (#""ruleSteps":4"#, #""ruleSteps":9223372036854775807"#), (#""step":4"#, #""step":-4"#),
      (#""ruleSteps":4"#, #""ruleSteps":1e300"#), (#""total":0"#, #""total":-1"#), ("{", "["),
    ] {
      var archive = whole
      archive.state = archive.state.replacingOccurrences(of: old, with: new)
      #expect(archive.state != whole.state)
      hostile.append(archive)
    }
    for change: (inout Archive) -> Void in [
      { $0.kind = "model" }, { $0.state = "" }, { $0.tensors = [] }, { $0.tensors.removeLast() },
      { $0.tensors.append($0.tensors.last!) }, { $0.tensors.removeFirst() },
      { $0.tensors[2].value = Tensor(repeating: 0, [3]) },
      { $0.tensors[0].value = Tensor(repeating: 0, [0, 0]) },
    ] {
      var archive = whole
      change(&archive)
      hostile.append(archive)
    }
    for (index, archive) in hostile.enumerated() {
      var other = self.training(Adam())
      let before = other.checkpoint(label: "t").encoded
      #expect(throws: LabError.self, "\(index)") {
        try other.restore(archive, label: "t", from: url)
      }
      #expect(other.checkpoint(label: "t").encoded == before, "a refusal changes nothing")
    }
    // A loss that is no number is kept like any other.
    var archive = whole
    archive.state = archive.state.replacingOccurrences(
      of: #""total":0"#, with: #""total":\#(Double.nan.bitPattern)"#)
    try training.restore(archive, label: "t", from: url)
    #expect(training.checkpoint(label: "t").encoded == archive.encoded)
  }
}
