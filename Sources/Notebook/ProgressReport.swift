import Synchronization

/// What a reader hears of long work: how far it is, and how long it will take.
///
/// On a terminal a bar of the part under way; elsewhere a plain line every half minute, which a log
/// keeps. The clock and the sink are the caller's.
public final class ProgressReport: Sendable {
  /// How it looks.
  public enum Style: Sendable { case bar, lines }

  /// The part of the work that is under way.
  private struct Part {
    let label: String
    /// When it was first heard of, and how far it was then.
    let start: Double, first: Double
    private(set) var fraction: Double
    /// The latest step ahead: when, and how far.
    private var moved: Double, stride = 0.0

    init(label: String, start: Double, first: Double) {
      (self.label, self.start, self.first) = (label, start, first)
      (fraction, moved) = (first, start)
    }

    mutating func move(to fraction: Double, at time: Double) {
      guard fraction != self.fraction else { return }
      (moved, stride, self.fraction) = (time, fraction - self.fraction, fraction)
    }

    /// The seconds that it will take at its pace until now; nil while that says little.
    ///
    /// Where results were kept the pace is too good to last: each step that is left is taken to be as
    /// long as the one under way has been already.
    func secondsLeft(at time: Double) -> Double? {
      let (done, elapsed) = (fraction - first, time - start)
      guard done > 0.02, elapsed > 0 else { return nil }
      let atPace = elapsed * (1 - fraction) / done
      return stride > 0 ? max(atPace, (time - moved) * (1 - fraction) / stride) : atPace
    }
  }

  private struct State {
    var part: Part?
    var lastDrawn = -Double.infinity
    var isOnLine = false
  }

  private let subject: String
  private let expected: Double?
  private let style: Style
  private let start: Double
  private let now: @Sendable () -> Double
  private let write: @Sendable (String) -> Void
  private let state = Mutex(State())

  /// A report of some work that starts now.
  ///
  /// - Parameters:
  ///   - subject: what the work is, as a line names it.
  ///   - expected: the seconds that all of it will take; nil where nobody knows.
  ///   - style: how it looks.
  ///   - now: a clock in seconds.
  ///   - write: takes text for stderr.
  public init(
    _ subject: String, expected: Double? = nil, style: Style, now: @escaping @Sendable () -> Double,
    write: @escaping @Sendable (String) -> Void
  ) {
    (self.subject, self.expected, self.style) = (subject, expected, style)
    (self.now, self.write, start) = (now, write, now())
  }

  /// Hears how far a part of the work is, 0…1.
  public func show(_ label: String, _ fraction: Double) {
    let time = now()
    state.withLock { state in
      if state.part?.label == label {
        state.part!.move(to: fraction, at: time)
      } else {
        state.part = Part(label: label, start: time, first: fraction)
      }
      guard style == .bar, time - state.lastDrawn > 0.1 || fraction >= 1 else { return }
      (state.lastDrawn, state.isOnLine) = (time, true)
      let done = Int(min(max(fraction, 0), 1) * 30)
      let bar = String(repeating: "█", count: done) + String(repeating: "·", count: 30 - done)
      let left = state.part!.secondsLeft(at: time).map { ", \(Int($0)) s left" } ?? ""
      write("\r\(label) \(bar) \(Int(fraction * 100)) %\(left)\u{1B}[K")
    }
  }

  /// Wipes the bar, so that a result can stand on the line.
  public func clear() {
    state.withLock { state in
      guard state.isOnLine else { return }
      state.isOnLine = false
      write("\r\u{1B}[K")
    }
  }

  /// Says where the work is, on a line of its own; to be called every half minute.
  ///
  /// A bar says so all the time.
  public func tick() {
    guard style == .lines else { return }
    let time = now()
    let line = state.withLock { state in self.line(state.part, at: time) }
    write(line + "\n")
  }

  private func line(_ part: Part?, at time: Double) -> String {
    let part = part.flatMap { $0.fraction < 1 ? $0 : nil }
    let (elapsed, partLeft) = (time - start, part?.secondsLeft(at: time))
    var line = "\(subject): \(roughTime(elapsed)) gone"
    var isOfPart = true
    if let expected, expected > elapsed {
      // What is under way knows better where it alone takes longer.
      line += ", about \(roughTime(max(expected - elapsed, partLeft ?? 0))) left"
      isOfPart = false
    } else if let expected {
      line += " where about \(roughTime(expected)) were expected"
    } else if partLeft == nil {
      line += ", how long it will take is not known yet"
    }
    guard let part else { return line + "." }
    let rest = isOfPart ? partLeft.map { ", about \(roughTime($0)) left of it" } ?? "" : ""
    return line + " (\(part.label): \(Int(part.fraction * 100)) %\(rest))."
  }
}
