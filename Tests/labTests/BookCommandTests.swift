import Foundation
import Testing

/// `lab book`: what it leaves, and what it ends with where something is missing.
@Suite struct BookCommandTests {
  /// A folder of programs for PATH: scripts, and links to those of the machine.
  private func programs(
    _ scripts: [String: String] = [:], linked: [String] = [], in scratch: Scratch
  ) throws -> String {
    let folder = scratch.url.appendingPathComponent("bin")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, script) in scripts {
      try scratch.write(Data("#!/bin/sh\n\(script)\n".utf8), to: "bin/\(name)")
      chmod(scratch.path("bin/\(name)"), 0o755)
    }
    for name in linked {
      let folders = ProcessInfo.processInfo.environment["PATH"]!.split(separator: ":")
      let places: [String] = folders.map { "\($0)/\(name)" }
      let place = places.first { access($0, X_OK) == 0 }
      try FileManager.default.createSymbolicLink(
        atPath: scratch.path("bin/\(name)"), withDestinationPath: try #require(place))
    }
    return folder.path
  }

  @Test func aBookIsMadeAndMadeAgainInItsPlace() async throws {
    let scratch = try Scratch()
    let book = scratch.path("book")
    let first = try await Tool.run("book", "--out", book, "--json")
    #expect(first.code == 0 && first.errors == "")
    #expect(try first.json["version"] as? Int == 1)
    let pages = try #require(try first.json["pages"] as? [String: Int])
    let texts = try FileManager.default.contentsOfDirectory(atPath: book).filter {
      $0.hasSuffix(".html") && $0.first!.isNumber
    }
    #expect(pages["chapters"] == texts.count && texts.count > 10)
    #expect((try first.json["formulas"] as? [String: Int])?["converted"] == 0)
    // A page of the earlier book that is no more goes with it, and nothing is left beside.
    try scratch.write(Data("old".utf8), to: "book/old.html")
    let mark = "book/.lab-book"
    try scratch.write(try scratch.data(mark) + Data("old.html\n".utf8), to: mark)
    let second = try await Tool.run("book", "--out", book)
    #expect(second.code == 0 && second.output.hasSuffix("\nOpen \(book)/index.html\n"))
    #expect(!FileManager.default.fileExists(atPath: book + "/old.html"))
    #expect(try scratch.names == ["book"])
  }

