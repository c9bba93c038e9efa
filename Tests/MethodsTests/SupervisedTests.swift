import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

/// One fully connected layer behind dropout: small, and it draws from every stream.
struct Perceptron: Classifier {
  let layer: Dense

  init() {
    var stream = RandomStream(seed: 3, "perceptron")
    layer = Dense("layer", 784, 10, initialiser: .xavierNormal, &stream)
  }

  var parameters: [Parameter] { layer.parameters }

  func logits(_ images: Variable, _ phase: Phase, _ stream: inout RandomStream) -> Variable {
    let x = flatten(images)
    return layer(phase == .training ? dropout(x, keep: 0.8, &stream) : x)
  }
}

@Suite struct SupervisedTests {
  /// Sixty images whose digit is drawn as a bright row.
  let set: ImageSet = {
    var pixels = [UInt8](repeating: 0, count: 60 * 784)
    for image in 0..<60 {
      for column in 0..<28 { pixels[image * 784 + (image % 10) * 56 + column] = 255 }
    }
    return ImageSet(pixels: pixels, labels: (0..<60).map { UInt8($0 % 10) })
  }()

  func training<Rule: Optimiser>(_ rule: Rule) -> Supervised<Perceptron, Rule> {
    Supervised(
      Perceptron(), rule, rate: .constant(0.01), batchSize: 16, seed: 1, name: "test")
  }

  @Test func trainingLearnsWhatIsPlain() throws {
    var training = training(Adam())
    for _ in 0..<20 { try training.runEpoch(set, Array(0..<60)) }
    let evaluation = training.network.evaluate(set, Array(0..<60))
    #expect(evaluation.accuracy == 100)
    #expect((0..<10).allSatisfy { evaluation.confusion[$0][$0] == 6 })
  }

  func resumes<Rule: Optimiser>(_ rule: Rule) throws {
    let indices = Array(0..<60)
    var whole = training(rule)
    for _ in 0..<6 { try whole.runEpoch(set, indices) }

    var first = training(rule)
    for _ in 0..<3 { try first.runEpoch(set, indices) }
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).lab")
    defer { try? FileManager.default.removeItem(at: url) }
    try first.checkpoint(label: "t").write(to: url)

    var second = training(rule)
    try second.restore(Archive(reading: url), label: "t", from: url)
    #expect(second.epoch == 3)
    for _ in 0..<3 { try second.runEpoch(set, indices) }
    #expect(second.checkpoint(label: "t").encoded == whole.checkpoint(label: "t").encoded)

    var other = training(rule)
    #expect(throws: LabError.self) {
      try other.restore(Archive(reading: url), label: "another", from: url)
    }
  }

  @Test func aResumedTrainingEndsInTheSameBits() throws {
    try resumes(Adam())
    try resumes(Momentum(momentum: 0.9))
  }
}
