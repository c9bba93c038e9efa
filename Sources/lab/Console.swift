import Foundation

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

/// A bar on stderr while a run is under way; silent when stderr is no terminal, or a dumb one.
final class ProgressBar: @unchecked Sendable {
  private let lock = NSLock()
  private let isShown = Console.understandsCodes(2)
  private var start = Date()
  private var label = ""
  private var last = Date.distantPast

  /// Draws the state of some work, 0…1, and the time that is left at this pace.
  func show(_ label: String, _ fraction: Double) {
    guard isShown else { return }
    lock.lock()
    defer { lock.unlock() }
    if label != self.label { (self.label, start) = (label, Date()) }
    guard Date().timeIntervalSince(last) > 0.1 || fraction >= 1 else { return }
    last = Date()
    let done = Int(fraction * 30)
    let bar = String(repeating: "█", count: done) + String(repeating: "·", count: 30 - done)
    let elapsed = Date().timeIntervalSince(start)
    let left = fraction > 0.02 ? ", \(Int(elapsed / fraction - elapsed)) s left" : ""
    Console.writeToStderr("\r\(label) \(bar) \(Int(fraction * 100)) %\(left)\u{1B}[K")
  }

  /// Wipes the bar, so that a result can stand on the line.
  func clear() {
    guard isShown else { return }
    Console.writeToStderr("\r\u{1B}[K")
  }
}
