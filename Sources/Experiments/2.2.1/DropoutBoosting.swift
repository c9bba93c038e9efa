import Digits
import Gradients
import Methods
import Networks
import Tensors

/// Dropout's masks without its ensemble: the control of Warde-Farley and others (2014).
///
/// The loss is that of the whole network, as it will be used. Of its gradient each image moves only
/// the weights of the thinned network that was drawn for it: the noise is dropout's, to the last
/// mask, but the parts learn to be right together, and none of them to be right by itself.
package struct DropoutBoosting: Objective {
  package let network: Perceptron

  package init(_ network: Perceptron) { self.network = network }

  // snippet.loss
  /// The cross-entropy of the whole network, with the gradient of thinned ones.
  package func loss(
    _ batch: LabelledBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    var x = network.rows(tape.constant(batch.images))
    for (index, layer) in network.layers.enumerated() {
      let keep = index == 0 ? network.plan.keepInput : network.plan.keepHidden
      let thinned = dropout(x, keep: keep, using: &noise)
      let apart = Tape(recording: false)
      let whole = affine(
        apart.constant(x.value), apart(layer.weight), apart(layer.bias)
      ).value
      // The value of the whole layer, the gradient of the thinned one: a constant makes up the
      // difference, and what a dropped unit sends and receives has no part in the weights' gradient.
      let part = affine(thinned, tape(layer.weight), tape(layer.bias))
      let z = part + tape.constant(whole - part.value)
      x = index + 1 < network.layers.count ? relu(z) : z
    }
    return Loss(softmaxCrossEntropy(logits: x, labels: batch.labels), over: batch.count)
  }
  // snippet.end
}
