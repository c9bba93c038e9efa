import Bench
import Digits
import Files
import Foundation
import Testing

@Suite struct BenchTests {
  /// In a process of its own, because other tests take memory at the same time.
  @Test func theSteadyStateAsksForNoMemory() async {
    await #expect(processExitsWith: .success) {
      var settings = Benchmark.Settings(data: URL(filePath: "/nowhere"), threads: 1)
      settings.names = ["sample-cnn", "kit-cnn", "ladder-mlp", "augment"]
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
