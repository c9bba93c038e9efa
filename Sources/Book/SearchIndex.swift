import Foundation

/// What the search reads: a script that assigns it to a variable, so that a page from the disk can
/// load it, which may fetch no file.
struct SearchIndex {
  private struct Page: Encodable {
    let address: String
    let title: String
    /// Anchor, heading and words of each part.
    let sections: [[String]]
  }

  private var pages: [Page] = []

  /// Adds a text by its parts.
  mutating func add(_ body: PageBody, address: String, title: String) {
    pages.append(
      Page(
        address: address, title: title,
        sections: body.sections.filter { !($0.title.isEmpty && $0.text.isEmpty) }.map {
          [$0.anchor, $0.title, Self.words($0.text)]
        }))
  }

  /// Adds a page of one part.
  mutating func add(text: String, address: String, title: String) {
    pages.append(Page(address: address, title: title, sections: [["", "", text]]))
  }

  /// Adds a file by the words that it has, each once with the line of its first mention.
  mutating func add(code: String, address: String, title: String) {
    var lines: [String: Int] = [:]
    for (number, line) in code.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      for word in line.split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "_" })
      where word.count > 2 && !word.allSatisfy(\.isNumber) {
        if lines[String(word)] == nil { lines[String(word)] = number + 1 }
      }
    }
    let words = lines.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
    var sections: [String: [String]] = [:]
    for (word, line) in words { sections["L\(line)", default: []].append(word) }
    pages.append(
      Page(
        address: address, title: title,
        sections: sections.sorted { Int($0.key.dropFirst())! < Int($1.key.dropFirst())! }
          .map { [$0.key, "", $0.value.joined(separator: " ")] }))
  }

  private static func words(_ text: String) -> String {
    // What MathML calls by a name and has no glyph: an application of a function, a product.
    text.replacing(/&[A-Za-z]+;/, with: "").split(whereSeparator: \.isWhitespace)
      .joined(separator: " ")
  }

  /// The script.
  var script: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = (try? encoder.encode(pages)) ?? Data("[]".utf8)
    return Data("window.labSearchIndex = ".utf8) + json + Data(";\n".utf8)
  }
}
