import Digits
import Foundation
import Notebook
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
    public var rounds = 9
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

  /// What one workload showed; rates are units of work a second.
  public struct Result: Codable, Sendable {
    /// The workload.
    public let name: String
    /// The median of our rate.
    public let ours: Double
    /// The median of theirs, when they took part.
    public let theirs: Double?
    /// The median of the turns' ratios, ours ÷ theirs.
    public let ratio: Double?
    /// The lowest of the turns' ratios.
    public let lowest: Double?
    /// The highest of the turns' ratios.
    public let highest: Double?
    /// Our share of the peak, 0…1, in operations that the result needs; nil where none are counted.
    public let share: Double?
    /// Our processor time of a unit of work, all threads together, in milliseconds.
    ///
    /// The least of the turns: on a machine that others use too it says more than the rate.
    public let processorMilliseconds: Double?
    /// Requests of memory from the system in a unit of work, after the first ones.
    public let allocations: Double?
    /// The peak of the process's resident memory during the workload, in megabytes.
    public let peakMegabytes: Double?
  }

  /// What a run showed.
  public struct Report: Codable, Sendable {
    /// The version of this format.
    public var version = 1
    /// The processor as the system names it.
    public let processor: String
    /// Its cores that are on line.
    public let cores: Int
    /// Threads of each side.
    public let threads: Int
    /// The kernels of our products.
    public let kernels: String
    /// The kernels that OpenBLAS has chosen for this processor.
    public let blas: String
    /// Who took every other turn: “PyTorch” and its version, or the path of another build.
    public let reference: String?
    /// Billions of floating-point operations a second in a product of 2048 × 2048 matrices.
    public let peak: Double
    /// The workloads.
    public let workloads: [Result]
  }

  /// Measures; `report` hears what is being done.
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
    let peak = peak()
    var results: [Result] = []
    var reference: String?
    let chosen = settings.chosen
    for (index, workload) in chosen.enumerated() {
      let measure = Measurement(workload, settings, data, script, peak: peak)
      let result = try measure.run { fraction in
        progress(workload.name, (Double(index) + fraction) / Double(chosen.count))
      }
      results.append(result.result)
      reference = reference ?? result.reference
    }
    return Report(
      processor: Machine().processor, cores: ProcessInfo.processInfo.activeProcessorCount,
      threads: settings.threads, kernels: Kernels.description, blas: Kernels.blas,
      reference: reference, peak: peak, workloads: results)
  }

  /// The best of some products of 2048 × 2048 matrices, in billions of operations a second.
  static func peak(side: Int = 2048) -> Double {
    var stream = RandomStream(seed: 2016, "bench", "peak")
    let (a, b) = (stream.normal([side, side]), stream.normal([side, side]))
    let best = (0..<5).map { _ in
      ContinuousClock().measure { _ = a.product(b) }.seconds
    }.min()!
    return 2e-9 * Double(side) * Double(side) * Double(side) / best
  }
}

/// One workload under measurement.
private struct Measurement {
  let workload: Workload
  let settings: Benchmark.Settings
  let data: MNIST
  let script: URL
  let peak: Double

  init(
    _ workload: Workload, _ settings: Benchmark.Settings, _ data: MNIST, _ script: URL, peak: Double
  ) {
    self.workload = workload
    self.settings = settings
    self.data = data
    self.script = script
    self.peak = peak
  }

  func run(
    _ progress: (Double) -> Void
  ) throws -> (result: Benchmark.Result, reference: String?) {
    BufferPool.empty()
    ProcessMemory.forgetPeak()
    let step = workload.prepare?(data)
    // The first units fill the pool of buffers; some more say how many a turn takes.
    var units = 1
    if let step {
      for _ in 0..<3 { step() }
      while time(units, step) < settings.turn { units *= 2 }
    }
    let reference =
      isAgainstPyTorch && step != nil
      ? try Reference(workload.name, settings, script: script) : nil
    var (ours, theirs, processor): ([Double], [Double], [Double]) = ([], [], [])
    let before = BufferPool.systemAllocations
    for round in 0..<settings.rounds {
      try Task.checkCancellation()
      let start = clock()
      ours.append(try step.map { time(units, $0) } ?? OwnProgram.secondsOfFirstEpoch(settings))
      processor.append(1000 * Double(clock() - start) / Double(CLOCKS_PER_SEC) / Double(units))
      if let reference {
        theirs.append(try reference.seconds(for: units, settings))
      } else if isAgainstPyTorch {
        // 47 batches of 64 are an epoch of 3,000 images.
        theirs.append(
          try Reference.seconds(
            ofProcess: workload.name, units: 47, settings, script: script))
      }
      progress(Double(round + 1) / Double(settings.rounds))
    }
    let allocated = BufferPool.systemAllocations - before
    let ratios = zip(theirs, ours).map { $0 / $1 }.sorted()
    let rate = Double(units) / Benchmark.median(ours)
    let result = Benchmark.Result(
      name: workload.name, ours: rate,
      theirs: theirs.isEmpty ? nil : Double(units) / Benchmark.median(theirs),
      ratio: ratios.isEmpty ? nil : Benchmark.median(ratios),
      lowest: ratios.first, highest: ratios.last,
      share: workload.operations > 0 ? workload.operations * rate / (peak * 1e9) : nil,
      processorMilliseconds: step == nil ? nil : processor.min(),
      allocations: step == nil
        ? nil : Double(allocated) / Double(units * settings.rounds),
      peakMegabytes: step == nil ? nil : ProcessMemory.peakMegabytes)
    return (result, reference.map { "PyTorch \($0.about.version)" })
  }

  private func time(_ units: Int, _ step: () -> Void) -> Double {
    ContinuousClock().measure { for _ in 0..<units { step() } }.seconds
  }

  private var isAgainstPyTorch: Bool {
    if case .pyTorch = settings.opponent { true } else { false }
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
