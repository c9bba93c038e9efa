import Foundation
import Methods
@testable import Pictures
import Servers
import Tensors
import Testing

@Suite struct STL10ProtocolTests {
  /// A run on the small set after something was done to its files.
  func outcome(
    seed: UInt64 = 1, _ change: (TinyFolder) throws -> Void = { _ in }
  ) throws -> TenFolds.Outcome {
    let folder = try TinyFolder()
    try change(folder)
    return try TenFolds(STL10(folder.url, anySize: true), .quick, seed: seed).run()
  }

  @Test func stripesAreToldApart() throws {
    let outcome = try outcome()
    #expect(outcome.folds.count == 10 && outcome.testCount == 40)
    // Chance is 10 %.
    #expect(outcome.mean > 60, "\(outcome)")
    #expect(outcome.folds.allSatisfy { $0.heldOut > 40 && $0.test > 40 }, "\(outcome)")
    let tests = outcome.folds.map(\.test)
    let mean = tests.reduce(0, +) / 10
    #expect(abs(outcome.mean - mean) < 1e-12)
    let variance = tests.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 9
    #expect(abs(outcome.deviation - variance.squareRoot()) < 1e-12)
  }

  @Test func theSameSeedGivesTheSameNumbers() throws {
    #expect(try outcome() == outcome())
  }

  /// Other labels of the test images change nothing but what is right on test.
  @Test func theTestSetChoosesNothing() throws {
    let usual = try outcome()
    let other = try outcome { folder in
      try folder.change("test_y.bin") { labels in
        for place in labels.indices { labels[place] = labels[place] % 10 + 1 }
      }
    }
    #expect(usual.folds.map(\.cost) == other.folds.map(\.cost))
    #expect(usual.folds.map(\.heldOut) == other.folds.map(\.heldOut))
    #expect(other.mean < 20 && usual.mean > other.mean)
  }

  /// Images from 39 on are in no fold and change nothing; those just below are in the last folds, and
  /// change these alone.
  @Test func aFoldKnowsItsOwnImagesOnly() throws {
    let usual = try outcome()
    func spoil(_ images: Range<Int>) throws -> TenFolds.Outcome {
      try outcome { folder in
        try folder.change("train_y.bin") { for image in images { $0[image] = 1 } }
        try folder.change("train_X.bin") { pixels in
          let bytes = images.lowerBound * 27_648..<images.upperBound * 27_648
          pixels.replaceSubrange(bytes, with: Data(repeating: 9, count: bytes.count))
        }
      }
    }
    #expect(try spoil(39..<60) == usual)
    let late = try spoil(36..<39)
    // Fold n holds images n to n + 29.
    #expect(late.folds[..<7] == usual.folds[..<7])
    #expect(late.folds[7...] != usual.folds[7...])
  }

  /// As many patches of one image as of another, from the images without labels.
  @Test func eachImageGivesItsShareOfPatches() throws {
    let folder = try TinyFolder()
    // One image of noise, and all others of one grey, whose patches are zeros.
    try folder.change("unlabeled_X.bin") { pixels in
      pixels.replaceSubrange(27_648..., with: Data(repeating: 128, count: 59 * 27_648))
    }
    var settings = TenFolds.Settings.quick
    settings.patches = 305
    let patches = ColourPatches(of: 32)
    func lively(seed: UInt64) throws -> Int {
      let run = TenFolds(try STL10(folder.url, anySize: true), settings, seed: seed)
      let sample = try run.sample(patches) { _, _ in }
      #expect(sample.shape == [305, 108])
      return (0..<305).count { row in sample.rows(row..<row + 1).values.contains { $0 != 0 } }
    }
    // 5 of each, and one more of five of the sixty.
    let counts = try (1...30).map { try lively(seed: $0) }
    #expect(Set(counts) == [5, 6])
  }

  @Test func aFoldIsDealtByClasses() {
    let labels = (0..<60).map { $0 % 10 }
    let stream = RandomStream(seed: 3, "deal")
    let dealt = FoldMachine.deal(Array(10..<60), labels, parts: 5, using: stream)
    #expect(dealt.flatMap { $0 }.sorted() == Array(10..<60))
    for part in dealt { #expect(part.map { labels[$0] }.sorted() == Array(0..<10)) }
    #expect(dealt == FoldMachine.deal(Array(10..<60), labels, parts: 5, using: stream))
    let uneven = FoldMachine.deal([0, 1, 2, 11, 12], labels, parts: 3, using: stream)
    #expect(uneven.map(\.count).sorted() == [1, 2, 2])
  }
}
