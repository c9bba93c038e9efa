import CZlib
import Files
import Foundation

/// A ZIP file in the making: the same files give the same bytes, whenever it is made.
///
/// Names are sorted, times are the first that the format knows, and each file is deflated where that
/// makes it smaller. (PKWARE, .ZIP File Format Specification 6.3.10, sections 4.3 and 4.4.)
public struct ZipFile {
  private struct Entry {
    let data: Data
    let isProgram: Bool
  }

  /// The files by their paths.
  private var entries: [String: Entry] = [:]

  /// A ZIP file without files.
  public init() {}

  /// The paths of the files, sorted by their bytes.
  public var paths: [String] { entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

  /// A file by its path.
  public subscript(path: String) -> Data? { entries[path]?.data }

  /// Adds a file, in the place of another of the same path.
  ///
  /// One that begins with `#!` may be executed when it is unpacked.
  ///
  /// - Parameter path: its parts separated by slashes, none of them empty, `.` or `..`.
  public mutating func add(_ data: Data, as path: String) {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    precondition(
      !parts.contains { $0.isEmpty || $0 == "." || $0 == ".." }, "\(path) is no path in a ZIP file")
    entries[path] = Entry(data: data, isProgram: data.starts(with: Data("#!".utf8)))
  }

  /// Flags: the names are UTF-8.
  private static let flags: UInt16 = 1 << 11
  /// The first of January 1980, midnight, in the bits of MS-DOS.
  private static let (date, time): (UInt16, UInt16) = (1 << 5 | 1, 0)

  /// The file's bytes.
  ///
  /// - Throws: `LabError` of kind `.input` for what the format without ZIP64 cannot hold: 65,535 files
  ///   or more, or 4 GiB.
  public var encoded: Data {
    get throws(LabError) {
      var (body, directory) = (Data(), Data())
      for path in paths {
        let (entry, name) = (entries[path]!, Data(path.utf8))
        let packed = Self.deflated(entry.data)
        let isPacked = packed.count < entry.data.count
        let stored = isPacked ? packed : entry.data
        guard name.count < 1 << 16, entry.data.count < 1 << 32, body.count < 1 << 32 else {
          throw Self.tooLarge
        }
        // What the entry's own header and the directory both say.
        var common = Data()
        common.append(Self.flags, isPacked ? 8 : 0 as UInt16, Self.time, Self.date)
        common.append(
          Self.checksum(entry.data), UInt32(stored.count), UInt32(entry.data.count))
        common.append(UInt16(name.count), 0 as UInt16)
        let offset = UInt32(body.count)
        body.append(0x0403_4B50 as UInt32)
        body.append(20 as UInt16)
        body.append(common + name + stored)
        directory.append(0x0201_4B50 as UInt32)
        // Made on Unix by version 2.0 of the format, as the permissions are.
        directory.append(3 << 8 | 20 as UInt16, 20 as UInt16)
        directory.append(common)
        directory.append(0 as UInt16, 0 as UInt16, 0 as UInt16)
        directory.append((entry.isProgram ? 0o100_755 : 0o100_644) << 16 as UInt32, offset)
        directory.append(name)
      }
      guard entries.count < 1 << 16, body.count + directory.count < 1 << 32 else {
        throw Self.tooLarge
      }
      var end = Data()
      end.append(0x0605_4B50 as UInt32)
      end.append(0 as UInt16, 0 as UInt16, UInt16(entries.count), UInt16(entries.count))
      end.append(UInt32(directory.count), UInt32(body.count))
      end.append(0 as UInt16)
      return body + directory + end
    }
  }

  private static let tooLarge = LabError(
    .input, "There is more than a ZIP file can hold (4 GiB); leave out what is not asked for.")

  private static func checksum(_ data: Data) -> UInt32 {
    var sum = crc32(0, nil, 0)
    data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      // In pieces, since zlib counts bytes with 32 bits.
      var rest = bytes[...]
      while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        sum = crc32(
          sum, piece.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt32(piece.count))
        rest = rest.dropFirst(piece.count)
      }
    }
    return UInt32(sum)
  }

  /// Some bytes deflated (RFC 1951), without a header; all of them at once, at most 4 GiB.
  private static func deflated(_ data: Data) -> Data {
    var stream = z_stream()
    let code = deflateInit2_(
      &stream, Z_BEST_COMPRESSION, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    precondition(code == Z_OK, "zlib cannot start: code \(code)")
    defer { deflateEnd(&stream) }
    var packed = Data(count: Int(deflateBound(&stream, uLong(data.count))))
    var input = Array(data)
    let count = packed.count
    input.withUnsafeMutableBufferPointer { bytes in
      packed.withUnsafeMutableBytes { room in
        stream.next_in = bytes.baseAddress
        stream.avail_in = UInt32(clamping: bytes.count)
        stream.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(clamping: count)
        let code = deflate(&stream, Z_FINISH)
        precondition(code == Z_STREAM_END, "zlib did not end: code \(code)")
      }
    }
    return packed.prefix(count - Int(stream.avail_out))
  }
}

extension Data {
  /// Appends integers, the least significant byte first.
  fileprivate mutating func append<Number: FixedWidthInteger>(_ numbers: Number...) {
    for number in numbers {
      Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }
  }
}
