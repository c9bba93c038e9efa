import Files
import Foundation

/// Files packed by gzip.
public enum Gzip {
  /// The first two bytes of every gzip file.
  static let magic: [UInt8] = [0x1f, 0x8b]

  /// Unpacks a file in memory.
  ///
  /// - Parameter limit: the most bytes that it may unpack to.
  /// - Throws: `LabError` of kind `.input` when the file is missing, not a gzip file, cut short,
  ///   damaged, followed by other bytes, or larger than the limit.
  public static func unpack(_ url: URL, limit: Int) throws -> Data {
    try LabError.naming(url) { try unpack(FileBytes(url), limit: limit) }
  }

  /// Unpacks a source of bytes in memory.
  static func unpack(_ source: any ByteSource, limit: Int) throws -> Data {
    let inflated = InflatedBytes(source, .gzip, limit: limit)
    var data = Data()
    // The packed size bounds what is reserved, so that a false limit costs no memory.
    data.reserveCapacity(inflated.bytesAtMost)
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      try Task.checkCancellation()
      let count = try chunk.withUnsafeMutableBytes { try inflated.read(into: $0) }
      if count == 0 { return data }
      data.append(contentsOf: chunk[..<count])
    }
  }
}

extension LabError {
  /// Runs a reader; what it finds malformed becomes an error that names the file.
  ///
  /// - Parameter remedy: what to do, to follow a semicolon.
  static func naming<Result>(
    _ url: URL, remedy: String = "replace it by a whole copy", _ body: () throws -> Result
  ) throws -> Result {
    do {
      return try body()
    } catch let malformed as Malformed {
      throw LabError(
        .input, "\(url.path) \(malformed.reason); \(malformed.remedy ?? remedy).")
    } catch CocoaError.fileNoSuchFile {
      throw LabError(.input, "\(url.path) does not exist; name another file.")
    }
  }
}
