import Files
import Foundation
import Subprocess

/// A program of somebody else's, run with patience and with a limit to what it writes.
public struct Program: Sendable {
  /// Its name on PATH, or a path.
  public let name: String
  /// What it is missing for, and what installs it: `the book was not made; … apt-get install …`.
  let remedy: String

  /// A program by its name on PATH, or its path, and what is said when it is missing.
  public init(name: String, remedy: String) {
    self.name = name
    self.remedy = remedy
  }

  /// How a program ended.
  public enum End: Sendable, Equatable {
    case exited(Int32)
    case signaled(Int32)
  }

  /// What a program has written, and how it ended.
  public struct Outcome: Sendable {
    /// What it has written to stdout.
    public let output: Data
    /// The last words on stderr; empty for none.
    public let complaint: String
    /// How it ended.
    public let end: End

    /// Whether it ended with the code 0.
    public var isGood: Bool { end == .exited(0) }
  }

  /// Why there is no outcome.
  enum Failure: Error, Equatable {
    case isMissing, cannotBeRun, writesWithoutEnd
    /// It did not end in so many seconds.
    case takesTooLong(Int64)
  }

  /// The variables of this process, which a test may replace.
  @TaskLocal public static var surroundings = ProcessInfo.processInfo.environment

  /// The sentence of a program that is not there.
  var isMissing: LabError { LabError(.tool, "\(name) is missing, so \(remedy).") }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - input: what it reads from a file, its last argument; nil for none. By a file, since a program
  ///     that ends before it has read its input would break the pipe.
  ///   - folder: the folder that it works in; nil for the current one.
  ///   - patience: how long it may take.
  ///   - limit: the most bytes that it may write.
  /// - Throws: `LabError` of kind `.tool` when it is missing or does not end; `CancellationError`.
  public func run(
    _ arguments: [String], input: Data? = nil, in folder: URL? = nil,
    patience: Duration = .seconds(60), limit: Int = 64 << 20
  ) async throws -> Outcome {
    var arguments = arguments
    let place = try input.map { _ in try TemporaryFolder(for: "lab-program") }
    defer { place?.remove() }
    if let place, let input {
      let file = place.url.appendingPathComponent("input")
      try AtomicFile.write(input, to: file)
      arguments.append(file.path)
    }
    do {
      return try await outcome(
        arguments, in: folder, variables: Self.surroundings, patience: patience, limit: limit)
    } catch let failure as Failure {
      switch failure {
      case .isMissing: throw isMissing
      case .takesTooLong(let seconds):
        throw LabError(.tool, "\(name) did not end in \(seconds) s; run it by itself.")
      case .cannotBeRun: throw LabError(.tool, "\(name) cannot be run; try it by itself.")
      case .writesWithoutEnd:
        throw LabError(.tool, "\(name) wrote without end; try it by itself.")
      }
    }
  }

  /// Runs the program to its end, with variables of its own.
  ///
  /// - Throws: `Failure`, for whoever has words of their own for it; `CancellationError`.
  func outcome(
    _ arguments: [String], in folder: URL?, variables: [String: String], patience: Duration,
    limit: Int
  ) async throws -> Outcome {
    let outcome = try await withThrowingTaskGroup(of: Outcome?.self) { group in
      group.addTask { try await finished(arguments, folder, variables, limit) }
      group.addTask {
        try await Task.sleep(for: patience)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next()!
    }
    guard let outcome else { throw Failure.takesTooLong(patience.components.seconds) }
    return outcome
  }

  private func finished(
    _ arguments: [String], _ folder: URL?, _ variables: [String: String], _ limit: Int
  ) async throws -> Outcome {
    var options = PlatformOptions()
    // Ended as a group, with whatever it has started.
    options.createSession = true
    options.teardownSequence = [
      .send(signal: .kill, toProcessGroup: true, allowedDurationToNextStep: .milliseconds(10))
    ]
    var environment: [Environment.Key: String] = [:]
    for (name, value) in variables {
      if let key = Environment.Key(rawValue: name) { environment[key] = value }
    }
    do {
      let result = try await Subprocess.run(
        name.contains("/") ? .path(.init(name)) : .name(name), arguments: .init(arguments),
        environment: .custom(environment), workingDirectory: folder.map { .init($0.path) },
        platformOptions: options, input: .none, output: .data(limit: limit),
        error: .string(limit: 1 << 20))
      try Task.checkCancellation()
      let end: End =
        switch result.terminationStatus {
        case .exited(let code): .exited(code)
        case .signaled(let number): .signaled(number)
        }
      return Outcome(
        output: result.standardOutput, complaint: result.standardError.lastWords ?? "", end: end)
    } catch let error as SubprocessError {
      try Task.checkCancellation()
      switch error.code {
      case .executableNotFound: throw Failure.isMissing
      case .outputLimitExceeded: throw Failure.writesWithoutEnd
      default: throw Failure.cannotBeRun
      }
    }
  }
}
