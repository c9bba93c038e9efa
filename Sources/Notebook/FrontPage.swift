import Files
import Foundation

/// The README held against the records of the chapters.
///
/// A number is bound by the chapter and the name of its value: `97.4<!--=3.2/final.test-->`, or to
/// what the recorded run took where nothing is kept: `20<!--=3.2/run.minutes-->`, with `run.seconds`
/// and `run.megabytes` beside it. Claims and excerpts belong into chapters, where their code stands.
public struct FrontPage: Sendable {
  private let root: URL
  private let records: [String: Record]
  private static let name = "README.md"

  /// The README of a package.
  ///
  /// - Parameter records: the records of the chapters by their numbers; those that the prose may
  ///   not stand on are left out, and then so are the numbers that are bound to them.
  public init(root: URL, records: [String: Record]) {
    self.root = root
    self.records = records
  }

  private var url: URL { root.appendingPathComponent(Self.name) }

  private func number(named name: String) -> Double? {
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2, let record = records[parts[0]] else { return nil }
    return record.number(named: parts[1]) ?? time(of: parts[0], named: parts[1])
  }

  /// What the recorded run of a chapter took.
  private func time(of chapter: String, named name: String) -> Double? {
    RunStamp(of: chapter, in: root.appendingPathComponent("figures"))?.measure(named: name)?.value
  }

  /// Every place where the README and the records part.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be read.
  public func findings() throws(LabError) -> [Finding] {
    findings(Prose(try ChapterFiles.text(url, in: root)))
  }

  /// How many numbers of the README are bound, and how many are listed as exact.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be read.
  public func counts() throws(LabError) -> NumberCounts {
    Prose(try ChapterFiles.text(url, in: root)).counts
  }

  /// Numbers that say more than is known, by the deviations of their values.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be read.
  public func warnings() throws(LabError) -> [Finding] {
    Prose(try ChapterFiles.text(url, in: root)).numbers.compactMap { number in
      value(named: number.name).flatMap { number.excess(over: $0) }.map {
        Finding(file: Self.name, line: number.line, sentence: $0)
      }
    }
  }

  private func value(named name: String) -> Record.Value? {
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return nil }
    return records[parts[0]]?.values.first { $0.name == parts[1] }
  }

  /// The texts of all chapters.
  private var chapters: [String] {
    let folder = root.appendingPathComponent("Chapters")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.compactMap {
      (try? ChapterFiles.text(folder.appendingPathComponent($0), in: root)).map {
        Manuscript($0).lines.joined(separator: "\n")
      }
    }
  }

  private func findings(_ prose: Prose) -> [Finding] {
    let chapters = chapters
    func finding(_ line: Int, _ sentence: String) -> Finding {
      Finding(file: Self.name, line: line, sentence: sentence)
    }
    var findings = prose.faults.map { finding($0.line, "\($0.sentence).") }
    for place in prose.claims.map(\.line) + prose.excerpts.map(\.line) {
      findings.append(finding(place, "claims and excerpts belong into a chapter."))
    }
    for number in prose.numbers {
      guard let value = self.number(named: number.name) else {
        findings.append(
          finding(number.line, "no record has \(number.name); write chapter/value of a fresh one."))
        continue
      }
      if let difference = number.difference(from: value) {
        findings.append(finding(number.line, difference))
      }
      let parts = number.name.split(separator: "/", maxSplits: 1).map(String.init)
      if let fault = records[parts[0]]?.unitFault(of: number, named: parts[1]) {
        findings.append(finding(number.line, fault))
      }
    }
    findings += prose.deadLinks(from: root, in: root).map { finding($0.line, $0.sentence) }
    for quoted in prose.quotedMarkdown where !chapters.contains(where: { $0.contains(quoted.text) })
    {
      findings.append(finding(quoted.line, "this Markdown stands in no chapter."))
    }
    findings += fixed(prose)
    for image in prose.images {
      if let sentence = fault(of: image.path) { findings.append(finding(image.line, sentence)) }
    }
    return findings.sorted { $0.line < $1.line }
  }

  /// Numbers that are listed as exact and equal a value of a record that the page shows anyway.
  private func fixed(_ prose: Prose) -> [Finding] {
    let names = Set(prose.numbers.map(\.name)).sorted()
    var findings: [Finding] = []
    for number in prose.fixed {
      guard let literal = Literal(number.text) else { continue }
      for name in names where !number.others.contains(name) {
        guard let value = self.number(named: name), literal.tells(value) else { continue }
        findings.append(
          Finding(
            file: Self.name, line: number.line,
            sentence:
              "the fixed number \(number.text) is what the record has for \(name): bind it, or "
              + "write \(number.text)!=\(name) if it is another."))
      }
    }
    return findings
  }

  /// What is wrong with an image: it is a file in figures/, of a chapter the picture of its record.
  private func fault(of path: String) -> String? {
    let url = root.appendingPathComponent(path)
    let name = url.lastPathComponent
    guard path == "figures/\(name)" else {
      return "\(path) is no figure of the lab; show one of figures/."
    }
    guard Binding.isFile(url) else { return "the figure \(path) is missing; run its chapter." }
    // What is of no chapter, such as the picture of a terminal, is bound to nothing.
    guard let (id, record) = records.first(where: { name.hasPrefix("\($0.key)-") }) else {
      return nil
    }
    guard let figure = record.figures.first(where: { "\(id)-\($0.name).svg" == name }) else {
      return "\(path) is no figure of chapter \(id)'s record; show one that it draws."
    }
    return (try? Data(contentsOf: url)).map(digest) == figure.picture
      ? nil : "\(path) is not the picture of chapter \(id)'s record; run the chapter."
  }

  /// Writes the numbers of the records into the README.
  ///
  /// - Returns: what changed, a line each.
  /// - Throws: `LabError` of kind `.failed`, with nothing written, when something is wrong that new
  ///   numbers do not mend.
  public func accept() throws(LabError) -> [String] {
    let text = try ChapterFiles.text(url, in: root)
    var changes: [String] = []
    let written = Prose(text).rewritten { place in
      guard let value = number(named: place.name) else { return nil }
      let text = place.literal.writing(value)
      if text != place.literal.text {
        changes.insert("\(Self.name):\(place.line): \(place.literal.text) → \(text)", at: 0)
      }
      return text
    } excerpt: { _ in
      nil
    }
    if let first = findings(Prose(written)).first {
      throw LabError(.failed, "The README is unchanged: \(first.description)")
    }
    if written != text { try AtomicFile.write(Data(written.utf8), to: url) }
    return changes
  }
}
