import ArgumentParser
import Book
import Chapters
import Derivations
import Digits
import Files
import Foundation
import Handwriting
import Methods
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

  @Option(
    help: ArgumentHelp(
      "Where the book goes; book in the package unless named.", valueName: "folder"))
  var out: String?

  @Flag(help: "Print all chapters as one PDF too, lab.pdf in the folder.")
  var pdf = false

  @Option(
    help: ArgumentHelp(
      "The weights that read a drawn digit; \(ModelFile.exported) unless named.", valueName: "file")
  )
  var weights: String?

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
    guard out != "" else {
      throw UsageError(description: "--out names no folder; name one, such as --out book.")
    }
    let catalogue = try Catalogue()
    // The default stands in the package, wherever in it the command is given.
    let folder =
      out.map { URL(fileURLWithPath: $0) } ?? catalogue.root.appendingPathComponent("book")
    let start = ContinuousClock.now
    let report = try await catalogue.site(weights: weights)
      .build(into: folder, hasPDF: pdf)
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

extension Site.Drawing.Digit {
  /// An image of a set.
  fileprivate init(_ set: ImageSet, _ index: Int, read: Int? = nil) {
    let start = index * ImageSet.pixelsPerImage
    self.init(
      number: index, label: Int(set.labels[index]), read: read,
      pixels: Array(set.pixels[start..<start + ImageSet.pixelsPerImage]))
  }
}

extension Catalogue {
  /// The book: all chapters, with the tasks that a command judges and the page for a drawn digit.
  ///
  /// - Parameter weights: the file of the page's weights; those that are kept unless named.
  /// - Throws: `LabError` of kind `.input` when the weights cannot be read.
  func site(weights: String? = nil) throws -> Site {
    Site(
      root: root,
      chapters: try chapters([]).map { chapter in
        let tasks = Derivation.all.filter { $0.chapter == chapter.id }
        return Site.Chapter(
          id: chapter.id, title: chapter.title, exercises: tasks.map(Site.Exercise.init),
          answerNote: Derivation.answerNotes(for: tasks).joined(separator: " "))
      }, drawing: try drawing(weights))
  }

  /// What the page for a drawn digit has: weights that are named or kept, and digits where MNIST is at
  /// hand.
  private func drawing(_ weights: String?) throws -> Site.Drawing {
    let kept = root.appendingPathComponent(ModelFile.exported)
    let url = weights.map { URL(fileURLWithPath: $0) } ?? kept
    guard FileManager.default.fileExists(atPath: url.path) else {
      if weights == nil { return Site.Drawing() }
      throw LabError(
        .input,
        "\(url.path) is not there; make it with: swift run lab export --out \(url.path.shellQuoted)"
      )
    }
    guard let description = try ModelFile(reading: url).description else {
      throw LabError(
        .input,
        "\(url.path) is a model as it was trained; make weights of it with: swift run lab "
          + "export --model \(url.path.shellQuoted) --out FILE")
    }
    var drawing = Site.Drawing(weights: try Data(contentsOf: url))
    guard let mnist = try? MNIST.load(from: DataFolder()) else { return drawing }
    let seed = FinalModel.Settings.splitSeed(ofLabel: description.training)
    let split =
      try seed.map { try Split.balanced(mnist.train.labels, seed: $0) }
      ?? Split.kit(mnist.train.labels)
    drawing.learnt = split.labelled.map { Site.Drawing.Digit(mnist.train, $0) }
    drawing.mistakes = description.mistakes?.filter { $0.image < mnist.test.count }
      .prefix(Site.Drawing.mostMistakes).map {
        Site.Drawing.Digit(mnist.test, $0.image, read: $0.read)
      }
    return drawing
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
