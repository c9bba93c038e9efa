import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

@Suite struct SemiSupervisedAutoencoderTests {
  typealias Plan = SemiSupervisedAutoencoder.Plan

  /// A model of three classes, of six pixels or of two features of them.
  func model(
    features: Bool, latent: Int = 2, _ change: (inout Plan) -> Void = { _ in }
  ) -> SemiSupervisedAutoencoder {
    var stream = RandomStream(seed: 1, "model")
    var first = VariationalAutoencoder.Plan()
    (first.inputs, first.hidden, first.latent) = (6, [3], 2)
    let encoder = VariationalAutoencoder(first, using: &stream)
    var plan = Plan(labelled: 100, unlabelled: 300)
    (plan.inputs, plan.hidden, plan.latent, plan.classes) = (6, [5, 4], latent, 3)
    (plan.drawsPixels, plan.classifierWeight) = (false, 0.7)
    change(&plan)
    let model = SemiSupervisedAutoencoder(
      plan, on: features ? FrozenFeatures(of: encoder) : nil, using: &stream)
    model.fillWithWaves(scale: 0.8)
    return model
  }

  let batch = PairedBatch(
    labelled: LabelledBatch(
      images: wave([1, 3, 2, 3], 50, scale: 0.45, offset: 0.5), labels: [2, 0, 1]),
    unlabelled: wave([1, 4, 2, 3], 51, scale: 0.45, offset: 0.5))

  func parts(
    _ model: SemiSupervisedAutoencoder, _ batch: PairedBatch, seed: UInt64 = 7
  ) -> [Float] {
    var noise = RandomStream(seed: seed, "noise")
    return model.loss(
      batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &noise
    ).parts.map(\.value)
  }

  /// With posteriors too narrow to draw from, both routes have the same z.
  @Test(arguments: [false, true])
  func theSumOverClassesIsThatOfOneClassAtATime(_ features: Bool) {
    let model = model(features: features)
    let narrow = model.parameters(at: "latentLogVariance")
    narrow[0].value = Tensor(repeating: 0, narrow[0].value.shape)
    narrow[1].value = Tensor(repeating: -40, narrow[1].value.shape)
    var noise = RandomStream(seed: 1, "unused")
    let vectors = wave([4, features ? 2 : 6], 9, scale: 0.5, offset: 0.5)
    let x = Tape(recording: false).constant(vectors)
    let found = model.negativeBound(x, using: &noise).value
    let logits = model.logits(ofVectors: x)
    let q = softmax(logits).value
    var expected = [Double](repeating: 0, count: 4)
    for y in 0..<3 {
      let known = [Int](repeating: y, count: 4)
      let each = model.negativeBound(x, .known(known), using: &noise).value
      for i in 0..<4 {
        let q = Double(q[i * 3 + y])
        expected[i] += q * (Double(each[i]) + log(q))
      }
    }
    for i in 0..<4 { expect(Double(found[i]), near: expected[i]) }
    // The classes differ, and so does what the classifier says: a sum that weights all alike fails.
    #expect(q.maximumMagnitude() > 0.4)
  }

  /// A classifier that is sure has probabilities that are 0 in Float, and a bound that is finite.
  @Test func aSureClassifierHasAFiniteBoundAndGradient() {
    let model = model(features: false)
    model.parameters(at: "classifierOutput.bias")[0].value = Tensor([3], [300, 0, -300])
    var noise = RandomStream(seed: 1, "noise")
    let tape = Tape()
    let loss = model.loss(batch, at: Moment(step: 0, epoch: 0), on: tape, using: &noise).total
    #expect(loss.value.scalar.isFinite)
    let gradients = tape.backward(from: loss)
    #expect(model.parameters.allSatisfy { gradients[$0].values.allSatisfy(\.isFinite) })
  }

  /// With one latent variable p(x, y) and p(x) can be integrated; the bounds are means over draws.
  @Test func bothBoundsAreBelowTheirLikelihoods() {
    let (model, n) = (model(features: false, latent: 1), 40_000)
    let pixels: [Float] = [1, 0, 0, 1, 1, 0]
    let x = Tape(recording: false).constant(
      Tensor([n, 6], (0..<n).flatMap { _ in pixels }))
    let (points, step) = (4000, 0.005)
    let z = (0..<points).map { (Double($0) - Double(points) / 2) * step }
    var (total, bounds, noise) = (0.0, [Double](), RandomStream(seed: 5, "draws"))
    for y in 0..<3 {
      let p = model.decoded(
        Tensor([points, 1], z.map { Float($0) }), labels: [Int](repeating: y, count: points))
      let joint = (0..<points).reduce(0.0) { sum, k in
        sum
          + (0..<6).reduce(exp(-z[k] * z[k] / 2) / (2 * .pi).squareRoot() * step / 3) {
            $0 * Double(pixels[$1] == 1 ? p[k * 6 + $1] : 1 - p[k * 6 + $1])
          }
      }
      total += joint
      let known = [Int](repeating: y, count: n)
      let bound = -Double(model.negativeBound(x, .known(known), using: &noise).value.sum())
      bounds.append(bound / Double(n))
      #expect(bounds[y] < log(joint), "class \(y)")
      #expect(bounds[y] > log(joint) - 7, "class \(y)")
    }
    let unlabelled = -Double(model.negativeBound(x, using: &noise).value.sum()) / Double(n)
    #expect(unlabelled < log(total))
    // Of all q(y|x), the softmax of the labelled bounds has the highest unlabelled one.
    let best = log(bounds.reduce(0) { $0 + exp($1) })
    #expect(unlabelled < best && best < log(total))
    // Eq. 7 from the means over draws of each class.
    let q = softmax(model.logits(ofVectors: rows(x, 0..<1))).value
    let expected = (0..<3).reduce(0.0) { $0 + Double(q[$1]) * (bounds[$1] - log(Double(q[$1]))) }
    #expect(abs(unlabelled - expected) < 0.02, "\(unlabelled), not \(expected)")
  }

