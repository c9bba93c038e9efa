import Derivations
import Files
import Foundation

/// A task, and a reader who types formulas for it.
struct TrySession {
  private let task: Derivation
  private let judge: Judge
  private var solutions: Solutions
  private let console: Console
  private let json: Bool
  private var hintsGiven = 0

  init(_ task: Derivation, _ solutions: Solutions, _ console: Console, json: Bool) {
    (self.task, self.solutions, self.console, self.json) = (task, solutions, console, json)
    judge = Judge(task)
  }

  /// Judges a formula and prints what is to be said of it; whether it is right.
  ///
  /// - Throws: `UsageError` with a caret below the place for what cannot be read.
  mutating func consider(_ formula: String) throws -> Bool {
    let verdict: Verdict
    do {
      verdict = try judge.verdict(on: formula)
    } catch {
      throw UsageError(description: Self.complaint(about: error, in: formula))
    }
    if json {
      try printJSON(
        VerdictDocument(
          chapter: task.chapter, task: task.name, formula: formula, verdict: verdict))
    } else {
      print((verdict.isRight ? console.good("✓") : console.bad("✗")) + " \(verdict.sentence)")
    }
    if verdict.isRight {
      do {
        try solutions.add(formula, of: task)
      } catch let error as LabError {
        Console.complain("That you have solved this is not kept: \(error.description)")
      }
    }
    return verdict.isRight
  }

  /// Reads formulas until one is right, or the reader leaves; whether one was.
  mutating func converse() throws -> Bool {
    let isTerminal = isatty(0) == 1 && isatty(1) == 1
    if !json { introduce() }
    var lines = InputLines()
    while true {
      if isTerminal && !json {
        print("> ", terminator: "")
        Console.flush()
      }
      let line: String?
      do {
        line = try lines.next()
      } catch let error as UsageError {
        try complain(error, of: "")
        continue
      }
      guard let line else {
        if isTerminal && !json { print() }
        return false
      }
      let formula = line.trimmingCharacters(in: .whitespacesAndNewlines)
      switch formula.lowercased() {
      case "": continue
      case "q", "quit", "exit": return false
      case "?", "hint": try giveHint()
      default:
        do {
          if try consider(formula) { return true }
        } catch let error as UsageError {
          try complain(error, of: formula)
        }
      }
      Console.flush()
    }
  }

  private func complain(_ error: UsageError, of formula: String) throws {
    try json
      ? printJSON(ComplaintDocument(formula: formula, error: error.description))
      : print(error.description)
    Console.flush()
  }

  private func introduce() {
    print(console.bold("\(task.chapter)  \(task.title)"))
    print(task.prompt + "\n")
    let symbols = task.symbols.map { (form: task.form(of: $0), meaning: $0.wholeMeaning) }
    let width = symbols.map(\.form.count).max() ?? 0
    for symbol in symbols {
      let form = symbol.form.padding(toLength: width, withPad: " ", startingAt: 0)
      print("  \(form)  \(console.faint(symbol.meaning))")
    }
    print()
    for sentence in Derivation.answerNotes(for: [task]) {
      print(sentence.replacing("`", with: ""))
    }
    print("\nType a formula; ? gives a hint, q leaves.")
    Console.flush()
  }

  private mutating func giveHint() throws {
    hintsGiven = min(hintsGiven + 1, task.hints.count)
    let hint = task.hints[hintsGiven - 1]
    try json
      ? printJSON(HintDocument(number: hintsGiven, hint: hint))
      : print("Hint \(hintsGiven) of \(task.hints.count): \(hint)")
  }

  /// A sentence about what cannot be read, and the place in it.
  private static func complaint(about error: ReadingError, in formula: String) -> String {
    let hint = error.unknownName.map { Suggestion.hint(for: $0, among: error.knownNames) } ?? "."
    let marked = error.marked(in: formula).map { "  " + $0 }
    return ([error.complaint + hint] + marked).joined(separator: "\n")
  }
}

private struct VerdictDocument: Encodable {
  let version = 1
  let chapter, task, formula, verdict, sentence: String
  let isRight, isProven: Bool

  init(chapter: String, task: String, formula: String, verdict: Verdict) {
    (self.chapter, self.task, self.formula) = (chapter, task, formula)
    (self.verdict, sentence) = (verdict.kind.rawValue, verdict.sentence)
    (isRight, isProven) = (verdict.isRight, verdict.isProven)
  }
}

private struct ComplaintDocument: Encodable {
  let version = 1
  let formula, error: String
}

private struct HintDocument: Encodable {
  let version = 1
  let number: Int
  let hint: String
}

/// The lines of stdin; who waits for one can be told to stop.
private struct InputLines {
  private var bytes: [UInt8] = []
  private var isAtEnd = false
  private var isTooLong = false

  /// The most bytes that a line may have.
  private static let limit = 1 << 16

  /// The next line; nil at the end.
  ///
  /// - Throws: `CancellationError` when the task is told to stop; `UsageError` for a line that is too
  ///   long, of which nothing is left then.
  mutating func next() throws -> String? {
    while true {
      if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
        defer { bytes.removeFirst(end + 1) }
        guard !isTooLong else { throw tooLong() }
        return String(decoding: bytes[..<end], as: UTF8.self)
      }
      if isAtEnd {
        defer { bytes = [] }
        guard !isTooLong else { throw tooLong() }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
      }
      guard bytes.count < Self.limit else {
        bytes = []
        isTooLong = true
        continue
      }
      try Task.checkCancellation()
      var state = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      // A tenth of a second, so that Ctrl-C is heard.
      guard poll(&state, 1, 100) > 0 else { continue }
      var piece = [UInt8](repeating: 0, count: 4096)
      let count = read(0, &piece, piece.count)
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      if count <= 0 { isAtEnd = true } else { bytes += piece[..<count] }
    }
  }

  private mutating func tooLong() -> UsageError {
    isTooLong = false
    return UsageError(description: "A line of the input has more than \(Self.limit) bytes.")
  }
}
