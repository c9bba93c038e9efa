import Digits
import Foundation
import Tensors

/// What `lab bench` does: workloads measured alone, or in turns with another library or build.
public enum Benchmark {
  /// Who takes turns with this build.
  public enum Opponent: Sendable {
    /// Nobody: it is measured alone.
    case nobody
    /// PyTorch, which does the same work.
    case pyTorch
    /// Another build of the lab.
    case build(Build)
    /// This build on one thread: the ratio is what the other threads are worth.
    case oneThread
  }

  /// What a run is asked for.
  public struct Settings: Sendable {
    /// Names of workloads; all when empty.
    public var names: [String] = []
    /// Who takes every other turn.
    public var opponent = Opponent.nobody
    /// The Python that has PyTorch.
    public var python = "python3"
    /// The folder of MNIST, whose files exist.
    public var data: URL
    /// Threads of ours and of theirs.
    public var threads: Int
    /// Turns of each side.
    public var rounds = 10
    /// Whether turns are short.
    public var isQuick = false
    /// Seconds that one of our turns takes at least.
    var turn: Double { isQuick ? 0.02 : 0.5 }

    /// The workloads that are measured.
    var chosen: [Workload] {
      Workload.all.filter { names.isEmpty || names.contains($0.name) }
    }

    /// Settings for data in a folder.
    public init(data: URL, threads: Int) {
      self.data = data
      self.threads = threads
    }
  }

  /// Measures; `progress` hears what is being done.
  ///
  /// - Throws: `LabError` of kind `.tool` when PyTorch is missing, or the other build is no lab;
  ///   `CancellationError`.
  public static func run(
    _ settings: Settings, _ data: MNIST, script: URL, progress: (String, Double) -> Void
  ) throws -> Report {
    if case .build(let other) = settings.opponent {
      return try compare(Build.own(), other, settings, progress: progress)
    }
    Parallel.threadCount = settings.threads
    var ceilings = Ceilings.measured(times: 3)
    var results: [(Workload, Result)] = []
    var reference: String?
    if case .oneThread = settings.opponent { reference = "the same on one thread" }
    let chosen = settings.chosen
    for (index, workload) in chosen.enumerated() {
      let measurement = Measurement(
        workload: workload, settings: settings, data: data, script: script)
      let measured = try measurement.run { fraction in
        progress(workload.name, (Double(index) + fraction) / Double(chosen.count))
      }
      results.append((workload, measured.result))
      reference = reference ?? measured.reference
    }
    // Again, because the machine may have been slower at the beginning than it is now; not between
    // two workloads, whose memory is measured and would count what these matrices leave behind.
    if chosen.count > 1 && !settings.isQuick { ceilings.raise(to: .measured(times: 3)) }
    return Report(settings, reference: reference, ceilings, results)
  }
}

extension Benchmark {
  /// The middle of some values, or of the middle two.
  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
