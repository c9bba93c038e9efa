import Foundation
import Notebook
import Tensors

extension Benchmark {
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
    public internal(set) var share: Double?
    /// The share of a step, 0…1, that its optimiser's update takes; nil where none is timed.
    public let update: Double?
    /// Gigabytes a second that the update moves.
    public let updateStream: Double?
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
    /// The version of this format; in the first, the peak was that of our own product.
    public var version = 2
    /// The processor as the system names it.
    public let processor: String
    /// Its cores that are on line.
    public let cores: Int
    /// Threads of each side, of ours where the other side has one.
    public let threads: Int
    /// The kernels of our products.
    public let kernels: String
    /// The kernels that OpenBLAS has chosen for this processor.
    public let blas: String
    /// Who took every other turn: “PyTorch” and its version, the path of another build, or the same
    /// work on one thread.
    public let reference: String?
    /// What the shares are shares of: billions of floating-point operations a second in a product of
    /// 2048 × 2048 matrices, the larger of ours and OpenBLAS's.
    public let peak: Double
    /// What the machine gave at most in this run.
    public let ceilings: Ceilings
    /// The workloads.
    public let workloads: [Result]

    /// A report of this process's machine and kernels.
    ///
    /// The shares are those of the highest peak of the whole run, which is known only now.
    init(
      _ settings: Settings, reference: String?, _ ceilings: Ceilings,
      _ results: [(workload: Workload, result: Result)]
    ) {
      processor = Machine().processor
      cores = ProcessInfo.processInfo.activeProcessorCount
      threads = settings.threads
      (kernels, blas) = (Kernels.description, Kernels.blas)
      self.reference = reference
      (peak, self.ceilings) = (ceilings.peak, ceilings)
      workloads = results.map { workload, result in
        var result = result
        result.share = workload.share(of: ceilings.peak, at: result.ours)
        return result
      }
    }
  }
}

extension Benchmark.Report {
  /// The report as text: what it ran on, and a table.
  public var lines: [String] {
    var lines = [
      "\(processor), \(cores) cores, \(threads) threads; products by \(kernels) (OpenBLAS: \(blas))",
      String(
        format: "sgemm 2048³: %.0f billion floating-point operations a second (OpenBLAS: %.0f)",
        ceilings.own, ceilings.openBLAS),
      String(
        format: "momentum's update of 10 million parameters: %.1f GB a second", ceilings.stream),
    ]
    if let reference { lines.append("\(reference), in turns with ours") }
    lines.append("")
    let rows = workloads.map(row)
    lines +=
      TextTable(
        header: [
          "workload", "ours/s", "theirs/s", "ratio", "spread", "of peak", "update", "allocations",
          "memory",
        ], rows: rows
      ).lines
    return lines
  }

  private func row(_ result: Benchmark.Result) -> [String] {
    var cells = [result.name, text(result.ours), result.theirs.map(text) ?? ""]
    if let ratio = result.ratio, let low = result.lowest, let high = result.highest {
      cells += [String(format: "%.2f", ratio), String(format: "%.2f – %.2f", low, high)]
    } else {
      cells += ["", ""]
    }
    cells.append(percent(result.share))
    cells.append(percent(result.update))
    cells.append(result.allocations.map { String(format: "%g", $0) } ?? "")
    cells.append(result.peakMegabytes.map { String(format: "%.0f MB", $0) } ?? "")
    return cells
  }

  private func percent(_ share: Double?) -> String {
    share.map { String(format: "%.0f %%", 100 * $0) } ?? ""
  }

  private func text(_ rate: Double) -> String {
    String(format: rate < 10 ? "%.2f" : rate < 100 ? "%.1f" : "%.0f", rate)
  }
}
