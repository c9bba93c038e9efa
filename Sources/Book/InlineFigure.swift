import Foundation

/// A picture of the lab put into a page: it follows light and dark, and shares no name with another.
///
/// Figures are drawn for white paper in the few colours of one palette (Okabe and Ito's, and greys).
/// Each of these becomes a variable of the style sheet, `--figure-0072b2`, and one for letters,
/// `--letter-0072b2`, which are darker where a thin line may be light. What shows data by shades, a
/// heat map, keeps its paper and its colours; a grey picture of digits keeps its own.
struct InlineFigure {
  /// The colours that follow light and dark, as the style sheet has them.
  static let palette: Set<String> = [
    "000000", "111111", "222222", "333333", "444444", "555555", "777777", "888888", "c4c4c4",
    "e4e4e4", "ffffff", "0072b2", "d55e00", "009e73", "cc79a7", "e69f00", "56b4e9",
  ]

  /// The picture as an element of a page.
  let html: String

  /// A picture from its SVG.
  ///
  /// - Parameters:
  ///   - svg: the file's text.
  ///   - name: what its names begin with on the page, unique there.
  ///   - alternative: what it shows, for who cannot see it.
  init(svg: String, name: String, alternative: String) {
    let pieces = Self.stripped(Markup.pieces(of: svg))
    let isOnPaper = Self.hasShades(pieces)
    var isRoot = true
    var width = 760.0
    let written = pieces.map { piece -> Markup.Piece in
      guard case .open(var tag) = piece else { return piece }
      for (place, attribute) in tag.attributes.enumerated() {
        guard let value = attribute.value else { continue }
        tag.attributes[place].value = Self.renamed(attribute.name, value, name)
        if !isOnPaper, let colour = Self.colour(value), Self.palette.contains(colour),
          ["fill", "stroke", "color", "flood-color"].contains(attribute.name)
        {
          let isLetter = attribute.name == "fill" && tag["font-family"] != nil
          tag.attributes[place].value = "var(--\(isLetter ? "letter" : "figure")-\(colour))"
        }
      }
      if isRoot, tag.name == "svg" {
        isRoot = false
        if let value = tag["width"].flatMap(Double.init) { width = value }
        tag["width"] = nil
        tag["height"] = nil
        tag["xmlns"] = nil
        tag["class"] = isOnPaper ? "on-paper" : nil
        tag["role"] = "img"
        tag["aria-label"] = Markup.escaped(alternative)
        tag["style"] = "--width:\(Int(width))px"
      }
      return .open(tag)
    }
    html = Markup.text(of: written).split(separator: "\n").joined(separator: "\n")
  }

  /// Without gnuplot's words about itself, the sheet of white below all, and groups of nothing.
  private static func stripped(_ pieces: [Markup.Piece]) -> [Markup.Piece] {
    var result: [Markup.Piece] = []
    var hasSheet = false
    var skipped: String?
    for piece in pieces {
      if let name = skipped {
        if piece == .close(name) { skipped = nil }
        continue
      }
      switch piece {
      case .comment, .other: continue
      case .open(let tag) where tag.name == "title" || tag.name == "desc":
        skipped = tag.name
        continue
      case .open(let tag)
      where tag.name == "rect" && !hasSheet && tag["fill"] == "#ffffff" && tag["x"] == "0":
        // It comes back by the style sheet where the figure keeps its paper.
        hasSheet = true
        continue
      case .close("g"):
        // A group that has nothing but white space goes with its tag.
        var last = result.count - 1
        while last >= 0, case .text(let text) = result[last], text.allSatisfy(\.isWhitespace) {
          last -= 1
        }
        if last >= 0, case .open(let tag) = result[last], tag.name == "g" {
          result.removeSubrange(last...)
          continue
        }
      default: break
      }
      result.append(piece)
    }
    return result
  }

  /// Whether areas are filled with colours that are none of the palette: shades that mean numbers.
  private static func hasShades(_ pieces: [Markup.Piece]) -> Bool {
    pieces.contains { piece in
      guard case .open(let tag) = piece, tag.name == "polygon", let fill = tag["fill"],
        let colour = colour(fill)
      else { return false }
      return !palette.contains(colour)
    }
  }

  /// A value in which names of the picture are the page's.
  private static func renamed(_ attribute: String, _ value: String, _ name: String) -> String {
    switch attribute {
    case "id": return "\(name)-\(value)"
    case "href", "xlink:href": return value.hasPrefix("#") ? "#\(name)-\(value.dropFirst())" : value
    default: return value.replacing("url(#", with: "url(#\(name)-")
    }
  }

  /// A colour as six hexadecimal digits: `#0072B2`, `rgb(0, 114, 178)`, `black`.
  private static func colour(_ text: String) -> String? {
    if text.hasPrefix("#"), text.utf8.count == 7 { return text.dropFirst().lowercased() }
    if text == "black" { return "000000" }
    if text == "white" { return "ffffff" }
    guard text.hasPrefix("rgb("), text.hasSuffix(")") else { return nil }
    let parts = text.dropFirst(4).dropLast().split(separator: ",").map {
      Int($0.filter { $0 != " " })
    }
    guard parts.count == 3, parts.allSatisfy({ $0.map { (0...255).contains($0) } == true }) else {
      return nil
    }
    return parts.map { String(format: "%02x", $0!) }.joined()
  }
}
