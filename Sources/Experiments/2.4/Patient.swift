import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors

/// A mistake that a training can have and that no compiler finds.
package enum Bug: String, CaseIterable, Sendable {
  /// Pixels are read as bytes, 0 to 255, and not scaled to mean 0 and deviation 1.
  case bytes
  /// The network ends with a softmax, and the loss applies another.
  case softmaxTwice
  /// Each image has the label of the one before it in the file.
  case shiftedLabels
  /// The gradient is a mean over the batch, and the rate is divided by the batch's size again.
  case dividedRate
  /// Between two layers numbers leave the tape and come back as constants.
  case detached
  /// The network is judged as it is trained: with dropout.
  case trainingPhase
}

/// A small network in which a bug may be planted: 784-64-64-64-10, with dropout before its last layer.
///
/// He's rule for the hidden layers, and small weights in the last, so that no class is preferred at
/// first.
package struct Patient: Classifier, Objective {
  package let bug: Bug?
  /// The probability to keep a unit of the last hidden layer.
  package var keep: Float = 0.5
  package let layers: [Dense]

  package init(_ bug: Bug?, using stream: inout RandomStream) {
    self.bug = bug
    let sizes = [ImageSet.pixelsPerImage, 64, 64, 64]
    var layers: [Dense] = []
    for (inputs, outputs) in zip(sizes, sizes.dropFirst()) {
      layers.append(
        Dense(
          inputs: inputs, outputs: outputs, activation: .relu, initialiser: .he, using: &stream))
    }
    layers.append(
      Dense(
        inputs: sizes.last!, outputs: ImageSet.classCount, initialiser: .gaussian(deviation: 0.01),
        using: &stream))
    self.layers = layers
  }

  /// What the first layer reads, `[n, 784]`.
  package func rows(_ images: Variable) -> Variable {
    flatten(
      bug == .bytes
        ? images * 255
        : standardised(images, mean: ImageSet.mean, deviation: ImageSet.deviation))
  }

  package func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    var x = rows(images)
    for (index, layer) in layers.dropLast().enumerated() {
      x = layer(x)
      // The values are right, and no gradient comes back through them.
      if bug == .detached, index == 1 { x = x.tape.constant(x.value) }
    }
    if phase.isTraining && keep < 1 { x = dropout(x, keep: keep, using: &noise) }
    x = layers.last!(x)
    return bug == .softmaxTwice ? softmax(x) : x
  }

  /// L = −(1/n) Σ ln P(label).
  package func loss(
    _ batch: LabelledBatch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let logits = logits(tape.constant(batch.images), .training, using: &noise)
    return Loss(softmaxCrossEntropy(logits: logits, labels: batch.labels), over: batch.count)
  }

  /// The logits of images when the network is judged.
  package func judge(_ images: Tensor, using noise: inout RandomStream) -> Tensor {
    let phase = bug == .trainingPhase ? Phase.training : .evaluation
    let tape = Tape(recording: false)
    return logits(tape.constant(images), phase, using: &noise).value
  }
}

/// A patient with the data that it learns from: everything that an examination needs.
package struct Case: Sendable {
  package let bug: Bug?
  package let seed: UInt64
  /// The images that are learnt from, and others.
  package let labelled, others: [Int]
  package let set: ImageSet
  package static let batchSize = 64

  /// A case on a split's images; `seed` draws the weights, the order and the noise.
  package init(_ bug: Bug?, seed: UInt64, _ set: ImageSet, _ split: Split) {
    (self.bug, self.seed) = (bug, seed)
    (labelled, others) = (split.labelled, Array(split.validation.prefix(500)))
    self.set =
      bug == .shiftedLabels
      ? ImageSet(pixels: set.pixels, labels: [set.labels.last!] + set.labels.dropLast()) : set
  }

  /// A patient before its first step.
  package func patient() -> Patient {
    var stream = RandomStream(seed: seed, "2.4", "weights")
    return Patient(bug, using: &stream)
  }

  /// The mean cross-entropy of images as the patient is judged.
  package func loss(_ patient: Patient, _ indices: [Int]) -> Double {
    var noise = RandomStream(seed: seed, "2.4", "judgement")
    let logits = Tape(recording: false).constant(
      patient.judge(set.images(indices), using: &noise))
    return Double(softmaxCrossEntropy(logits: logits, labels: set.labels(indices)).value.scalar)
  }

  /// The accuracy in % on the other images, judged or as the phase says.
  package func accuracy(_ patient: Patient, _ phase: Phase) -> Double {
    var noise = RandomStream(seed: seed, "2.4", "judgement")
    let tape = Tape(recording: false)
    let logits = patient.logits(tape.constant(set.images(others)), phase, using: &noise).value
    let hits = zip(logits.predictions, set.labels(others)).count { $0 == $1 }
    return 100 * Double(hits) / Double(others.count)
  }

  /// The accuracy in % on the other images as the patient is judged, by the labels of a set.
  package func accuracyAsJudged(_ patient: Patient, labels set: ImageSet) -> Double {
    var noise = RandomStream(seed: seed, "2.4", "judgement")
    let logits = patient.judge(self.set.images(others), using: &noise)
    let hits = zip(logits.predictions, set.labels(others)).count { $0 == $1 }
    return 100 * Double(hits) / Double(others.count)
  }

  /// The patient's training on some images, by momentum .9 at a rate.
  package func training(
    of patient: Patient, on indices: [Int], rate: Double
  ) -> Training<Patient, LabelledBatches, Momentum> {
    let divisor = bug == .dividedRate ? Double(Self.batchSize) : 1
    return Training(
      patient,
      LabelledBatches(
        of: set, indices, size: Self.batchSize, seed: seed, name: "2.4/\(rate)"),
      Momentum(momentum: 0.9), rate: .constant(rate / divisor), seed: seed, name: "2.4/\(rate)")
  }
}

