import Foundation
import Testing

@testable import Serving

/// Which files were saved, in the ways in which editors save.
@Suite struct WatchTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  @Test func aSavedFileIsSeenOnceHoweverItWasSaved() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let prose = folder.appendingPathComponent("a.md")
    let code = folder.appendingPathComponent("a.swift")
    for url in [prose, code] {
      try Data("one".utf8).write(to: url)
      // The clock of a disk ticks only so often.
      try FileManager.default.setAttributes(
        [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: url.path)
    }
    var watch = Watch([prose, code])
    #expect(watch.changes() == [])
    // In its place, with the same length.
    let handle = try FileHandle(forWritingTo: prose)
    try handle.write(contentsOf: Data("two".utf8))
    try handle.close()
    #expect(watch.changes() == [prose])
    #expect(watch.changes() == [])
    // Beside it, and renamed.
    try Data("two".utf8).write(to: code, options: .atomic)
    #expect(watch.changes() == [code])
    // Put aside, and not there for a moment.
    try FileManager.default.moveItem(at: prose, to: folder.appendingPathComponent("a.md~"))
    #expect(watch.changes() == [])
    try Data("three".utf8).write(to: prose)
    #expect(watch.changes() == [prose])
    // Put aside and back: what was told of the missing file holds no more.
    let aside = folder.appendingPathComponent("aside")
    try FileManager.default.moveItem(at: prose, to: aside)
    #expect(watch.changes() == [])
    try FileManager.default.moveItem(at: aside, to: prose)
    #expect(watch.changes() == [prose])
  }

  @Test func savesThatFollowEachOtherAreOne() async throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let urls = ["a", "b"].map { folder.appendingPathComponent($0) }
    for url in urls { try Data("one".utf8).write(to: url) }
    var watch = Watch(urls)
    for url in urls { try Data("four".utf8).write(to: url, options: .atomic) }
    #expect(Set(try await watch.next()) == Set(urls))
    let rest = watch
    await #expect(throws: CancellationError.self) {
      let task = Task {
        var rest = rest
        return try await rest.next()
      }
      task.cancel()
      _ = try await task.value
    }
  }
}
