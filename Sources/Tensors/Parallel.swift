import Foundation
import Synchronization

/// Loops over independent pieces of work, spread over the threads of the process.
///
/// The caller cuts its work into pieces whose size does not depend on the number of threads and
/// adds partial results in the order of the pieces: so every result has the same bits on any
/// number of threads.
public enum Parallel {
  /// The number of threads that loops use, the calling one included (1 to 256).
  public static var threadCount: Int {
    get { pool.withLock { $0?.threadCount } ?? ProcessInfo.processInfo.activeProcessorCount }
    set {
      precondition((1...256).contains(newValue), "between 1 and 256 threads")
      let old = pool.withLock { current in
        defer { current = WorkerPool(threadCount: newValue) }
        return current
      }
      old?.stop()
    }
  }

  private static let pool = Mutex<WorkerPool?>(nil)

  /// Calls `body` once for each of `pieces` indices, in any order and on several threads at once.
  ///
  /// Inside another parallel loop it runs serially on the calling thread.
  public static func forEach(_ pieces: Int, _ body: (Int) -> Void) {
    if pieces > 1 {
      let current = pool.withLock { pool in
        if pool == nil {
          pool = WorkerPool(threadCount: ProcessInfo.processInfo.activeProcessorCount)
        }
        return pool!
      }
      if current.run(pieces, body) { return }
    }
    for piece in 0..<max(0, pieces) { body(piece) }
  }

  /// Cuts `0..<count` into pieces of `size` and calls `body` with each range.
  public static func forEachRange(_ count: Int, by size: Int, _ body: (Range<Int>) -> Void) {
    guard count > 0 else { return }
    forEach((count + size - 1) / size) { piece in
      body(piece * size..<min(count, (piece + 1) * size))
    }
  }
}

/// Threads that wait for pieces of one loop at a time.
///
/// `remaining` counts the pieces not yet taken; whoever lowers it from n takes piece n − 1. A
/// thread spins for a moment before it sleeps: a training step has hundreds of loops, some tens of
/// microseconds apart, and to wake a sleeper costs more than that.
private final class WorkerPool: @unchecked Sendable {
  let threadCount: Int
  private let remaining = Atomic<Int>(0)
  private let finished = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let isBusy = Atomic<Bool>(false)
  private let isStopped = Atomic<Bool>(false)
  private let condition = NSCondition()
  /// Written only while no piece remains, before `remaining` is raised with release ordering.
  private var body: ((Int) -> Void)?

  private static let spins = 20_000

  init(threadCount: Int) {
    self.threadCount = threadCount
    for _ in 1..<threadCount {
      let thread = Thread { [self] in work() }
      thread.stackSize = 8 << 20
      thread.start()
    }
  }

  /// Runs a loop; false, with nothing done, when there is nobody to share it or a loop is running.
  func run(_ pieces: Int, _ body: (Int) -> Void) -> Bool {
    guard threadCount > 1,
      isBusy.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing)
        .exchanged
    else { return false }
    withoutActuallyEscaping(body) { body in
      self.body = body
      finished.store(0, ordering: .relaxed)
      remaining.store(pieces, ordering: .sequentiallyConsistent)
      if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
        condition.lock()
        condition.broadcast()
        condition.unlock()
      }
      takePieces()
      var waited = 0
      while finished.load(ordering: .acquiring) < pieces {
        waited += 1
        if waited > Self.spins { sched_yield() }
      }
      self.body = nil
    }
    isBusy.store(false, ordering: .releasing)
    return true
  }

  /// Takes pieces until none is left.
  private func takePieces() {
    while true {
      let left = remaining.load(ordering: .acquiring)
      guard left > 0 else { return }
      let (taken, _) = remaining.weakCompareExchange(
        expected: left, desired: left - 1, ordering: .acquiringAndReleasing)
      guard taken else { continue }
      body!(left - 1)
      finished.add(1, ordering: .releasing)
    }
  }

  private func work() {
    while !isStopped.load(ordering: .relaxed) {
      var spun = 0
      while remaining.load(ordering: .relaxed) == 0 && spun < Self.spins { spun += 1 }
      if remaining.load(ordering: .relaxed) == 0 { sleep() }
      takePieces()
    }
  }

  private func sleep() {
    condition.lock()
    sleepers.add(1, ordering: .sequentiallyConsistent)
    while remaining.load(ordering: .sequentiallyConsistent) == 0
      && !isStopped.load(ordering: .relaxed)
    { condition.wait() }
    sleepers.subtract(1, ordering: .sequentiallyConsistent)
    condition.unlock()
  }

  func stop() {
    condition.lock()
    isStopped.store(true, ordering: .relaxed)
    condition.broadcast()
    condition.unlock()
  }
}
