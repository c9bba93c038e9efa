import Files
import Foundation
import Synchronization

/// Results of long work, kept on disk: an interrupted run goes on, and unchanged work is not redone.
///
/// A result belongs to its name, the chapter, the seed, the length of the run and the code that it
/// depends on (see `PackageCode`). The chapter's own file counts only when the work is written in
/// it, so that work that stands in the chapter's folder of Experiments survives a change of what the
/// chapter says about it. When only the engine below has changed, a result is used all the same, and
/// counted.
///
/// All of them are kept under `.lab/`. At the end of a run that is the write-up's, those of work
/// that took more than a minute move to `results/<id>/`, where they are committed: a clone of the
/// package shows and checks a long chapter in seconds.
public final class KeptResults: Sendable {
  /// Whether a result is committed at the end of a full run with the default seed.
  public enum Commitment: Sendable {
    /// When the work took more than a minute.
    case whenLong
    /// Whatever it took, as for one of many pieces of half a minute.
    case always
    /// Never, as for a result that is too large.
    case never
  }

  /// What a run keeps its results for, and where.
  struct Store: Sendable {
    let root: URL
    let chapter: String
    let chapterFile: String
    /// The digests of the code of work that is written in the chapter's own file, and elsewhere.
    let sources: (own: String, beside: String)
    let engine: String
    let seed: UInt64
    let mode: Record.Mode
    let machine: Machine
    let isFresh: Bool
    /// Work that took more seconds than this is committed.
    let longSeconds: Double
    /// The names of the work that the record stands on.
    let recorded: Set<String>
    let memory: PeakMemory
    let shares: TimeShares
    let warn: @Sendable (String) -> Void

    /// The folder that git ignores, as a path in the package.
    var local: String { ".lab/kept/\(chapter)-\(mode.rawValue)-\(seed)" }
    /// The folder that is committed; nil for a run that is none of the write-up.
    var committed: String? {
      mode == .full && seed == defaultSeed ? "results/\(chapter)" : nil
    }

    func url(_ path: String) -> URL { root.appendingPathComponent(path) }

    /// The kept result at a path, when it is whole and of this chapter, seed and length of run.
    func job(at path: String, isQuiet: Bool = false) -> KeptJob? {
      guard let data = try? Data(contentsOf: url(path)) else { return nil }
      guard let job = KeptJob(data) else {
        if !isQuiet { warn("\(path) is not as a run left it; its work is done again.") }
        return nil
      }
      return job.chapter == chapter && job.seed == seed && job.mode == mode ? job : nil
    }

    /// The kept result of a name and a digest of code: of this run's own work what it has kept itself.
    func find(_ name: String, _ sources: String, isNew: Bool = false) -> KeptJob? {
      for path in isNew ? paths(name).suffix(1) : paths(name)[...] {
        if let job = job(at: path), job.name == name, job.sources == sources { return job }
      }
      return nil
    }

    /// The file of a result that is there and not as a run left it.
    func damaged(_ name: String) -> Data? {
      paths(name).compactMap { try? Data(contentsOf: url($0)) }.first { KeptJob($0) == nil }
    }

    private func paths(_ name: String) -> [String] {
      [committed, local].compactMap { $0 }.map { "\($0)/\(KeptJob.fileName(name))" }
    }
  }

  /// A result that a run asked for.
  private struct Use {
    var job: KeptJob
    let commitment: Commitment
    let isReused: Bool
  }

  private struct State {
    var uses: [String: Use] = [:]
    var rechecked: [Recheck] = []
  }

  private let store: Store?
  /// The names of the results that are computed again, and compared.
  private let drawn: Set<String>
  private let isRecheck: Bool
  private let state = Mutex(State())

  /// Keeps nothing, as on a page that belongs to no package.
  init() { (store, drawn, isRecheck) = (nil, [], false) }

  /// Keeps the results of a run.
  ///
  /// - Parameter recheckCount: how many of the results that are kept are computed again.
  init(_ store: Store, recheckCount: Int = 0) {
    self.store = store
    isRecheck = recheckCount > 0
    guard isRecheck else {
      drawn = []
      return
    }
    var names: Set<String> = []
    for folder in [store.committed, store.local].compactMap({ $0 }) {
      for file in Self.files(in: store.url(folder)) {
        // Which names the run will give, nobody knows yet; those of the present code, most likely.
        if let job = store.job(at: "\(folder)/\(file)", isQuiet: true), job.isStage != true,
          [store.sources.own, store.sources.beside].contains(job.sources)
        {
          names.insert(job.name)
        }
      }
    }
    let ranked = names.map { (Recheck.rank($0, of: store.chapter, seed: store.seed), $0) }.sorted {
      $0.0 < $1.0
    }
    drawn = Set(ranked.prefix(recheckCount).map(\.1))
  }

