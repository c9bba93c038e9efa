import Crypto
import Files
import Foundation

/// Something in the prose that does not follow from the run.
public struct Finding: Codable, Equatable, Sendable {
  /// The file, as the reader may open it.
  public let file: String
  /// The line, from 1.
  public let line: Int
  /// What is wrong, as a sentence.
  public let sentence: String

  /// `file:line: sentence`.
  public var description: String { "\(file):\(line): \(sentence)" }
}

/// The files of a chapter in a package: prose, code, record and figures.
public struct ChapterFiles: Sendable {
  /// The package's folder.
  public let root: URL
  /// The chapter's number.
  public let id: String
  /// The prose.
  public let prose: URL
  /// The code.
  public let source: URL

  /// Finds a chapter's pair of files by its number.
  ///
  /// - Throws: `LabError` of kind `.input` when one of the two is missing.
  public init(root: URL, id: String) throws(LabError) {
    let folder = root.appendingPathComponent("Chapters")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    func find(_ type: String) throws(LabError) -> URL {
      guard let name = names.sorted().first(where: { $0.hasPrefix(id + "-") && $0.hasSuffix(type) })
      else {
        throw LabError(
          .input, "\(folder.path) has no file \(id)-….\(type.dropFirst()); write it or restore it.")
      }
      return folder.appendingPathComponent(name)
    }
    self.root = root
    self.id = id
    prose = try find(".md")
    source = try find(".swift")
  }

  /// The folder of the write-up's figures and records.
  public var figures: URL { root.appendingPathComponent("figures") }
  /// The record of the last full run.
  public var record: URL { figures.appendingPathComponent("\(id).json") }

  static func read(_ url: URL) throws(LabError) -> Data {
    guard let data = try? Data(contentsOf: url) else {
      throw LabError(.input, "\(url.path) cannot be read; restore it.")
    }
    return data
  }

  static func text(_ url: URL) throws(LabError) -> String {
    String(decoding: try read(url), as: UTF8.self)
  }
}

/// The SHA-256 of some bytes in hexadecimal.
func digest(of data: Data) -> String {
  SHA256.hash(data: data).map { byte in
    String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
  }.joined()
}

/// The prose of a chapter held against its code and the record of a run.
public struct Binding: Sendable {
  let files: ChapterFiles
  let record: Record

  /// A binding of a chapter's files to a record.
  public init(_ files: ChapterFiles, _ record: Record) {
    self.files = files
    self.record = record
  }

  private var proseName: String { "Chapters/\(files.prose.lastPathComponent)" }

  /// Every place where the prose and the run part.
  ///
  /// - Parameters:
  ///   - isRerun: whether numbers may differ from the prose by their own tolerances, as on a run
  ///     after the one that the prose was accepted from.
  ///   - folder: where the figures of the record lie.
  /// - Throws: `LabError` of kind `.input` when a file cannot be read.
  public func findings(isRerun: Bool = false, figuresIn folder: URL? = nil) throws(LabError)
    -> [Finding]
  {
    try findings(Prose(ChapterFiles.text(files.prose)), isRerun: isRerun, figuresIn: folder)
  }

  private func findings(
    _ prose: Prose, isRerun: Bool, figuresIn folder: URL?
  ) throws(LabError) -> [Finding] {
    var findings = prose.faults.map { finding($0.line, "\($0.sentence).") }
    findings += numbers(prose, isRerun: isRerun)
    findings += claims(prose)
    findings += excerpts(prose, Snippets(try ChapterFiles.text(files.source)))
    findings += images(prose, folder ?? files.figures)
    if record.checks.isEmpty {
      findings.append(finding(1, "chapter \(files.id) checks nothing; give it a check."))
    }
    return findings.sorted { $0.line < $1.line }
  }

  private func finding(_ line: Int, _ sentence: String) -> Finding {
    Finding(file: proseName, line: line, sentence: sentence)
  }

  private func numbers(_ prose: Prose, isRerun: Bool) -> [Finding] {
    var findings: [Finding] = []
    var shown: Set<String> = []
    for number in prose.numbers {
      shown.insert(number.name)
      guard let value = record.number(named: number.name) else {
        findings.append(finding(number.line, "no value or quote is named \(number.name)."))
        continue
      }
      let tolerance = record.values.first { $0.name == number.name }?.tolerance ?? 0
      let isNear =
        isRerun && abs(number.literal.value - value) <= tolerance + number.literal.halfUnit
      if !isNear, let difference = number.difference(from: value) {
        findings.append(finding(number.line, difference))
      }
    }
    // A value that only a claim compares is in use.
    for claim in record.claims { shown.formUnion((try? Predicate(claim.predicate).names) ?? []) }
    for name in record.values.map(\.name) + record.quotes.map(\.name) where !shown.contains(name) {
      findings.append(finding(1, "the value \(name) is shown nowhere; show it or drop it."))
    }
    return findings
  }

