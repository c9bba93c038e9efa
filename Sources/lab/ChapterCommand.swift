import ArgumentParser
import Bench
import Files
import Foundation
import Notebook
import Tensors

/// Flags of everything that computes, on whatever data.
struct WorkOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "The seed of all random streams.")
  var seed: UInt64 = defaultSeed

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("The number of threads, 1 to 256.", valueName: "n"))
  var threads: Int?

  func validate() throws {
    if let threads, !(1...256).contains(threads) {
      throw ValidationError("--threads takes a number from 1 to 256, not \(threads).")
    }
  }

  /// Puts the number of threads into force.
  func apply() {
    if let threads { Parallel.threadCount = threads }
  }
}

/// Flags of everything that computes on MNIST.
struct RunOptions: ParsableArguments {
  @OptionGroup var work: WorkOptions

  @Flag(help: "A shorter run, which never replaces a record or a figure of the write-up.")
  var quick = false

  @Option(help: ArgumentHelp("The folder of MNIST.", valueName: "dir"))
  var data: String?

  /// The seed of all random streams.
  var seed: UInt64 { work.seed }

  func validate() throws { try requireFolderName(data, "--data") }

  /// Puts the number of threads into force.
  func apply() { work.apply() }
}

/// `lab chapter`.
struct ChapterCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "chapter",
    abstract: "Runs chapters: checks, values, figures, and the comparison with the prose.")

  @Argument(help: ArgumentHelp("Numbers of chapters, or “all”.", valueName: "id"))
  var ids: [String]

  @OptionGroup var options: RunOptions

  @Option(help: ArgumentHelp("Where figures and record go.", valueName: "dir"))
  var out: String?

  @Flag(help: "Draw the figures in the terminal: as pictures where it shows them, else in letters.")
  var show = false

  @Flag(help: "Compute again what an earlier run of the same code has kept.")
  var fresh = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Compute N of the kept results again, drawn by the seed, and hold them against what is kept.",
      valueName: "n"))
  var recheck: Int?

  @Option(
    help: ArgumentHelp(
      "Do every N-th job of the present round, the K-th first, and keep the results for a run that "
        + "collects them.", valueName: "k/n"),
    transform: { text in
      guard let part = Part(text) else {
        throw ValidationError("--part takes a part and how many there are, as 2/8, not \(text).")
      }
      return part
    })
  var part: Part?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    if part != nil, fresh || recheck != nil {
      throw ValidationError(
        "--part does what nobody has done yet; leave out \(fresh ? "--fresh" : "--recheck").")
    }
    if let recheck, recheck < 1 {
      throw ValidationError("--recheck takes a number from 1, not \(recheck).")
    }
    if recheck != nil, fresh {
      throw ValidationError("--fresh computes everything again; leave out --recheck.")
    }
    try requireFolderName(out, "--out")
    if show, output.json {
      throw ValidationError("--show draws for a reader, --json is for a program; leave out one.")
    }
  }

  func run() async throws {
    let catalogue = try Catalogue()
    let chapters = try catalogue.chapters(ids)
    if part != nil, let whole = chapters.first(where: { !$0.hasRounds }) {
      throw UsageError(
        description: "Chapter \(whole.id) has no jobs to be shared out; run it without --part.")
    }
    if let out, options.quick || options.seed != defaultSeed {
      let folder = URL(fileURLWithPath: out, isDirectory: true)
      for chapter in chapters where try catalogue.files(chapter).isWriteUp(folder) {
        throw UsageError(
          description: "--out \(out) leads to the write-up's figures, and only a full run with the "
            + "default seed is written there; name another folder.")
      }
    }
    // Better now than after the run.
    if let out { try AtomicFile.requireWritable(URL(fileURLWithPath: out + "/record")) }
    options.apply()
    var outcome = Outcome()
    for chapter in chapters {
      do {
        outcome.add(try await run(chapter, catalogue))
      } catch let done as PartDone {
        try report(done, of: chapter)
        outcome.add(done.passed ? 0 : 1)
      } catch let error as LabError where chapters.count > 1 {
        Console.complain(error.description)
        outcome.add(error.kind.exitCode)
      }
    }
    if outcome.code != 0 { throw ExitCode(outcome.code) }
  }

  /// Says what a run of one part has done, and what is left.
  private func report(_ done: PartDone, of chapter: any Chapter.Type) throws {
    if output.json {
      return try printJSON(
        PartDocument(
          chapter: chapter.id, part: done.part.description, round: done.round, done: done.done,
          left: done.left))
    }
    guard let round = done.round else {
      return print(
        "Every job of chapter \(chapter.id) is done; the same command without --part collects "
          + "them.")
    }
    print(
      "Part \(done.part) of chapter \(chapter.id), round “\(round)”: \(done.done.of("job")) done, "
        + "\(done.left) left to other parts; run them, then all again for the next round.")
  }

  private struct PartDocument: Encodable {
    var version = 1
    let chapter, part: String
    let round: String?
    let done, left: Int
  }

  private func run(_ chapter: any Chapter.Type, _ catalogue: Catalogue) async throws -> Int32 {
    var runOptions = Run.Options()
    runOptions.seed = options.seed
    runOptions.isQuick = options.quick
    runOptions.data = options.data
    runOptions.isFresh = fresh
    runOptions.recheckCount = recheck ?? 0
    runOptions.part = part
    runOptions.machine = Machine(tile: Kernels.description)
    runOptions.threads = Parallel.threadCount
    runOptions.output = out.map { URL(fileURLWithPath: $0, isDirectory: true) }
    let probe = SpeedProbe(root: catalogue.root)
    runOptions.measureSpeed = {
      probe.measure()
      // Of the last ones the middle: what a forecast goes by as well.
      return probe.speed()
    }
    let isJSON = output.json
    let files = try catalogue.files(chapter)
    let expected = files.expectedSeconds(
      runOptions, speed: probe.speed(), in: catalogue.code())
    // A quick run takes seconds by what it is.
    let unknown = options.quick ? "some seconds" : "how long it will take is not known yet"
    Console.complain(
      "Chapter \(chapter.id), \(options.quick ? "QUICK" : "full") run, seed \(options.seed): "
        + (expected.map { "about \(roughTime($0))" } ?? unknown) + ".")
    let start = Date()
    let bar = WorkReport(chapter.id, expected: expected)
    defer { bar.end() }
    let report = RunReport(
      Console(noColor: output.noColor),
      longestCheck: (try? files.storedRecord())?.checks.map(\.name.count).max())
    if !isJSON { report.begin(chapter, options.quick) }
    let run = try await Run.perform(
      chapter, files, runOptions,
      output: Page.Output(
        line: { line in
          bar.clear()
          if !isJSON { report.show(line) }
        },
        check: { check in
          bar.clear()
          if !isJSON { report.show(check) }
        },
        progress: { bar.show($0, $1) },
        warning: { line in
          bar.clear()
          Console.complain(line)
        }))
    bar.end()
    // A check that was asked for and could not be made has not held.
    let isWithoutRecheck = recheck != nil && run.rechecked.isEmpty
    let fault = isWithoutRecheck ? "nothing was computed again" : nil
    if isJSON {
      try printJSON(RunReport.Document(run, fault: fault))
    } else {
      report.end(run, fault: fault)
    }
    complain(of: run)
    if show, run.figureError == nil {
      // The figures are written by now, and the checks have their say below.
      do { try await draw(run.figures) } catch let error as LabError {
        Console.complain(error.description)
      }
    }
    if let error = run.figureError { Console.complain(error.description) }
    let machine = run.stamp.machine
    let memory = run.stamp.peakMegabytes.map { ", at most \(Int($0.rounded())) MB" } ?? ""
    Console.complain(
      String(format: "Took %.1f s", Date().timeIntervalSince(start))
        + " on \(run.stamp.threads.of("thread")) of \(machine.processor), \(machine.tile)\(memory)."
    )
    if !run.passed || isWithoutRecheck { return 1 }
    return run.figureError?.kind.exitCode ?? 0
  }

  /// Draws figures on stdout.
  private func draw(_ figures: [Figure]) async throws {
    let canvas = Terminal.canvas
    for figure in figures {
      let picture = try await figure.picture(on: canvas)
      print()
      // Sixels are letters too.
      print(String(decoding: picture, as: UTF8.self))
      Console.flush()
    }
  }

  /// What a reader should know of the kept results of a run.
  private func complain(of run: Run) {
    if run.reusedResults > 0 {
      Console.complain(
        "\(run.reusedResults.of("result")) of an earlier run of the same code stand in this one; "
          + "--fresh computes them again.")
    }
    if run.olderResults > 0 {
      Console.complain(
        "Of an older engine: \(run.olderResults.of("result")); --fresh computes all anew.")
    }
    if let recheck, run.rechecked.count < recheck, run.rechecked.allSatisfy(\.agrees) {
      Console.complain(
        run.rechecked.isEmpty
          ? "No result of chapter \(run.record.chapter) was kept, so there was nothing to hold this "
            + "run against; run it first without --recheck (only long work is kept)."
          : "Only \(run.rechecked.count.of("result")) of chapter \(run.record.chapter) could be "
            + "computed again; no more are kept that the run asks for.")
    }
    for path in run.orphans {
      Console.complain("\(path) belongs to no work of this run; remove it.")
    }
  }
}
