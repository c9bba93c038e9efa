import Foundation

/// Files that are whole or not there: written beside their place, then renamed into it.
public enum AtomicFile {
  /// Writes data to a file in one step that a reader, a crash or a full disk cannot see half done.
  ///
  /// Missing folders are made. The data is on the disk (`fsync`) before the name changes, and the
  /// name before this returns. A file that stood there before leaves its permissions, and its owner
  /// where the system lets it. A link stays, and the file that it points to is written; a device or
  /// a pipe is written to.
  /// - Throws: `LabError` of kind `.input` with the path and the system's reason; the temporary
  ///   file is removed and what stood at the path before stays as it was.
  public static func write(_ data: Data, to url: URL) throws(LabError) {
    let place: Place
    switch try Target(url) {
    case .stream: return try pour(data, into: url)
    case .file(let found): place = found
    }
    let (descriptor, temporary) = try draft(of: place)
    var code = fill(descriptor, with: data)
    if close(descriptor) != 0 { code = code ?? errno }
    if code == nil, rename(temporary.path, place.url.path) != 0 { code = errno }
    if let code {
      unlink(temporary.path)
      throw failure(place.url, code)
    }
    let parent = open(place.folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if parent >= 0 {
      fsync(parent)
      close(parent)
    }
  }

  /// Sees to it that a place can be written, before the work whose result it is to hold.
  ///
  /// - Throws: what `write` would throw for an empty file; nothing at the path changes.
  public static func requireWritable(_ url: URL) throws(LabError) {
    guard case .file(let place) = try Target(url) else { return }
    let (descriptor, temporary) = try draft(of: place)
    close(descriptor)
    unlink(temporary.path)
  }

  /// Sees to it that a file can be written whole, which nothing can be into a device or a pipe.
  ///
  /// - Throws: what `requireWritable` throws; `LabError` of kind `.input` for what is no file.
  public static func requireFile(_ url: URL) throws(LabError) {
    if case .stream = try Target(url) {
      throw LabError(
        .input, "Cannot write \(url.path): it is a device or a pipe; name a file.")
    }
    try requireWritable(url)
  }

  /// Makes a folder and those above it; one that is there is left as it is.
  ///
  /// - Throws: `LabError` of kind `.input` with the path and the system's reason.
  public static func makeFolder(_ folder: URL) throws(LabError) {
    if let code = makeFolders(folder.path) {
      throw LabError(
        .input, "Cannot make the folder \(folder.path): \(String(errorNumber: code)); name another."
      )
    }
  }

  /// Removes what writers of a file that were killed have left beside it.
  ///
  /// A writer that lives keeps its file, and so does one of the last minute: it may be a process of
  /// another machine on the same disk.
  public static func removeLeftovers(of url: URL) {
    Leftovers.ofTheDead("." + stem(url) + ".", in: url.deletingLastPathComponent()).forEach {
      var status = stat()
      if stat($0.path, &status) == 0, time(nil) - status.st_mtim.tv_sec > 60 { unlink($0.path) }
    }
  }

  // MARK: Places

  /// The file that is to be written, every link followed, and what is known of it.
  private struct Place {
    let url: URL
    let status: stat?
    var folder: URL { url.deletingLastPathComponent() }
  }

  private enum Target {
    case file(Place)
    case stream

    /// What stands at a path; what cannot be written by its nature is an error.
    init(_ url: URL) throws(LabError) {
      func refusal(_ reason: String) -> LabError {
        LabError(.input, "Cannot write \(url.path): it is \(reason).")
      }
      var status = stat()
      guard stat(url.path, &status) == 0 else {
        let code = errno
        if let goal = try? FileManager.default.destinationOfSymbolicLink(atPath: url.path) {
          let reason = code == ENOENT ? "which is not there" : String(errorNumber: code)
          throw refusal("a link to \(goal), \(reason); remove the link or name another file")
        }
        // Missing, or out of reach: whoever makes the draft will be told.
        self = .file(Place(url: url, status: nil))
        return
      }
      switch status.st_mode & S_IFMT {
      case S_IFREG:
        guard access(url.path, W_OK) == 0 else { throw AtomicFile.failure(url, errno) }
        guard let real = realpath(url.path, nil) else { throw AtomicFile.failure(url, errno) }
        self = .file(Place(url: URL(fileURLWithPath: String(cString: real)), status: status))
        free(real)
      case S_IFCHR, S_IFIFO: self = .stream
      case S_IFDIR: throw refusal("a folder; name a file")
      case S_IFSOCK: throw refusal("a socket; name a file")
      default: throw refusal("a disk; name a file")
      }
    }
  }

  /// An empty file beside a place, with the permissions that the file is to have.
  private static func draft(of place: Place) throws(LabError) -> (descriptor: Int32, url: URL) {
    try makeFolder(place.folder)
    let url = place.folder.appendingPathComponent(
      ".\(stem(place.url)).\(getpid()).\(UInt32.random(in: 0 ... .max))")
    let mode: mode_t = place.status == nil ? 0o666 : 0o600
    let descriptor = open(url.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw failure(place.url, errno) }
    if let old = place.status {
      // Only the system's administrator may give a file away; the permissions count without it.
      let isSameOwner = fchown(descriptor, old.st_uid, old.st_gid) == 0
      if fchmod(descriptor, old.st_mode & (isSameOwner ? 0o7777 : 0o777)) != 0 {
        let code = errno
        close(descriptor)
        unlink(url.path)
        throw failure(place.url, code)
      }
    }
    return (descriptor, url)
  }

  /// The name of a file, cut so that a name made of it is not too long for the disk.
  private static func stem(_ url: URL) -> String {
    var name = url.lastPathComponent
    while name.utf8.count > 220 { name.removeLast() }
    return name
  }

  /// The system's error number when a folder is not there and cannot be made.
  private static func makeFolders(_ path: String) -> Int32? {
    func isFolder() -> Bool {
      var status = stat()
      return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
    if isFolder() || mkdir(path, 0o777) == 0 { return nil }
    switch errno {
    case EEXIST:
      // Perhaps of another process just now.
      return isFolder() ? nil : ENOTDIR
    case ENOENT:
      let above = (path as NSString).deletingLastPathComponent
      guard !above.isEmpty, above != path else { return ENOENT }
      if let code = makeFolders(above) { return code }
      return mkdir(path, 0o777) == 0 || isFolder() ? nil : errno
    case let code: return code
    }
  }

  // MARK: Bytes

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
    let remedy =
      switch code {
      case EACCES, EPERM, EROFS: "name a place that you may write to"
      case ENAMETOOLONG: "give it a shorter name"
      default: "free some space or name another folder"
      }
    return LabError(
      .input, "Cannot write \(url.path): \(String(errorNumber: code)); \(remedy).")
  }
}
