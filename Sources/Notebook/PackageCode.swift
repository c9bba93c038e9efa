import Foundation

/// The code of a package as it stood at one time: which files a result depends on, and their digests.
///
/// The digest of a Swift file is that of its code: neither a comment nor the width of white space,
/// outside of texts, changes a result.
///
/// A result depends on two things. One is what a chapter and its experiment are made of: their own
/// files, and those files of the methods and of what experiments share that they name, followed
/// further; when one of them changes, the result is stale. The other is the engine, all modules
/// below them as a whole; when only that changes, the result is of an older engine.
///
/// Which files are named is read from the code itself. A file is named when one of the identifiers
/// that it declares stands in the code of another: types, functions and operators, and the members
/// that it adds to types of elsewhere. A file that extends a type of the methods belongs to that
/// type's file; one that gives a type of elsewhere an initialiser is named by that type's name; one
/// that gives it a conformance or a subscript, which are used without a name, belongs to every
/// result.
public struct PackageCode: Sendable {
  /// The modules whose files a result names one by one.
  public static let named = ["Methods", "Experiments"]
  /// The modules below all results.
  public static let engine = [
    "BuiltFor", "CCrypto", "CCurl", "CLanes", "COpenBLAS", "CZlib", "Files", "Guard", "Lanes",
    "Tensors", "Gradients", "Networks", "Digits",
  ]
  /// The modules that no result depends on: they write it down, measure or show, or do what no
  /// chapter does.
  public static let apart = [
    "Notebook", "Book", "Bench", "Derivations", "Handwriting", "Packing", "Pictures", "Serving",
    "lab",
  ]

  /// The SHA-256 of the engine, in hexadecimal.
  public let engineDigest: String

  private let root: URL
  /// The files that are named one by one, by their paths in the package.
  private let files: [String: File]
  /// The files that declare a word, and those that declare an operator.
  private var declarations: (words: [String: [String]], symbols: [(String, String)]) = ([:], [])
  /// The files that belong to another: they extend a type that it declares.
  private var extensions: [String: [String]] = [:]
  /// The files that every result depends on.
  private var omnipresent: [String] = []

  private struct File: Sendable {
    let digest: String
    let names: SwiftNames
  }

  /// Reads the code of a package.
  ///
  /// - Parameter root: the package's folder. What is missing there counts as empty.
  public init(root: URL) {
    self.root = root
    let engine = Self.engine.flatMap { Self.paths(below: "Sources/\($0)", of: root) }
    engineDigest = Self.digest(
      Dictionary(uniqueKeysWithValues: engine.map { ($0, Self.digest(ofFile: $0, in: root)) }))
    let paths = Self.named.flatMap { Self.paths(below: "Sources/\($0)", of: root) }
    files = Dictionary(
      uniqueKeysWithValues: paths.map { path in
        let data = Self.data(of: path, in: root)
        let names = SwiftNames(String(decoding: data, as: UTF8.self))
        return (path, File(digest: Self.digest(of: data, path), names: names))
      })
    let aliased = engine.reduce(into: Set<String>()) { words, path in
      words.formUnion(
        Self.aliasedWords(String(decoding: Self.data(of: path, in: root), as: UTF8.self)))
    }
    index(paths.filter { Self.experiment(of: $0) == nil }, aliased)
  }

  /// The words of what the engine gives another name.
  private static func aliasedWords(_ source: String) -> [String] {
    source.components(separatedBy: "typealias ").dropFirst().flatMap { text in
      text.prefix(300).split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
    }
  }

