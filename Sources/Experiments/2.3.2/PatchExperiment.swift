import Digits
import Methods
import Notebook
import Tensors

/// Learning features from images without their labels, and judging them by a linear classifier on
/// the 3,000 labels: the experiment of Coates, Ng & Lee 2011 on MNIST.
package struct PatchExperiment {
  /// What the paper's pipeline leaves open on MNIST.
  package struct Constants: Codable, Hashable {
    /// Added to a patch's variance before its root is taken; pixels are 0…1.
    package var contrast: Float
    /// Added to the eigenvalues of the covariance, as a part of their mean; nil leaves whitening out.
    ///
    /// As a part, since c scales the patches and their eigenvalues with them: one ε for all c would
    /// whiten less the larger c is.
    package var epsilon: Double?
    /// Patches with a smaller variance are not learnt from.
    package var leastVariance: Float

    package init(contrast: Float, epsilon: Double?, leastVariance: Float = 0.001) {
      (self.contrast, self.epsilon) = (contrast, epsilon)
      self.leastVariance = leastVariance
    }
  }

  /// Where the centroids come from.
  package enum Source: String, Codable {
    /// K-means on patches of the 57,000 images without their labels.
    case unlabelled
    /// K-means on patches of the 3,000 labelled images.
    case labelled
    /// Patches of the 57,000 images, as they are drawn.
    case random
  }

  /// What came of one dictionary.
  package struct Outcome: Codable {
    /// One for each code that was judged.
    package var scores: [Score]
    /// The mean squared distance of patches to centroids at the first and the last iteration.
    package var firstCost, lastCost: Double
    /// Centroids that lost all their patches and were moved.
    package var reseeded: Int
    /// The share of drawn patches that were too flat to learn from.
    package var leftOut: Double
  }

  /// What came of one code of one dictionary, for each cost of the classifier.
  package struct Score: Codable {
    /// Accuracies in percent, one a cost.
    package var train, validation: [Double]
  }

  package let page: Page
  package let data: MNIST
  package let split: Split
  /// Patches that are learnt from, and the most iterations of K-means.
  package let (patchCount, iterations): (Int, Int)
  /// Of this many validation images two neighbours are looked at.
  ///
  /// Neighbours, because MNIST's order alternates between easier and harder hands: every second
  /// image would be a biased choice.
  package let validationStep: Int
  /// The costs C that are tried, from the smallest, each starting where the one before ended.
  package let costs: [Double]

  package init(
    page: Page, data: MNIST, split: Split, patchCount: Int, iterations: Int, validationStep: Int,
    costs: [Double]
  ) {
    (self.page, self.data, self.split) = (page, data, split)
    (self.patchCount, self.iterations) = (patchCount, iterations)
    (self.validationStep, self.costs) = (validationStep, costs)
  }

  /// The images whose labels this experiment may not see: 47,000 unlabelled, 10,000 for validation.
  package var withoutLabels: [Int] { split.withoutLabels }

  /// The validation images that are looked at.
  package var validation: [Int] {
    split.validation.indices.filter { $0 % validationStep < 2 }.map { split.validation[$0] }
  }

  /// Learns a dictionary of k patches.
  package func learn(
    _ k: Int, _ constants: Constants, from source: Source = .unlabelled, repetition: Int
  ) throws -> (encoder: PatchEncoder, means: KMeans, leftOut: Double) {
    var draws = RandomStream(
      seed: page.seed, "2.3.2", "patches \(repetition)", source.rawValue)
    let patches = Patches(side: 6, contrast: constants.contrast)
    let (sample, leftOut) = patches.sample(
      patchCount, from: data.train, source == .labelled ? split.labelled : withoutLabels,
      leastVariance: constants.leastVariance, using: &draws)
    let whitening =
      constants.epsilon.map { Whitening(sample, epsilon: $0 * sample.meanVariance()) }
      ?? .none(patches.size)
    var starts = RandomStream(seed: page.seed, "2.3.2", "starts \(repetition)", "\(k)")
    let white = whitening(sample)
    let means =
      source == .random
      ? try KMeans(white, from: white.rows(0..<k), iterations: 0)
      : try KMeans(white, clusters: k, iterations: iterations, using: &starts)
    let encoder = PatchEncoder(patches: patches, whitening: whitening, centroids: means.centroids)
    return (encoder, means, leftOut)
  }

  /// Learns a dictionary and judges codes by it, or takes what an earlier run has kept.
  package func outcome(
    _ k: Int, _ constants: Constants, from source: Source = .unlabelled, repetition: Int,
    _ codes: [PatchEncoder.Code]
  ) throws -> Outcome {
    let name =
      "\(k) \(constants) \(source) \(repetition) \(codes) \(patchCount) \(iterations) "
      + "\(validationStep) \(costs)"
    return try page.kept(name, tolerance: 1) {
      let (encoder, means, leftOut) = try learn(k, constants, from: source, repetition: repetition)
      return Outcome(
        scores: try judge(encoder, codes), firstCost: means.costs.first ?? 0,
        lastCost: means.costs.last ?? 0, reseeded: means.reseeded, leftOut: leftOut)
    }
  }

  /// The accuracy on test of the triangle code and one cost; it chooses nothing.
  package func test(
    _ k: Int, _ constants: Constants, cost: Double, repetition: Int, _ indices: [Int]
  ) throws -> Double {
    try page.kept(
      "test \(k) \(constants) \(cost) \(repetition) \(patchCount) \(indices.count)", tolerance: 0.4
    ) {
      let (encoder, _, _) = try learn(k, constants, repetition: repetition)
      let machines = try [machines(features(encoder, split.labelled[...]), labels, [cost])]
      let right = try correct(machines, data.test, indices) { images in
        encoder.features(data.test.images(images), [.triangle])
      }
      return 100 * right[0][0] / Double(indices.count)
    }
  }

  private var labels: [Int] { data.train.labels(split.labelled) }

  private func features(_ encoder: PatchEncoder, _ images: ArraySlice<Int>) -> Tensor {
    encoder.features(data.train.images(images), [.triangle])[0]
  }

  /// The linear classifier on the pixels themselves.
  package func pixels() throws -> Score {
    try page.kept("pixels \(validationStep) \(costs)", tolerance: 1) {
      try judge { [data.train.images($0).flattenedImages()] }[0]
    }
  }

  /// Trains a linear classifier on the labelled images for each cost, and judges it on validation.
  package func judge(_ encoder: PatchEncoder, _ codes: [PatchEncoder.Code]) throws -> [Score] {
    try judge { encoder.features(data.train.images($0), codes) }
  }

  /// The same for features of any kind: `features` gives some matrices `[n, d]` of n images.
  package func judge(_ features: (ArraySlice<Int>) -> [Tensor]) throws -> [Score] {
    let machines = try features(split.labelled[...]).map { try self.machines($0, labels, costs) }
    let right = try self.correct(machines, data.train, validation, features)
    return zip(machines, right).map { machine, right in
      Score(
        train: machine.train, validation: right.map { 100 * $0 / Double(validation.count) })
    }
  }

  /// Classifiers for each cost, as weights for plain features, one below the other.
  package struct Machines {
    /// `[10·costs, d]` and `[10·costs]`.
    package let weights, biases: Tensor
    package let train: [Double]
  }

  /// Trains for each cost in turn.
  package func machines(_ rows: Tensor, _ labels: [Int], _ costs: [Double]) throws -> Machines {
    let scaling = FeatureScaling(rows)
    let scaled = scaling(rows)
    var start: Tensor?
    var (weights, biases, train) = ([Float](), [Float](), [Double]())
    for cost in costs {
      let machine = try LinearSVM(scaled, labels: labels, cost: cost, from: start, tolerance: 1e-3)
      start = machine.weights
      let plain = scaling.unscaled(machine.weights)
      weights += plain.weights.values
      biases += plain.biases.values
      let scores = scaled.product(machine.weights, transposing: .second)
      train.append(100 * Self.right(scores, labels)[0] / Double(labels.count))
    }
    return Machines(
      weights: Tensor([10 * costs.count, rows.shape[1]], weights),
      biases: Tensor([10 * costs.count], biases), train: train)
  }

  /// How many images of a set each classifier gets right: for each kind of features, for each cost.
  ///
  /// The images go by in batches: the features of all of them would not fit into memory.
  package func correct(
    _ machines: [Machines], _ set: ImageSet, _ indices: [Int],
    _ features: (ArraySlice<Int>) -> [Tensor]
  ) throws -> [[Double]] {
    var right = machines.map { [Double](repeating: 0, count: $0.train.count) }
    for batch in indices.batches(of: 500) {
      try Task.checkCancellation()
      for (kind, rows) in features(batch).enumerated() {
        var scores = rows.product(machines[kind].weights, transposing: .second)
        scores.addToRows(machines[kind].biases, activation: .identity)
        for (cost, count) in Self.right(scores, set.labels(batch)).enumerated() {
          right[kind][cost] += count
        }
      }
    }
    return right
  }

  /// The right answers among scores `[n, 10·m]` of m classifiers, for each of them.
  private static func right(_ scores: Tensor, _ labels: [Int]) -> [Double] {
    let width = scores.shape[1]
    return (0..<width / 10).map { machine in
      Double(
        labels.indices.count { row in
          let first = row * width + 10 * machine
          return (0..<10).max { scores[first + $0] < scores[first + $1] } == labels[row]
        })
    }
  }
}

extension Tensor {
  /// The variance of a coordinate of rows `[n, d]`, in the mean over the coordinates.
  ///
  /// It is the mean of the eigenvalues of their covariance.
  fileprivate func meanVariance() -> Double {
    let n = Double(shape[0])
    let squaredMean = sumOfRows().values.reduce(0) { $0 + Double($1) * Double($1) } / (n * n)
    return (Double(sumOfSquares()) / n - squaredMean) / Double(shape[1])
  }
}

extension Whitening {
  /// The map that changes nothing.
  package static func none(_ d: Int) -> Whitening {
    let one = Tensor([d, d], (0..<d * d).map { $0 / d == $0 % d ? 1 : 0 })
    return Whitening(mean: Tensor(repeating: 0, [d]), matrix: one, inverse: one, variances: [])
  }
}
