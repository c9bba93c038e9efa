import Notebook
import Synchronization
import Tensors

/// Independent pieces of long work, one on each thread, each of them kept.
///
/// Small networks gain little from two threads that share a batch, and nearly twice the speed from
/// a training on each. Inside a piece all loops run serially; the bits are the same either way.
package enum SideBySide {
  /// A word to the pieces: whether one of them has failed or was interrupted.
  package final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)
    fileprivate func raise() { raised.store(true, ordering: .relaxed) }

    /// Throws when the others have stopped.
    ///
    /// Only the thread that the chapter runs on can see that its task was cancelled.
    package func check() throws {
      try Task.checkCancellation()
      if raised.load(ordering: .relaxed) { throw CancellationError() }
    }
  }

  /// The results of pieces of work, in the order of their names.
  ///
  /// - Parameters:
  ///   - names: each unique in the chapter: it says all that its piece depends on beside the code.
  ///   - tolerance: how far the numbers of a result may differ on another processor.
  ///   - committed: whether results are committed.
  ///   - work: a piece by its index; it checks the flag now and then.
  /// - Throws: what a piece throws; the others then stop.
  package static func run<Result: Codable & Sendable>(
    _ page: Page, _ label: String, _ names: [String], tolerance: Double,
    committed: KeptResults.Commitment = .whenLong, file: String = #filePath,
    _ work: @escaping @Sendable (Int, Flag) throws -> Result
  ) throws -> [Result] {
    let (kept, progress, flag) = (page.kept, page.output.progress, Flag())
    let state = Mutex<(results: [Int: Result], error: (any Error)?)>(([:], nil))
    progress(label, 0)
    Parallel.forEach(names.count) { piece in
      // Threads take the last piece first, so that the names are begun in their order; on one thread
      // alone it is the reverse.
      let index = names.count - 1 - piece
      do {
        try flag.check()
        let result = try kept(
          names[index], tolerance: tolerance, committed: committed, file: file
        ) {
          try work(index, flag)
        }
        let done = state.withLock { state in
          state.results[index] = result
          return state.results.count
        }
        progress(label, Double(done) / Double(names.count))
      } catch {
        flag.raise()
        state.withLock { $0.error = $0.error ?? error }
      }
    }
    return try state.withLock { state in
      if let error = state.error { throw error }
      return names.indices.map { state.results[$0]! }
    }
  }
}
