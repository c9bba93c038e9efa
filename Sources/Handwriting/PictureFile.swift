import Files
import Foundation
import Notebook

/// A picture in a file: PGM by the lab itself, PNG by netpbm's `pngtopam`.
public struct PictureFile: Sendable {
  private let url: URL
  private let data: Data

  /// More bytes than this no picture of a digit has.
  private static let mostBytes = 128 << 20
  private static let signature = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

  /// Reads the bytes of a file.
  ///
  /// - Throws: `LabError` of kind `.input` when it is missing, no file, or too large.
  public init(reading url: URL) throws(LabError) {
    self.url = url
    func refusal(_ reason: String) -> LabError {
      LabError(.input, "\(url.path) \(reason); name a PGM or a PNG of one digit.")
    }
    // Without O_NONBLOCK the opening of a named pipe would wait for a writer.
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      let code = errno
      throw refusal(
        code == ENOENT ? "is not there" : "cannot be read (\(String(errorNumber: code)))")
    }
    let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw refusal("is no regular file")
    }
    guard status.st_size <= Self.mostBytes else {
      throw refusal("is of \(status.st_size) bytes, more than a picture of a digit has")
    }
    do {
      data = try file.read(upToCount: Int(status.st_size)) ?? Data()
    } catch {
      throw refusal("cannot be read")
    }
  }

  /// What shows where a picture is transparent.
  public enum Background: String, Sendable { case white, black }

  /// The picture.
  ///
  /// - Parameters:
  ///   - background: what shows where a PNG is transparent.
  ///   - program: what converts a PNG: a name on PATH, or a path.
  /// - Throws: `LabError` of kind `.input` when the bytes are no whole picture, of kind `.tool` when a
  ///   PNG cannot be converted; `CancellationError`.
  public func picture(
    on background: Background = .white, by program: String = "pngtopam"
  ) async throws -> GreyPicture {
    do {
      guard data.starts(with: Self.signature) else { return try Netpbm.picture(data) }
      // Whoever made the file may claim any size; it is looked at before memory is asked for.
      guard data.count >= 24 else { throw Netpbm.Malformed(reason: "is cut short") }
      try Netpbm.require(number(at: 16), number(at: 20))
      return try Netpbm.picture(try await converted(on: background, by: program))
    } catch let fault as Netpbm.Malformed {
      throw LabError(.input, "\(url.path) \(fault.reason); name a PGM or a PNG of one digit.")
    }
  }

  private func number(at place: Int) -> Int {
    data.dropFirst(place).prefix(4).reduce(0) { $0 << 8 | Int($1) }
  }

  /// A PNG as a PGM, PBM or PPM.
  private func converted(on background: Background, by name: String) async throws -> Data {
    let program = Program(
      name: name, remedy: "the PNG was not read; install it with: apt-get install netpbm")
    // Three numbers of two bytes for each pixel, and the header.
    let outcome = try await program.run(
      ["-quiet", "-mix", "-background=\(background.rawValue)", url.path],
      limit: 6 * Netpbm.mostPixels + 1000)
    // Its own words for that are of its inside: "setjmp returns error condition".
    guard outcome.isGood else { throw Netpbm.Malformed(reason: "is cut short or damaged") }
    return outcome.output
  }
}
