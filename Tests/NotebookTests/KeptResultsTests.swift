import Files
import Foundation
import Synchronization
import Testing

@testable import Notebook

@Suite struct KeptResultsTests {
  private func results(_ package: borrowing TemporaryPackage, isFresh: Bool = false) throws
    -> KeptResults
  {
    var options = Run.Options()
    options.isFresh = isFresh
    return KeptResults(try package.files.store(in: PackageCode(root: package.root), options))
  }

  @Test func aFreshRunThatAsksTwiceTakesItsOwnResult() throws {
    let package = try TemporaryPackage()
    let old = try results(package)
    #expect(old("x", committed: .always) { 1 } == 1)
    try old.commit()
    let fresh = try results(package, isFresh: true)
    #expect(fresh("x", committed: .always) { 2 } == 2)
    #expect(fresh("x", committed: .always) { 3 } == 2)
  }

  @Test func aResultIsReusedUntilTheCodeItDependsOnChanges() throws {
    let package = try TemporaryPackage()
    let (own, beside) = ("0.1-zero.swift", "Work.swift")
    func result(_ name: String, _ file: String, _ value: Double, isFresh: Bool = false) throws
      -> Double
    {
      // What is no finite number survives too.
      let kept = try results(package, isFresh: isFresh)
      return kept(name, file: file) { [value, Double.nan] }[0]
    }
    for (name, file) in [("own", own), ("x", beside)] {
      #expect(try result(name, file, 1.5) == 1.5)
    }
    #expect(try result("x", beside, 2) == 1.5)
    #expect(try result("y", beside, 2) == 2)
    #expect(try result("x", beside, 3, isFresh: true) == 3)
    // The chapter's own file counts for the work that is written in it, and only for that.
    try package.write("let other = 1\n", to: "Chapters/0.1-zero.swift")
    #expect(try result("own", own, 4) == 4)
    #expect(try result("x", beside, 4) == 3)
    try package.write("let other = 1\n", to: "Sources/Experiments/0.1/Work.swift")
    #expect(try result("x", beside, 5) == 5)
    try package.write("/// Other words.\nlet other = 1\n", to: "Sources/Experiments/0.1/Work.swift")
    #expect(try result("x", beside, 6) == 5)
    // A method counts once the work names it.
    try package.write("struct Method {}\n", to: "Sources/Methods/Method.swift")
    #expect(try result("x", beside, 6) == 5)
    try package.write("let method = Method()\n", to: "Sources/Experiments/0.1/Work.swift")
    #expect(try result("x", beside, 7) == 7)
    try package.write("struct Method { var a = 1 }\n", to: "Sources/Methods/Method.swift")
    #expect(try result("x", beside, 8) == 8)
    // The engine does not, but is told.
    try package.write("let other = 1\n", to: "Sources/Tensors/Deep/Kernels.swift")
    let kept = try results(package)
    let old: [Double] = kept("x", file: beside) { [9] }
    #expect(old[0] == 8)
    #expect(kept.reusedCount == 1 && kept.olderCount == 1)
    #expect(kept.engine("now") != "now")
  }

  @Test func aFreshRunThatAsksTwiceComputesOnce() throws {
    let package = try TemporaryPackage()
    _ = try results(package)("x", committed: .never) { 1 }
    let kept = try results(package, isFresh: true)
    #expect(kept("x", committed: .never) { 2 } == 2)
    #expect(kept("x", committed: .never) { 3 } == 2)
    #expect(kept.reusedCount == 0)
    // What is lost meanwhile is computed again.
    let path = ".lab/kept/0.1-full-2016/\(KeptJob.fileName("x"))"
    try FileManager.default.removeItem(at: package.root.appendingPathComponent(path))
    #expect(kept("x", committed: .never) { 4 } == 4)
  }

