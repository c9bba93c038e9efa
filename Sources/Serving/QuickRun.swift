import Foundation
import Notebook

/// A quick run of a chapter by a program of the lab that was built before.
struct QuickRun: Sendable {
  /// How long it may take, in seconds.
  static let seconds = 300
  /// What is said where code was saved after the program was built.
  static let warning =
    "This is the program as it was built before the code was saved; run swift build, and what the "
    + "page shows is what runs."

  /// The package.
  let root: URL
  /// The path of the program.
  let lab: String

  /// What the run prints, and whether all of it holds and is of the code as it is.
  ///
  /// - Throws: `LabError` of kind `.tool` when the program cannot be run; `CancellationError`.
  func callAsFunction(_ chapter: String) async throws -> (words: String, holds: Bool) {
    // Of the program that runs: code may be saved, and built, until it ends.
    let built = Self.date(of: URL(fileURLWithPath: lab))
    let program = Program(name: lab, remedy: "the chapter was not run; build the lab again")
    let outcome = try await program.run(
      ["chapter", chapter, "--quick", "--no-color"], in: root,
      patience: .seconds(Self.seconds), limit: 1 << 20)
    let words = String(decoding: outcome.output, as: UTF8.self)
    let shown = words.isEmpty ? outcome.complaint : words
    guard let built, hasCode(since: built) else { return (shown, outcome.isGood) }
    return (Self.warning + "\n\n" + shown, false)
  }

  /// When a file was last written.
  private static func date(of url: URL) -> Date? {
    try? url.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate
  }

  /// Whether code of the package has been saved since a program was built.
  private func hasCode(since built: Date) -> Bool {
    ["Sources", "Chapters"].contains { folder in
      let files = FileManager.default.enumerator(
        at: root.appendingPathComponent(folder),
        includingPropertiesForKeys: [.contentModificationDateKey])
      while let file = files?.nextObject() as? URL {
        if file.pathExtension == "swift", let saved = Self.date(of: file), saved > built {
          return true
        }
      }
      return false
    }
  }
}
