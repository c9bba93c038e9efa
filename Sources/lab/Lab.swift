import ArgumentParser
import Files
@preconcurrency import Foundation
import Synchronization
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
      DataCommand.self, ModelCommand.self, ResultCommand.self, BenchCommand.self,
      ExportCommand.self, ReadCommand.self, STL10Command.self, BookCommand.self,
      ServeCommand.self, TryCommand.self, SubmitCommand.self,
    ],
    defaultSubcommand: ListCommand.self)

  static func main() async {
    StandardStreams.prepare()
    if let complaint = complaint(of: CommandLine.arguments.dropFirst().first) {
      Console.complain(complaint)
      Foundation.exit(StandardStreams.close(EX_USAGE))
    }
    let parsed: Parsed
    do {
      parsed = Parsed(command: try parseAsRoot())
    } catch {
      exit(withError: error)
    }
    let work = Task { try await parsed.run() }
    let interruption = Interruption { work.cancel() }
    var code: Int32 = 0
    do {
      try await work.value
    } catch let exitCode as ExitCode {
      code = exitCode.rawValue
    } catch is CancellationError {
      Console.complain("Interrupted; nothing was left half written.")
      code = 130
    } catch  where interruption.isRequested {
      // Ctrl-C reaches gnuplot and pip as well, whose end is then no fault of theirs.
      Console.complain("Interrupted; nothing was left half written.")
      code = 130
    } catch let error as LabError {
      Console.complain(error.description)
      code = error.kind.exitCode
    } catch let error as UsageError {
      Console.complain(error.description)
      code = EX_USAGE
    } catch {
      exit(withError: error)
    }
    Foundation.exit(StandardStreams.close(code))
  }

  /// What is wrong with the first word, nil for a command or an option.
  ///
  /// The parser would take it for an argument of the default command.
  private static func complaint(of word: String?) -> String? {
    guard let word, !word.hasPrefix("-") else { return nil }
    let names = configuration.subcommands.map { $0._commandName } + ["help"]
    guard !names.contains(word) else { return nil }
    return "There is no command “\(word)”\(Suggestion.hint(for: word, among: names)) "
      + "“lab --help” shows them all."
  }
}

/// A command on its way into the task that runs it, and that alone has it from then on.
private struct Parsed: @unchecked Sendable {
  let command: any ParsableCommand

  func run() async throws {
    if let complaint = Kernels.complaint { throw UsageError(description: complaint) }
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

/// Ctrl-C, a polite kill and a terminal that goes: the first asks the work to stop, the second ends
/// the process.
///
/// Ctrl-\ ends it at once: files are whole or not there at any moment.
///
/// The sources are kept for life and never touched again, so that it may be shared.
private final class Interruption: @unchecked Sendable {
  private let count = Atomic<Int>(0)
  private var sources: [any DispatchSourceSignal] = []

  /// Whether somebody asked the work to stop.
  var isRequested: Bool { count.load(ordering: .relaxed) > 0 }

  init(_ cancel: @escaping @Sendable () -> Void) {
    // Without a core dump, and without the backtrace that the runtime would print.
    signal(SIGQUIT) { _ in _exit(130) }
    // A queue of its own is heard when the shared ones are busy.
    let queue = DispatchQueue(label: "interruption")
    for number in [SIGINT, SIGTERM, SIGHUP] {
      let former = signal(number, SIG_IGN)
      // `nohup` has it ignored, and means it.
      if number == SIGHUP, former.map({ unsafeBitCast($0, to: Int.self) }) == 1 { continue }
      let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
      source.setEventHandler { [self] in
        if count.add(1, ordering: .relaxed).oldValue > 0 { _exit(130) }
        cancel()
      }
      source.resume()
      sources.append(source)
    }
  }
}

/// The three streams that a process is born with, in whatever state its parent left them.
private enum StandardStreams {
  /// Sees to it that output which cannot be written is noticed, and damages nothing.
  static func prepare() {
    // A stream that is closed would give its number to the next file, a model say, and output
    // would be written into that.
    for descriptor in 0...2 where fcntl(Int32(descriptor), F_GETFD) < 0 {
      _ = open("/dev/null", O_RDWR)
    }
    // A reader that closes the pipe, such as `head`, ends the output and not the program; a file
    // at the limit of its size is an error like a full disk.
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Writes out what is left of stdout; returns the exit code, 66 when the disk was full.
  static func close(_ code: Int32) -> Int32 {
    let isWhole = fflush(stdout) == 0 && ferror(stdout) == 0
    var state = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
    let hasReader = poll(&state, 1, 0) >= 0 && Int32(state.revents) & Int32(POLLERR) == 0
    guard !isWhole, hasReader, code == 0 else { return code }
    Console.complain(
      "The output could not be written to stdout; free some space or send it elsewhere.")
    return LabError.Kind.input.exitCode
  }
}
