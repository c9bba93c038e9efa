import Gradients
import Networks
import Tensors

/// What the machine gives at most, measured in the same run as the workloads that it bounds.
public struct Ceilings: Codable, Sendable, Equatable {
  /// Our product of 2048 × 2048 matrices, in billions of floating-point operations a second.
  public private(set) var own = 0.0
  /// OpenBLAS's, cut for the same threads.
  public private(set) var openBLAS = 0.0
  /// Gigabytes a second that momentum's update of `streamed` parameters moves.
  public private(set) var stream = 0.0

  /// The larger of both products: what a workload's share is a share of.
  public var peak: Double { max(own, openBLAS) }

  /// Parameters of the update that is timed: 40 MB a tensor, more than a cache has.
  static let streamed = 10_000_000

  /// Ceilings that were not measured.
  init(own: Double = 0, openBLAS: Double = 0, stream: Double = 0) {
    (self.own, self.openBLAS, self.stream) = (own, openBLAS, stream)
  }

  /// Keeps the higher of each: on a machine that others use, the best moment is the ceiling.
  mutating func raise(to other: Ceilings) {
    own = max(own, other.own)
    openBLAS = max(openBLAS, other.openBLAS)
    stream = max(stream, other.stream)
  }

  /// The best of some products of either kind, and of as many updates, in turns.
  static func measured(times: Int, side: Int = 2048, streamed: Int = streamed) -> Ceilings {
    var random = RandomStream(seed: 2016, "bench", "peak")
    let (a, b) = (random.normal([side, side]), random.normal([side, side]))
    func product() -> Double {
      2e-9 * Double(side * side * side) / ContinuousClock().measure { _ = a.product(b) }.seconds
    }
    let update = StreamedUpdate(streamed)
    var best = Ceilings()
    for _ in 0..<times {
      let own = product()
      let openBLAS = Kernels.$tile.withValue(.openBLAS) { product() }
      best.raise(to: Ceilings(own: own, openBLAS: openBLAS, stream: update()))
    }
    return best
  }
}

/// Momentum's update of one long parameter, as a step of training makes it.
private final class StreamedUpdate {
  private let parameter: Parameter
  private let gradient: Tensor
  private let watch = UpdateWatch()
  private var rule: Watched<Momentum>

  init(_ count: Int) {
    parameter = Parameter("weight", Tensor(repeating: 0, [count]))
    gradient = Tensor(repeating: 1e-3, [count])
    rule = Watched(Momentum(momentum: 0.9), watch)
    // The first one asks for the memory that the next ones use again.
    _ = self()
  }

  /// One update, in gigabytes a second.
  func callAsFunction() -> Double {
    let tape = Tape()
    let gradients = tape.backward(from: tape(parameter), cotangent: gradient)
    watch.forget()
    rule.begin([parameter], at: Moment(step: 0, epoch: 0))
    rule.step([parameter], gradients, rate: 1e-3)
    return watch.gigabytesPerSecond ?? 0
  }
}
