import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

@Suite struct WhatWhereAutoencoderTests {
  typealias Plan = WhatWhereAutoencoder.Plan

  /// Two blocks, the first of which pools to odd extents, on 8 × 8 pixels and three classes.
  func model(_ change: (inout Plan) -> Void = { _ in }) -> WhatWhereAutoencoder {
    var plan = Plan()
    plan.blocks = [
      Plan.Block(filters: 3, kernel: 2, pools: true), Plan.Block(filters: 2, kernel: 2),
    ]
    (plan.side, plan.classes) = (8, 3)
    (plan.reconstruction, plan.middle) = (0.3, 0.2)
    change(&plan)
    var stream = RandomStream(seed: 1, "model")
    let model = WhatWhereAutoencoder(plan, using: &stream)
    model.fillWithWaves(scale: 0.7)
    return model
  }

  let batch = PairedBatch(
    labelled: LabelledBatch(images: wave([1, 2, 8, 8], 50), labels: [2, 0]),
    unlabelled: wave([1, 3, 8, 8], 51))

  func parts(_ model: WhatWhereAutoencoder, _ batch: PairedBatch) -> [Float] {
    var noise = RandomStream(seed: 7, "noise")
    return model.loss(
      batch, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &noise
    ).parts.map(\.value)
  }

  /// A block that changes nothing: one filter of one pixel with weight 1, and a decoder like it.
  func mirror(knowsWhere: Bool) -> WhatWhereAutoencoder {
    let model = model {
      $0.blocks = [Plan.Block(filters: 1, kernel: 1, pools: true)]
      $0.knowsWhere = knowsWhere
    }
    for path in ["convolutions", "deconvolutions"] {
      let parameters = model.parameters(at: path)
      parameters[0].value = Tensor(repeating: 1, [1, 1, 1, 1])
      parameters[1].value = Tensor(repeating: 0, [1])
    }
    return model
  }

  @Test func unpoolingKeepsTheLargestInItsPlace() {
    let x = wave([1, 4, 8, 8], 3, offset: 2)
    let found = mirror(knowsWhere: true).reconstructed(x)
    let without = mirror(knowsWhere: false).reconstructed(x)
    for image in 0..<4 {
      for block in 0..<16 {
        let corner = image * 64 + block / 4 * 16 + block % 4 * 2
        let places = [corner, corner + 1, corner + 8, corner + 9]
        let best = places.max { x[$0] < x[$1] }!
        for place in places { #expect(found[place] == (place == best ? x[place] : 0)) }
        for place in places { #expect(without[place] == (place == corner ? x[best] : 0)) }
      }
    }
    #expect(found != without)
  }

  @Test func theWhatAndTheWhereOfAnUnpoolingComeBack() {
    var stream = RandomStream(seed: 1, "what")
    let tape = Tape(recording: false)
    let (what, switches) = maximumPool(tape.constant(stream.normal([3, 2, 8, 6])))
    let positive = tape.constant(what.value.map { $0 * $0 + 0.1 })
    let again = maximumPool(unpool(positive, switches, to: [3, 2, 8, 6]))
    #expect(again.what.value == positive.value)
    #expect(again.switches == switches)
  }

  /// Without the where, what the decoder draws depends on the what alone.
  @Test func onlyTheWhereTellsTheDecoderOfASmallShift() {
    var (one, other) = (Tensor(repeating: 0, [1, 1, 8, 8]), Tensor(repeating: 0, [1, 1, 8, 8]))
    (one[18], other[27]) = (1, 1)
    #expect(
      mirror(knowsWhere: true).reconstructed(one) != mirror(knowsWhere: true).reconstructed(other))
    #expect(
      mirror(knowsWhere: false).reconstructed(one) == mirror(knowsWhere: false).reconstructed(other)
    )
  }

  @Test func imagesWithoutLabelsHaveAllTermsButTheFirst() {
    let model = model()
    let before = parts(model, batch)
    #expect(before.count == 3)

    let relabelled = PairedBatch(
      labelled: LabelledBatch(images: batch.labelled.images, labels: [1, 1]),
      unlabelled: batch.unlabelled)
    let labels = parts(model, relabelled)
    #expect(labels[0] != before[0] && labels[1...] == before[1...])

    let others = parts(
      model, PairedBatch(labelled: batch.labelled, unlabelled: wave([1, 3, 8, 8], 60)))
    #expect(others[0] == before[0] && others[1] != before[1] && others[2] != before[2])

    let tape = Tape(recording: false)
    let cleans = softmaxCrossEntropy(
      logits: tape.constant(model.logits(of: batch.labelled.images)), labels: [2, 0])
    expect(Double(before[0]), near: Double(cleans.value.scalar))
    let error = [batch.labelled.images, batch.unlabelled].reduce(0.0) { sum, images in
      sum + Double((images - model.reconstructed(images)).sumOfSquares())
    }
    expect(Double(before[1]), near: error / 5)
  }