  @Test(arguments: [false, true])
  func theGradientOfTheWholeLossIsRight(_ features: Bool) {
    WholeLoss(method: model(features: features) { $0.drawsPixels = true }, batch: batch)
      .expectRight()
  }

  /// Values by Benchmarks/golden_variational.py.
  @Test(arguments: [(false, 26.5541789, 37.6529809), (true, 21.3740027, 31.1230536)])
  func lossAndGradientAreThoseOfPyTorch(_ features: Bool, _ loss: Double, _ norm: Double) {
    let whole = WholeLoss(method: model(features: features), batch: batch)
    let found = whole.lossAndNorm(RandomStream(seed: 11, "golden"))
    expect(found.loss, near: loss)
    expect(found.norm, near: norm)
  }

  @Test func evaluationReadsTheClassifierOfTheFeaturesMeans() {
    let model = model(features: true)
    let tape = Tape(recording: false)
    let means = model.features!(tape.constant(batch.unlabelled.flattenedImages())).mean
    #expect(model.logits(of: batch.unlabelled) == model.logits(ofVectors: means).value)
    #expect(model.logits(of: batch.unlabelled).shape == [4, 3])
  }

  /// The draws of features and latent variables are new in each batch; M1 stays what it was.
  @Test func trainingDrawsFeaturesAnewAndLeavesThemBe() {
    let model = model(features: true)
    var noise = RandomStream(seed: 1, "noise")
    let images = Tape(recording: false).constant(batch.unlabelled)
    let one = model.logits(images, .training, using: &noise).value
    #expect(one != model.logits(images, .training, using: &noise).value)
    #expect(one != model.logits(images, .evaluation, using: &noise).value)

    let frozen = model.features!.parameters.map(\.value)
    var rule = Adam()
    let tape = Tape()
    let loss = model.loss(batch, at: Moment(step: 0, epoch: 0), on: tape, using: &noise)
    let before = model.parameters(at: "classifierOutput").map(\.value)
    rule.step(model.parameters, tape.backward(from: loss.total), rate: 0.1)
    #expect(model.features!.parameters.map(\.value) == frozen)
    #expect(model.parameters(at: "classifierOutput").map(\.value) != before)
  }

  /// Vectors that were drawn elsewhere have the loss of the images that they are of.
  @Test func vectorsHaveTheLossOfTheirImages() {
    let model = model(features: false)
    let tape = Tape(recording: false)
    var noise = RandomStream(seed: 7, "noise")
    let found = model.loss(
      tape.constant(batch.labelled.images.flattenedImages()), labels: batch.labelled.labels,
      tape.constant(batch.unlabelled.flattenedImages()), using: &noise)
    #expect(found.parts.map(\.value) == parts(model, batch))
    #expect(found.examples == 7)
  }

  /// What is added to the mean's bias is added to the style.
  @Test func theStyleIsTheMeanOfThePosterior() {
    let model = model(features: false)
    let rows = batch.labelled.images.flattenedImages()
    let labels = batch.labelled.labels
    let style = model.style(rows, labels: labels)
    #expect(style.shape == [3, 2])
    #expect(style != model.style(rows, labels: labels.map { ($0 + 1) % 3 }))
    let bias = model.parameters(at: "latentMean.bias")[0]
    bias.value = bias.value.map { $0 + 1 }
    let moved = model.style(rows, labels: labels) - style
    for i in 0..<6 { expect(Double(moved[i]), near: 1) }
  }

  @Test func pixelsAreDrawnWithAndWithoutLabels() {
    let drawn = model(features: false) { $0.drawsPixels = true }
    let plain = model(features: false)
    #expect(parts(drawn, batch)[0] != parts(plain, batch)[0])
    #expect(parts(drawn, batch)[1] != parts(plain, batch)[1])
    #expect(drawn.logits(of: batch.unlabelled) == plain.logits(of: batch.unlabelled))
  }

  @Test func theFourPartsAreWeightedByEquationsEightAndNine() {
    let model = model(features: false)
    var noise = RandomStream(seed: 7, "noise")
    let loss = model.loss(
      batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &noise)
    let parts = loss.parts.map { Double($0.value) }
    // 100 and 300 images; a prior of precision 1 over all weights, whose logarithm counts once.
    let expected = 0.25 * parts[0] + 0.75 * parts[1] + 0.7 * parts[2] + parts[3] / 400
    expect(Double(loss.total.value.scalar), near: expected)
    let squares = model.parameters.reduce(0.0) { $0 + $1.value.dot($1.value) }
    expect(parts[3], near: squares / 2)
    #expect(loss.examples == 7)
  }
}
