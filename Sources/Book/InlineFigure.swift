import Foundation

/// A picture of the lab put into a page: it follows light and dark, and shares no name with another.
///
/// Figures are drawn for white paper in the few colours of one palette (Okabe and Ito's, and greys).
/// Each of these becomes a variable of the style sheet, `--figure-0072b2`, and one for letters,
/// `--letter-0072b2`, which are darker where a thin line may be light. What shows data by shades keeps
/// them in the dark, since the prose names them (white, dark strokes): the cells of a heat map with
/// the letters in them, and pictures of pixels, of which only the paper between them is the page's.
/// Both are dimmed there by the style sheet, and letters on them have a second colour, `--dark`.
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
  ///   - data: the text of its data, which says where pictures of pixels stand; nil where it is not
  ///     known, and they keep the paper between them.
  ///   - name: what its names begin with on the page, unique there.
  ///   - alternative: what it shows, for who cannot see it.
  init(svg: String, data: String? = nil, name: String, alternative: String) {
    let pieces = Self.stripped(Markup.pieces(of: svg))
    var papers = Self.papers(of: pieces, data)[...]
    let cells = FigureCells(pieces, isOwnPaper: papers.map { $0 == nil })
    var isRoot = true
    var width = 760.0
    var written: [Markup.Piece] = []
    for (index, piece) in pieces.enumerated() {
      guard case .open(var tag) = piece else {
        written.append(piece)
        continue
      }
      let isLetter = tag["font-family"] != nil
      let ground = isLetter ? FigureCells.place(of: tag).flatMap { cells.colour(at: $0) } : nil
      let keepsColour = tag.name == "polygon" && cells.hasShades
      for (place, attribute) in tag.attributes.enumerated() {
        guard let value = attribute.value else { continue }
        tag.attributes[place].value = Self.renamed(attribute.name, value, name)
        guard let colour = FigureColour(value),
          ["fill", "stroke", "color", "flood-color"].contains(attribute.name), !keepsColour
        else { continue }
        if attribute.name == "fill", let ground {
          let (light, dark) = (colour.legible(on: ground), colour.legible(on: ground.dimmed))
          tag.attributes[place].value = "#" + light.hexadecimal
          if light != dark { tag["style"] = "--dark:#" + dark.hexadecimal }
        } else if Self.palette.contains(colour.hexadecimal) {
          let kind = attribute.name == "fill" && isLetter ? "letter" : "figure"
          tag.attributes[place].value = "var(--\(kind)-\(colour.hexadecimal))"
        }
      }
      if cells.hasShades, tag.name == "g", Self.isGroupOfAreas(index, in: pieces) {
        tag["class"] = "shades"
      }
      if isRoot, tag.name == "svg" {
        isRoot = false
        if let value = tag["width"].flatMap(Double.init) { width = value }
        tag["width"] = nil
        tag["height"] = nil
        tag["xmlns"] = nil
        tag["role"] = "img"
        tag["aria-label"] = Markup.escaped(alternative)
        tag["style"] = "--width:\(Int(width))px"
      }
      written.append(.open(tag))
      if tag.name == "image", let paper = papers.popFirst() ?? nil { written.append(.open(paper)) }
    }
    html = Markup.text(of: written).split(separator: "\n").joined(separator: "\n")
  }

  /// Whether a group has areas and nothing before them.
  private static func isGroupOfAreas(_ index: Int, in pieces: [Markup.Piece]) -> Bool {
    let first = pieces[(index + 1)...].first { piece in
      if case .text(let text) = piece { !text.allSatisfy(\.isWhitespace) } else { true }
    }
    if case .open(let tag) = first { return tag.name == "polygon" }
    return false
  }

  /// The paper of each picture of pixels, in their order; nil where it is not known.
  private static func papers(of pieces: [Markup.Piece], _ data: String?) -> [Markup.Tag?] {
    let images = pieces.compactMap { piece -> Markup.Tag? in
      guard case .open(let tag) = piece, tag.name == "image" else { return nil }
      return tag
    }
    let grids = images.isEmpty ? [] : data.map(PictureGrid.all) ?? []
    guard grids.count == images.count else { return images.map { _ in nil } }
    return zip(images, grids).map { image, grid in grid?.paper(over: image) }
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
        // The page is the paper.
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

  /// A value in which names of the picture are the page's.
  private static func renamed(_ attribute: String, _ value: String, _ name: String) -> String {
    switch attribute {
    case "id": return "\(name)-\(value)"
    case "href", "xlink:href": return value.hasPrefix("#") ? "#\(name)-\(value.dropFirst())" : value
    default: return value.replacing("url(#", with: "url(#\(name)-")
    }
  }
}

/// A colour of a picture.
struct FigureColour: Equatable {
  /// Red, green and blue, 0 to 255.
  let parts: [Int]

