import Files
import Foundation

/// The book as it is served: its files in memory, and which making of it they are.
actor ServedBook {
  /// Makes the files of the book from what is on the disk.
  typealias Maker = @Sendable () async throws -> [String: Data]

  private let maker: Maker
  private var files: [String: Data] = [:]
  /// Grows with each making; 0 before the first.
  private(set) var version = 0
  /// Why the last making failed; the files are then those of an earlier one.
  private(set) var complaint: String?

  init(_ maker: @escaping Maker) { self.maker = maker }

  /// What a browser asks about: whether there is something new, and what is wrong.
  struct State: Codable, Equatable {
    let version: Int
    let complaint: String?
  }

  var state: State { State(version: version, complaint: complaint) }

  /// A file by its path in the book, and which making it is of; nil for none.
  func file(_ path: String) -> (data: Data, version: Int)? { files[path].map { ($0, version) } }

  /// Makes the book from the disk.
  ///
  /// - Throws: what its maker throws; the files stay as they were then.
  func make() async throws {
    files = try await maker()
    complaint = nil
    version += 1
  }

  /// Makes the book anew; when it cannot be made, the state says why.
  ///
  /// - Throws: `CancellationError`.
  func makeAgain() async throws {
    do {
      try await make()
    } catch let error as LabError {
      try Task.checkCancellation()
      complaint = error.description
      version += 1
    }
  }

  /// Waits until there is another state than one that is known.
  ///
  /// - Parameter patience: after which the same state is an answer too.
  /// - Throws: `CancellationError`.
  func state(after known: Int, patience: Duration = .seconds(20)) async throws -> State {
    let end = ContinuousClock.now + patience
    while version == known, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(50))
    }
    return state
  }
}
