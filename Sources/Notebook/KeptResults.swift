import Files
import Foundation
import Synchronization

/// Results of long work, kept on disk: an interrupted run goes on, and unchanged work is not redone.
///
/// A result belongs to its name, the chapter, the seed, the length of the run and the code that it
/// depends on (see `PackageCode`). The chapter's own file counts only when the work is written in
/// it, so that work that stands in the chapter's folder of Experiments survives a change of what the
/// chapter says about it.
public final class KeptResults: Sendable {
  private let folder: URL?
  private let chapterFile: String
  private let digests: (withChapter: String, withoutChapter: String)
  private let isFresh: Bool
  private let reused = Mutex(0)

  /// Keeps nothing, as on a page that belongs to no package.
  init() {
    folder = nil
    chapterFile = ""
    digests = ("", "")
    isFresh = true
  }

  /// Keeps results in a folder, which need not exist.
  ///
  /// - Parameter isFresh: whether everything is computed again, and then kept.
  init(_ folder: URL, of files: ChapterFiles, in code: PackageCode, isFresh: Bool) {
    self.folder = folder
    self.isFresh = isFresh
    chapterFile = files.source.lastPathComponent
    digests = (
      PackageCode.digest(code.sources(of: files.id, and: ["Chapters/\(chapterFile)"])),
      PackageCode.digest(code.sources(of: files.id))
    )
  }

  /// How many results an earlier run had left.
  public var reusedCount: Int { reused.withLock { $0 } }

  /// The result that an earlier run of the same code left, else the one that is computed now.
  ///
  /// It may be called from several threads at once, for different names. What cannot be kept, on a
  /// full disk say, is lost to the next run and not to this one.
  /// - Parameters:
  ///   - name: unique in the chapter: it tells apart all that the chapter does with the same code.
  ///   - file: where the work is written.
  ///   - compute: the work. Its result must be the same whenever it is done.
  public func callAsFunction<Result: Codable>(
    _ name: String, file: String = #filePath, _ compute: () throws -> Result
  ) rethrows -> Result {
    guard let folder else { return try compute() }
    let isOwn = (file as NSString).lastPathComponent == chapterFile
    let digest = isOwn ? digests.withChapter : digests.withoutChapter
    let place = folder.appendingPathComponent(
      "\(digest.prefix(16))/\(Notebook.digest(of: Data(name.utf8)).prefix(16)).json")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = Record.nonFiniteNumbers.decoding
    if !isFresh, let data = try? Data(contentsOf: place),
      let entry = try? decoder.decode(Entry<Result>.self, from: data), entry.name == name
    {
      reused.withLock { $0 += 1 }
      return entry.result
    }
    let result = try compute()
    if let data = try? Record.encode(Entry(name: name, result: result), .sortedKeys) {
      try? AtomicFile.write(data, to: place)
    }
    return result
  }

  private struct Entry<Result: Codable>: Codable {
    let name: String
    let result: Result
  }
}
