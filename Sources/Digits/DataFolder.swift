import Files
import Foundation

/// The folder that holds the four files of MNIST, each verified whenever it is read.
public struct DataFolder: Sendable {
  /// Where it is; it need not exist.
  public let url: URL
  /// Whether somebody chose it, whose files are then not the lab's to replace.
  let isNamed: Bool
  let manifest: Manifest

  /// The folder that the user named, else `$LAB_DATA`, else `lab/mnist` in the XDG cache folder
  /// (`$XDG_CACHE_HOME`, or `.cache` in the home folder).
  public init(_ directory: String? = nil) {
    self.init(directory, environment: ProcessInfo.processInfo.environment)
  }

  init(_ directory: String?, environment: [String: String], manifest: Manifest = .mnist) {
    self.manifest = manifest
    let named = directory ?? environment["LAB_DATA"].flatMap { $0.isEmpty ? nil : $0 }
    if let named {
      url = URL(fileURLWithPath: named, isDirectory: true)
      isNamed = true
      return
    }
    // The XDG specification has relative paths ignored.
    let cache = environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
    url = URL(fileURLWithPath: cache ?? Self.home(environment) + "/.cache", isDirectory: true)
      .appendingPathComponent("lab/mnist", isDirectory: true)
    // A link there leads to a folder that somebody chose.
    isNamed = (try? FileManager.default.destinationOfSymbolicLink(atPath: url.path)) != nil
  }

  /// The home folder: `$HOME`, else the system's entry of this user.
  ///
  /// Without either it is a folder for the user under `/tmp`, for the root folder is nobody's home.
  private static func home(_ environment: [String: String]) -> String {
    let entry = getpwuid(getuid()).flatMap { $0.pointee.pw_dir }.map { String(cString: $0) }
    let homes = [environment["HOME"], entry].compactMap { $0 }
    return homes.first { $0.hasPrefix("/") && $0 != "/" } ?? "/tmp/lab-\(getuid())"
  }

  /// One file of the data set.
  struct DataFile: Sendable {
    /// Its published name, without `.gz`.
    let name: String
    /// The SHA-256 of the uncompressed file, in hexadecimal.
    let sha256: String
    /// The pixels or labels that it has, which bounds what is read of it.
    let count: Int
    /// The most bytes that it has, its header included.
    var mostBytes: Int { count + 16 }
  }

  /// The files that make up a data set.
  struct Manifest: Sendable {
    let trainImages, trainLabels, testImages, testLabels: DataFile

    /// All four.
    var files: [DataFile] { [trainImages, trainLabels, testImages, testLabels] }

    /// The files as they were published.
    static let mnist = Manifest(
      trainImages: DataFile(
        name: "train-images-idx3-ubyte",
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        count: 60_000 * ImageSet.pixelsPerImage),
      trainLabels: DataFile(
        name: "train-labels-idx1-ubyte",
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        count: 60_000),
      testImages: DataFile(
        name: "t10k-images-idx3-ubyte",
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        count: 10_000 * ImageSet.pixelsPerImage),
      testLabels: DataFile(
        name: "t10k-labels-idx1-ubyte",
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        count: 10_000))
  }

  /// Where a file may be, plain or packed, in either of its usual spellings.
  private func names(of file: DataFile) -> [URL] {
    let dotted = file.name.replacingOccurrences(of: "-idx", with: ".idx")
    return [file.name, dotted].flatMap { [$0, $0 + ".gz"] }.map { url.appendingPathComponent($0) }
  }

  /// Everything that stands under a name of a file: links that lead nowhere too, and what lies out
  /// of reach, for that is not missing.
  func places(of file: DataFile) -> [URL] {
    names(of: file).filter { place in
      var status = stat()
      return lstat(place.path, &status) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }
  }

  /// Reads a file.
  ///
  /// - Throws: `LabError` of kind `.input` when it is missing, malformed, or not the published one.
  func read(_ file: DataFile) throws -> (url: URL, content: IDX) {
    guard let found = places(of: file).first else {
      throw LabError(
        .input,
        "\(file.name) is not in \(url.path); put the four files of MNIST there, or name their "
          + "folder.")
    }
    return (found, try read(file, at: found))
  }

  /// Reads a file where it stands.
  private func read(_ file: DataFile, at place: URL) throws -> IDX {
    let content = try IDX.read(place, limit: file.count)
    guard content.sha256 == file.sha256 else {
      let remedy =
        isNamed
        ? "move it away, then run: swift run lab data --data \(url.path.shellQuoted)"
        : "run: swift run lab data"
      throw LabError(
        .input, "\(place.path) is not the published file (its SHA-256 differs); \(remedy)")
    }
    return content
  }

  /// Whether a file is there as it was published.
  func holds(_ file: DataFile) -> Bool { (try? read(file)) != nil }

  /// Sees to it that nothing which somebody put there would be replaced.
  ///
  /// - Throws: `LabError` of kind `.input` that names a file which is not the published one, in a
  ///   folder that somebody chose or behind a link to elsewhere.
  func requireNothingForeign() throws {
    for file in manifest.files {
      for place in places(of: file) {
        let isLink = (try? FileManager.default.destinationOfSymbolicLink(atPath: place.path)) != nil
        if isNamed || isLink { _ = try read(file, at: place) }
      }
    }
  }
}

extension IDX {
  /// The SHA-256 of the uncompressed file, in hexadecimal, without a copy of its elements.
  var sha256: String {
    var hash = SHA256()
    hash.update(header)
    bytes.withUnsafeBytes { hash.update($0) }
    return hash.finish().hexadecimal
  }
}

extension MNIST {
  /// Loads the data set from a folder, after fetching the files that it lacks.
  ///
  /// - Throws: what `fetch` and `load(from:)` throw. A corrupt file is an error here, and not a
  ///   reason to fetch: somebody put it there.
  public static func load(
    from folder: DataFolder, fetching report: @escaping @Sendable (DataProgress) -> Void
  ) async throws -> MNIST {
    let (present, missing) = (
      folder.manifest.files.filter { !folder.places(of: $0).isEmpty },
      folder.manifest.files.contains { folder.places(of: $0).isEmpty }
    )
    if missing {
      // What somebody put there is read first: it is not fetch's to replace.
      for file in present { _ = try folder.read(file) }
      try await folder.fetch(report: report)
    }
    return try load(from: folder)
  }

  /// Loads the data set from a folder and verifies every file.
  ///
  /// - Throws: `LabError` of kind `.input` that names the file that is missing or corrupt.
  public static func load(from folder: DataFolder) throws -> MNIST {
    func part(
      _ images: DataFolder.DataFile, _ labels: DataFolder.DataFile
    ) throws -> ImageSet {
      let (imageFile, labelFile) = (try folder.read(images), try folder.read(labels))
      let pixels = try LabError.naming(imageFile.url) { try ImageSet.pixels(of: imageFile.content) }
      let digits = try LabError.naming(labelFile.url) {
        try ImageSet.labels(
          of: labelFile.content, imageCount: pixels.count / ImageSet.pixelsPerImage)
      }
      return ImageSet(pixels: pixels, labels: digits)
    }
    let manifest = folder.manifest
    return MNIST(
      train: try part(manifest.trainImages, manifest.trainLabels),
      test: try part(manifest.testImages, manifest.testLabels))
  }
}
