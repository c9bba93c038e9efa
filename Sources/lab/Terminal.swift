import Foundation
import Notebook

/// The terminal that a command talks to.
enum Terminal {
  /// What figures are drawn on: letters where stdout is no terminal, or one that shows no pictures.
  static var canvas: Canvas {
    guard Console.understandsCodes(1) else { return .letters(columns: width ?? 100) }
    return showsPictures ? .sixels : .letters(columns: width ?? 100)
  }

  /// The letters of a line, at least 60 and at most 160; nil where stdout is no terminal.
  private static var width: Int? {
    var size = winsize()
    guard isatty(1) == 1, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return nil
    }
    return min(160, max(60, Int(size.ws_col)))
  }

  /// Whether the terminal answers that it shows sixels.
  ///
  /// It is asked for its attributes (`ESC [ c`), which every terminal answers since the VT100; one that
  /// says nothing in a second shows none.
  private static var showsPictures: Bool {
    let descriptor = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var former = termios()
    // Who works in the background may not speak with the terminal, and would be stopped.
    guard tcgetpgrp(descriptor) == getpgrp(), tcgetattr(descriptor, &former) == 0 else {
      return false
    }
    var silent = former
    silent.c_lflag &= ~tcflag_t(ECHO | ICANON)
    guard tcsetattr(descriptor, TCSANOW, &silent) == 0 else { return false }
    defer { tcsetattr(descriptor, TCSANOW, &former) }
    let question = Array("\u{1B}[c".utf8)
    guard write(descriptor, question, question.count) == question.count else { return false }
    let end = ContinuousClock.now + .seconds(1)
    var answer: [UInt8] = []
    while TerminalAnswer(answer) == nil, answer.count < 256 {
      let left = Int32((end - .now) / .milliseconds(1))
      var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > 0, poll(&state, 1, left) == 1 else { return false }
      var byte: UInt8 = 0
      // One at a time: what the reader types after the answer is not for us.
      guard read(descriptor, &byte, 1) == 1 else { return false }
      answer.append(byte)
    }
    return TerminalAnswer(answer)?.showsSixels ?? false
  }
}

/// What a terminal says when it is asked for its attributes: `ESC [ ? 62 ; 4 ; 22 c`.
struct TerminalAnswer {
  /// Whether 4, sixels, is among its attributes; the first number is its class.
  let showsSixels: Bool

  /// The first whole answer in some bytes, which may begin with what the reader has typed; nil where
  /// there is none.
  init?(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let answer = text.firstMatch(of: /\u{1B}\[\?(?<numbers>[0-9;]+)c/) else { return nil }
    showsSixels = answer.numbers.split(separator: ";").dropFirst().contains("4")
  }
}
