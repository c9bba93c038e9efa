import Files
import Foundation

/// The folder of a book, replaced as a whole: a new one is made beside it and takes its place.
struct SiteFolder {
  /// The file that marks a folder as a book of ours, which may be replaced.
  static let mark = ".lab-book"
  /// What the file says first; an empty line and the paths of the book's files follow, a line each.
  static let words = "This folder was made by `lab book`, which replaces it as a whole.\n"

  let folder: URL

  /// A place for a book.
  ///
  /// - Throws: `LabError` of kind `.input` when something else stands there, or in a book a file that is
  ///   not its own.
  init(_ folder: URL) throws(LabError) {
    self.folder = folder.standardizedFileURL
    let path = self.folder.path
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFLNK, stat(path, &status) == 0,
      status.st_mode & S_IFMT == S_IFDIR
    {
      throw LabError(
        .input,
        "\(path) is a symbolic link, and the book would take its place; name the folder that it "
          + "leads to with --out.")
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw LabError(.input, "\(path) is no folder; name another place for the book with --out.")
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    guard names.isEmpty || names.contains(Self.mark) else {
      throw LabError(
        .input,
        "\(path) is no book of the lab, and is left as it is; name another folder with --out.")
    }
    if let stranger = Self.stranger(in: self.folder) {
      throw LabError(
        .input,
        "\(stranger.path) is none of the book's files, which are replaced as a whole; move it, or "
          + "name another folder with --out.")
    }
  }

  /// The paths of all that lies in a folder, in order; a link is one, whatever it leads to.
  private static func paths(in folder: URL) -> [String] {
    FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String }.sorted() ?? []
  }

  /// The first file in a book that is not the book's own; nil too where a book does not name its own,
  /// as those of earlier versions.
  private static func stranger(in folder: URL) -> URL? {
    let text = try? String(contentsOf: folder.appendingPathComponent(mark), encoding: .utf8)
    let parts = text?.split(separator: "\n\n", maxSplits: 1) ?? []
    guard parts.count == 2 else { return nil }
    let own = Set(parts[1].split(separator: "\n").map(String.init) + [mark])
    return paths(in: folder).first { !own.contains($0) }.map(folder.appendingPathComponent)
  }

  /// A book in the making, in a folder beside.
  struct Work {
    let target: URL
    let folder: URL

    /// Writes a file of the book, by its path in it.
    func write(_ data: Data, to path: String) throws(LabError) {
      let url = folder.appendingPathComponent(path)
      do {
        try FileManager.default.createDirectory(
          at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
      } catch {
        throw LabError(
          .input, "Cannot write \(url.path); free some space, or name another folder with --out.")
      }
    }

    /// Puts the book in its place; what stood there goes.
    func finish() throws(LabError) {
      let paths = SiteFolder.paths(in: folder).map { $0 + "\n" }
      try write(Data((SiteFolder.words + "\n" + paths.joined()).utf8), to: SiteFolder.mark)
      let old = target.deletingLastPathComponent().appendingPathComponent(
        ".\(target.lastPathComponent).old.\(getpid()).\(UInt32.random(in: 0 ... .max))")
      let isThere = rename(target.path, old.path) == 0
      guard rename(folder.path, target.path) == 0 else {
        let code = errno
        if isThere { rename(old.path, target.path) }
        throw LabError(
          .input, "Cannot write \(target.path): \(String(errorNumber: code)); name another folder.")
      }
      if isThere { try? FileManager.default.removeItem(at: old) }
    }

    /// Removes what was made.
    func discard() { try? FileManager.default.removeItem(at: folder) }
  }

  /// Begins a book beside the place where it shall stand.
  ///
  /// - Throws: `LabError` of kind `.input` when there is no place for it.
  func begin() throws(LabError) -> Work {
    let parent = folder.deletingLastPathComponent()
    try AtomicFile.makeFolder(parent)
    clear(parent)
    let work = parent.appendingPathComponent(
      ".\(folder.lastPathComponent).new.\(getpid()).\(UInt32.random(in: 0 ... .max))")
    guard mkdir(work.path, 0o777) == 0 else {
      throw LabError(
        .input,
        "Cannot write into \(parent.path): \(String(errorNumber: errno)); name another "
          + "folder with --out.")
    }
    return Work(target: folder, folder: work)
  }

  /// Removes what builds that were killed have left beside the book.
  private func clear(_ parent: URL) {
    for stage in ["new", "old"] {
      let prefix = ".\(folder.lastPathComponent).\(stage)."
      let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.path)) ?? []
      for name in names where name.hasPrefix(prefix) {
        let process = name.dropFirst(prefix.count).split(separator: ".").first.flatMap {
          Int32($0)
        }
        guard let process, kill(process, 0) != 0, errno == ESRCH else { continue }
        try? FileManager.default.removeItem(at: parent.appendingPathComponent(name))
      }
    }
  }
}
