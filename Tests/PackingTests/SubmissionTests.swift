import Files
import Foundation
import Testing

@testable import Packing

/// What is handed in.
@Suite final class SubmissionTests: Sendable {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")
  let model = Submission.Model(digest: "abc123", bytes: 5_000_123, options: " --seed 7")

  init() throws {
    for (path, text) in [
      ("Package.swift", "p"), ("Sources/lab/Lab.swift", "l"), ("Chapters/1.1-a.md", "a"),
      ("results/3.4/a.json", "{}"), (".ci/run", "#!/bin/sh\n"), ("Tests/Fuzz/run", "#!/bin/sh\n"),
      // What is no part of a clone, or a trained model.
      ("model.lab", "m"), ("predictions.csv", "ID"), ("Sources/.DS_Store", "x"),
      ("results/model/weights.bin", "w"), ("results/3.4/b.lab", "w"), (".build/debug/lab", "b"),
      ("Tests/Browser/__pycache__/a.pyc", "x"), ("book/index.html", "b"), (".lab/x", "x"),
      ("notes.txt", "private"),
    ] {
      try AtomicFile.write(Data(text.utf8), to: root.appendingPathComponent(path))
    }
    try FileManager.default.createSymbolicLink(
      atPath: root.path + "/Sources/secret", withDestinationPath: "/etc/hostname")
  }

  deinit { try? FileManager.default.removeItem(at: root) }

  func zip(_ writeUp: [String: Data], differing: Int? = nil) throws -> ZipFile {
    try Submission(team: "Tea", model: model, differing: differing).zip(
      of: root, writeUp: writeUp, predictions: Data("ID,label\n0,7\n".utf8))
  }

  @Test func itHoldsTheCodeAndNoModel() throws {
    let zip = try zip(["lab.pdf": Data("%PDF".utf8)])
    #expect(
      zip.paths
        == [
          "CODE.md", "README.md", "SHA256SUMS", "code/.ci/run", "code/Chapters/1.1-a.md",
          "code/Package.swift", "code/Sources/lab/Lab.swift", "code/Tests/Fuzz/run",
          "code/results/3.4/a.json", "mnist_model.sh", "mnist_result.sh", "predictions.csv",
          "writeup/lab.pdf",
        ].map { "Tea/\($0)" })
  }

  @Test func eachFileHasItsDigest() throws {
    let zip = try zip(["index.html": Data("<p>".utf8), "book.css": Data()])
    let lines = String(decoding: zip["Tea/SHA256SUMS"]!, as: UTF8.self).split(separator: "\n")
    let own = zip.paths.filter { $0 != "Tea/SHA256SUMS" }
    #expect(lines.count == own.count && lines.count > 10)
    for line in lines {
      let parts = line.components(separatedBy: "  ")
      #expect(SHA256.digest(of: zip["Tea/" + parts[1]]!).hexadecimal == parts[0])
    }
  }

  @Test func itsPagesSayWhatIsWhichAndHowToHaveItAgain() throws {
    func text(_ zip: ZipFile, _ path: String) -> String {
      String(decoding: zip["Tea/\(path)"] ?? Data(), as: UTF8.self)
    }
    let printed = try zip(["lab.pdf": Data("%PDF".utf8)], differing: 12)
    let readme = text(printed, "README.md")
    for words in [
      "`writeup/lab.pdf`", "SHA-256: `abc123`", "size: 5000123 bytes",
      "`swift run lab model --seed 7`", "differ in 12 of the 10,000", "sha256sum --check",
    ] { #expect(readme.contains(words), "\(words)") }
    let pages = try zip(["index.html": Data()])
    #expect(text(pages, "README.md").contains("`writeup/index.html`"))
    #expect(!text(pages, "README.md").contains("differ in"))
    let code = text(printed, "CODE.md")
    #expect(code.contains("| `mnist_model.py` | `swift run lab model --seed 7` |"))
    #expect(code.contains("| `mnist_result.py` | `swift run lab result` |"))
    #expect(
      text(printed, "mnist_model.sh").hasSuffix("exec swift run lab model --seed 7 \"$@\"\n"))
    // The files that the page names are those of the package.
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    for match in code.matches(of: /`((?:Sources|Chapters)\/[^`]*)`/) {
      let path = package.appendingPathComponent(String(match.output.1)).path
      #expect(FileManager.default.fileExists(atPath: path), "\(path)")
    }
  }

  @Test func theTitleIsTheSheets() {
    let submission = Submission(team: "Tea", model: model, differing: nil)
    #expect(submission.title(course: "CS 1") == "[CS 1 Tea] Submission Lab2B")
  }

  @Test func itHasTheSameBytesEachTime() throws {
    let writeUp = ["lab.pdf": Data("%PDF".utf8)]
    #expect(try zip(writeUp).encoded == zip(writeUp).encoded)
  }
}
