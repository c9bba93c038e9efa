import Chapters
import Files
import Foundation
import Notebook

/// The chapters of the package that a command works on.
struct Catalogue {
  /// The package's folder.
  let root: URL

  /// The package that holds the current folder, else the one that this program was built from.
  init() throws {
    // Of a folder that was deleted there is no path; a relative one would never come to the root.
    let current = FileManager.default.currentDirectoryPath
    var folder = URL(fileURLWithPath: current.isEmpty ? "/" : current)
    while !Self.isLab(folder) && folder.path != "/" { folder.deleteLastPathComponent() }
    if Self.isLab(folder) {
      root = folder
      return
    }
    let built = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    guard Self.isLab(built) else {
      throw LabError(
        .input, "This folder is in no copy of the lab; change into the folder of its Package.swift."
      )
    }
    root = built
  }

  private static func isLab(_ folder: URL) -> Bool {
    let manifest = folder.appendingPathComponent("Package.swift")
    guard let text = try? String(contentsOf: manifest, encoding: .utf8) else { return false }
    return text.contains("name: \"lab\"")
      && FileManager.default.fileExists(atPath: folder.appendingPathComponent("Chapters").path)
  }

  /// The chapters of some numbers, each once; all of them for `all` or for no number.
  ///
  /// - Throws: `UsageError` that names the nearest for a number that is not there.
  func chapters(_ ids: [String]) throws -> [any Chapter.Type] {
    if ids.isEmpty || ids.contains("all") { return allChapters }
    var chapters: [any Chapter.Type] = []
    for id in ids where !chapters.contains(where: { $0.id == id }) {
      guard let chapter = allChapters.first(where: { $0.id == id }) else {
        let hint = Suggestion.hint(for: id, among: allChapters.map { $0.id } + ["all"])
        throw UsageError(
          description: "There is no chapter \(id)\(hint) “lab list” shows them all.")
      }
      chapters.append(chapter)
    }
    return chapters
  }

  /// The package's code as it is now, for commands that look at several chapters.
  func code() -> PackageCode { PackageCode(root: root) }

  func files(_ chapter: any Chapter.Type) throws -> ChapterFiles {
    try ChapterFiles(root: root, id: chapter.id)
  }
}

/// What somebody may have meant by a word that is none of some names.
enum Suggestion {
  /// The end of a sentence about the word: the nearest name as a question, or a full stop.
  static func hint(for word: String, among names: [String]) -> String {
    nearest(to: word, among: names).map { "; did you mean \($0)?" } ?? "."
  }

  /// The name that shares the longest beginning with a word; of several the one with the fewest
  /// edits between, then that of the nearest number.
  ///
  /// Nil where none begins like the word, or where half of the word would not stay; a name's
  /// beginning alone is near.
  static func nearest(to word: String, among names: [String]) -> String? {
    let word = word.lowercased()
    let (name, _, edits, _) =
      names.map { name in
        let gap = Double(name).flatMap { number in Double(word).map { abs($0 - number) } }
        return (name, name.commonPrefix(with: word).count, distance(name, word), gap ?? 0)
      }
      .filter { $0.1 > 0 }
      .min { ($1.1, $0.2, $0.3) < ($0.1, $1.2, $1.3) } ?? ("", 0, 0, 0)
    return !name.isEmpty && (name.hasPrefix(word) || edits * 2 <= word.count) ? name : nil
  }

  /// The edits that turn one word into another (Levenshtein 1966).
  static func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, y) in b.enumerated() {
        let next = min(row[j] + 1, row[j + 1] + 1, diagonal + (x == y ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}

/// The exit codes of several chapters as one: 1 before 69, 69 before 66.
struct Outcome {
  private var codes: Set<Int32> = []

  mutating func add(_ code: Int32) { codes.insert(code) }

  var code: Int32 { [1, 69, 66].first(where: codes.contains) ?? 0 }
}
