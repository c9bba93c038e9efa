import Foundation
import Notebook

extension Benchmark.Report {
  /// The report as text: what it ran on, and a table.
  public var lines: [String] {
    var lines = [
      "\(processor), \(cores) cores, \(threads) threads; products by \(kernels) (OpenBLAS: \(blas))",
      String(
        format: "sgemm 2048³: %.0f billion floating-point operations a second", peak),
    ]
    if let reference { lines.append("\(reference), in turns with ours") }
    lines.append("")
    let rows = workloads.map(row)
    lines +=
      TextTable(
        header: [
          "workload", "ours/s", "theirs/s", "ratio", "spread", "of peak", "allocations", "memory",
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
    cells.append(result.share.map { String(format: "%.0f %%", 100 * $0) } ?? "")
    cells.append(result.allocations.map { String(format: "%g", $0) } ?? "")
    cells.append(result.peakMegabytes.map { String(format: "%.0f MB", $0) } ?? "")
    return cells
  }

  private func text(_ rate: Double) -> String {
    String(format: rate < 10 ? "%.2f" : rate < 100 ? "%.1f" : "%.0f", rate)
  }
}