  /// Finds who declares what among the files that any chapter may name.
  ///
  /// - Parameter aliased: the types that can be meant by a name which is not theirs.
  private mutating func index(_ paths: [String], _ aliased: Set<String>) {
    var types: [String: [String]] = [:]
    for path in paths {
      for name in files[path]!.names.types { types[name, default: []].append(path) }
      for name in files[path]!.names.declared {
        if name.first.map({ $0.isLetter || $0 == "_" }) == true {
          declarations.words[name, default: []].append(path)
        } else {
          declarations.symbols.append((name, path))
        }
      }
    }
    for path in paths {
      let names = files[path]!.names
      for extended in names.extended {
        for owner in Set(extended.flatMap { types[$0] ?? [] }) where owner != path {
          extensions[owner, default: []].append(path)
        }
      }
      func isOfElsewhere(_ extended: [String]) -> Bool { !extended.contains { types[$0] != nil } }
      let initialised = names.initialised.filter(isOfElsewhere)
      if !names.isWhole || names.silentlyExtended.contains(where: isOfElsewhere)
        || initialised.contains(where: { $0.isEmpty || $0.contains(where: aliased.contains) })
      {
        omnipresent.append(path)
      } else if !initialised.isEmpty {
        for name in initialised.compactMap(\.last) + [".init"] {
          declarations.words[name, default: []].append(path)
        }
      }
    }
  }

  /// The chapter whose own experiment a file is; nil for what all may use.
  private static func experiment(of path: String) -> String? {
    let parts = path.split(separator: "/")
    guard parts.count > 3, parts[1] == "Experiments", parts[2] != "Shared" else { return nil }
    return String(parts[2])
  }

  // MARK: What a result depends on

  /// The digests of the files that a result of a chapter depends on, by their paths in the package.
  ///
  /// - Parameters:
  ///   - id: the chapter's number; all files of its folder in Experiments count.
  ///   - own: further files of the chapter's own, which are followed too, such as its Swift file.
  ///   - quoted: files that count and are not followed.
  public func sources(
    of id: String, and own: [String] = [], quoting quoted: [String] = []
  ) -> [String: String] {
    var digests: [String: String] = [:]
    for path in quoted { digests[path] = Self.digest(ofFile: path, in: root) }
    var open: [(path: String, names: SwiftNames)] = []
    for path in own {
      let data = Self.data(of: path, in: root)
      digests[path] = Self.digest(of: data, path)
      open.append((path, SwiftNames(String(decoding: data, as: UTF8.self))))
    }
    func reach(_ path: String) {
      guard let file = files[path], reached.insert(path).inserted else { return }
      digests[path] = file.digest
      open.append((path, file.names))
    }
    var reached: Set<String> = []
    for path in files.keys where Self.experiment(of: path) == id { reach(path) }
    omnipresent.forEach(reach)
    while let (path, names) = open.popLast() {
      for word in names.words { declarations.words[word]?.forEach(reach) }
      for (symbol, owner) in declarations.symbols
      where names.symbols.contains(where: { $0.contains(symbol) }) { reach(owner) }
      extensions[path]?.forEach(reach)
    }
    return digests
  }

  /// One digest for some files and their digests, in hexadecimal.
  public static func digest(_ files: [String: String]) -> String {
    let lines = files.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)\n" }
    return Notebook.digest(of: Data(lines.joined().utf8))
  }

  // MARK: Files

  /// The code below a folder, in subfolders too, as sorted paths in the package.
  private static func paths(below folder: String, of root: URL) -> [String] {
    let manager = FileManager.default
    let names =
      (try? manager.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)) ?? []
    return names.filter { name in
      [".swift", ".c", ".h", ".modulemap"].contains { name.hasSuffix($0) }
    }.map { "\(folder)/\($0)" }.sorted()
  }

  private static func data(of path: String, in root: URL) -> Data {
    (try? Data(contentsOf: root.appendingPathComponent(path))) ?? Data()
  }

  /// The digest of a file; of one that is missing, a word.
  private static func digest(ofFile path: String, in root: URL) -> String {
    (try? Data(contentsOf: root.appendingPathComponent(path))).map { digest(of: $0, path) }
      ?? "missing"
  }

  /// The digest of a file's code: of Swift without comments, of all else as it stands.
  static func digest(of data: Data, _ path: String) -> String {
    guard path.hasSuffix(".swift"), let source = String(validating: data, as: UTF8.self) else {
      return Notebook.digest(of: data)
    }
    return Notebook.digest(of: Data(SwiftTokens(source).codeAlone))
  }
}
