import Synchronization

/// What has been converted for the book, kept for the next making of it: text by all that it was
/// made from, so that nothing of it can be out of date.
///
/// Of pages themselves nothing is kept: they show records, the states of chapters and the titles of
/// their neighbours, and depend on nearly every file of the package.
final class Conversions: Sendable {
  private struct Held {
    var now: [[String]: String] = [:]
    var before: [[String]: String] = [:]
    var made: [String: Int] = [:]
  }

  private let held = Mutex(Held())

  /// Ends a making of the book that has succeeded: what it has not needed goes.
  ///
  /// One that has failed may have needed little, and what it has not come to is needed by the next.
  func end() {
    held.withLock { ($0.now, $0.before) = ([:], $0.now) }
  }

  /// How many texts of a kind have been converted and not been known.
  func made(_ kind: String) -> Int { held.withLock { $0.made[kind] ?? 0 } }

  /// A text that was made from others, or else is made now.
  ///
  /// - Parameters:
  ///   - source: what kind of conversion it is, first, and all that the result depends on.
  ///   - convert: makes it.
  func callAsFunction<Failure: Error>(
    of source: [String], _ convert: () async throws(Failure) -> String
  ) async throws(Failure) -> String {
    if let known = known(source) { return known }
    return keep(try await convert(), of: source)
  }

  /// The same where nothing is waited for.
  func callAsFunction<Failure: Error>(
    of source: [String], _ convert: () throws(Failure) -> String
  ) throws(Failure) -> String {
    if let known = known(source) { return known }
    return keep(try convert(), of: source)
  }

  private func known(_ source: [String]) -> String? {
    held.withLock { held in
      guard let text = held.now[source] ?? held.before[source] else { return nil }
      held.now[source] = text
      return text
    }
  }

  private func keep(_ text: String, of source: [String]) -> String {
    held.withLock {
      $0.now[source] = text
      $0.made[source[0], default: 0] += 1
    }
    return text
  }
}
