import Files
import Foundation

/// The program that measures, when it is measured as a whole process.
enum OwnProgram {
  /// Where it is.
  static var url: URL {
    Bundle.main.executableURL ?? URL(fileURLWithPath: CommandLine.arguments[0])
  }

  /// The seconds of a process of this program that ends after chapter 3.1's first epoch.
  static func secondsOfFirstEpoch(_ settings: Benchmark.Settings) throws -> Double {
    let start = ContinuousClock.now
    let process = Process()
    process.executableURL = url
    process.arguments = [
      "bench", "--first-epoch", "--data", settings.data.path, "--threads", "\(settings.threads)",
    ]
    do {
      try process.run()
    } catch {
      throw LabError(.tool, "\(url.path) does not start; build it again.")
    }
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw LabError(.tool, "The process of the first epoch failed; run lab data first.")
    }
    return (ContinuousClock.now - start).seconds
  }
}
