import Foundation
import Testing

@testable import Book

/// What of a figure follows light and dark, and what keeps its colours.
@Suite struct FigureTests {
  /// A heat map as gnuplot writes one: cells, an axis, a title, and letters in the cells.
  private func heatMap(_ fills: [String], letters: String) -> String {
    let cells = fills.enumerated().map { place, fill in
      let (left, right) = (Double(place * 20), Double(place * 20 + 20))
      return "<polygon fill = '\(fill)' points = '\(left),60 \(right),60 \(right),40 \(left),40 '/>"
    }
    let labels = fills.indices.map { place in
      "<g transform=\"translate(\(place * 20 + 10).00,54.00)\" fill=\"\(letters)\" "
        + "font-family=\"Helvetica\" font-size=\"12.00\"><text>\(place)</text></g>"
    }
    return """
      <svg width="200" height="90" xmlns="http://www.w3.org/2000/svg">
      <rect x="0" y="0" width="200" height="90" fill="#ffffff"/>
      <g stroke='none'>\(cells.joined())</g>
      <path stroke='rgb(136, 136, 136)' d='M0,60 L200,60'/>
      \(labels.joined())
      <g transform="translate(10,20)" fill="\(letters)" font-family="Helvetica"><text>Title</text></g>
      </svg>
      """
  }

  private func fills(_ html: String, _ name: String) -> [String] {
    Markup.pieces(of: html).compactMap { piece in
      guard case .open(let tag) = piece, tag.name == name else { return nil }
      return tag["fill"]
    }
  }

  @Test func theCellsOfAHeatMapKeepTheirShadesAndTheRestFollows() {
    let cells = ["rgb(255, 255, 255)", "rgb(157, 201, 225)", "rgb(  0, 114, 178)"]
    let html = InlineFigure(
      svg: heatMap(cells, letters: "rgb(34,34,34)"), name: "f", alternative: "Cells"
    ).html
    #expect(fills(html, "polygon") == cells)
    // Letters in a cell are of its ground, and change where they would not stand out on it.
    #expect(fills(html, "g") == ["#222222", "#222222", "#ffffff", "var(--letter-222222)"])
    #expect(values(of: "class", in: html) == ["shades"])
    #expect(html.contains("<g stroke=\"none\" class=\"shades\"><polygon"))
    #expect(html.contains("stroke=\"var(--figure-888888)\""))
    #expect(!html.contains("<rect"))
    // White letters that gnuplot's script has put on a middle shade.
    let white = InlineFigure(
      svg: heatMap(["rgb(102, 170, 209)", "rgb(255,255,255)"], letters: "rgb(255,255,255)"),
      name: "f", alternative: ""
    ).html
    #expect(fills(white, "g") == ["#000000", "#000000", "var(--letter-ffffff)"])
  }

  @Test func lettersOnADimmedCellHaveAColourOfTheirOwn() throws {
    // As it is black stands out on it, and dimmed white does.
    let ground = FigureColour([90, 130, 130])
    let black = FigureColour([0, 0, 0])
    #expect(ground.dimmed == FigureColour([79, 114, 114]))
    let html = InlineFigure(
      svg: heatMap(["rgb(90,130,130)", "rgb(240,240,240)"], letters: "rgb(0,0,0)"), name: "f",
      alternative: ""
    ).html
    #expect(black.contrast(with: ground) >= 4.5 && black.contrast(with: ground.dimmed) < 4.5)
    #expect(fills(html, "g") == ["#000000", "#000000", "var(--letter-000000)"])
    #expect(values(of: "style", in: html) == ["--width:200px", "--dark:#ffffff"])
    let style = try String(
      contentsOf: SmallLab.package.appendingPathComponent("Sources/Book/Assets/book.css"),
      encoding: .utf8)
    #expect(style.contains(":is(image, .shades) { filter: brightness(\(FigureColour.dimming)); }"))
  }

  @Test func areasOfThePaletteAloneAreNoCells() {
    let html = InlineFigure(
      svg: heatMap(["rgb(0,114,178)", "rgb(255,255,255)"], letters: "rgb(34,34,34)"), name: "f",
      alternative: ""
    ).html
    #expect(fills(html, "polygon") == ["var(--figure-0072b2)", "var(--figure-ffffff)"])
    #expect(values(of: "class", in: html) == [])
    #expect(Set(fills(html, "g")) == ["var(--letter-222222)"])
  }

