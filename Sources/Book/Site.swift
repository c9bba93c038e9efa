import Files
import Foundation
import Notebook

/// The book: the chapters of a package as pages that open from the disk, without a server.
///
/// It knows no chapter by name: what the list has becomes a page, and what a page links to becomes
/// one too. The same package gives the same bytes.
public struct Site: Sendable {
  /// A task of the exercises that a command judges: `lab try 1.1 sigmoid`.
  public struct Exercise: Sendable {
    /// Something that is typed, and what the judge says of it.
    public struct Answer: Sendable {
      let formula, verdict: String

      /// An answer, and what the judge says of it.
      public init(formula: String, verdict: String) {
        (self.formula, self.verdict) = (formula, verdict)
      }
    }

    /// A name that an answer may use.
    public struct Symbol: Sendable {
      let form, meaning: String

      /// A name as an answer writes it, `P[i]`, and what it stands for.
      public init(form: String, meaning: String) {
        (self.form, self.meaning) = (form, meaning)
      }
    }

    /// What it is about, in some words.
    public let title: String
    /// The command without `swift run`.
    public let command: String
    /// What is asked, in Markdown with formulas.
    public let question: String
    /// What may stand in an answer.
    public let symbols: [Symbol]
    /// What the judge is tested with.
    public let answers: [Answer]

    /// A task: what is asked, what may be answered, and what the judge is tested with.
    public init(
      title: String, command: String, question: String, symbols: [Symbol], answers: [Answer] = []
    ) {
      (self.title, self.command, self.question) = (title, command, question)
      (self.symbols, self.answers) = (symbols, answers)
    }

    /// The last word of the command, which no other task of the chapter has.
    var word: String { command.split(separator: " ").last.map(String.init) ?? "" }
  }

  /// A chapter of the list.
  public struct Chapter: Sendable {
    /// Its number, such as `2.1`.
    public let id: String
    /// Its title in the list.
    public let title: String
    /// The tasks among its exercises that a command judges.
    public let exercises: [Exercise]
    /// How an answer to one of them is written, in Markdown.
    let answerNote: String

    /// A chapter of the list, with how an answer to its tasks is written, in Markdown.
    public init(id: String, title: String, exercises: [Exercise] = [], answerNote: String = "") {
      (self.id, self.title) = (id, title)
      (self.exercises, self.answerNote) = (exercises, answerNote)
    }
  }

  /// What a build has made.
  public struct Report: Sendable {
    /// Pages of chapters, and of files that they show.
    public internal(set) var chapters, files: Int
    /// Formulas of all pages, and how many of them had to be converted.
    public let formulas, converted: Int
    /// Chapters without a record that can be read, whose numbers are bound to nothing yet.
    public let withoutRecord: [String]
  }

  /// The file of the package that keeps the formulas.
  public static let formulaFile = Formulas.path

  /// The folder of the styles and scripts in the package.
  static let assets = "Sources/Book/Assets"

  let root: URL
  let chapters: [Chapter]
  let drawing: Drawing
  /// What one making of the book leaves for the next: a server makes it often.
  let conversions = Conversions()

  /// The book of a package.
  ///
  /// - Parameters:
  ///   - root: the package's folder.
  ///   - chapters: all chapters in their order.
  ///   - drawing: what the page for a drawn digit reads it with.
  public init(root: URL, chapters: [Chapter], drawing: Drawing = Drawing()) {
    self.root = root
    self.chapters = chapters
    self.drawing = drawing
  }

  /// The files of the book by their paths in it, written nowhere; new formulas are not kept.
  ///
  /// - Throws: what `build` throws, without what is said of a folder.
  public func files() async throws -> (files: [String: Data], report: Report) {
    let (pages, report) = try await SiteDraft(self).pages()
    conversions.end()
    return (Dictionary(pages.map { ($0.path, $0.data) }) { $1 }, report)
  }

  /// Whether there is a Chromium that prints.
  ///
  /// - Throws: `CancellationError`.
  public static func canPrint() async throws -> Bool {
    do {
      try await Printer.seek()
      return true
    } catch is LabError {
      return false
    }
  }

  /// All chapters as one PDF; new formulas are not kept.
  ///
  /// - Throws: `LabError` of kind `.tool` when a program is missing or does not print; what `files`
  ///   throws.
  public func document() async throws -> Data {
    let draft = try await SiteDraft(self)
    let folder = try TemporaryFolder(for: "lab-print")
    defer { folder.remove() }
    let work = try SiteFolder(folder.url.appendingPathComponent("book")).begin()
    for (path, data) in try draft.pages().pages where !path.hasSuffix(".html") {
      try work.write(data, to: path)
    }
    try await Printer.print(try draft.document(), into: work)
    return try Data(contentsOf: work.folder.appendingPathComponent("lab.pdf"))
  }

  /// The address of a chapter's page in the book.
  ///
  /// - Throws: `LabError` of kind `.input` when the chapter's files are not there.
  public func address(ofChapter id: String) throws -> String {
    SiteDraft.address(try ChapterFiles(root: root, id: id))
  }

  /// Makes the book.
  ///
  /// - Parameters:
  ///   - folder: where; an earlier book there is replaced as a whole.
  ///   - hasPDF: whether `lab.pdf`, one document of all chapters, is printed as well.
  /// - Throws: `LabError` of kind `.input` when a file is missing or the folder is none of a book,
  ///   of kind `.tool` when a program is missing; `CancellationError`. Nothing is changed then.
  public func build(into folder: URL, hasPDF: Bool = false) async throws -> Report {
    let target = try SiteFolder(folder)
    if hasPDF { try await Printer.seek() }
    let draft = try await SiteDraft(self)
    let (pages, report) = try draft.pages()
    let work = try target.begin()
    do {
      for (path, data) in pages { try work.write(data, to: path) }
      if hasPDF { try await Printer.print(try draft.document(), into: work) }
      try Task.checkCancellation()
      try draft.formulas.write()
      try work.finish()
    } catch {
      work.discard()
      throw error
    }
    conversions.end()
    return report
  }
}
