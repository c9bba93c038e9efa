@testable import Bench
import Digits
import Files
import Foundation
import Tensors
import Testing

@Suite struct BenchTests {
  /// In a process of its own, because other tests take memory at the same time.
  @Test func theSteadyStateAsksForNoMemory() async {
    await #expect(processExitsWith: .success) {
      var settings = Benchmark.Settings(data: URL(filePath: "/nowhere"), threads: 1)
      settings.names = ["sample-cnn", "kit-cnn", "ladder-mlp", "fixmatch", "augment"]
      settings.rounds = 2
      settings.isQuick = true
      let report = try Benchmark.run(
        settings, blankData(), script: URL(filePath: "/nowhere"), progress: { _, _ in })
      precondition(report.workloads.map(\.name) == settings.names)
      for result in report.workloads {
        precondition(result.ours > 0 && result.ratio == nil)
        precondition(result.allocations == 0, "\(result.name): \(result.allocations!)")
      }
    }
  }

  /// What `lab bench --json` prints, whatever was measured.
  @Test func theReportSaysWhatItsSharesAreSharesOf() throws {
    var settings = Benchmark.Settings(data: URL(filePath: "/nowhere"), threads: 2)
    settings.names = ["mlp-1200", "augment"]
    settings.rounds = 1
    settings.isQuick = true
    let report = try Benchmark.run(
      settings, blankData(), script: URL(filePath: "/nowhere"), progress: { _, _ in })
    let json = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
    let ceilings = try #require(json["ceilings"] as? [String: Double])
    #expect(Set(ceilings.keys) == ["own", "openBLAS", "stream"])
    let peak = try #require(json["peak"] as? Double)
    #expect(peak == max(ceilings["own"]!, ceilings["openBLAS"]!) && peak > 0)
    let workloads = try #require(json["workloads"] as? [[String: Any]])
    #expect(workloads.map { $0["name"] as? String } == settings.names)
    let rate = try #require(workloads[0]["ours"] as? Double)
    let share = try #require(workloads[0]["share"] as? Double)
    #expect(abs(share / (1_596_825_600 * rate / (1e9 * peak)) - 1) < 1e-9)
    let update = try #require(workloads[0]["update"] as? Double)
    #expect(update > 0 && update < 1)
    #expect(try #require(workloads[0]["updateStream"] as? Double) > 0)
    for key in ["share", "update", "updateStream", "ratio", "theirs"] {
      #expect(workloads[1][key] == nil, "\(key) of what has none")
    }
    #expect(report.lines.contains { $0.hasPrefix("momentum's update of 10 million parameters: ") })
  }

  /// A workload that sleeps is twice as fast on two threads, and the report says so.
  @Test func scalingComparesWithOneThread() async {
    await #expect(processExitsWith: .success) {
      var settings = Benchmark.Settings(data: URL(filePath: "/nowhere"), threads: 2)
      settings.isQuick = true
      settings.rounds = 3
      settings.opponent = .oneThread
      let sleeper = Workload(name: "sleeper", summary: "", operations: 0) { _ in
        Workload.Prepared(unit: { Parallel.forEach(2) { _ in usleep(20_000) } })
      }
      let measured = try Measurement(
        workload: sleeper, settings: settings, data: blankData(),
        script: URL(filePath: "/nowhere")
      ).run { _ in }
      let ratio = measured.result.ratio!
      precondition(ratio > 1.5 && ratio < 2.5)
      precondition(measured.result.lowest! <= ratio && ratio <= measured.result.highest!)
      precondition(Parallel.threadCount == 2, "all threads are there again")
      settings.names = ["augment"]
      let report = try Benchmark.run(
        settings, blankData(), script: URL(filePath: "/nowhere"), progress: { _, _ in })
      precondition(report.reference == "the same on one thread" && report.threads == 2)
      precondition(report.workloads[0].theirs! > 0)
    }
  }

  @Test func withoutPyTorchTheToolIsMissing() {
    var settings = Benchmark.Settings(data: URL(filePath: "/nowhere"), threads: 1)
    settings.names = ["augment"]
    settings.rounds = 1
    settings.isQuick = true
    settings.opponent = .pyTorch
    settings.python = "/nowhere/python"
    #expect {
      try Benchmark.run(
        settings, blankData(), script: URL(filePath: "/nowhere"), progress: { _, _ in })
    } throws: { error in
      (error as? LabError)?.kind == .tool
    }
  }
}

/// Blank pages: what is measured does not depend on what is written there.
private func blankData() -> MNIST {
  func set(_ count: Int) -> ImageSet {
    ImageSet(
      pixels: [UInt8](repeating: 0, count: count * ImageSet.pixelsPerImage),
      labels: (0..<count).map { UInt8($0 % 10) })
  }
  return MNIST(train: set(400), test: set(100))
}
