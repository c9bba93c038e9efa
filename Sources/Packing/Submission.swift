import Files
import Foundation

/// What is handed in: the write-up, the code, the predictions, and what says how to get them again.
///
/// The model is not in it; its digest and the commands that make it are.
public struct Submission: Sendable {
  /// What is known of the model that is not handed in.
  public struct Model: Sendable {
    /// Its SHA-256 in hexadecimal.
    public let digest: String
    /// Its size.
    public let bytes: Int
    /// The options of `lab model` that it was made with, each with a space before it.
    public let options: String

    /// A model, by what is known of it.
    public init(digest: String, bytes: Int, options: String) {
      (self.digest, self.bytes, self.options) = (digest, bytes, options)
    }
  }

  /// The folders and files of the package that are handed in, as they stand.
  ///
  /// Not only what trains and predicts: without the tests the manifest could not be read, and without
  /// the records nobody could check the write-up.
  static let parts = [
    ".ci", ".swift-format", "Benchmarks", "CHANGELOG.md", "CONTRIBUTING.md", "Chapters", "LICENSE",
    "Package.swift", "README.md", "Sources", "Tests", "figures", "results",
  ]

  let team: String
  let model: Model
  /// How many predictions differ when the first steps are taken on the other tile.
  let differing: Int?

  /// What a team hands in.
  ///
  /// - Parameters:
  ///   - team: its name, which is that of the folder.
  ///   - differing: how many of the predictions differ between the two tiles after their first steps;
  ///     nil where nobody knows.
  public init(team: String, model: Model, differing: Int?) {
    (self.team, self.model, self.differing) = (team, model, differing)
  }

  /// The title that the sheet wants for the message.
  public func title(course: String) -> String { "[\(course) \(team)] Submission Lab2B" }

  /// The ZIP file.
  ///
  /// - Parameters:
  ///   - root: the package's folder.
  ///   - writeUp: the files of the write-up by their paths; the one that is opened is `lab.pdf` or
  ///     `index.html`.
  ///   - predictions: the table.
  /// - Throws: `LabError` of kind `.input` when a file of the package cannot be read.
  public func zip(of root: URL, writeUp: [String: Data], predictions: Data) throws -> ZipFile {
    var files: [String: Data] = ["predictions.csv": predictions]
    for (path, data) in writeUp { files["writeup/\(path)"] = data }
    for path in try Self.code(of: root) {
      guard let data = try? Data(contentsOf: root.appendingPathComponent(path)) else {
        throw LabError(.input, "\(path) cannot be read; restore it.")
      }
      files["code/\(path)"] = data
    }
    files["mnist_model.sh"] = Data(script("model", model.options).utf8)
    files["mnist_result.sh"] = Data(script("result", "").utf8)
    let start = writeUp["lab.pdf"] == nil ? "index.html" : "lab.pdf"
    files["README.md"] = Data(readme(start, predictions).utf8)
    files["CODE.md"] = Data(page.utf8)
    let sums = files.keys.sorted().map { path in
      "\(SHA256.digest(of: files[path]!).hexadecimal)  \(path)\n"
    }
    files["SHA256SUMS"] = Data(sums.joined().utf8)
    var zip = ZipFile()
    for (path, data) in files { zip.add(data, as: "\(team)/\(path)") }
    return zip
  }

  /// The paths of the package's files that are handed in, sorted; no model and nothing that is made.
  static func code(of root: URL) throws -> [String] {
    var paths: [String] = []
    for part in parts {
      let url = root.appendingPathComponent(part)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder) else {
        continue
      }
      guard isFolder.boolValue else {
        paths.append(part)
        continue
      }
      let below = try FileManager.default.subpathsOfDirectory(atPath: url.path)
      paths += below.map { "\(part)/\($0)" }.filter { isHandedIn($0, in: root) }
    }
    return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func isHandedIn(_ path: String, in root: URL) -> Bool {
    let parts = path.split(separator: "/")
    guard !parts.dropFirst().contains(where: { $0.hasPrefix(".") || $0 == "__pycache__" }) else {
      return false
    }
    let name = parts.last!
    // Weights are a trained model, under whatever name they are kept.
    let kinds = ["lab", "checkpoint", "bin", "pyc", "zip", "npy", "pt"]
    guard !kinds.contains(where: { name.hasSuffix(".\($0)") }) else { return false }
    // What a link leads to need not be the package's.
    var status = stat()
    return lstat(root.appendingPathComponent(path).path, &status) == 0
      && status.st_mode & S_IFMT == S_IFREG
  }
}
