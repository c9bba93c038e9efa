@preconcurrency import Dispatch
import Foundation
import Notebook

/// What the commands print: results on stdout, everything else on stderr.
struct Console {
  /// Whether results may be coloured: on a terminal that has not asked for plain text.
  let isColoured: Bool

  init(noColor: Bool) {
    let environment = ProcessInfo.processInfo.environment
    isColoured = !noColor && (environment["NO_COLOR"] ?? "").isEmpty && Self.understandsCodes(1)
  }

  /// Whether a stream is a terminal that can do more than print, which `TERM=dumb` cannot.
  static func understandsCodes(_ descriptor: Int32) -> Bool {
    isatty(descriptor) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  }

  func bold(_ text: String) -> String { style(text, "1") }
  func good(_ text: String) -> String { style(text, "32") }
  func bad(_ text: String) -> String { style(text, "31") }
  func faint(_ text: String) -> String { style(text, "2") }

  private func style(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Sends what was printed on its way, also into a pipe.
  static func flush() { fflush(nil) }

  /// A line on stderr.
  static func complain(_ line: String) { writeToStderr(line + "\n") }

  /// Text on stderr; when nobody can take it, the work goes on without.
  ///
  /// `FileHandle.write` would end the process there.
  static func writeToStderr(_ text: String) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(2, $0.baseAddress!, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }

  /// A path as the reader would type it: relative to the current folder when it lies inside.
  static func relative(_ url: URL) -> String {
    let here = FileManager.default.currentDirectoryPath + "/"
    let path = url.standardizedFileURL.path
    return path.hasPrefix(here) ? String(path.dropFirst(here.count)) : path
  }
}

/// What stderr hears of long work: a bar on a terminal, elsewhere a line every half minute.
final class WorkReport: Sendable {
  private let report: ProgressReport
  private let timer: any DispatchSourceTimer

  /// A report of work that starts now.
  ///
  /// - Parameters:
  ///   - subject: what the work is, as a line names it.
  ///   - expected: the seconds that all of it will take; nil where nobody knows.
  init(_ subject: String, expected: Double? = nil) {
    let report = ProgressReport(
      subject, expected: expected, style: Console.understandsCodes(2) ? .bar : .lines,
      now: { ProcessInfo.processInfo.systemUptime }, write: Console.writeToStderr)
    self.report = report
    timer = DispatchSource.makeTimerSource(queue: .global())
    timer.schedule(deadline: .now() + .seconds(30), repeating: .seconds(30))
    timer.setEventHandler { report.tick() }
    timer.resume()
  }

  deinit { timer.cancel() }

  /// Hears how far a part of the work is, 0…1.
  func show(_ label: String, _ fraction: Double) { report.show(label, fraction) }

  /// Wipes the bar, so that a result can stand on the line.
  func clear() { report.clear() }

  /// Says no more.
  func end() {
    timer.cancel()
    clear()
  }
}
