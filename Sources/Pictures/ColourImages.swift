import Files
import Foundation
import Tensors

/// The images of one file of STL-10, of which only those that are asked for are ever in memory.
///
/// An image is 27,648 bytes: its red, green and blue, each of 96 columns of 96 pixels. Source: the
/// data set's page, cs.stanford.edu/~acoates/stl10.
public struct ColourImages: Sendable {
  /// The rows and columns of an image.
  public static let side = 96
  /// The channels of an image: red, green, blue.
  public static let channels = 3
  /// The bytes of an image.
  public static let bytesPerImage = channels * side * side

  /// The number of images.
  public let count: Int
  private let file: PlacedFile

  /// Opens a file and looks at its size.
  ///
  /// - Parameter published: how many images it must have; nil where any number will do but none.
  /// - Throws: `LabError` of kind `.input`.
  init(_ name: String, in folder: URL, published: Int?) throws(LabError) {
    file = try PlacedFile(name, in: folder)
    let size = Self.bytesPerImage
    count = file.count / size
    if let published, file.count != published * size {
      throw file.fault(
        "has \(file.count.withCommas) bytes, \(file.count < published * size ? "fewer" : "more") "
          + "than the \((published * size).withCommas) of its \(published.withCommas) images")
    }
    guard file.count % size == 0 else {
      throw file.fault(
        "has \(file.count.withCommas) bytes, which is no whole number of images of "
          + "\(size.withCommas) bytes")
    }
    guard count > 0 else { throw file.fault("holds no image") }
  }

  /// The images at some indices, in that order, as a batch `[3, n, side, side]` of values 0…1.
  ///
  /// - Parameter factor: so many rows and columns become one by their mean; a divisor of 96.
  /// - Throws: `LabError` of kind `.input` when the file cannot be read any more.
  public func batch(
    _ indices: some Collection<Int>, shrinkingBy factor: Int = 1
  ) throws -> Tensor {
    precondition(Self.side % factor == 0, "\(factor) does not divide \(Self.side)")
    let (n, size) = (indices.count, Self.bytesPerImage)
    var bytes = [UInt8](repeating: 0, count: n * size)
    try bytes.withUnsafeMutableBytes { buffer in
      for (place, index) in indices.enumerated() {
        precondition((0..<count).contains(index), "there is no image \(index)")
        let target = buffer[place * size..<(place + 1) * size]
        try file.read(at: index * size, into: UnsafeMutableRawBufferPointer(rebasing: target))
      }
    }
    let side = Self.side / factor
    let images = Tensor(uninitialized: [Self.channels, n, side, side])
    let target = images.freshPointer
    bytes.withUnsafeBufferPointer { bytes in
      let bytes = bytes.baseAddress!
      Parallel.forEach(n) { image in
        for channel in 0..<Self.channels {
          Self.shrink(
            bytes + (image * Self.channels + channel) * Self.side * Self.side, by: factor,
            to: target + (channel * n + image) * side * side)
        }
      }
    }
    return images
  }

  /// Turns one channel, whose columns follow each other, into rows of means, as values 0…1.
  private static func shrink(
    _ columns: UnsafePointer<UInt8>, by factor: Int, to rows: UnsafeMutablePointer<Float>
  ) {
    let side = side / factor
    let scale = 1 / Float(255 * factor * factor)
    for x in 0..<side {
      for y in 0..<side {
        var sum = 0
        for column in x * factor..<(x + 1) * factor {
          let start = columns + (column &* Self.side &+ y &* factor)
          for row in 0..<factor { sum &+= Int(start[row]) }
        }
        rows[y &* side &+ x] = Float(sum) * scale
      }
    }
  }
}
