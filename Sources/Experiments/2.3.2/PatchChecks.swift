import Digits
import Methods
import Notebook
import Tensors

/// The library's codes of patches against their definition, on real digits.
///
/// The definition of both codes is the chapter's own, and handed in.
package struct PatchChecks {
  /// The hard and the triangle code of a whitened patch.
  private let codes:
    (_ patch: [Double], _ centroids: [[Double]]) -> (hard: [Double], triangle: [Double])

  package init(
    codes: @escaping ([Double], [[Double]]) -> (hard: [Double], triangle: [Double])
  ) {
    self.codes = codes
  }

  /// The features of an image by the definition, one patch after the other.
  private func features(_ image: [Float], _ encoder: PatchEncoder) -> (
    hard: [Double], triangle: [Double]
  ) {
    let size = encoder.patches.size
    func rows(_ matrix: Tensor) -> [[Double]] {
      (0..<matrix.count / size).map { row in (0..<size).map { Double(matrix[row * size + $0]) } }
    }
    let (centroids, whitening) = (rows(encoder.centroids), rows(encoder.whitening.matrix))
    let offset = rows(encoder.whitening.mean)[0]
    let k = centroids.count
    var (hard, triangle) = (
      [Double](repeating: 0, count: 4 * k), [Double](repeating: 0, count: 4 * k)
    )
    for y in 0..<23 {
      for x in 0..<23 {
        let pixels = (0..<size).map { Double(image[(y + $0 / 6) * 28 + x + $0 % 6]) }
        let mean = pixels.reduce(0, +) / Double(size)
        let variance = pixels.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(size)
        let factor = 1 / (variance + Double(encoder.patches.contrast)).squareRoot()
        let patch = pixels.indices.map { (pixels[$0] - mean) * factor - offset[$0] }
        let white = whitening.map { row in zip(row, patch).reduce(0) { $0 + $1.0 * $1.1 } }
        let code = codes(white, centroids)
        let first = (y < 12 ? 0 : 2 * k) + (x < 12 ? 0 : k)
        for j in 0..<k {
          hard[first + j] += code.hard[j]
          triangle[first + j] += code.triangle[j]
        }
      }
    }
    return (hard, triangle)
  }

  /// Compares the encoder with the definition on real digits, and K-means with its promise.
  package func compare(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let small = PatchExperiment(
      page: page, data: data, split: split, patchCount: 5000, iterations: 10, validationStep: 5,
      costs: [])
    let paper = PatchExperiment.Constants(
      contrast: 10 / 65_025, epsilon: 0.1, leastVariance: 0.001)
    let (encoder, means, _) = try small.learn(25, paper, repetition: 0)
    let images = Array(split.labelled.prefix(3))
    let fast = encoder.features(data.train.images(images), [.hard, .triangle])
    var (plainHard, plainTriangle) = ([Double](), [Double]())
    for image in images {
      let plain = features(data.train.images([image]).values, encoder)
      plainHard += plain.hard
      plainTriangle += plain.triangle
    }
    func differences(_ a: Tensor, _ b: [Double]) -> Double {
      Routes.distance(a.values.map(Double.init), b)
    }
    page.check("hard code = definition", differences(fast[0], plainHard), atMost: 0)
    page.check("triangle code = definition", differences(fast[1], plainTriangle), atMost: 1.3e-6)
    let rises = zip(means.costs, means.costs.dropFirst()).map { $1 / $0 - 1 }
    page.check("largest rise of the cost of K-means", max(0, rises.max()!), atMost: 1e-6)

    var draws = RandomStream(seed: page.seed, page.id, "whitening check")
    let (sample, _) = encoder.patches.sample(
      20_000, from: data.train, split.unlabelled, leastVariance: paper.leastVariance, using: &draws)
    let white = Whitening(sample, epsilon: 1e-6)(sample)
    page.check("covariance of whitened patches", distanceFromWhite(white), atMost: 2e-4)
    page.check(
      "covariance of patches as they are: rejected", distanceFromWhite(sample), atLeast: 0.5)
    try checkTheMachine(page, data, split)
  }

  /// Judges a support vector machine by what it minimises, in double precision.
  ///
  /// L(w) = ½‖w‖² + C·Σ max(0, 1 − y·w·x)² curves at least as ½‖w‖² does, so that no weights have a
  /// loss that lies more than ½‖∇L(w)‖² below that of w.
  private func checkTheMachine(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let images = Array(split.labelled.prefix(300))
    let (pixels, labels) = (data.train.images(images).flattenedImages(), data.train.labels(images))
    let (rows, cost) = (FeatureScaling(pixels)(pixels), 0.01)
    let machine = try LinearSVM(rows, labels: labels, cost: cost, tolerance: 1e-3)
    let d = rows.shape[1]
    let gaps = (0..<10).map { digit in
      let w = (0..<d).map { Double(machine.weights[digit * d + $0]) }
      var (loss, gradient) = (0.5 * LinearAlgebra.dot(w, w), w)
      for row in images.indices {
        let x = (0..<d).map { Double(rows[row * d + $0]) }
        let y = labels[row] == digit ? 1.0 : -1
        let lacking = max(0, 1 - y * LinearAlgebra.dot(w, x))
        loss += cost * lacking * lacking
        for i in 0..<d { gradient[i] -= 2 * cost * lacking * y * x[i] }
      }
      return 0.5 * LinearAlgebra.dot(gradient, gradient) / loss
    }
    page.check(
      "support vector machine: at most so far above the least loss, as a part of it",
      LinearAlgebra.largest(gaps), atMost: 4e-4)
  }

  /// How far the covariance of patches is from that of white ones, in its worst element.
  ///
  /// Each patch has mean 0, so that in one direction of the 36, that of (1, …, 1)/6, nothing varies
  /// and nothing can be made to: white is here 1 less the projection on it, whose elements are 1/36.
  private func distanceFromWhite(_ patches: Tensor) -> Double {
    let covariance = patches.product(patches, transposing: .first)
    let distances = (0..<36 * 36).map { place in
      let white = (place / 36 == place % 36 ? 1 : 0) - 1 / 36.0
      return abs(Double(covariance[place]) / Double(patches.shape[0]) - white)
    }
    return distances.max()!
  }
}
