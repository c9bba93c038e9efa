import ArgumentParser
import Bench
import Files
import Foundation
import Notebook

/// Flags that every command has.
struct OutputOptions: ParsableArguments {
  @Flag(help: "Print JSON on stdout.")
  var json = false

  @Flag(name: .customLong("no-color"), help: "Print without colours (so does NO_COLOR).")
  var noColor = false
}

/// Prints a value as one line of JSON.
func printJSON(_ value: some Encodable) throws {
  let data = try Record.encode(value, [.sortedKeys, .withoutEscapingSlashes])
  print(String(decoding: data, as: UTF8.self))
}

/// `lab list`.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The chapters: title, state of the record, expected time.",
    discussion: """
      The time is that of a run on this machine now; “anew” is that with --fresh, which takes \
      nothing from earlier runs. It is known once a chapter was run in full.
      """)

  @OptionGroup var output: OutputOptions

  private struct Row: Encodable {
    let chapter, title, state: String
    /// Seconds of a run on this machine, with what is kept and without; absent where not known.
    let expectedSeconds, freshSeconds: Double?
    let run: RunStamp?
  }

  func run() async throws {
    let catalogue = try Catalogue()
    var outcome = Outcome()
    let code = catalogue.code()
    let speed = SpeedProbe(root: catalogue.root).speed()
    let rows = try catalogue.chapters([]).map { chapter in
      var state = "unreadable"
      var stamp: RunStamp?
      var seconds: (usual: Double?, fresh: Double?)
      do {
        let files = try catalogue.files(chapter)
        state = try files.state(in: code).rawValue
        stamp = files.storedStamp()
        var options = Run.Options()
        seconds.usual = files.expectedSeconds(options, speed: speed, in: code)
        options.isFresh = true
        seconds.fresh = files.expectedSeconds(options, speed: speed, in: code)
      } catch let error as LabError {
        // One damaged record does not hide the other chapters.
        Console.complain(error.description)
        outcome.add(error.kind.exitCode)
      }
      return Row(
        chapter: chapter.id, title: chapter.title, state: state,
        expectedSeconds: seconds.usual, freshSeconds: seconds.fresh, run: stamp)
    }
    if output.json {
      struct Listing: Encodable {
        let version = 3
        let chapters: [Row]
      }
      try printJSON(Listing(chapters: rows))
    } else {
      let table = TextTable(
        header: ["chapter", "title", "state", "time", "anew"],
        rows: rows.map {
          [$0.chapter, $0.title, $0.state]
            + [$0.expectedSeconds, $0.freshSeconds].map { $0.map(roughTime) ?? "not known yet" }
        })
      for line in table.lines { print(line) }
      print()
      print("“time” is that of a run on this machine as it is now, “anew” that with --fresh.")
    }
    if outcome.code != 0 { throw ExitCode(outcome.code) }
  }
}
