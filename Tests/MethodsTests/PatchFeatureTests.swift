import Digits
import Foundation
import Methods
import Tensors
import Testing

/// Numbers between 0 and 1 that another language can make again: a congruential generator.
///
/// In Python: `state = (1103515245 * state + 12345) % 2**31`, each number `state / 2**31`.
func congruential(_ count: Int, seed: UInt64 = 1) -> [Float] {
  var state = seed
  return (0..<count).map { _ in
    state = (1_103_515_245 * state + 12345) % (1 << 31)
    return Float(Double(state) / Double(1 << 31))
  }
}

/// The largest difference.
func distance(_ a: Tensor, _ b: [Float]) -> Float {
  zip(a.values, b).map { abs($0 - $1) }.max()!
}

extension Array {
  /// Successive runs of `size` elements.
  func chunks(of size: Int) -> [[Element]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<$0 + size]) }
  }
}

/// Σ aᵢ·bᵢ.
func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

/// Σ (aᵢ − bᵢ)².
func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
}

@Suite struct SymmetricEigenTests {
  /// `numpy.linalg.eigh` (numpy 2.4.6) of the same matrix.
  @Test func valuesAreThoseOfNumpy() {
    let matrix: [[Double]] = [
      [4, 1, -2, 0.5], [1, 3, 0, 1], [-2, 0, 1, 0.25], [0.5, 1, 0.25, -2],
    ]
    let eigen = SymmetricEigen(matrix)
    let expected = [
      5.412806572018754, 2.871468612332716, -0.0303290512441922, -2.2539461331072763,
    ]
    for (value, other) in zip(eigen.values, expected) { #expect(abs(value - other) < 1e-13) }
    for (i, v) in eigen.vectors.enumerated() {
      for (j, w) in eigen.vectors.enumerated() {
        let product = dot(v, w)
        #expect(abs(product - (i == j ? 1 : 0)) < 1e-14)
      }
      for (row, element) in zip(matrix, v) {
        let product = dot(row, v)
        #expect(abs(product - eigen.values[i] * element) < 1e-13)
      }
    }
  }

  @Test func matricesOfOneAndOfEqualValues() {
    #expect(SymmetricEigen([[7]]).values == [7])
    let two = SymmetricEigen([[2, 1], [1, 2]])
    #expect(abs(two.values[0] - 3) < 1e-15 && abs(two.values[1] - 1) < 1e-15)
    #expect(SymmetricEigen([[0, 0], [0, 0]]).values == [0, 0])
  }
}

@Suite struct WhiteningTests {
  /// 50 points whose third coordinate is nearly the first.
  var rows: Tensor {
    var z = congruential(150, seed: 5)
    for row in 0..<50 { z[3 * row + 2] = z[3 * row] + 0.1 * z[3 * row + 2] }
    return Tensor([50, 3], z)
  }

  /// numpy 2.4.6: `C = cov(z.T, bias=True); l, v = eigh(C); W = v @ diag(1/sqrt(l + 1e-3)) @ v.T`.
  @Test func theMatrixIsThatOfNumpy() {
    let whitening = Whitening(rows, epsilon: 1e-3)
    let expected: [Float] = [
      14.55268, -0.11114, -12.02224, -0.11114, 3.69606, -0.32382, -12.02224, -0.32382, 14.12657,
    ]
    #expect(distance(whitening.matrix, expected) < 2e-3)
    #expect(abs(whitening.variances[2] - 0.0004386458600430503) < 1e-8)
    #expect(
      distance(whitening.matrix.product(whitening.inverse), [1, 0, 0, 0, 1, 0, 0, 0, 1]) < 1e-4)
  }

  @Test func whitenedDataAreUncorrelated() {
    let white = Whitening(rows, epsilon: 0)(rows)
    #expect(distance(white.sumOfRows(), [0, 0, 0]) < 1e-2)
    let covariance = white.product(white, transposing: .first) * (1 / 50)
    #expect(distance(covariance, [1, 0, 0, 0, 1, 0, 0, 0, 1]) < 1e-3)
  }
}

