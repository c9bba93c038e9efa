/// How fast a source must deliver, so that none can hold a fetch for ever.
struct Pace: Sendable {
  /// The longest time without a byte.
  var silence = Duration.seconds(30)
  /// The time over which the speed is measured.
  var window = Duration.seconds(60)
  /// The fewest bytes a second over a window.
  var leastSpeed = 1024.0

  /// What is usual.
  static let usual = Pace()
}

/// Watches a count of bytes that have come.
struct PaceWatch {
  private let pace: Pace
  // Of a clock that stops while the machine sleeps.
  private var last = (count: 0, time: SuspendingClock.now)
  private var window = (count: 0, time: SuspendingClock.now)

  /// A watch that starts now, when nothing has come.
  init(_ pace: Pace) { self.pace = pace }

  /// What is wrong with the source, worded to follow its name; nil while it delivers.
  mutating func complaint(about count: Int) -> String? {
    let now = SuspendingClock.now
    if count != last.count { last = (count, now) }
    if now - last.time >= pace.silence { return "sent nothing for \(pace.silence.words)" }
    let time = now - window.time
    guard time >= pace.window else { return nil }
    if Double(count - window.count) < pace.leastSpeed * (time / .seconds(1)) {
      return "sent less than 1 KB a second"
    }
    window = (count, now)
    return nil
  }
}

extension Duration {
  /// In whole seconds: `30 s`.
  var words: String { "\(components.seconds) s" }
}
