import Digits
import Methods
import Notebook
import Tensors

/// What becomes of a reading that is averaged over distorted copies of its image.
///
/// Errors on the validation images in percent, by networks of one short training.
package struct DistortedCopies: MeasuredResult, Sendable {
  /// What copies undergo, one change after the other and all of them together.
  package static let kinds: [(key: String, words: String, change: Augmentation)] = [
    ("turned", "turned by up to 8°", Augmentation(rotation: 8)),
    ("shifted", "shifted by up to a pixel", Augmentation(shift: 1)),
    ("scaled", "stretched or shrunk by up to 7 %", Augmentation(scale: 0.07)),
    ("sheared", "sheared by up to 0.1", Augmentation(shear: 0.1)),
    ("bent", "bent, α = 10", Augmentation(elastic: ElasticDistortion(strength: 10))),
    (
      "all", "all of it",
      Augmentation(
        rotation: 8, shift: 1, scale: 0.07, shear: 0.1,
        elastic: ElasticDistortion(strength: 10))
    ),
  ]
  /// How many copies a reading is averaged over.
  package static let count = 8

  /// The error of the images as they are.
  package var plain = 0.0
  /// For each kind the error of one copy, in the mean over the copies, and that of their average.
  package var (single, average): ([Double], [Double]) = ([], [])
  /// For each kind the images that the average reads rightly and the image as it is does not, and the
  /// reverse.
  package var (won, lost): ([Int], [Int]) = ([], [])

  package var measures: [[Double]] { [[plain], single, average] }

  /// Trains on the kit's labels and reads copies of the validation images.
  package static func run(
    _ page: Page, _ data: MNIST, _ settings: CrossSettings
  ) throws -> DistortedCopies {
    let (seed, isQuick) = (page.seed, page.isQuick)
    let split = try LabelDraw(labels: 3000, number: 0).split(data.train, page)
    return try Round(page, "copies").run(["copies: \(settings)"], tolerance: 1) { _, flag in
      let others = Array(settings.others(of: split).prefix(isQuick ? 500 : .max))
      let training = CrossTraining(
        settings, on: data.train, split.labelled, data.train.withoutLabels(others), seed: seed)
      while training.step < settings.steps {
        let losses = try training.runRound { try flag.check() }.map(\.loss)
        try requireFinite(losses, training.step)
      }
      let networks = try training.finish(data.train, split.labelled) { try flag.check() }
      let images = isQuick ? Array(split.validation.prefix(100)) : split.validation
      return try DistortedCopies(networks, data.train, images) { try flag.check() }
    }[0]
  }

  private init(
    _ networks: CrossNetworks, _ set: ImageSet, _ images: [Int], check: () throws -> Void
  ) throws {
    var misread = 0
    let none = Self.kinds.map { _ in 0 }
    var (copies, averages) = (none, none)
    (won, lost) = (none, none)
    var streams = Self.kinds.map { RandomStream(seed: 0, "3.4.1", "copies", $0.key) }
    for batch in images.batches(of: 500) {
      let (digits, labels) = (set.images(batch), set.labels(batch))
      let plain = networks.probabilities(digits).all.predictions
      misread += zip(plain, labels).count { $0 != $1 }
      for (place, kind) in Self.kinds.enumerated() {
        var sum: Tensor?
        for _ in 0..<Self.count {
          try check()
          let read = networks.probabilities(kind.change(digits, using: &streams[place])).all
          copies[place] += zip(read.predictions, labels).count { $0 != $1 }
          sum = sum.map { $0 + read } ?? read
        }
        for (image, digit) in sum!.predictions.enumerated() {
          let (before, after) = (plain[image] == labels[image], digit == labels[image])
          if !after { averages[place] += 1 }
          if after && !before { won[place] += 1 }
          if before && !after { lost[place] += 1 }
        }
      }
    }
    let percent = 100 / Double(images.count)
    self.plain = percent * Double(misread)
    single = copies.map { percent * Double($0) / Double(Self.count) }
    average = averages.map { percent * Double($0) }
  }
}
