import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

// A new method from nothing: its network, its loss and its batches, in under sixty lines.

/// One hidden layer with batch normalisation and dropout.
private struct Student: Classifier {
  let hidden, output: Dense
  let normalisation = BatchNormalisation(features: 16, activation: .relu)

  init(using stream: inout RandomStream) {
    hidden = Dense(inputs: 784, outputs: 16, initialiser: .he, using: &stream)
    output = Dense(inputs: 16, outputs: 10, initialiser: .he, using: &stream)
  }

  func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    let x = normalisation(hidden(flatten(images)), phase)
    return output(phase.isTraining ? dropout(x, keep: 0.8, using: &noise) : x)
  }
}

/// Tarvainen & Valpola 2017: the student agrees with the average of its own weights.
private struct MeanTeacher: Objective {
  let student: Student
  let teacher: ParameterAverage
  let agreement = Schedule(in: .steps) { min(1, Double($0) / 10) }

  func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let taught = student.probabilities(batch.unlabelled, values: teacher)
    let said = student.logits(
      tape.constant(batch.unlabelled), .trainingAside, using: &noise)
    let logits = student.logits(
      tape.constant(batch.labelled.images), .training, using: &noise)
    return Loss([
      ("labels", 1, softmaxCrossEntropy(logits: logits, labels: batch.labelled.labels)),
      ("agreement", agreement(moment), squaredError(softmax(said), tape.constant(taught))),
    ])
  }
}

private func training(_ set: ImageSet) -> Training<MeanTeacher, PairedBatches, Adam> {
  var start = RandomStream(seed: 1, "student")
  let student = Student(using: &start)
  let teacher = ParameterAverage(of: student, decay: 0.9)
  let labelled = LabelledBatches(of: set, Array(0..<20), size: 10, seed: 1, name: "test")
  let others = UnlabelledBatches(
    of: set.withoutLabels(Array(20..<60)), size: 15, seed: 1, name: "test")
  return Training(
    MeanTeacher(student: student, teacher: teacher), PairedBatches(labelled, others), Adam(),
    rate: .constant(0.01), averages: [teacher], seed: 1, name: "test")
}

@Suite struct MeanTeacherTests {
  let set = ImageSet.brightRows

  @Test func theTeacherLearnsWithoutBeingTrained() throws {
    var training = training(set)
    let method = training.method
    #expect(method.parameters.count == 8, "the teacher is none of the method's parameters")
    for _ in 0..<30 { try training.runEpoch() }
    let taught = method.student.evaluate(set, Array(20..<60), values: method.teacher)
    #expect(taught.accuracy == 100)
    #expect(Snapshot(of: method.student).tensors[0] != method.teacher.snapshot.tensors[0])
  }

  @Test func aMeanTeacherGoesOnFromAnyStepToTheSameBits() throws {
    struct Stop: Error {}
    var whole = training(set)
    for _ in 0..<3 { try whole.runEpoch() }
    let end = whole.checkpoint(label: "t").encoded
    for stop in 1...5 {
      var first = training(set)
      #expect(throws: Stop.self) {
        while true { try first.runEpoch { if $0.moment.step == stop { throw Stop() } } }
      }
      var second = training(set)
      try second.restore(
        first.checkpoint(label: "t"), label: "t", from: URL(fileURLWithPath: "checkpoint"))
      while second.moment.epoch < 3 { try second.runEpoch() }
      #expect(second.checkpoint(label: "t").encoded == end, "stopped after \(stop)")
    }
  }

  @Test func theSameBitsComeOutWhateverTheLabelsOfTheUnlabelledImages() throws {
    var labels = set.labels
    labels.replaceSubrange(20..., with: labels[20...].reversed())
    var (one, other) = (training(set), training(ImageSet(pixels: set.pixels, labels: labels)))
    for _ in 0..<3 {
      try one.runEpoch()
      try other.runEpoch()
    }
    #expect(one.checkpoint(label: "t").encoded == other.checkpoint(label: "t").encoded)
  }

  /// A teacher that nobody moves would stay at the first weights.
  @Test func aTeacherThatTheTrainingWasNotToldOfIsATrap() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var start = RandomStream(seed: 1, "student")
      let student = Student(using: &start)
      let method = MeanTeacher(
        student: student, teacher: ParameterAverage(of: student, decay: 0.9))
      let set = ImageSet(pixels: [UInt8](repeating: 0, count: 784), labels: [0])
      let labelled = LabelledBatches(of: set, [0], size: 1, seed: 1, name: "test")
      let others = UnlabelledBatches(of: set.withoutLabels([0]), size: 1, seed: 1, name: "test")
      _ = Training(
        method, PairedBatches(labelled, others), Adam(), rate: .constant(0.01), seed: 1,
        name: "test")
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("MeanTeacher reads an average"), "\(text)")
  }

  /// Names that a checkpoint uses itself are no trouble.
  @Test func aMethodMayCallItsPropertiesAsItLikes() throws {
    struct Odd: Classifier {
      let memory, average: [Dense]
      func logits(
        _ images: Variable, _ phase: Phase, using noise: inout RandomStream
      ) -> Variable { average[0](memory[0](flatten(images))) }
    }
    func training() -> Training<Supervised<Odd>, LabelledBatches, Adam> {
      var stream = RandomStream(seed: 1, "odd")
      let odd = Odd(
        memory: [Dense(inputs: 784, outputs: 10, initialiser: .he, using: &stream)],
        average: [Dense(inputs: 10, outputs: 10, initialiser: .he, using: &stream)])
      return Training(
        of: odd, on: set, Array(0..<20), Adam(), rate: .constant(0.01), batchSize: 10, seed: 1,
        name: "odd")
    }
    var (first, second) = (training(), training())
    try first.runEpoch()
    try second.restore(
      first.checkpoint(label: "t"), label: "t", from: URL(fileURLWithPath: "checkpoint"))
    try first.runEpoch()
    try second.runEpoch()
    #expect(first.checkpoint(label: "t").encoded == second.checkpoint(label: "t").encoded)
  }

  /// A layer that reflection cannot see would never be trained.
  @Test func aLayerThatTheMethodHidesIsATrapWithItsName() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var stream = RandomStream(seed: 1, "hidden")
      let hidden = Dense(inputs: 784, outputs: 10, initialiser: .he, using: &stream)
      struct Hiding: Classifier {
        let layer: (Variable) -> Variable
        func logits(
          _ images: Variable, _ phase: Phase, using noise: inout RandomStream
        ) -> Variable { layer(flatten(images)) }
      }
      let set = ImageSet(pixels: [UInt8](repeating: 0, count: 784), labels: [0])
      var training = Training(
        of: Hiding { hidden($0) }, on: set, [0], Adam(), rate: .constant(0.1), batchSize: 1,
        seed: 1, name: "hiding")
      training.takeStep()
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("weight [10, 784]"), "\(text)")
  }
}
