import Files
import Foundation
import Synchronization
import Testing

@testable import Serving

/// What is kept of quick runs for pages that come and go.
@Suite struct QuickRunsTests {
  /// Runs that end when they are told to.
  final class Gate: Sendable {
    private let isOpen = Mutex(false)

    func open() { isOpen.withLock { $0 = true } }

    func wait() async throws {
      while !isOpen.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
    }
  }

  /// Lets runs be served while something is done.
  func serving(
    _ runs: QuickRuns, _ body: @Sendable @escaping () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await runs.serve() }
      try await body()
      group.cancelAll()
      while let result = await group.nextResult() {
        if case .failure(let error) = result, !(error is CancellationError) { throw error }
      }
    }
  }

  @Test func anAnswerIsKeptForWhoeverAsksLater() async throws {
    let gate = Gate()
    let runs = QuickRuns { chapter in
      try await gate.wait()
      return ("\(chapter) holds", true)
    }
    try await serving(runs) { () async throws in
      #expect(await runs.state(of: "2.1") == .init())
      #expect(await runs.begin("2.1", version: 3))
      let underWay = await runs.state(of: "2.1")
      #expect(underWay == .init(number: 1, isUnderWay: true))
      // Who asks now waits for the end, and who asks with no number is told at once.
      #expect(try await runs.state(of: "2.1", after: -1) == underWay)
      #expect(try await runs.state(of: "2.1", after: 1, patience: .milliseconds(50)) == underWay)
      async let told = runs.state(of: "2.1", after: 1, patience: .seconds(60))
      gate.open()
      let end = QuickRuns.State(number: 2, words: "2.1 holds", holds: true, version: 3)
      #expect(try await told == end)
      #expect(await runs.state(of: "2.1") == end)
      // The next keeps it until there is another.
      #expect(await runs.begin("2.1", version: 5))
      #expect(await runs.state(of: "2.1").words == "2.1 holds")
      #expect(try await runs.state(of: "2.1", after: 3, patience: .seconds(60)).version == 5)
      #expect(await runs.state(of: "1.1") == .init())
    }
  }

  @Test func onlyOneRunIsUnderWay() async throws {
    let gate = Gate()
    let runs = QuickRuns { _ in
      try await gate.wait()
      throw LabError(.tool, "It cannot be run.")
    }
    try await serving(runs) { () async throws in
      #expect(await runs.begin("2.1", version: 1))
      #expect(await !runs.begin("2.1", version: 1))
      #expect(await !runs.begin("1.1", version: 1))
      gate.open()
      let end = try await runs.state(of: "2.1", after: 1, patience: .seconds(60))
      #expect(end.words == "It cannot be run." && end.holds == false)
      #expect(await runs.begin("1.1", version: 1))
    }
  }
}
