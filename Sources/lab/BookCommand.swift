import ArgumentParser
import Book
import Chapters
import Derivations
import Files
import Foundation
import Notebook

/// `lab book`.
struct BookCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "book",
    abstract: "Makes the write-up a site that opens from the disk: prose beside its code.",
    discussion: """
      It needs cmark-gfm, and for formulas that are new python3 with math-core; --pdf needs chromium. \
      An earlier book in the folder is replaced as a whole, unless a file of yours lies there; any \
      other folder is left as it is.
      """)

  @Option(help: ArgumentHelp("Where the book goes.", valueName: "folder"))
  var out = "book"

  @Flag(help: "Print all chapters as one PDF too, lab.pdf in the folder.")
  var pdf = false

  @OptionGroup var output: OutputOptions

  private struct Document: Encodable {
    let version = 1
    let folder: String
    let pages: [String: Int]
    let formulas: [String: Int]
    let withoutRecord: [String]
    let seconds: Double
  }

  func run() async throws {
    guard !out.isEmpty else {
      throw UsageError(description: "--out names no folder; name one, such as --out book.")
    }
    let catalogue = try Catalogue()
    let chapters = try catalogue.siteChapters()
    // The default stands in the package, wherever in it the command is given.
    let folder =
      out == "book" ? catalogue.root.appendingPathComponent(out) : URL(fileURLWithPath: out)
    let start = ContinuousClock.now
    let report = try await Site(root: catalogue.root, chapters: chapters).build(
      into: folder, hasPDF: pdf)
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    if report.converted > 0 {
      Console.complain(
        "\(report.converted.of("formula")) converted and kept in \(Site.formulaFile); commit it.")
    }
    if output.json {
      try printJSON(
        Document(
          folder: folder.path,
          pages: ["chapters": report.chapters, "files": report.files],
          formulas: ["all": report.formulas, "converted": report.converted],
          withoutRecord: report.withoutRecord, seconds: (seconds * 10).rounded() / 10))
      return
    }
    print(
      "\(report.chapters.of("chapter")), \(report.files.of("file")) of code and "
        + "\(report.formulas.of("formula")) in \(String(format: "%.1f", seconds)) s.")
    if !report.withoutRecord.isEmpty {
      print("Without a run yet: \(report.withoutRecord.joined(separator: ", ")).")
    }
    print("Open \(Console.relative(folder.appendingPathComponent("index.html")))")
    if pdf { print("Open \(Console.relative(folder.appendingPathComponent("lab.pdf")))") }
  }
}

extension Catalogue {
  /// All chapters as the book has them, with the tasks that a command judges.
  func siteChapters() throws -> [Site.Chapter] {
    try chapters([]).map { chapter in
      let tasks = Derivation.all.filter { $0.chapter == chapter.id }
      return Site.Chapter(
        id: chapter.id, title: chapter.title, exercises: tasks.map(Site.Exercise.init),
        answerNote: Derivation.answerNotes(for: tasks).joined(separator: " "))
    }
  }
}

extension Site.Exercise {
  /// A derivation as the book shows it: what the judge is tested with, and its own words.
  fileprivate init(_ derivation: Derivation) {
    let judge = Judge(derivation)
    let answers = derivation.answers.map { answer in
      var words: String
      do throws(ReadingError) {
        let verdict = try judge.verdict(on: answer.formula)
        words = (verdict.isRight ? "✓ " : "✗ ") + verdict.sentence
      } catch {
        words = "✗ \(error.complaint)."
      }
      if let failure = answer.failure { words += " Here the judge is wrong: \(failure)" }
      return Answer(formula: answer.formula, verdict: words)
    }
    self.init(
      title: derivation.title, command: "lab try \(derivation.chapter) \(derivation.name)",
      question: derivation.question,
      symbols: derivation.symbols.map {
        Symbol(form: derivation.form(of: $0), meaning: $0.wholeMeaning)
      }, answers: answers)
  }
}
