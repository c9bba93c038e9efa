import Files
import Foundation
import Notebook

extension SiteDraft {
  /// A page of a chapter: its place in the list, its body and its address.
  typealias ChapterPage = (place: Int, address: String, body: PageBody)

  /// All files of the book by their paths in it.
  func pages() throws -> (pages: [(path: String, data: Data)], report: Site.Report) {
    var map = map
    var index = SearchIndex()
    var pages: [(path: String, data: Data)] = []
    /// The chapters that show or link a file.
    var readers: [String: [[String: Any]]] = [:]
    for place in chapters.indices {
      let (chapter, files, draft) = chapters[place]
      let body = try body(of: draft, tasks: tasks[chapter.id], &map)
      let address = Self.address(files)
      let source = "Chapters/\(files.source.lastPathComponent)"
      _ = map.show(source)
      for path in body.files.union([source]) {
        readers[path, default: []].append(["id": chapter.id, "address": address])
      }
      pages.append((address, Data(try page((place, address, body)).utf8)))
      index.add(body, address: address, title: "\(chapter.id) \(chapter.title)")
    }
    let about = try body(of: readme, &map)
    pages.append(("readme.html", Data(try readmePage(about).utf8)))
    pages.append(("index.html", Data(try contents(about).utf8)))
    index.add(about, address: "readme.html", title: "About the lab")
    for path in map.shown.sorted() {
      let text = try ChapterFiles.text(of: path, in: site.root)
      pages.append(
        (SiteMap.address(ofFile: path), Data(try file(path, text, readers[path] ?? []).utf8)))
      index.add(code: text, address: SiteMap.address(ofFile: path), title: path)
    }
    pages += try drawingPages()
    index.add(
      text: "A canvas for finger, pen or mouse, and what the final model reads in it.",
      address: Self.drawingAddress, title: Self.drawingTitle)
    pages.append(("search-index.js", index.script))
    pages += try assets()
    var report = report
    report.files = map.shown.count
    return (pages, report)
  }

  /// The styles and scripts.
  private func assets() throws -> [(path: String, data: Data)] {
    let folder = site.root.appendingPathComponent(Site.assets)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return try names.sorted().filter { $0.hasSuffix(".css") || $0.hasSuffix(".js") }.map { name in
      guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else {
        throw LabError(.input, "\(Site.assets)/\(name) cannot be read; restore it.")
      }
      return (name, data)
    }
  }

  /// The body of a text, whose links may give files pages of their own.
  func body(
    of draft: PageDraft, tasks: TaskDrafts? = nil, _ map: inout SiteMap
  ) throws -> PageBody {
    var writer = PageWriter(
      draft, templates: templates, formulas: formulas, records: records, root: site.root,
      tasks: tasks, map: map, conversions: site.conversions)
    try writer.write()
    map = writer.map
    return writer.body
  }

  // MARK: Contexts

  /// What every page has.
  func common(_ title: String, address: String, _ others: [String: Any]) -> [String: Any] {
    others.merging(["title": title, "way": SiteMap.way(from: address)]) { a, _ in a }
  }

  /// A chapter's page.
  func page(_ page: ChapterPage) throws -> String {
    let chapter = chapters[page.place].chapter
    var context = article(page)
    context["previous"] = neighbour(page.place - 1)
    context["next"] = neighbour(page.place + 1)
    return try templates(
      "chapter", common("\(chapter.id) \(chapter.title)", address: page.address, context))
  }

  /// What a chapter shows, on a page of its own or in one document.
  func article(_ page: ChapterPage) -> [String: Any] {
    let (chapter, files, _) = chapters[page.place]
    let body = page.body
    let words = body.title.hasPrefix(chapter.id) ? body.title.dropFirst(chapter.id.count) : ""
    var context: [String: Any] = [
      "id": chapter.id,
      "heading":
        words.isEmpty
        ? Markup.escaped(chapter.title) : words.trimmingCharacters(in: .whitespaces),
      "body": body.html,
      "headings": body.headings.filter { $0.level <= 3 }.map {
        ["id": $0.id, "words": $0.html, "isMinor": $0.level == 3] as [String: Any]
      },
      "source": "Chapters/\(files.source.lastPathComponent)",
      "sourceAddress": SiteMap.address(ofFile: "Chapters/\(files.source.lastPathComponent)"),
      "state": states[chapter.id].flatMap { Self.complaint($0, chapter.id) } ?? "",
    ]
    context.merge(bound(body)) { a, _ in a }
    guard let record = records.records[chapter.id] else { return context }
    context["checks"] = record.checks.map { check in
      [
        "name": check.name, "measured": Numbers.text(check.measured),
        "bound": check.bound(Numbers.text), "holds": check.holds,
      ] as [String: Any]
    }
    if let stamp = records.stamps[chapter.id] { context["run"] = run(stamp, record) }
    return context
  }