  /// The files of kept results in a folder, sorted.
  static func files(in folder: URL) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
      .filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted()
  }

  /// The result that an earlier run of the same code left, else the one that is computed now.
  ///
  /// It may be called from several threads at once, for different names. What cannot be kept, on a
  /// full disk say, is lost to the next run and not to this one.
  /// - Parameters:
  ///   - name: unique in the chapter: it tells apart all that the chapter does with the same code.
  ///   - tolerance: how far the numbers of the result may differ, each in its own unit, when the
  ///     work is done again on another machine (see `Recheck`).
  ///   - committed: whether the result is committed.
  ///   - file: where the work is written.
  ///   - compute: the work. Its result must be the same whenever it is done.
  public func callAsFunction<Result: Codable>(
    _ name: String, tolerance: Double = 0, committed: Commitment = .whenLong,
    file: String = #filePath, _ compute: () throws -> Result
  ) rethrows -> Result {
    guard let store else { return try compute() }
    let isOwn = (file as NSString).lastPathComponent == store.chapterFile
    let sources = isOwn ? store.sources.own : store.sources.beside
    let damaged = isRecheck ? store.damaged(name) : nil
    // What a fresh run has computed is not computed again where it asks a second time.
    let isNew = state.withLock { state in
      state.uses[name].map { !$0.isReused && $0.job.sources == sources } ?? false
    }
    // Work that is done again begins with a stage that is done again.
    let isAnew = store.isFresh || isRecheck && committed == .never
    if damaged == nil, isNew || !isAnew, let kept = store.find(name, sources, isNew: isNew),
      let result = kept.decoded(as: Result.self)
    {
      guard !isNew else { return result }
      if drawn.contains(name) { try recheck(kept, tolerance: tolerance, compute) }
      note(Use(job: kept, commitment: committed, isReused: true))
      return result
    }
    var (result, job) = try job(name, sources, compute)
    if committed == .never { job?.isStage = true }
    if let job {
      if let damaged { note(damaged, against: job) }
      if let data = try? job.encoded() {
        let path = "\(store.local)/\(KeptJob.fileName(name))"
        try? AtomicFile.write(data, to: store.url(path))
      }
      note(Use(job: job, commitment: committed, isReused: false))
    }
    return result
  }

  /// Whether an earlier run, here or on another machine, has left a result of the same code.
  /// - Parameters:
  ///   - name: as the chapter names the work.
  ///   - file: where the work is written.
  public func has(_ name: String, file: String = #filePath) -> Bool {
    guard let store, !store.isFresh else { return false }
    let isOwn = (file as NSString).lastPathComponent == store.chapterFile
    return store.find(name, isOwn ? store.sources.own : store.sources.beside) != nil
  }

  /// Does the work; the job is nil where its result cannot be written as JSON.
  private func job<Result: Codable>(
    _ name: String, _ sources: String, _ compute: () throws -> Result
  ) rethrows -> (result: Result, job: KeptJob?) {
    let store = store!
    let (start, piece, share) = (
      ContinuousClock.now, store.memory.begin(), store.shares.begin()
    )
    defer {
      _ = store.memory.end(piece)
      store.shares.end(share)
    }
    let result = try compute()
    let seconds = start.duration(to: .now) / .seconds(1)
    var job = KeptJob(
      chapter: store.chapter, engine: store.engine, machine: store.machine, mode: store.mode,
      name: name, peakMegabytes: store.memory.end(piece), seconds: (seconds * 10).rounded() / 10,
      seed: store.seed, shareSeconds: (store.shares.end(share) * 10).rounded() / 10,
      sources: sources)
    do { try job.hold(result) } catch { return (result, nil) }
    return (result, job)
  }

  /// Remembers a use; a result that is too large to be committed stays on the disk alone.
  private func note(_ use: Use) {
    var use = use
    if use.commitment == .never { use.job.forgetResult() }
    state.withLock { $0.uses[use.job.name] = use }
  }

  /// Does the work of a kept result again, and compares.
  ///
  /// The same engine on the same machine gives the same bits, so that only elsewhere the tolerance
  /// counts; a last digit may still be another's, of a library say.
  private func recheck<Result: Codable>(
    _ kept: KeptJob, tolerance: Double, _ compute: () throws -> Result
  ) rethrows {
    guard let again = try job(kept.name, kept.sources, compute).job else { return }
    let isSame = kept.machine == again.machine && kept.engine == again.engine
    var (before, after) = (kept.result, again.result)
    if !isSame, Result.self is any MeasuredResult.Type,
      let pair = [kept, again].map({ $0.decoded(as: Result.self) as? any MeasuredResult })
        as? [any MeasuredResult]
    {
      let measures = pair.map { (try? KeptJob.json($0.measures)) ?? "" }
      (before, after) = (measures[0], measures[1])
    }
    let difference = ResultDifference(before, after, tolerance: isSame ? 0 : tolerance)
    note(
      Recheck(
        name: kept.name, difference: difference.difference, allowed: difference.allowed,
        place: difference.place, secondsThen: kept.seconds, secondsNow: again.seconds,
        agrees: difference.isAllowed))
  }

  /// A file that is not as a run left it is no evidence, whatever it says.
  private func note(_ damaged: Data, against again: KeptJob) {
    let kept = KeptJob(damaged, isBelieved: true)
    let difference = ResultDifference(kept?.result ?? "", again.result, tolerance: 0)
    note(
      Recheck(
        name: again.name, difference: difference.difference, allowed: 0, place: difference.place,
        secondsThen: kept?.seconds ?? 0, secondsNow: again.seconds, agrees: false))
  }

  private func note(_ recheck: Recheck) {
    state.withLock { state in
      if !state.rechecked.contains(where: { $0.name == recheck.name }) {
        state.rechecked.append(recheck)
      }
    }
  }
}

