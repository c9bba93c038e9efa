@testable import Methods
import Tensors
import Testing

@Suite struct ColourPatchTests {
  /// The side of the images, with an odd number of places for patches of 3 × 3.
  static let side = 7
  /// Two images of noise and one of one colour.
  let images = Tensor(
    [3, 3, 7, 7],
    (0..<3).flatMap { channel in
      congruential(98, seed: UInt64(9 + channel))
        + [Float](repeating: 0.2 * Float(channel), count: 49)
    })

  func encoder(_ k: Int) -> ColourPatchEncoder {
    let rows = Tensor([90, 27], congruential(90 * 27, seed: 4).map { 2 * $0 - 1 })
    return ColourPatchEncoder(
      patches: ColourPatches(side: 3, of: Self.side, contrast: 0.01),
      whitening: Whitening(rows, epsilon: 0.1), centroids: rows.rows(0..<k))
  }

  /// A patch of an image by its definition: channels, rows and columns in turn.
  func patch(_ image: Int, _ y: Int, _ x: Int) -> [Double] {
    let pixels = (0..<27).map { place in
      let row = y + place % 9 / 3, column = x + place % 3
      return Double(images[((place / 9 * 3 + image) * 7 + row) * 7 + column])
    }
    let mean = pixels.reduce(0, +) / 27
    let centred = pixels.map { $0 - mean }
    return centred.map { $0 / (dot(centred, centred) / 27 + 0.01).squareRoot() }
  }

  /// The definition, patch by patch in `Double`: no matrix products, no bands.
  func plainFeatures(_ encoder: ColourPatchEncoder, _ image: Int) -> [Double] {
    let k = encoder.centroids.shape[0]
    func matrix(_ tensor: Tensor) -> [[Double]] {
      tensor.values.map(Double.init).chunks(of: 27)
    }
    let (w, c) = (matrix(encoder.whitening.matrix), matrix(encoder.centroids))
    let m = matrix(encoder.whitening.mean)[0]
    var sums = [Double](repeating: 0, count: 4 * k)
    for y in 0..<5 {
      for x in 0..<5 {
        let centred = zip(patch(image, y, x), m).map { $0 - $1 }
        let white = w.map { dot($0, centred) }
        let z = c.map { squaredDistance(white, $0).squareRoot() }
        let mean = z.reduce(0, +) / Double(k)
        let quadrant = (y < 3 ? 0 : 2) + (x < 3 ? 0 : 1)
        for j in 0..<k { sums[quadrant * k + j] += max(0, mean - z[j]) }
      }
    }
    return sums
  }

  @Test(arguments: [1, 16, 21, 40]) func featuresAreWhatTheDefinitionSays(k: Int) {
    let encoder = encoder(k)
    let features = encoder.features(images)
    #expect(features.shape == [3, 4 * k] && encoder.featureCount == 4 * k)
    for image in 0..<3 {
      let plain = plainFeatures(encoder, image).map { Float($0) }
      #expect(distance(features.rows(image..<image + 1), plain) < 2e-4)
    }
  }

  @Test func sampledPatchesAreThoseOfTheImages() {
    var stream = RandomStream(seed: 2, "sample")
    let sample = encoder(1).patches.sample(images, counts: [4, 0, 2], using: &stream)
    #expect(sample.shape == [6, 27])
    let all = (0..<25).map { patch(0, $0 / 5, $0 % 5).map { Float($0) } }
    for row in 0..<4 {
      let one = sample.rows(row..<row + 1)
      #expect(all.contains { distance(one, $0) < 1e-5 })
    }
    // Of three colours that differ by 0.2: their mean is taken away, and their contrast is made one.
    let flat = patch(2, 0, 0).map { Float($0) }
    #expect(distance(sample.rows(5..<6), flat) < 1e-5 && flat[0] < -1 && flat[26] > 1)
  }

  /// A patch of zeros stays one, even without the constant.
  @Test func whatDoesNotVaryStaysZero() {
    var stream = RandomStream(seed: 2, "flat")
    let grey = Tensor(repeating: 0.5, [3, 1, 4, 4])
    let sample = ColourPatches(side: 3, of: 4, contrast: 0).sample(
      grey, counts: [5], using: &stream)
    #expect(sample.values.allSatisfy { $0 == 0 })
  }
}
