import Foundation
import Notebook
import Synchronization

/// What `lab chapter` prints of a run: checks and lines as they come, the rest at its end.
struct RunReport: Sendable {
  /// What stands last on stdout.
  private enum Last { case title, check, line }

  private let console: Console
  private let nameWidth: Int
  private let feed = Feed()

  /// The part of a report that changes while a run is under way.
  private final class Feed: Sendable {
    let state = Mutex((last: Last.title, hasChecks: false))
  }

  /// A report.
  ///
  /// - Parameter longestCheck: the length of the longest name among the checks, as the last run had
  ///   them: a check is printed before the next is known.
  init(_ console: Console, longestCheck: Int? = nil) {
    self.console = console
    nameWidth = min(max(longestCheck ?? 0, 32), 76)
  }

  func begin(_ chapter: any Chapter.Type, _ isQuick: Bool) {
    print(console.bold("\(chapter.id)  \(chapter.title)") + (isQuick ? "  QUICK" : ""))
    print()
    Console.flush()
  }

  /// Prints a check that was made.
  func show(_ check: Check) {
    feed.state.withLock { state in
      if state.last == .line { print() }
      if !state.hasChecks { print(console.bold("Checks")) }
      state = (.check, true)
      func padding(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count))
      }
      let measured = Self.number(check.measured)
      print(
        "\(mark(check.passed)) \(check.name)\(padding(check.name, nameWidth))"
          + "  \(padding(measured, 9))\(measured)  \(Self.bound(check))")
      // Now, also into a pipe: the reader is not to wait for the end of a training.
      Console.flush()
    }
  }

  /// Prints a line that the chapter writes.
  func show(_ line: String) {
    feed.state.withLock { state in
      if state.last == .check { print() }
      state.last = .line
      print(line)
      Console.flush()
    }
  }

  /// Prints the rest of a run.
  ///
  /// - Parameter fault: what makes it fail though it has passed, as the last words of the last line.
  func end(_ run: Run, fault: String? = nil) {
    let record = run.record
    if feed.state.withLock({ $0.last }) != .title { print() }
    section(
      "Values",
      record.values.map { value in
        [
          "  " + value.name,
          Self.number(value.value) + (value.unit.isEmpty ? "" : " " + value.unit),
        ]
      })
    section(
      "Claims",
      record.claims.map { claim in
        let isJudged = record.mode == .full
        return [
          (isJudged ? mark(claim.holds) : "·") + " " + claim.sentence
            + console.faint(isJudged ? "" : " (not judged in a quick run)")
        ]
      })
    section(
      "Figures",
      // Without gnuplot there are none, and an error says so.
      (run.figureError == nil ? record.figures : []).map { figure in
        [
          "  "
            + Console.relative(
              run.folder.appendingPathComponent("\(record.chapter)-\(figure.name).svg"))
        ]
      })
    section("Computed again", run.rechecked.map { recheck($0) })
    section("Faults", record.faults.map { [console.bad("✗") + " " + $0] })
    if run.isCompared {
      section("Prose", run.findings.map { [console.bad("✗") + " " + $0.description] })
      if run.findings.isEmpty && run.figureError == nil {
        print("The prose agrees with this run.")
      }
      if run.confirmsRecord && run.figureError == nil {
        print(
          "So does the record of the write-up, within its tolerances; it stays, and so do its "
            + "figures. “--out figures” replaces them by this run's.")
      }
    } else {
      print("The prose is not compared: this is no full run with the usual seed.")
    }
    let passed = record.checks.filter(\.passed).count
    let hasPassed = run.passed && fault == nil && run.figureError == nil
    let verdict = hasPassed ? console.good("passed") : console.bad("failed")
    let parted = run.rechecked.count { !$0.agrees }
    print(
      "\(record.chapter) \(verdict): \(passed) of \(record.checks.count.of("check")) hold"
        + (parted == 0 ? "" : "; \(parted.of("result")) not as when kept")
        + (run.figureError == nil ? "" : "; nothing was written")
        + (fault.map { "; \($0)." } ?? "."))
  }

  /// Both ends of a name, as far as a line holds them; `--json` has the whole.
  private static func short(_ name: String) -> String {
    name.count > 60 ? "\(name.prefix(24))…\(name.suffix(35))" : name
  }

  private func recheck(_ job: Recheck) -> [String] {
    let difference =
      job.difference == 0
      ? [job.agrees ? "the same" : "the same, in a file that was altered", ""]
      : [
        "differs by \(Self.number(job.difference))"
          + (job.place.isEmpty ? "" : " at \(job.place)"),
        "allowed \(Self.number(job.allowed))",
      ]
    let times = "\(Self.number(job.secondsThen)) s then, \(Self.number(job.secondsNow)) s now"
    return [mark(job.agrees) + " " + Self.short(job.name)] + difference + [times]
  }

  private func mark(_ passed: Bool) -> String { passed ? console.good("✓") : console.bad("✗") }

  private func section(_ title: String, _ rows: [[String]]) {
    guard !rows.isEmpty else { return }
    print(console.bold(title))
    for line in TextTable(rows: rows).lines { print(line) }
    print()
  }

  /// A number with four significant digits, or whole.
  static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e9
      ? String(format: "%.0f", value) : String(format: "%.4g", value)
  }

  private static func bound(_ check: Check) -> String {
    switch check.relation {
    case .atMost: "≤ \(number(check.tolerance ?? .nan))"
    case .atLeast: "≥ \(number(check.bound ?? .nan))"
    case .near: "≈ \(number(check.expected ?? .nan)) ± \(number(check.tolerance ?? .nan))"
    }
  }

  /// The JSON of a run.
  struct Document: Encodable {
    struct FigurePath: Encodable {
      let name, title, path: String
    }

    let version = 2
    let chapter, title, status, mode: String
    let seed: UInt64
    let checks: [Check]
    let values: [Record.Value]
    let quotes: [Record.Quote]
    let claims: [Record.Claim]
    let figures: [FigurePath]
    let faults: [String]
    let prose: [Finding]
    let run: RunStamp
    let kept: Kept
    let rechecked: [Recheck]

    /// The results of long work that stand in the run.
    struct Kept: Encodable {
      let reused, olderEngine: Int
      let orphans: [String]
    }

    /// - Parameter fault: what else went wrong.
    init(_ run: Run, fault: String? = nil) {
      let record = run.record
      chapter = record.chapter
      title = record.title
      status = run.passed && run.figureError == nil && fault == nil ? "passed" : "failed"
      mode = record.mode.rawValue
      seed = record.seed
      checks = record.checks
      values = record.values
      quotes = record.quotes
      claims = record.claims
      figures = (run.figureError == nil ? record.figures : []).map {
        FigurePath(
          name: $0.name, title: $0.title,
          path: Console.relative(
            run.folder.appendingPathComponent("\(record.chapter)-\($0.name).svg")))
      }
      faults = record.faults
      prose = run.findings
      self.run = run.stamp
      kept = Kept(
        reused: run.reusedResults, olderEngine: run.olderResults, orphans: run.orphans)
      rechecked = run.rechecked
    }
  }
}
