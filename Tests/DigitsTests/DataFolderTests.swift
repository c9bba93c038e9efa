import Crypto
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
  }

  /// A folder with two images to train on and one to test on, and its manifest.
  func folder() throws -> DataFolder {
    func file(_ name: String, _ content: IDX) throws -> DataFolder.DataFile {
      try AtomicFile.write(content.encoded, to: place.appendingPathComponent(name))
      let hash = SHA256.hash(data: content.encoded).map { String(format: "%02x", $0) }.joined()
      return DataFolder.DataFile(name: name, sha256: hash)
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
}
