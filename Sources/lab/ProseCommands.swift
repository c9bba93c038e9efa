import ArgumentParser
import Foundation
import Notebook
import Tensors

/// `lab check`.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Verifies the prose against the records, without running anything.")

  @Argument(help: ArgumentHelp("Numbers of chapters; all when none is given.", valueName: "id"))
  var ids: [String] = []

  @OptionGroup var output: OutputOptions

  private struct Verdict: Encodable {
    let chapter, status: String
    let findings: [Finding]
    let error: String?
  }

  func run() async throws {
    let catalogue = try Catalogue()
    let console = Console(noColor: output.noColor)
    var outcome = Outcome()
    var verdicts: [Verdict] = []
    for chapter in try catalogue.chapters(ids) {
      var findings: [Finding] = []
      var failure: LabError?
      do {
        let files = try catalogue.files(chapter)
        findings = try Binding(files, files.freshRecord()).findings()
      } catch let error as LabError {
        failure = error
      }
      let isGood = findings.isEmpty && failure == nil
      if !findings.isEmpty { outcome.add(1) }
      if let failure { outcome.add(failure.kind.exitCode) }
      verdicts.append(
        Verdict(
          chapter: chapter.id, status: isGood ? "passed" : "failed", findings: findings,
          error: failure?.description))
      guard !output.json else { continue }
      print((isGood ? console.good("✓") : console.bad("✗")) + " \(chapter.id)  \(chapter.title)")
      for finding in findings { print("  \(finding.description)") }
      if let failure { print("  \(failure.description)") }
    }
    if output.json {
      struct Document: Encodable {
        let version = 1
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
    for chapter in try catalogue.chapters(ids) {
      do {
        let files = try catalogue.files(chapter)
        let changes = try Binding(files, files.freshRecord()).accept()
        results.append(Result(chapter: chapter.id, changes: changes, error: nil))
        guard !output.json else { continue }
        print(
          "\(chapter.id)  \(changes.isEmpty ? "nothing to change" : changes.count.of("change"))")
        for change in changes { print("  \(change)") }
      } catch let error as LabError {
        results.append(Result(chapter: chapter.id, changes: [], error: error.description))
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
