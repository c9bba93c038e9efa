import Files
import Foundation

/// What a reader has solved, kept in a small file of its own.
public struct Solutions: Equatable, Sendable {
  /// The right formula of each task that was solved, by the task's id.
  public private(set) var formulas: [String: String] = [:]
  private let url: URL

  /// The file as it stands on the disk.
  private struct Document: Codable {
    var version = 1
    var solved: [String: String]
  }

  /// The solutions in a file; none where there is no file.
  ///
  /// - Parameter warn: hears of a damaged file, which is set aside and not read.
  public init(_ url: URL, warn: (String) -> Void) {
    self.url = url
    guard FileManager.default.fileExists(atPath: url.path) else { return }
    guard let document = Self.document(at: url) else {
      let aside = url.appendingPathExtension("damaged")
      let isMoved = rename(url.path, aside.path) == 0
      let outcome = isMoved ? "it was set aside as \(aside.lastPathComponent)" : "move it away"
      warn("\(url.path) cannot be read as what you have solved; \(outcome), and a new one begins.")
      return
    }
    formulas = document.solved
  }

  /// What stands in the file; nil where it cannot be read.
  private static func document(at url: URL) -> Document? {
    guard let data = try? Data(contentsOf: url), data.count < 1 << 20,
      let document = try? JSONDecoder().decode(Document.self, from: data), document.version == 1
    else { return nil }
    return document
  }

  /// Whether a task is solved.
  public func contains(_ derivation: Derivation) -> Bool { formulas[derivation.id] != nil }

  /// Keeps a right formula; the first one stays.
  ///
  /// - Throws: `LabError` of kind `.input` when the file cannot be written.
  public mutating func add(_ formula: String, of derivation: Derivation) throws {
    // Another session may have solved others since this one began.
    if let document = Self.document(at: url) { formulas.merge(document.solved) { $1 } }
    guard formulas[derivation.id] == nil else { return }
    formulas[derivation.id] = formula
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(
      try encoder.encode(Document(solved: formulas)) + Data("\n".utf8), to: url)
  }
}
