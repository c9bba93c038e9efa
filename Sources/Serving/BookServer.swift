import Book
import Files
import FlyingFox
import FlyingSocks
import Foundation
import Notebook

/// Serves a book to this machine while it is written: what is saved is made anew, and a browser that
/// shows it reloads.
public struct BookServer: Sendable {
  /// The folder of what only served pages have, in the package.
  private static let assets = "Sources/Serving/Assets"
  /// How long an answer may take, in seconds: longer than one that waits for something new.
  private static let answerSeconds = 60.0

  private let site: Site
  private let root: URL
  private let chapters, watched: [String]

  /// What is told of the serving.
  public enum Event: Sendable {
    /// The book is made and served at an address, which ends in a slash.
    case begun(URL)
    /// Files were saved, and the book was made again in so many seconds.
    case made(saved: [URL], seconds: Double)
    /// Files were saved, and the book cannot be made of them.
    case failed(String)
  }

  /// A server of a package's book.
  ///
  /// - Parameters:
  ///   - chapters: all chapters.
  ///   - watched: those whose files are watched.
  public init(_ site: Site, root: URL, chapters: [String], watched: [String]) {
    (self.site, self.root, self.chapters, self.watched) = (site, root, chapters, watched)
  }

  /// Serves until it is cancelled.
  ///
  /// - Parameters:
  ///   - port: on the loopback interface; 0 for any that is free.
  ///   - lab: the program of `lab`, for quick runs.
  ///   - tell: hears what happens.
  /// - Throws: `LabError` of kind `.tool` when the port is in use or a program is missing, of kind
  ///   `.input` when the book cannot be made to begin with; `CancellationError`.
  public func run(
    port: UInt16, lab: String, tell: @escaping @Sendable (Event) -> Void
  ) async throws {
    let book = ServedBook { [site] in try await site.files().files }
    let quickRun = QuickRun(root: root, lab: lab)
    let runs = QuickRuns { try await quickRun($0) }
    let handler = PageHandler(
      book: book, assets: try assets(), chapters: Set(chapters), runs: runs)
    // From now on, so that what is saved while the book is made first is seen.
    let watch = Watch(try watchedFiles())
    let server = HTTPServer(
      address: try .inet(ip4: "127.0.0.1", port: port), timeout: Self.answerSeconds,
      logger: Self.logger(.disabled), handler: handler)
    try await withThrowingTaskGroup(of: UInt16.self) { group in
      defer { group.cancelAll() }
      group.addTask {
        do {
          try await server.run()
        } catch {
          try Task.checkCancellation()
          throw Self.failure(error, port)
        }
        return 0
      }
      group.addTask {
        try await server.waitUntilListening()
        guard case .ip4(_, let port) = await server.listeningAddress else { return 0 }
        return port
      }
      // A port in use is told of before the book is made.
      let open = try await group.next()!
      try await book.make()
      tell(.begun(URL(string: "http://127.0.0.1:\(open)/")!))
      group.addTask {
        var watch = watch
        while true {
          let saved = try await watch.next()
          let start = ContinuousClock.now
          try await book.makeAgain()
          if let complaint = await book.complaint {
            tell(.failed(complaint))
          } else {
            tell(.made(saved: saved, seconds: (ContinuousClock.now - start) / .seconds(1)))
          }
        }
      }
      group.addTask {
        try await runs.serve()
        return 0
      }
      _ = try await group.next()
    }
  }

  /// A logger of the server's library, as the type that it takes.
  private static func logger(_ logger: some Logging) -> any Logging { logger }

  /// Why a port is not listened to.
  private static func failure(_ error: any Error, _ port: UInt16) -> LabError {
    guard case .failed(_, let code, let reason) = error as? SocketError else {
      return LabError(.tool, "The book is served no more (\(error)); start it again.")
    }
    switch code {
    case EADDRINUSE:
      return LabError(
        .tool,
        "Port \(port) of this machine is in use; name another with --port, or 0 for any that is "
          + "free.")
    case EACCES:
      return LabError(
        .tool, "Port \(port) is for the system's administrator; name one above 1023 with --port.")
    default:
      return LabError(
        .tool, "Port \(port) cannot be listened to (\(reason)); name another with --port.")
    }
  }

  /// The files of the chapters: prose, code, and the record that a run writes.
  private func watchedFiles() throws -> [URL] {
    try watched.flatMap { id in
      let files = try ChapterFiles(root: root, id: id)
      return [files.prose, files.source, root.appendingPathComponent("figures/\(id).json")]
    }
  }

  /// The style and the script that served pages have besides.
  private func assets() throws -> [String: Data] {
    var assets: [String: Data] = [:]
    for name in ["serve.css", "serve.js"] {
      let path = "\(Self.assets)/\(name)"
      guard let data = try? Data(contentsOf: root.appendingPathComponent(path)) else {
        throw LabError(.input, "\(path) cannot be read; restore it.")
      }
      assets[name] = data
    }
    return assets
  }
}
