import Foundation

/// A lock that one process of this machine holds until it lets go or dies.
public final class FileLock: Sendable {
  private let url: URL
  private let descriptor: Int32
  private let isRemoved: Bool

  /// Takes the lock, if nobody else holds it.
  ///
  /// - Parameters:
  ///   - url: the file that stands for it; it is made where it is missing.
  ///   - isRemoved: whether the file goes with the lock.
  /// - Throws: `LabError` of kind `.input` when the file cannot be made.
  public init?(_ url: URL, isRemoved: Bool = false) throws(LabError) {
    while true {
      let descriptor = open(url.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
      guard descriptor >= 0 else {
        throw LabError(
          .input,
          "Cannot write into \(url.deletingLastPathComponent().path): "
            + "\(String(errorNumber: errno)); name another folder.")
      }
      // On a disk that knows no locks there is none to wait for.
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
        close(descriptor)
        return nil
      }
      // A holder before may have removed the file while this one was being opened.
      var (mine, there) = (stat(), stat())
      if fstat(descriptor, &mine) == 0, stat(url.path, &there) == 0, mine.st_ino == there.st_ino {
        self.url = url
        self.descriptor = descriptor
        self.isRemoved = isRemoved
        return
      }
      close(descriptor)
    }
  }

  /// Lets go; it is the last call.
  public func release() {
    if isRemoved { unlink(url.path) }
    close(descriptor)
  }
}