extension Case {
  /// A batch of the images that are learnt from, in an order that the seed draws.
  package var batch: [Int] {
    var stream = RandomStream(seed: seed, "2.4", "batch")
    return stream.permutation(labelled.count).prefix(Self.batchSize).map { labelled[$0] }
  }

  /// A patient after some epochs at a rate.
  package func trained(epochs: Int, rate: Double) throws -> Patient {
    let patient = patient()
    var training = training(of: patient, on: labelled, rate: rate)
    for _ in 0..<epochs { try training.runEpoch() }
    return patient
  }

  /// Some of the labelled images, each with that of all others which is nearest, as the network reads
  /// them.
  package func nearest(count: Int) -> [(image: Int, neighbour: Int)] {
    let patient = patient()
    func rows(_ indices: [Int]) -> Tensor {
      patient.rows(Tape(recording: false).constant(set.images(indices))).value
    }
    var stream = RandomStream(seed: seed, "2.4", "neighbours")
    let places = Array(stream.permutation(labelled.count).prefix(count))
    let all = rows(labelled)
    let products = rows(places.map { labelled[$0] }).product(all, transposing: .second)
    let squares = (0..<labelled.count).map { place in
      all.rows(place..<place + 1).sumOfSquares()
    }
    return places.enumerated().map { row, place in
      // ‖a − b‖² less ‖a‖², which is the same for all b.
      func distance(_ other: Int) -> Float {
        squares[other] - 2 * products[row * labelled.count + other]
      }
      let neighbour = labelled.indices.filter { $0 != place }.min { distance($0) < distance($1) }!
      return (labelled[place], labelled[neighbour])
    }
  }

  /// A perceptron with batch normalisation that is judged by the statistics of the batch: the share
  /// of images, in %, that it reads otherwise when it is asked again, and in batches of ten.
  package func changesByBatches(rate: Double) throws -> (again: Double, others: Double) {
    var plan = Perceptron.Plan([ImageSet.pixelsPerImage, 64, 64, ImageSet.classCount])
    (plan.isNormalised, plan.standardises) = (true, true)
    var stream = RandomStream(seed: seed, "2.4", "normalised")
    let network = Perceptron(plan, using: &stream)
    var training = Training(
      of: network, on: set, labelled, Momentum(momentum: 0.9), rate: .constant(rate),
      batchSize: Self.batchSize, seed: seed, name: "2.4/normalised")
    try training.runEpoch()
    func predictions(inBatchesOf size: Int) -> [Int] {
      others.batches(of: size).flatMap { batch in
        let tape = Tape(recording: false)
        return network.logits(tape.constant(set.images(batch)), .trainingAside, using: &stream)
          .value.predictions
      }
    }
    let once = predictions(inBatchesOf: others.count)
    func changes(_ again: [Int]) -> Double {
      100 * Double(zip(once, again).count { $0 != $1 }) / Double(once.count)
    }
    return (
      changes(predictions(inBatchesOf: others.count)), changes(predictions(inBatchesOf: 10))
    )
  }
}
