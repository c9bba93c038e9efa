import Files
import Foundation

/// What is wrong with some bytes, worded to follow the name of the file: "ends inside its header".
///
/// Readers throw it because they do not know where their bytes come from; whoever opened the file
/// or the connection makes a `LabError` of it.
struct Malformed: Error, Equatable {
  let reason: String
  /// What to do, to follow a semicolon; nil for what is usual there.
  let remedy: String?

  init(_ reason: String, remedy: String? = nil) {
    self.reason = reason
    self.remedy = remedy
  }
}

/// Bytes that are read from front to back, so that no file need be in memory as a whole.
protocol ByteSource: AnyObject {
  /// A bound on the bytes still to come: memory may be reserved for no more.
  var bytesAtMost: Int { get }

  /// Fills the start of a buffer and returns how many bytes it wrote: 0 only at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int
}

extension ByteSource {
  /// Fills a buffer; the number of bytes is smaller than the buffer only at the end.
  ///
  /// - Throws: `CancellationError` within a megabyte of the task's cancellation.
  func fill(_ buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      try Task.checkCancellation()
      let end = min(filled + 1 << 20, buffer.count)
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled..<end]))
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// The next bytes, fewer than asked for only at the end.
  func bytes(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: min(count, bytesAtMost)) { buffer, initialized in
      initialized = try fill(UnsafeMutableRawBufferPointer(buffer))
    }
  }

  /// Whether no byte is left; what was left is read away when there is one.
  func isAtEnd() throws -> Bool {
    var byte: UInt8 = 0
    return try withUnsafeMutableBytes(of: &byte) { try read(into: $0) } == 0
  }
}

/// The bytes of a file, or of a part of it.
final class FileBytes: ByteSource {
  private let descriptor: Int32
  private(set) var bytesAtMost: Int

  /// Opens a file at a range of its bytes (all of them when it is nil).
  ///
  /// - Throws: `CocoaError(.fileNoSuchFile)` when there is none; `Malformed` when it cannot be read.
  init(_ url: URL, range: Range<Int>? = nil) throws {
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    bytesAtMost = 0
    guard descriptor >= 0 else {
      let code = errno
      if let goal = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) {
        throw Malformed("is a link to \(goal), which \(Self.complaint(code))", remedy: "mend it")
      }
      if code == ENOENT || code == ENOTDIR { throw CocoaError(.fileNoSuchFile) }
      throw Malformed(
        Self.complaint(code), remedy: "see to it that you may read it, or name another")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Malformed("is not a regular file")
    }
    let size = Int(status.st_size)
    let range = range ?? 0..<size
    guard range.upperBound <= size, lseek(descriptor, off_t(range.lowerBound), SEEK_SET) >= 0 else {
      throw Malformed("ends before its byte \(range.upperBound.grouped)")
    }
    bytesAtMost = range.count
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private static func complaint(_ code: Int32) -> String {
    "cannot be read (\(String(errorNumber: code)))"
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let wanted = min(buffer.count, bytesAtMost)
    while wanted > 0 {
      let count = Foundation.read(descriptor, buffer.baseAddress!, wanted)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw Malformed(Self.complaint(errno))
      }
      // A file that shrinks while it is read has nothing more to give.
      bytesAtMost = count == 0 ? 0 : bytesAtMost - count
      return count
    }
    return 0
  }
}

/// Bytes that are in memory already.
final class MemoryBytes: ByteSource {
  private var rest: Data

  init(_ data: Data) { rest = data }

  var bytesAtMost: Int { rest.count }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    let count = rest.copyBytes(to: buffer)
    rest = rest.dropFirst(count)
    return count
  }
}

extension Int {
  /// The number with commas between its thousands: 47,040,016.
  var grouped: String {
    var digits = String(magnitude)
    var index = digits.count - 3
    while index > 0 {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: index))
      index -= 3
    }
    return self < 0 ? "-" + digits : digits
  }
}
