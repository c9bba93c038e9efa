import Files
import Foundation

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
    let drawn = try await picture(
      of: figure, stem: stem, in: folder, on: .page, by: program, patience: patience, limit: limit)
    try AtomicFile.write(drawn, to: folder.appendingPathComponent("\(stem).svg"))
  }

  /// A figure whose data stand in a folder under `<stem>.dat`, as a canvas takes it.
  ///
  /// - Throws: what `draw` throws.
  static func picture(
    of figure: Figure, stem: String, in folder: URL, on canvas: Canvas,
    by program: String = "gnuplot", patience: Duration = .seconds(120), limit: Int = 64 << 20
  ) async throws -> Data {
    // By file: a gnuplot that ends before it has read its input would break the pipe.
    let script = folder.appendingPathComponent("\(stem).gp")
    defer { unlink(script.path) }
    // A bare name for the data, so that the same figure has the same bytes in any folder.
    try AtomicFile.write(
      Data(FigureScript(figure, data: "\(stem).dat", on: canvas).text.utf8), to: script)
    do {
      let outcome = try await Program(name: program, remedy: remedy).outcome(
        ["-d", script.lastPathComponent], in: folder, variables: variables, patience: patience,
        limit: limit)
      let end: String? =
        switch outcome.end {
        case .exited(0): nil
        case .exited(let code): "it ended with code \(code) and gave no reason; \(advice)"
        case .signaled(let number): "it was ended by signal \(number); \(advice)"
        }
      guard end == nil, canvas.holdsWhole(outcome.output) else {
        throw failure(
          stem,
          outcome.complaint.isEmpty
            ? end ?? "it wrote no whole picture; \(advice)" : outcome.complaint)
      }
      return outcome.output
    } catch let reason as Program.Failure {
      switch reason {
      case .isMissing: throw Program(name: "gnuplot", remedy: remedy).isMissing
      case .writesWithoutEnd: throw failure(stem, "it wrote without end")
      case .cannotBeRun: throw failure(stem, "it cannot be run; \(advice)")
      case .takesTooLong(let seconds): throw failure(stem, "it did not end in \(seconds) s")
      }
    }
  }

  /// What to do about a gnuplot that says nothing itself.
  static let advice =
    "run gnuplot by itself, or install it anew with: apt-get install gnuplot-nox"

  private static let remedy =
    "figures were not drawn; install it with: apt-get install gnuplot-nox"

  private static func failure(_ stem: String, _ reason: String) -> LabError {
    let reason = reason.hasSuffix(".") ? String(reason.dropLast()) : reason
    return LabError(.tool, "gnuplot could not draw \(stem): \(reason).")
  }

  /// The variables without those that change what gnuplot draws.
  ///
  /// With the option `-d`, which leaves out its initial files, a figure looks the same everywhere.
  private static var variables: [String: String] {
    let foreign = ["GNU", "FIT_", "GDFONTPATH", "LC_", "LANG"]
    var variables = ["LC_ALL": "C"]
    for (name, value) in Program.surroundings where !foreign.contains(where: name.hasPrefix) {
      variables[name] = value
    }
    return variables
  }
}

extension Canvas {
  /// Whether some bytes are a picture that has an end.
  fileprivate func holdsWhole(_ picture: Data) -> Bool {
    switch self {
    case .page: picture.suffix(64).range(of: Data("</svg>".utf8)) != nil
    case .sixels:
      picture.starts(with: [0x1B, UInt8(ascii: "P")])
        && picture.suffix(8).range(of: Data([0x1B, UInt8(ascii: "\\")])) != nil
    case .letters: picture.contains { $0 > UInt8(ascii: " ") }
    }
  }
}

extension Figure {
  /// The figure as a terminal shows it.
  ///
  /// - Throws: `LabError` of kind `.tool` when gnuplot is missing or does not draw, of kind `.input`
  ///   when there is no place for its data; `CancellationError`.
  public func picture(on canvas: Canvas) async throws -> Data {
    let folder = try TemporaryFolder(for: "lab-figure")
    defer { folder.remove() }
    try AtomicFile.write(
      Data(FigureData(self).text.utf8), to: folder.url.appendingPathComponent("\(name).dat"))
    let picture = try await Gnuplot.picture(of: self, stem: name, in: folder.url, on: canvas)
    guard canvas.isLetters else { return picture }
    // Before several panels gnuplot sends a form feed, whatever it is told.
    let lines = String(decoding: picture, as: UTF8.self).split(separator: "\n").map { line in
      line.filter { $0 != "\u{0C}" }.replacing(#/ +$/#, with: "")
    }
    let drawn = lines.drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.reversed()
    return Data((drawn.joined(separator: "\n") + "\n").utf8)
  }
}
