import Digits
import Gradients
import Methods
import Networks
import Tensors

/// M1's features of images with labels and without, drawn anew from q(z₁|x) for each batch.
///
/// An image's posterior never changes, so that all are computed before the first batch. An epoch is a
/// pass over the images without labels.
struct DrawnFeatures: BatchSource {
  /// Rows of features, those of a batch's first part with their labels.
  struct Batch {
    let labelled: Tensor
    let labels: [Int]
    let unlabelled: Tensor
  }

  /// Where the orders stand.
  struct State: Codable {
    let labelled, unlabelled: ShuffledOrder.State
  }

  /// How many images of either kind a batch has.
  private let sizes: (labelled: Int, unlabelled: Int)
  private let posteriors: (labelled: Posterior, unlabelled: Posterior)
  private let labels: [Int]
  private let isDrawn: Bool
  private var orders: (labelled: ShuffledOrder, unlabelled: ShuffledOrder)

  /// The features of a task's images.
  ///
  /// - Parameter isDrawn: whether they are drawn; else each is its mean, batch after batch.
  init(
    _ features: FrozenFeatures, _ task: Study.Task, _ sizes: (labelled: Int, unlabelled: Int),
    isDrawn: Bool
  ) {
    let (set, labelled, unlabelled) = (task.set, task.labelled, task.unlabelled)
    posteriors = (
      Posterior(features, labelled.count) { set.images($0.map { labelled[$0] }) },
      Posterior(features, unlabelled.count) { unlabelled($0) }
    )
    labels = set.labels(labelled)
    self.sizes = sizes
    self.isDrawn = isDrawn
    func order(_ count: Int, _ name: String) -> ShuffledOrder {
      ShuffledOrder(count, shuffledBy: RandomStream(seed: task.seed, task.streams, name))
    }
    orders = (order(labelled.count, "order"), order(unlabelled.count, "unlabelled order"))
  }

  var state: State {
    State(labelled: orders.labelled.state, unlabelled: orders.unlabelled.state)
  }

  var stepsPerEpoch: Int { max(1, posteriors.unlabelled.count / sizes.unlabelled) }

  mutating func next(using noise: inout RandomStream) -> Batch {
    let chosen = orders.labelled.nextAcross(sizes.labelled)
    let others = orders.unlabelled.nextAcross(sizes.unlabelled)
    return Batch(
      labelled: posteriors.labelled.rows(chosen, isDrawn, using: &noise),
      labels: chosen.map { labels[$0] },
      unlabelled: posteriors.unlabelled.rows(others, isDrawn, using: &noise))
  }

  mutating func restore(_ state: State) -> Bool {
    var (first, second) = orders
    guard first.restore(state.labelled), second.restore(state.unlabelled) else { return false }
    orders = (first, second)
    return true
  }
}

/// q(z₁|x) of some images: `[n, features]` means and deviations.
private struct Posterior {
  private let mean, deviation: Tensor

  init(_ features: FrozenFeatures, _ count: Int, _ images: (Range<Int>) -> Tensor) {
    var parts: (mean: [Tensor], deviation: [Tensor]) = ([], [])
    for start in stride(from: 0, to: count, by: 1000) {
      let pixels = images(start..<min(count, start + 1000)).flattenedImages()
      let (mean, logVariance) = features(Tape(recording: false).constant(pixels))
      parts.mean.append(mean.value)
      parts.deviation.append(logVariance.value.map { VectorMath.exp($0 * 0.5) })
    }
    mean = Tensor.concatenation(parts.mean, axis: 0)
    deviation = Tensor.concatenation(parts.deviation, axis: 0)
  }

  var count: Int { mean.shape[0] }

  /// μ + σε at some places, or μ alone.
  func rows(_ places: [Int], _ isDrawn: Bool, using noise: inout RandomStream) -> Tensor {
    func gathered(_ source: Tensor) -> Tensor {
      let width = source.shape[1]
      return Tensor(uninitialized: [places.count, width]) { target in
        for (row, place) in places.enumerated() {
          (target.baseAddress! + row * width).update(
            from: source.pointer + place * width, count: width)
        }
      }
    }
    let mean = gathered(mean)
    return isDrawn ? mean + gathered(deviation) * noise.normal(mean.shape) : mean
  }
}
