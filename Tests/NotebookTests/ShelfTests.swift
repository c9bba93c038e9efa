import Files
import Foundation
import Testing

@testable import Notebook

/// A chapter that reads what chapter 0.1 has shown.
private enum Comparison: Chapter {
  static let id = "0.2"
  static let title = "Comparison"

  static func run(_ page: Page) async throws {
    let a = try page.value("zero", ofChapter: "0.1", "a")
    try page.deviation("zero.deviation", ofChapter: "0.1", "a", unit: "points")
    try page.value("zero.minutes", ofChapter: "0.1", "run.minutes")
    page.value("lines", Double(try page.lineCount(of: "Experiments/0.1/Work.swift")))
    page.check("what the page gets is what the record has", a, near: 1.25, tolerance: 0)
  }
}

@Suite struct ShelfTests {
  /// A package with a record of chapter 0.1, whose value a is given.
  private func prepare(_ package: borrowing TemporaryPackage, a: Double = 1.25) async throws {
    let one = package.root.appendingPathComponent("figures/0.1.json")
    let page = Page(id: "0.1")
    page.value("a", a, deviation: 0.125, tolerance: 0.5, unit: "%")
    page.check("nothing", 0, atMost: 0)
    let record = page.record(title: "Zero", sources: [:], engine: "", jobs: [])
    try FileManager.default.createDirectory(
      at: one.deletingLastPathComponent(), withIntermediateDirectories: true)
    try record.encoded().write(to: one)
    try package.write(
      """
      {"version": 2, "date": "2026-01-01T00:00:00Z", "threads": 1, "seconds": 90, "keptSeconds": 0,
       "restSeconds": 90, "jobSeconds": {}, "machine": {"processor": "", "system": "", "tile": ""}}
      """, to: "figures/0.1.run.json")
    try package.write("# Two\n\n2<!--=lines-->\n", to: "Chapters/0.2-two.md")
    try package.write("// The chapter's code.\n", to: "Chapters/0.2-two.swift")
    try package.write(
      "import Files\n\n/// A comment.\n// Another.\n  let a = 1  // with a word\n",
      to: "Sources/Experiments/0.1/Work.swift")
  }

  @Test func aChapterReadsWhatAnotherHasShown() async throws {
    let package = try TemporaryPackage()
    try await prepare(package)
    let files = try ChapterFiles(root: package.root, id: "0.2")
    let run = try await Run.perform(Comparison.self, files, Run.Options(), output: Page.Output())
    #expect(run.record.status == .passed)
    let zero = try #require(run.record.values.first { $0.name == "zero" })
    #expect(zero.value == 1.25 && zero.deviation == 0.125 && zero.tolerance == 0.5)
    #expect(zero.unit == "%")
    let deviation = try #require(run.record.values.first { $0.name == "zero.deviation" })
    #expect(deviation.value == 0.125 && deviation.deviation == nil && deviation.unit == "points")
    #expect(run.record.number(named: "zero.minutes") == 1.5)
    #expect(run.record.number(named: "lines") == 2)
    #expect(try files.state() == .fresh)
  }

  @Test func aNewRecordOfTheOtherOrItsCodeMakesTheChapterStale() async throws {
    let package = try TemporaryPackage()
    try await prepare(package)
    let files = try ChapterFiles(root: package.root, id: "0.2")
    _ = try await Run.perform(Comparison.self, files, Run.Options(), output: Page.Output())
    try await prepare(package, a: 1.5)
    #expect(
      throws: LabError(
        .failed,
        "figures/0.1.json has changed since the record of chapter 0.2; run: swift run lab chapter 0.2"
      )
    ) { try files.freshRecord() }
    try await prepare(package)
    #expect(try files.state() == .fresh)
    try package.write(
      "import Files\n/// A new comment.\nlet a = 1\n", to: "Sources/Experiments/0.1/Work.swift")
    #expect(try files.state() == .fresh)
    try package.write("let b = 2\n", to: "Sources/Experiments/0.1/Work.swift")
    #expect(try files.state() == .stale)
    try FileManager.default.removeItem(at: package.root.appendingPathComponent("figures/0.1.json"))
    #expect(try files.state() == .stale)
  }

  @Test func whatIsNotThereIsSaidInOneSentence() async throws {
    let package = try TemporaryPackage()
    try await prepare(package)
    let page = Page(id: "0.2", root: package.root)
    #expect(
      throws: LabError(
        .failed,
        "The record of chapter 0.1 has no b; name one of its values.")
    ) { try page.value("b", ofChapter: "0.1", "b") }
    #expect(
      throws: LabError(
        .failed,
        "Chapter 0.3 has no record; run: swift run lab chapter 0.3")
    ) { try page.value("b", ofChapter: "0.3", "b") }
    #expect(
      throws: LabError(.failed, "The value run.minutes of chapter 0.1 has no deviation.")
    ) { try page.deviation("b", ofChapter: "0.1", "run.minutes", unit: "") }
    #expect(throws: LabError.self) { try Page(id: "0.2").value("b", ofChapter: "0.1", "a") }
    #expect(throws: LabError.self) { try page.lineCount(of: "Methods/None.swift") }
  }
}
