import Foundation
import Synchronization

/// Memory for tensors, taken from the system once and used again step after step.
///
/// A training step asks for the same sizes as the one before it. Returned buffers wait in a list
/// for their size, so that in the steady state no step allocates; `systemAllocations` counts.
public enum BufferPool {
  /// Buffers hold whole vectors: kernels may read and write up to the next multiple of this.
  @usableFromInline static let lanes = 16
  /// More than this is not kept waiting: it goes back to the system (in floats; 256 MiB).
  private static let limit = 64 << 20

  private struct State {
    var waiting: [Int: [UInt]] = [:]
    var waitingFloats = 0
    var systemAllocations = 0
  }
  private static let state = Mutex(State())

  /// How often memory was asked of the system since the process began.
  public static var systemAllocations: Int { state.withLock { $0.systemAllocations } }

  /// The size that is really taken for a request: the next of four steps to each power of two.
  ///
  /// One whole vector more than asked: a row's last vector may be read past its end.
  static func capacity(for count: Int) -> Int {
    let whole = (count + 2 * lanes - 1) / lanes * lanes
    let step = max(lanes, 1 << max(0, Int.bitWidth - 3 - whole.leadingZeroBitCount))
    return (whole + step - 1) / step * step
  }

  /// A buffer of at least `count` floats, its start on a cache line, its contents arbitrary.
  static func take(_ capacity: Int) -> UnsafeMutablePointer<Float> {
    let found: UInt? = state.withLock { state in
      guard let address = state.waiting[capacity]?.popLast() else {
        state.systemAllocations += 1
        return nil
      }
      state.waitingFloats -= capacity
      return address
    }
    if let found { return UnsafeMutablePointer(bitPattern: found)! }
    var memory: UnsafeMutableRawPointer?
    let code = posix_memalign(&memory, 64, capacity * MemoryLayout<Float>.stride)
    precondition(code == 0, "out of memory for \(capacity) floats")
    return memory!.bindMemory(to: Float.self, capacity: capacity)
  }

  /// Takes a buffer back.
  static func give(_ pointer: UnsafeMutablePointer<Float>, _ capacity: Int) {
    let kept = state.withLock { state in
      guard state.waitingFloats + capacity <= limit else { return false }
      state.waiting[capacity, default: []].append(UInt(bitPattern: pointer))
      state.waitingFloats += capacity
      return true
    }
    if !kept { free(pointer) }
  }

  /// Gives everything that waits back to the system.
  public static func empty() {
    let waiting = state.withLock { state in
      defer { (state.waiting, state.waitingFloats) = ([:], 0) }
      return state.waiting.values.flatMap(\.self)
    }
    for address in waiting { free(UnsafeMutablePointer<Float>(bitPattern: address)) }
  }

  /// Scratch memory for the time of a closure; its contents are arbitrary at the start.
  public static func withScratch<Result>(
    _ count: Int, _ body: (UnsafeMutablePointer<Float>) throws -> Result
  ) rethrows -> Result {
    let capacity = capacity(for: count)
    let pointer = take(capacity)
    defer { give(pointer, capacity) }
    return try body(pointer)
  }
}
