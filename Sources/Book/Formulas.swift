import Files
import Foundation
import Notebook

/// A formula of the prose.
struct Formula: Hashable, Comparable {
  /// Its LaTeX, each run of white space made one space.
  let source: String
  /// Whether it stands on lines of its own.
  let isDisplay: Bool

  /// A formula as the prose has it.
  init(_ source: String, isDisplay: Bool) {
    self.source = source.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    self.isDisplay = isDisplay
  }

  /// The first 16 hexadecimal digits of the SHA-256 of form and source, which it is kept by.
  var digest: String {
    let text = (isDisplay ? "block\n" : "inline\n") + source
    return String(SHA256.digest(of: Data(text.utf8)).hexadecimal.prefix(16))
  }

  static func < (a: Formula, b: Formula) -> Bool {
    (a.source, a.isDisplay ? 1 : 0) < (b.source, b.isDisplay ? 1 : 0)
  }
}

/// The formulas of the book as MathML, kept in a file of the package so that a build without the
/// converter repeats them.
///
/// A line of the file is the digest of a formula, its form, its LaTeX and its MathML, with tabs
/// between them; the lines are sorted, so that a change of one formula is one of one line.
struct Formulas {
  /// Where they are kept, in the package.
  static let path = "Sources/Book/formulas.tsv"
  /// The program that converts, in the package.
  static let tool = "Sources/Book/Tools/formulas.py"

  private let root: URL
  private var kept: [String: (formula: Formula, mathml: String)] = [:]
  private let old: Data?

  /// Reads what is kept in a package.
  ///
  /// - Throws: `LabError` of kind `.input` when a line of it is none.
  init(root: URL) throws(LabError) {
    self.root = root
    old = try? Data(contentsOf: root.appendingPathComponent(Self.path))
    let lines = String(decoding: old ?? Data(), as: UTF8.self).split(separator: "\n")
    for (index, line) in lines.enumerated() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      let formula = Formula(
        fields.count == 4 ? fields[2] : "", isDisplay: fields[1...].first == "block")
      guard fields.count == 4, formula.digest == fields[0], fields[3].hasPrefix("<math") else {
        throw LabError(
          .input,
          "\(Self.path):\(index + 1) is no kept formula; delete the line and run: swift run lab book"
        )
      }
      kept[fields[0]] = (formula, fields[3])
    }
  }

  /// The MathML of a formula, once it is known.
  subscript(_ formula: Formula) -> String? { kept[formula.digest]?.mathml }

  /// Converts what is not kept, and forgets what no page has.
  ///
  /// - Parameter places: where the formulas stand, each as an error shall name it.
  /// - Returns: how many were converted.
  /// - Throws: `LabError` of kind `.tool` when the converter is missing, of kind `.input` when a
  ///   formula is none.
  mutating func complete(_ places: [Formula: String]) async throws -> Int {
    let missing = places.keys.filter { self[$0] == nil }.sorted()
    if !missing.isEmpty {
      for (formula, result) in zip(missing, try await converted(missing)) {
        guard let mathml = result.mathml else {
          throw LabError(
            .input,
            "\(places[formula]!): the formula \(formula.source) cannot be converted: "
              + "\(result.error ?? "no reason was given").")
        }
        kept[formula.digest] = (formula, Self.oneLine(mathml))
      }
    }
    let digests = Set(places.keys.map(\.digest))
    kept = kept.filter { digests.contains($0.key) }
    return missing.count
  }

  /// Writes what is kept, when it is another than before.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be written.
  func write() throws(LabError) {
    let lines = kept.sorted { $0.key < $1.key }.map { digest, entry in
      let form = entry.formula.isDisplay ? "block" : "inline"
      return "\(digest)\t\(form)\t\(entry.formula.source)\t\(entry.mathml)\n"
    }
    let data = Data(lines.joined().utf8)
    guard data != old else { return }
    try AtomicFile.write(data, to: root.appendingPathComponent(Self.path))
  }

  private static func oneLine(_ mathml: String) -> String {
    mathml.split(whereSeparator: \.isNewline).joined(separator: " ").replacing("\t", with: " ")
  }

  private struct Request: Encodable {
    let source: String
    let isDisplay: Bool
  }

  private struct Result: Decodable {
    let mathml: String?
    let error: String?
  }

  private func converted(_ formulas: [Formula]) async throws -> [Result] {
    let count =
      formulas.count == 1 ? "1 formula is" : "\(formulas.count) formulas are"
    let install = "install it with: pip install 'math-core==0.9.*'."
    let python = Program(
      name: "python3",
      remedy: "\(count) not converted that \(Self.path) does not keep; install it with: apt-get "
        + "install python3-pip, and pip install 'math-core==0.9.*'")
    let input = try JSONEncoder().encode(
      formulas.map { Request(source: $0.source, isDisplay: $0.isDisplay) })
    let outcome = try await python.run(
      [root.appendingPathComponent(Self.tool).path], input: input)
    guard outcome.isGood,
      let results = try? JSONDecoder().decode([Result].self, from: outcome.output),
      results.count == formulas.count
    else {
      let reason = outcome.complaint.isEmpty ? "" : " (\(outcome.complaint))"
      throw LabError(
        .tool,
        "\(count) not kept in \(Self.path), and python3 has no math-core 0.9 to convert with"
          + "\(reason); \(install)")
    }
    return results
  }
}
