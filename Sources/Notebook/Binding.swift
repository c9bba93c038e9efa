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

/// How many numbers of a text are bound in which way.
public struct NumberCounts: Codable, Equatable, Sendable {
  /// Numbers with a marker of their own, and numbers that a claim's comparison has.
  public var bound = 0
  /// Numbers that are listed as exact.
  public var fixed = 0
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

  /// The text of a file of a package, which an error names by its path there.
  static func text(_ url: URL, in root: URL) throws(LabError) -> String {
    let home = root.path.hasSuffix("/") ? root.path : root.path + "/"
    let path = url.path.hasPrefix(home) ? String(url.path.dropFirst(home.count)) : url.path
    return try Manuscript.text(of: try read(url), path: path)
  }

  /// How many numbers of the prose are bound, and how many are listed as exact.
  ///
  /// - Throws: `LabError` of kind `.input` when the prose cannot be read.
  public func counts() throws(LabError) -> NumberCounts {
    Prose(try Self.text(prose, in: root)).counts
  }

  /// The Swift files below Sources/ that the prose quotes by their paths, sorted, each once.
  ///
  /// - Throws: `LabError` of kind `.input` when the prose cannot be read.
  public func quotedFiles() throws(LabError) -> [String] {
    Set(Prose(try Self.text(prose, in: root)).excerpts.compactMap(\.file)).sorted()
  }
}

