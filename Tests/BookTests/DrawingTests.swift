import Foundation
import Testing

@testable import Book

@Suite struct DrawingTests {
  private static func digit(_ seed: Int, read: Int? = nil) -> Site.Drawing.Digit {
    Site.Drawing.Digit(
      number: seed, label: seed % 10, read: read,
      pixels: (0..<784).map { $0 % 28 < seed % 7 + 3 ? 0 : UInt8(($0 * seed + 1) % 256) })
  }

  /// What the page does with packed bytes.
  private func unpacked(_ packed: [UInt8]) -> [UInt8] {
    var (bytes, place) = ([UInt8](), 0)
    while place < packed.count {
      if packed[place] == 0 {
        place += 1
        bytes += [UInt8](repeating: 0, count: Int(packed[place]))
      } else {
        bytes.append(packed[place])
      }
      place += 1
    }
    return bytes
  }

  @Test func packedBytesComeBack() {
    for bytes: [UInt8] in [
      [], [0], [7], [0, 0, 9, 0], Array(repeating: 0, count: 255), Array(repeating: 0, count: 600),
      Array(repeating: 0, count: 256) + [1], Self.digit(5).pixels,
    ] {
      #expect(unpacked(PackedDigits.packed(bytes)) == bytes)
    }
    #expect(PackedDigits.packed(Array(repeating: 0, count: 784)).count == 8)
  }

  @Test func withoutWeightsThePageSaysSoInASentence() async throws {
    let lab = try SmallLab("Text.")
    defer { lab.remove() }
    _ = try await lab.site.build(into: lab.folder)
    let page = try lab.text("out/draw.html")
    #expect(nestingFault(page) == nil)
    #expect(page.contains("The weights of the final model are missing here"))
    #expect(!page.contains("<canvas") && !page.contains("draw.js"))
    #expect(!FileManager.default.fileExists(atPath: lab.folder.path + "/draw-weights.js"))
    #expect(try lab.text("out/index.html").contains("href=\"draw.html\""))
    #expect(try lab.text("out/search-index.js").contains("\"draw.html\""))
  }

  @Test func whatThePageReadsWithIsLoadedByItAlone() async throws {
    let lab = try SmallLab("Text.")
    defer { lab.remove() }
    var drawing = Site.Drawing(weights: Data([1, 2, 3, 250]))
    drawing.learnt = (1...4).map { Self.digit($0) }
    drawing.mistakes = [Self.digit(8, read: 3)]
    _ = try await Site(root: lab.root, chapters: lab.site.chapters, drawing: drawing)
      .build(into: lab.folder)
    let page = try lab.text("out/draw.html")
    #expect(nestingFault(page) == nil)
    #expect(page.contains("id=\"nearest-pictures\"") && page.contains("id=\"mistake-pictures\""))
    #expect(page.contains("Of 4 labelled digits"))
    #expect(try lab.text("out/draw-weights.js") == "window.labWeights = \"AQID+g==\";\n")
    let script = try lab.text("out/draw-digits.js")
    #expect(script.hasPrefix("window.labDigits = {") && script.hasSuffix("};\n"))
    let json = try #require(
      try JSONSerialization.jsonObject(
        with: Data(script.dropFirst("window.labDigits = ".count).dropLast(2).utf8))
        as? [String: [String: Any]])
    let learnt = try #require(json["learnt"])
    #expect(learnt["labels"] as? [Int] == [1, 2, 3, 4] && learnt["reads"] as? [Int] == [])
    let pixels = try #require(Data(base64Encoded: learnt["pixels"] as? String ?? ""))
    #expect(unpacked(Array(pixels)) == drawing.learnt!.flatMap(\.pixels))
    #expect(json["mistakes"]?["reads"] as? [Int] == [3])
    #expect(json["mistakes"]?["numbers"] as? [Int] == [8])
    for path in ["out/index.html", "out/readme.html", "out/9.1-small.html"] {
      let other = try lab.text(path)
      #expect(!other.contains("draw.js") && !other.contains("draw.css"))
    }
  }

  @Test func whatIsNotKnownIsNotShown() async throws {
    let lab = try SmallLab("Text.")
    defer { lab.remove() }
    let drawing = Site.Drawing(weights: Data([1]))
    _ = try await Site(root: lab.root, chapters: [], drawing: drawing).build(into: lab.folder)
    let page = try lab.text("out/draw.html")
    #expect(!page.contains("mistake-pictures") && !page.contains("nearest-pictures"))
    #expect(page.contains("swift run lab data"))
    #expect(try lab.text("out/draw-digits.js") == "window.labDigits = {};\n")
  }
}
