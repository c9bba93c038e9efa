import Foundation

/// The package as texts by their paths, and the rules that hold its shape together.
///
/// A rule returns what breaks it, one sentence each; nothing is read from the disk but by `init`.
struct SourceTree {
  /// The text of each file by its path in the package.
  var files: [String: String]

  /// A tree from texts.
  init(_ files: [String: String]) { self.files = files }

  /// What git would track of the folders that the rules speak of.
  init(package root: URL) throws {
    files = [:]
    for folder in ["Sources", "Chapters", "Tests"] {
      let base = root.appendingPathComponent(folder)
      for case let path as String in FileManager.default.enumerator(atPath: base.path) ?? .init() {
        let isText = path.hasSuffix(".swift") || path.hasSuffix(".md")
        guard isText || folder == "Chapters" else { continue }
        files["\(folder)/\(path)"] =
          isText
          ? try String(contentsOf: base.appendingPathComponent(path), encoding: .utf8) : ""
      }
    }
    for name in ["Package.swift", "README.md"] {
      files[name] = try String(contentsOf: root.appendingPathComponent(name), encoding: .utf8)
    }
  }

  // MARK: Imports

  /// Modules that are written in C, or stand for a library that is.
  static let native = ["BuiltFor", "CCrypto", "CCurl", "CLanes", "COpenBLAS", "CZlib", "Guard"]

  /// The modules from the bottom up; a line may import from those above it in this list.
  static let layers: [[String]] = [
    native, ["Files", "Lanes"], ["Tensors"], ["Gradients"], ["Networks"], ["Digits"], ["Methods"],
    ["Experiments"], ["Chapters"], ["lab"],
  ]

  /// What a module may import of the package.
  static func allowed(_ module: String) -> Set<String>? {
    switch module {
    case "Notebook": return ["Files"]
    case "Book": return ["Files", "Notebook"]
    case "Packing": return ["CZlib", "Files"]
    case "Serving": return ["Book", "Files", "Notebook"]
    case "Bench": return allowed("Methods")!.union(["Methods", "Notebook"])
    case "Methods", "Digits", "Networks", "Gradients", "Tensors", "Files", "Lanes":
      let place = layers.firstIndex { $0.contains(module) }!
      return Set(layers[..<place].joined())
    case "Derivations": return ["Files", "Tensors"]
    case "Pictures": return allowed("Methods")!.union(["Methods"])
    case "Experiments", "Handwriting": return allowed("Methods")!.union(["Methods", "Notebook"])
    case "Chapters": return allowed("Experiments")!.union(["Experiments"])
    case "lab":
      return allowed("Chapters")!.union([
        "Chapters", "Bench", "Book", "Derivations", "Handwriting", "Packing", "Pictures", "Serving",
      ])
    default: return nil
    }
  }

  /// The module that a source file belongs to.
  static func module(of path: String) -> String? {
    let parts = path.split(separator: "/").map(String.init)
    guard path.hasSuffix(".swift") else { return nil }
    return parts[0] == "Chapters" ? "Chapters" : parts[0] == "Sources" ? parts[1] : nil
  }

  /// The modules of the package, as the folders have them.
  var modules: Set<String> { Set(files.keys.compactMap(Self.module)) }

  /// Imports that run the other way.
  var wrongImports: [String] {
    let own = modules.union(Self.native)
    return files.sorted { $0.key < $1.key }.flatMap { path, text -> [String] in
      guard let module = Self.module(of: path) else { return [] }
      guard let allowed = Self.allowed(module) else {
        return ["\(path): the module \(module) has no place in the order of imports"]
      }
      return Self.imports(of: text).filter { own.contains($0) && !allowed.contains($0) }
        .map { "\(path): \(module) must not import \($0)" }
    }
  }

