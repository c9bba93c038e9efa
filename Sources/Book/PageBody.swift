import Files
import Foundation
import Notebook

/// What stands on a page between its head and its end, and what the page's other parts need of it.
struct PageBody {
  /// A heading, with its anchor.
  struct Heading {
    let level: Int
    let id: String
    /// Its words as elements, without links.
    let html: String
  }

  /// A part of the page under one heading, as the search reads it.
  struct Section {
    let anchor: String
    let title: String
    var text = ""
  }

  /// A sentence of the page that is bound to a comparison.
  struct Claim {
    let id: String
    let sentence: String
    let predicate: String
    /// The comparison with its numbers in the place of its names; nil where a number is missing.
    let filled: String?
    let holds: Bool?
  }

  /// Code that the page shows.
  struct Excerpt {
    let id: String
    let name: String
    let file: String
    let lines: ClosedRange<Int>?
  }

  /// The words of the first heading, which the page's head shows.
  var title = ""
  var html = ""
  var headings: [Heading] = []
  var sections: [Section] = []
  /// The values that the page shows, each once, in the order of their first mention.
  var values: [Records.Value] = []
  var claims: [Claim] = []
  var excerpts: [Excerpt] = []
  /// The files of the pictures that the page shows.
  var pictures: [String] = []
  /// The files of the package that the page shows a part of, or leads to.
  var files: Set<String> = []

  /// What stands before the first picture and the first part.
  var beginning: String {
    let end = ["<h2", "<figure"].compactMap { html.range(of: $0)?.lowerBound }.min()
    return String(html[..<(end ?? html.endIndex)])
  }
}

/// Writes the body of a page from its draft.
struct PageWriter {
  let draft: PageDraft
  let templates: Templates
  let formulas: Formulas
  let records: Records
  let root: URL
  /// What stands below the heading of the exercises: tasks whose answers a command judges.
  let tasks: TaskDrafts?
  /// The way from the page to the book's folder.
  let way: String
  var map: SiteMap
  let conversions: Conversions

  private static let claimStart = "<span class=\"claim\">"

  private(set) var body = PageBody()
  private var slugs: [String: Int] = [:]
  /// Elements that are open.
  private var open: [Markup.Tag] = []
  private var pendingExcerpt: Int?
  /// The claim that is open, and whether its element has begun.
  private var claim: (index: Int, depth: Int)?
  /// The heading that is being read: where its words begin, and the words for the search.
  private var heading: (level: Int, start: String.Index, text: String)?

  init(
    _ draft: PageDraft, templates: Templates, formulas: Formulas, records: Records, root: URL,
    tasks: TaskDrafts? = nil, way: String = "", map: SiteMap,
    conversions: Conversions
  ) {
    self.draft = draft
    self.templates = templates
    self.formulas = formulas
    self.records = records
    self.root = root
    self.tasks = tasks
    self.way = way
    self.map = map
    self.conversions = conversions
  }

  /// Writes the whole body.
  mutating func write() throws {
    body.sections = [PageBody.Section(anchor: "", title: "")]
    var index = 0
    while index < draft.pieces.count {
      if let block = draft.codeBlock(at: index) {
        try code(block.language, block.code)
        index = block.end
        continue
      }
      if let end = try picture(at: index) {
        index = end
        continue
      }
      switch draft.pieces[index] {
      case .text(let text): try words(text)
      case .open(let tag): try begin(tag)
      case .close(let name): try end(name)
      case .comment(let text):
        if text.hasPrefix("excerpt ") { pendingExcerpt = Int(text.dropFirst(8)) }
      case .other: break
      }
      index += 1
    }
  }

  // MARK: Words

  private mutating func words(_ text: String) throws {
    for part in PageDraft.parts(of: text) {
      switch part {
      case .words(let words):
        var rest = words[...]
        if body.html.hasSuffix(Self.claimStart) {
          // The space before a sentence is none of its own.
          let space = rest.prefix { $0.isWhitespace }
          body.html.insert(
            contentsOf: space,
            at: body.html.index(body.html.endIndex, offsetBy: -Self.claimStart.count))
          rest = rest[space.endIndex...]
        }
        body.html += rest
        hear(Markup.unescaped(words))
      case .mark(let index): try mark(index)
      }
    }
  }

  /// Adds words to what the search reads, and to the heading that is open.
  private mutating func hear(_ words: String) {
    if heading != nil {
      heading!.text += words
    } else {
      body.sections[body.sections.count - 1].text += words
    }
  }

