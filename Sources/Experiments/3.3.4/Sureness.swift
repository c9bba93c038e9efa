import Digits
import Methods
import Notebook
import Tensors

/// How sure a network is of its answers, after one training on one draw of labels.
package struct Sureness: MeasuredResult, Sendable {
  /// Of the validation images, in percent.
  package var error = 0.0
  /// The mean over images of the largest probability, in percent: of the labelled images, and of the
  /// test images, whose labels nobody looks at.
  package var (labelled, test) = (0.0, 0.0)
  /// The same of averages of two test images, and of noise.
  package var (mixtures, noise) = (0.0, 0.0)

  package var measures: [Double] { [error, labelled, test, mixtures, noise] }

  /// Trains with each setting on a draw, at full length, and looks.
  package static func run(
    _ page: Page, _ data: MNIST, _ draw: LabelDraw, _ settings: [UniversumTraining.Setting]
  ) throws -> [Sureness] {
    let split = try draw.split(data.train, page)
    let (seed, id, isQuick) = (page.seed, page.id, page.isQuick)
    let names = settings.map {
      "sureness, \($0.probability > 0 ? $0.universum.rawValue : "none"), \(draw.name): \($0)"
    }
    return try Round(page, "sureness").run(names, tolerance: 5) { index, flag in
      // The same streams as the draw has in the study, so that these are the networks of its table.
      let others = isQuick ? Array(split.withoutLabels.prefix(2000)) : split.withoutLabels
      let task = Study.Task(
        set: data.train, labelled: split.labelled,
        unlabelled: data.train.withoutLabels(others), seed: seed,
        streams: "\(id)/\(draw.name)", flag: flag, share: 1, points: 1, isQuick: isQuick)
      var result = Sureness()
      try UniversumTraining.train(settings[index], task) { _, network in
        result = try Sureness(network, data, split, isQuick: isQuick) { try flag.check() }
      }
      return result
    }
  }

  private init() {}

  private init(
    _ network: SampleNetwork, _ data: MNIST, _ split: Split, isQuick: Bool,
    check: () throws -> Void
  ) throws {
    let places = Array(stride(from: 0, to: data.test.count, by: isQuick ? 10 : 1))
    let images = data.test.withoutLabels(Array(0..<data.test.count))
    var stream = RandomStream(seed: 0, "3.3.4", "images of no class")
    func mean(_ places: [Int], _ images: (ArraySlice<Int>) -> Tensor) throws -> Double {
      var sum = 0.0
      for batch in places.batches(of: 500) {
        try check()
        sum += network.largestProbabilities(images(batch)).reduce(0, +)
      }
      return 100 * sum / Double(places.count)
    }
    let judged = try network.evaluate(data.train, split.validation, beforeEachBatch: check)
    error = 100 - judged.accuracy
    labelled = try mean(split.labelled) { data.train.images($0) }
    test = try mean(places) { images($0) }
    mixtures = try mean(places) { Universum.mixtures.images(from: images($0), using: &stream) }
    noise = try mean(places) { Universum.noise.images(from: images($0), using: &stream) }
  }
}

extension Classifier {
  /// The probability that the network gives to its answer, for each image.
  fileprivate func largestProbabilities(_ images: Tensor) -> [Double] {
    let p = probabilities(images)
    let answers = p.predictions
    return answers.indices.map { Double(p[$0 * p.shape[1] + answers[$0]]) }
  }
}
