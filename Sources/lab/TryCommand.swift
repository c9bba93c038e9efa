import ArgumentParser
import Chapters
import Derivations
import Digits
import Files
import Foundation
import Notebook

/// `lab try`.
struct TryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "try", abstract: "Judges a derivation that you type, and helps where it is wrong.",
    usage: """
      lab try [<chapter>]
      lab try <chapter> <task> [<formula>] [--json] [--no-color]
      """,
    discussion: """
      Without a formula it reads one a line from stdin until one is right; “?” asks for a hint, of \
      which each task has three, and “q” leaves. A formula is plain ASCII, dy * y * (1 - y), or has \
      β, μ, · and ². It ends with 0 where the formula is right, even if it is unstable in Double, 1 \
      where it is wrong, 64 where it cannot be read.
      """)

  // A formula may begin with a minus sign.
  @Argument(
    parsing: .allUnrecognized,
    help: ArgumentHelp("A chapter, a task of it, and a formula.", valueName: "words"))
  var words: [String] = []

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if let word = words.first(where: { $0.wholeMatch(of: /--[a-z][a-z-]+/) != nil }) {
      throw ValidationError("There is no option “\(word)”.")
    }
  }

  func run() async throws {
    let console = Console(noColor: output.noColor)
    let place = DataFolder().url.deletingLastPathComponent()
      .appendingPathComponent("derivations.json")
    let solutions = Solutions(place) { Console.complain($0) }
    guard let chapter = words.first else {
      return try TaskList(Derivation.all, solutions, console).show(json: output.json)
    }
    let tasks = try Self.tasks(of: chapter)
    guard words.count > 1 else {
      return try TaskList(tasks, solutions, console).show(json: output.json, whole: true)
    }
    let task = try Self.task(words[1], among: tasks)
    var session = TrySession(task, solutions, console, json: output.json)
    // What a shell has cut at its blanks is put together again.
    let formula = words[2...].joined(separator: " ")
    let isRight =
      try words.count > 2 ? session.consider(formula) : session.converse()
    if !isRight { throw ExitCode(1) }
  }

  private static func tasks(of chapter: String) throws -> [Derivation] {
    let tasks = Derivation.all.filter { $0.chapter == chapter }
    guard tasks.isEmpty else { return tasks }
    if let task = Derivation.all.first(where: { $0.name == chapter }) {
      throw UsageError(
        description: "\(chapter) is a task of chapter \(task.chapter); run: swift run lab try "
          + "\(task.chapter) \(chapter)")
    }
    var chapters: [String] = []
    for task in Derivation.all where chapters.last != task.chapter { chapters.append(task.chapter) }
    let hint = Suggestion.hint(for: chapter, among: chapters)
    let isChapter = allChapters.contains { $0.id == chapter }
    throw UsageError(
      description: isChapter
        ? "Chapter \(chapter) has no derivations to try; “lab try” lists those that there are."
        : "There is no chapter \(chapter) with derivations\(hint) “lab try” lists them all.")
  }

  private static func task(_ name: String, among tasks: [Derivation]) throws -> Derivation {
    if let task = tasks.first(where: { $0.name == name }) { return task }
    let chapter = tasks[0].chapter
    let hint = Suggestion.hint(for: name, among: tasks.map(\.name))
    throw UsageError(
      description:
        "Chapter \(chapter) has no task “\(name)”\(hint) “lab try \(chapter)” lists them.")
  }
}

/// Tasks as `lab try` lists them.
private struct TaskList {
  private let tasks: [Derivation]
  private let solutions: Solutions
  private let console: Console

  init(_ tasks: [Derivation], _ solutions: Solutions, _ console: Console) {
    (self.tasks, self.solutions, self.console) = (tasks, solutions, console)
  }

  private struct Row: Encodable {
    let chapter, name, title, question: String
    let isSolved: Bool
  }

  private struct Document: Encodable {
    let version = 1
    let tasks: [Row]
  }

  /// Prints the tasks; `whole` has what is asked as well.
  func show(json: Bool, whole: Bool = false) throws {
    if json {
      let rows = tasks.map {
        Row(
          chapter: $0.chapter, name: $0.name, title: $0.title, question: $0.question,
          isSolved: solutions.contains($0))
      }
      return try printJSON(Document(tasks: rows))
    }
    let width = tasks.map(\.name.count).max() ?? 0
    var chapter = ""
    for task in tasks {
      if task.chapter != chapter {
        if !chapter.isEmpty { print() }
        chapter = task.chapter
        let title = allChapters.first { $0.id == chapter }?.title
        print(console.bold([chapter, title].compactMap { $0 }.joined(separator: "  ")))
      }
      let mark = solutions.contains(task) ? console.good("✓") : " "
      let name = task.name.padding(toLength: width, withPad: " ", startingAt: 0)
      print("\(mark) \(name)  \(task.title)")
      if whole { print(console.faint("  " + task.prompt)) }
    }
    let example = (tasks.first { !solutions.contains($0) } ?? tasks[0])
    let command = "swift run lab try \(example.chapter) \(example.name)"
    print("\n\(tasks.count(where: solutions.contains)) of \(tasks.count) solved. Go on with:")
    print("  \(command)              a formula a line, with hints")
    print("  \(command) \"FORMULA\"    one formula, at once")
  }
}