  /// Where nothing is asked of the decoder, what is left is the supervised loss, to the last bit.
  @Test func withoutWeightsThereAreTheLabelsAlone() {
    let model = model { ($0.reconstruction, $0.middle, $0.keep) = (0, 0, 0.5) }
    #expect(parts(model, batch).count == 1)
    let none = RandomStream(seed: 11, "none")
    let ours = WholeLoss(method: model, batch: batch).lossAndNorm(none)
    let theirs = WholeLoss(method: Supervised(model), batch: batch.labelled).lossAndNorm(none)
    #expect(ours == theirs)
  }

  @Test func aWeightOfNothingLeavesItsTermOut() {
    #expect(parts(model { $0.middle = 0 }, batch) == Array(parts(model(), batch).prefix(2)))
    #expect(parts(model { $0.reconstruction = 0 }, batch).count == 3)
  }

  @Test func drawingAloneHasAllTermsButTheLabels() {
    let model = model()
    var noise = RandomStream(seed: 7, "noise")
    let images = Tensor.concatenation([batch.labelled.images, batch.unlabelled], axis: 1)
    let drawing = WhatWhereAutoencoder.Drawing(model).loss(
      images, at: Moment(step: 0, epoch: 0), on: Tape(recording: false), using: &noise)
    #expect(drawing.parts.map(\.value) == Array(parts(model, batch).dropFirst()))
    #expect(drawing.parts.map(\.name) == ["reconstruction", "middle"])
    #expect(drawing.examples == 5)
    let errors = WholeLoss(
      method: WhatWhereAutoencoder.Drawing(model), batch: images, step: 0.001
    ).relativeErrors()
    for (path, error) in errors { #expect(error < 0.01, "\(path)") }
  }

  @Test func theWhatCanBeDrawnAtTheWhereOfAnother() {
    let (x, others) = (wave([1, 4, 8, 8], 3, offset: 2), wave([1, 4, 8, 8], 5, offset: 2))
    let exchanged = mirror(knowsWhere: true).reconstructed(x, whereOf: others)
    for block in 0..<64 {
      let corner = block / 16 * 64 + block % 16 / 4 * 16 + block % 4 * 2
      let places = [corner, corner + 1, corner + 8, corner + 9]
      let best = places.max { others[$0] < others[$1] }!
      let what = places.map { x[$0] }.max()!
      for place in places { #expect(exchanged[place] == (place == best ? what : 0)) }
    }
    let untold = mirror(knowsWhere: false)
    #expect(untold.reconstructed(x, whereOf: others) == untold.reconstructed(x))
  }

  @Test func theGradientOfTheWholeLossIsRight() {
    for knowsWhere in [true, false] {
      // A short step, so that it crosses few kinks.
      WholeLoss(method: model { $0.knowsWhere = knowsWhere }, batch: batch, step: 0.001)
        .expectRight()
    }
  }

  /// Every level but the image counts in the middle term.
  @Test func theMiddleTermIsASumOverTheLevels() {
    let model = model {
      $0.blocks.append(Plan.Block(filters: 4, kernel: 2))
      $0.blocks.append(Plan.Block(filters: 3, kernel: 1))
    }
    let images = Tensor.concatenation([batch.labelled.images, batch.unlabelled], axis: 1)
    let encoding = model.encoding(Tape(recording: false).constant(images))
    let levels = zip(encoding.inputs, model.reconstructions(encoding)).map {
      Double(($0.value - $1.value).sumOfSquares()) / 5
    }
    #expect(levels.count == 4)
    let found = parts(model, batch)
    expect(Double(found[1]), near: levels[0])
    expect(Double(found[2]), near: levels[1] + levels[2] + levels[3])
  }

  /// Values by Benchmarks/golden_whatwhere.py.
  @Test(arguments: [(true, 26.6330002, 59.8883199), (false, 26.6611843, 58.214242)])
  func lossAndGradientAreThoseOfPyTorch(_ knowsWhere: Bool, _ loss: Double, _ norm: Double) {
    let whole = WholeLoss(method: model { $0.knowsWhere = knowsWhere }, batch: batch)
    let found = whole.lossAndNorm(RandomStream(seed: 11, "golden"))
    expect(found.loss, near: loss)
    expect(found.norm, near: norm)
  }

  @Test func dropoutIsForTrainingAlone() {
    let (plain, dropped) = (model(), model { $0.keep = 0.5 })
    #expect(plain.logits(of: batch.unlabelled) == dropped.logits(of: batch.unlabelled))
    let (before, after) = (parts(plain, batch), parts(dropped, batch))
    #expect(before[0] != after[0] && before[1...] == after[1...])
  }

  /// (64)5c-(64)3c-2p-(64)3c-10fc: 28 → 24 → 22 → 11 → 9 pixels of a side.
  @Test func thePlanIsThePapersNetwork() {
    var stream = RandomStream(seed: 1, "model")
    let model = WhatWhereAutoencoder(using: &stream)
    let x = wave([1, 2, 28, 28], 1)
    let encoding = model.encoding(Tape(recording: false).constant(x))
    #expect(
      encoding.inputs.map(\.shape) == [[1, 2, 28, 28], [64, 2, 24, 24], [64, 2, 11, 11]])
    #expect(encoding.top.shape == [64, 2, 9, 9])
    #expect(model.reconstructions(encoding).map(\.shape) == encoding.inputs.map(\.shape))
    #expect(model.logits(of: x).shape == [2, 10])
  }
}
