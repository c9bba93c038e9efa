import Chapters
import Foundation
import Testing

/// Whether the tests that take long are wanted: `LAB_LONG_TESTS=1 swift test --filter …`.
let wantsLongTests = ProcessInfo.processInfo.environment["LAB_LONG_TESTS"] == "1"

/// Quick runs of chapters, the same to the byte on any number of threads.
@Suite(.serialized) struct SameBitsTests {
  /// The chapters that take a second; all in the long version.
  static let ids = allChapters.map { $0.id }.filter { wantsLongTests || $0.hasPrefix("1.") }

  @Test(arguments: ids)
  func aChapterWritesTheSameFilesOnAnyNumberOfThreads(_ id: String) async throws {
    let scratch = try Scratch()
    var runs: [[String: Data]] = []
    for threads in ["1", "2", "4"] {
      let outcome = try await Tool.run(
        "chapter", id, "--quick", "--fresh", "--threads", threads, "--out", scratch.path(threads))
      #expect(outcome.code == 0, "\(outcome)")
      var files: [String: Data] = [:]
      // The stamp says when, and on how many threads.
      for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path(threads))
      where !name.hasSuffix(".run.json") {
        files[name] = try scratch.data("\(threads)/\(name)")
      }
      runs.append(files)
    }
    #expect(runs[0]["\(id).json"] != nil)
    for other in runs.dropFirst() {
      #expect(Set(other.keys) == Set(runs[0].keys))
      for (name, data) in other { #expect(data == runs[0][name], "\(name)") }
    }
  }
}
