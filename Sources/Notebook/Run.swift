import Files
import Foundation

/// How a chapter stands to its record.
public enum ChapterState: String, Codable, Sendable {
  /// The record is of the code as it is.
  case fresh
  /// The code has changed since the record.
  case stale
  /// There is no record.
  case neverRun = "never run"
  /// The recorded run failed.
  case failed
}

extension ChapterFiles {
  /// The record of the last full run, nil when there is none.
  ///
  /// - Throws: `LabError` of kind `.input` when it is no whole record of this version.
  public func storedRecord() throws(LabError) -> Record? {
    guard FileManager.default.fileExists(atPath: record.path) else { return nil }
    return try Record.decoded(from: try Self.read(record), path: "figures/\(id).json")
  }

  /// How the chapter stands to its record.
  public func state() throws(LabError) -> ChapterState {
    guard let stored = try storedRecord() else { return .neverRun }
    if stored.source != (try sourceDigest()) { return .stale }
    return stored.status == .passed ? .fresh : .failed
  }

  /// The record, when the prose may stand on it.
  ///
  /// - Throws: `LabError` of kind `.failed` when the chapter was never run, has changed or failed.
  public func freshRecord() throws(LabError) -> Record {
    let advice = "run: swift run lab chapter \(id)"
    guard let stored = try storedRecord() else {
      throw LabError(.failed, "Chapter \(id) has no record in figures/; \(advice)")
    }
    switch try state() {
    case .stale:
      throw LabError(.failed, "Chapter \(id)'s Swift file has changed since its record; \(advice)")
    case .failed: throw LabError(.failed, "Chapter \(id)'s last full run failed; \(advice)")
    case .fresh, .neverRun: return stored
    }
  }
}

extension ChapterFiles {
  /// Whether the write-up stands on a whole record, other than a new one that agrees with it.
  ///
  /// A record that is the same to the byte, or figures that are missing, are written again.
  func holdsWriteUp(confirmedBy new: Record) -> Bool {
    guard let stored = try? storedRecord(), stored != new, new.repeats(stored) else { return false }
    return stored.figures.allSatisfy { figure in
      let stem = figures.appendingPathComponent("\(id)-\(figure.name)")
      return FileManager.default.fileExists(atPath: stem.path + ".svg")
        && (try? Data(contentsOf: stem.appendingPathExtension("dat"))).map(digest)
          == figure.sha256
    }
  }
}

extension Record {
  /// Whether two passed runs of the same code agree: each value within its tolerance.
  func repeats(_ other: Record) -> Bool {
    source == other.source && status == .passed && other.status == .passed
      && quotes == other.quotes && claims == other.claims
      && figures.map(\.name) == other.figures.map(\.name)
      && checks.map(\.name) == other.checks.map(\.name)
      && values.count == other.values.count
      && zip(values, other.values).allSatisfy { a, b in
        a.name == b.name && abs(a.value - b.value) <= min(a.tolerance, b.tolerance)
      }
  }
}

/// One run of a chapter: what is asked for, and what came of it.
public struct Run {
  /// What is asked for.
  public struct Options: Sendable {
    /// The seed of all random streams.
    public var seed = defaultSeed
    /// Whether a shorter run is asked for.
    public var isQuick = false
    /// Where figures and record go; nil for the usual place.
    public var output: URL?
    /// The folder of MNIST; nil for the usual places.
    public var data: String?
    /// Whether results that an earlier run has kept are computed again.
    public var isFresh = false

    /// The options of a plain full run.
    public init() {}
  }

  /// What the run showed.
  public let record: Record
  /// Where its figures and record are.
  public let folder: URL
  /// Where the prose and the run part; empty when they were not compared.
  public let findings: [Finding]
  /// Whether the prose was compared with the run: a full run with the usual seed.
  public let isCompared: Bool
  /// Whether the write-up's record and figures stay, because this run agrees with them.
  public let confirmsRecord: Bool
  /// How many results of long work an earlier run had left.
  public let reusedResults: Int
  /// Why figures and record are missing, when they are.
  public let figureError: LabError?

  /// Whether checks, claims and the prose all hold.
  public var passed: Bool { record.status == .passed && findings.isEmpty }