  /// A colour from its parts.
  init(_ parts: [Int]) { self.parts = parts }

  /// A colour as SVG has it: `#0072B2`, `rgb(0, 114, 178)`, `black`; nil for another value.
  init?(_ text: String) {
    if text == "black" || text == "white" {
      self.init([Int](repeating: text == "black" ? 0 : 255, count: 3))
    } else if text.hasPrefix("#"), text.utf8.count == 7,
      let value = Int(text.dropFirst(), radix: 16)
    {
      self.init([value >> 16, value >> 8 & 255, value & 255])
    } else if text.hasPrefix("rgb("), text.hasSuffix(")") {
      let parts = text.dropFirst(4).dropLast().split(separator: ",").compactMap {
        Int($0.filter { $0 != " " })
      }
      guard parts.count == 3, parts.allSatisfy((0...255).contains) else { return nil }
      self.init(parts)
    } else {
      return nil
    }
  }

  /// Six hexadecimal digits.
  var hexadecimal: String { parts.map { String(format: "%02x", $0) }.joined() }

  /// What is left in the dark of the light of areas that keep their colours, as the style sheet has it.
  static let dimming = 0.88

  /// The colour that is shown in the dark where this one is kept.
  var dimmed: FigureColour {
    FigureColour(parts.map { Int((Double($0) * Self.dimming).rounded()) })
  }

  /// The contrast of two colours (WCAG 2.1).
  func contrast(with other: FigureColour) -> Double {
    let (a, b) = (luminance, other.luminance)
    return (max(a, b) + 0.05) / (min(a, b) + 0.05)
  }

  private var luminance: Double {
    zip(parts, [0.2126, 0.7152, 0.0722]).reduce(0) { sum, part in
      let value = Double(part.0) / 255
      return sum + part.1 * (value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4))
    }
  }

  /// The colour of letters on a ground: this one where it stands out, else black or white.
  func legible(on ground: FigureColour) -> FigureColour {
    if contrast(with: ground) >= 4.5 { return self }
    return [FigureColour([0, 0, 0]), FigureColour([255, 255, 255])]
      .max { $0.contrast(with: ground) < $1.contrast(with: ground) }!
  }
}

/// The areas of a figure that keep their colours: cells of heat maps, and pictures on paper of theirs.
struct FigureCells {
  private var cells: [(x: ClosedRange<Double>, y: ClosedRange<Double>, colour: FigureColour)] = []
  /// Whether an area has a shade that is no colour of the palette, and so means a number.
  ///
  /// All areas of the figure are cells then.
  let hasShades: Bool

  /// The areas among the parts of a figure.
  ///
  /// - Parameter isOwnPaper: for each picture of pixels whether it keeps the paper between its parts.
  init(_ pieces: [Markup.Piece], isOwnPaper: [Bool]) {
    for case .open(let tag) in pieces where tag.name == "polygon" {
      guard let colour = tag["fill"].flatMap(FigureColour.init), let points = tag["points"] else {
        continue
      }
      let numbers = points.split { $0 == "," || $0.isWhitespace }.compactMap { Double($0) }
      let (x, y) = (
        numbers.indices.filter { $0 % 2 == 0 }.map { numbers[$0] },
        numbers.indices.filter { $0 % 2 == 1 }.map { numbers[$0] }
      )
      guard let left = x.min(), let top = y.min() else { continue }
      cells.append((left...x.max()!, top...y.max()!, colour))
    }
    hasShades = cells.contains { !InlineFigure.palette.contains($0.colour.hexadecimal) }
    if !hasShades { cells = [] }
    var images = isOwnPaper[...]
    for case .open(let tag) in pieces where tag.name == "image" {
      let numbers = ["x", "y", "width", "height"].compactMap { tag[$0].flatMap(Double.init) }
      guard images.popFirst() == true, numbers.count == 4 else { continue }
      let (x, y) = (numbers[0], numbers[1])
      cells.append(
        (x...x + max(0, numbers[2]), y...y + max(0, numbers[3]), FigureColour([255, 255, 255])))
    }
  }

  /// The colour of the cell at a place; nil beside all cells.
  func colour(at place: (x: Double, y: Double)) -> FigureColour? {
    cells.last { $0.x.contains(place.x) && $0.y.contains(place.y) }?.colour
  }

  /// Where the letters of a group stand: its place, a third of a line above their foot.
  static func place(of tag: Markup.Tag) -> (x: Double, y: Double)? {
    guard let text = tag["transform"], text.hasPrefix("translate("), text.hasSuffix(")") else {
      return nil
    }
    let numbers = text.dropFirst(10).dropLast().split(separator: ",").compactMap { Double($0) }
    guard numbers.count == 2 else { return nil }
    return (numbers[0], numbers[1] - (tag["font-size"].flatMap(Double.init) ?? 12) / 3)
  }
}
