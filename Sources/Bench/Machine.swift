import Files
import Foundation
import Tensors

/// What the system says of the machine and of this process.
enum Machine {
  /// The processor as the system names it.
  static var processor: String {
    field("model name", of: "/proc/cpuinfo") ?? ProcessInfo.processInfo.hostArchitecture
  }

  /// The kernels that our products run on.
  static var kernels: String { Kernels.description }

  /// The kernels that OpenBLAS has chosen.
  static var blas: String { Kernels.blas }

  /// The most memory that was resident since `forgetPeak`, in megabytes; nil where none is told.
  static var peakMegabytes: Double? {
    field("VmHWM", of: "/proc/self/status").flatMap { Double($0.prefix { $0 != " " }) }
      .map { $0 / 1024 }
  }

  /// Counts the peak from now on.
  static func forgetPeak() { try? Data("5".utf8).write(to: URL(filePath: "/proc/self/clear_refs")) }

  private static func field(_ name: String, of file: String) -> String? {
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
  }

  /// This program.
  static var program: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }

  /// The seconds of a process of this program that ends after chapter 3.1's first epoch.
  static func secondsOfFirstEpoch(_ settings: Bench.Settings) throws -> Double {
    let start = ContinuousClock.now
    let process = Process()
    process.executableURL = program
    process.arguments = [
      "bench", "--first-epoch", "--data", settings.data.path, "--threads", "\(settings.threads)",
    ]
    do {
      try process.run()
    } catch {
      throw LabError(.tool, "\(program.path) does not start; build it again.")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw LabError(.tool, "The process of the first epoch failed; run lab data first.")
    }
    return (ContinuousClock.now - start).seconds
  }
}

extension ProcessInfo {
  /// The kind of processor that this was built for.
  fileprivate var hostArchitecture: String {
    #if arch(arm64)
      "arm64"
    #elseif arch(x86_64)
      "x86-64"
    #else
      "unknown processor"
    #endif
  }
}
