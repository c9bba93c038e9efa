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
