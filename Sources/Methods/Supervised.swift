import Digits
import Gradients
import Networks
import Tensors

/// Learning from labelled images alone: the mean cross-entropy of a classifier.
public struct Supervised<Network: Classifier>: Objective {
  /// The network in training.
  public let network: Network

  /// The objective of a network.
  public init(_ network: Network) { self.network = network }

  /// L = −(1/n) Σ ln P(label).
  public func loss(
    _ batch: LabelledBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let logits = network.logits(tape.constant(batch.images), .training, using: &noise)
    return Loss(
      softmaxCrossEntropy(logits: logits, labels: batch.labels), over: batch.count)
  }
}

extension Training where Source == LabelledBatches {
  /// The training of a classifier on labelled images alone.
  ///
  /// - Parameters:
  ///   - indices: the images of the set that are learnt from, each once an epoch.
  ///   - seed: with the name, what the streams of order and noise come from.
  ///   - change: changes the images of a batch before they are seen.
  public init<Network: Classifier>(
    of network: Network, on set: ImageSet, _ indices: [Int], _ rule: Rule, rate: Schedule,
    batchSize: Int, seed: UInt64, name: String, change: ImageChange? = nil
  ) where Method == Supervised<Network> {
    self.init(
      Supervised(network),
      LabelledBatches(
        of: set, indices, size: batchSize, seed: seed, name: name, change: change),
      rule, rate: rate, seed: seed, name: name)
  }
}
