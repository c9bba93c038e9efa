import Files
import Foundation
import Subprocess

/// The program that draws figures.
enum Gnuplot {
  /// Draws a figure whose data stand in a folder under `<stem>.dat`, as `<stem>.svg` beside it.
  ///
  /// - Parameters:
  ///   - program: its name on PATH, or a path.
  ///   - patience: how long it may take.
  ///   - limit: the most bytes that a picture may have.
  /// - Throws: `LabError` of kind `.tool` when gnuplot is missing, refuses the script or draws no
  ///   whole picture; `CancellationError`.
  static func draw(
    _ figure: Figure, stem: String, in folder: URL, by program: String = "gnuplot",
    patience: Duration = .seconds(120), limit: Int = 64 << 20
  ) async throws {
    // By file: a gnuplot that ends before it has read its input would break the pipe.
    let script = folder.appendingPathComponent("\(stem).gp")
    defer { unlink(script.path) }
    // A bare name for the data, so that the same figure has the same bytes in any folder.
    try AtomicFile.write(
      Data(FigureScript(figure, data: "\(stem).dat").text.utf8), to: script)
    let drawn = try await withThrowingTaskGroup(of: Data?.self) { group in
      group.addTask {
        try await picture(
          script.lastPathComponent, stem, in: folder, by: program, limit: limit)
      }
      group.addTask {
        try await Task.sleep(for: patience)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next()!
    }
    guard let drawn else {
      throw failure(stem, "it did not end in \(patience.components.seconds) s")
    }
    try AtomicFile.write(drawn, to: folder.appendingPathComponent("\(stem).svg"))
  }

  private static func picture(
    _ script: String, _ stem: String, in folder: URL, by program: String, limit: Int
  ) async throws -> Data {
    var options = PlatformOptions()
    // Ended as a group, whatever a gnuplot of another make has started.
    options.createSession = true
    options.teardownSequence = [
      .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(10))
    ]
    do {
      let result = try await run(
        program.contains("/") ? .path(.init(program)) : .name(program),
        arguments: ["-d", script], environment: environment(),
        workingDirectory: .init(folder.path), platformOptions: options, input: .none,
        output: .data(limit: limit), error: .string(limit: 1 << 20))
      try Task.checkCancellation()
      let end: String? =
        switch result.terminationStatus {
        case .exited(0): nil
        case .exited(let code): "it ended with code \(code) and gave no reason; \(advice)"
        case .signaled(let number): "it was ended by signal \(number); \(advice)"
        }
      let isWhole = result.standardOutput.suffix(64).range(of: Data("</svg>".utf8)) != nil
      guard end == nil, isWhole else {
        throw failure(
          stem, result.standardError.lastWords ?? end ?? "it wrote no whole picture; \(advice)")
      }
      return result.standardOutput
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      switch error.code {
      case .executableNotFound:
        throw LabError(
          .tool,
          "gnuplot is missing, so figures were not drawn; install it with: apt-get install "
            + "gnuplot-nox.")
      case .outputLimitExceeded: throw failure(stem, "it wrote without end")
      default: throw failure(stem, "it cannot be run; \(advice)")
      }
    }
  }

  /// What to do about a gnuplot that says nothing itself.
  static let advice =
    "run gnuplot by itself, or install it anew with: apt-get install gnuplot-nox"

  private static func failure(_ stem: String, _ reason: String) -> LabError {
    let reason = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
    return LabError(.tool, "gnuplot could not draw \(stem): \(reason).")
  }

  /// The variables of this process, which a test may replace.
  @TaskLocal static var surroundings = ProcessInfo.processInfo.environment

  /// The variables without those that change what gnuplot draws.
  ///
  /// With the option `-d`, which leaves out its initial files, a figure looks the same everywhere.
  private static func environment() -> Environment {
    let foreign = ["GNU", "FIT_", "GDFONTPATH", "LC_", "LANG"]
    var variables: [Environment.Key: String] = ["LC_ALL": "C"]
    for (name, value) in surroundings where !foreign.contains(where: { name.hasPrefix($0) }) {
      if let key = Environment.Key(rawValue: name) { variables[key] = value }
    }
    return .custom(variables)
  }
}
