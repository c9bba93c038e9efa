import Foundation
@testable import Handwriting
import Testing

@Suite struct InkImageTests {
  /// A picture with a rectangle of ink.
  static func rectangle(
    _ width: Int, _ height: Int, x: Range<Int>, y: Range<Int>, ink: Float = 1
  ) -> InkImage {
    InkImage(
      width: width, height: height,
      ink: (0..<width * height).map { x.contains($0 % width) && y.contains($0 / width) ? ink : 0 })
  }

  static func extent(_ pixels: [UInt8]) -> (x: ClosedRange<Int>, y: ClosedRange<Int>) {
    let inked = pixels.indices.filter { pixels[$0] > 0 }
    let (columns, rows) = (inked.map { $0 % 28 }, inked.map { $0 / 28 })
    return (columns.min()!...columns.max()!, rows.min()!...rows.max()!)
  }

  @Test func nothingIsNoDigit() {
    #expect(InkImage(width: 30, height: 7, ink: Array(repeating: 0, count: 210)).normalised == nil)
  }

  @Test func theLongestSideHasTwentyPixelsWhereverItStands() throws {
    for (w, h, x, y) in [
      (200, 300, 20..<60, 100..<200), (31, 31, 3..<7, 20..<30), (1000, 400, 700..<780, 0..<200),
    ] {
      let pixels = try #require(Self.rectangle(w, h, x: x, y: y).normalised)
      let found = Self.extent(pixels)
      #expect(found.y.count == 20 && found.x.count == 8)
      // The middle of the fifteenth pixel is in the middle of 20 rows and of 8 columns, or half a
      // pixel beside.
      #expect(found.y.lowerBound == 5 && found.x.lowerBound == 11)
      #expect(pixels.allSatisfy { $0 == 0 || $0 == 255 })
    }
  }

  @Test func aPixelIsTheMeanOfWhatItCovers() throws {
    // 30 rows become 20: each covers one row and a half, of stripes that are one row.
    let stripes = InkImage(
      width: 30, height: 30, ink: (0..<900).map { ($0 / 30) % 2 == 0 || $0 / 30 == 29 ? 1 : 0 })
    let pixels = try #require(stripes.normalised)
    let column = (0..<28).map { pixels[$0 * 28 + 14] }.filter { $0 > 0 }
    #expect(column.count == 20)
    #expect(column[0...3] == [170, 170, 85, 85] && column[4...7] == [170, 170, 85, 85])
    #expect(column[19] == 255)
  }

  @Test func theCentreOfMassGoesToTheMiddle() throws {
    // An L: a long upright and a heavy foot to the right.
    let shape = InkImage(
      width: 20, height: 20,
      ink: (0..<400).map { $0 % 20 < 2 || $0 / 20 >= 17 ? 1 : 0 })
    let pixels = try #require(shape.normalised)
    var (mass, x, y) = (0.0, 0.0, 0.0)
    for (place, pixel) in pixels.enumerated() {
      mass += Double(pixel)
      x += Double(pixel) * (Double(place % 28) + 0.5)
      y += Double(pixel) * (Double(place / 28) + 0.5)
    }
    #expect(abs(x / mass - 14.5) <= 0.5 && abs(y / mass - 14.5) <= 0.5)
    #expect(Self.extent(pixels).x.lowerBound != 4 || Self.extent(pixels).y.lowerBound != 4)
  }

  @Test func nothingIsCutOffAtTheEdge() throws {
    // A heavy block and a faint line far from it: the middle of mass would push the line out.
    let shape = InkImage(
      width: 20, height: 20,
      ink: (0..<400).map { $0 / 20 == 19 ? 1 : $0 % 20 == 0 ? 0.01 : $0 / 20 == 18 ? 1 : 0 })
    let found = Self.extent(try #require(shape.normalised))
    #expect(found.y == 0...19 && found.x.count == 20)
  }

  @Test func aThinLineIsDarkened() throws {
    let pixels = try #require(Self.rectangle(400, 400, x: 100..<104, y: 10..<390).normalised)
    #expect(pixels.max() == 242)
    #expect(try #require(Self.rectangle(40, 40, x: 10..<20, y: 5..<25).normalised).max() == 255)
  }
}

@Suite struct GreyPictureTests {
  private func picture(_ values: [Float], width: Int) -> GreyPicture {
    GreyPicture(width: width, height: values.count / width, values: values)
  }

  @Test func darkOnLightAndLightOnDarkAreOneImage() throws {
    let ink = InkImageTests.rectangle(40, 50, x: 5..<12, y: 7..<40).ink
    let light = picture(ink.map { 0.9 - 0.7 * $0 }, width: 40)
    let dark = picture(ink.map { 0.1 + 0.8 * $0 }, width: 40)
    let (a, b) = (try #require(light.inked), try #require(dark.inked))
    let (one, other) = (try #require(a.normalised), try #require(b.normalised))
    #expect(zip(one, other).allSatisfy { abs(Int($0) - Int($1)) <= 1 } && one.max() == 255)
    #expect(zip(a.ink, ink).allSatisfy { abs($0 - $1) < 1e-5 })
  }

  @Test func whatIsAlikeShowsNothing() {
    #expect(picture(Array(repeating: 0.4, count: 12), width: 4).inked == nil)
    var faint = [Float](repeating: 0.4, count: 100)
    faint[44] = 0.44
    #expect(picture(faint, width: 10).inked == nil)
    faint[44] = 0.5
    #expect(picture(faint, width: 10).inked != nil)
  }

  /// Light from one side makes the paper darker at the other than the ink is at the first.
  @Test(arguments: [(Float(0.6), Float(0)), (0, -0.6), (0.4, 0.3)])
  func lightThatFallsOffIsNoInk(_ slope: (right: Float, down: Float)) throws {
    let ink = InkImageTests.rectangle(40, 50, x: 12..<20, y: 7..<40).ink
    let shaded = ink.indices.map { place in
      let (x, y) = (Float(place % 40) / 39 - 0.5, Float(place / 40) / 49 - 0.5)
      return 0.6 + slope.right * x + slope.down * y - 0.25 * ink[place]
    }
    let found = try #require(picture(shaded, width: 40).inked).ink
    #expect(zip(found, ink).allSatisfy { abs($0 - $1) < 1e-4 })
  }

  @Test func theGrainOfAPhotographIsNoInk() throws {
    let (side, block) = (60, 20..<40)
    let values = (0..<side * side).map { place -> Float in
      let isInk = block.contains(place % side) && (10..<50).contains(place / side)
      return (isInk ? 0.1 : 0.85) + (place % 7 == 0 ? -0.05 : 0.05)
    }
    let ink = try #require(picture(values, width: side).inked)
    let inked = ink.ink.indices.filter { ink.ink[$0] > 0 }
    #expect(inked.count == 800)
    #expect(inked.allSatisfy { block.contains($0 % side) })
  }
}
