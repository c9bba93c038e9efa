import Files
import Foundation
import Notebook
import Testing

@testable import Book

@Suite struct SiteTests {
  /// A folder of programs that shadow all others.
  private func programs(_ scripts: [String: String], in lab: SmallLab) throws -> String {
    let folder = lab.root.appendingPathComponent("bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, script) in scripts {
      let url = folder.appendingPathComponent(name)
      try Data("#!/bin/sh\n\(script)\n".utf8).write(to: url)
      chmod(url.path, 0o755)
    }
    return folder.path
  }

  private func failure(_ body: () async throws -> Void) async -> LabError? {
    do {
      try await body()
      return nil
    } catch {
      return error as? LabError
    }
  }

  @Test func theSameLabGivesTheSameBytes() async throws {
    let lab = try SmallLab("12<!--=half.steps--> and ![One](../figures/9.1-one.svg)")
    defer { lab.remove() }
    func digest() async throws -> [String: Data] {
      _ = try await lab.site.build(into: lab.folder)
      var files: [String: Data] = [:]
      for case let path as String in FileManager.default.enumerator(atPath: lab.folder.path)! {
        files[path] = try? Data(contentsOf: lab.folder.appendingPathComponent(path))
      }
      return files
    }
    let (first, second) = (try await digest(), try await digest())
    #expect(first == second)
    #expect(first.keys.contains("index.html") && first.keys.contains("readme.html"))
    #expect(first.keys.contains(SiteFolder.mark))
    let beside = try FileManager.default.contentsOfDirectory(atPath: lab.root.path)
    #expect(!beside.contains { $0.hasPrefix(".out.") })
  }

  @Test func theFrontPageCountsTheValuesThatItShows() async throws {
    let lab = try SmallLab("Text.")
    defer { lab.remove() }
    try lab.write(
      """
      # small

      ## Chapters

      | | question | time |
      |---|---|---|
      | [9.1](Chapters/9.1-small.md) | Why? | 1.5<!--=9.1/run.minutes--> min |

      It is 97.4<!--=9.1/all.steps--> %.

      """, to: "README.md")
    _ = try await lab.site.build(into: lab.folder)
    #expect(try lab.text("out/index.html").contains("1 value that this page shows"))
  }

  @Test func whatIsNoBookIsLeftAlone() async throws {
    let lab = try SmallLab("Text.")
    defer { lab.remove() }
    try lab.write("mine", to: "out")
    let onFile = await failure { _ = try await lab.site.build(into: lab.folder) }
    #expect(onFile?.kind == .input && onFile?.description.contains("is no folder") == true)
    #expect(try lab.text("out") == "mine")
    try FileManager.default.removeItem(at: lab.folder)
    try FileManager.default.createDirectory(at: lab.folder, withIntermediateDirectories: true)
    try lab.write("mine", to: "out/thesis.txt")
    let onFolder = await failure { _ = try await lab.site.build(into: lab.folder) }
    #expect(onFolder?.description.contains("is no book of the lab") == true)
    #expect(try FileManager.default.contentsOfDirectory(atPath: lab.folder.path) == ["thesis.txt"])
    // An earlier book goes as a whole.
    try FileManager.default.removeItem(at: lab.folder)
    _ = try await lab.site.build(into: lab.folder)
    try lab.write("old", to: "out/old.html")
    try lab.write(lab.text("out/.lab-book") + "old.html\n", to: "out/.lab-book")
    _ = try await lab.site.build(into: lab.folder)
    #expect(!FileManager.default.fileExists(atPath: lab.folder.path + "/old.html"))
    // So does one of an earlier version, which does not name its files.
    try lab.write(SiteFolder.words, to: "out/.lab-book")
    try lab.write("old", to: "out/old.html")
    _ = try await lab.site.build(into: lab.folder)
    #expect(!FileManager.default.fileExists(atPath: lab.folder.path + "/old.html"))
  }

