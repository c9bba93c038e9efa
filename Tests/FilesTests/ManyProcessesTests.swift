import Foundation
import Testing

@testable import Files

@Suite final class ManyProcessesTests {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  init() throws { try AtomicFile.makeFolder(folder) }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
  }

  @Test func aTemporaryFolderClearsWhatTheDeadHaveLeft() throws {
    // No process has a number above 2²², the most that Linux gives.
    let living = "work.\(getpid()).1"
    for name in ["work.9999999.1/full/of", living, "work.9999999.x", "other.9999999.1"] {
      try AtomicFile.makeFolder(folder.appendingPathComponent(name))
    }
    let mine = try TemporaryFolder(for: "work", environment: ["TMPDIR": folder.path])
    let kept = [living, mine.url.lastPathComponent, "other.9999999.1", "work.9999999.x"]
    #expect(try names == kept.sorted())
    mine.remove()
    #expect(try !names.contains(mine.url.lastPathComponent))
  }

  @Test func aTemporaryFolderThatCannotBeIsNamed() throws {
    let gone = folder.appendingPathComponent("gone").path
    #expect {
      try TemporaryFolder(for: "work", environment: ["TMPDIR": gone])
    } throws: {
      "\($0)"
        == "Cannot write into the temporary folder \(gone): No such file or directory; free some "
        + "space, or name another in TMPDIR."
    }
    let usual = try TemporaryFolder(for: "lab-test", environment: ["TMPDIR": ""])
    #expect(usual.url.path.hasPrefix("/tmp/lab-test."))
    usual.remove()
  }

  @Test func aLockIsHeldByOne() throws {
    let url = folder.appendingPathComponent("lock")
    let first = try #require(try FileLock(url, isRemoved: true))
    #expect(try FileLock(url) == nil)
    first.release()
    #expect(try names == [])
    let second = try #require(try FileLock(url))
    second.release()
    #expect(try names == ["lock"])
    #expect(throws: LabError.self) { try FileLock(self.folder) }
  }
}

@Suite struct WordsTests {
  @Test(arguments: [
    "model.lab", "", "a b", "$(touch x)", "it's", "`id`", "a\nb", "~", "*", "ü", "-x", "\"", "\\",
    "!",
    "'\u{301}; id",
  ])
  func aShellReadsAQuotedWordBack(_ word: String) throws {
    let (shell, pipe) = (Process(), Pipe())
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = ["-c", "printf '[%s]' \(word.shellQuoted)"]
    shell.standardOutput = pipe
    try shell.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    #expect(text == "[\(word)]")
  }

  @Test func aPlainNameStaysPlain() { #expect("/a/b-c_1.lab".shellQuoted == "/a/b-c_1.lab") }

  @Test func theLastWordsAreOneHarmlessLine() {
    #expect("first\n  last \u{1B}[31mword\r\n \n".lastWords == "last [31mword")
    #expect(" \n".lastWords == nil && "".lastWords == nil)
    #expect(String(repeating: "x", count: 999).lastWords?.count == 200)
  }
}