  @Test func blackOrWhiteStandsOutOnEveryShade() {
    for share in 0...100 {
      let ground = FigureColour(
        [255, 141, 77].map { 255 - Int((Double(share * $0) / 100).rounded()) })
      for letters in [FigureColour([34, 34, 34]), FigureColour([255, 255, 255])] {
        let colour = letters.legible(on: ground)
        #expect(colour.contrast(with: ground) >= 4.5)
        if letters.contrast(with: ground) >= 4.5 { #expect(colour == letters) }
      }
    }
    #expect(FigureColour("#0072B2") == FigureColour("rgb(  0, 114, 178)"))
    #expect(FigureColour("black")?.contrast(with: FigureColour("white")!) == 21)
    for text in ["none", "currentColor", "rgb(1,2)", "rgb(256,0,0)", "#12345", "url(#a)"] {
      #expect(FigureColour(text) == nil, "\(text)")
    }
  }

  /// The data of pictures of `side` pixels, all ink but for some that have none, as the lab writes it.
  private func data(side: Int, columns: Int, rows: Int, empty: Set<Int> = []) -> String {
    let (width, height) = (columns * (side + 4), rows * (side + 12))
    var lines: [String] = []
    for y in 0..<height {
      let line = (0..<width).map { x in
        let (column, row) = (x / (side + 4), y / (side + 12))
        let isInside = (2..<side + 2).contains(x % (side + 4)) && y % (side + 12) < side
        return isInside && !empty.contains(row * columns + column) ? "255" : "0"
      }
      lines.append(line.joined(separator: " "))
    }
    return "# panel 1: pictures in a grid, 0 paper to 255 ink, the first row on top\n"
      + lines.reversed().joined(separator: "\n") + "\n"
  }

  @Test func theGridOfPicturesIsReadFromTheData() {
    let text =
      "# Title\n\n\n# panel 1: x y\n0 0\n1 1\n\n\n" + data(side: 28, columns: 10, rows: 9) + "\n\n"
      + data(side: 5, columns: 3, rows: 2, empty: [1, 4, 5]) + "\n\n"
      + data(side: 138, columns: 2, rows: 1) + "\n\n# panel 4: x low high\n0 0 0\n"
    let grids = PictureGrid.all(text)
    #expect(grids.map { $0?.side } == [28, 5, 138])
    // An empty place in the midst is a picture; those at the end are none.
    #expect(grids.map { $0?.count } == [90, 4, 2])
    #expect(grids[0]?.width == 320 && grids[0]?.height == 360)
    // Ink in every place between fits no grid.
    let full = data(side: 5, columns: 3, rows: 2).replacing(" 0", with: " 9")
    #expect(PictureGrid.all(full) == [nil])
  }

  /// All pictures of the lab are digits of 28 pixels, but for two walls of patches.
  @Test func everyGridOfTheLabsFiguresIsFound() throws {
    let folder = SmallLab.package.appendingPathComponent("figures")
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    var found = 0
    for name in names where name.hasSuffix(".dat") {
      let text = try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      let side = name == "2.3.2-dictionary.dat" ? 138 : 28
      let grids = PictureGrid.all(text)
      #expect(grids.count == text.components(separatedBy: ": pictures in a grid").count - 1)
      #expect(grids.allSatisfy { $0?.side == side }, "\(name): \(grids)")
      found += grids.count
    }
    #expect(found > 20)
  }

  @Test func thePaperBetweenPicturesIsThePages() throws {
    let svg = """
      <svg width="200" height="90" xmlns="http://www.w3.org/2000/svg">
      <image x='10' y='20' width='56' height='64' xlink:href='data:image/png;base64,AA=='/>
      <g transform="translate(30,80)" fill="#333333" font-family="Helvetica"><text>one</text></g></svg>
      """
    let text = data(side: 10, columns: 2, rows: 1)
    let html = InlineFigure(svg: svg, data: text, name: "f", alternative: "").html
    let pieces = Markup.pieces(of: html)
    let image = try #require(
      pieces.firstIndex { if case .open(let tag) = $0 { tag.name == "image" } else { false } })
    guard case .open(let paper) = pieces[image + 1] else { throw CancellationError() }
    #expect(paper.name == "path" && paper["fill"] == "var(--figure-ffffff)")
    // The group around it has a line for axes, which is none of it.
    #expect(paper["fill-rule"] == "evenodd" && paper["stroke"] == "none")
    // The whole, a pixel larger, without the two pictures: a pixel of theirs is two of the figure.
    #expect(
      paper["d"]
        == "M9.00,19.00h58.00v66.00h-58.00z" + "M14.00,20.00h20.00v29.09h-20.00z"
        + "M42.00,20.00h20.00v29.09h-20.00z")
    #expect(html.contains("fill=\"var(--letter-333333)\""))
    #expect(nestingFault(html) == nil)
    // Where the data are not known, the picture keeps its paper.
    let alone = InlineFigure(svg: svg, name: "f", alternative: "").html
    #expect(!alone.contains("evenodd") && alone.contains("fill=\"#333333\""))
  }
}