  @Test func aFileThatIsNotAsARunLeftItIsComputedAgain() throws {
    let package = try TemporaryPackage()
    let alterations: [@Sendable (String) -> String] = [
      { _ in "{" }, { _ in "" }, { String($0.dropLast(9)) },
      { $0.replacingOccurrences(of: "\"result\" : 1", with: "\"result\" : 3") },
      { $0.replacingOccurrences(of: "\"seconds\" : ", with: "\"seconds\" : 1") },
      { $0.replacingOccurrences(of: "\"sources\" : \"", with: "\"sources\" : \"0") },
      { $0 + "\n" },
      { $0.replacingOccurrences(of: "\"digest\" : \"", with: "\"digest\" : \"0") },
    ]
    let path = ".lab/kept/0.1-full-2016/\(KeptJob.fileName("x"))"
    let place = package.root.appendingPathComponent(path)
    for alter in alterations {
      #expect(try results(package, isFresh: true)("x") { 1 } == 1)
      let text = String(decoding: try Data(contentsOf: place), as: UTF8.self)
      #expect(alter(text) != text)
      try package.write(alter(text), to: path)
      let warnings = Mutex<[String]>([])
      let store = try package.files.store(
        in: PackageCode(root: package.root), Run.Options(),
        warn: { line in warnings.withLock { $0.append(line) } })
      let kept = KeptResults(store)
      #expect(kept("x") { 2 } == 2)
      #expect(kept.reusedCount == 0)
      #expect(
        warnings.withLock { $0 } == ["\(path) is not as a run left it; its work is done again."])
    }
  }

  @Test func aFileIsReadWithoutItsType() throws {
    let package = try TemporaryPackage()
    struct Outcome: Codable, Equatable {
      var losses: [Float] = [0.1, 3.4e-5]
      var name = "line\nbreak \"digest\" : \"0\",\n"
      var seed = UInt64.max
      var none: Int?
    }
    #expect(try results(package)("A Job: 0.5/×2") { Outcome() } == Outcome())
    #expect(try results(package)("A Job: 0.5/×2") { Outcome(name: "other") } == Outcome())
    let folder = package.root.appendingPathComponent(".lab/kept/0.1-full-2016")
    let names = KeptResults.files(in: folder)
    #expect(names.count == 1 && names[0].hasPrefix("a-job-0.5-2-"))
    let data = try Data(contentsOf: folder.appendingPathComponent(names[0]))
    let job = try #require(KeptJob(data))
    #expect(try job.encoded() == data)
    #expect(job.name == "A Job: 0.5/×2" && job.decoded(as: Outcome.self) == Outcome())
    #expect(String(decoding: data, as: UTF8.self).split(separator: "\n").count <= 16)
  }

  @Test func namesOfFilesTellApart() {
    let names = ["", "a", "A", "a b", "a-b", "a  b", "é", "seed 1 0.5 [1, 2]", "seed 1 0.5 [1 2]"]
    #expect(Set(names.map(KeptJob.fileName)).count == names.count)
    #expect(KeptJob.fileName(String(repeating: "long ", count: 99)).utf8.count < 64)
    #expect(KeptJob.fileName("../../x").hasPrefix("..-..-x-"))
  }
}