  @Test func aMissingProgramIsNamedWithItsPackage() async throws {
    let lab = try SmallLab("A formula $x + 1$.")
    defer { lab.remove() }
    let empty = try programs([:], in: lab)
    let withoutMarkdown = await failure {
      try await Program.$surroundings.withValue(["PATH": empty]) {
        _ = try await lab.site.build(into: lab.folder)
      }
    }
    #expect(withoutMarkdown?.kind == .tool)
    #expect(withoutMarkdown?.description.hasSuffix("apt-get install cmark-gfm.") == true)
    let real = ProcessInfo.processInfo.environment["PATH"]!
    let withoutModule = try programs(["python3": "exit 3"], in: lab)
    let withoutFormula = await failure {
      try await Program.$surroundings.withValue(["PATH": "\(withoutModule):\(real)"]) {
        _ = try await lab.site.build(into: lab.folder)
      }
    }
    #expect(withoutFormula?.kind == .tool)
    #expect(withoutFormula?.description.contains("1 formula is not kept") == true)
    #expect(withoutFormula?.description.hasSuffix("pip install 'math-core==0.9.*'.") == true)
    let withoutPrinter = await failure {
      try await Program.$surroundings.withValue(["PATH": empty]) {
        _ = try await lab.site.build(into: lab.folder, hasPDF: true)
      }
    }
    #expect(withoutPrinter?.description.hasSuffix("apt-get install chromium.") == true)
    #expect(!FileManager.default.fileExists(atPath: lab.folder.path))
  }

