import Files
import Foundation

/// What a chapter may read of the package around it: what other chapters have shown, and their code.
///
/// Every file that is read is noted with its digest, and stands in the record as one of its sources,
/// so that a chapter which compares others is stale as soon as one of them has a new record.
struct Shelf {
  /// The package's folder; nil where a page stands in none.
  let root: URL?
  /// The digests of the files that were read, by their paths in the package.
  private(set) var digests: [String: String] = [:]

  init(root: URL? = nil) { self.root = root }

  private mutating func data(of path: String) throws(LabError) -> Data {
    guard let root else {
      throw LabError(.input, "The page stands in no package to read \(path) of.")
    }
    let data = try ChapterFiles.read(root.appendingPathComponent(path))
    digests[path] = PackageCode.digest(of: data, path)
    return data
  }

  /// A value or quote of a chapter's record, or its `run.seconds`, `run.minutes`, `run.megabytes`.
  mutating func value(of chapter: String, named name: String) throws(LabError) -> Record.Value {
    let path = "figures/\(chapter).json"
    guard let root, ChapterFiles.hasFile(path, in: root) else {
      throw LabError(
        .failed, "Chapter \(chapter) has no record; run: swift run lab chapter \(chapter)")
    }
    let record = try Record.decoded(from: try data(of: path), path: path)
    if let value = record.values.first(where: { $0.name == name }) { return value }
    if let quote = record.quotes.first(where: { $0.name == name }) {
      return Record.Value(name: name, value: quote.value, tolerance: 0, unit: "")
    }
    if name.hasPrefix("run."),
      let stamp = RunStamp(of: chapter, in: root.appendingPathComponent("figures")),
      let (value, unit) = stamp.measure(named: name)
    {
      _ = try data(of: "figures/\(chapter).run.json")
      return Record.Value(name: name, value: value, tolerance: 0, unit: unit)
    }
    throw LabError(
      .failed, "The record of chapter \(chapter) has no \(name); name one of its values.")
  }

  /// How many lines of a Swift file below Sources/ are code: neither empty nor a comment alone.
  mutating func lines(of file: String) throws(LabError) -> Int {
    let text = String(decoding: try data(of: "Sources/\(file)"), as: UTF8.self)
    return text.split(separator: "\n").count { line in
      let line = line.drop { $0 == " " }
      return !line.isEmpty && !line.hasPrefix("//")
    }
  }
}

extension RunStamp {
  /// What a run took, by `run.seconds`, `run.minutes` or `run.megabytes`, with its unit.
  package func measure(named name: String) -> (value: Double, unit: String)? {
    switch name {
    case "run.seconds": (wholeSeconds, "seconds")
    case "run.minutes": (wholeSeconds / 60, "minutes")
    case "run.megabytes": peakMegabytes.map { ($0, "MB") }
    default: nil
    }
  }
}

extension ChapterFiles {
  /// Whether a path in a package is a file.
  static func hasFile(_ path: String, in root: URL) -> Bool {
    Binding.isFile(root.appendingPathComponent(path))
  }
}
