import Files
import Foundation
import Subprocess

/// The program that draws figures.
enum Gnuplot {
  /// Draws a figure whose data stand in a folder under `<stem>.dat`, as `<stem>.svg` beside it.
  ///
  /// - Throws: `LabError` of kind `.tool` when gnuplot is missing or refuses the script;
  ///   `CancellationError`.
  static func draw(_ figure: Figure, stem: String, in folder: URL) async throws {
    // A bare name for the data, so that the same figure has the same bytes in any folder.
    let script = FigureScript(figure, data: "\(stem).dat").text
    do {
      let result = try await run(
        .name("gnuplot"), arguments: ["-"], workingDirectory: .init(folder.path),
        input: .string(script), output: .data(limit: 64 << 20), error: .string(limit: 1 << 16))
      try Task.checkCancellation()
      guard result.terminationStatus.isSuccess, !result.standardOutput.isEmpty else {
        let reason = result.standardError.split(separator: "\n").last ?? "no reason given"
        throw LabError(.tool, "gnuplot could not draw \(stem): \(reason.words).")
      }
      try AtomicFile.write(result.standardOutput, to: folder.appendingPathComponent("\(stem).svg"))
    } catch is SubprocessError {
      try Task.checkCancellation()
      throw LabError(
        .tool,
        "gnuplot is missing, so figures were not drawn; install it with: apt-get install "
          + "gnuplot-nox.")
    }
  }
}
