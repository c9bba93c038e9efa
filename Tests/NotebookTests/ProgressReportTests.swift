import Notebook
import Synchronization
import Testing

/// A clock that a test sets, and what was written.
private final class Desk: Sendable {
  private let state = Mutex((time: 1000.0, text: ""))

  var time: Double {
    get { state.withLock { $0.time } }
    set { state.withLock { $0.time = newValue } }
  }

  /// What was written since the last look.
  var text: String {
    state.withLock { state in
      defer { state.text = "" }
      return state.text
    }
  }

  func report(expected: Double? = nil, _ style: ProgressReport.Style) -> ProgressReport {
    ProgressReport("2.1", expected: expected, style: style) {
      self.state.withLock { $0.time }
    } write: { text in
      self.state.withLock { $0.text += text }
    }
  }
}

@Suite struct ProgressReportTests {
  @Test func linesSayWhatIsGoneAndWhatIsLeft() {
    let desk = Desk()
    let report = desk.report(expected: 120, .lines)
    desk.time += 30
    report.tick()
    #expect(desk.text == "2.1: 30 s gone, about 2 min left.\n")
    report.show("training", 0)
    desk.time += 30
    report.show("training", 0.5)
    #expect(desk.text == "", "nothing between the lines")
    report.tick()
    #expect(desk.text == "2.1: 60 s gone, about 60 s left (training: 50 %).\n")
    // The part alone will take longer than was expected of all.
    desk.time += 30
    report.tick()
    #expect(desk.text == "2.1: 2 min gone, about 60 s left (training: 50 %).\n")
    desk.time += 30
    report.show("training", 0.55)
    report.tick()
    #expect(
      desk.text
        == "2.1: 2 min gone where about 2 min were expected (training: 55 %, about 74 s left of it).\n"
    )
    report.show("training", 1)
    report.tick()
    #expect(desk.text == "2.1: 2 min gone where about 2 min were expected.\n")
    report.clear()
    #expect(desk.text == "", "there is no bar to wipe")
  }

  @Test func whatNobodyKnowsIsNotSaid() {
    let desk = Desk()
    let report = desk.report(.lines)
    desk.time += 30
    report.tick()
    #expect(desk.text == "2.1: 30 s gone, how long it will take is not known yet.\n")
    // A training that goes on has its pace from where it began.
    report.show("training", 0.6)
    desk.time += 10
    report.show("training", 0.7)
    report.tick()
    #expect(desk.text == "2.1: 40 s gone (training: 70 %, about 30 s left of it).\n")
    report.show("test", 0.01)
    report.tick()
    #expect(desk.text == "2.1: 40 s gone, how long it will take is not known yet (test: 1 %).\n")
  }

  @Test func resultsThatWereKeptPromiseNothingOfThoseThatAreLeft() {
    let desk = Desk()
    let report = desk.report(.lines)
    report.show("draws", 0)
    desk.time += 0.1
    for kept in 1...80 { report.show("draws", Double(kept) / 100) }
    report.tick()
    #expect(desk.text == "2.1: 1 s gone (draws: 80 %, about 1 s left of it).\n")
    desk.time += 59.9
    report.tick()
    // Twenty more like the one that takes a minute already.
    #expect(desk.text == "2.1: 60 s gone (draws: 80 %, about 20 min left of it).\n")
  }

  @Test func aBarIsForTerminalsAlone() {
    let desk = Desk()
    let report = desk.report(expected: 120, .bar)
    report.show("training", 0)
    desk.time += 10
    _ = desk.text
    report.show("training", 0.5)
    let half = String(repeating: "█", count: 15) + String(repeating: "·", count: 15)
    #expect(desk.text == "\rtraining \(half) 50 %, 10 s left\u{1B}[K")
    report.tick()
    #expect(desk.text == "")
    report.show("training", 0.51)
    #expect(desk.text == "", "not ten times a second")
    report.clear()
    report.clear()
    #expect(desk.text == "\r\u{1B}[K")
  }

  @Test func timesAreRough() {
    for (seconds, words) in [
      (0.1, "1 s"), (1.4, "1 s"), (89.4, "89 s"), (90, "2 min"), (1195, "20 min"),
      (5399, "90 min"), (9000, "2.5 h"), (.infinity, "for ever"), (.nan, "for ever"),
    ] {
      #expect(roughTime(seconds) == words)
    }
  }
}