  @Test func aMissingProgramIsNamedAndLeavesNothing() async throws {
    let scratch = try Scratch()
    let withoutMarkdown = try await Tool.run(
      "book", "--out", scratch.path("book"),
      environment: ["PATH": try programs(in: scratch)])
    #expect(
      withoutMarkdown
        == Outcome(
          code: 69, output: "",
          errors: "cmark-gfm is missing, so the book was not made; install it with: apt-get "
            + "install cmark-gfm.\n"))
    let withoutPrinter = try await Tool.run(
      "book", "--pdf", "--out", scratch.path("book"),
      environment: ["PATH": try programs(linked: ["cmark-gfm"], in: scratch)])
    #expect(
      withoutPrinter
        == Outcome(
          code: 69, output: "",
          errors: "chromium is missing, so no PDF was made; install it with: apt-get install "
            + "chromium.\n"))
    #expect(try scratch.names == ["bin"])
  }

  /// A formula that the package does not keep, where there is no Python, and where it has no converter.
  @Test(arguments: [
    (
      nil,
      "python3 is missing, so 1 formula is not converted that Sources/Book/formulas.tsv does not "
        + "keep; install it with: apt-get install python3-pip, and pip install 'math-core==0.9.*'.\n"
    ),
    (
      "exit 3",
      "1 formula is not kept in Sources/Book/formulas.tsv, and python3 has no math-core 0.9 to "
        + "convert with; install it with: pip install 'math-core==0.9.*'.\n"
    ),
  ])
  func aNewFormulaNeedsTheConverter(_ python: String?, _ errors: String) async throws {
    let scratch = try Scratch.copyOfPackage()
    try scratch.alter(
      "Chapters/1.1-activation-derivatives.md", "\n## ", "\nNew is $\\zeta_{31}$.\n\n## ")
    let path = try programs(
      python.map { ["python3": $0] } ?? [:], linked: ["cmark-gfm"], in: scratch)
    let (names, formulas) = (try scratch.names, try scratch.data("Sources/Book/formulas.tsv"))
    let outcome = try await Tool.run(["book"], in: scratch.url, environment: ["PATH": path])
    #expect(outcome == Outcome(code: 69, output: "", errors: errors))
    #expect(try scratch.names == names)
    #expect(try scratch.data("Sources/Book/formulas.tsv") == formulas)
  }

  @Test func aPlaceThatCannotBeWrittenIsNamed() async throws {
    let scratch = try Scratch()
    try scratch.write(Data("mine".utf8), to: "file")
    for (out, errors) in [
      (
        scratch.path("file/book"),
        "Cannot make the folder \(scratch.path("file")): Not a directory; name another.\n"
      ),
      (
        "/proc/book",
        "Cannot write into /proc: No such file or directory; name another folder with --out.\n"
      ),
    ] {
      let outcome = try await Tool.run("book", "--out", out)
      #expect(outcome == Outcome(code: 66, output: "", errors: errors))
    }
    #expect(try scratch.data("file") == Data("mine".utf8))
    // A name without a folder is a place in the current one.
    let here = try await Tool.run(
      ["book", "--out", "book"], in: scratch.url, shell: "ulimit -f 150")
    #expect(here.code == 66 && here.errors.hasPrefix("Cannot write \(scratch.url.path)/.book.new."))
    // A limit on the size of files stands for a disk that fills up in the middle of a page.
    let full = try await Tool.run(
      ["book", "--out", scratch.path("book")], shell: "ulimit -f 150")
    #expect(full.code == 66 && full.output == "")
    #expect(
      full.errors.hasPrefix("Cannot write \(scratch.url.path)/.book.new.")
        && full.errors.hasSuffix("; free some space, or name another folder with --out.\n"))
    #expect(try scratch.names == ["file"])
  }

  /// A file that a reader has put into the book, or a folder or a link, is not removed with it.
  @Test(arguments: ["notes.txt", "code/Chapters/mine.swift", "own/", "out.html -> nowhere"])
  func whatIsAReadersOwnStaysInTheBook(_ own: String) async throws {
    let scratch = try Scratch()
    let book = scratch.path("book")
    #expect(try await Tool.run("book", "--out", book).code == 0)
    let path = own.components(separatedBy: " -> ")[0]
    if path != own {
      try FileManager.default.createSymbolicLink(
        atPath: scratch.path("book/\(path)"), withDestinationPath: "nowhere")
    } else if own.hasSuffix("/") {
      try FileManager.default.createDirectory(
        atPath: scratch.path("book/\(path)"), withIntermediateDirectories: false)
    } else {
      try scratch.write(Data("mine".utf8), to: "book/\(path)")
    }
    let names = try FileManager.default.subpathsOfDirectory(atPath: book).sorted()
    var (before, after) = (stat(), stat())
    #expect(stat(book, &before) == 0)
    let outcome = try await Tool.run("book", "--out", book)
    let place = path.hasSuffix("/") ? String(path.dropLast()) : path
    #expect(
      outcome
        == Outcome(
          code: 66, output: "",
          errors: "\(book)/\(place) is none of the book's files, which are replaced as a whole; "
            + "move it, or name another folder with --out.\n"))
    #expect(try FileManager.default.subpathsOfDirectory(atPath: book).sorted() == names)
    #expect(stat(book, &after) == 0 && after.st_ino == before.st_ino)
    #expect(try scratch.names == ["book"])
  }

  @Test func whatIsNoBookIsLeftAsItIs() async throws {
    let scratch = try Scratch()
    try scratch.write(Data("mine".utf8), to: "thesis/one.txt")
    let folder = try await Tool.run("book", "--out", scratch.path("thesis"))
    #expect(
      folder
        == Outcome(
          code: 66, output: "",
          errors: "\(scratch.path("thesis")) is no book of the lab, and is left as it is; name "
            + "another folder with --out.\n"))
    let file = try await Tool.run("book", "--out", scratch.path("thesis/one.txt"))
    #expect(
      file
        == Outcome(
          code: 66, output: "",
          errors: "\(scratch.path("thesis/one.txt")) is no folder; name another place for the book "
            + "with --out.\n"))
    #expect(try scratch.data("thesis/one.txt") == Data("mine".utf8))
    #expect(try scratch.names == ["thesis"])
    // A link would be replaced by the book, and what it leads to would be left.
    let link = scratch.path("link")
    try FileManager.default.createSymbolicLink(
      atPath: link, withDestinationPath: scratch.path("thesis"))
    #expect(
      try await Tool.run("book", "--out", link)
        == Outcome(
          code: 66, output: "",
          errors: "\(link) is a symbolic link, and the book would take its place; name the folder "
            + "that it leads to with --out.\n"))
    #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link).hasSuffix("/thesis"))
    let none = try await Tool.run("book", "--out", "")
    #expect(none.code == 64 && none.errors.hasPrefix("--out names no folder"))
  }
}
