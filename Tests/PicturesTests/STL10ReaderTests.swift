import Files
import Foundation
@testable import Pictures
import Servers
import Testing

/// A folder of a test's own, with the small set in it.
final class TinyFolder: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("stl10-\(UUID())")
  /// What the small set must hold, as the command demands of the published one.
  static let counts = STL10.Counts(
    unlabelled: TinySTL10.unlabelled, train: TinySTL10.train, test: TinySTL10.test,
    fold: TinySTL10.fold, foldBytes: TinySTL10.folds.utf8.count)

  init() throws { try TinySTL10.write(to: url) }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Replaces the bytes of a file by others made of them.
  func change(_ name: String, _ body: (inout Data) -> Void) throws {
    var data = try Data(contentsOf: file(name))
    body(&data)
    try data.write(to: file(name))
  }

  /// The sentence of the error that the reader throws, without the folder's path; nil without one.
  func sentence(_ counts: STL10.Counts?) -> String? {
    do {
      _ = try STL10(url, counts: counts)
      return nil
    } catch let error as LabError {
      return error.kind == .input
        ? error.description.replacingOccurrences(of: url.path, with: "DIR") : "\(error.kind)"
    } catch {
      return "\(error)"
    }
  }
}

@Suite struct STL10ReaderTests {
  @Test func aWholeSetIsRead() throws {
    let folder = try TinyFolder()
    let set = try STL10(folder.url, counts: TinyFolder.counts)
    #expect(set.unlabelled.count == 60 && set.train.count == 60 && set.test.count == 40)
    #expect(set.trainLabels == (0..<60).map { $0 % 10 })
    #expect(set.testLabels == (0..<40).map { $0 % 10 })
    #expect(set.folds == (0..<10).map { start in (0..<30).map { start + $0 } })
    // The archive unpacks into a folder of its own, above which a reader may stand.
    let above = folder.url.appendingPathComponent("above")
    try FileManager.default.createDirectory(at: above, withIntermediateDirectories: true)
    try FileManager.default.createSymbolicLink(
      at: above.appendingPathComponent("stl10_binary"), withDestinationURL: folder.url)
    #expect(try STL10(above, anySize: true).folds == set.folds)
  }

  /// Channel after channel, and each column after column.
  @Test func pixelsStandWhereTheyBelong() throws {
    let folder = try TinyFolder()
    func pixel(_ image: Int, _ channel: Int, _ y: Int, _ x: Int) -> Int {
      (image * 101 + channel * 37 + y * 3 + x * 7) % 256
    }
    let bytes = (0..<2 * TinySTL10.bytesPerImage).map { place in
      UInt8(
        pixel(
          place / TinySTL10.bytesPerImage, place / 9216 % 3, place % 96, place % 9216 / 96))
    }
    try Data(bytes).write(to: folder.file("unlabeled_X.bin"))
    let images = try STL10(folder.url, anySize: true).unlabelled
    let (whole, small) = (try images.batch([1, 0]), try images.batch([1, 0], shrinkingBy: 3))
    #expect(whole.shape == [3, 2, 96, 96] && small.shape == [3, 2, 32, 32])
    var wrong = 0
    for (place, image) in [1, 0].enumerated() {
      for channel in 0..<3 {
        let rows = (channel * 2 + place) * 96
        for y in stride(from: 0, to: 96, by: 5) {
          for x in 0..<96 {
            let value = whole[(rows + y) * 96 + x]
            if value != Float(pixel(image, channel, y, x)) * (1 / 255) { wrong += 1 }
          }
        }
        for (y, x) in [(0, 0), (31, 0), (0, 31), (13, 21)] {
          let sum = (0..<9).reduce(0) { $0 + pixel(image, channel, 3 * y + $1 / 3, 3 * x + $1 % 3) }
          let value = small[((channel * 2 + place) * 32 + y) * 32 + x]
          if abs(value - Float(sum) / (9 * 255)) > 1e-6 { wrong += 1 }
        }
      }
    }
    #expect(wrong == 0)
  }

  /// A file, what is done to it, and what is said then: of the published sizes, and of any.
  struct Damage: CustomTestStringConvertible, Sendable {
    let name: String
    let change: @Sendable (inout Data) -> Void
    let published: String?
    let anySize: String?
    var testDescription: String { published ?? name }

