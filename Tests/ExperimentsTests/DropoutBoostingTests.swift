@testable import Digits
@testable import Experiments
import Gradients
import Methods
import Networks
import Tensors
import Testing

@Suite struct DropoutBoostingTests {
  /// A network of 4-6-6-3, without or with masks, and a batch of two images.
  private func sample(keep: Float) -> (Perceptron, LabelledBatch) {
    var stream = RandomStream(seed: 5, "sample")
    var plan = Perceptron.Plan([4, 6, 6, 3])
    (plan.keepInput, plan.keepHidden) = (keep, keep)
    return (
      Perceptron(plan, using: &stream),
      LabelledBatch(images: stream.uniform([1, 2, 2, 2], in: 0.1..<1), labels: [0, 2])
    )
  }

  private func gradients<Method: Objective>(
    _ objective: Method, _ batch: LabelledBatch, _ layers: [Dense]
  ) -> (loss: Float, weights: [Tensor]) where Method.Batch == LabelledBatch {
    let tape = Tape()
    var noise = RandomStream(seed: 9, "noise")
    let loss = objective.loss(batch, at: Moment(step: 0, epoch: 0), on: tape, using: &noise).total
    let found = tape.backward(from: loss)
    return (loss.value.scalar, layers.map { found[$0.weight] })
  }

  @Test func withoutMasksItIsSupervisedLearning() {
    let (network, batch) = sample(keep: 1)
    let ours = gradients(DropoutBoosting(network), batch, network.layers)
    let theirs = gradients(Supervised(network), batch, network.layers)
    #expect(abs(ours.loss - theirs.loss) < 1e-6)
    for (a, b) in zip(ours.weights, theirs.weights) {
      #expect((a - b).maximumMagnitude() < 1e-6)
    }
  }

  @Test func theLossIsTheWholeNetworksAndDroppedUnitsMoveNothing() {
    let (network, batch) = sample(keep: 0.5)
    let ours = gradients(DropoutBoosting(network), batch, network.layers)
    let tape = Tape(recording: false)
    let whole = softmaxCrossEntropy(
      logits: tape.constant(network.logits(of: batch.images)), labels: batch.labels)
    #expect(abs(ours.loss - whole.value.scalar) < 1e-6)
    // The masks again, from the same noise: an input that both images drop moves no weight of its
    // column, and the weights into a unit that both drop do not move either.
    var noise = RandomStream(seed: 9, "noise")
    for (index, size) in [4, 6, 6].enumerated() {
      let mask = noise.bernoulli([2, size], probability: 0.5).values
      for unit in 0..<size where mask[unit] == 0 && mask[size + unit] == 0 {
        let outgoing = ours.weights[index]
        for row in 0..<outgoing.shape[0] { #expect(outgoing[row * size + unit] == 0) }
        guard index > 0 else { continue }
        let incoming = ours.weights[index - 1]
        let inputs = incoming.shape[1]
        for column in 0..<inputs { #expect(incoming[unit * inputs + column] == 0) }
      }
    }
    #expect(ours.weights.allSatisfy { $0.maximumMagnitude() > 0 })
  }

  @Test func aThinnedNetworkSaysWhatTheMaskedOneDoes() {
    let (network, batch) = sample(keep: 0.5)
    var stream = RandomStream(seed: 3, "mask")
    let thinned = network.thinned(using: &stream)
    // Every row of the whole network with the same mask.
    var again = RandomStream(seed: 3, "mask")
    let tape = Tape(recording: false)
    var x = network.rows(tape.constant(batch.images))
    for layer in network.layers {
      let size = layer.weight.value.shape[1]
      let mask = again.bernoulli([size], probability: 0.5, value: 2).values
      x = layer(x * tape.constant(Tensor([2, size], mask + mask)))
    }
    let difference = (thinned.logits(of: batch.images) - x.value).maximumMagnitude()
    #expect(difference < 1e-6)
  }
}
