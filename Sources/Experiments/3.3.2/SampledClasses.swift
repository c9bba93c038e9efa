import Gradients
import Methods
import Tensors

/// The bound of images without labels by one class for each, in the place of the sum over all.
enum SampledClasses {
  // snippet.sampled
  /// The mean of U(x) over rows `[n, inputs]` by one class drawn from q(y|x) for each: a scalar whose
  /// gradient has the right mean.
  ///
  /// Source: Williams 1992; the baseline of a row is the mean cost of the others, with which its own
  /// class has nothing to do.
  static func negativeBound(
    of model: SemiSupervisedAutoencoder, _ x: Variable, using noise: inout RandomStream
  ) -> Variable {
    let logits = model.logits(ofVectors: x)
    let y = draws(softmax(logits).value, using: &noise)
    let bound = model.negativeBound(x, .known(y), using: &noise)
    // −ln q(y|x) of each row's own y.
    let surprise = softmaxCrossEntropy(logits: logits, labels: y, reducing: .none)
    let cost = bound.value - surprise.value
    let (total, n) = (cost.sum(), Float(cost.count))
    precondition(n > 1, "one row has no others")
    let advantage = x.tape.constant(cost.map { $0 - (total - $0) / (n - 1) })
    // ∂E[cost] = E[∂bound + (cost − baseline)·∂ln q]
    return mean(bound - advantage * surprise)
  }
  // snippet.end

  /// A class for each row of probabilities.
  private static func draws(_ p: Tensor, using noise: inout RandomStream) -> [Int] {
    let (n, k) = (p.shape[0], p.shape[1])
    let uniform = noise.uniform([n])
    return (0..<n).map { row in
      var (left, y) = (uniform[row], 0)
      while y < k - 1, left >= p[row * k + y] {
        left -= p[row * k + y]
        y += 1
      }
      return y
    }
  }
}
