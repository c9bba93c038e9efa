import Digits
import Foundation
import Notebook
import Tensors

/// One workload under measurement, in turns with PyTorch, with itself on one thread, or alone.
struct Measurement {
  let workload: Workload
  let settings: Benchmark.Settings
  let data: MNIST
  let script: URL

  /// What a workload showed but for its share of the peak, and who took the other turns.
  func run(
    _ progress: (Double) -> Void
  ) throws -> (result: Benchmark.Result, reference: String?) {
    // First, because it may be missing.
    let reference =
      isAgainstPyTorch && workload.prepare != nil
      ? try Reference(workload.name, settings, script: script) : nil
    BufferPool.empty()
    ProcessMemory.forgetPeak()
    let work = workload.prepare?(data)
    // The first units fill the pool of buffers; some more say how many a turn takes.
    var units = 1
    if let work {
      for _ in 0..<3 { work.unit() }
      while time(units, work) < settings.turn { units *= 2 }
    }
    var (ours, theirs): ([Double], [Double]) = ([], [])
    var (processor, updates, streams): ([Double], [Double], [Double]) = ([], [], [])
    let before = BufferPool.systemAllocations
    for round in 0..<settings.rounds {
      try Task.checkCancellation()
      work?.update?.forget()
      let start = clock()
      let own = try work.map { time(units, $0) } ?? OwnProgram.secondsOfFirstEpoch(settings)
      processor.append(1000 * Double(clock() - start) / Double(CLOCKS_PER_SEC) / Double(units))
      ours.append(own)
      if let update = work?.update {
        updates.append(update.seconds / own)
        streams.append(update.gigabytesPerSecond ?? 0)
      }
      if let turn = try theirTurn(units, work, reference) { theirs.append(turn) }
      progress(Double(round + 1) / Double(settings.rounds))
    }
    let allocated = BufferPool.systemAllocations - before
    let ratios = zip(theirs, ours).map { $0 / $1 }
    let result = Benchmark.Result(
      name: workload.name, ours: Double(units) / Benchmark.median(ours),
      theirs: theirs.isEmpty ? nil : Double(units) / Benchmark.median(theirs),
      ratio: ratios.isEmpty ? nil : Benchmark.median(ratios),
      lowest: ratios.min(), highest: ratios.max(),
      update: updates.isEmpty ? nil : Benchmark.median(updates),
      updateStream: streams.isEmpty ? nil : Benchmark.median(streams),
      processorMilliseconds: work == nil ? nil : processor.min(),
      allocations: work == nil ? nil : Double(allocated) / Double(units * settings.rounds),
      peakMegabytes: work == nil ? nil : ProcessMemory.peakMegabytes)
    return (result, reference.map { "PyTorch \($0.about.version)" })
  }

  /// The seconds that the other side takes for as much work; nil when there is none.
  private func theirTurn(
    _ units: Int, _ work: Workload.Prepared?, _ reference: Reference?
  ) throws -> Double? {
    switch settings.opponent {
    case .nobody, .build:
      return nil
    case .pyTorch:
      // 47 batches of 64 are an epoch of 3,000 images.
      return try reference?.seconds(for: units, settings)
        ?? Reference.seconds(ofProcess: workload.name, units: 47, settings, script: script)
    case .oneThread:
      guard let work else {
        var alone = settings
        alone.threads = 1
        return try OwnProgram.secondsOfFirstEpoch(alone)
      }
      Parallel.threadCount = 1
      let seconds = time(units, work)
      Parallel.threadCount = settings.threads
      // The new threads have their first work outside of what is timed.
      work.unit()
      return seconds
    }
  }

  private func time(_ units: Int, _ work: Workload.Prepared) -> Double {
    ContinuousClock().measure { for _ in 0..<units { work.unit() } }.seconds
  }

  private var isAgainstPyTorch: Bool {
    if case .pyTorch = settings.opponent { true } else { false }
  }
}
