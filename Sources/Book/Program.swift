import Files
import Foundation
import Subprocess

/// A program of somebody else's that the book is made with.
struct Program {
  /// Its name on PATH, or a path.
  let name: String
  /// What it is missing for, and what installs it: `the book was not made; … apt-get install …`.
  let remedy: String

  /// What a program has written, and how it ended.
  struct Outcome {
    let output: Data
    let complaint: String
    let isGood: Bool
  }

  /// The variables of this process, which a test may replace.
  @TaskLocal static var surroundings = ProcessInfo.processInfo.environment

  /// The sentence of a program that is not there.
  var isMissing: LabError { LabError(.tool, "\(name) is missing, so \(remedy).") }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - input: what it reads from a file, its last argument; nil for none. By a file, since a program
  ///     that ends before it has read its input would break the pipe.
  ///   - patience: how long it may take.
  ///   - limit: the most bytes that it may write.
  /// - Throws: `LabError` of kind `.tool` when it is missing or does not end; `CancellationError`.
  func run(
    _ arguments: [String], input: Data? = nil, patience: Duration = .seconds(60),
    limit: Int = 64 << 20
  ) async throws -> Outcome {
    var arguments = arguments
    let folder = try input.map { _ in try TemporaryFolder(for: "lab-book") }
    defer { folder?.remove() }
    if let folder, let input {
      let file = folder.url.appendingPathComponent("input")
      try AtomicFile.write(input, to: file)
      arguments.append(file.path)
    }
    let whole = arguments
    let outcome = try await withThrowingTaskGroup(of: Outcome?.self) { group in
      group.addTask { try await finished(whole, limit) }
      group.addTask {
        try await Task.sleep(for: patience)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next()!
    }
    guard let outcome else {
      throw LabError(
        .tool, "\(name) did not end in \(patience.components.seconds) s; run it by itself.")
    }
    return outcome
  }

  private func finished(_ arguments: [String], _ limit: Int) async throws -> Outcome {
    var options = PlatformOptions()
    // Ended as a group, with whatever it has started.
    options.createSession = true
    options.teardownSequence = [
      .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(10))
    ]
    var variables: [Environment.Key: String] = [:]
    for (name, value) in Self.surroundings {
      if let key = Environment.Key(rawValue: name) { variables[key] = value }
    }
    do {
      let result = try await Subprocess.run(
        name.contains("/") ? .path(.init(name)) : .name(name), arguments: .init(arguments),
        environment: .custom(variables), platformOptions: options, input: .none,
        output: .data(limit: limit), error: .string(limit: 1 << 20))
      try Task.checkCancellation()
      var isGood = false
      if case .exited(0) = result.terminationStatus { isGood = true }
      return Outcome(
        output: result.standardOutput, complaint: result.standardError.lastWords ?? "",
        isGood: isGood)
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      if error.code == .executableNotFound { throw isMissing }
      throw LabError(.tool, "\(name) cannot be run or wrote without end; run it by itself.")
    }
  }
}

/// The converter of Markdown that GitHub uses, as a program.
enum Markdown {
  static let program = Program(
    name: "cmark-gfm", remedy: "the book was not made; install it with: apt-get install cmark-gfm")

  /// A text of Markdown as HTML; raw HTML in it stays, since it is the lab's own.
  ///
  /// - Throws: `LabError` of kind `.tool` when the converter is missing or refuses the text.
  static func html(of text: String) async throws -> String {
    let outcome = try await program.run(
      ["--unsafe", "--to", "html", "-e", "table", "-e", "strikethrough", "-e", "autolink"],
      input: Data(text.utf8))
    guard outcome.isGood else {
      throw LabError(
        .tool,
        "cmark-gfm refuses the text (\(outcome.complaint)); install it anew with: apt-get install "
          + "cmark-gfm.")
    }
    return String(decoding: outcome.output, as: UTF8.self)
  }
}