  static func imports(of text: String) -> [String] {
    let levels = ["public", "package", "internal", "fileprivate", "private"]
    let kinds = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
    return text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ").map(String.init)
      guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
        words[..<place].allSatisfy({ $0.hasPrefix("@") || levels.contains($0) })
      else { return nil }
      let name =
        kinds.contains(words[place + 1]) ? words.dropFirst(place + 2).first : words[place + 1]
      return name.map { String($0.prefix { $0 != "." }) }
    }
  }

  /// Tests of other modules that import the chapters, which `lab` and its tests alone may do.
  var strayImportsOfChapters: [String] {
    files.sorted { $0.key < $1.key }.filter { path, text in
      let folder = path.split(separator: "/").dropFirst().first ?? ""
      return path.hasPrefix("Tests/") && !["labTests", "ChaptersTests"].contains(folder)
        && Self.imports(of: text).contains("Chapters")
    }.map { "\($0.key) must not import Chapters" }
  }

  // MARK: Declarations

  /// The types that a text declares, nested ones too.
  static func types(in text: String) -> Set<String> {
    let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "actor", "typealias"]
    var types: Set<String> = []
    for line in text.split(separator: "\n") where !line.drop(while: \.isWhitespace).hasPrefix("//")
    {
      let words = line.split { !$0.isLetter && !$0.isNumber && $0 != "_" }
      for (kind, name) in zip(words, words.dropFirst())
      where kinds.contains(kind) && name.first!.isUppercase { types.insert(String(name)) }
    }
    return types
  }

  /// The code of a text as words: comments and the contents of strings are none.
  static func words(of text: String) -> Set<String> {
    var words: Set<String> = []
    for line in text.split(separator: "\n") {
      let code = line.split(
        separator: "//", maxSplits: 1, omittingEmptySubsequences: false)[0]
      let parts = code.split(separator: "\"", omittingEmptySubsequences: false)
      for (index, part) in parts.enumerated() where index % 2 == 0 {
        for word in part.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" }) {
          words.insert(String(word))
        }
      }
    }
    return words
  }

  /// Modules with the name of a type in them: `Lanes.Lanes` could not be told apart.
  var modulesNamedAfterTypes: [String] {
    modules.sorted().filter { module in
      files.contains {
        Self.module(of: $0.key) == module && Self.types(in: $0.value).contains(module)
      }
    }.map { "the module \($0) has the name of a type in it" }
  }

  /// Folders of Experiments that name a type of another.
  var entangledExperiments: [String] {
    var types: [String: Set<String>] = [:]
    for (path, text) in files where path.hasPrefix("Sources/Experiments/") {
      types[Self.experiment(path), default: []].formUnion(Self.topLevelTypes(in: text))
    }
    return files.sorted { $0.key < $1.key }.flatMap { path, text -> [String] in
      guard path.hasPrefix("Sources/Experiments/") else { return [] }
      let own = Self.experiment(path)
      // A nested type of the file's own may have the name of another's.
      let words = Self.words(of: text).subtracting(Self.types(in: text))
      return types.sorted { $0.key < $1.key }.flatMap { folder, names -> [String] in
        guard folder != own, folder != "Shared" else { return [] }
        return names.intersection(words).sorted().map { "\(path) names \($0) of \(folder)" }
      }
    }
  }

  private static func experiment(_ path: String) -> String {
    String(path.split(separator: "/")[2])
  }

  private static func topLevelTypes(in text: String) -> Set<String> {
    types(
      in: text.split(separator: "\n").filter { !$0.hasPrefix(" ") }.joined(separator: "\n"))
  }

  // MARK: Chapters

  /// The chapters that have a pair in the folder.
  var pairs: [String] {
    files.keys.filter { $0.hasPrefix("Chapters/") && $0.hasSuffix(".md") }
      .map { String($0.dropFirst("Chapters/".count).dropLast(3)) }.sorted()
  }

  /// What stands in Chapters beside pairs and the list of them.
  var strayChapterFiles: [String] {
    let names = Set(files.keys.filter { $0.hasPrefix("Chapters/") })
    let expected = Set(
      pairs.flatMap { ["Chapters/\($0).md", "Chapters/\($0).swift"] } + ["Chapters/Chapters.swift"])
    return names.symmetricDifference(expected).sorted().map {
      names.contains($0) ? "\($0) is no half of a pair" : "\($0) is missing"
    }
  }

  /// Lists of the chapters that are not the folder's: in Package.swift, Chapters.swift, the README.
  var wrongLists: [String] {
    let manifest = files["Package.swift"]!.matches(of: /"([0-9][^"]*)\.md"/).map { String($0.1) }
    let ids = pairs.map { String($0.prefix { $0 != "-" }) }
    let readme = files["README.md"]!
      .matches(of: /\]\(Chapters\/([^)]*)\.md\) \|/).map { String($0.1) }
    let listed = files["Chapters/Chapters.swift"]!.matches(of: /(\w+)\.self/).map { type in
      files.first {
        $0.key.hasPrefix("Chapters/") && $0.value.contains("enum \(type.1): Chapter {")
      }.map { String($0.key.dropFirst("Chapters/".count).prefix { $0 != "-" }) } ?? "\(type.1)"
    }
    return [
      ("Package.swift", manifest, pairs), ("README.md", readme, pairs),
      ("Chapters.swift", listed, ids),
    ]
    .filter { $0.1 != $0.2 }.map { "\($0.0) lists \($0.1) instead of \($0.2)" }
  }

  /// Modules and chapters without tests of their own, and tests of nothing.
  var testsThatMirrorNothing: [String] {
    let folders = Set(
      files.keys.filter { $0.hasPrefix("Tests/") }.map { String($0.split(separator: "/")[1]) })
    let mirrors = Set(modules.map { "\($0)Tests" })
    let known = mirrors.union(["ArchitectureTests", "Attack", "Browser", "Fuzz", "Servers"])
    return folders.subtracting(known).sorted().map { "Tests/\($0) mirrors no module" }
      + mirrors.subtracting(folders).sorted()
      .map { "there is no Tests/\($0)" }
  }
}