@Suite struct ResultDifferenceTests {
  @Test(arguments: [
    ("1", "1", 0.0, true, ""), ("1", "1.5", 0.5, true, ""), ("1", "1.6", 0.5, false, ""),
    ("1", "1.0000001", 0, true, ""), ("1", "1.00001", 0, false, ""), ("0", "1e-9", 0, false, ""),
    ("[1,2]", "[1,2,3]", 9, false, ""), ("[1,2]", "[1,4]", 1, false, "[1]"),
    (#"{"a":[1,{"b":2}]}"#, #"{"a":[1,{"b":3}]}"#, 0.5, false, "a[1].b"),
    (#"{"a":1}"#, #"{"b":1}"#, 9, false, ""), (#"{"a":1}"#, #"{"a":1,"b":2}"#, 9, false, ""),
    (#""nan""#, #""nan""#, 0, true, ""), (#""nan""#, "1", 9, false, ""),
    (#"["x"]"#, #"["y"]"#, 9, false, "[0]"), ("true", "false", 9, false, ""),
    ("true", "1", 9, false, ""), ("null", "0", 9, false, ""), ("[]", "[]", 0, true, ""),
    // A time is another one each time.
    (#"{"a":1,"seconds":2}"#, #"{"a":1,"seconds":9}"#, 0, true, ""),
    (#"{"a":1,"seconds":2}"#, #"{"a":2,"seconds":2}"#, 0, false, "a"),
    // The number that exceeds its allowance counts, not the one that differs most.
    ("[1000000,1]", "[1000000.5,1.1]", 0, false, "[1]"),
  ])
  func numbersAreHeldAgainstEachOther(
    _ a: String, _ b: String, _ tolerance: Double, _ isAllowed: Bool, _ place: String
  ) {
    let difference = ResultDifference(a, b, tolerance: tolerance)
    #expect(difference.isAllowed == isAllowed, "\(difference)")
    if !isAllowed { #expect(difference.place == place) }
  }
}

/// A chapter of three pieces of work, whose results a test may set.
private enum Work: Chapter {
  static let id = "0.1"
  static let title = "Work"

  struct Settings: Sendable {
    /// By name; the value that the prose shows is the first's.
    var results = ["a job": 1.0, "another": 2.0, "a third": 3.0]
    var commitment = KeptResults.Commitment.always
    var tolerance = 0.0
  }

  @TaskLocal static var settings = Settings()
  @TaskLocal static var done = Mutex2()

  /// The names of the work that was done.
  final class Mutex2: Sendable {
    private let names = Mutex<[String]>([])
    func add(_ name: String) { names.withLock { $0.append(name) } }
    var all: [String] { names.withLock { $0.sorted() } }
  }

  static func run(_ page: Page) async throws {
    var values: [String: [Double]] = [:]
    for (name, result) in settings.results {
      values[name] = page.kept(
        name, tolerance: settings.tolerance, committed: settings.commitment
      ) {
        done.add(name)
        return [result, 10]
      }
    }
    page.value("a", values["a job"]![0], tolerance: 0.1)
    page.check("a is near 1", values["a job"]![0], near: 1, tolerance: 1)
    page.figure(
      Figure("line", title: "A line", panels: [Panel(marks: [.line("a", [(0, 0), (1, 1)])])]))
  }
}

@Suite struct JobTests {
  private func run(
    _ files: ChapterFiles, _ settings: Work.Settings = .init(),
    _ change: @Sendable (inout Run.Options) -> Void = { _ in }
  ) async throws -> (run: Run, done: [String]) {
    var options = Run.Options()
    change(&options)
    let done = Work.Mutex2()
    let run = try await Work.$settings.withValue(settings) { [options] in
      try await Work.$done.withValue(done) {
        try await Run.perform(Work.self, files, options, output: Page.Output())
      }
    }
    return (run, done.all)
  }

  private let all = ["a job", "a third", "another"]

  private func path(_ name: String) -> String { "results/0.1/\(KeptJob.fileName(name))" }

  private func text(_ package: borrowing TemporaryPackage, _ path: String) throws -> String {
    try String(contentsOf: package.root.appendingPathComponent(path), encoding: .utf8)
  }

  /// Alters the result of a committed job; a liar computes the digest anew.
  private func forge(
    _ package: borrowing TemporaryPackage, _ name: String, _ result: String, isLiar: Bool
  ) throws {
    let old = try text(package, path(name))
    if isLiar {
      var job = try #require(KeptJob(Data(old.utf8)))
      struct Raw: Encodable {
        let value: Double
        func encode(to encoder: any Encoder) throws { try [value, 10].encode(to: encoder) }
      }
      try job.hold(Raw(value: Double(result)!))
      try package.write(String(decoding: try job.encoded(), as: UTF8.self), to: path(name))
    } else {
      let line = try #require(old.firstRange(of: /"result" : \[[^,]*,/))
      try package.write(
        old.replacingCharacters(in: line, with: "\"result\" : [\(result),"), to: path(name))
    }
  }

  @Test func workThatIsCommittedIsReusedByAClone() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    let first = try await run(files)
    #expect(first.done == all && first.run.passed && first.run.reusedResults == 0)
    #expect(try files.storedRecord()?.jobs.map(\.name) == all)
    #expect(files.jobFindings() == [])
    // A clone has no folder that git ignores.
    try FileManager.default.removeItem(at: package.root.appendingPathComponent(".lab"))
    let before = try (package.record(), text(package, path("a job")))
    let second = try await run(files)
    #expect(second.done == [] && second.run.reusedResults == 3 && second.run.olderResults == 0)
    #expect(try package.record() == before.0)
    let third = try await run(files) { $0.isFresh = true }
    #expect(third.done == all)
    #expect(try text(package, path("a job")) == before.1, "the same bits keep their date")
  }

  @Test func theMemoryOfARunIsThatOfItsWorkToo() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    var job = try #require(KeptJob(Data(try text(package, path("a job")).utf8)))
    job.peakMegabytes = 1e6
    try package.write(String(decoding: try job.encoded(), as: UTF8.self), to: path("a job"))
    #expect(try await run(files).run.stamp.peakMegabytes == 1e6)
  }

  @Test func onlyLongWorkOfTheWriteUpIsCommitted() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    func committed() -> [String] {
      KeptResults.files(in: package.root.appendingPathComponent("results/0.1"))
    }
    var settings = Work.Settings()
    _ = try await run(files, settings) { $0.isQuick = true }
    _ = try await run(files, settings) { $0.seed = 7 }
    settings.commitment = .never
    _ = try await run(files, settings) { $0.longSeconds = -1 }
    settings.commitment = .whenLong
    _ = try await run(files, settings)
    #expect(committed() == [])
    #expect(try files.storedRecord()?.jobs == [])
    // What git ignores moves when it was long.
    let long = try await run(files, settings) {
      $0.longSeconds = -1
      $0.output = files.figures
    }
    #expect(long.done == [] && committed().count == 3)
    // And stays on a faster machine.
    let fast = try await run(files, settings) { $0.isFresh = true }
    #expect(fast.done == all && committed().count == 3)
    #expect(try files.storedRecord()?.jobs.count == 3)
  }

  @Test func aConfirmingRunLeavesTheResultsThatTheRecordStandsOn() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    let before = try text(package, path("a job"))
    var near = Work.Settings()
    near.results["a job"] = 1.05
    let second = try await run(files, near) { $0.isFresh = true }
    #expect(second.run.confirmsRecord)
    #expect(try text(package, path("a job")) == before)
    // One that differs takes its place, together with the record.
    near.results["a job"] = 1.3
    let third = try await run(files, near) { $0.isFresh = true }
    #expect(!third.run.confirmsRecord)
    #expect(try text(package, path("a job")) != before)
    #expect(files.jobFindings() == [])
    // A result that is missing does not stay so.
    try FileManager.default.removeItem(at: package.root.appendingPathComponent(path("another")))
    #expect(files.jobFindings().map(\.file) == [path("another")])
    near.results["a job"] = 1.35
    let fourth = try await run(files, near) { $0.isFresh = true }
    #expect(fourth.done == all && !fourth.run.confirmsRecord)
    #expect(files.jobFindings() == [])
  }

  @Test func anEditedResultIsFoundAndNotUsed() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    try forge(package, "another", "2.5", isLiar: false)
    let finding = try #require(files.jobFindings().first)
    #expect(finding.file == path("another") && finding.sentence.contains("not as a run left it"))
    // Also where the record is no help.
    try package.write("let other = 1\n", to: "Chapters/0.1-zero.swift")
    #expect(files.jobFindings() == [finding])
    // Who asks for evidence hears of it, whatever is drawn; the right number is no excuse.
    let edited = try text(package, path("another"))
    let original = edited.replacingOccurrences(of: "[2.5,", with: "[2,")
    let slower = original.replacingOccurrences(of: "\"seconds\" : ", with: "\"seconds\" : 1")
    for (text, difference) in [(edited, 0.5), (slower, 0), ("{}", .infinity)] {
      try package.write(text, to: path("another"))
      let recheck = try await run(files) { $0.recheckCount = 1 }
      #expect(recheck.done.contains("another") && !recheck.run.passed)
      let found = recheck.run.rechecked.first { $0.name == "another" }
      #expect(found?.agrees == false && found?.difference == difference)
    }
    #expect(try await run(files).done == [], "what was done again is kept aside")
    #expect(files.jobFindings() == [])
  }

  @Test func whoComputesTheDigestAnewIsFoundByTheRecordAndByDoingTheWorkAgain() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    let record = try package.record()
    try forge(package, "another", "2.001", isLiar: true)
    let findings = files.jobFindings()
    #expect(findings.map(\.file) == [path("another")])
    #expect(findings[0].sentence.contains("is not the one that the record stands on"))
    let recheck = try await run(files) { $0.recheckCount = 3 }
    #expect(recheck.done == all && !recheck.run.passed)
    #expect(recheck.run.rechecked.map(\.name) == all)
    #expect(recheck.run.rechecked.map(\.agrees) == [true, true, false])
    let parted = recheck.run.rechecked[2]
    #expect(abs(parted.difference - 0.001) < 1e-9 && parted.place == "[0]" && parted.allowed < 1e-5)
    #expect(try package.record() == record, "the write-up stays as it is")
    // On another machine, numbers may differ by what the work says.
    var settings = Work.Settings()
    settings.tolerance = 0.01
    #expect(try await !run(files, settings) { $0.recheckCount = 3 }.run.passed)
    let elsewhere = try await run(files, settings) {
      $0.recheckCount = 3
      $0.machine.tile = "another"
    }
    #expect(elsewhere.run.passed)
    try forge(package, "another", "2.02", isLiar: true)
    #expect(
      try await !run(files, settings) {
        $0.recheckCount = 3
        $0.machine.tile = "another"
      }.run.passed)
  }