@Suite struct KMeansTests {
  /// scikit-learn 1.9.1: `KMeans(4, init=pts[:4], n_init=1, algorithm="lloyd", tol=0).fit(pts)`.
  @Test func lloydEndsWhereThatOfScikitLearnDoes() throws {
    let points = Tensor([200, 2], congruential(400, seed: 3))
    let means = try KMeans(points, from: points.rows(0..<4), iterations: 300)
    let expected: [Float] = [
      0.77554, 0.22971, 0.22853, 0.22465, 0.72419, 0.75695, 0.28199, 0.73095,
    ]
    #expect(distance(means.centroids, expected) < 1e-5)
    #expect(abs(means.costs.last! - 0.044827378094018544) < 1e-7)
    #expect(means.sizes == [40, 54, 52, 54])
    #expect(zip(means.costs, means.costs.dropFirst()).allSatisfy { $0 >= $1 - 1e-7 })
  }

  /// By hand: all of 0, 1 and 10 are nearest to the centroid at 0; the one at 100 moves onto 10.
  @Test func anEmptyClusterMovesToTheFarthestPoint() throws {
    let points = Tensor([3, 1], [0, 1, 10])
    let means = try KMeans(points, from: Tensor([2, 1], [0, 100]), iterations: 10)
    #expect(means.centroids.values == [0.5, 10])
    #expect(means.reseeded == 1)
    #expect(means.sizes == [2, 1])
    #expect(abs(means.costs.last! - 0.5 / 3) < 1e-6)
  }

  @Test func plusPlusFindsBlobsThatAreFarApart() throws {
    let noise = congruential(400, seed: 11)
    let points = Tensor([200, 2], noise.enumerated().map { Float($0 / 2 % 10) * 100 + $1 })
    var stream = RandomStream(seed: 1, "blobs")
    let means = try KMeans(points, clusters: 10, iterations: 5, using: &stream)
    #expect(means.sizes == [Int](repeating: 20, count: 10))
    #expect(means.costs.last! < 0.3)
  }

  @Test func equalPointsDoNoHarm() throws {
    var stream = RandomStream(seed: 1, "equal")
    let points = Tensor(repeating: 0.5, [40, 3])
    let means = try KMeans(points, clusters: 7, iterations: 5, using: &stream)
    #expect(means.centroids.values.allSatisfy { $0 == 0.5 })
  }
}

@Suite struct PatchTests {
  /// By hand: mean ¼, variance 3/16; with c = 1/16 the factor is 2.
  @Test func contrastIsNormalised() {
    var pixels = [UInt8](repeating: 0, count: 784)
    pixels[29] = 255
    let set = ImageSet(pixels: pixels, labels: [0])
    var stream = RandomStream(seed: 1, "patch")
    // Only four of all patches have the bright pixel.
    let found = Patches(side: 2, contrast: 0.0625).sample(
      50, from: set, [0], leastVariance: 0.1, using: &stream)
    for row in 0..<50 {
      let sorted = found.patches.rows(row..<row + 1).values.sorted()
      #expect(zip(sorted, [-0.5, -0.5, -0.5, 1.5]).allSatisfy { abs($0 - Float($1)) < 1e-6 })
    }
    #expect(found.leftOut > 0.98)
  }

  /// Two images of noise and one of paper.
  let images = Tensor(
    [1, 3, 28, 28], congruential(1568, seed: 9) + [Float](repeating: 0, count: 784))

  /// An encoder with k centroids that were never learnt.
  func encoder(_ k: Int) -> PatchEncoder {
    let patches = Patches(contrast: 0.01)
    let rows = Tensor([200, 36], congruential(7200, seed: 4).map { 2 * $0 - 1 })
    return PatchEncoder(
      patches: patches, whitening: Whitening(rows, epsilon: 0.1), centroids: rows.rows(0..<k))
  }

  /// The definition, patch by patch in `Double`: no matrix products, no bands.
  func plainFeatures(_ encoder: PatchEncoder, _ image: [Float]) -> (
    hard: [Double], triangle: [Double]
  ) {
    let k = encoder.centroids.shape[0]
    func matrix(_ tensor: Tensor) -> [[Double]] {
      tensor.values.map(Double.init).chunks(of: 36)
    }
    let (w, c) = (matrix(encoder.whitening.matrix), matrix(encoder.centroids))
    let m = matrix(encoder.whitening.mean)[0]
    var hard = [Double](repeating: 0, count: 4 * k)
    var triangle = hard
    for y in 0..<23 {
      for x in 0..<23 {
        let pixels = (0..<36).map { Double(image[(y + $0 / 6) * 28 + x + $0 % 6]) }
        let mean = pixels.reduce(0, +) / 36
        let centred = pixels.map { $0 - mean }
        let factor = 1 / (dot(centred, centred) / 36 + 0.01).squareRoot()
        let patch = zip(centred, m).map { $0 * factor - $1 }
        let white = w.map { dot($0, patch) }
        let z = c.map { squaredDistance(white, $0).squareRoot() }
        let quadrant = (y < 12 ? 0 : 2) + (x < 12 ? 0 : 1)
        let average = z.reduce(0, +) / Double(k)
        hard[quadrant * k + z.firstIndex(of: z.min()!)!] += 1
        for j in 0..<k { triangle[quadrant * k + j] += max(0, average - z[j]) }
      }
    }
    return (hard, triangle)
  }

