import CZlib
import Foundation

/// Bytes that zlib unpacks from another source while they are read.
///
/// The output has a limit from the caller, because a few kilobytes can unpack to gigabytes.
final class InflatedBytes: ByteSource {
  /// What stands around the deflated data.
  enum Container {
    /// A gzip file (RFC 1952): one member, whose checksum zlib verifies.
    case gzip
    /// A zip archive, which tells the checksum and the unpacked size elsewhere.
    case zip(checksum: UInt32, count: Int)
  }

  private let source: any ByteSource
  private let container: Container
  private let limit: Int
  private let stream: UnsafeMutablePointer<z_stream>
  private let input: UnsafeMutableRawBufferPointer
  private var count = 0
  private var checksum: uLong = 0
  private var hasEnded = false

  /// Unpacks a source to no more than `limit` bytes.
  init(_ source: any ByteSource, _ container: Container, limit: Int) {
    self.source = source
    self.container = container
    self.limit = limit
    input = .allocate(byteCount: 1 << 16, alignment: 16)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    let windowBits: Int32 =
      switch container {
      case .gzip: 15 + 16  // zlib's code for "expect a gzip header"
      case .zip: -15  // and for "expect no header"
      }
    let code = inflateInit2_(
      stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(code == Z_OK, "zlib cannot start: code \(code)")
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    input.deallocate()
  }

  /// Deflate packs at most 1,032 bytes into one: more than that the input does not justify.
  var bytesAtMost: Int {
    if hasEnded { return 0 }
    let packed = Int(stream.pointee.avail_in) + source.bytesAtMost
    let (unpacked, overflow) = (packed + 64).multipliedReportingOverflow(by: 1032)
    return overflow ? limit - count : min(limit - count, unpacked)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    // One byte beyond the limit is room enough to notice that there is more.
    let room = min(buffer.count, limit - count + 1, Int(UInt32.max))
    if hasEnded || room == 0 { return 0 }
    stream.pointee.next_out = buffer.baseAddress!.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(room)
    while Int(stream.pointee.avail_out) == room, !hasEnded {
      if stream.pointee.avail_in == 0 {
        stream.pointee.avail_in = UInt32(try source.read(into: input))
        stream.pointee.next_in = input.baseAddress!.assumingMemoryBound(to: UInt8.self)
        if stream.pointee.avail_in == 0 { throw Malformed("ends in the middle of its packed data") }
      }
      switch inflate(stream, Z_NO_FLUSH) {
      case Z_OK, Z_BUF_ERROR: break
      case Z_STREAM_END: hasEnded = true
      default: throw Malformed(corruption)
      }
    }
    let produced = room - Int(stream.pointee.avail_out)
    count += produced
    if count > limit { throw Malformed("unpacks to more than \(limit.grouped) bytes") }
    if case .zip = container {
      checksum = crc32(
        checksum, buffer.baseAddress!.assumingMemoryBound(to: UInt8.self), UInt32(produced))
    }
    if hasEnded { try verifyEnd() }
    return produced
  }

  /// Checks what must hold after the last byte.
  ///
  /// A gzip file may by RFC 1952 hold several members; no mirror packs MNIST so, and what follows
  /// the first is far more likely to be rubbish.
  private func verifyEnd() throws {
    if case .zip(let expected, let expectedCount) = container {
      guard count == expectedCount, UInt32(truncatingIfNeeded: checksum) == expected else {
        throw Malformed("is damaged: the checksum of its packed data is wrong")
      }
    } else if stream.pointee.avail_in > 0 || source.bytesAtMost > 0 {
      throw Malformed("goes on after the end of its packed data")
    }
  }

  /// What zlib complains of, in our words where we know it.
  private var corruption: String {
    switch stream.pointee.msg.map({ String(cString: $0) }) {
    case "incorrect header check": "is not a gzip file"
    case "incorrect data check", "incorrect length check":
      "is damaged: the checksum of its packed data is wrong"
    case let message?: "is damaged: zlib reports \"\(message)\""
    case nil: "is damaged: zlib cannot unpack it"
    }
  }
}