  private mutating func mark(_ index: Int) throws {
    switch draft.marked.marks[index] {
    case .number(let text, let name):
      hear(text)
      body.html += try number(text, name)
    case .formula(let source):
      let formula = formulas[Formula(source, isDisplay: false)] ?? Markup.escaped(source)
      hear(Self.words(of: formula))
      // A formula breaks nowhere, and a long one is wider than a phone: there it may be moved.
      body.html += source.count > 24 ? "<span class=\"long\">\(formula)</span>" : formula
    case .claim:
      claim = (index, open.count)
      body.html += Self.claimStart
    case .claimEnd: try closeClaim()
    case .excerpt: break
    }
  }

  private mutating func number(_ text: String, _ name: String) throws -> String {
    guard let value = records.value(name, chapter: draft.chapter) else {
      return try templates("number-unknown", ["text": text, "name": name])
    }
    if !body.values.contains(where: { $0.name == name }) { body.values.append(value) }
    return try templates(
      "number",
      [
        "text": text, "name": name, "value": "\(value.value)",
        "differs": !MarkedProse.shows(text, value.value),
        // A link may not stand in another.
        "isLink": !open.contains { $0.name == "a" } && heading == nil,
      ])
  }

  private mutating func closeClaim() throws {
    guard let (index, depth) = claim,
      case .claim(let predicate, let sentence) = draft.marked.marks[index]
    else { return }
    claim = nil
    // What was opened in the sentence and goes on behind it is closed and opened again.
    let inner = open[min(depth, open.count)...]
    let mark = try claimMark(predicate, sentence)
    body.html += inner.reversed().map { "</\($0.name)>" }.joined() + mark + "</span>"
    body.html += inner.map(\.text).joined()
  }

  private mutating func claimMark(_ predicate: String, _ sentence: String) throws -> String {
    let record = draft.chapter.flatMap { records.records[$0] }
    let held = record?.claims.first { $0.predicate == predicate && $0.sentence == sentence }
    let numbers = draft.chapter.map { records.numbers(of: $0) } ?? [:]
    let names = (try? Predicate(predicate).names) ?? []
    let isKnown = !names.isEmpty && names.allSatisfy { numbers[$0] != nil }
    let claim = PageBody.Claim(
      id: "c-\(body.claims.count + 1)", sentence: sentence,
      predicate: (try? Predicate.rewritten(predicate) { $0 }) ?? predicate,
      filled: isKnown
        ? try? Predicate.rewritten(predicate) { numbers[$0].map(Numbers.text) ?? $0 } : nil,
      holds: held?.holds)
    body.claims.append(claim)
    return try templates(
      "claim", ["id": claim.id, "holds": claim.holds == true, "fails": claim.holds == false])
  }

  /// The words of some elements, as a search has them.
  private static func words(of html: String) -> String {
    Markup.pieces(of: html).map { piece in
      if case .text(let text) = piece { Markup.unescaped(text) } else { "" }
    }.joined()
  }

  // MARK: Elements

  private mutating func begin(_ tag: Markup.Tag) throws {
    var tag = tag
    for place in tag.attributes.indices {
      tag.attributes[place].value = tag.attributes[place].value.map(draft.plain)
    }
    switch tag.name {
    case "h1", "h2", "h3", "h4", "h5", "h6":
      heading = (Int(tag.name.dropFirst())!, body.html.endIndex, "")
      open.append(tag)
      return
    case "table":
      body.html +=
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table\">"
    case "a":
      guard let link = tag["href"].map(Markup.unescaped),
        let address = map.address(of: link, in: draft.path)
      else {
        // A link that leads nowhere in the book is its words.
        tag = Markup.Tag("span")
        break
      }
      if let path = map.packagePath(link, in: draft.path) { body.files.insert(path) }
      let isOutside = address.contains("://") || address.hasPrefix("mailto:")
      tag["href"] = Markup.escaped(
        isOutside || address.hasPrefix("#") ? address : way + address)
    case "th", "td":
      if let align = tag["align"] {
        tag["align"] = nil
        tag["class"] = "to-\(align)"
      }
    case "img":
      body.html += try image(tag)
      return
    default: break
    }
    body.html += tag.text
    if !tag.isVoid { open.append(tag) }
  }

  private mutating func end(_ name: String) throws {
    if let (level, start, text) = heading, name == "h\(level)" {
      open.removeLast()
      heading = nil
      let words = String(body.html[start...])
      body.html.removeSubrange(start...)
      try close(level, words, text.trimmingCharacters(in: .whitespaces))
      return
    }
    var name = name
    if let (_, depth) = claim, open.count == depth {
      // The element that holds the sentence ends within it: so does what marks it.
      try closeClaim()
    }
    if let last = open.last {
      // A link that became a span is closed as one.
      if name == "a", last.name == "span" { name = "span" }
      if last.name == name { open.removeLast() }
    }
    body.html += "</\(name)>"
    if name == "table" { body.html += "</div>" }
    if ["p", "li", "td", "th", "summary", "tr"].contains(name) { hear(" ") }
  }

