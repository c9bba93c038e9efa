import Digits
import Files
import Methods
import Networks
import Notebook
import Tensors

/// What is looked at in the course of a training and at its end.
package struct CrossLook {
  /// Sets of views that a prediction may be averaged over: turns and whole pixels.
  package static let views: [(key: String, maps: [AffineMap])] = {
    let shifts = [(-1, 0), (1, 0), (0, -1), (0, 1)].map { x, y in
      AffineMap(shift: (Float(x), Float(y)))
    }
    let turns = [-6, 6].map { AffineMap(rotation: Float($0)) }
    return [
      ("none", []), ("shifts", shifts), ("turns", turns), ("both", shifts + turns),
    ].map { ($0.0, [AffineMap()] + $0.1) }
  }()

  /// What test images are made harder by.
  package static let distortions: [(key: String, words: String, change: Augmentation)] = [
    ("shifted", "shifted by up to 4 pixels", Augmentation(shift: 4)),
    ("turned", "turned by up to 30°", Augmentation(rotation: 30)),
    ("scaled", "stretched by up to a third", Augmentation(scale: 0.33)),
    ("noisy", "with noise of deviation 0.3", Augmentation(noise: 0.3)),
    (
      "bent", "distorted elastically, α = 40",
      Augmentation(elastic: ElasticDistortion(strength: 40))
    ),
    ("erased", "with a rectangle erased", Augmentation(erasing: .zhong)),
  ]

  /// The lower edges of the bins of `CrossOutcome.sureness`.
  package static let edges: [Float] = [0, 0.5, 0.7, 0.9, 0.95, 0.99, 0.999]

  private let (data, split): (MNIST, Split)
  private let settings: CrossSettings
  private let reading: CrossOutcome.Reading
  private let flag: SideBySide.Flag
  private let (validation, test): ([Int], [Int])
  /// The validation images as a labeller sees them.
  private let moved: Tensor?
  private let points: Int

  init(
    _ data: MNIST, _ split: Split, _ settings: CrossSettings, _ reading: CrossOutcome.Reading,
    isQuick: Bool, _ flag: SideBySide.Flag
  ) {
    (self.data, self.split, self.settings) = (data, split, settings)
    (self.reading, self.flag) = (reading, flag)
    validation = isQuick ? Array(split.validation.prefix(100)) : split.validation
    test = Array(stride(from: 0, to: data.test.count, by: isQuick ? 50 : 1))
    let hasCourse = reading == .test || reading == .everything
    points = hasCourse ? isQuick ? 2 : 10 : 0
    var stream = RandomStream(seed: 0, "3.4", "looks")
    moved =
      hasCourse && settings.weight > 0
      ? settings.light(data.train.images(validation), using: &stream) : nil
  }

  /// Whether the curves have a point after a round that ends with a step.
  ///
  /// The end has one that is added with the finished networks.
  func isPoint(_ step: Int) -> Bool {
    guard points > 0, step < settings.steps else { return false }
    let before = max(0, step - settings.round)
    return points * step / settings.steps > points * before / settings.steps
  }

  /// Adds a point in the course of a training, by the averages of its weights.
  func add(_ training: CrossTraining, to outcome: inout CrossOutcome) throws {
    try add(
      training.networks, training.averages, step: training.step, readsTest: reading == .everything,
      to: &outcome)
  }

  /// The error of all networks together on validation, by the averages of their weights.
  func validationError(_ training: CrossTraining) throws -> Double {
    let read = try training.networks.evaluate(
      data.train, validation, values: training.averages
    ) { try flag.check() }
    return 100 - read.all.accuracy
  }

  /// Adds the end, by the networks as they are shipped.
  func add(_ networks: CrossNetworks, to outcome: inout CrossOutcome) throws {
    try add(
      networks, nil, step: settings.steps, readsTest: reading == .test || reading == .everything,
      to: &outcome)
    if reading == .views { outcome.views = try errors(overViews: networks) }
    guard reading == .test || reading == .everything else { return }
    let final = try networks.evaluate(data.test, test) { try flag.check() }.all
    outcome.mistakes = final.misreadings(of: test)
    outcome.sureness = Self.bins(final)
    guard reading == .everything else { return }
    outcome.distorted = try Self.errors(on: data.test, test) { images in
      try flag.check()
      return networks.probabilities(images).all
    }
  }

  private func add(
    _ networks: CrossNetworks, _ values: [Snapshot]?, step: Int, readsTest: Bool,
    to outcome: inout CrossOutcome
  ) throws {
    func errors(_ set: ImageSet, _ indices: [Int]) throws -> [Double] {
      let read = try networks.evaluate(set, indices, values: values) { try flag.check() }
      return (read.each + [read.all]).map { 100 - $0.accuracy }
    }
    outcome.steps.append(step)
    outcome.train.append(try errors(data.train, split.labelled))
    outcome.validation.append(try errors(data.train, validation))
    if readsTest { outcome.test.append(try errors(data.test, test)) }
    if moved != nil { try addLabels(networks, values, to: &outcome) }
  }

  /// Adds which labels would count for each network, and which of those are wrong.
  private func addLabels(
    _ networks: CrossNetworks, _ values: [Snapshot]?, to outcome: inout CrossOutcome
  ) throws {
    let (count, truth) = (networks.networks.count, data.train.labels(validation))
    var (kept, wrong) = ([Double](repeating: 0, count: count), [Double](repeating: 0, count: count))
    for rows in Array(0..<validation.count).batches(of: 500) {
      try flag.check()
      let images = moved!.rows(rows.startIndex..<rows.endIndex)
      let said = networks.probabilities(images, values: values)
      for network in 0..<count {
        let asked = settings.labellers(of: network).map { said.each[$0] }
        let q = asked.dropFirst().reduce(asked[0], +) * (1 / Float(asked.count))
        for (row, digit) in q.predictions.enumerated()
        where q[row * ImageSet.classCount + digit] >= settings.threshold {
          kept[network] += 1
          if digit != truth[rows.startIndex + row] { wrong[network] += 1 }
        }
      }
    }
    outcome.kept.append(kept.map { 100 * $0 / Double(truth.count) })
    outcome.wrong.append(zip(wrong, kept).map { 100 * $0 / max(1, $1) })
  }
}

