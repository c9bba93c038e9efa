import Foundation
import Synchronization

/// How much of the clock each of several pieces of work has for itself.
///
/// Pieces that are done side by side share the time in which they are under way, so that the shares
/// add up to what a reader waits for: two pieces of a minute at once have half a minute each.
final class TimeShares: Sendable {
  private struct State {
    var last = 0.0
    var shares: [UUID: Double] = [:]
    var busy = 0.0
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> Double

  /// - Parameter now: a clock in seconds that never goes back.
  init(now: @escaping @Sendable () -> Double = { ProcessInfo.processInfo.systemUptime }) {
    self.now = now
  }

  /// The seconds in which at least one piece was under way, up to the last beginning or end.
  var busySeconds: Double { state.withLock { $0.busy } }

  /// Begins a piece.
  func begin() -> UUID {
    let piece = UUID()
    state.withLock { state in
      pass(&state)
      state.shares[piece] = 0
    }
    return piece
  }

  /// Ends a piece: its share in seconds; 0 for one that has ended already.
  @discardableResult func end(_ piece: UUID) -> Double {
    state.withLock { state in
      pass(&state)
      return state.shares.removeValue(forKey: piece) ?? 0
    }
  }

  /// Divides the time since the last event among the pieces under way.
  private func pass(_ state: inout State) {
    let present = now()
    let time = present - state.last
    state.last = present
    guard !state.shares.isEmpty else { return }
    state.busy += time
    for piece in state.shares.keys { state.shares[piece]! += time / Double(state.shares.count) }
  }
}
