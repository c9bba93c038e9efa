import Foundation

/// Files that are looked at now and then, to see which of them were saved.
struct Watch {
  /// What tells a saved file from the one before, in the same place or renamed into it.
  private struct Mark: Equatable {
    let number: UInt64
    let size: Int64
    let seconds, nanoseconds: Int

    init?(_ url: URL) {
      var status = stat()
      guard stat(url.path, &status) == 0 else { return nil }
      number = UInt64(status.st_ino)
      size = Int64(status.st_size)
      (seconds, nanoseconds) = (Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec))
    }
  }

  private let files: [URL]
  private var marks: [Mark?]

  /// Begins to watch some files as they are now.
  init(_ files: [URL]) {
    self.files = files
    marks = files.map { Mark($0) }
  }

  /// The files that have changed since they were looked at before.
  ///
  /// One that is not there is on its way to its place: an editor that saves has put it aside.
  mutating func changes() -> [URL] {
    var changed: [URL] = []
    for (index, url) in files.enumerated() {
      let mark = Mark(url)
      guard mark != marks[index] else { continue }
      marks[index] = mark
      if mark != nil { changed.append(url) }
    }
    return changed
  }

  /// Waits until some files have been saved, and no other follows for a moment.
  ///
  /// - Throws: `CancellationError`.
  mutating func next() async throws -> [URL] {
    var saved: [URL] = []
    while true {
      try await Task.sleep(for: .milliseconds(150))
      let changed = changes()
      if changed.isEmpty, !saved.isEmpty { return saved }
      saved += changed.filter { !saved.contains($0) }
    }
  }
}