  private mutating func close(_ level: Int, _ words: String, _ text: String) throws {
    if level == 1, body.title.isEmpty {
      body.title = words
      return
    }
    let id = slug(text)
    body.headings.append(PageBody.Heading(level: level, id: id, html: Self.withoutLinks(words)))
    body.sections.append(PageBody.Section(anchor: id, title: text))
    body.html += try templates("heading", ["level": level, "id": id, "words": words])
    guard text == "Exercises", let tasks else { return }
    let page = try PageTasks(tasks, of: self)
    body.html += page.html
    // Before the section of the heading, which goes on behind them.
    body.sections.insert(contentsOf: page.sections, at: body.sections.count - 1)
  }

  private static func withoutLinks(_ html: String) -> String {
    Markup.text(
      of: Markup.pieces(of: html).filter { piece in
        switch piece {
        case .open(let tag): tag.name != "a"
        case .close(let name): name != "a"
        default: true
        }
      })
  }

  /// The anchor that GitHub gives a heading.
  private mutating func slug(_ text: String) -> String {
    let kept = text.lowercased().filter {
      $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_"
    }
    let slug = kept.replacing(" ", with: "-")
    let count = slugs[slug, default: 0]
    slugs[slug] = count + 1
    return count == 0 ? slug : "\(slug)-\(count)"
  }

  // MARK: Code and pictures

  private mutating func code(_ language: String, _ code: String) throws {
    if language == "math" {
      let formula = Formula(code, isDisplay: true)
      body.html +=
        "<div class=\"formula\" tabindex=\"0\" role=\"group\" aria-label=\"Formula\">"
        + (formulas[formula] ?? Markup.escaped(formula.source)) + "</div>"
      return
    }
    let isSwift = language == "swift"
    let html = isSwift ? SwiftCode.html(code) : Markup.escaped(code)
    defer { pendingExcerpt = nil }
    guard isSwift, let index = pendingExcerpt,
      case .excerpt(let name, let file) = draft.marked.marks[index]
    else {
      body.html += try templates("code", ["code": html])
      return
    }
    let path = file.map { "Sources/\($0)" } ?? draft.path.replacing(/\.md$/, with: ".swift")
    let source = try? ChapterFiles.text(of: path, in: root)
    let lines = source.flatMap { ChapterFiles.regions(of: $0)[name] }
    let excerpt = PageBody.Excerpt(
      id: "code-\(body.excerpts.count + 1)-\(name)", name: name, file: path, lines: lines)
    body.excerpts.append(excerpt)
    let page = map.show(path)
    body.files.insert(path)
    body.html += try templates(
      "excerpt",
      [
        "id": excerpt.id, "name": name, "file": String(path.split(separator: "/").last!),
        "address": page.map { way + $0 + (lines.map { "#L\($0.lowerBound)" } ?? "") } ?? "",
        "lines": lines.map { "\($0.lowerBound)–\($0.upperBound)" } ?? "", "code": html,
      ])
  }

  /// The picture of a paragraph that has nothing else; nil for another piece.
  private mutating func picture(at index: Int) throws -> Int? {
    let pieces = draft.pieces
    guard index + 2 < pieces.count, case .open(let outer) = pieces[index], outer.name == "p",
      case .open(let tag) = pieces[index + 1], tag.name == "img",
      pieces[index + 2] == .close("p")
    else { return nil }
    body.html += try templates("picture", ["picture": try image(tag)])
    return index + 3
  }

  private mutating func image(_ tag: Markup.Tag) throws -> String {
    let alternative = Markup.unescaped(draft.plain(tag["alt"] ?? ""))
    hear(alternative + " ")
    let link = Markup.unescaped(draft.plain(tag["src"] ?? ""))
    guard let path = map.packagePath(link, in: draft.path), path.hasSuffix(".svg"),
      let svg = try? ChapterFiles.text(of: path, in: root)
    else {
      return try templates("no-picture", ["alternative": alternative, "path": link])
    }
    body.pictures.append(path)
    let name = path.split(separator: "/").last!.dropLast(4)
    let number = body.pictures.count { $0 == path }
    let unique = "figure-\(name)" + (number > 1 ? "-\(number)" : "")
    let data =
      svg.contains("<image")
      ? try? ChapterFiles.text(of: String(path.dropLast(4)) + ".dat", in: root) : nil
    return conversions(of: ["figure", svg, data ?? "", unique, alternative]) {
      InlineFigure(svg: svg, data: data, name: unique, alternative: alternative).html
    }
  }
}
