@testable import Digits
import Files
import Foundation
import Testing

@Suite struct DataFolderTests {
  let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  @Test func theFolderIsNamedOrFoundInTheEnvironment() {
    func path(_ name: String?, _ environment: [String: String]) -> String {
      DataFolder(name, environment: environment).url.path
    }
    #expect(path("/a", ["LAB_DATA": "/b"]) == "/a")
    #expect(path(nil, ["LAB_DATA": "/b", "XDG_CACHE_HOME": "/c"]) == "/b")
    #expect(path(nil, ["XDG_CACHE_HOME": "/c", "HOME": "/d"]) == "/c/lab/mnist")
    #expect(path(nil, ["XDG_CACHE_HOME": "c", "HOME": "/d"]) == "/d/.cache/lab/mnist")
    // Without a home in the environment it is the system's entry, and never the root folder.
    for environment in [["HOME": ""], [:], ["HOME": "/"], ["HOME": "d"]] {
      let found = path(nil, environment)
      #expect(found.hasSuffix("/lab/mnist") && found.hasPrefix("/") && !found.hasPrefix("/."))
    }
  }

  /// A folder with two images to train on and one to test on, and its manifest.
  func folder() throws -> DataFolder {
    func file(_ name: String, _ content: IDX) throws -> DataFolder.DataFile {
      try AtomicFile.write(content.encoded, to: place.appendingPathComponent(name))
      let hash = SHA256.digest(of: content.encoded).hexadecimal
      return DataFolder.DataFile(name: name, sha256: hash, count: content.bytes.count)
    }
    func images(_ count: Int) -> IDX {
      IDX(dimensions: [count, 28, 28], bytes: [UInt8](repeating: 7, count: count * 784))
    }
    let manifest = DataFolder.Manifest(
      trainImages: try file("train-images-idx3-ubyte", images(2)),
      trainLabels: try file("train-labels-idx1-ubyte", IDX(dimensions: [2], bytes: [4, 9])),
      testImages: try file("t10k-images-idx3-ubyte", images(1)),
      testLabels: try file("t10k-labels-idx1-ubyte", IDX(dimensions: [1], bytes: [3])))
    return DataFolder(place.path, environment: [:], manifest: manifest)
  }

  @Test func aWholeFolderLoads() throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let data = try MNIST.load(from: folder())
    #expect(data.train.labels == [4, 9] && data.test.labels == [3])
  }

  @Test func anAlteredOrMissingFileIsNamed() throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = try folder()
    let labels = place.appendingPathComponent("t10k-labels-idx1-ubyte")
    try AtomicFile.write(IDX(dimensions: [1], bytes: [5]).encoded, to: labels)
    #expect {
      try MNIST.load(from: folder)
    } throws: {
      ($0 as? LabError)?.kind == .input && "\($0)".contains(labels.path)
    }
    try FileManager.default.removeItem(at: labels)
    #expect {
      try MNIST.load(from: folder)
    } throws: {
      ($0 as? LabError)?.kind == .input && "\($0)".contains("t10k-labels-idx1-ubyte")
    }
  }

  /// Nothing that could be fetched from: who asks for it wants to write.
  static let nowhere = DataSources(environment: [
    "LAB_MIRRORS": "", "LAB_PYTHON": "/nonexistent/python",
  ])

  /// Every name and whatever stands there, with the dates.
  func contents(_ folder: URL) throws -> [String: Data] {
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    return Dictionary(
      uniqueKeysWithValues: names.map {
        ($0, (try? Data(contentsOf: folder.appendingPathComponent($0))) ?? Data("none".utf8))
      })
  }

  @Test(arguments: [
    "t10k-images-idx3-ubyte", "t10k-images-idx3-ubyte.gz", "t10k-images.idx3-ubyte",
    "t10k-images.idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
  ])
  func aFileOfAnotherSetIsNeverReplacedInANamedFolder(_ name: String) async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = try folder()
    // One is missing, one is another's; and the real one may stand beside it.
    try FileManager.default.removeItem(at: place.appendingPathComponent("t10k-labels-idx1-ubyte"))
    let file = place.appendingPathComponent(name)
    let other = IDX(dimensions: [1, 28, 28], bytes: [UInt8](repeating: 9, count: 784)).encoded
    try AtomicFile.write(other, to: file)
    let before = try contents(place)
    await #expect {
      try await folder.fetch(from: Self.nowhere)
    } throws: {
      ($0 as? LabError)?.kind == .input && "\($0)".hasPrefix(file.path + " ")
    }
    #expect(try contents(place) == before)
  }

  @Test func aFileBehindALinkIsNeverReplaced() async throws {
    let cache = place.appendingPathComponent("cache")
    defer { try? FileManager.default.removeItem(at: place) }
    let real = try folder()
    // In the lab's own folder too, which nobody has named.
    let folder = DataFolder(
      nil, environment: ["XDG_CACHE_HOME": cache.path], manifest: real.manifest)
    let outside = place.appendingPathComponent("outside")
    for goal in ["outside", "gone"] {
      try AtomicFile.write(Data("mine".utf8), to: outside)
      try? FileManager.default.removeItem(at: folder.url)
      try AtomicFile.makeFolder(folder.url)
      try FileManager.default.createSymbolicLink(
        at: folder.url.appendingPathComponent("t10k-images-idx3-ubyte"),
        withDestinationURL: place.appendingPathComponent(goal))
      await #expect {
        try await folder.fetch(from: Self.nowhere)
      } throws: {
        ($0 as? LabError)?.kind == .input && "\($0)".contains("t10k-images-idx3-ubyte")
      }
      #expect(try Data(contentsOf: outside) == Data("mine".utf8))
      #expect(try contents(folder.url).count == 1)
    }
  }

  @Test func aWholeFolderIsNotWrittenTo() async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = try folder()
    let before = try contents(place)
    let origins = try await folder.fetch(from: Self.nowhere)
    #expect(origins.map(\.source) == ["cache", "cache", "cache", "cache"])
    #expect(try contents(place) == before)
  }
}
