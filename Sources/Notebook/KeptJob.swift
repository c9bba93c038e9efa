import Files
import Foundation

/// A result of long work as it stands in a file, with what it is the result of.
///
/// The file is JSON with a line for each field, the result on one of them, however large. Its digest
/// is that of its text without the digest: a file that was edited or cut off is found.
struct KeptJob: Codable, Sendable {
  /// The version of the format that this program writes and reads.
  static let currentVersion = 1

  /// The chapter that the work belongs to.
  var chapter: String
  /// When it was done, as ISO 8601 has it.
  var date: String
  /// The SHA-256 of the file's text with this field empty, in hexadecimal.
  var digest = ""
  /// The digest of the engine that did it.
  var engine: String
  /// What it was done on.
  var machine: Machine
  /// How long the run was.
  var mode: Record.Mode
  /// What tells it apart from the chapter's other work.
  var name: String
  /// Whether it is what other work begins with, and is kept on one machine alone; nil where it is not.
  var isStage: Bool?
  /// The most memory that the process held meanwhile; nil where the system does not tell.
  var peakMegabytes: Double?
  /// How long it took.
  var seconds: Double
  /// The seed of all random streams.
  var seed: UInt64
  /// Its share of that time among what was done side by side with it; nil where nobody counted.
  var shareSeconds: Double?
  /// One digest of all files that it depends on; see `PackageCode.sources`.
  var sources: String
  /// The version of this format.
  var version = currentVersion

  /// The result as JSON on one line.
  private(set) var result = ""

  private enum CodingKeys: String, CodingKey {
    case chapter, date, digest, engine, isStage, machine, mode, name, peakMegabytes, seconds, seed
    case shareSeconds, sources, version
  }

  /// The digest of the result alone, in hexadecimal.
  var resultDigest: String { Notebook.digest(of: Data(result.utf8)) }

  /// The name of the file that holds a result: what a reader recognises, and what tells it apart.
  static func fileName(_ name: String) -> String {
    let words = name.lowercased().split {
      !($0.isASCII && ($0.isLetter || $0.isNumber || $0 == "."))
    }
    let slug = String(words.joined(separator: "-").prefix(48))
    return "\(slug.isEmpty ? "job" : slug)-\(Notebook.digest(of: Data(name.utf8)).prefix(8)).json"
  }

  /// Takes a result.
  /// - Throws: `LabError` when it cannot be written as JSON.
  mutating func hold(_ result: some Encodable) throws(LabError) {
    self.result = try Self.json(result)
  }

  /// Lets go of the result, where only what it is of still matters.
  mutating func forgetResult() { result = "" }

  static func json(_ value: some Encodable) throws(LabError) -> String {
    String(
      decoding: try Record.encode(value, [.sortedKeys, .withoutEscapingSlashes]), as: UTF8.self)
  }

  /// The file, with its digest.
  func encoded() throws(LabError) -> Data {
    func text(_ digest: String) throws(LabError) -> String {
      var fields = [
        "chapter": try Self.json(chapter), "date": try Self.json(date),
        "digest": try Self.json(digest), "engine": try Self.json(engine),
        "machine": try Self.json(machine), "mode": try Self.json(mode),
        "name": try Self.json(name), "result": result, "seconds": try Self.json(seconds),
        "seed": try Self.json(seed), "sources": try Self.json(sources),
        "version": try Self.json(version),
      ]
      if let shareSeconds { fields["shareSeconds"] = try Self.json(shareSeconds) }
      if let isStage { fields["isStage"] = try Self.json(isStage) }
      if let peakMegabytes { fields["peakMegabytes"] = try Self.json(peakMegabytes) }
      let lines = fields.sorted { $0.key < $1.key }.map { "  \"\($0.key)\" : \($0.value)" }
      return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
    }
    return Data(try text(Notebook.digest(of: Data(try text("").utf8))).utf8)
  }

  /// Reads a file.
  ///
  /// - Parameter isBelieved: whether one that was edited is read all the same.
  /// - Returns: nil when it is none of this version, or was edited or cut off.
  init?(_ data: Data, isBelieved: Bool = false) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = Record.nonFiniteNumbers.decoding
    guard let job = try? decoder.decode(KeptJob.self, from: data),
      job.version == Self.currentVersion
    else { return nil }
    self = job
    let text = String(decoding: data, as: UTF8.self)
    guard let start = text.range(of: "\n  \"result\" : ")?.upperBound else { return nil }
    if !isBelieved {
      guard let line = text.range(of: "\n  \"digest\" : \"\(digest)\",\n") else { return nil }
      let bare = text.replacingCharacters(in: line, with: "\n  \"digest\" : \"\",\n")
      guard digest == Notebook.digest(of: Data(bare.utf8)) else { return nil }
    }
    result = String(text[start...].prefix { $0 != "\n" })
    if result.last == "," { result.removeLast() }
  }

  init(
    chapter: String, engine: String, machine: Machine, mode: Record.Mode, name: String,
    peakMegabytes: Double?, seconds: Double, seed: UInt64, shareSeconds: Double?, sources: String
  ) {
    self.chapter = chapter
    self.engine = engine
    self.machine = machine
    self.mode = mode
    self.name = name
    self.peakMegabytes = peakMegabytes
    self.seconds = seconds
    self.seed = seed
    self.shareSeconds = shareSeconds
    self.sources = sources
    date = RunStamp.now
  }

  /// The result as what it was.
  func decoded<Result: Decodable>(as type: Result.Type) -> Result? {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = Record.nonFiniteNumbers.decoding
    return try? decoder.decode(type, from: Data(result.utf8))
  }
}
