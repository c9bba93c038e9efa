import Foundation

/// A failure that a user can mend: one sentence, and the exit code that belongs to it.
///
/// The sentence says what was wrong, where, and what to do.
public struct LabError: Error, CustomStringConvertible, Sendable, Equatable {
  /// What failed, which decides the exit code.
  public enum Kind: Sendable {
    /// A check, a claim or a bound number.
    case failed
    /// A file or a folder: missing, corrupt, or not to be written.
    case input
    /// A program or a server that is missing or could not be reached.
    case tool

    /// The exit code of the process: 1, 66 (`EX_NOINPUT`) or 69 (`EX_UNAVAILABLE`).
    public var exitCode: Int32 {
      switch self {
      case .failed: 1
      case .input: 66
      case .tool: 69
      }
    }
  }

  /// What failed.
  public let kind: Kind
  /// One sentence: what was wrong, where, and what to do.
  public let description: String

  /// An error of a kind with its sentence.
  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }
}

extension String {
  /// The system's words for one of its error numbers: "Permission denied".
  public init(errorNumber code: Int32) { self.init(cString: strerror(code)) }

  /// The text as one word of a shell, so that a command in a sentence can be copied as it stands.
  public var shellQuoted: String {
    let isPlain = utf8.allSatisfy { byte in
      UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte
        || UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte || "/._-+:,@%".utf8.contains(byte)
    }
    if isPlain && !isEmpty { return self }
    // By scalars: an accent after it makes another character of a quotation mark, not for a shell.
    return "'" + unicodeScalars.map { $0 == "'" ? "'\\''" : "\($0)" }.joined() + "'"
  }

  /// The last line that says anything, for what a program has complained of; nil when none does.
  ///
  /// What could move a terminal's cursor is left out, and so is what goes beyond 200 letters.
  public var lastWords: String? {
    let line = split(whereSeparator: \.isNewline).last { line in
      line.contains { !$0.isWhitespace }
    }
    return line.map { line in
      let shown = line.unicodeScalars.filter { $0.properties.generalCategory != .control }
      let words = String(String.UnicodeScalarView(shown)).split(whereSeparator: \.isWhitespace)
      return String(words.joined(separator: " ").prefix(200))
    }
  }
}
