import Foundation

extension SiteDraft {
  /// All chapters as one page, from which the PDF is printed.
  ///
  /// What is an address of another page in the book is one of a place in the document; files that the
  /// book shows whole are not in it, and a link to one is its words.
  func document() throws -> String {
    var map = map
    var ids: [String: String] = [:]
    for (chapter, files, _) in chapters { ids[Self.address(files)] = "ch-\(chapter.id)" }
    let articles = try chapters.indices.map { place -> [String: Any] in
      let (chapter, files, draft) = chapters[place]
      let body = try body(of: draft, tasks: tasks[chapter.id], &map)
      let html = try templates("article", article((place, Self.address(files), body)))
      return ["id": chapter.id, "article": Self.placed(html, in: "ch-\(chapter.id)", ids)]
    }
    let about = try body(of: readme, &map)
    return try templates(
      "document",
      [
        "title": about.title, "way": "", "articles": articles,
        "body": Self.placed(about.beginning, in: "front", ids),
        "chapters": chapters.map { ["id": $0.chapter.id, "name": $0.chapter.title] },
      ])
  }

  /// A part of a page with its names and links made those of the document.
  private static func placed(
    _ html: String, in prefix: String, _ ids: [String: String]
  ) -> String {
    var open: [Bool] = []
    let pieces = Markup.pieces(of: html).map { piece -> Markup.Piece in
      switch piece {
      case .open(var tag):
        // Names of pictures are unique already, and are named by other attributes too.
        if let id = tag["id"], !id.hasPrefix("figure-") { tag["id"] = "\(prefix)-\(id)" }
        if tag.name == "details" { tag["open"] = "" }
        guard tag.name == "a" else { return .open(tag) }
        let link = tag["href"] ?? ""
        let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        if link.hasPrefix("#") {
          tag["href"] = "#\(prefix)-\(link.dropFirst())"
        } else if let id = ids[String(parts[0])] {
          tag["href"] = "#\(id)" + (parts.count > 1 ? "-\(parts[1])" : "")
        } else if !link.contains("://") {
          tag = Markup.Tag("span")
        }
        open.append(tag.name == "a")
        return .open(tag)
      case .close("a"): return .close(open.popLast() == false ? "span" : "a")
      default: return piece
      }
    }
    return Markup.text(of: pieces)
  }
}
