import Foundation

/// A folder for the work of one process, gone with it: what a killed one has left, the next clears.
public struct TemporaryFolder: Sendable {
  /// Where it is.
  public let url: URL

  /// Makes a folder under `$TMPDIR`, or under `/tmp`.
  ///
  /// - Parameter purpose: starts its name, and those of the folders that it clears.
  /// - Throws: `LabError` of kind `.input` when the temporary folder cannot be written to.
  public init(for purpose: String) throws(LabError) {
    try self.init(for: purpose, environment: ProcessInfo.processInfo.environment)
  }

  init(for purpose: String, environment: [String: String]) throws(LabError) {
    let named = environment["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    let parent = URL(fileURLWithPath: named, isDirectory: true)
    for folder in Leftovers.ofTheDead("\(purpose).", in: parent) {
      try? FileManager.default.removeItem(at: folder)
    }
    url = parent.appendingPathComponent(
      "\(purpose).\(getpid()).\(UInt32.random(in: 0 ... .max))", isDirectory: true)
    // For this user alone: others may write to the folder above.
    guard mkdir(url.path, 0o700) == 0 else { throw Self.failure(parent, errno) }
  }

  /// Removes the folder with all that is in it.
  public func remove() { try? FileManager.default.removeItem(at: url) }

  /// What is said of a temporary folder that cannot be written to, such as a full one.
  public static func failure(_ folder: URL, _ code: Int32) -> LabError {
    LabError(
      .input,
      "Cannot write into the temporary folder \(folder.path): \(String(errorNumber: code)); free "
        + "some space, or name another in TMPDIR.")
  }
}

/// What processes that were killed have left: names that end in `<process>.<random number>`.
enum Leftovers {
  /// The files and folders of a prefix whose processes are no more.
  static func ofTheDead(_ prefix: String, in folder: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return names.filter { name in
      guard name.hasPrefix(prefix) else { return false }
      let numbers = name.dropFirst(prefix.count).split(separator: ".").map { UInt32($0) }
      guard numbers.count == 2, let process = numbers[0], numbers[1] != nil,
        let process = Int32(exactly: process)
      else { return false }
      return kill(process, 0) != 0 && errno == ESRCH
    }.map { folder.appendingPathComponent($0) }
  }
}
