import Gradients
import Networks
import Tensors

/// How long an optimiser's updates took, and how much memory they moved.
final class UpdateWatch {
  private(set) var seconds = 0.0
  private(set) var bytes = 0.0

  /// Gigabytes a second; nil before the first update.
  var gigabytesPerSecond: Double? { seconds > 0 ? 1e-9 * bytes / seconds : nil }

  func forget() { (seconds, bytes) = (0, 0) }

  fileprivate func note(_ duration: Duration, bytes more: Double) {
    seconds += duration.seconds
    bytes += more
  }
}

/// A rule whose updates are watched where they happen: after a backward pass has filled the caches.
struct Watched<Rule: Optimiser>: Optimiser {
  private var rule: Rule
  private let watch: UpdateWatch

  init(_ rule: Rule, _ watch: UpdateWatch) { (self.rule, self.watch) = (rule, watch) }

  var memory: [Tensor] {
    get { rule.memory }
    set { rule.memory = newValue }
  }
  var memoriesPerParameter: Int { rule.memoriesPerParameter }
  var steps: Int {
    get { rule.steps }
    set { rule.steps = newValue }
  }

  /// The bytes that an update of some parameters has to move.
  ///
  /// The gradient is read, each weight and what the rule remembers of it is read and written: 20
  /// bytes a weight for momentum, 28 for Adam.
  static func bytes(of parameters: [Parameter], memories: Int) -> Double {
    let count = parameters.reduce(0) { $0 + ($1.isTrainable ? $1.value.count : 0) }
    return Double(4 * count * (2 * (1 + memories) + 1))
  }

  mutating func begin(_ parameters: [Parameter], at moment: Moment) {
    rule.begin(parameters, at: moment)
  }

  mutating func step(
    _ parameters: [Parameter], _ gradients: Cotangents, rate: Float, averages: [ParameterAverage]
  ) {
    let start = ContinuousClock.now
    rule.step(parameters, gradients, rate: rate, averages: averages)
    watch.note(
      ContinuousClock.now - start,
      bytes: Self.bytes(of: parameters, memories: memoriesPerParameter))
  }
}