    init(
      _ name: String, _ published: String?, anySize: String?,
      _ change: @escaping @Sendable (inout Data) -> Void
    ) {
      (self.name, self.change, self.published, self.anySize) = (name, change, published, anySize)
    }
  }

  static let again = "; unpack stl10_binary.tar.gz again."

  static let damages = [
    Damage(
      "unlabeled_X.bin", "has 1,658,879 bytes, fewer than the 1,658,880 of its 60 images",
      anySize: "has 1,658,879 bytes, which is no whole number of images of 27,648 bytes"
    ) { $0.removeLast() },
    Damage(
      "train_X.bin", "has 1,658,881 bytes, more than the 1,658,880 of its 60 images",
      anySize: "has 1,658,881 bytes, which is no whole number of images of 27,648 bytes"
    ) { $0.append(0) },
    Damage(
      "test_X.bin", "has 1,078,272 bytes, fewer than the 1,105,920 of its 40 images", anySize: nil
    ) { $0.removeLast(27_648) },
    Damage(
      "unlabeled_X.bin", "has 0 bytes, fewer than the 1,658,880 of its 60 images",
      anySize: "holds no image"
    ) { $0 = Data() },
    Damage("train_y.bin", "holds 59 labels for 60 images", anySize: "holds 59 labels for 60 images")
    { $0.removeLast() },
    Damage("test_y.bin", "holds 41 labels for 40 images", anySize: "holds 41 labels for 40 images")
    { $0.append(1) },
    Damage(
      "train_y.bin", "gives image 17 the label 0, where labels run from 1 to 10",
      anySize: "gives image 17 the label 0, where labels run from 1 to 10"
    ) { $0[17] = 0 },
    Damage(
      "test_y.bin", "gives image 39 the label 11, where labels run from 1 to 10",
      anySize: "gives image 39 the label 11, where labels run from 1 to 10"
    ) { $0[39] = 11 },
  ]

