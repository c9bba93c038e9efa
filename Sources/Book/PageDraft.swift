import Files
import Foundation
import Notebook

/// A text of the lab on its way to a page: converted from Markdown, its marks kept by tokens.
///
/// Before the conversion each mark becomes a token of characters that Unicode leaves to private use.
/// To the converter they are letters: in a table, in emphasis, in a link they change nothing. An own
/// line of the source stays a comment, as it is to GitHub, so that both see the same paragraphs; and
/// since code in the result is escaped, what is a comment there was one in the source.
struct PageDraft {
  private static let opening: Character = "\u{E000}"
  private static let closing: Character = "\u{E001}"

  /// The path of the text in the package.
  let path: String
  /// The chapter that it is; nil for another text.
  let chapter: String?
  let marked: MarkedProse
  let pieces: [Markup.Piece]

  /// Converts a text.
  ///
  /// - Throws: `LabError` of kind `.tool` when the converter is missing, of kind `.input` when the
  ///   text has characters that stand for marks here.
  init(
    _ text: String, path: String, chapter: String?, by conversions: Conversions
  ) async throws {
    if text.contains(where: { $0 == Self.opening || $0 == Self.closing }) {
      throw LabError(
        .input, "\(path) has a character for private use (U+E000 or U+E001); delete it.")
    }
    self.path = path
    self.chapter = chapter
    let marked = MarkedProse(text)
    self.marked = marked
    let replaced = marked.text { index, mark in
      if case .excerpt = mark { return "<!--excerpt \(index)-->" }
      return "\(Self.opening)\(index)\(Self.closing)"
    }
    let html = try await conversions(of: ["Markdown", replaced]) { () async throws in
      try await Markdown.html(of: replaced)
    }
    pieces = Markup.pieces(of: html)
  }

  /// A part of a text: words, or the mark in their place.
  enum Part {
    case words(String)
    case mark(Int)
  }

  /// The words of a text and the marks between them.
  static func parts(of text: String) -> [Part] {
    guard text.contains(opening) else { return [.words(text)] }
    var parts: [Part] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: opening), let end = rest[start...].firstIndex(of: closing)
    {
      if start > rest.startIndex { parts.append(.words(String(rest[..<start]))) }
      parts.append(.mark(Int(rest[rest.index(after: start)..<end])!))
      rest = rest[rest.index(after: end)...]
    }
    if !rest.isEmpty { parts.append(.words(String(rest))) }
    return parts
  }

  /// A text with the source in the place of each mark, where nothing else can stand: in an attribute.
  func plain(_ text: String) -> String {
    Self.parts(of: text).map { part in
      switch part {
      case .words(let words): words
      case .mark(let index):
        switch marked.marks[index] {
        case .number(let text, _): text
        case .formula(let source): Markup.escaped(source)
        default: ""
        }
      }
    }.joined()
  }

  /// The code of the block that begins at a piece, and the pieces that it takes; nil for none.
  func codeBlock(at index: Int) -> (language: String, code: String, end: Int)? {
    guard case .open(let outer) = pieces[index], outer.name == "pre", index + 1 < pieces.count,
      case .open(let inner) = pieces[index + 1], inner.name == "code",
      let end = pieces[index...].firstIndex(of: .close("pre"))
    else { return nil }
    let code = pieces[index + 2..<end].compactMap { piece in
      if case .text(let text) = piece { Markup.unescaped(text) } else { nil }
    }.joined()
    let language = (inner["class"] ?? "").replacing("language-", with: "")
    return (language, code, end + 1)
  }

  /// The formulas of the text, those in lines and those on lines of their own.
  var formulas: [Formula] {
    var formulas = marked.marks.compactMap { mark in
      if case .formula(let source) = mark { Formula(source, isDisplay: false) } else { nil }
    }
    for index in pieces.indices {
      if let block = codeBlock(at: index), block.language == "math" {
        formulas.append(Formula(block.code, isDisplay: true))
      }
    }
    return formulas
  }
}
