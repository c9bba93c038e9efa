import Digits
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Trainings of chapter 3.1: the sample code as it stands, and without its stray rectifier.
package enum BaselineTraining {
  /// One training that is asked for.
  package struct Job: Sendable {
    package let hasStrayReLU: Bool
    /// The split of labels: 0 is the kit's, the others are `Split.balanced` by that seed.
    package let split: Int
    package let seed: Int
    package let epochs: Int

    package init(hasStrayReLU: Bool, split: Int, seed: Int, epochs: Int) {
      self.hasStrayReLU = hasStrayReLU
      (self.split, self.seed, self.epochs) = (split, seed, epochs)
    }

    /// Says everything that the result depends on.
    var name: String {
      "\(hasStrayReLU ? "sample code" : "without the stray ReLU"), split \(split), seed \(seed), "
        + "\(epochs) epochs"
    }
  }

  /// What a training leaves; accuracies in percent.
  package struct Outcome: MeasuredResult, Sendable {
    /// After each epoch, on the kit's split, and of others at the end.
    package var train: [Double] = []
    package var validation: [Double] = []
    package var test: [Double] = []
    /// What the logits of the labelled images are before the first epoch and after each.
    package var logits: [LabelledLogits] = []
    /// The test images that are misread at the end.
    package var mistakes: [Misreading] = []

    /// The accuracies: which images are misread is chance.
    package var measures: [[Double]] { [train, validation, test] }
  }

  /// Which logits of the labelled images are 0.
  package struct LabelledLogits: Codable, Sendable {
    /// The classes whose logit is 0 for all of them.
    package let deadClasses: [Int]
    /// Of these, those whose logit is 0 under ten more masks of dropout as well.
    package let deadUnderMasks: Int
    /// The share of images whose own class has the logit 0, in percent.
    package let ownCut: Double
  }

  /// Trains each job.
  package static func run(_ page: Page, _ jobs: [Job], _ data: MNIST) throws -> [Outcome] {
    let (seed, labels) = (page.seed, data.train.labels)
    let splits = try (0...(jobs.map(\.split).max() ?? 0)).map {
      $0 == 0 ? try Split.kit(labels) : try Split.balanced(labels, seed: UInt64($0))
    }
    return try SideBySide.run(
      page, "sample code", jobs.map(\.name), tolerance: 4, committed: .never
    ) { index, flag in
      try train(jobs[index], data, splits[jobs[index].split], seed: seed, flag)
    }
  }

  // snippet.training
  /// Batches of 64 by gradient descent at rate .01 with momentum .5.
  private static func train(
    _ job: Job, _ data: MNIST, _ split: Split, seed: UInt64, _ flag: SideBySide.Flag
  ) throws -> Outcome {
    let name = "3.1/seed \(job.seed)"
    var start = RandomStream(seed: seed, name, "weights")
    let network = SampleNetwork(hasStrayReLU: job.hasStrayReLU, using: &start)
    var training = Training(
      of: network, on: data.train, split.labelled, Momentum(momentum: 0.5),
      rate: .constant(0.01), batchSize: 64, seed: seed, name: name)
    var outcome = Outcome(logits: [network.labelledLogits(data.train, split)])
    for epoch in 1...job.epochs {
      try training.runEpoch { _ in try flag.check() }
      outcome.logits.append(network.labelledLogits(data.train, split))
      // Curves are drawn of the kit's split alone.
      guard epoch == job.epochs || job.split == 0 else { continue }
      try outcome.add(network, data, split) { try flag.check() }
    }
    return outcome
  }
  // snippet.end
}

extension BaselineTraining.Outcome {
  /// Adds the accuracies of the present weights, and the mistakes in the place of earlier ones.
  fileprivate mutating func add(
    _ network: SampleNetwork, _ data: MNIST, _ split: Split, check: () throws -> Void
  ) rethrows {
    func evaluate(_ set: ImageSet, _ indices: [Int]) throws -> Evaluation {
      try network.evaluate(set, indices, beforeEachBatch: check)
    }
    train.append(try evaluate(data.train, split.labelled).accuracy)
    validation.append(try evaluate(data.train, split.validation).accuracy)
    let images = Array(0..<data.test.count)
    let final = try evaluate(data.test, images)
    test.append(final.accuracy)
    mistakes = final.misreadings(of: images)
  }
}

extension SampleNetwork {
  /// Which logits of the labelled images are 0 in evaluation, and under masks as training draws them.
  fileprivate func labelledLogits(
    _ set: ImageSet, _ split: Split
  ) -> BaselineTraining.LabelledLogits {
    var noise = RandomStream(seed: 0, "3.1", "masks of the count")
    var largest = [Float](repeating: 0, count: ImageSet.classCount)
    var cut = 0
    for batch in split.labelled.batches(of: 500) {
      let (rows, labels) = (logits(of: set.images(batch)).values, set.labels(batch))
      for (image, label) in labels.enumerated() {
        let row = rows[image * largest.count..<(image + 1) * largest.count]
        for (k, logit) in row.enumerated() { largest[k] = max(largest[k], logit) }
        if row[row.startIndex + label] <= 0 { cut += 1 }
      }
    }
    let dead = largest.indices.filter { largest[$0] <= 0 }
    var asleep = Set(dead)
    for _ in 0..<10 where !asleep.isEmpty {
      for batch in split.labelled.batches(of: 500) {
        let tape = Tape(recording: false)
        let rows = logits(tape.constant(set.images(batch)), .trainingAside, using: &noise).value
        for place in 0..<rows.count where rows[place] > 0 { asleep.remove(place % largest.count) }
      }
    }
    return BaselineTraining.LabelledLogits(
      deadClasses: dead, deadUnderMasks: asleep.count,
      ownCut: 100 * Double(cut) / Double(split.labelled.count))
  }
}
