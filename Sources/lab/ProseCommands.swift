import ArgumentParser
import Chapters
import Files
import Foundation
import Notebook

/// A text whose numbers are bound to records: a chapter, or the README.
struct BoundText {
  /// What stands for it on a line: a chapter's number, or `README`.
  let name: String
  let title: String
  /// Whether its record is of an older engine.
  let isOfOlderEngine: () -> Bool
  /// What is wrong with the results that it stands on.
  let evidence: () throws -> [Finding]
  let findings: () throws -> [Finding]
  let accept: () throws -> [String]
  /// How many of its numbers are bound and fixed.
  let counts: () throws -> NumberCounts
  /// Numbers with more digits than are known.
  let warnings: () throws -> [Finding]
}

extension BoundText {
  /// Whether `lab check` finds nothing wrong with it.
  func agrees() throws -> Bool {
    do {
      let findings = try evidence() + findings()
      _ = (try warnings(), try counts())
      return findings.isEmpty
    } catch is LabError {
      return false
    }
  }
}

extension Catalogue {
  /// The texts of some chapters; of all chapters, and the README, when none is named.
  func texts(_ ids: [String]) throws -> [BoundText] {
    let code = code()
    var texts = try chapters(ids).map { chapter in
      BoundText(name: chapter.id, title: chapter.title) {
        (try? files(chapter).state(in: code)) == .olderEngine
      } evidence: {
        try files(chapter).jobFindings(in: code)
      } findings: {
        let files = try files(chapter)
        return try Binding(files, files.freshRecord(in: code)).findings()
      } accept: {
        let files = try files(chapter)
        return try Binding(files, files.freshRecord(in: code)).accept()
      } counts: {
        try files(chapter).counts()
      } warnings: {
        let files = try files(chapter)
        return try Binding(files, files.freshRecord(in: code)).warnings()
      }
    }
    if ids.isEmpty || ids.contains("all") {
      func page() -> FrontPage {
        // A chapter without a fresh record says so on its own line.
        let records = allChapters.compactMap { chapter in
          (try? files(chapter).freshRecord(in: code)).map { (chapter.id, $0) }
        }
        return FrontPage(root: root, records: Dictionary(uniqueKeysWithValues: records))
      }
      texts.append(
        BoundText(name: "README", title: "The front page") {
          false
        } evidence: {
          []
        } findings: {
          try page().findings()
        } accept: {
          try page().accept()
        } counts: {
          try page().counts()
        } warnings: {
          try page().warnings()
        })
    }
    return texts
  }
}

/// `lab check`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Verifies the prose against the records, without running anything.")

  @Argument(help: ArgumentHelp("Numbers of chapters; all when none is given.", valueName: "id"))
  var ids: [String] = []

  @Flag(help: "Fail on records of an older engine too.")
  var strict = false

  @OptionGroup var output: OutputOptions

  private struct Verdict: Encodable {
    let chapter, status: String
    let engine: String
    let findings: [Finding]
    let error: String?
    let numbers: NumberCounts?
    let warnings: [Finding]
  }

  func run() async throws {
    let catalogue = try Catalogue()
    let console = Console(noColor: output.noColor)
    var outcome = Outcome()
    var verdicts: [Verdict] = []
    for text in try catalogue.texts(ids) {
      try Task.checkCancellation()
      var findings: [Finding] = []
      var warnings: [Finding] = []
      var counts: NumberCounts?
      var failure: LabError?
      do {
        findings = try text.evidence()
        findings += try text.findings()
        warnings = try text.warnings()
        counts = try text.counts()
      } catch let error as LabError {
        failure = error
      }
      let isOlder = text.isOfOlderEngine()
      let isGood = findings.isEmpty && failure == nil && !(strict && isOlder)
      if strict && isOlder { outcome.add(1) }
      if !findings.isEmpty { outcome.add(1) }
      if let failure { outcome.add(failure.kind.exitCode) }
      verdicts.append(
        Verdict(
          chapter: text.name, status: isGood ? "passed" : "failed",
          engine: isOlder ? "older" : "current", findings: findings, error: failure?.description,
          numbers: counts, warnings: warnings))
      guard !output.json else { continue }
      let numbers = counts.map { "  (\($0.bound) numbers bound, \($0.fixed) fixed)" } ?? ""
      print(
        (isGood ? console.good("✓") : console.bad("✗")) + " \(text.name)  \(text.title)\(numbers)")
      for finding in findings { print("  \(finding.description)") }
      if let first = warnings.first {
        let others = (warnings.count - 1).of("other")
        let more = warnings.count == 1 ? "" : " (and \(others); --json has them all)"
        print("  warning: \(first.description)\(more)")
      }
      if let failure { print("  \(failure.description)") }
      if isOlder {
        print(
          "  Chapter \(text.name)'s record was made by an older engine; to make it anew, run: "
            + "swift run lab chapter \(text.name) --fresh")
      }
    }
    if output.json {
      struct Document: Encodable {
        let version = 2
        let chapters: [Verdict]
      }
      try printJSON(Document(chapters: verdicts))
    }
    if outcome.code != 0 { throw ExitCode(outcome.code) }
  }
}

/// `lab accept`.
struct AcceptCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accept",
    abstract: "Writes the numbers and excerpts of the last full run into the prose.")

  @Argument(help: ArgumentHelp("Numbers of chapters; all when none is given.", valueName: "id"))
  var ids: [String] = []

  @OptionGroup var output: OutputOptions

  private struct Result: Encodable {
    let chapter: String
    let changes: [String]
    let error: String?
  }

  func run() async throws {
    let catalogue = try Catalogue()
    var outcome = Outcome()
    var results: [Result] = []
    for text in try catalogue.texts(ids) {
      try Task.checkCancellation()
      do {
        let changes = try text.accept()
        results.append(Result(chapter: text.name, changes: changes, error: nil))
        guard !output.json else { continue }
        print(
          "\(text.name)  \(changes.isEmpty ? "nothing to change" : changes.count.of("change"))")
        for change in changes { print("  \(change)") }
      } catch let error as LabError {
        results.append(Result(chapter: text.name, changes: [], error: error.description))
        outcome.add(error.kind.exitCode)
        if !output.json { Console.complain(error.description) }
      }
    }
    if output.json {
      struct Document: Encodable {
        let version = 1
        let chapters: [Result]
      }
      try printJSON(Document(chapters: results))
    }
    if outcome.code != 0 { throw ExitCode(outcome.code) }
  }
}
