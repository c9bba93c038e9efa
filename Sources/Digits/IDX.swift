import Files
import Foundation

/// An array of bytes with its extents, as the IDX files of MNIST hold it.
///
/// A file is two zero bytes, the element type (8: unsigned byte), the rank, each extent as a
/// big-endian 32-bit number, and the elements, the last dimension fastest. Source: LeCun, Cortes &
/// Burges, "The MNIST database of handwritten digits".
public struct IDX: Sendable, Equatable {
  /// The extents, outermost first: one to three of them.
  public let dimensions: [Int]
  /// The elements, the last dimension fastest.
  public let bytes: [UInt8]

  /// An array from its extents and as many elements as they span.
  public init(dimensions: [Int], bytes: [UInt8]) {
    precondition((1...3).contains(dimensions.count), "an IDX array has one to three dimensions")
    precondition(
      dimensions.allSatisfy { (0...Int(UInt32.max)).contains($0) }
        && dimensions.reduce(1, *) == bytes.count,
      "\(bytes.count) bytes do not fill \(dimensions)")
    self.dimensions = dimensions
    self.bytes = bytes
  }

  /// The most elements that a file of MNIST has: the pixels of the images to train on.
  public static let mostElements = 60_000 * ImageSet.pixelsPerImage

  /// Reads a file, packed by gzip when its name ends in `.gz`.
  ///
  /// - Parameter limit: the most elements that it may have; a few kilobytes could unpack to
  ///   gigabytes, and a file with holes have as many.
  /// - Throws: `LabError` of kind `.input` when the file is missing or not exactly one IDX array.
  public static func read(_ url: URL, limit: Int = mostElements) throws -> IDX {
    try LabError.naming(url) {
      let file = try FileBytes(url)
      guard url.pathExtension == "gz" else { return try IDX(from: file, limit: limit) }
      return try IDX(packed: file, limit: limit)
    }
  }

  /// Reads an array that gzip has packed.
  init(packed source: any ByteSource, limit: Int) throws {
    let inflated = InflatedBytes(source, .gzip, limit: limit + Self.longestHeader)
    try self.init(from: inflated, limit: limit)
  }

  /// The header of an array of three dimensions.
  private static let longestHeader = 4 + 3 * 4

  /// Reads an array that must end where its source ends.
  ///
  /// Memory is reserved only after the extents have been held against the limit and against what
  /// the source can deliver.
  init(from source: any ByteSource, limit: Int = mostElements) throws {
    let start = try source.bytes(4)
    guard start.isEmpty || start.starts(with: [0, 0, 8].prefix(start.count)) else {
      let hex = start.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
      throw Malformed(
        "is not an IDX file of bytes (it starts with \(hex.joined(separator: " ")))")
    }
    guard start.count == 4 else { throw Malformed("ends inside its header") }
    guard (1...3).contains(start[3]) else {
      throw Malformed("has \(start[3]) dimensions where one to three are allowed")
    }
    let extents = try source.bytes(4 * Int(start[3]))
    guard extents.count == 4 * Int(start[3]) else { throw Malformed("ends inside its header") }
    dimensions = stride(from: 0, to: extents.count, by: 4).map { first in
      extents[first..<first + 4].reduce(0) { $0 << 8 | Int($1) }
    }
    let claim = dimensions.map(\.grouped).joined(separator: " × ")
    var count = 1
    for extent in dimensions {
      let (product, overflow) = count.multipliedReportingOverflow(by: extent)
      if overflow { throw Malformed("claims \(claim) elements, more than any file holds") }
      count = product
    }
    guard count <= limit else {
      throw Malformed("claims \(claim) elements, where MNIST has \(limit.grouped)")
    }
    guard count <= source.bytesAtMost else {
      throw Malformed(
        "claims \(claim) elements, but holds at most \(source.bytesAtMost.grouped)")
    }
    bytes = try source.bytes(count)
    guard bytes.count == count else {
      throw Malformed("ends after \(bytes.count.grouped) of its \(count.grouped) elements")
    }
    guard try source.isAtEnd() else {
      throw Malformed("goes on after its \(count.grouped) elements")
    }
  }

  /// The contents of the file that holds the array.
  public var encoded: Data {
    var data = header
    data.append(contentsOf: bytes)
    return data
  }

  /// What stands before the elements.
  var header: Data {
    var data = Data([0, 0, 8, UInt8(dimensions.count)])
    for extent in dimensions {
      withUnsafeBytes(of: UInt32(extent).bigEndian) { data.append(contentsOf: $0) }
    }
    return data
  }
}