  @Test func theSeedDrawsWhatIsDoneAgain() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    var draws: Set<[String]> = []
    for seed in [defaultSeed, 1, 2, 3, 4, 5, 6] as [UInt64] {
      _ = try await run(files) { $0.seed = seed }
      let one = try await run(files) {
        $0.seed = seed
        $0.recheckCount = 1
      }
      #expect(one.done.count == 1 && one.run.drawnResults == 1)
      #expect(one.run.rechecked.map(\.name) == one.done && one.run.rechecked[0].difference == 0)
      #expect(
        try await run(files) {
          $0.seed = seed
          $0.recheckCount = 1
        }.done == one.done)
      draws.insert(one.done)
      let two = try await run(files) {
        $0.seed = seed
        $0.recheckCount = 2
      }
      #expect(two.done.count == 2 && Set(two.done).isSuperset(of: one.done))
    }
    #expect(draws.count > 1)
    // Without anything kept, everything is done once.
    try FileManager.default.removeItem(at: package.root.appendingPathComponent("results"))
    let none = try await run(files) { $0.recheckCount = 2 }
    #expect(none.done == all && none.run.rechecked == [] && none.run.drawnResults == 0)
  }

  @Test func aResultThatNobodyAsksForIsReported() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    var fewer = Work.Settings()
    fewer.results["another"] = nil
    let second = try await run(files, fewer)
    #expect(second.run.orphans == [path("another")])
    _ = try await run(files, fewer) { $0.output = files.figures }
    #expect(
      files.jobFindings().map(\.sentence) == [
        "the record does not stand on the result “another”; remove it, or run: swift run lab "
          + "chapter 0.1"
      ])
    try FileManager.default.copyItem(
      at: package.root.appendingPathComponent(path("another")),
      to: package.root.appendingPathComponent("results/0.1/copy.json"))
    try FileManager.default.removeItem(at: package.root.appendingPathComponent(path("another")))
    #expect(files.jobFindings().map(\.file) == ["results/0.1/copy.json"])
    #expect(files.jobFindings()[0].sentence.hasPrefix("this is no result of a full run"))
  }

  @Test func anOlderEngineIsUsedAndSaid() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    try package.write("let other = 1\n", to: "Sources/Lanes/Kernels.swift")
    #expect(try files.state() == .olderEngine)
    let record = try package.record()
    let second = try await run(files)
    #expect(second.done == [] && second.run.olderResults == 3 && second.run.passed)
    #expect(try files.state() == .olderEngine)
    #expect(try package.record() == record, "a run that stands on older results confirms")
    // Nor does a record that is made anew from them pass for one of the present engine.
    try package.write("let other = 1\n", to: "Chapters/0.1-zero.swift")
    #expect(try files.state() == .stale)
    #expect(try await run(files).run.olderResults == 3)
    #expect(try files.state() == .olderEngine)
    #expect(try await run(files) { $0.isFresh = true }.done == all)
    #expect(try files.state() == .fresh)
    // A committed result that another engine made shows, though the record does not tell.
    var job = try #require(KeptJob(Data(try text(package, path("another")).utf8)))
    job.engine = "older"
    try package.write(String(decoding: try job.encoded(), as: UTF8.self), to: path("another"))
    #expect(try files.state() == .olderEngine)
  }

  @Test func resultsOfOtherCodeAreFound() async throws {
    let package = try TemporaryPackage()
    let files = try package.files
    _ = try await run(files)
    var job = try #require(KeptJob(Data(try text(package, path("another")).utf8)))
    job.sources = "other"
    try package.write(String(decoding: try job.encoded(), as: UTF8.self), to: path("another"))
    #expect(
      files.jobFindings().map(\.sentence) == [
        "the result “another” is of other code than the present; run: swift run lab chapter 0.1"
      ])
    #expect(try await run(files).done == ["another"])
    #expect(files.jobFindings() == [])
  }
}