// MARK: - The end of a run

extension KeptResults {
  private var uses: [Use] { state.withLock { Array($0.uses.values) } }

  /// How many results an earlier run had left.
  public var reusedCount: Int { uses.count(where: \.isReused) }

  /// How many of them are of an older engine.
  public var olderCount: Int { uses.count { $0.job.engine != store?.engine } }

  /// How long the results that an earlier run had left took, when they were computed.
  var reusedSeconds: Double { uses.filter(\.isReused).map(\.job.seconds).reduce(0, +) }

  /// The share of the clock that each result of the run had when it was computed, by its file.
  var jobSeconds: [String: Double] {
    let seconds = uses.map {
      (KeptJob.fileName($0.job.name), $0.job.shareSeconds ?? $0.job.seconds)
    }
    return Dictionary(seconds) { first, _ in first }
  }

  /// The most memory that a process held while it computed one of them; nil where none tells.
  public var peakMegabytes: Double? { uses.compactMap(\.job.peakMegabytes).max() }

  /// The time in which results were computed.
  var busySeconds: Double { store?.shares.busySeconds ?? 0 }

  /// The files of the results that a run would take as they are.
  var reusableFiles: Set<String> {
    guard let store, !store.isFresh else { return [] }
    var files: Set<String> = []
    for folder in [store.committed, store.local].compactMap({ $0 }) {
      for file in Self.files(in: store.url(folder)) {
        if let job = store.job(at: "\(folder)/\(file)", isQuiet: true), !drawn.contains(job.name),
          [store.sources.own, store.sources.beside].contains(job.sources)
        {
          files.insert(file)
        }
      }
    }
    return files
  }

  /// The results that were computed again and compared, in the order of their names.
  var rechecked: [Recheck] { state.withLock { $0.rechecked }.sorted { $0.name < $1.name } }

  /// How many results were drawn to be computed again.
  var drawnCount: Int { drawn.count }

  /// The engine that made the run: a digest of none where results of several stand in it.
  func engine(_ present: String) -> String {
    let engines = Set(uses.map(\.job.engine)).union([present])
    return engines.count == 1 ? present : digest(of: Data(engines.sorted().joined().utf8))
  }

  /// The results that are to be committed, in the order of their names.
  private var committable: [KeptJob] {
    guard let store, let folder = store.committed else { return [] }
    return uses.filter { use in
      switch use.commitment {
      case .always: return true
      case .never: return false
      case .whenLong:
        // What is long on one machine stays committed on a faster one.
        let place = store.url("\(folder)/\(KeptJob.fileName(use.job.name))").path
        return use.job.seconds > store.longSeconds || store.recorded.contains(use.job.name)
          || FileManager.default.fileExists(atPath: place)
      }
    }.map(\.job).sorted { $0.name < $1.name }
  }

  /// What the record says of them.
  var recordedJobs: [Record.Job] {
    committable.map { Record.Job(name: $0.name, result: $0.resultDigest) }
  }

  /// Moves the results that are to be committed to where they are.
  ///
  /// One that is there already stays as it is, with its date.
  /// - Throws: `LabError` of kind `.input` when one cannot be written.
  func commit() throws(LabError) {
    guard let store, let folder = store.committed else { return }
    for job in committable {
      let name = KeptJob.fileName(job.name)
      let place = store.url("\(folder)/\(name)")
      let old = (try? Data(contentsOf: place)).flatMap { KeptJob($0) }
      let isThere =
        old?.name == job.name && old?.result == job.result && old?.sources == job.sources
        && old?.engine == job.engine
      if !isThere { try AtomicFile.write(try job.encoded(), to: place) }
      try? FileManager.default.removeItem(at: store.url("\(store.local)/\(name)"))
    }
  }

  /// The committed files that this run did not ask for, as paths in the package.
  var orphans: [String] {
    guard let store, let folder = store.committed else { return [] }
    let asked = Set(uses.map { KeptJob.fileName($0.job.name) })
    return Self.files(in: store.url(folder)).filter { !asked.contains($0) }.map {
      "\(folder)/\($0)"
    }
  }
}
