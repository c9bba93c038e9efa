import Foundation
import Subprocess
import Synchronization
import Testing

/// What a run of the command left.
struct Outcome: Equatable {
  /// The exit code; minus the number of the signal that ended it.
  var code: Int32
  var output: String
  var errors: String

  /// What a `--json` run printed.
  var json: [String: Any] {
    get throws {
      let object = try JSONSerialization.jsonObject(with: Data(output.utf8))
      return try #require(object as? [String: Any])
    }
  }
}

/// The built `lab`, which lies beside the test bundle.
enum Tool {
  static let executable: String = {
    let bundle = try! FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return (bundle as NSString).deletingLastPathComponent + "/lab"
  }()

  /// The package that these tests belong to.
  static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Lets as few commands run at a time as the machine has cores, so that one that is told to stop has
  /// the time to; all others wait here.
  private static let turns = Turns(max(2, ProcessInfo.processInfo.activeProcessorCount))
  /// Whether the test has a turn already: what it runs meanwhile needs none, and would wait for itself.
  @TaskLocal private static var hasTurn = false

  /// Runs the command, when its turn has come.
  ///
  /// - Parameters:
  ///   - folder: the current folder of the command; the package unless another is named.
  ///   - environment: variables to set; nil takes one away.
  ///   - shell: what bash does first in the same process: a redirection or a limit.
  ///   - meanwhile: is told the number of the process.
  static func run(
    _ arguments: [String], in folder: URL = package, environment: [String: String?] = [:],
    shell: String? = nil, meanwhile: @Sendable (pid_t) async throws -> Void = { _ in }
  ) async throws -> Outcome {
    if hasTurn {
      return try await runNow(arguments, in: folder, environment, shell, meanwhile)
    }
    await turns.take()
    defer { turns.giveBack() }
    return try await $hasTurn.withValue(true) {
      try await runNow(arguments, in: folder, environment, shell, meanwhile)
    }
  }

  private static func runNow(
    _ arguments: [String], in folder: URL, _ environment: [String: String?], _ shell: String?,
    _ meanwhile: @Sendable (pid_t) async throws -> Void
  ) async throws -> Outcome {
    var variables: [Environment.Key: String?] = ["NO_COLOR": nil]
    for (name, value) in environment { variables[Environment.Key(rawValue: name)!] = value }
    let result = try await Subprocess.run(
      .path(.init(shell == nil ? executable : "/bin/bash")),
      arguments: Arguments(
        shell.map { ["-c", $0 + "; exec \"$0\" \"$@\"", executable] + arguments } ?? arguments),
      environment: .inherit.updating(variables), workingDirectory: .init(folder.path),
      input: .none, output: .string(limit: 1 << 24), error: .string(limit: 1 << 20)
    ) { execution in
      try await meanwhile(pid_t(execution.processIdentifier.value))
    }
    let code: Int32 =
      switch result.terminationStatus {
      case .exited(let code): code
      case .signaled(let number): -number
      }
    return Outcome(
      code: code, output: result.standardOutput, errors: result.standardError)
  }

  static func run(
    _ arguments: String..., environment: [String: String?] = [:]
  ) async throws -> Outcome { try await run(arguments, environment: environment) }
}

/// A number of turns; who finds none free waits, first come, first served.
private final class Turns: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(free: count)) }

  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        if state.free == 0 {
          state.waiting.append(continuation)
          return false
        }
        state.free -= 1
        return true
      }
      if isFree { continuation.resume() }
    }
  }

  func giveBack() {
    let next = state.withLock { state in
      if state.waiting.isEmpty {
        state.free += 1
        return nil as CheckedContinuation<Void, Never>?
      }
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}

/// A folder of a test's own.
final class Scratch: Sendable {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func write(_ data: Data, to name: String) throws {
    let place = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(
      at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
    try data.write(to: place)
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: url.appendingPathComponent(name))
  }

  /// The names in the folder, hidden ones too.
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: url.path).sorted() }
  }

  private static func package(_ name: String) -> URL { Tool.package.appendingPathComponent(name) }

  /// The parts of the package that commands read, which a test may alter.
  static func copyOfPackage() throws -> Scratch {
    let scratch = try Scratch()
    for name in [
      "Package.swift", "README.md", "CONTRIBUTING.md", "LICENSE", "Chapters", "Sources", "figures",
      "results",
    ]
    where name != "results" || FileManager.default.fileExists(atPath: package(name).path) {
      try FileManager.default.copyItem(
        at: package(name), to: scratch.url.appendingPathComponent(name))
    }
    return scratch
  }

  /// Replaces the first occurrence of a text in a file.
  func alter(_ name: String, _ old: String, _ new: String) throws {
    let text = String(decoding: try data(name), as: UTF8.self)
    let range = try #require(text.range(of: old), "\(name) has no \(old)")
    try write(Data(text.replacingCharacters(in: range, with: new).utf8), to: name)
  }
}
