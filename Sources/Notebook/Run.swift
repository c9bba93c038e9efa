import Files
import Foundation

/// One run of a chapter: what is asked for, and what came of it.
public struct Run: Sendable {
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
    /// What the run runs on, and with how many threads, for its stamp.
    public var (machine, threads) = (Machine(), 1)

    /// The options of a plain full run.
    public init() {}
  }

  /// What the run showed.
  public let record: Record
  /// Where its figures and record are.
  public let folder: URL
  /// Where the prose and the run part; empty when they were not compared.
  public let findings: [Finding]
  /// When, where and how fast it ran.
  public let stamp: RunStamp
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
  /// - Throws: what the chapter throws; `LabError` when the chapter's files cannot be read, or when
  ///   a run that is none of the write-up would be written into its folder; `CancellationError`.
  public static func perform(
    _ chapter: any Chapter.Type, _ files: ChapterFiles, _ options: Options,
    output: Page.Output
  ) async throws -> Run {
    let (start, memory) = (ContinuousClock.now, PeakMemory())
    let piece = memory.begin()
    let code = PackageCode(root: files.root)
    let sources = try files.sources(in: code)
    let isCompared = !options.isQuick && options.seed == defaultSeed
    let mode = options.isQuick ? "quick" : "full"
    let run = "\(chapter.id)-\(mode)-\(options.seed)"
    let aside = files.root.appendingPathComponent(".lab")
    let apart = options.output ?? aside.appendingPathComponent(run)
    if !isCompared, files.isWriteUp(apart) {
      throw LabError(
        .input,
        "\(apart.path) leads to the write-up's figures, and only a full run with the default seed "
          + "is written there; name another folder.")
    }
    let page = Page(
      id: chapter.id, seed: options.seed, isQuick: options.isQuick, dataDirectory: options.data,
      kept: KeptResults(
        aside.appendingPathComponent("kept/\(run)"), of: files, in: code,
        isFresh: options.isFresh),
      output: output)
    try await chapter.run(page)
    var record = page.record(title: chapter.title, sources: sources, engine: code.engineDigest)
    let confirmsRecord =
      isCompared && options.output == nil && files.holdsWriteUp(confirmedBy: record)
    let folder = isCompared && !confirmsRecord ? options.output ?? files.figures : apart
    let seconds = start.duration(to: .now) / .seconds(1)
    let stamp = RunStamp(
      date: RunStamp.now, machine: options.machine, threads: options.threads,
      seconds: (seconds * 100).rounded() / 100, keptSeconds: 0,
      peakMegabytes: memory.end(piece))
    var figureError: LabError?
    do {
      record = try await write(page, record, stamp, to: folder)
    } catch let error as LabError {
      figureError = error
    }
    let findings =
      isCompared && figureError == nil
      ? try Binding(files, record).findings(isRerun: true, figuresIn: folder) : []
    return Run(
      record: record, folder: folder, findings: findings, stamp: stamp, isCompared: isCompared,
      confirmsRecord: confirmsRecord, reusedResults: page.kept.reusedCount,
      figureError: figureError)
  }

  /// Draws the figures in a temporary folder beside and moves all files into place.
  ///
  /// - Returns: the record with the digests of its pictures.
  private static func write(
    _ page: Page, _ record: Record, _ stamp: RunStamp, to folder: URL
  ) async throws -> Record {
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
    var record = record
    for (index, figure) in page.figures.enumerated() {
      let stem = "\(page.id)-\(figure.name)"
      try AtomicFile.write(
        Data(FigureData(figure).text.utf8), to: workshop.appendingPathComponent("\(stem).dat"))
      try await Gnuplot.draw(figure, stem: stem, in: workshop)
      record.figures[index].picture = digest(
        of: try ChapterFiles.read(workshop.appendingPathComponent("\(stem).svg")))
    }
    record = record.sealed()
    let bytes = try record.encoded()
    try AtomicFile.write(bytes, to: workshop.appendingPathComponent("\(page.id).json"))
    // The record that stands there already was made when its stamp says.
    let isNew = (try? Data(contentsOf: folder.appendingPathComponent("\(page.id).json"))) != bytes
    let stampName = "\(page.id).run.json"
    if isNew || !manager.fileExists(atPath: folder.appendingPathComponent(stampName).path) {
      try AtomicFile.write(try stamp.encoded(), to: workshop.appendingPathComponent(stampName))
    }
    for name in try manager.contentsOfDirectory(atPath: workshop.path).sorted() {
      let data = try ChapterFiles.read(workshop.appendingPathComponent(name))
      let place = folder.appendingPathComponent(name)
      // What has not changed keeps its date.
      if (try? Data(contentsOf: place)) != data { try AtomicFile.write(data, to: place) }
    }
    return record
  }
}

extension Page {
  /// What the page holds at the end of a run, without the digests of its pictures.
  func record(title: String, sources: [String: String], engine: String) -> Record {
    let (claims, claimFaults) = judgedClaims()
    var faults = faults + claimFaults
    if checks.isEmpty { faults.append("Chapter \(id) checks nothing; give it a check.") }
    let claimsHold = isQuick || claims.allSatisfy(\.holds)
    let passed = faults.isEmpty && checks.allSatisfy(\.passed) && claimsHold
    return Record(
      chapter: id, checks: checks, claims: claims, engine: engine, faults: faults,
      figures: figures.map {
        Record.FigureEntry(
          name: $0.name, title: $0.title, data: digest(of: Data(FigureData($0).text.utf8)))
      },
      mode: isQuick ? .quick : .full, quotes: quotes, seed: seed, sources: sources,
      status: passed ? .passed : .failed, title: title, values: values
    ).sealed()
  }
}