extension CrossLook {
  /// Errors on validation of each set of views.
  private func errors(overViews networks: CrossNetworks) throws -> [Double] {
    let truth = data.train.labels(validation)
    var wrong = [Double](repeating: 0, count: Self.views.count)
    for batch in validation.batches(of: 500) {
      try flag.check()
      let images = data.train.images(batch)
      // Each set begins with the image as it is, and the last has all moves.
      let all = Self.views.last!.maps
      let said = all.map { view in
        networks.probabilities(images.warped(Array(repeating: view, count: batch.count))).all
      }
      for (set, views) in Self.views.enumerated() {
        let used = all.indices.filter { views.maps.contains(all[$0]) }.map { said[$0] }
        let mean = used.dropFirst().reduce(used[0], +)
        let labels = batch.indices.map { truth[$0] }
        wrong[set] += Double(zip(mean.predictions, labels).count { $0 != $1 })
      }
    }
    return wrong.map { 100 * $0 / Double(truth.count) }
  }

  /// Errors in percent on test images under each distortion, the same for whoever reads them.
  static func errors(
    on set: ImageSet, _ indices: [Int], probabilities: (Tensor) throws -> Tensor
  ) rethrows -> [Double] {
    try distortions.map { distortion in
      var stream = RandomStream(seed: 0, "3.4", "distortions", distortion.key)
      var wrong = 0
      for batch in indices.batches(of: 500) {
        let read = try probabilities(distortion.change(set.images(batch), using: &stream))
        wrong += zip(read.predictions, set.labels(batch)).count { $0 != $1 }
      }
      return 100 * Double(wrong) / Double(indices.count)
    }
  }

  /// Predictions by their probability.
  private static func bins(_ evaluation: Evaluation) -> [CrossOutcome.Bin] {
    var bins = edges.map { _ in CrossOutcome.Bin() }
    for (image, p) in evaluation.confidences.enumerated() {
      let bin = edges.lastIndex { $0 <= p } ?? 0
      bins[bin].count += 1
      bins[bin].sureness += Double(p)
      if evaluation.predictions[image] == evaluation.labels[image] { bins[bin].right += 1 }
    }
    for bin in bins.indices { bins[bin].sureness /= Double(max(1, bins[bin].count)) }
    return bins
  }
}

/// Ends a training whose loss is no finite number any more.
func requireFinite(_ losses: [Double], _ step: Int) throws(LabError) {
  guard let broken = losses.firstIndex(where: { !$0.isFinite }) else { return }
  throw LabError(
    .failed,
    "The cross-labels broke before step \(step) of their training: the mean loss of network "
      + "\(broken + 1) is \(losses[broken]); lower the rate, or look at what it was given.")
}