  private func claims(_ prose: Prose) -> [Finding] {
    var findings: [Finding] = []
    for claim in prose.claims {
      let made = record.claims.first { $0.sentence.words == claim.sentence }
      if let made, made.predicate.words != claim.predicate.words {
        findings.append(
          finding(claim.line, "the claim is “\(claim.predicate)”, the run's “\(made.predicate)”."))
      } else if let made, !made.holds || !holds(made) {
        findings.append(finding(claim.line, "the claim “\(made.predicate)” is false."))
      } else if made == nil {
        findings.append(
          finding(claim.line, "the run does not claim “\(claim.sentence)”."))
      }
    }
    for made in record.claims
    where !prose.claims.contains(where: { $0.sentence == made.sentence.words }) {
      findings.append(
        finding(1, "the run claims “\(made.sentence.words)”, which the prose does not say."))
    }
    return findings
  }

  /// Whether a claim is true of the numbers of the record, whatever the record says of it.
  private func holds(_ claim: Record.Claim) -> Bool {
    var numbers: [String: Double] = [:]
    for quote in record.quotes { numbers[quote.name] = quote.value }
    for value in record.values { numbers[value.name] = value.value }
    return (try? Predicate(claim.predicate).holds(in: numbers)) == true
  }

  private func excerpts(_ prose: Prose, _ snippets: Snippets) -> [Finding] {
    var findings = snippets.faults.map {
      Finding(file: "Chapters/\(files.source.lastPathComponent)", line: 1, sentence: "\($0).")
    }
    for excerpt in prose.excerpts {
      guard let region = snippets.regions[excerpt.name] else {
        findings.append(
          finding(excerpt.line, "the Swift file has no region snippet.\(excerpt.name)."))
        continue
      }
      let code = prose.code(excerpt)
      if code != region {
        let place = zip(code, region).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        findings.append(
          finding(
            excerpt.line + 2 + (place ?? min(code.count, region.count)),
            "the excerpt \(excerpt.name) is not what the Swift file has."))
      }
    }
    return findings
  }

  private static func digest(of name: String, in folder: URL) -> String? {
    (try? Data(contentsOf: folder.appendingPathComponent(name))).map(Notebook.digest)
  }

  private func images(_ prose: Prose, _ folder: URL) -> [Finding] {
    var findings: [Finding] = []
    var shown: Set<String> = []
    for image in prose.images where !image.path.contains("://") {
      let name = (image.path as NSString).lastPathComponent
      shown.insert(name)
      if !record.figures.contains(where: { "\(files.id)-\($0.name).svg" == name })
        || image.path != "../figures/\(name)"
      {
        findings.append(finding(image.line, "\(image.path) is no figure of this chapter."))
      } else if !FileManager.default.fileExists(atPath: folder.appendingPathComponent(name).path) {
        findings.append(finding(image.line, "the figure \(name) is missing; run the chapter."))
      }
    }
    for figure in record.figures {
      let stem = "\(files.id)-\(figure.name)"
      if !shown.contains("\(stem).svg") {
        findings.append(finding(1, "the figure \(stem).svg is shown nowhere."))
      }
      if Self.digest(of: "\(stem).dat", in: folder) != figure.data {
        findings.append(
          finding(1, "\(stem).dat is not the data of the recorded run; run the chapter."))
      }
      // One that is missing was found where it is shown.
      if let picture = Self.digest(of: "\(stem).svg", in: folder), picture != figure.picture {
        findings.append(
          finding(1, "\(stem).svg is not the picture of the recorded run; run the chapter."))
      }
    }
    return findings
  }

  /// Writes the numbers and the excerpts of the record and the code into the prose.
  ///
  /// - Returns: what changed, a line each.
  /// - Throws: `LabError` of kind `.failed`, with nothing written, when something is wrong that new
  ///   numbers and excerpts do not mend: `findings` would still find it in what would be written.
  public func accept() throws(LabError) -> [String] {
    let text = try ChapterFiles.text(files.prose)
    let prose = Prose(text)
    let snippets = Snippets(try ChapterFiles.text(files.source))
    var changes: [String] = []
    let written = prose.rewritten { number in
      guard let value = record.number(named: number.name) else { return nil }
      let text = number.literal.writing(value)
      if text != number.literal.text {
        changes.insert("\(proseName):\(number.line): \(number.literal.text) → \(text)", at: 0)
      }
      return text
    } excerpt: { excerpt in
      guard let region = snippets.regions[excerpt.name] else { return nil }
      if region != prose.code(excerpt) {
        changes.append("\(proseName):\(excerpt.line): excerpt \(excerpt.name)")
      }
      return region
    }
    let left = try findings(Prose(written), isRerun: false, figuresIn: nil)
    if let first = left.first {
      let more = left.count == 1 ? "" : ", with \((left.count - 1).of("finding")) more"
      throw LabError(
        .failed,
        "Nothing was written: \(first.description.dropLast())\(more); mend the prose or the code "
          + "by hand.")
    }
    if written != text { try AtomicFile.write(Data(written.utf8), to: files.prose) }
    return changes
  }
}
