import ArgumentParser
import Foundation
import Tensors

/// The command line of the lab: arguments in, exit code out.
@main
struct Lab: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lab",
    abstract: "A deep-learning lab that runs: chapters whose prose is bound to their code.",
    discussion: """
      Exit codes: 0 all passed; 1 a check, claim or bound number failed; 64 wrong usage; 66 missing \
      or corrupt input; 69 a needed tool is missing or could not be reached; 130 interrupted. Of \
      several, 1 is given before 69, and 69 before 66.
      """,
    subcommands: [
      ListCommand.self, ChapterCommand.self, CheckCommand.self, AcceptCommand.self,
      DataCommand.self, ModelCommand.self, ResultCommand.self,
    ],
    defaultSubcommand: ListCommand.self)

  static func main() async {
    // A reader that closes the pipe, such as `head`, ends the output and not the program.
    signal(SIGPIPE, SIG_IGN)
    let parsed: Parsed
    do {
      parsed = Parsed(command: try parseAsRoot())
    } catch {
      exit(withError: error)
    }
    let work = Task { try await parsed.run() }
    let interruption = Interruption { work.cancel() }
    do {
      try await work.value
      withExtendedLifetime(interruption) {}
    } catch is CancellationError {
      Console.complain("Interrupted; nothing was left half written.")
      Foundation.exit(130)
    } catch let error as LabError {
      Console.complain(error.description)
      Foundation.exit(error.kind.exitCode)
    } catch let error as UsageError {
      Console.complain(error.description)
      Foundation.exit(EX_USAGE)
    } catch {
      exit(withError: error)
    }
  }
}

/// A command on its way into the task that runs it, and that alone has it from then on.
private struct Parsed: @unchecked Sendable {
  let command: any ParsableCommand

  func run() async throws {
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      var command = command
      try command.run()
    }
  }
}

/// A request that makes no sense, in one sentence; exit code 64.
struct UsageError: Error, CustomStringConvertible {
  let description: String
}

/// Ctrl-C and a polite kill: the first asks the work to stop, the second ends the process.
private final class Interruption {
  private var sources: [any DispatchSourceSignal] = []

  init(_ cancel: @escaping @Sendable () -> Void) {
    for number in [SIGINT, SIGTERM] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      nonisolated(unsafe) var count = 0
      source.setEventHandler {
        count += 1
        if count > 1 { _exit(130) }
        cancel()
      }
      source.resume()
      sources.append(source)
    }
  }
}
