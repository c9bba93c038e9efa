import Foundation
import Testing

/// The shape of the package: each rule holds of the tree as it is, and is seen to fail on one in
/// which it is broken.
@Suite struct ArchitectureTests {
  let tree: SourceTree

  init() throws {
    tree = try SourceTree(
      package: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent())
  }

  func expect(
    _ rule: KeyPath<SourceTree, [String]>, brokenBy changes: [(String, String?)],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(tree[keyPath: rule] == [], sourceLocation: sourceLocation)
    for (path, text) in changes {
      var broken = tree
      broken.files[path] = text
      #expect(
        broken[keyPath: rule] != [], "\(path): \(text ?? "gone")", sourceLocation: sourceLocation)
    }
  }

  @Test func importsRunOneWay() {
    expect(
      \.wrongImports,
      brokenBy: [
        ("Sources/Methods/New.swift", "import Notebook\n"),
        ("Sources/Notebook/New.swift", "import Tensors\n"),
        ("Sources/Notebook/New.swift", "import Networks\n"),
        ("Sources/Bench/New.swift", "import Chapters\n"),
        ("Sources/Book/New.swift", "import Experiments\n"),
        ("Sources/Methods/New.swift", "import Book\n"),
        ("Sources/Pictures/New.swift", "import Experiments\n"),
        ("Sources/Handwriting/New.swift", "import Book\n"),
        ("Sources/Derivations/New.swift", "import Notebook\n"),
        ("Sources/Experiments/3.9/New.swift", "import Derivations\n"),
        ("Sources/Experiments/3.9/New.swift", "import Pictures\n"),
        ("Sources/Bench/New.swift", "@testable import Experiments\n"),
        ("Sources/Networks/New.swift", "import Digits\n"),
        ("Sources/Experiments/3.9/New.swift", "import Chapters\n"),
        ("Sources/Tensors/New.swift", "@_exported import Files\nimport Gradients\n"),
        ("Sources/Elsewhere/New.swift", "import Foundation\n"),
        ("Sources/Methods/New.swift", "import struct Notebook.Page\n"),
        ("Sources/Notebook/New.swift", "package import Networks\n"),
        ("Sources/Notebook/New.swift", "@_spi(Wide) internal import enum Tensors.Tile\n"),
      ])
    expect(
      \.strayImportsOfChapters,
      brokenBy: [
        ("Tests/BenchTests/New.swift", "@testable import Chapters\n"),
        ("Tests/MethodsTests/New.swift", "import enum Chapters.Baseline\n"),
      ])
  }

  @Test func experimentsDoNotKnowEachOther() {
    expect(
      \.entangledExperiments,
      brokenBy: [
        ("Sources/Experiments/3.9/New.swift", "let network: VGGNetwork\n"),
        ("Sources/Experiments/Shared/New.swift", "func f() -> RecipeTraining.Job\n"),
      ])
    var mentioned = tree
    mentioned.files["Sources/Experiments/3.9/New.swift"] =
      "// as VGGNetwork does\nlet a = \"Job\"\n"
    #expect(mentioned.entangledExperiments == [])
  }

  @Test func chaptersHoldsPairsAndTheirList() {
    expect(
      \.strayChapterFiles,
      brokenBy: [
        ("Chapters/Helper.swift", ""), ("Chapters/notes.txt", ""), ("Chapters/3.9-alone.md", ""),
        ("Chapters/3.9-alone.swift", ""), ("Chapters/1.1-activation-derivatives.swift", nil),
      ])
  }

  @Test func aChapterIsListedOnceWhereverChaptersAreListed() throws {
    let (manifest, readme) = (tree.files["Package.swift"]!, tree.files["README.md"]!)
    let list = tree.files["Chapters/Chapters.swift"]!
    expect(
      \.wrongLists,
      brokenBy: [
        ("Chapters/3.9-another.md", ""),
        ("Package.swift", manifest.replacing("3.1-baseline.md", with: "3.1-base.md")),
        ("README.md", readme.replacing("Chapters/3.1-baseline.md", with: "Chapters/3.1.md")),
        ("Chapters/Chapters.swift", list.replacing("  Baseline.self,\n", with: "")),
      ])
  }

  @Test func noModuleHasTheNameOfATypeInIt() {
    expect(
      \.modulesNamedAfterTypes, brokenBy: [("Sources/Digits/New.swift", "public enum Digits {}\n")])
  }

  @Test func testsMirrorTheModules() {
    expect(
      \.testsThatMirrorNothing,
      brokenBy: [
        ("Tests/OtherTests/New.swift", ""), ("Sources/Reader/New.swift", "import Notebook\n"),
      ])
  }
}
