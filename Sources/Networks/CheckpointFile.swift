import Files
import Foundation

/// The file that a training goes on from when it was interrupted, or killed.
///
/// It is written beside its place and renamed: the checkpoint before stays whole until the next one
/// is on the disk.
public struct CheckpointFile {
  /// Where it is.
  public let url: URL
  /// The least time between two checkpoints inside an epoch.
  private let interval: Duration
  private var last = ContinuousClock.now

  /// A file that is written at most once in an interval, but for those that are asked for.
  public init(_ url: URL, every interval: Duration) {
    self.url = url
    self.interval = interval
    AtomicFile.removeLeftovers(of: url)
  }

  /// The archive that an earlier run left, nil when there is none.
  ///
  /// - Parameter limit: the most bytes that it may have: what the training in question can fill.
  /// - Throws: `LabError` of kind `.input` when there is one that cannot be read.
  public func archive(limit: Int = 1 << 26) throws(LabError) -> Archive? {
    var status = stat()
    guard lstat(url.path, &status) == 0 || errno != ENOENT else { return nil }
    return try Archive(
      reading: url, limit: limit,
      remedy: "it is of no more use: start again without --resume, which replaces it.")
  }

  /// What the training whose checkpoint stands there calls itself, nil when none does.
  ///
  /// - Throws: `LabError` of kind `.input` when there is one that cannot be read.
  public func label() throws(LabError) -> String? {
    struct State: Decodable { let label: String }
    guard let archive = try archive() else { return nil }
    return (try? JSONDecoder().decode(State.self, from: Data(archive.state.utf8)))?.label ?? ""
  }

  /// Removes the file, when the training is done and there is nothing to go on with.
  public func remove() { unlink(url.path) }

  /// Writes an archive, if the last one is old enough.
  public mutating func writeWhenDue(_ archive: () -> Archive) throws(LabError) {
    if ContinuousClock.now - last >= interval { try write(archive()) }
  }

  /// Writes an archive.
  ///
  /// - Throws: `LabError` of kind `.input` when it cannot be written; the one before is whole.
  public mutating func write(_ archive: Archive) throws(LabError) {
    try archive.write(to: url)
    last = .now
  }
}
