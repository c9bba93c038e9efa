import Digits
import Gradients
import Methods
import Networks
import Tensors

/// FixMatch with a teacher: a digit that the teacher is sure of is learnt as if it were a label.
///
/// The teacher, the average of the student's weights, reads each image without a label moved
/// lightly; where it gives a digit q ≥ τ, the student learns that digit from the image changed
/// strongly. L = CE(labels) + (1/m) Σ [max q ≥ τ]·CE(student, arg max q) over m images without
/// labels. Source: Sohn et al. 2020, eqs. 3 and 4; the teacher is that of Tarvainen & Valpola 2017.
struct FixMatch<Network: Classifier>: Objective {
  let student: Network
  let teacher: ParameterAverage
  /// What the teacher's images undergo.
  let light: Augmentation
  /// What the student's images without labels undergo; the labelled ones come changed.
  let strong: Augmentation
  /// τ.
  var threshold: Float = 0.95

  func loss(
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
