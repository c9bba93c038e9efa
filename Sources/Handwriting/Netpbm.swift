import Foundation

/// The formats of Netpbm that hold a picture: bits, greys and colours, as text and as bytes.
enum Netpbm {
  /// What is wrong with some bytes, worded to follow the name of their file.
  struct Malformed: Error { let reason: String }

  /// The most pixels of a side, and of a picture.
  static let (mostSide, mostPixels) = (10_000, 16_000_000)

  /// Refuses a picture that is empty or too large to be one digit.
  static func require(_ width: Int, _ height: Int) throws(Malformed) {
    guard width > 0, height > 0 else { throw Malformed(reason: "has no pixels") }
    guard width <= mostSide, height <= mostSide, width * height <= mostPixels else {
      throw Malformed(
        reason: "is of \(width) × \(height) pixels, and at most \(mostSide) a side and "
          + "\(mostPixels / 1_000_000) million in all are read")
    }
  }

  /// A picture from the bytes of a PGM, or of a PBM or PPM.
  static func picture(_ data: Data) throws(Malformed) -> GreyPicture {
    let bytes = [UInt8](data)
    guard bytes.count > 2, bytes[0] == UInt8(ascii: "P"), (0x31...0x36).contains(bytes[1]) else {
      throw Malformed(reason: "is neither a PGM nor a PNG")
    }
    let format = Int(bytes[1] - 0x30)
    var scanner = Scanner(bytes: bytes, place: 2)
    let (width, height) = (try scanner.number(), try scanner.number())
    try require(width, height)
    let (isText, isBits) = (format < 4, format % 3 == 1)
    let channels = format % 3 == 0 ? 3 : 1
    let white = isBits ? 1 : try scanner.number()
    guard (1...65_535).contains(white) else {
      throw Malformed(reason: "has \(white) as its lightest grey, where 1 to 65535 is allowed")
    }
    let samples: [Float]
    if isText {
      samples = try scanner.text(width * height * channels, white: white, isBits: isBits)
    } else {
      // One blank stands between the header and the pixels.
      scanner.place += 1
      samples =
        isBits
        ? try scanner.bits(width, height)
        : try scanner.samples(width * height * channels, white: white)
    }
    guard channels == 3 else { return GreyPicture(width: width, height: height, values: samples) }
    // The luma of ITU-R BT.601.
    let weights: [Float] = [0.299, 0.587, 0.114]
    let greys = (0..<width * height).map { pixel -> Float in
      var grey: Float = 0
      for (channel, weight) in weights.enumerated() {
        grey += weight * samples[3 * pixel + channel]
      }
      return grey
    }
    return GreyPicture(width: width, height: height, values: greys)
  }

  private struct Scanner {
    let bytes: [UInt8]
    var place: Int

    private static let cut = Malformed(reason: "is cut short")

    /// Goes on behind blanks, and comments that end with their line.
    private mutating func skip() {
      while place < bytes.count {
        if bytes[place] == UInt8(ascii: "#") {
          while place < bytes.count, bytes[place] != 10, bytes[place] != 13 { place += 1 }
        } else if Self.isBlank(bytes[place]) {
          place += 1
        } else {
          return
        }
      }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

    /// The next whole number; one digit of it where numbers need no blanks between them.
    mutating func number(isBit: Bool = false) throws(Malformed) -> Int {
      skip()
      let start = place
      var value = 0
      while place < bytes.count, (0x30...0x39).contains(bytes[place]) {
        value = min(1 << 30, 10 * value + Int(bytes[place] - 0x30))
        place += 1
        if isBit { break }
      }
      guard place > start else {
        throw place < bytes.count
          ? Malformed(reason: "has a letter where a number belongs") : Self.cut
      }
      return value
    }

    mutating func text(_ count: Int, white: Int, isBits: Bool) throws(Malformed) -> [Float] {
      // No number takes less than a byte.
      guard count <= bytes.count - place else { throw Self.cut }
      var values: [Float] = []
      values.reserveCapacity(count)
      for _ in 0..<count {
        let value = try number(isBit: isBits)
        guard value <= white else {
          throw Malformed(reason: "has a pixel of \(value), lighter than its lightest, \(white)")
        }
        // A bit is 1 where it is black.
        values.append(isBits ? Float(1 - value) : Float(value) / Float(white))
      }
      return values
    }

    mutating func samples(_ count: Int, white: Int) throws(Malformed) -> [Float] {
      let size = white < 256 ? 1 : 2
      guard count * size <= bytes.count - place else { throw Self.cut }
      let start = place
      place += count * size
      return (0..<count).map { index in
        let at = start + index * size
        let value = size == 1 ? Int(bytes[at]) : Int(bytes[at]) << 8 | Int(bytes[at + 1])
        return Float(min(value, white)) / Float(white)
      }
    }

    mutating func bits(_ width: Int, _ height: Int) throws(Malformed) -> [Float] {
      let pitch = (width + 7) / 8
      guard pitch * height <= bytes.count - place else { throw Self.cut }
      let start = place
      return (0..<width * height).map { index in
        let (row, column) = index.quotientAndRemainder(dividingBy: width)
        let byte = bytes[start + row * pitch + column / 8]
        return byte >> (7 - UInt8(column % 8)) & 1 == 1 ? 0 : 1
      }
    }
  }
}
