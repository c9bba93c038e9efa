import Files
import Foundation
@testable import Notebook
import Testing

@Suite struct FrontPageTests {
  private let record = Record(
    chapter: "0.1", checks: [], claims: [], engine: "", faults: [], figures: [], mode: .full,
    quotes: [.init(name: "kit", value: 89.88, source: "the kit")], seed: 2016, sources: [:],
    status: .passed, title: "Zero",
    values: [.init(name: "a", value: 1.25, tolerance: 9, unit: "%")])

  private func findings(_ text: String) throws -> [Finding] {
    let package = try TemporaryPackage()
    try package.write(text, to: "README.md")
    return try FrontPage(root: package.root, records: ["0.1": record]).findings()
  }

  @Test func numbersOfSeveralChaptersAreBound() throws {
    #expect(
      try findings("We reach 1.25<!--=0.1/a--> %, the kit 89.9<!--=0.1/kit-->.").isEmpty)
    // An example is held against the chapters, and not against the records.
    #expect(try findings("```markdown\nIt is 1.00<!--=a-->.\n```").isEmpty)
  }

  @Test(arguments: [
    "We reach 1.24<!--=0.1/a--> %.", "We reach 1.25<!--=0.1/b--> %.",
    "We reach 1.25<!--=0.2/a--> %.", "We reach 1.25<!--=a--> %.", "<!--wrong-->",
    "So <!--claim a < 2-->it is less.<!--/claim-->", "![Nothing](figures/0.1-nothing.svg)",
    "```markdown\nIt is 2.00<!--=a-->.\n```", "We reach 1.25<!--=0.1/a--> points.",
    "See [the licence](LICENCE).",
  ])
  func whatPartsFromTheRecordsIsFound(_ text: String) throws {
    let found = try findings("# Zero\n\n" + text)
    #expect(found.map(\.line) == [3])
  }

  /// A picture that its chapter drew once, and draws no more.
  @Test func aFigureOfNoRecordIsFound() throws {
    let package = try TemporaryPackage()
    for name in ["0.1-former", "README-run"] { try package.write("", to: "figures/\(name).svg") }
    let text = "![A](figures/README-run.svg)\n\n![A](figures/0.1-former.svg)\n"
    try package.write(text, to: "README.md")
    let found = try FrontPage(root: package.root, records: ["0.1": record]).findings()
    #expect(found.map(\.line) == [3])
  }

  @Test func theTimesOfRecordedRunsAreBound() throws {
    let package = try TemporaryPackage()
    let page = FrontPage(root: package.root, records: ["0.1": record])
    let text = "It takes 2<!--=0.1/run.minutes--> min, or 130<!--=0.1/run.seconds--> s.\n"
    try package.write(text, to: "README.md")
    #expect(try page.findings().count == 2, "nobody knows")
    func write(_ rest: Double, _ jobs: [String: Double]) throws {
      let stamp = RunStamp(
        date: RunStamp.now, machine: Machine(), threads: 2, seconds: 999, keptSeconds: 0,
        restSeconds: rest, jobSeconds: jobs)
      let json = String(decoding: try stamp.encoded(), as: UTF8.self)
      try package.write(json, to: "figures/0.1.run.json")
    }
    try write(100, ["a.json": 20, "b.json": 10])
    #expect(try page.findings() == [])
    try write(400, ["a.json": 20])
    #expect(try page.findings().count == 2)
    #expect(try page.accept().count == 2)
    #expect(
      try String(contentsOf: package.root.appendingPathComponent("README.md"), encoding: .utf8)
        == "It takes 7<!--=0.1/run.minutes--> min, or 420<!--=0.1/run.seconds--> s.\n")
    // A record that the prose may not stand on has no time either.
    #expect(try FrontPage(root: package.root, records: [:]).findings().count == 2)
  }

  @Test func acceptMendsNumbersOrNothing() throws {
    let package = try TemporaryPackage()
    let page = FrontPage(root: package.root, records: ["0.1": record])
    let place = package.root.appendingPathComponent("README.md")
    try package.write("It is 1.0<!--=0.1/a-->.\n", to: "README.md")
    #expect(try page.accept() == ["README.md:1: 1.0 → 1.2"])
    #expect(try String(contentsOf: place, encoding: .utf8) == "It is 1.2<!--=0.1/a-->.\n")
    let broken = "It is 1.0<!--=0.1/a-->, or 2<!--=0.1/b-->.\n"
    try package.write(broken, to: "README.md")
    #expect(throws: LabError.self) { try page.accept() }
    #expect(try String(contentsOf: place, encoding: .utf8) == broken)
  }
}
