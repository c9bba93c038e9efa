@testable import Digits
import Files
import Foundation
import Testing

@Suite struct ReaderTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  /// The file `name` with some contents, in a folder of this test's own.
  func file(_ name: String, _ data: Data) throws -> URL {
    let url = folder.appendingPathComponent(name)
    try AtomicFile.write(data, to: url)
    return url
  }

  /// The sentence of the error that a body throws.
  func sentence(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch let error as LabError {
      return error.kind == .input ? error.description : nil
    } catch {
      return nil
    }
  }

  static let array = IDX(dimensions: [2, 3], bytes: [1, 2, 3, 4, 5, 6])

  /// `[2, 3]` bytes 1…6, packed by gzip 1.12.
  func packed() throws -> Data {
    try Data(contentsOf: packed("plain", Self.array.encoded))
  }

  /// The file `name` with some contents, packed by gzip.
  func packed(_ name: String, _ data: Data) throws -> URL {
    let plain = try file(name, data)
    let gzip = Process()
    gzip.executableURL = URL(fileURLWithPath: "/bin/gzip")
    gzip.arguments = ["-n", "-f", plain.path]
    try gzip.run()
    gzip.waitUntilExit()
    return plain.appendingPathExtension("gz")
  }

  @Test func aFileSurvivesItsRoundTrip() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(try IDX.read(file("a", Self.array.encoded)) == Self.array)
    #expect(try IDX.read(file("a.gz", packed())) == Self.array)
  }

  @Test func aFileCutAnywhereIsRefusedInASentence() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let (plain, gzip) = (Self.array.encoded, try packed())
    for length in 0..<plain.count {
      let url = try file("a", plain.prefix(length))
      #expect(sentence { _ = try IDX.read(url) }?.contains(url.path) == true)
    }
    for length in 0..<gzip.count {
      let url = try file("a.gz", gzip.prefix(length))
      #expect(sentence { _ = try IDX.read(url) }?.contains(url.path) == true, "\(length) bytes")
    }
  }

  @Test func trailingBytesAFalseTypeAndHugeExtentsAreRefused() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let hostile: [Data] = [
      Self.array.encoded + Data([0]),
      Data([0, 0, 13, 1, 0, 0, 0, 1, 0]),
      Data([0, 0, 8, 0]),
      Data([0, 0, 8, 3] + [UInt8](repeating: 255, count: 12)),
      Data([0, 0, 8, 1, 255, 255, 255, 255, 1]),
      Data("<!DOCTYPE html><title>404</title>".utf8),
    ]
    for data in hostile {
      let url = try file("a", data)
      #expect(sentence { _ = try IDX.read(url) } != nil, "\(Array(data))")
    }
  }

  @Test func aFlippedBitInAPackedFileIsRefused() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var data = try packed()
    data[data.count - 6] ^= 1
    let url = try file("a.gz", data)
    #expect(sentence { _ = try IDX.read(url) } != nil)
  }

  /// The header of 60,000 images of four million pixels each, and then nothing but a hole.
  @Test func aSizeBombIsRefusedByItsHeader() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let header = Data([0, 0, 8, 3, 0, 0, 0xea, 0x60, 0, 0, 8, 0, 0, 0, 8, 0])
    let plain = try file("a", header)
    try #require(truncate(plain.path, 16 + 60_000 * 2048 * 2048) == 0)
    for url in [plain, try packed("b", header + Data(count: 1 << 26))] {
      let start = ContinuousClock.now
      #expect(
        sentence { _ = try IDX.read(url) }
          == "\(url.path) claims 60,000 × 2,048 × 2,048 elements, where MNIST has 47,040,000; "
          + "replace it by a whole copy.")
      #expect(ContinuousClock.now - start < .seconds(1))
    }
    // What lies about its extents unpacks no further than they go.
    let url = try packed("c", Self.array.encoded + Data(count: 1 << 26))
    #expect(sentence { _ = try IDX.read(url) }?.contains("goes on after its 6 elements") == true)
  }

  @Test func unpackingStopsAtItsLimit() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let url = try file("a.gz", packed())
    #expect(sentence { _ = try Gzip.unpack(url, limit: 5) } != nil)
    #expect(try Gzip.unpack(url, limit: 18) == Self.array.encoded)
  }
}

@Suite struct SplitTests {
  /// Twenty images of each digit in turn.
  let labels = (0..<200).map { UInt8($0 % 10) }

  @Test func theKitTakesTheFirstOfEachClass() throws {
    let split = try Split.kit(labels, labelledPerClass: 3, validationPerClass: 5)
    #expect(split.labelled == Array(0..<30))
    #expect(split.validation == Array(30..<80))
    #expect(split.unlabelled == Array(80..<200))
  }

  @Test func aRandomSplitIsBalancedDisjointAndRepeats() throws {
    let split = try Split.balanced(labels, labelledPerClass: 3, validationPerClass: 5, seed: 1)
    #expect(
      (split.labelled + split.validation + split.unlabelled).sorted() == Array(labels.indices))
    for digit in 0..<10 {
      #expect(split.labelled.count { $0 % 10 == digit } == 3)
      #expect(split.validation.count { $0 % 10 == digit } == 5)
    }
    #expect(
      try split == Split.balanced(labels, labelledPerClass: 3, validationPerClass: 5, seed: 1))
    #expect(
      try split != Split.balanced(labels, labelledPerClass: 3, validationPerClass: 5, seed: 2))
  }

  @Test func aClassWithTooFewImagesIsAnError() {
    #expect(throws: LabError.self) {
      try Split.kit(labels, labelledPerClass: 18, validationPerClass: 5)
    }
  }

  @Test func imagesAreScaledToOne() {
    let set = ImageSet(
      pixels: [UInt8](repeating: 0, count: 784) + [UInt8](repeating: 255, count: 784),
      labels: [3, 4])
    let batch = set.images([1, 0])
    #expect(batch.shape == [1, 2, 28, 28])
    #expect(batch[0] == 1 && batch[784] == 0)
    #expect(set.labels([1, 0]) == [4, 3])
  }
}
