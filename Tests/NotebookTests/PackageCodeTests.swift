import Foundation
@testable import Notebook
import Testing

@Suite struct SwiftNamesTests {
  @Test func wordsAreThoseOfTheCode() {
    let names = SwiftNames(
      ##"""
      // Classifier in a comment /* that is none
      /* Patches /* KMeans */ Whitening */
      let a = "Ladder \(half(Rung.first, "\(inner)")) // no comment" + #"Raw \(x) "quoted" \#(deep)"#
      let b = """
        Long "text" \(insideText)
        """
      let c = x.matches(of: /"quote (Pattern)/) ?? y / 2 / z
      after(`default`, A.B)
      """##)
    #expect(names.isWhole)
    for word in ["half", "Rung", "inner", "deep", "insideText", "after", "default", "y", "z", "B"] {
      #expect(names.words.contains(word), "\(word)")
    }
    for word in ["Classifier", "Patches", "KMeans", "Ladder", "Raw", "Long", "Pattern"] {
      #expect(!names.words.contains(word), "\(word)")
    }
  }

  @Test func declarationsAreThoseThatOtherFilesCanUse() {
    let names = SwiftNames(
      """
      import Tensors
      private import Files
      public struct Net: Module { var inside: Int { 1 } func alsoInside() {} }
      @available(*, deprecated) final class Old {}
      class Base { class func make() {} }
      indirect enum Tree { case leaf }
      private struct Hidden {}
      public protocol Rule { associatedtype Part }
      typealias Batch = (Int, Int)
      func free<T>(_ x: T = { 1 }()) {}
      fileprivate func own() {}
      public private(set) var counter = 0
      let (one, two) = (1, 2)
      infix operator <+>: Sum
      precedencegroup Sum {}
      func ** (a: Int, b: Int) -> Int { 1 }
      extension Net { func late() {} }
      extension Tensor {
        var squared: Int { let local = 1; return local }
        private func own2() {}
        static func <+> (a: Tensor, b: Tensor) -> Tensor { a }
        struct Slice {}
      }
      private extension Double { var hush: Double { self } }
      """)
    #expect(names.isWhole)
    #expect(
      names.declared == [
        "Net", "Old", "Base", "Tree", "Rule", "Batch", "free", "counter", "one", "two", "<+>",
        "Sum",
        "**", "squared", "Slice",
      ])
    #expect(names.types == ["Net", "Old", "Base", "Tree", "Rule"])
    #expect(names.extended == [["Tensor"]])
    #expect(names.silentlyExtended == [])
  }

  @Test(arguments: [
    "extension Tensor: Module {}",
    "extension Tensor { subscript(a: Int) -> Int { 1 } }",
    "extension Int { public func callAsFunction() {} }",
    "extension Array: @retroactive Rule where Element: Rule { }",
    "func ~= (a: Int, b: String) -> Bool { true }",
  ])
  func whatIsUsedWithoutANameIsSilent(_ source: String) {
    #expect(SwiftNames(source).silentlyExtended.count == 1)
  }

  /// A file of this suite, cut off at each place and with each byte missing in turn.
  @Test func noCodeIsTooOddToBeRead() throws {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: #filePath)).prefix(2500)
    for place in bytes.indices {
      _ = SwiftNames(String(decoding: bytes[..<place], as: UTF8.self))
      _ = SwiftNames(String(decoding: bytes[..<place] + bytes[(place + 1)...], as: UTF8.self))
    }
  }

  /// Pieces of code that are the same but for comments and the width of white space.
  @Test(arguments: [
    ("let a = 1 // one\n\n    let b = 2\n", "let a = 1\nlet b = 2"),
    ("/// Doc.\nfunc f(\n    _ a: Int) {}", "func f(\n_ a: Int) {}"),
    ("a /* one /* two */ */ b", "a b"),
    ("let c = \"x // \\(y /* z */) /* w */\"", "let c = \"x // \\(y ) /* w */\""),
  ])
  func codeAloneKnowsNoComment(_ one: String, _ other: String) {
    #expect(SwiftTokens(one).codeAlone == SwiftTokens(other).codeAlone)
    #expect(String(decoding: SwiftTokens(other).codeAlone, as: UTF8.self) == other)
  }

  @Test(arguments: [
    ("\"a  b\"", "\"a b\""), ("\"a // b\"", "\"a \""), ("a\nb", "a b"), ("ab", "a b"),
    ("a/**/b", "ab"), ("a\n/* c */ b", "a b"), ("f /* a\n */ (x)", "f /* a */ (x)"),
    ("// a\rlet b = 1", "// a\rlet b = 2"), ("switch /a  b/", "switch /a b/"),
    ("#\"a // b\"#", "#\"a \"#"), ("#/a  b/#", "#/a b/#"), ("struct A { // one", "struct A {"),
    ("\"\"\"\n  a\n\n  b\n  \"\"\"", "\"\"\"\n  a\n  b\n  \"\"\""), ("/a  b/", "/a b/"),
    ("let a = \"open // one", "let a = \"open"),
  ])
  func codeAloneKeepsTheRest(_ one: String, _ other: String) {
    #expect(SwiftTokens(one).codeAlone != SwiftTokens(other).codeAlone)
  }

  @Test(arguments: [
    "func f() { \"open }", "struct A {", "let a = 1 }", "/* open", "let a = \"\"\" x",
  ])
  func codeThatIsNotUnderstoodNamesAllThatItHolds(_ source: String) {
    let names = SwiftNames(source + "\n// Classifier\n")
    #expect(!names.isWhole)
    #expect(names.words.contains("Classifier"))
  }
}

/// A package of several experiments in a temporary folder.
struct PackageTree: ~Copyable {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  deinit { try? FileManager.default.removeItem(at: root) }

  func write(_ path: String, _ text: String) throws {
    let place = root.appendingPathComponent(path)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: place)
  }

  var code: PackageCode { PackageCode(root: root) }

  /// The names of the files that a chapter's results depend on.
  func reached(_ id: String, and own: [String] = []) -> Set<String> {
    Set(code.sources(of: id, and: own).keys.map { ($0 as NSString).lastPathComponent })
  }
}

@Suite struct PackageCodeTests {
  /// Two experiments, methods in a folder and below it, and what experiments share.
  private func tree() throws -> PackageTree {
    let tree = PackageTree()
    try tree.write("Sources/Tensors/Kernels.swift", "struct Kernels {}")
    try tree.write(
      "Sources/Tensors/Deep/Tile.swift", "struct Tile {}\npublic typealias Patch =\n  Tile")
    try tree.write("Sources/COpenBLAS/shim.h", "#include <cblas.h>")
    try tree.write("Sources/Methods/Classifier.swift", "public struct Classifier { var k: Means }")
    try tree.write("Sources/Methods/Patches/Means.swift", "public struct Means {}")
    try tree.write("Sources/Methods/Patches/Other.swift", "public struct Other {}")
    try tree.write("Sources/Experiments/Shared/Spread.swift", "struct Spread { let m: Means }")
    try tree.write("Sources/Experiments/1.1/Job.swift", "struct Job { let c: Classifier }")
    try tree.write("Sources/Experiments/1.1/Parts/Table.swift", "struct Table {}")
    try tree.write("Sources/Experiments/1.2/Job.swift", "struct Job2 { let s = Spread() }")
    try tree.write("Chapters/1.1-one.swift", "let o = Other()")
    return tree
  }

  @Test func aResultDependsOnItsFolderAndOnWhatThisNamesFollowedFurther() throws {
    let tree = try tree()
    #expect(tree.reached("1.1") == ["Job.swift", "Table.swift", "Classifier.swift", "Means.swift"])
    #expect(tree.reached("1.2") == ["Job.swift", "Spread.swift", "Means.swift"])
    #expect(
      tree.reached("1.1", and: ["Chapters/1.1-one.swift"])
        == tree.reached("1.1").union(["1.1-one.swift", "Other.swift"]))
    #expect(tree.reached("9.9") == [])
    #expect(
      tree.code.sources(of: "1.2", quoting: ["Sources/Methods/Patches/Other.swift"]).keys
        .contains("Sources/Methods/Patches/Other.swift"))
  }

  @Test func anEditChangesTheDigestsOfThoseThatReachIt() throws {
    let tree = try tree()
    func digests() -> [String] {
      ["1.1", "1.2"].map { PackageCode.digest(tree.code.sources(of: $0)) }
    }
    let before = (digests(), tree.code.engineDigest)
    for (path, changes) in [
      ("Sources/Methods/Classifier.swift", [true, false]),
      ("Sources/Methods/Patches/Means.swift", [true, true]),
      ("Sources/Methods/Patches/Other.swift", [false, false]),
      ("Sources/Experiments/Shared/Spread.swift", [false, true]),
      ("Sources/Experiments/1.1/Parts/Table.swift", [true, false]),
      ("Sources/Experiments/1.2/New.swift", [false, true]),
      ("Sources/Notebook/Page.swift", [false, false]),
      ("Sources/Tensors/Kernels.swift", [false, false]),
    ] {
      let place = tree.root.appendingPathComponent(path)
      let old = try? Data(contentsOf: place)
      let text = old.map { String(decoding: $0, as: UTF8.self) } ?? ""
      try tree.write(path, text + "\nprivate let edited = 1")
      #expect(zip(digests(), before.0).map { $0 != $1 } == changes, "\(path)")
      #expect((tree.code.engineDigest != before.1) == path.hasPrefix("Sources/Tensors"), "\(path)")
      if let old { try old.write(to: place) } else { try FileManager.default.removeItem(at: place) }
      #expect(digests() == before.0)
    }
    for path in [
      "Sources/Tensors/Deep/Tile.swift", "Sources/COpenBLAS/shim.h", "Sources/Guard/Guard.c",
    ] {
      let engine = tree.code.engineDigest
      try tree.write(path, "// edited")
      #expect(tree.code.engineDigest != engine, "\(path)")
    }
  }

  @Test func aCommentChangesNoDigestOfSwift() throws {
    let tree = try tree()
    func digests() -> [String] {
      [PackageCode.digest(tree.code.sources(of: "1.1", and: ["Chapters/1.1-one.swift"]))]
        + [tree.code.engineDigest]
    }
    let before = digests()
    for path in [
      "Sources/Methods/Classifier.swift", "Sources/Experiments/1.1/Job.swift",
      "Sources/Tensors/Kernels.swift", "Chapters/1.1-one.swift",
    ] {
      let place = tree.root.appendingPathComponent(path)
      let old = String(decoding: try Data(contentsOf: place), as: UTF8.self)
      try tree.write(path, "/// A comment.\n  \(old)  // another\n")
      #expect(digests() == before, "\(path)")
    }
    try tree.write("Sources/COpenBLAS/shim.h", "#include <cblas.h> // edited")
    #expect(digests()[1] != before[1])
  }

  /// What another file gives to a type is reached though the type's user names neither.
  @Test(arguments: [
    ("extension Means { func late() {} }", "let c: Classifier"),
    ("extension Means: Codable {}", "let c: Classifier"),
    ("extension Tensor { var rows: Int { 1 } }", "x.rows"),
    ("func helper() {}", "helper()"),
    ("let constant = 1", "constant"),
    ("func ** (a: Int, b: Int) {}", "a**b"),
    ("extension Double { static func ** (a: Int, b: Int) {} }", "a **-b"),
    ("extension Tensor { subscript(a: Int) -> Int { 1 } }", "nothing"),
    ("extension Array: Rule where Element: Rule {}", "nothing"),
    ("typealias Pair = (Int, Int)", "x as Pair"),
    ("extension Tensor { init(x: Int) {} }", "Tensor(x: 1)"),
    ("extension Tensors.Tensor { init(x: Int) {} }", "[Tensor]()"),
    ("extension Tensor { init(x: Int) {} }", "f(.init(x: 1))"),
    // The engine calls it something else.
    ("extension Tile { init(x: Int) {} }", "Patch(x: 1)"),
    ("struct Broken { \"", "nothing"),
  ])
  func extensionsAndOperatorsAreReached(_ added: String, _ use: String) throws {
    let tree = try tree()
    try tree.write("Sources/Methods/Added.swift", added)
    try tree.write("Sources/Experiments/1.1/Use.swift", "func use() { \(use) }")
    #expect(tree.reached("1.1").contains("Added.swift"))
  }

  @Test func whatNobodyNamesIsNotReached() throws {
    let tree = try tree()
    try tree.write(
      "Sources/Methods/Added.swift",
      "private func use() {}\nextension Tensor { var rows: Int { 1 } }\nfunc ** (a: Int, b: Int) {}"
    )
    try tree.write(
      "Sources/Experiments/1.1/Use.swift", "func use() { \"rows **\" } // rows ** \n/* rows */")
    #expect(!tree.reached("1.1").contains("Added.swift"))
  }

  /// The package that these tests belong to.
  private static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The modules of a package that stand in no list, and in two.
  private static func misplaced(_ root: URL) throws -> [String] {
    let folders = try FileManager.default.contentsOfDirectory(
      atPath: root.appendingPathComponent("Sources").path)
    let listed = PackageCode.named + PackageCode.engine + PackageCode.apart
    return folders.filter { name in listed.count { $0 == name } != 1 }
  }

  @Test func eachModuleIsInOneList() throws {
    #expect(try Self.misplaced(Self.package) == [])
    let tree = try tree()
    try tree.write("Sources/Unheard/New.swift", "")
    #expect(try Self.misplaced(tree.root) == ["Unheard"])
  }

  /// On the code of the lab itself: an edit of a method changes only those who reach it.
  @Test func anEditOfAMethodOfTheLabLeavesTheOthersAlone() throws {
    let tree = PackageTree()
    let manager = FileManager.default
    for folder in ["Chapters", "Sources"] {
      try manager.createDirectory(at: tree.root, withIntermediateDirectories: true)
      try manager.copyItem(
        at: Self.package.appendingPathComponent(folder),
        to: tree.root.appendingPathComponent(folder))
    }
    let chapters = try manager.contentsOfDirectory(atPath: tree.root.path + "/Chapters")
      .filter { $0.hasSuffix(".swift") && $0.contains("-") }.sorted()
    func sources() -> [[String: String]] {
      let code = tree.code
      return chapters.map { name in
        code.sources(of: String(name.prefix { $0 != "-" }), and: ["Chapters/\(name)"])
      }
    }
    let before = sources()
    #expect(before.contains { $0.count > 1 })
    let methods = try manager.subpathsOfDirectory(atPath: tree.root.path + "/Sources/Methods")
      .filter { $0.hasSuffix(".swift") }.map { "Sources/Methods/\($0)" }
    for path in methods {
      let place = tree.root.appendingPathComponent(path)
      let old = try Data(contentsOf: place)
      try (old + Data("\nprivate let edited = 1\n".utf8)).write(to: place)
      let changed = zip(sources(), before).map { $0 != $1 }
      #expect(changed == before.map { $0[path] != nil }, "\(path)")
      // The derivations by hand need no method.
      #expect(changed.contains(false), "\(path) belongs to every chapter: is that so?")
      try old.write(to: place)
    }
  }

  @Test func theFilesOfTheLabAreUnderstood() throws {
    let manager = FileManager.default
    for folder in ["Sources", "Chapters"] {
      let root = Self.package.appendingPathComponent(folder)
      for path in try manager.subpathsOfDirectory(atPath: root.path) where path.hasSuffix(".swift")
      {
        let text = try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
        #expect(SwiftNames(text).isWhole, "\(folder)/\(path)")
        let tokens = SwiftTokens(text)
        let alone = SwiftTokens(String(decoding: tokens.codeAlone, as: UTF8.self))
        #expect(alone.tokens == tokens.tokens && alone.codeAlone == tokens.codeAlone, "\(path)")
      }
    }
  }
}