  private func run(_ stamp: RunStamp, _ record: Record) -> [String: Any] {
    [
      "day": Numbers.day(stamp.date), "date": stamp.date, "seed": "\(record.seed)",
      "processor": Numbers.processor(stamp.machine.processor), "tile": stamp.machine.tile,
      "threads": stamp.threads.of("thread"), "engine": record.engine.prefix(12),
    ]
  }

  /// The values and claims of a page, as its last part lists them.
  func bound(_ body: PageBody) -> [String: Any] {
    var context: [String: Any] = [
      "values": body.values.map { value in
        [
          "name": value.name, "value": Numbers.text(value.value), "unit": value.unit,
          "tolerance": value.tolerance.map { $0 == 0 ? "exact" : "± " + Numbers.text($0) } ?? "",
          "deviation": value.deviation.map(Numbers.text) ?? "", "origin": value.source ?? "",
        ] as [String: Any]
      },
      "claims": body.claims.map { claim in
        [
          "id": claim.id, "sentence": claim.sentence, "predicate": claim.predicate,
          "filled": claim.filled ?? "", "holds": claim.holds == true,
          "fails": claim.holds == false,
        ] as [String: Any]
      },
    ]
    context["valueCount"] = body.values.isEmpty ? nil : body.values.count.of("value")
    context["claimCount"] = body.claims.isEmpty ? nil : body.claims.count.of("claim")
    return context
  }

  /// What a reader is told of a record that is not of the code as it is; nil where there is nothing.
  private static func complaint(_ state: ChapterState, _ id: String) -> String? {
    switch state {
    case .fresh, .olderEngine: nil
    case .neverRun:
      "This chapter has not been run yet: its numbers are bound to nothing. To run it: swift run lab "
        + "chapter \(id)"
    case .stale: "The code has changed since the run that these numbers are of."
    case .failed: "The last run failed: a check of this chapter does not hold."
    case .refused: "The record of this chapter was altered, or is of no full run."
    }
  }

  private func neighbour(_ place: Int) -> [String: Any]? {
    guard chapters.indices.contains(place) else { return nil }
    let (chapter, files, _) = chapters[place]
    return ["id": chapter.id, "name": chapter.title, "address": Self.address(files)]
  }

  // MARK: Other pages

  /// The table of contents, below the beginning of the README.
  func contents(_ about: PageBody) throws -> String {
    let rows = Self.rows(of: about.html)
    let entries = chapters.map { chapter, files, _ -> [String: Any] in
      let address = Self.address(files)
      let row = rows.first { $0.contains { $0.contains("href=\"\(address)\"") } } ?? []
      return [
        "id": chapter.id, "name": chapter.title, "address": address,
        "depth": chapter.id.count { $0 == "." },
        "question": row.count > 1 ? row[1] : "", "time": row.count > 2 ? row[2] : "",
      ]
    }
    var context = bound(about)
    context["heading"] = about.title
    context["body"] = about.beginning
    context["chapters"] = entries
    context["drawing"] = ["address": Self.drawingAddress, "name": Self.drawingTitle]
    let times = (context["values"] as? [[String: Any]] ?? []).filter {
      ($0["name"] as? String)?.contains("/run.") == true
    }
    context["values"] = times
    context["valueCount"] = times.isEmpty ? nil : times.count.of("value")
    return try templates("contents", common(about.title, address: "index.html", context))
  }

  /// The whole README.
  func readmePage(_ about: PageBody) throws -> String {
    var context = bound(about)
    context["body"] = about.html
    context["heading"] = "About the lab"
    context["headings"] = about.headings.filter { $0.level == 2 }.map {
      ["id": $0.id, "words": $0.html, "isMinor": false] as [String: Any]
    }
    return try templates("readme", common("About the lab", address: "readme.html", context))
  }

  /// The cells of each row of a page's tables.
  private static func rows(of html: String) -> [[String]] {
    var rows: [[String]] = []
    var cell: [Markup.Piece]?
    for piece in Markup.pieces(of: html) {
      switch piece {
      case .open(let tag) where tag.name == "tr": rows.append([])
      case .open(let tag) where tag.name == "td": cell = []
      case .close("td"):
        if !rows.isEmpty { rows[rows.count - 1].append(Markup.text(of: cell ?? [])) }
        cell = nil
      default: cell?.append(piece)
      }
    }
    return rows
  }

  /// A file of the package with the numbers of its lines.
  private func file(_ path: String, _ text: String, _ readers: [[String: Any]]) throws -> String {
    let address = SiteMap.address(ofFile: path)
    let parts = path.split(separator: "/")
    let isSwift = path.hasSuffix(".swift")
    return try templates(
      "file",
      common(
        path, address: address,
        [
          "folder": parts.dropLast().map { "\($0)/" }.joined(), "file": String(parts.last!),
          "readers": readers, "isRead": !readers.isEmpty,
          "code": site.conversions(of: [isSwift ? "Swift" : "text", text]) {
            SwiftCode.numbered(text, isSwift: isSwift)
          },
        ]))
  }
}
