import Files
import Foundation
import Testing

@Suite final class AtomicFileTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  deinit { try? FileManager.default.removeItem(at: folder) }

  func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  @Test func aFileAndItsFoldersAreMadeAndReplaced() throws {
    for text in ["first", "second"] {
      try AtomicFile.write(Data(text.utf8), to: url("a/b/file"))
      #expect(try Data(contentsOf: url("a/b/file")) == Data(text.utf8))
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: url("a/b").path) == ["file"])
  }

  @Test func aLinkStaysAndItsFileIsWritten() throws {
    try AtomicFile.write(Data("old".utf8), to: url("file"))
    try FileManager.default.createSymbolicLink(at: url("link"), withDestinationURL: url("file"))
    try AtomicFile.write(Data("new".utf8), to: url("link"))
    #expect(try Data(contentsOf: url("file")) == Data("new".utf8))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: url("link").path) != "")
    #expect(try names == ["file", "link"])
  }

  @Test func whatIsNoFileIsNotReplaced() throws {
    try FileManager.default.createDirectory(at: url("sub"), withIntermediateDirectories: true)
    for body in [
      { try AtomicFile.write(Data("x".utf8), to: $0) }, { try AtomicFile.requireWritable($0) },
    ] {
      for place in [url("sub"), URL(fileURLWithPath: "/proc/none/file")] {
        #expect {
          try body(place)
        } throws: {
          ($0 as? LabError)?.kind == .input && "\($0)".hasPrefix("Cannot ")
        }
      }
    }
    try AtomicFile.write(Data("x".utf8), to: URL(fileURLWithPath: "/dev/null"))
    #expect(throws: LabError.self) {
      try AtomicFile.write(Data("x".utf8), to: URL(fileURLWithPath: "/dev/full"))
    }
    var status = stat()
    #expect(stat("/dev/null", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    #expect(try names == ["sub"])
  }

  @Test func askingWhetherAFileCanBeWrittenChangesNothing() throws {
    try AtomicFile.write(Data("kept".utf8), to: url("file"))
    try AtomicFile.requireWritable(url("file"))
    try AtomicFile.requireWritable(url("other"))
    #expect(try names == ["file"] && Data(contentsOf: url("file")) == Data("kept".utf8))
  }

  /// Of a writer that was killed, of one that lives, and of one just now; and other files.
  @Test func onlyLeftoversOfTheDeadAreRemoved() throws {
    let old = Date(timeIntervalSinceNow: -3600)
    // No process has a number above 2²², the most that Linux gives.
    for (name, date) in [
      (".m.lab.9999999.17", old), (".m.lab.\(getpid()).17", old), (".m.lab.9999999.18", Date()),
      (".m.lab.9999999.x", old), (".other.9999999.17", old), ("m.lab", old),
    ] {
      try AtomicFile.write(Data(), to: url(name))
      try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: url(name).path)
    }
    let before = try names
    AtomicFile.removeLeftovers(of: url("m.lab"))
    #expect(try Set(before).subtracting(names) == [".m.lab.9999999.17"])
  }
}