  /// Runs a chapter, draws its figures and writes its record.
  ///
  /// A full run with the usual seed writes into `figures/`; any other into `.lab/`, so that it
  /// never replaces what the write-up shows. Nor does a full run of the recorded code whose numbers
  /// agree with the record within their tolerances, as on another processor: prose, record and
  /// figures are of one run. All files are made in a folder beside and then moved. Without gnuplot
  /// or on a full disk nothing is written, and what the run showed is returned with the reason.
  /// - Throws: what the chapter throws; `LabError` when the chapter's files cannot be read;
  ///   `CancellationError`.
  public static func perform(
    _ chapter: any Chapter.Type, _ files: ChapterFiles, _ options: Options,
    output: Page.Output
  ) async throws -> Run {
    let source = try files.sourceDigest()
    let isCompared = !options.isQuick && options.seed == defaultSeed
    let mode = options.isQuick ? "quick" : "full"
    let run = "\(chapter.id)-\(mode)-\(options.seed)"
    let aside = files.root.appendingPathComponent(".lab")
    let page = Page(
      id: chapter.id, seed: options.seed, isQuick: options.isQuick, dataDirectory: options.data,
      kept: KeptResults(
        aside.appendingPathComponent("kept/\(run)"), of: files, isFresh: options.isFresh),
      output: output)
    try await chapter.run(page)
    let record = page.record(title: chapter.title, source: source)
    let confirmsRecord =
      isCompared && options.output == nil && files.holdsWriteUp(confirmedBy: record)
    let folder =
      options.output
      ?? (isCompared && !confirmsRecord ? files.figures : aside.appendingPathComponent(run))
    var figureError: LabError?
    do {
      try await write(page, record, to: folder)
    } catch let error as LabError {
      figureError = error
    }
    let findings =
      isCompared && figureError == nil
      ? try Binding(files, record).findings(isRerun: true, figuresIn: folder) : []
    return Run(
      record: record, folder: folder, findings: findings, isCompared: isCompared,
      confirmsRecord: confirmsRecord, reusedResults: page.kept.reusedCount,
      figureError: figureError)
  }

  /// Draws the figures in a temporary folder beside and moves all files into place.
  private static func write(_ page: Page, _ record: Record, to folder: URL) async throws {
    let manager = FileManager.default
    let parent = folder.deletingLastPathComponent()
    let prefix = ".\(folder.lastPathComponent).\(page.id)."
    // What runs that were killed have left.
    for name in (try? manager.contentsOfDirectory(atPath: parent.path)) ?? []
    where name.hasPrefix(prefix) {
      guard let process = Int32(name.dropFirst(prefix.count)), kill(process, 0) != 0,
        errno == ESRCH
      else { continue }
      try? manager.removeItem(at: parent.appendingPathComponent(name))
    }
    let workshop = parent.appendingPathComponent("\(prefix)\(getpid())")
    defer { try? manager.removeItem(at: workshop) }
    for figure in page.figures {
      let stem = "\(page.id)-\(figure.name)"
      try AtomicFile.write(
        Data(FigureData(figure).text.utf8), to: workshop.appendingPathComponent("\(stem).dat"))
      try await Gnuplot.draw(figure, stem: stem, in: workshop)
    }
    try AtomicFile.write(
      try record.encoded(), to: workshop.appendingPathComponent("\(page.id).json"))
    for name in try manager.contentsOfDirectory(atPath: workshop.path).sorted() {
      let data = try ChapterFiles.read(workshop.appendingPathComponent(name))
      let place = folder.appendingPathComponent(name)
      // What has not changed keeps its date.
      if (try? Data(contentsOf: place)) != data { try AtomicFile.write(data, to: place) }
    }
  }
}

extension Page {
  /// What the page holds at the end of a run.
  func record(title: String, source: String) -> Record {
    let (claims, claimFaults) = judgedClaims()
    var faults = faults + claimFaults
    if checks.isEmpty { faults.append("Chapter \(id) checks nothing; give it a check.") }
    let claimsHold = isQuick || claims.allSatisfy(\.holds)
    let passed = faults.isEmpty && checks.allSatisfy(\.passed) && claimsHold
    return Record(
      chapter: id, checks: checks, claims: claims, faults: faults,
      figures: figures.map {
        Record.FigureEntry(
          name: $0.name, title: $0.title, sha256: digest(of: Data(FigureData($0).text.utf8)))
      },
      mode: isQuick ? .quick : .full, quotes: quotes, seed: seed, source: source,
      status: passed ? .passed : .failed, title: title, values: values,
      version: Record.currentVersion)
  }
}
