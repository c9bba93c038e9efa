import Foundation

/// Files that are whole or not there: written beside their place, then renamed into it.
public enum AtomicFile {
  /// Writes data to a file in one step that a reader, a crash or a full disk cannot see half done.
  ///
  /// Missing folders are made. The data is on the disk (`fsync`) before the name changes.
  /// - Throws: `LabError` of kind `.input` with the path and the system's reason; the temporary
  ///   file is removed and what stood at the path before stays as it was.
  public static func write(_ data: Data, to url: URL) throws(LabError) {
    let folder = url.deletingLastPathComponent()
    let name = ".\(url.lastPathComponent).\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let temporary = folder.appendingPathComponent(name)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw LabError(.input, "Cannot make the folder \(folder.path): it is not writable.")
    }
    let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(url, errno) }
    if let code = fill(descriptor, with: data) {
      close(descriptor)
      unlink(temporary.path)
      throw failure(url, code)
    }
    guard close(descriptor) == 0, rename(temporary.path, url.path) == 0 else {
      let code = errno
      unlink(temporary.path)
      throw failure(url, code)
    }
  }

  /// Writes all bytes and flushes them; the system's error number when that fails.
  private static func fill(_ descriptor: Int32, with data: Data) -> Int32? {
    data.withUnsafeBytes { bytes in
      var written = 0
      while written < bytes.count {
        let result = Foundation.write(
          descriptor, bytes.baseAddress! + written, bytes.count - written)
        if result < 0 {
          if errno == EINTR { continue }
          return errno
        }
        written += result
      }
      return fsync(descriptor) == 0 ? nil : errno
    }
  }

  private static func failure(_ url: URL, _ code: Int32) -> LabError {
    LabError(
      .input,
      "Cannot write \(url.path): \(String(cString: strerror(code))); "
        + "free some space or name another folder.")
  }
}
