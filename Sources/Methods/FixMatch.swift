import Digits
import Gradients
import Networks
import Tensors

/// FixMatch with a teacher: a digit that the teacher is sure of is learnt as if it were a label.
///
/// The teacher, the average of the student's weights, reads each image without a label moved
/// lightly; where it gives a digit q ≥ τ, the student learns that digit from the image changed
/// strongly. L = CE(labels) + (1/m) Σ [max q ≥ τ]·CE(student, arg max q) over m images without
/// labels. Source: Sohn et al. 2020, eqs. 3 and 4; the teacher is that of Tarvainen & Valpola 2017.
public struct FixMatch<Network: Classifier>: Objective {
  /// The network in training.
  public let student: Network
  /// The average of its weights.
  public let teacher: ParameterAverage
  /// What the teacher's images undergo.
  public let light: Augmentation
  /// What the student's images without labels undergo; the labelled ones come changed.
  public let strong: Augmentation
  /// τ.
  public let threshold: Float

  /// The objective of a student and the average of its weights, which its training has to be told of.
  public init(
    student: Network, teacher: ParameterAverage, light: Augmentation, strong: Augmentation,
    threshold: Float = 0.95
  ) {
    (self.student, self.teacher) = (student, teacher)
    (self.light, self.strong, self.threshold) = (light, strong, threshold)
  }

  /// The loss of labelled images, `[1, n, 28, 28]`, and of others, `[1, m, 28, 28]`.
  public func loss(
    _ batch: PairedBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let moved = light(batch.unlabelled, using: &noise)
    let taught = PseudoLabels(
      student.probabilities(moved, values: teacher), threshold: threshold)
    let changed = strong(batch.unlabelled, using: &noise)
    // One pass for all images: batch normalisation sees them together, as in the paper's code.
    let images = concatenation(
      [batch.labelled.images, changed].map { tape.constant($0) }, along: .rows)
    let logits = student.logits(images, .training, using: &noise)
    let labelled = batch.labelled.count
    let losses = softmaxCrossEntropy(
      logits: rows(logits, labelled..<logits.shape[0]), labels: taught.digits, reducing: .none)
    return Loss(
      [
        (
          "labels", 1,
          softmaxCrossEntropy(logits: rows(logits, 0..<labelled), labels: batch.labelled.labels)
        ),
        ("agreement", 1, mean(weighted(losses, perExample: tape.constant(taught.mask)))),
      ], over: labelled)
  }
}

/// What a teacher says of images: a digit for each, and whether it is sure of it.
struct PseudoLabels {
  /// The most probable digit of each image.
  let digits: [Int]
  /// 1 where the teacher gives that digit at least the threshold, else 0: `[n]`.
  let mask: Tensor

  /// The digits of probabilities `[n, classes]`.
  init(_ probabilities: Tensor, threshold: Float) {
    let (digits, classes) = (probabilities.predictions, probabilities.shape[1])
    self.digits = digits
    mask = Tensor(uninitialized: [digits.count]) { mask in
      for (row, digit) in digits.enumerated() {
        mask[row] = probabilities[row * classes + digit] >= threshold ? 1 : 0
      }
    }
  }
}
