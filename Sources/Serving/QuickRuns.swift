import Files
import Foundation

/// Quick runs of chapters, one at a time, since each takes all threads.
///
/// What a run has said is kept here and not by the page that asked for it: a page that is reloaded,
/// since its chapter was saved, still gets the answer.
actor QuickRuns {
  /// Runs a chapter quickly: what it has printed, and whether all of it holds.
  typealias Run = @Sendable (_ chapter: String) async throws -> (words: String, holds: Bool)

  /// What is known of the runs of a chapter.
  struct State: Codable, Equatable {
    /// Grows with the beginning and with the end of each run.
    var number = 0
    var isUnderWay = false
    /// What the last run has printed; nil before the first has ended.
    var words: String?
    var holds: Bool?
    /// The making of the book that was served when that run began.
    var version: Int?
  }

  private let run: Run
  private var states: [String: State] = [:]
  private let asked: AsyncStream<(chapter: String, version: Int)>
  private let asking: AsyncStream<(chapter: String, version: Int)>.Continuation

  init(_ run: @escaping Run) {
    self.run = run
    (asked, asking) = AsyncStream.makeStream()
  }

  /// What is known of the runs of a chapter.
  func state(of chapter: String) -> State { states[chapter] ?? State() }

  /// Waits until another state is known than one.
  ///
  /// - Parameter patience: after which the same state is an answer too.
  /// - Throws: `CancellationError`.
  func state(
    of chapter: String, after known: Int, patience: Duration = .seconds(20)
  ) async throws -> State {
    let end = ContinuousClock.now + patience
    while state(of: chapter).number == known, ContinuousClock.now < end {
      try await Task.sleep(for: .milliseconds(50))
    }
    return state(of: chapter)
  }

  /// Asks for a run of a chapter; false when another is under way.
  ///
  /// - Parameter version: the making of the book that is served now.
  func begin(_ chapter: String, version: Int) -> Bool {
    guard !states.values.contains(where: \.isUnderWay) else { return false }
    states[chapter, default: State()].isUnderWay = true
    states[chapter]!.number += 1
    asking.yield((chapter, version))
    return true
  }

  /// Does what is asked for, until it is cancelled; a run that is under way is then ended.
  ///
  /// - Throws: `CancellationError`.
  func serve() async throws {
    for await (chapter, version) in asked {
      let outcome: (words: String, holds: Bool)
      do {
        outcome = try await run(chapter)
      } catch {
        try Task.checkCancellation()
        outcome = ("\(error)", false)
      }
      let number = state(of: chapter).number + 1
      states[chapter] = State(
        number: number, words: outcome.words, holds: outcome.holds, version: version)
    }
    try Task.checkCancellation()
  }
}
