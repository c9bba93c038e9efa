import Foundation

/// Files that are whole or not there: written beside their place, then renamed into it.
public enum AtomicFile {
  /// Writes data to a file in one step that a reader, a crash or a full disk cannot see half done.
  ///
  /// Missing folders are made. The data is on the disk (`fsync`) before the name changes, and the
  /// name before this returns. A link stays, and the file that it points to is written; a device or
  /// a pipe is written to.
  /// - Throws: `LabError` of kind `.input` with the path and the system's reason; the temporary
  ///   file is removed and what stood at the path before stays as it was.
  public static func write(_ data: Data, to url: URL) throws(LabError) {
    switch try kind(of: url) {
    case .special: return try pour(data, into: url)
    case .regular, .missing: break
    }
    var url = url
    if let real = realpath(url.path, nil) {
      url = URL(fileURLWithPath: String(cString: real))
      free(real)
    }
    let temporary = temporary(for: url)
    try makeFolder(url.deletingLastPathComponent())
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
    let parent = open(url.deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
  }

  /// Sees to it that a file can be written, before the work whose result it is to hold.
  ///
  /// - Throws: what `write` would throw for an empty file; nothing at the path changes.
  public static func requireWritable(_ url: URL) throws(LabError) {
    guard try kind(of: url) != .special else { return }
    let temporary = temporary(for: url)
    try makeFolder(url.deletingLastPathComponent())
    let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure(url, errno) }
    close(descriptor)
    unlink(temporary.path)
  }

  private enum Kind { case missing, regular, special }

  /// What stands at a path, a link followed; a folder is an error.
  private static func kind(of url: URL) throws(LabError) -> Kind {
    var status = stat()
    guard stat(url.path, &status) == 0 else { return .missing }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .regular
    case S_IFDIR:
      throw LabError(.input, "Cannot write \(url.path): it is a folder; name a file.")
    default: return .special
    }
  }

  private static func temporary(for url: URL) -> URL {
    let name = ".\(url.lastPathComponent).\(getpid()).\(UInt32.random(in: 0 ... .max))"
    return url.deletingLastPathComponent().appendingPathComponent(name)
  }

  private static func makeFolder(_ folder: URL) throws(LabError) {
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      let descriptor = open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      let reason = String(cString: strerror(errno))
      if descriptor >= 0 {
        close(descriptor)
      } else {
        throw LabError(.input, "Cannot make the folder \(folder.path): \(reason); name another.")
      }
    }
  }

  /// Removes what writers of a file that were killed have left beside it.
  ///
  /// A writer that lives keeps its file, and so does one of the last minute: it may be a process of
  /// another machine on the same disk.
  public static func removeLeftovers(of url: URL) {
    let folder = url.deletingLastPathComponent()
    let prefix = ".\(url.lastPathComponent)."
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    for name in names where name.hasPrefix(prefix) {
      let numbers = name.dropFirst(prefix.count).split(separator: ".").map { UInt32($0) }
      guard numbers.count == 2, let process = numbers[0], numbers[1] != nil,
        let process = Int32(exactly: process), kill(process, 0) != 0, errno == ESRCH
      else { continue }
      let path = folder.appendingPathComponent(name).path
      var status = stat()
      if stat(path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 60 { unlink(path) }
    }
  }

  /// Writes to what is no file: a device, a pipe, a terminal.
  private static func pour(_ data: Data, into url: URL) throws(LabError) {
    let descriptor = open(url.path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure(url, errno) }
    defer { close(descriptor) }
    if let code = fill(descriptor, with: data, isFlushed: false) { throw failure(url, code) }
  }

  /// Writes all bytes and flushes them to the disk; the system's error number when that fails.
  private static func fill(_ descriptor: Int32, with data: Data, isFlushed: Bool = true) -> Int32? {
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
      return !isFlushed || fsync(descriptor) == 0 ? nil : errno
    }
  }

  private static func failure(_ url: URL, _ code: Int32) -> LabError {
    LabError(
      .input,
      "Cannot write \(url.path): \(String(cString: strerror(code))); "
        + "free some space or name another folder.")
  }
}
