import Foundation

/// A terminal for tests: `terminal.py`, which runs a command in one and answers what it asks.
public enum PythonTerminal {
  /// The path of the program; its first argument is the answer, the others are the command.
  public static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("terminal.py").path
}
