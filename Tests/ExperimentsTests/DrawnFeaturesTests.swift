import Digits
import Foundation
import Gradients
import Methods
import Networks
import Tensors
import Testing

@testable import Experiments

/// M1's features as M2 reads them: which images, with which labels, and from which distribution.
@Suite struct DrawnFeaturesTests {
  /// Images that differ, three of each class.
  static let set: ImageSet = {
    var stream = RandomStream(seed: 9, "drawn features", "pixels")
    return ImageSet(
      pixels: stream.normal([30 * 784]).values.map { UInt8(min(255, abs($0) * 80)) },
      labels: (0..<30).map { UInt8($0 % 10) })
  }()
  static let labelled = [3, 14, 9, 20, 1, 27, 8, 12, 25, 6, 0, 17]

  static var features: FrozenFeatures {
    var plan = VariationalAutoencoder.Plan()
    (plan.hidden, plan.latent, plan.initialiser) = ([8], 3, .gaussian(deviation: 0.3))
    var stream = RandomStream(seed: 1, "drawn features")
    return FrozenFeatures(of: VariationalAutoencoder(plan, using: &stream), units: [0, 2])
  }

  static func source(isDrawn: Bool) -> DrawnFeatures {
    let task = Study.Task(
      set: set, labelled: labelled, unlabelled: set.withoutLabels([2, 4, 5, 7, 10, 11]), seed: 5,
      streams: "drawn", flag: SideBySide.Flag(), share: 1, points: 1, isQuick: false)
    return DrawnFeatures(features, task, (labelled: 4, unlabelled: 2), isDrawn: isDrawn)
  }

  /// μ and σ of each image of the set, by the encoder itself.
  static let posteriors: (mean: [[Float]], deviation: [[Float]]) = {
    let pixels = set.images(Array(0..<set.count)).flattenedImages()
    let (mean, logVariance) = features(Tape(recording: false).constant(pixels))
    func rows(_ x: Tensor) -> [[Float]] {
      (0..<set.count).map { x.rows($0..<$0 + 1).values }
    }
    return (
      rows(mean.value), rows(logVariance.value).map { $0.map { Float(exp(Double($0) / 2)) } }
    )
  }()

  /// The images of a batch whose rows are means.
  static func images(_ rows: Tensor) -> [Int?] {
    (0..<rows.shape[0]).map { row in
      let z = rows.rows(row..<row + 1).values
      return posteriors.mean.firstIndex { zip($0, z).allSatisfy { abs($0 - $1) < 1e-5 } }
    }
  }

  @Test func anEpochIsAPassOverTheImagesWithoutLabelsAndLabelsKeepToTheirImages() {
    var (source, noise) = (Self.source(isDrawn: false), RandomStream(seed: 2, "noise"))
    #expect(source.stepsPerEpoch == 3)
    var seen: (labelled: [Int?], others: [Int?]) = ([], [])
    for _ in 0..<3 {
      let batch = source.next(using: &noise)
      let images = Self.images(batch.labelled)
      #expect(batch.labels == images.map { $0! % 10 })
      seen.labelled += images
      seen.others += Self.images(batch.unlabelled)
    }
    #expect(Set(seen.labelled) == Set(Self.labelled) && seen.labelled.count == 12)
    #expect(Set(seen.others) == [2, 4, 5, 7, 10, 11] && seen.others.count == 6)
  }

  @Test func aDrawHasTheMeanAndTheDeviationOfItsImage() throws {
    var (source, still) = (Self.source(isDrawn: true), Self.source(isDrawn: false))
    var noise = RandomStream(seed: 3, "noise")
    // (z − μ)/σ of all that is drawn, whose images the other source tells.
    var normal: [Double] = []
    for _ in 0..<1000 {
      let (batch, means) = (source.next(using: &noise), still.next(using: &noise))
      for (drawn, mean) in [(batch.labelled, means.labelled), (batch.unlabelled, means.unlabelled)]
      {
        for (row, image) in Self.images(mean).enumerated() {
          let image = try #require(image)
          for (k, z) in drawn.rows(row..<row + 1).values.enumerated() {
            normal.append(
              Double((z - Self.posteriors.mean[image][k]) / Self.posteriors.deviation[image][k]))
          }
        }
      }
    }
    let mean = normal.reduce(0, +) / Double(normal.count)
    let variance = normal.reduce(0) { $0 + $1 * $1 } / Double(normal.count)
    // 12,000 numbers: five standard errors of their mean and of that of their squares.
    #expect(abs(mean) < 0.046 && abs(variance - 1) < 0.065, "\(mean), \(variance)")
  }

  @Test func ordersGoOnFromAState() {
    var (source, noise) = (Self.source(isDrawn: false), RandomStream(seed: 4, "noise"))
    _ = source.next(using: &noise)
    var copy = Self.source(isDrawn: false)
    let isRestored = copy.restore(source.state)
    #expect(isRestored)
    for _ in 0..<7 {
      let (a, b) = (source.next(using: &noise), copy.next(using: &noise))
      #expect(a.labels == b.labels && Self.images(a.unlabelled) == Self.images(b.unlabelled))
    }
  }
}
