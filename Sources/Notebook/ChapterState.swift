import Files
import Foundation

/// How a chapter stands to its record.
public enum ChapterState: String, Codable, Sendable {
  /// The record is of the code as it is.
  case fresh
  /// The record is of the chapter and the methods as they are, and of another engine below them.
  case olderEngine = "older engine"
  /// The code has changed since the record.
  case stale
  /// There is no record.
  case neverRun = "never run"
  /// The recorded run failed.
  case failed
  /// The record is of no full run with the default seed, or was altered after it.
  case refused
}

extension ChapterFiles {
  /// The record of the last full run, nil when there is none.
  ///
  /// - Throws: `LabError` of kind `.input` when it is no whole record of this version.
  public func storedRecord() throws(LabError) -> Record? {
    guard FileManager.default.fileExists(atPath: record.path) else { return nil }
    return try Record.decoded(from: try Self.read(record), path: recordName)
  }

  private var recordName: String { "figures/\(id).json" }

  /// How the chapter stands to its record.
  ///
  /// - Parameter code: the package's code as it is, where it was read already.
  /// - Throws: `LabError` of kind `.input` when the record cannot be read.
  public func state(in code: PackageCode? = nil) throws(LabError) -> ChapterState {
    guard let stored = try storedRecord() else { return .neverRun }
    return try standing(of: stored, in: code ?? PackageCode(root: root)).state
  }

  /// The record, when the prose may stand on it; it may be of an older engine.
  ///
  /// - Throws: `LabError` of kind `.failed` when the chapter was never run, has changed or failed,
  ///   or when its record is none of the write-up's.
  public func freshRecord(in code: PackageCode? = nil) throws(LabError) -> Record {
    let advice = "run: swift run lab chapter \(id)"
    guard let stored = try storedRecord() else {
      throw LabError(.failed, "Chapter \(id) has no record in figures/; \(advice)")
    }
    if let reason = try standing(of: stored, in: code ?? PackageCode(root: root)).reason {
      throw LabError(.failed, "\(reason); \(advice)")
    }
    return stored
  }

  /// How the chapter stands to a record, and why the prose may not stand on it.
  private func standing(
    of stored: Record, in code: PackageCode
  ) throws(LabError) -> (state: ChapterState, reason: String?) {
    if let reason = stored.misplacement(in: id, path: recordName) { return (.refused, reason) }
    var sources = try sources(in: code)
    // What the run has read beside: records of other chapters, or code that it has measured.
    for path in stored.sources.keys where sources[path] == nil && Self.hasFile(path, in: root) {
      sources[path] = PackageCode.digest(
        of: try Self.read(root.appendingPathComponent(path)), path)
    }
    if let change = Self.change(from: stored.sources, to: sources) {
      return (.stale, "\(change) since the record of chapter \(id)")
    }
    guard stored.status == .passed else {
      return (.failed, "Chapter \(id)'s last full run failed")
    }
    if let reason = stored.contradiction(path: recordName) { return (.refused, reason) }
    let isOlder =
      stored.engine != code.engineDigest || hasJobOfOlderEngine(stored, in: code)
    return (isOlder ? .olderEngine : .fresh, nil)
  }

  /// What has become of the code, as the beginning of a sentence; nil when nothing has.
  private static func change(from old: [String: String], to new: [String: String]) -> String? {
    let paths = Set(old.keys).union(new.keys).filter { old[$0] != new[$0] }.sorted()
    guard let first = paths.first else { return nil }
    let what = old[first] == nil ? "is new" : new[first] == nil ? "is gone" : "has changed"
    let more = paths.count == 1 ? "" : ", with \((paths.count - 1).of("file")) more,"
    return paths.count == 1 ? "\(first) \(what)" : "\(first)\(more) \(what)"
  }

  /// The digests of the files that the chapter's record covers, by their paths in the package.
  ///
  /// - Throws: `LabError` of kind `.input` when the prose cannot be read.
  func sources(in code: PackageCode) throws(LabError) -> [String: String] {
    let quoted = try quotedFiles().map { "Sources/\($0)" }
    return code.sources(
      of: id, and: ["Chapters/\(source.lastPathComponent)"], quoting: quoted)
  }
}

// MARK: - The folder of the write-up

extension ChapterFiles {
  /// Whether the write-up stands on a whole record, other than a new one that agrees with it.
  ///
  /// A record that is the same to the byte, or figures and results that are missing, are written
  /// again; so is a record of another engine, unless results of that one stand in the run.
  func holdsWriteUp(confirmedBy new: Record, ofOneEngine: Bool) -> Bool {
    guard let stored = try? storedRecord(), stored.misplacement(in: id, path: "") == nil,
      stored.contradiction(path: "") == nil, stored.engine == new.engine || !ofOneEngine,
      new.repeats(stored), holdsJobs(of: stored)
    else { return false }
    var same = new
    same.figures = zip(new.figures, stored.figures).map { figure, old in
      var figure = figure
      figure.picture = old.picture
      return figure
    }
    guard same.sealed() != stored else { return false }
    return stored.figures.allSatisfy { figure in
      func digest(_ type: String) -> String? {
        let place = figures.appendingPathComponent("\(id)-\(figure.name).\(type)")
        return (try? Data(contentsOf: place)).map(Notebook.digest)
      }
      return digest("dat") == figure.data && digest("svg") == figure.picture
    }
  }

  /// Whether what is written into a folder for this chapter would stand in the write-up's: it is
  /// that folder, by whatever name, or one of its files leads there.
  public func isWriteUp(_ folder: URL) -> Bool {
    let target = Self.resolved(figures.path)
    let place = Self.resolved(folder.path)
    var (a, b) = (stat(), stat())
    let bothExist = stat(place, &a) == 0 && stat(target, &b) == 0
    if place == target || bothExist && a.st_dev == b.st_dev && a.st_ino == b.st_ino { return true }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
    return names.contains { name in
      (name.hasPrefix("\(id)-") || name.hasPrefix("\(id)."))
        && Self.resolved("\(place)/\(name)").hasPrefix(target + "/")
    }
  }

  /// A path with its links followed, as far as it exists.
  private static func resolved(_ path: String) -> String {
    var place = "/"
    let whole =
      path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    for part in whole.split(separator: "/") where part != "." {
      if part == ".." {
        place = (place as NSString).deletingLastPathComponent
        continue
      }
      let next = place == "/" ? "/\(part)" : "\(place)/\(part)"
      if let real = realpath(next, nil) {
        place = String(cString: real)
        free(real)
      } else {
        place = next
      }
    }
    return place
  }
}

extension Record {
  /// Whether two passed runs of the same code agree: each value within its tolerance.
  ///
  /// A bound may itself be measured, and then differs in its last digits; it is of the same code.
  func repeats(_ other: Record) -> Bool {
    sources == other.sources && status == .passed && other.status == .passed
      && quotes == other.quotes && claims == other.claims
      && figures.map(\.name) == other.figures.map(\.name)
      && checks.map(\.name) == other.checks.map(\.name)
      && checks.map(\.relation) == other.checks.map(\.relation)
      && values.count == other.values.count
      && zip(values, other.values).allSatisfy { a, b in
        a.name == b.name && a.unit == b.unit
          && abs(a.value - b.value) <= min(a.tolerance, b.tolerance)
      }
  }
}
