import Foundation
import Testing

@testable import Serving

/// A quick run by a program that was built before, and by one that is older than the code.
@Suite struct QuickRunTests {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  /// Writes a file of the package, saved so many seconds after the program was built.
  func write(_ text: String, to path: String, after seconds: Double) throws {
    let url = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_700_000_000 + seconds)],
      ofItemAtPath: url.path)
  }

  /// What a quick run says by a program that prints its arguments and ends with a code.
  ///
  /// - Parameter meanwhile: what the program does besides, in its shell.
  func outcome(
    code: Int = 0, meanwhile: String = ""
  ) async throws -> (words: String, holds: Bool) {
    try write(
      "#!/bin/sh\necho \"$@ in $(basename \"$PWD\")\"\n\(meanwhile)\nexit \(code)\n", to: "lab",
      after: 0)
    let lab = root.appendingPathComponent("lab").path
    chmod(lab, 0o755)
    return try await QuickRun(root: root, lab: lab)("2.1")
  }

  var words: String { "chapter 2.1 --quick --no-color in \(root.lastPathComponent)\n" }

  @Test func aRunOfTheCodeAsItIsSaysWhatItPrints() async throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try write("let a = 1\n", to: "Sources/Methods/Plain.swift", after: -1)
    try write("let b = 1\n", to: "Chapters/2.1-two.swift", after: -1)
    // No part of the program: prose, a template.
    try write("# 2.1\n", to: "Chapters/2.1-two.md", after: 60)
    try write("{{a}}\n", to: "Sources/Book/Templates/a.mustache", after: 60)
    #expect(try await outcome() == (words, true))
    #expect(try await outcome(code: 1) == (words, false))
  }

  @Test(arguments: ["Chapters/2.1-two.swift", "Sources/Methods/Plain.swift"])
  func aRunOfOlderCodeIsToldAndHoldsNothing(_ path: String) async throws {
    defer { try? FileManager.default.removeItem(at: root) }
    for path in ["Chapters/2.1-two.swift", "Sources/Methods/Plain.swift"] {
      try write("let a = 1\n", to: path, after: -1)
    }
    try write("let a = 2\n", to: path, after: 1)
    let (words, holds) = try await outcome()
    #expect(words == QuickRun.warning + "\n\n" + self.words && !holds)
    #expect(words.contains("built before the code was saved; run swift build"))
  }

  @Test func aBuildDuringTheRunHidesNoSave() async throws {
    defer { try? FileManager.default.removeItem(at: root) }
    try write("let a = 1\n", to: "Sources/Methods/Plain.swift", after: -1)
    let (words, holds) = try await outcome(
      meanwhile: "touch -d @1700000060 Sources/Methods/Plain.swift; touch -d @1700000090 lab")
    #expect(words == QuickRun.warning + "\n\n" + self.words && !holds)
  }
}
