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
    /// How many of the kept results are computed again and held against what is kept.
    public var recheckCount = 0
    /// The part of the jobs that the run does; nil for all.
    public var part: Part?
    /// What the run runs on, and with how many threads, for its stamp.
    public var (machine, threads) = (Machine(), 1)
    /// Measures how fast the machine is, in any unit that is the same on all; nil where nobody can.
    ///
    /// The notebook knows no engine. It is asked before the run and after, for the stamp.
    public var measureSpeed: @Sendable () -> Double? = { nil }
    /// Work that takes more seconds than this leaves a result that is committed.
    var longSeconds = 60.0

    var mode: Record.Mode { isQuick ? .quick : .full }

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
  /// How many of these are of an older engine.
  public let olderResults: Int
  /// What was computed again and held against what is kept.
  public let rechecked: [Recheck]
  /// How many kept results were drawn for it; the run did not ask for those that are missing.
  public let drawnResults: Int
  /// Committed results that the run did not ask for, as paths in the package.
  public let orphans: [String]
  /// Why figures and record are missing, when they are.
  public let figureError: LabError?
  /// What the figures show, in their order.
  public let figures: [Figure]

  /// Whether checks, claims and the prose all hold, and what was computed again agrees.
  public var passed: Bool {
    record.status == .passed && findings.isEmpty && rechecked.allSatisfy(\.agrees)
  }

  /// Runs a chapter, draws its figures and writes its record.
  ///
  /// A full run with the usual seed writes into `figures/`; any other into `.lab/`, so that it
  /// never replaces what the write-up shows. Nor does a full run of the recorded code whose numbers
  /// agree with the record within their tolerances, as on another processor: prose, record and
  /// figures are of one run. All files are made in a folder beside and then moved. Without gnuplot
  /// or on a full disk nothing is written, and what the run showed is returned with the reason.
  /// Nothing of the write-up is written either where a result that was computed again parts from
  /// the one that is kept.
  /// - Throws: what the chapter throws; `PartDone` at the end of a run of one part; `LabError` when the chapter's files cannot be read, or when
  ///   a run that is none of the write-up would be written into its folder; `CancellationError`.
  public static func perform(
    _ chapter: any Chapter.Type, _ files: ChapterFiles, _ options: Options,
    output: Page.Output
  ) async throws -> Run {
    let speed = options.measureSpeed()
    let (start, memory) = (ContinuousClock.now, PeakMemory())
    let piece = memory.begin()
    let code = PackageCode(root: files.root)
    let sources = try files.sources(in: code)
    let isCompared = !options.isQuick && options.seed == defaultSeed
    let apart =
      options.output
      ?? files.root.appendingPathComponent(files.localFolder(options.mode, seed: options.seed))
    if !isCompared, files.isWriteUp(apart) {
      throw LabError(
        .input,
        "\(apart.path) leads to the write-up's figures, and only a full run with the default seed "
          + "is written there; name another folder.")
    }
    let kept = KeptResults(
      files.store(in: code, options, memory, warn: output.warning),
      recheckCount: options.recheckCount)
    let page = Page(
      id: chapter.id, seed: options.seed, isQuick: options.isQuick, dataDirectory: options.data,
      kept: kept, part: options.part, root: files.root, output: output)
    do {
      try await chapter.run(page)
      if let part = options.part { throw PartDone(part) }
    } catch var done as PartDone {
      done.passed = page.checks.allSatisfy(\.passed)
      throw done
    }
    var record = page.record(
      title: chapter.title, sources: sources.merging(page.shelf.digests) { own, _ in own },
      engine: kept.engine(code.engineDigest), jobs: kept.recordedJobs)
    let confirmsRecord =
      isCompared && options.output == nil
      && files.holdsWriteUp(confirmedBy: record, ofOneEngine: kept.olderCount == 0)
    let isBelieved = kept.rechecked.allSatisfy(\.agrees)
    let folder =
      isCompared && !confirmsRecord && isBelieved ? options.output ?? files.figures : apart
    let seconds = start.duration(to: .now) / .seconds(1)
    let stamp = RunStamp(
      date: RunStamp.now, machine: options.machine, threads: options.threads,
      seconds: (seconds * 100).rounded() / 100, keptSeconds: kept.reusedSeconds,
      restSeconds: (max(0, seconds - kept.busySeconds) * 100).rounded() / 100,
      jobSeconds: kept.jobSeconds, speed: mean(speed, options.measureSpeed()),
      peakMegabytes: [memory.end(piece), kept.peakMegabytes].compactMap { $0 }.max())
    var figureError: LabError?
    do {
      if !isBelieved, files.isWriteUp(folder) {
        throw LabError(
          .failed, "Nothing was written: a result that was computed again parts from what is kept.")
      }
      record = try await write(page, record, stamp, to: folder)
      if files.isWriteUp(folder) { try kept.commit() }
    } catch let error as LabError {
      figureError = error
    }
    let findings =
      isCompared && figureError == nil
      ? try Binding(files, record).findings(isRerun: true, figuresIn: folder) : []
    return Run(
      record: record, folder: folder, findings: findings, stamp: stamp, isCompared: isCompared,
      confirmsRecord: confirmsRecord, reusedResults: kept.reusedCount,
      olderResults: kept.olderCount, rechecked: kept.rechecked, drawnResults: kept.drawnCount,
      orphans: kept.orphans, figureError: figureError, figures: page.figures)
  }

  /// The mean of two speeds to a tenth, when both are known.
  private static func mean(_ a: Double?, _ b: Double?) -> Double? {
    guard let a, let b else { return nil }
    return ((a + b) * 5).rounded() / 10
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

extension ChapterFiles {
  /// Where a run writes that is none of the write-up's, as a path in the package.
  func localFolder(_ mode: Record.Mode, seed: UInt64) -> String {
    ".lab/\(id)-\(mode.rawValue)-\(seed)"
  }

  /// What a run of the chapter keeps its results for, and where.
  func store(
    in code: PackageCode, _ options: Run.Options, _ memory: PeakMemory = PeakMemory(),
    warn: @escaping @Sendable (String) -> Void = { _ in }
  ) -> KeptResults.Store {
    let chapterFile = source.lastPathComponent
    return KeptResults.Store(
      root: root, chapter: id, chapterFile: chapterFile,
      sources: (
        own: PackageCode.digest(code.sources(of: id, and: ["Chapters/\(chapterFile)"])),
        beside: PackageCode.digest(code.sources(of: id))
      ),
      engine: code.engineDigest, seed: options.seed, mode: options.mode, machine: options.machine,
      isFresh: options.isFresh, longSeconds: options.longSeconds,
      recorded: Set((try? storedRecord())?.jobs.map(\.name) ?? []), memory: memory,
      shares: TimeShares(), warn: warn)
  }
}

extension Page {
  /// What the page holds at the end of a run, without the digests of its pictures.
  func record(
    title: String, sources: [String: String], engine: String, jobs: [Record.Job]
  ) -> Record {
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
      jobs: jobs, mode: isQuick ? .quick : .full, quotes: quotes, seed: seed, sources: sources,
      status: passed ? .passed : .failed, title: title, values: values
    ).sealed()
  }
}
