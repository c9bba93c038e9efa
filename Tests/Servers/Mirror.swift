import Foundation

/// A server for tests, on a port of this machine, that behaves as badly as it is told to.
public final class Mirror: Sendable {
  /// Its address, without a path.
  public let address: String
  private let lifeline: FileHandle

  /// Starts `mirror.py`, whose functions are the faults, with hyphens in their names.
  ///
  /// It ends with this object, or with this process.
  public init(_ fault: String, _ arguments: String...) throws {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("mirror.py")
    let (server, input, output) = (Process(), Pipe(), Pipe())
    server.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    server.arguments = ["python3", script.path, fault] + arguments
    server.standardInput = input
    server.standardOutput = output
    try server.run()
    let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    address = "http://127.0.0.1:" + line.trimmingCharacters(in: .whitespacesAndNewlines)
    lifeline = input.fileHandleForWriting
  }

  deinit { try? lifeline.close() }
}
