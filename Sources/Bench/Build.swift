import Files
import Foundation
import Tensors
import Notebook

/// A build of the lab that is measured from outside: a program that runs `bench`.
///
/// Every turn is a process of its own, ours as well as theirs: so the other build may be of any
/// commit that has the command, and neither side is measured at home.
public struct Build: Sendable {
  /// Its path, as it was named.
  public let name: String
  private let program: URL

  /// The program at a path.
  ///
  /// - Throws: `LabError` of kind `.tool` when there is none.
  public init(_ path: String) throws(LabError) {
    name = path
    program = URL(fileURLWithPath: path)
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: program.path, isDirectory: &isFolder),
      !isFolder.boolValue, FileManager.default.isExecutableFile(atPath: program.path)
    else {
      throw LabError(
        .tool,
        "\(path) is no program; --against takes pytorch, or the path of another build's lab.")
    }
  }

  /// This build.
  static func own() throws(LabError) -> Build { try Build(OwnProgram.url.path) }

  /// One turn of one workload; nil when the program does not know it, as an older commit may not.
  ///
  /// - Throws: `LabError` of kind `.tool` when the program says nothing that a lab would say;
  ///   `CancellationError`.
  func turn(_ workload: String, _ settings: Benchmark.Settings) throws -> Turn? {
    let process = Process()
    process.executableURL = program
    process.arguments =
      [
        "bench", workload, "--json", "--rounds", "1", "--data", settings.data.path, "--threads",
        "\(settings.threads)",
      ] + (settings.isQuick ? ["--quick"] : [])
    process.standardInput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    let output = Pipe()
    process.standardOutput = output
    do {
      try process.run()
    } catch {
      throw failure(workload, "it does not start")
    }
    let data = try answer(of: process, output.fileHandleForReading, workload)
    if process.terminationReason == .exit, process.terminationStatus == EX_USAGE { return nil }
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
      let isSignal = process.terminationReason == .uncaughtSignal
      throw failure(
        workload, "\(isSignal ? "signal" : "exit code") \(process.terminationStatus)")
    }
    guard let report = try? JSONDecoder().decode(Answer.self, from: data),
      let found = report.workloads.first, found.name == workload, found.ours > 0
    else { throw failure(workload, "it gives no figures") }
    return Turn(
      rate: found.ours, report: try? JSONDecoder().decode(Benchmark.Report.self, from: data))
  }

  /// What one turn showed: units of work a second, and the whole report where it reads like ours.
  struct Turn {
    let rate: Double
    let report: Benchmark.Report?
  }

  /// Of a report, what any commit's has.
  private struct Answer: Decodable {
    struct Workload: Decodable {
      let name: String
      let ours: Double
    }
    let workloads: [Workload]
  }

  /// Ten minutes: twenty times what the slowest turn takes.
  private static let patience = Duration.seconds(600)
  /// A report has two kilobytes.
  private static let largestAnswer = 1 << 20

  /// What a process writes until its end.
  ///
  /// It is ended when it is no lab, and when we are interrupted.
  private func answer(
    of process: Process, _ output: FileHandle, _ workload: String
  ) throws -> Data {
    var data = Data()
    var isOpen = true
    let start = ContinuousClock.now
    do {
      while isOpen || process.isRunning {
        try Task.checkCancellation()
        if data.count > Self.largestAnswer { throw failure(workload, "it gives no figures") }
        if ContinuousClock.now - start > Self.patience {
          throw failure(workload, "it has not ended after ten minutes")
        }
        guard isOpen else {
          usleep(1000)
          continue
        }
        var state = pollfd(fd: output.fileDescriptor, events: Int16(POLLIN), revents: 0)
        if poll(&state, 1, 20) > 0 {
          let more = output.availableData
          isOpen = !more.isEmpty
          data += more
        } else {
          isOpen = process.isRunning
        }
      }
    } catch {
      // Whoever still writes finds the pipe closed, processes that this one has started too.
      try? output.close()
      process.terminate()
      usleep(100_000)
      if process.isRunning { kill(process.processIdentifier, SIGKILL) }
      process.waitUntilExit()
      throw error
    }
    return data
  }

  fileprivate func failure(_ workload: String, _ reason: String) -> LabError {
    LabError(
      .tool,
      "\(name) does not measure \(workload) as a lab does (\(reason)); build it again, or name "
        + "another build's lab.")
  }
}

extension Benchmark {
  /// Measures two builds in turns, each turn a process; whoever went first goes second next time.
  ///
  /// A workload that nobody named and that the other build does not know is measured alone.
  static func compare(
    _ ours: Build, _ theirs: Build, _ settings: Settings, progress: (String, Double) -> Void
  ) throws -> Report {
    let chosen = settings.chosen
    var results: [(Workload, Result)] = []
    var ceilings = Ceilings()
    for (index, workload) in chosen.enumerated() {
      var (our, their): ([Build.Turn], [Build.Turn]) = ([], [])
      func take(_ turns: inout [Build.Turn], _ build: Build, isOptional: Bool) throws {
        if let turn = try build.turn(workload.name, settings) {
          turns.append(turn)
        } else if !isOptional {
          throw build.failure(workload.name, "it does not know it")
        }
      }
      // The first of all has been there ever since: what does not know it is no lab.
      let isOptional = settings.names.isEmpty && index > 0
      for round in 0..<settings.rounds {
        try Task.checkCancellation()
        let takesPart = round == 0 || !their.isEmpty
        // Theirs first in the first round: what is no lab is found before we have worked.
        if round % 2 == 0 && takesPart { try take(&their, theirs, isOptional: isOptional) }
        try take(&our, ours, isOptional: false)
        if round % 2 == 1 && takesPart { try take(&their, theirs, isOptional: isOptional) }
        let fraction = Double(round + 1) / Double(settings.rounds)
        progress(workload.name, (Double(index) + fraction) / Double(chosen.count))
      }
      for report in our.compactMap(\.report) { ceilings.raise(to: report.ceilings) }
      results.append((workload, Result(workload, our, their)))
    }
    return Report(settings, reference: theirs.name, ceilings, results)
  }
}

extension Benchmark.Result {
  /// What the turns of two builds showed, but for the share of the peak.
  fileprivate init(_ workload: Workload, _ our: [Build.Turn], _ their: [Build.Turn]) {
    let ratios = zip(our, their).map { $0.rate / $1.rate }
    let own = our.compactMap { $0.report?.workloads.first }
    func median(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : Benchmark.median(values)
    }
    self.init(
      name: workload.name, ours: Benchmark.median(our.map(\.rate)),
      theirs: median(their.map(\.rate)), ratio: median(ratios), lowest: ratios.min(),
      highest: ratios.max(), update: median(own.compactMap(\.update)),
      updateStream: median(own.compactMap(\.updateStream)),
      processorMilliseconds: own.compactMap(\.processorMilliseconds).min(),
      allocations: own.compactMap(\.allocations).max(),
      peakMegabytes: own.compactMap(\.peakMegabytes).max())
  }
}