  @Test(arguments: damages) func aDamagedFileIsRefusedInASentence(_ damage: Damage) throws {
    let folder = try TinyFolder()
    try folder.change(damage.name, damage.change)
    #expect(
      folder.sentence(TinyFolder.counts)
        == damage.published.map { "DIR/\(damage.name) \($0)\(Self.again)" })
    if damage.name != "test_X.bin" {
      #expect(
        folder.sentence(nil) == damage.anySize.map { "DIR/\(damage.name) \($0)\(Self.again)" })
    }
  }

  @Test(
    arguments: [
      ("has 9 lines of indices instead of 10", { @Sendable in $0.dropLast() }),
      ("has 11 lines of indices instead of 10", { @Sendable in $0 + ["1 2 3"] }),
      ("has 0 lines of indices instead of 10", { @Sendable _ in [] }),
      (
        "names image 60 in line 3, where they run from 0 to 59",
        { @Sendable in
          $0[..<2] + [$0[2] + " 60"] + $0[3...]
        }
      ),
      (
        "names image -1 in line 1, where they run from 0 to 59",
        { @Sendable in
          ["-1 " + $0[0]] + $0[1...]
        }
      ),
      (
        "has “1.5” in line 10, where the index of an image belongs",
        { @Sendable in
          $0.dropLast() + ["1 2 1.5"]
        }
      ),
      (
        "has “99999999999999999999” in line 2, where the index of an image belongs",
        { @Sendable in
          $0[..<1] + ["99999999999999999999999 1"] + $0[2...]
        }
      ),
      (
        "has a single index in line 4, where two are the fewest",
        { @Sendable in
          $0[..<3] + ["4"] + $0[4...]
        }
      ),
    ] as [(String, @Sendable (ArraySlice<String>) -> ArraySlice<String>)])
  func foldsThatMakeNoSenseAreRefused(
    _ reason: String, _ change: @Sendable (ArraySlice<String>) -> ArraySlice<String>
  ) throws {
    let folder = try TinyFolder()
    let lines = TinySTL10.folds.split(separator: "\n").map(String.init)[...]
    let text = change(lines).joined(separator: "\n")
    try Data(text.utf8).write(to: folder.file("fold_indices.txt"))
    #expect(folder.sentence(nil) == "DIR/fold_indices.txt \(reason)\(Self.again)")
    #expect(folder.sentence(TinyFolder.counts)?.contains(" bytes, ") == true)
  }

  @Test func aFoldThatIsShortOrCutIsRefused() throws {
    let folder = try TinyFolder()
    var counts = TinyFolder.counts
    try folder.change("fold_indices.txt") { $0.removeLast(2) }
    #expect(
      folder.sentence(counts)
        == "DIR/fold_indices.txt has 843 bytes, fewer than the 845 of the published one\(Self.again)"
    )
    counts.foldBytes = nil
    counts.fold = 31
    #expect(
      folder.sentence(counts)
        == "DIR/fold_indices.txt has 30 indices in line 1 instead of 31\(Self.again)")
    try #require(truncate(folder.file("fold_indices.txt").path, 1 << 34) == 0)
    #expect(folder.sentence(counts)?.contains("more than ten folds need") == true)
  }

  @Test(arguments: TinySTL10.names) func aMissingFileIsNamed(_ name: String) throws {
    let folder = try TinyFolder()
    try FileManager.default.removeItem(at: folder.file(name))
    #expect(
      folder.sentence(nil)
        == "\(name) is not in DIR; put the files of stl10_binary.tar.gz there, or name their folder "
        + "with --data.")
    try FileManager.default.createSymbolicLink(
      atPath: folder.file(name).path, withDestinationPath: "nowhere")
    #expect(
      folder.sentence(nil) == "DIR/\(name) is a link to nowhere, which is not there; mend it.")
    try FileManager.default.removeItem(at: folder.file(name))
    try #require(mkfifo(folder.file(name).path, 0o600) == 0)
    #expect(folder.sentence(nil) == "DIR/\(name) is not a regular file\(Self.again)")
  }

  @Test func thePublishedSizesAreDemanded() throws {
    let folder = try TinyFolder()
    #expect(
      folder.sentence(.published)
        == "DIR/train_X.bin has 1,658,880 bytes, fewer than the 138,240,000 of its 5,000 images"
        + Self.again)
    // As many bytes as the published files have, and nothing in them.
    try #require(truncate(folder.file("train_X.bin").path, 138_240_000) == 0)
    try #require(truncate(folder.file("test_X.bin").path, 221_184_000) == 0)
    try #require(truncate(folder.file("unlabeled_X.bin").path, 2_764_800_000) == 0)
    #expect(
      folder.sentence(.published)
        == "DIR/train_y.bin holds 60 labels for 5,000 images\(Self.again)")
  }

  @Test func aFileThatShrinksMeanwhileIsNoCrash() throws {
    let folder = try TinyFolder()
    let set = try STL10(folder.url, counts: TinyFolder.counts)
    try #require(truncate(folder.file("test_X.bin").path, 27_648) == 0)
    #expect(throws: Never.self) { try set.test.batch([0]) }
    #expect(throws: LabError.self) { try set.test.batch([0, 1]) }
  }

  /// Folds with bytes replaced, doubled and taken out at random are read or refused.
  @Test func noTextIsTooOddToBeRead() throws {
    let folder = try TinyFolder()
    let whole = Array(TinySTL10.folds.utf8)
    var state: UInt32 = 7
    func random(_ bound: Int) -> Int {
      state = state &* 1_664_525 &+ 1_013_904_223
      return Int(state >> 8) % bound
    }
    var refused = 0
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0...random(4) {
        let place = random(bytes.count)
        switch random(3) {
        case 0: bytes[place] = UInt8(random(256))
        case 1: bytes.remove(at: place)
        default: bytes.insert(bytes[place], at: place)
        }
      }
      try Data(bytes).write(to: folder.file("fold_indices.txt"))
      if let sentence = folder.sentence(nil) {
        refused += 1
        #expect(sentence.hasPrefix("DIR/fold_indices.txt ") && sentence.hasSuffix(Self.again))
        #expect(!sentence.contains { $0.isNewline })
      }
    }
    #expect(refused > 50)
  }
}
