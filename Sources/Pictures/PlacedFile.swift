import Files
import Foundation

/// A file that is read at any place, so that no more of it is in memory than is looked at.
final class PlacedFile: Sendable {
  let url: URL
  /// The bytes that it had when it was opened.
  let count: Int
  private let descriptor: Int32

  /// What to do about a file that is not as it was published, to follow a semicolon.
  static let remedy = "unpack stl10_binary.tar.gz again"

  /// Opens a file of a folder.
  ///
  /// - Throws: `LabError` of kind `.input` when it is missing, is no file, or may not be read.
  init(_ name: String, in folder: URL) throws(LabError) {
    url = folder.appendingPathComponent(name)
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    var status = stat()
    count = descriptor >= 0 && fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    if descriptor < 0 {
      let code = errno
      guard code == ENOENT || code == ENOTDIR else {
        throw fault(String(errorNumber: code), remedy: "see to it that you may read it")
      }
      if let goal = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) {
        throw fault("is a link to \(goal), which is not there", remedy: "mend it")
      }
      throw LabError(
        .input,
        "\(name) is not in \(folder.path); put the files of stl10_binary.tar.gz there, or name "
          + "their folder with --data.")
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw fault("is not a regular file") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// An error about this file, worded to follow its name.
  func fault(_ reason: String, remedy: String = PlacedFile.remedy) -> LabError {
    LabError(.input, "\(url.path) \(reason); \(remedy).")
  }

  /// Fills a buffer with the bytes from a place on.
  ///
  /// - Throws: `LabError` of kind `.input` when the file cannot be read, or has shrunk meanwhile.
  func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) throws(LabError) {
    var done = 0
    while done < buffer.count {
      let got = pread(
        descriptor, buffer.baseAddress! + done, buffer.count - done, off_t(place + done))
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else {
        throw fault(
          "cannot be read (\(String(errorNumber: errno)))", remedy: "see to it that you may read it"
        )
      }
      guard got > 0 else { throw fault("became shorter while it was read") }
      done += got
    }
  }

  /// All bytes of a file that is known to be small.
  func bytes() throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    try bytes.withUnsafeMutableBytes { try read(at: 0, into: $0) }
    return bytes
  }
}

extension Int {
  /// The number with commas between its thousands: 47,040,016.
  var withCommas: String {
    var digits = String(magnitude)
    for place in stride(from: digits.count - 3, to: 0, by: -3) {
      digits.insert(",", at: digits.index(digits.startIndex, offsetBy: place))
    }
    return self < 0 ? "-" + digits : digits
  }
}
