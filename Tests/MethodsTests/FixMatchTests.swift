import Digits
import Foundation
import Gradients
@testable import Methods
import Networks
import Tensors
import Testing

/// One dense layer: with an image that is one dot of ink, the logits are a column of its weights.
private struct Linear: Classifier {
  let layer: Dense

  init() {
    var stream = RandomStream(seed: 1, "linear")
    layer = Dense(inputs: 784, outputs: 10, initialiser: .he, using: &stream)
    for parameter in parameters { parameter.value = Tensor(repeating: 0, parameter.value.shape) }
  }

  func logits(_ images: Variable, _ phase: Phase, using noise: inout RandomStream) -> Variable {
    layer(flatten(images))
  }

  /// Gives a digit a logit where the ink is at a pixel.
  func set(_ digit: Int, at pixel: Int, to logit: Float) {
    let weight = parameters.first { $0.value.shape == [10, 784] }!
    var value = weight.value
    value.withUnsafeMutableBufferPointer { $0[digit * 784 + pixel] = logit }
    weight.value = value
  }
}

@Suite struct FixMatchTests {
  /// Image k has its one dot at pixel k.
  let set = ImageSet(
    pixels: (0..<4).flatMap { image in (0..<784).map { $0 == image ? 255 : 0 } },
    labels: [7, 0, 0, 0])
  private let student = Linear()

  /// The loss of image 0 with its label, and of images 1 to 3 without; and its gradient.
  private func loss(
    _ teacher: ParameterAverage, light: Augmentation = Augmentation(),
    strong: Augmentation = Augmentation()
  ) -> (loss: Loss, weights: Tensor) {
    var noise = RandomStream(seed: 1, "noise")
    var batches = PairedBatches(
      LabelledBatches(of: set, [0], size: 1, seed: 1, name: "test"),
      UnlabelledBatches(of: set.withoutLabels([1, 2, 3]), size: 3, seed: 1, name: "test"))
    let method = FixMatch(student: student, teacher: teacher, light: light, strong: strong)
    let tape = Tape()
    let loss = method.loss(
      batches.next(using: &noise), at: Moment(step: 0, epoch: 0), on: tape, using: &noise)
    let weight = student.parameters.first { $0.value.shape == [10, 784] }!
    return (loss, tape.backward(from: loss.total)[weight])
  }

  /// One logit x beside nine of 0 gives e^x / (e^x + 9), which is 0.95 at x = ln(9 · 19).
  @Test func whatTheTeacherIsSureOfIsLearntAndNothingElse() {
    let threshold = Float(log(9.0 * 19))
    student.set(3, at: 1, to: threshold + 0.01)
    student.set(4, at: 2, to: threshold - 0.01)
    let teacher = ParameterAverage(of: student, decay: 0.999)
    // The student has forgotten what its average knows: its logits are 0.
    student.set(3, at: 1, to: 0)
    student.set(4, at: 2, to: 0)
    let (loss, gradient) = loss(teacher)
    #expect(loss.parts.map(\.name) == ["labels", "agreement"])
    #expect(abs(loss.parts[0].value - Float(log(10.0))) < 1e-6)
    #expect(abs(loss.parts[1].value - Float(log(10.0) / 3)) < 1e-6, "one of three is sure")
    // (P − one-hot)/n: the labelled image over 1, the sure one over 3, no gradient of the others.
    for digit in 0..<10 {
      let of = { (pixel: Int) in gradient[digit * 784 + pixel] }
      #expect(abs(of(0) - (digit == 7 ? -0.9 : 0.1)) < 1e-6)
      #expect(abs(of(1) - (digit == 3 ? -0.9 : 0.1) / 3) < 1e-6)
      #expect(of(2) == 0 && of(3) == 0)
    }
  }

  /// What the student is sure of is nothing while the average is not.
  @Test func theTeacherIsTheAverageAndNotTheStudent() {
    let teacher = ParameterAverage(of: student, decay: 0.999)
    for pixel in 1...3 { student.set(3, at: pixel, to: 20) }
    #expect(loss(teacher).loss.parts[1].value == 0)
  }

  /// A cutout that covers the image leaves white paper, which tells who has seen it.
  @Test func theTeacherReadsLightImagesAndTheStudentStrongOnes() {
    let paper = Augmentation(erasing: .cutout(side: 57))
    student.set(3, at: 1, to: 20)
    let teacher = ParameterAverage(of: student, decay: 0.999)
    student.set(3, at: 1, to: 0)
    let (seen, gradient) = loss(teacher, strong: paper)
    #expect(abs(seen.parts[1].value - Float(log(10.0) / 3)) < 1e-6, "the teacher has seen the dot")
    #expect((0..<10).allSatisfy { gradient[$0 * 784 + 1] == 0 }, "the student has not")
    #expect(loss(teacher, light: paper).loss.parts[1].value == 0, "nor the teacher now")
  }

  @Test func pseudoLabelsAreSureFromTheThresholdOn() {
    let said = PseudoLabels(
      Tensor([3, 4], [0.95, 0.05, 0, 0, 0, 0, 0.94, 0.06, 0.01, 0.99, 0, 0]), threshold: 0.95)
    #expect(said.digits == [0, 2, 1])
    #expect((0..<3).map { said.mask[$0] } == [1, 0, 1])
  }

  /// The training moves the average by a thousandth of the way, and the average is no parameter.
  @Test func theAverageFollowsTheStudent() {
    student.set(3, at: 1, to: 20)
    let teacher = ParameterAverage(of: student, decay: 0.5)
    let before = Snapshot(of: student).tensors[0]
    var training = Training(
      FixMatch(student: student, teacher: teacher, light: Augmentation(), strong: Augmentation()),
      PairedBatches(
        LabelledBatches(of: set, [0], size: 1, seed: 1, name: "test"),
        UnlabelledBatches(of: set.withoutLabels([1, 2, 3]), size: 3, seed: 1, name: "test")),
      Adam(), rate: .constant(0.1), averages: [teacher], seed: 1, name: "test")
    #expect(training.method.parameters.count == 2)
    training.takeStep()
    let after = Snapshot(of: student).tensors[0]
    let average = teacher.snapshot.tensors[0]
    #expect((after - before).maximumMagnitude() > 0.09)
    #expect((average - (before + after) * 0.5).maximumMagnitude() < 1e-6)
  }
}
