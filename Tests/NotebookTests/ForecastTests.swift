import Foundation
import Synchronization
import Testing

@testable import Notebook

/// A clock that a test sets.
private final class TestClock: Sendable {
  private let state = Mutex(5.0)
  func pass(_ seconds: Double) { state.withLock { $0 += seconds } }
  func read() -> Double { state.withLock { $0 } }
}

@Suite struct TimeShareTests {
  @Test func workSideBySideSharesTheClock() {
    let clock = TestClock()
    let shares = TimeShares(now: clock.read)
    clock.pass(7)
    let a = shares.begin()
    clock.pass(10)
    let b = shares.begin()
    clock.pass(20)
    #expect(shares.end(a) == 20)
    clock.pass(5)
    #expect(shares.end(b) == 15)
    #expect(shares.busySeconds == 35)
    clock.pass(100)
    #expect(shares.end(b) == 0, "it has ended")
    let c = shares.begin()
    clock.pass(1)
    #expect(shares.end(c) == 1 && shares.busySeconds == 36)
  }
}

/// A chapter of two pieces of work and some of its own, on a clock that a test sets.
private enum Timed: Chapter {
  static let id = "0.1"
  static let title = "Timed"
  @TaskLocal static var commitment = KeptResults.Commitment.always

  static func run(_ page: Page) async throws {
    let results = ["one", "two"].map { name in
      page.kept(name, committed: commitment) { name.count }
    }
    page.value("a", Double(results[0]) / 3, tolerance: 1)
    page.check("a is near 1", 1, near: 1, tolerance: 1)
    page.figure(
      Figure("line", title: "A line", panels: [Panel(marks: [.line("a", [(0, 0), (1, 1)])])]))
  }
}

@Suite struct ForecastTests {
  private func stamp(speed: Double?, date: String = "2026-01-01T00:00:00Z") -> RunStamp {
    RunStamp(
      date: date, machine: Machine(), threads: 2, seconds: 130, keptSeconds: 0, restSeconds: 30,
      jobSeconds: [KeptJob.fileName("one"): 60, KeptJob.fileName("two"): 40], speed: speed)
  }

  private func write(
    _ stamp: RunStamp, _ package: borrowing TemporaryPackage, to folder: String = "figures"
  ) throws {
    try package.write(
      String(decoding: try stamp.encoded(), as: UTF8.self), to: "\(folder)/0.1.run.json")
  }

  private func expected(
    _ package: borrowing TemporaryPackage, speed: Double,
    _ change: (inout Run.Options) -> Void = { _ in }
  ) throws -> Double? {
    var options = Run.Options()
    change(&options)
    return try package.files.expectedSeconds(
      options, speed: speed, in: PackageCode(root: package.root))
  }

  @Test func aSlowerMachineTakesLonger() throws {
    let package = try TemporaryPackage()
    #expect(try expected(package, speed: 100) == nil, "there was no run")
    try write(stamp(speed: nil), package)
    #expect(try expected(package, speed: 100) == nil, "nobody knows how fast its machine was")
    try write(stamp(speed: 100), package)
    #expect(try expected(package, speed: 100) == 130)
    #expect(try expected(package, speed: 50) == 260)
    #expect(try expected(package, speed: 0) == nil)
    #expect(
      try package.files.expectedSeconds(ofJobs: ["two", "none"], speed: 50) == [80])
  }

  @Test(arguments: [
    "{", "{}", #"{"version":1}"#, #"{"version":2,"date":7}"#,
  ])
  func aDamagedStampIsNone(_ text: String) throws {
    let package = try TemporaryPackage()
    try package.write(text, to: "figures/0.1.run.json")
    #expect(try expected(package, speed: 100) == nil)
    #expect(try package.files.storedStamp() == nil)
  }

  @Test func aStampOfTheFirstVersionIsReadAndForecastsNothing() throws {
    let package = try TemporaryPackage()
    let machine = #"{"processor":"p","system":"s","tile":"t"}"#
    try package.write(
      #"{"version":1,"date":"d","keptSeconds":0,"machine":\#(machine),"seconds":9,"threads":2}"#,
      to: "figures/0.1.run.json")
    #expect(try package.files.storedStamp()?.wholeSeconds == 9)
    #expect(try expected(package, speed: 100) == nil)
  }

  @Test func theLastRunOfItsLengthCounts() throws {
    let package = try TemporaryPackage()
    try write(stamp(speed: 100), package)
    try write(
      stamp(speed: 10, date: "2026-02-01T00:00:00Z"), package, to: ".lab/0.1-full-2016")
    #expect(try expected(package, speed: 100) == 13)
    try write(
      stamp(speed: 10, date: "2025-02-01T00:00:00Z"), package, to: ".lab/0.1-full-2016")
    #expect(try expected(package, speed: 100) == 130)
    // A quick run's time is none of a full one's.
    #expect(try expected(package, speed: 100) { $0.isQuick = true } == nil)
    try write(stamp(speed: 1), package, to: ".lab/0.1-quick-2016")
    #expect(try expected(package, speed: 1) { $0.isQuick = true } == 130)
    #expect(try expected(package, speed: 1) { ($0.isQuick, $0.seed) = (true, 7) } == 130)
  }

  @Test func whatIsKeptDoesNotCount() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    var options = Run.Options()
    options.measureSpeed = { 100 }
    let run = try await Run.perform(Timed.self, files, options, output: Page.Output())
    #expect(run.stamp.speed == 100 && files.storedStamp() == run.stamp)
    #expect(
      Set(run.stamp.jobSeconds.keys) == Set(["one", "two"].map { KeptJob.fileName($0) }))
    try write(stamp(speed: 100), package)
    #expect(try expected(package, speed: 100) == 30)
    #expect(try expected(package, speed: 100) { $0.isFresh = true } == 130)
    #expect(try expected(package, speed: 100) { $0.recheckCount = 2 } == 130)
    #expect(try expected(package, speed: 100) { $0.seed = 7 } == 130, "nothing is kept of it")
    // What was kept of other code is none.
    try package.write("let other = 1\n", to: "Chapters/0.1-zero.swift")
    try package.write("let other = 1\n", to: "Sources/Experiments/0.1/Work.swift")
    #expect(try expected(package, speed: 100) == 130)
  }

  /// A chapter may have it as a value, which a second run must repeat.
  @Test func theWholeTimeHasTheSameBitsInWhateverOrderItsPartsStand() {
    let parts = (0..<200).map { (key: "job \($0)", value: 10 / Double($0 + 3)) }
    let whole = [0, 500, 5000].map { room in
      var jobs = [String: Double](minimumCapacity: room)
      for part in room == 0 ? parts : parts.reversed() { jobs[part.key] = part.value }
      var stamp = stamp(speed: 100)
      stamp.jobSeconds = jobs
      return stamp.wholeSeconds
    }
    #expect(Set(whole).count == 1)
  }

  @Test func aCheckIsHeardOfAsSoonAsItIsMade() {
    let heard = Mutex<[String]>([])
    let page = Page(
      id: "0.1",
      output: Page.Output(
        line: { line in heard.withLock { $0.append(line) } },
        check: { check in heard.withLock { $0.append(check.name) } }))
    page.check("first", 0, atMost: 1)
    page.note("a line")
    page.check("second", 5, atMost: 1)
    page.check("second", 5, atMost: 1)
    #expect(heard.withLock { $0 } == ["first", "a line", "second"], "each once")
    page.value("run.seconds", 1)
    #expect(page.faults.count == 2)
  }
}
