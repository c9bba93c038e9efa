import Files
import Foundation

/// The README held against the records of the chapters.
///
/// A number is bound by the chapter and the name of its value: `97.4<!--=3.2/final.test-->`. Claims
/// and excerpts belong into chapters, where their code stands.
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
    return parts.count == 2 ? records[parts[0]]?.number(named: parts[1]) : nil
  }

  /// Every place where the README and the records part.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be read.
  public func findings() throws(LabError) -> [Finding] {
    findings(Prose(try ChapterFiles.text(url)))
  }

  /// The texts of all chapters.
  private var chapters: [String] {
    let folder = root.appendingPathComponent("Chapters")
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { $0.hasSuffix(".md") }.compactMap {
      try? ChapterFiles.text(folder.appendingPathComponent($0))
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
    }
    for quoted in prose.quotedMarkdown where !chapters.contains(where: { $0.contains(quoted.text) })
    {
      findings.append(finding(quoted.line, "this Markdown stands in no chapter."))
    }
    for image in prose.images where !image.path.contains("://") {
      let place = root.appendingPathComponent(image.path)
      if !FileManager.default.fileExists(atPath: place.path) {
        findings.append(finding(image.line, "the figure \(image.path) is missing."))
      }
    }
    return findings.sorted { $0.line < $1.line }
  }

  /// Writes the numbers of the records into the README.
  ///
  /// - Returns: what changed, a line each.
  /// - Throws: `LabError` of kind `.failed`, with nothing written, when something is wrong that new
  ///   numbers do not mend.
  public func accept() throws(LabError) -> [String] {
    let text = try ChapterFiles.text(url)
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
      throw LabError(.failed, "Nothing was written: \(first.description)")
    }
    if written != text { try AtomicFile.write(Data(written.utf8), to: url) }
    return changes
  }
}
