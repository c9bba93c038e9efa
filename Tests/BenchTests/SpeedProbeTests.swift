import Foundation
import Synchronization
import Testing

@testable import Bench

@Suite final class SpeedProbeTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    UUID().uuidString)

  deinit { try? FileManager.default.removeItem(at: folder) }

  private var file: URL { folder.appendingPathComponent("speed.json") }

  /// A machine whose speeds a test sets, and how often it was asked.
  private final class Clock: Sendable {
    private let state: Mutex<(speeds: [Double], count: Int)>
    init(_ speeds: [Double]) { state = Mutex((speeds, 0)) }
    var count: Int { state.withLock { $0.count } }
    func read() -> Double {
      state.withLock { state in
        state.count += 1
        return state.speeds[min(state.count, state.speeds.count) - 1]
      }
    }
  }

  private func probe(_ clock: Clock, key: String = "a machine") -> SpeedProbe {
    SpeedProbe(file: file, key: key, clock: clock.read)
  }

  @Test func aSpeedIsMeasuredOnceAndKept() {
    let clock = Clock([7, 100, 101, 999])
    #expect(probe(clock).speed() == 100, "the first was slow")
    #expect(probe(clock).speed() == 100 && clock.count == 3)
    // Another machine has its own.
    #expect(probe(clock, key: "another").speed() == 999 && clock.count == 6)
    #expect(probe(clock).speed() == 100 && clock.count == 6)
  }

  @Test func oneMeasurementOnABusyMachineIsOutvoted() {
    let clock = Clock([100, 10, 102, 104])
    for measured in [100.0, 10, 102, 104] { #expect(probe(clock).measure() == measured) }
    #expect(probe(clock).speed() == 100)
  }

  @Test(arguments: [
    "", "{", "[]", #"{"version":2,"entries":[{"key":"a machine","speeds":[7]}]}"#,
    #"{"version":1,"entries":[{"key":"a machine","speeds":[]}]}"#,
    #"{"version":1,"entries":[{"key":"a machine","speeds":[0]}]}"#,
    #"{"version":1,"entries":[{"key":"a machine","speeds":[-3]}]}"#,
    #"{"version":1,"entries":[{"key":"a machine","speeds":["fast"]}]}"#,
    #"{"version":1,"entries":[{"key":"a machine","speeds":[1e999]}]}"#,
  ])
  func aDamagedFileIsMeasuredAnew(_ text: String) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
    let clock = Clock([100])
    #expect(probe(clock).speed() == 100 && clock.count == 3)
    #expect(probe(clock).speed() == 100 && clock.count == 3, "it was mended")
  }

  @Test func aFileThatCannotBeWrittenCostsMeasurements() throws {
    try FileManager.default.createDirectory(at: file, withIntermediateDirectories: true)
    let clock = Clock([100])
    #expect(probe(clock).speed() == 100)
    #expect(probe(clock).speed() == 100 && clock.count == 6)
  }

  @Test func theFileStaysSmall() throws {
    let clock = Clock([123.4])
    for number in 0..<40 {
      for _ in 0..<20 { probe(clock, key: "machine \(number)").measure() }
    }
    let entries = probe(clock).entries()
    #expect(entries.count == SpeedProbe.mostEntries)
    #expect(entries.allSatisfy { $0.speeds.count == SpeedProbe.mostSpeeds })
    #expect(entries.first?.key == "machine 39" && entries.last?.key == "machine 32")
    #expect(try Data(contentsOf: file).count < 2000)
  }

  @Test func thisMachineHasASpeed() {
    let speed = SpeedProbe(root: folder).speed()
    #expect(speed > 0 && speed.isFinite)
    #expect(SpeedProbe(root: folder).speed() == speed)
    #expect(
      FileManager.default.fileExists(atPath: folder.appendingPathComponent(".lab/speed.json").path))
  }
}
