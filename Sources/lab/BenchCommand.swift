import ArgumentParser
import Bench
import Digits
import Foundation
import Notebook
import Tensors

/// `lab bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures the engine, alone or in turns with PyTorch, another build or one thread.")

  @Argument(
    help: ArgumentHelp(
      "Workloads (\(Workload.all.map(\.name).joined(separator: ", "))); all of them if none is "
        + "named.", valueName: "name"))
  var names: [String] = []

  @Option(
    help: ArgumentHelp(
      "Takes turns with pytorch, or with another build: the path of its lab.",
      valueName: "pytorch|path"))
  var against: String?

  @Flag(help: "Takes turns with the same work on one thread: what the other threads are worth.")
  var scaling = false

  @Option(help: ArgumentHelp("The Python that has PyTorch.", valueName: "path"))
  var python: String?

  @Option(help: ArgumentHelp("Rounds, each a turn of either side.", valueName: "n"))
  var rounds: Int?

  @Flag(help: "Takes short turns, and few.")
  var quick = false

  @Option(help: ArgumentHelp("The folder of MNIST.", valueName: "dir"))
  var data: String?

  @Option(help: ArgumentHelp("Threads of each side.", valueName: "n"))
  var threads: Int?

  @Flag(help: .hidden)
  var firstEpoch = false

  @OptionGroup var output: OutputOptions

  func validate() throws {
    for name in names where !Workload.all.contains(where: { $0.name == name }) {
      throw ValidationError(
        "There is no workload \(name); there are "
          + "\(Workload.all.map(\.name).joined(separator: ", ")).")
    }
    if against == "" {
      throw ValidationError("--against takes pytorch, or the path of another build's lab.")
    }
    try requireFolderName(data, "--data")
    if scaling && against != nil {
      throw ValidationError("--scaling is a comparison of its own; leave out --against.")
    }
    if scaling && threads == 1 {
      throw ValidationError("--scaling needs two threads or more.")
    }
    if let rounds, !(1...1000).contains(rounds) {
      throw ValidationError("Between 1 and 1000 rounds, not \(rounds).")
    }
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("Between 1 and 256 threads, not \(threads).")
    }
  }

  func run() async throws {
    let opponent: Benchmark.Opponent =
      switch against {
      case nil: scaling ? .oneThread : .nobody
      case "pytorch": .pyTorch
      case let path?: .build(try Build(path))
      }
    let count = threads ?? ProcessInfo.processInfo.activeProcessorCount
    if scaling && count == 1 {
      throw UsageError(
        description: "--scaling needs two threads or more, and this machine has one core.")
    }
    let mnist = try await loadMNIST(data)
    if firstEpoch {
      Parallel.threadCount = count
      return try Workload.runFirstEpoch(mnist)
    }
    var settings = Benchmark.Settings(data: DataFolder(data).url, threads: count)
    settings.names = names
    settings.opponent = opponent
    settings.python = python ?? Self.pythonWithPyTorch()
    settings.rounds = rounds ?? (quick ? 3 : 10)
    settings.isQuick = quick
    let bar = WorkReport("Bench")
    defer { bar.end() }
    let script = try Catalogue().root.appendingPathComponent("Benchmarks/pytorch.py")
    let report = try Benchmark.run(settings, mnist, script: script) { bar.show($0, $1) }
    bar.end()
    if output.json { return try printJSON(report) }
    for line in report.lines { print(line) }
  }

  /// The environment that Benchmarks/README.md has one make, else whatever runs as `python3`.
  private static func pythonWithPyTorch() -> String {
    let cache = DataFolder().url.deletingLastPathComponent()
    let python = cache.appendingPathComponent("pytorch/bin/python").path
    return FileManager.default.isExecutableFile(atPath: python) ? python : "python3"
  }
}