  @Test(arguments: [1, 16, 21]) func featuresAreWhatTheDefinitionSays(k: Int) {
    let encoder = encoder(k)
    let features = encoder.features(images, [.hard, .triangle])
    for image in 0..<3 {
      let plain = plainFeatures(encoder, Array(images.values[image * 784..<image * 784 + 784]))
      let hard = features[0].rows(image..<image + 1), triangle = features[1].rows(image..<image + 1)
      #expect(distance(hard, plain.hard.map(Float.init)) == 0)
      #expect(distance(triangle, plain.triangle.map(Float.init)) < 2e-3)
    }
    // The quadrants hold 12·12, 12·11, 11·12 and 11·11 patches.
    let sums = features[0].rows(0..<1).values.chunks(of: k).map { $0.reduce(0, +) }
    #expect(sums == [144, 132, 132, 121])
  }
}

@Suite struct LinearSVMTests {
  /// scikit-learn 1.9.1: `LinearSVC(C=2, loss="squared_hinge", dual=False, tol=1e-12,
  /// fit_intercept=False).fit(hstack([x, ones]), labels)`, three classes.
  @Test func weightsAreThoseOfLIBLINEAR() throws {
    let x = congruential(240), noise = congruential(60, seed: 7)
    let points = x.map(Double.init).chunks(of: 4)
    let labels = zip(points, noise).map { point, noise in
      min(2, Int(3 * point[0] + point[1] * point[1] + 0.5 * Double(noise)))
    }
    let rows = Tensor([60, 5], points.flatMap { $0.map { Float($0) } + [1] })
    let expected: [Float] = [
      -2.85729, -1.28174, -0.59172, 0.15954, 0.93321, -2.229, -0.43004, 0.35969, -0.11847, 1.05214,
      4.01409, 1.32055, -0.03451, -0.33831, -2.54713,
    ]
    let machine = try LinearSVM(rows, labels: labels, classes: 3, cost: 2, tolerance: 1e-5)
    #expect(distance(machine.weights, expected) < 1e-4)
    // From elsewhere it comes to the same place.
    let other = try LinearSVM(
      rows, labels: labels, classes: 3, cost: 2,
      from: Tensor(repeating: 3, [3, 5]), tolerance: 1e-5)
    #expect(distance(other.weights, expected) < 1e-3)
  }

  /// By hand: x = ±1, C = ½: ½w² + max(0, 1 − w)² is least where w = 2(1 − w), at ⅔.
  @Test func twoPointsByHand() throws {
    let machine = try LinearSVM(
      Tensor([2, 1], [1, -1]), labels: [0, 1], classes: 2, cost: 0.5, tolerance: 1e-6)
    #expect(distance(machine.weights, [2 / 3, -2 / 3]) < 1e-6)
  }

  @Test func scalingAndBackGivesTheSameScores() {
    let rows = Tensor([30, 4], congruential(120, seed: 2).map { 5 * $0 + 3 })
    let scaling = FeatureScaling(rows, constant: 0)
    let scaled = scaling(rows)
    #expect(distance(scaled.sumOfRows(), [0, 0, 0, 0, 30]) < 1e-3)
    #expect(distance(scaled.map { $0 * $0 }.sumOfRows(), [30, 30, 30, 30, 30]) < 1e-3)
    let weights = Tensor([2, 5], congruential(10, seed: 6))
    let plain = scaling.unscaled(weights)
    var scores = rows.product(plain.weights, transposing: .second)
    scores.addToRows(plain.biases, activation: .identity)
    #expect(distance(scores, scaled.product(weights, transposing: .second).values) < 1e-4)
  }
}