  @Test func formulasAreKeptAndTheOthersForgotten() async throws {
    let lab = try SmallLab("One $x + 1$, two $y$.")
    defer { lab.remove() }
    let (x, y) = (Formula("x + 1", isDisplay: false), Formula("y", isDisplay: false))
    try lab.keep([x, Formula("gone", isDisplay: true)])
    // A converter that knows one answer: that it is asked for y alone is seen by its count.
    let bin = try programs(
      ["python3": "cat > \"$0.in\"\nprintf '[{\"mathml\":\"<math>\\\\n<mi>new</mi></math>\"}]'"],
      in: lab)
    let path = "\(bin):\(ProcessInfo.processInfo.environment["PATH"]!)"
    let report = try await Program.$surroundings.withValue(["PATH": path]) {
      try await lab.site.build(into: lab.folder)
    }
    #expect(report.converted == 1 && report.formulas == 2)
    let lines = try lab.text(Formulas.path).split(separator: "\n").map(String.init)
    #expect(lines.count == 2 && lines == lines.sorted())
    #expect(lines.contains("\(y.digest)\tinline\ty\t<math> <mi>new</mi></math>"))
    #expect(lines.contains { $0.hasPrefix("\(x.digest)\tinline\tx + 1\t") })
    // And what is kept needs no converter.
    let broken = try programs(["python3": "exit 3"], in: lab)
    let again = try await Program.$surroundings.withValue(
      ["PATH": "\(broken):\(ProcessInfo.processInfo.environment["PATH"]!)"]
    ) { try await lab.site.build(into: lab.folder) }
    #expect(again.converted == 0)
    try lab.write("rubbish\n", to: Formulas.path)
    let damaged = await failure { _ = try await lab.site.build(into: lab.folder) }
    #expect(
      damaged?.description.hasPrefix("Sources/Book/formulas.tsv:1 is no kept formula") == true)
  }

  @Test func aFormulaThatIsNoneIsNamedWithItsText() async throws {
    let lab = try SmallLab("One $\\nonsense$.")
    defer { lab.remove() }
    let bin = try programs(["python3": "printf '[{\"error\":\"Unknown command\"}]'"], in: lab)
    let failure = await failure {
      try await Program.$surroundings.withValue(
        ["PATH": "\(bin):\(ProcessInfo.processInfo.environment["PATH"]!)"]
      ) { _ = try await lab.site.build(into: lab.folder) }
    }
    #expect(failure?.kind == .input)
    #expect(
      failure?.description
        == "Chapters/9.1-small.md: the formula \\nonsense cannot be converted: Unknown command.")
  }

  @Test func whatHasNotChangedIsNotConvertedAgain() async throws {
    let lab = try SmallLab("12<!--=half.steps--> and ![One](../figures/9.1-one.svg)")
    defer { lab.remove() }
    let bin = try programs(
      ["cmark-gfm": "echo >> \"$0.calls\"\nPATH=${PATH#*:} exec cmark-gfm \"$@\""], in: lab)
    let path = "\(bin):\(ProcessInfo.processInfo.environment["PATH"]!)"
    let site = lab.site
    /// How many texts, figures and listings a making of the same site converts, whose files are those
    /// of a new one.
    func calls() async throws -> [Int] {
      try lab.write("", to: "bin/cmark-gfm.calls")
      let kinds = ["figure", "Swift"]
      let before = kinds.map(site.conversions.made)
      let files = try await Program.$surroundings.withValue(["PATH": path]) {
        try await site.files().files
      }
      let made = zip(kinds.map(site.conversions.made), before).map { $0 - $1 }
      #expect(try await lab.site.files().files == files)
      return [try lab.text("bin/cmark-gfm.calls").count] + made
    }
    // The chapter, its task's question, how an answer is written, and the README.
    #expect(try await calls() == [4, 1, 1])
    #expect(try await calls() == [0, 0, 0])
    try lab.write("# small\n\nAnother lab.\n", to: "README.md")
    #expect(try await calls() == [1, 0, 0])
    // Two saves of which no book can be made, and one that puts right what was wrong.
    let prose = try lab.text("Chapters/9.1-small.md")
    for mistake in ["Bad \u{e000} words.", "Bad \u{e001} words."] {
      try lab.write(prose + mistake, to: "Chapters/9.1-small.md")
      #expect(await failure { _ = try await site.files() } != nil)
    }
    try lab.write(prose, to: "Chapters/9.1-small.md")
    #expect(try await calls() == [0, 0, 0])
    try lab.write(SmallLab.picture.replacing("a &lt; b", with: "c"), to: "figures/9.1-one.svg")
    try lab.write("let a = 2\n", to: "Chapters/9.1-small.swift")
    #expect(try await calls() == [0, 1, 1])
    #expect(
      String(decoding: try await site.files().files["9.1-small.html"]!, as: UTF8.self).contains(
        "<text>c</text>"))
    // What two makings have not needed is forgotten.
    try lab.write("# small\n\nA lab.\n\n## More\n\nText.\n", to: "README.md")
    #expect(try await calls() == [1, 0, 0])
  }

  @Test func allFormulasOfTheLabAreKept() throws {
    let kept = try Formulas(root: SmallLab.package)
    #expect(kept[Formula("\\mu", isDisplay: false)]?.hasPrefix("<math>") == true)
  }

  @Test func swiftIsColouredAndStaysTheSame() {
    let code = """
      /// Doc.
      func f<T>(_ a: Int) -> String { "x\\(a + g("in"))y" + \"\"\"
        two
        \"\"\" /* c
      d */ }
      let self1 = a.self, b = #"raw \\(no)"#, n = 0x1F
      """
    let html = SwiftCode.html(code)
    let words = Markup.pieces(of: html).compactMap { piece in
      if case .text(let text) = piece { Markup.unescaped(text) } else { nil }
    }
    #expect(words.joined() == code)
    #expect(html.contains("<span class=\"d\">/// Doc.</span>"))
    #expect(html.contains("<span class=\"s\">&quot;x\\(</span>a + g("))
    #expect(html.contains("<span class=\"s\">)y&quot;</span>"))
    #expect(html.contains("<span class=\"c\">/* c</span>\n<span class=\"c\">d */</span>"))
    #expect(html.contains("<span class=\"n\">0x1F</span>"))
    #expect(html.contains("a.self"))
    for line in html.split(separator: "\n") {
      #expect(
        line.components(separatedBy: "<span").count == line.components(separatedBy: "</span").count)
    }
  }

  @Test func aComparisonIsWrittenWithItsNumbers() throws {
    let numbers = ["a.b": "12", "c": "−3", "and1": "7"]
    func written(_ text: String) throws -> String {
      try Predicate.rewritten(text) { numbers[$0] ?? $0 }
    }
    #expect(try written("2*a.b<c and c>=0.5") == "2 · 12 < −3 and −3 ≥ 0.5")
    #expect(try written("-(a.b - 1e-6) / c == and1") == "−(12 − 1e-6) / −3 = 7")
    #expect(throws: LabError.self) { try written("a ? b") }
  }

  @Test func aPrintedBookHasNoDate() {
    let pdf = "%PDF /CreationDate (D:20261129082038+00'00') /ModDate (D:2026) (2026)"
    #expect(
      String(decoding: Printer.undated(Data(pdf.utf8)), as: UTF8.self)
        == "%PDF /CreationDate (D:00000000000000+00'00') /ModDate (D:0000) (2026)")
  }
}
