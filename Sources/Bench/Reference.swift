import Files
import Foundation

/// A process that does the same work in PyTorch, a turn at a time.
///
/// It waits for its turn without computing, as we do during its.
final class Reference {
  /// What runs the work: the version of PyTorch and the threads that it uses.
  struct About: Decodable {
    let version: String
    let threads: Int
  }

  let about: About
  private let process: Process
  private let input: FileHandle
  private let output: FileHandle
  private var unread = Data()

  /// Starts the process and waits until it is warm.
  init(_ workload: String, _ settings: Benchmark.Settings, script: URL) throws {
    let (process, output) = try Self.start(workload, settings, script: script, steps: nil)
    (self.process, self.output) = (process, output)
    input = (process.standardInput as! Pipe).fileHandleForWriting
    guard let line = Self.line(from: output, &unread),
      let about = try? JSONDecoder().decode(About.self, from: Data(line.utf8))
    else {
      process.terminate()
      throw Self.failure(settings)
    }
    self.about = about
  }

  deinit {
    try? input.close()
    process.terminate()
  }

  /// The seconds that some units of work took.
  func seconds(for units: Int, _ settings: Benchmark.Settings) throws -> Double {
    do {
      try input.write(contentsOf: Data("\(units)\n".utf8))
    } catch {
      throw Self.failure(settings)
    }
    guard let line = Self.line(from: output, &unread), let seconds = Double(line) else {
      throw Self.failure(settings)
    }
    return seconds
  }

  /// The seconds of a process that does some units of work and ends.
  static func seconds(
    ofProcess workload: String, units: Int, _ settings: Benchmark.Settings, script: URL
  ) throws -> Double {
    let start = ContinuousClock.now
    let (process, _) = try Self.start(workload, settings, script: script, steps: units)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw failure(settings) }
    return (ContinuousClock.now - start).seconds
  }

  private static func start(
    _ workload: String, _ settings: Benchmark.Settings, script: URL, steps: Int?
  ) throws -> (Process, FileHandle) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [
        settings.python, script.path, workload, "--data", settings.data.path, "--threads",
        "\(settings.threads)",
      ] + (steps.map { ["--steps", "\($0)"] } ?? [])
    // Settings for our BLAS are none of its business.
    process.environment = ProcessInfo.processInfo.environment.filter {
      !$0.key.hasPrefix("OPENBLAS_") && !$0.key.hasPrefix("OMP_") && !$0.key.hasPrefix("MKL_")
    }
    process.standardInput = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    do {
      try process.run()
    } catch {
      throw failure(settings)
    }
    return (process, output.fileHandleForReading)
  }

  private static func failure(_ settings: Benchmark.Settings) -> LabError {
    LabError(
      .tool,
      "PyTorch does not run with \(settings.python); install it as Benchmarks/README.md says, or "
        + "name another Python with --python.")
  }

  private static func line(from file: FileHandle, _ unread: inout Data) -> String? {
    while true {
      if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
        let line = String(decoding: unread[..<end], as: UTF8.self)
        unread = Data(unread[(end + 1)...])
        return line
      }
      let more = file.availableData
      if more.isEmpty { return nil }
      unread += more
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    Double(components.seconds) + 1e-18 * Double(components.attoseconds)
  }
}
