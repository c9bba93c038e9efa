import Digits
import Gradients
import Networks
import Tensors

extension Classifier {
  /// Puts the statistics of images without masks and noise in the place of the running ones.
  ///
  /// Batch normalisation learns with noisy features and evaluates clean ones by what it remembers of
  /// the noisy: noise of variance v before a layer adds v·Σw² to the variance of each of its outputs.
  /// Averages over batches of clean images, of all images the same weight, have no such surplus, and
  /// no weight of the network moves. Source: Li, Chen, Hu & Yang 2018, the variance shift of dropout;
  /// Ioffe & Szegedy 2015, algorithm 2, for the average of unbiased variances over batches.
  ///
  /// - Parameter beforeEachBatch: may throw to stop it; the statistics are then half replaced.
  public func estimateStatistics(
    of set: ImageSet, _ indices: [Int], beforeEachBatch: () throws -> Void
  ) rethrows {
    var unused = RandomStream(seed: 0, "estimation draws nothing")
    var seen = 0
    for batch in indices.batches(of: 500) {
      try beforeEachBatch()
      seen += batch.count
      let images = Tape(recording: false).constant(set.images(batch))
      let share = Float(batch.count) / Float(seen)
      _ = logits(images, .estimation(share: share), using: &unused)
    }
  }
}