/// The SHA-256 of some bytes in hexadecimal.
func digest(of data: Data) -> String { SHA256.digest(of: data).hexadecimal }

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
    try findings(
      Prose(ChapterFiles.text(files.prose, in: files.root)), isRerun: isRerun, figuresIn: folder)
  }

  /// Numbers that say more than is known: their last digit is finer than the second digit of the
  /// deviation of the value that they show.
  ///
  /// - Throws: `LabError` of kind `.input` when the prose cannot be read.
  public func warnings() throws(LabError) -> [Finding] {
    Prose(try ChapterFiles.text(files.prose, in: files.root)).numbers.compactMap { number in
      record.values.first { $0.name == number.name }.flatMap { number.excess(over: $0) }
        .map { finding(number.line, $0) }
    }
  }

  private func findings(
    _ prose: Prose, isRerun: Bool, figuresIn folder: URL?
  ) throws(LabError) -> [Finding] {
    var findings = prose.faults.map { finding($0.line, "\($0.sentence).") }
    findings += numbers(prose, isRerun: isRerun)
    // Another run's values may come to equal a fixed number by chance.
    if !isRerun { findings += fixed(prose) }
    findings += claims(prose)
    findings += try excerpts(prose)
    findings += images(prose, folder ?? files.figures)
    findings += prose.deadLinks(from: files.prose.deletingLastPathComponent(), in: files.root)
      .map { finding($0.line, $0.sentence) }
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
      if let fault = record.unitFault(of: number, named: number.name) {
        findings.append(finding(number.line, fault))
      }
      let isNear =
        isRerun && abs(number.literal.value - value) <= tolerance + number.literal.halfUnit
      if !isNear, let difference = number.difference(from: value) {
        findings.append(finding(number.line, difference))
      } else if !isRerun, let sentence = number.disappearance(of: value, tolerance: tolerance) {
        findings.append(finding(number.line, sentence))
      }
    }
    // A value that only a claim compares is in use.
    for claim in record.claims { shown.formUnion((try? Predicate(claim.predicate).names) ?? []) }
    for name in record.values.map(\.name) + record.quotes.map(\.name) where !shown.contains(name) {
      findings.append(finding(1, "the value \(name) is shown nowhere; show it or drop it."))
    }
    return findings
  }

  /// Numbers that are listed as exact and equal a value of the run at their digits.
  ///
  /// Small round numbers equal one by chance; three digits, or two behind a point, seldom do.
  private func fixed(_ prose: Prose) -> [Finding] {
    let known =
      record.values.map { ($0.name, $0.value) } + record.quotes.map { ($0.name, $0.value) }
    var findings: [Finding] = []
    for number in prose.fixed {
      for name in number.others where !known.contains(where: { $0.0 == name }) {
        findings.append(
          finding(number.line, "no value or quote is named \(name); drop it from the list."))
      }
      guard let literal = Literal(number.text) else { continue }
      for (name, value) in known where literal.tells(value) && !number.others.contains(name) {
        findings.append(
          finding(
            number.line,
            "the fixed number \(number.text) is what the run has for \(name): bind it, or write "
              + "\(number.text)!=\(name) if it is another."))
      }
    }
    return findings
  }

  private func claims(_ prose: Prose) -> [Finding] {
    var findings: [Finding] = []
    for claim in prose.claims {
      do {
        if let turned = ClaimWords.fault(
          of: claim.sentence, try Predicate(claim.predicate), numbers)
        {
          findings.append(finding(claim.line, "\(turned)."))
        }
      } catch {
        findings.append(finding(claim.line, error.description))
      }
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
    (try? Predicate(claim.predicate).holds(in: numbers)) == true
  }

  private var numbers: [String: Double] {
    var numbers: [String: Double] = [:]
    for quote in record.quotes { numbers[quote.name] = quote.value }
    for value in record.values { numbers[value.name] = value.value }
    return numbers
  }

  /// The regions of the Swift files that a prose quotes; the key of the paired one is empty.
  private func snippets(_ prose: Prose) throws(LabError) -> [String: Snippets] {
    var snippets = ["": Snippets(try ChapterFiles.text(files.source, in: files.root))]
    for file in Set(prose.excerpts.compactMap(\.file)) {
      let url = files.root.appendingPathComponent("Sources/\(file)")
      // A file that is not there has no regions, which is found where it is quoted.
      if Self.isFile(url) { snippets[file] = Snippets(try ChapterFiles.text(url, in: files.root)) }
    }
    return snippets
  }

  private func excerpts(_ prose: Prose) throws(LabError) -> [Finding] {
    let snippets = try snippets(prose)
    var findings: [Finding] = []
    for (file, regions) in snippets {
      let name = file.isEmpty ? "Chapters/\(files.source.lastPathComponent)" : "Sources/\(file)"
      findings += regions.faults.map {
        Finding(file: name, line: $0.line, sentence: "\($0.sentence).")
      }
    }
    for excerpt in prose.excerpts {
      let name = excerpt.file.map { "Sources/\($0)" } ?? "the Swift file"
      guard let regions = snippets[excerpt.file ?? ""]?.regions else {
        findings.append(
          finding(excerpt.line, "there is no file \(name) to quote; give a path below Sources/."))
        continue
      }
      guard let region = regions[excerpt.name] else {
        findings.append(finding(excerpt.line, "\(name) has no region snippet.\(excerpt.name)."))
        continue
      }
      let code = prose.code(excerpt)
      if code != region {
        let place = zip(code, region).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        findings.append(
          finding(
            excerpt.line + 2 + (place ?? min(code.count, region.count)),
            "the excerpt \(excerpt.name) is not what \(name) has."))
      }
    }
    return findings
  }

  /// Whether something is a file and no folder.
  static func isFile(_ url: URL) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }

  private func images(_ prose: Prose, _ folder: URL) -> [Finding] {
    var findings: [Finding] = []
    var shown: [String] = []
    for image in prose.images {
      let name = (image.path as NSString).lastPathComponent
      guard record.figures.contains(where: { "\(files.id)-\($0.name).svg" == name }),
        image.path == "../figures/\(name)"
      else {
        findings.append(finding(image.line, "\(image.path) is no figure of this chapter."))
        continue
      }
      if !shown.contains(name) {
        // A picture in the place of another stands under the other's words.
        let places = [shown.last, name].map { name in
          record.figures.firstIndex { "\(files.id)-\($0.name).svg" == name } ?? -1
        }
        if let last = shown.last, places[0] > places[1] {
          findings.append(
            finding(
              image.line,
              "the figure \(name) stands behind \(last), and the run draws it before; "
                + "give prose and run the same order."))
        }
        shown.append(name)
      }
    }
    for figure in record.figures {
      let stem = "\(files.id)-\(figure.name)"
      let line = prose.images.first { $0.path.hasSuffix("/\(stem).svg") }?.line ?? 1
      if !shown.contains("\(stem).svg") {
        findings.append(finding(1, "the figure \(stem).svg is shown nowhere."))
      }
      let picture = folder.appendingPathComponent("\(stem).svg")
      if !Self.isFile(picture) {
        findings.append(finding(line, "the figure \(stem).svg is missing; run the chapter."))
      } else if (try? Data(contentsOf: picture)).map(digest) != figure.picture {
        findings.append(
          finding(
            line, "\(stem).svg is not the picture of the recorded run; run the chapter."))
      }
      let data = try? Data(contentsOf: folder.appendingPathComponent("\(stem).dat"))
      if data.map(digest) != figure.data {
        findings.append(
          finding(line, "\(stem).dat is not the data of the recorded run; run the chapter."))
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
    let text = try ChapterFiles.text(files.prose, in: files.root)
    let prose = Prose(text)
    let snippets = try snippets(prose)
    var changes: [String] = []
    let written = prose.rewritten { number in
      guard let value = record.number(named: number.name) else { return nil }
      let text = number.literal.writing(value)
      if text != number.literal.text {
        changes.insert("\(proseName):\(number.line): \(number.literal.text) → \(text)", at: 0)
      }
      return text
    } excerpt: { excerpt in
      guard let region = snippets[excerpt.file ?? ""]?.regions[excerpt.name] else { return nil }
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
        "Chapter \(files.id) is unchanged: \(first.description.dropLast())\(more); mend the prose or "
          + "the code by hand.")
    }
    if written != text { try AtomicFile.write(Data(written.utf8), to: files.prose) }
    return changes
  }
}
