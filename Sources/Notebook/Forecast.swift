import Files
import Foundation

extension RunStamp {
  /// The seconds of such a run on this machine.
  ///
  /// - Parameters:
  ///   - speed: this machine's, as the stamp has that of its own.
  ///   - present: the files of the kept results that need not be computed.
  /// - Returns: nil for a stamp without a speed, which tells nothing of another machine.
  func expectedSeconds(speed: Double, without present: Set<String>) -> Double? {
    guard let own = self.speed, own > 0, own.isFinite, speed > 0 else { return nil }
    let jobs = jobSeconds.filter { !present.contains($0.key) }.map(\.value).reduce(0, +)
    let seconds = (restSeconds + jobs) * own / speed
    return seconds.isFinite ? max(0, seconds) : nil
  }

  /// The seconds of such a run where nothing is kept, on the machine that made it.
  ///
  /// The same bits each time: a dictionary has another order in each run.
  var wholeSeconds: Double { restSeconds + jobSeconds.values.sorted().reduce(0, +) }
}

extension ChapterFiles {
  /// About how many seconds a run will take on this machine, as it is now.
  ///
  /// The time of the last such run, times the speed of its machine, over this one's; work whose
  /// result is kept does not count.
  /// - Parameters:
  ///   - options: the run that is asked for.
  ///   - speed: this machine's; see `Run.Options.measureSpeed`.
  ///   - code: the package's code as it is.
  /// - Returns: nil where no run has left its time.
  public func expectedSeconds(
    _ options: Run.Options, speed: Double, in code: PackageCode
  ) -> Double? {
    guard let stamp = lastStamp(options) else { return nil }
    let kept = KeptResults(store(in: code, options), recheckCount: options.recheckCount)
    return stamp.expectedSeconds(speed: speed, without: kept.reusableFiles)
  }

  /// About how many seconds some kept results of the last full run would take to compute, on this
  /// machine: one number for each that is known.
  public func expectedSeconds(ofJobs names: [String], speed: Double) -> [Double] {
    guard let stamp = lastStamp(Run.Options()), let own = stamp.speed, speed > 0 else { return [] }
    return names.compactMap { stamp.jobSeconds[KeptJob.fileName($0)] }.map { $0 * own / speed }
  }

  /// The stamp of the last run of this length that has a speed, of the write-up or of a reader.
  private func lastStamp(_ options: Run.Options) -> RunStamp? {
    let seeds = [options.seed, defaultSeed]
    let folders =
      (options.isQuick ? [] : [figures])
      + seeds.map { root.appendingPathComponent(localFolder(options.mode, seed: $0)) }
    return folders.compactMap { RunStamp(of: id, in: $0) }.filter { $0.speed != nil }
      .max { $0.date < $1.date }
  }
}

/// A time as one says it: `1 s`, `75 s`, `3 min`, `2.5 h`.
public func roughTime(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "for ever" }
  return switch seconds {
  case ..<90: "\(max(1, Int(seconds.rounded()))) s"
  case ..<5400: "\(Int((seconds / 60).rounded())) min"
  default: String(format: "%.1f h", seconds / 3600)
  }
}
