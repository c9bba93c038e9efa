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

  /// The permissions of a file, as `chmod` takes them.
  func mode(_ name: String) throws -> mode_t {
    var status = stat()
    try #require(stat(url(name).path, &status) == 0)
    return status.st_mode & 0o7777
  }

  @Test(arguments: [0o600, 0o640, 0o755, 0o666] as [mode_t])
  func permissionsAreKept(_ old: mode_t) throws {
    try AtomicFile.write(Data("old".utf8), to: url("file"))
    chmod(url("file").path, old)
    try FileManager.default.createSymbolicLink(at: url("link"), withDestinationURL: url("file"))
    for name in ["file", "link"] {
      try AtomicFile.requireWritable(url(name))
      try AtomicFile.write(Data(name.utf8), to: url(name))
      #expect(try Data(contentsOf: url("file")) == Data(name.utf8))
      #expect(try mode("file") == old)
    }
  }

  @Test func aNewFileHasThePermissionsOfAnyOther() throws {
    try AtomicFile.write(Data(), to: url("file"))
    try Data().write(to: url("other"))
    #expect(try mode("file") == mode("other"))
  }

  @Test func aLinkThatLeadsNowhereIsNamedAndLeft() throws {
    try AtomicFile.makeFolder(folder)
    for (name, goal) in [("link", "gone"), ("loop", "loop")] {
      try FileManager.default.createSymbolicLink(
        atPath: url(name).path, withDestinationPath: goal)
      for body in [
        { try AtomicFile.write(Data("x".utf8), to: $0) }, { try AtomicFile.requireWritable($0) },
        { try AtomicFile.requireFile($0) },
      ] {
        #expect {
          try body(url(name))
        } throws: {
          ($0 as? LabError)?.kind == .input
            && "\($0)".hasPrefix("Cannot write \(url(name).path): it is a link to \(goal), ")
        }
      }
    }
    #expect(try names == ["link", "loop"])
  }

  @Test func whatMustBeAFileIsNoDeviceAndNoPipe() throws {
    try AtomicFile.makeFolder(folder)
    try #require(mkfifo(url("pipe").path, 0o600) == 0)
    for place in [url("pipe"), URL(fileURLWithPath: "/dev/null"), folder] {
      #expect(throws: LabError.self) { try AtomicFile.requireFile(place) }
    }
    try AtomicFile.requireWritable(URL(fileURLWithPath: "/dev/null"))
    try AtomicFile.requireFile(url("file"))
    #expect(try names == ["pipe"])
  }

  @Test func aLongNameIsWrittenLikeAnyOther() throws {
    let name = String(repeating: "é", count: 127)
    try AtomicFile.write(Data("x".utf8), to: url(name))
    #expect(try names == [name])
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
