import Chapters
import Foundation
import Notebook
import Testing

@Suite struct UsageTests {
  @Test func anUnknownChapterSuggestsTheNearest() async throws {
    for (id, nearest) in [
      ("1.11", "1.1"), ("3,1", "3.1"), ("33.1", "3.3.1"), ("1", "1.1"), ("1.3", "1.2"),
      ("2.2", "2.2.1"), ("2.3.9", "2.3.1"), ("ALL", "all"),
    ] {
      for command in ["chapter", "check", "accept"] {
        let outcome = try await Tool.run(command, id)
        #expect(outcome.code == 64 && outcome.output == "")
        #expect(
          outcome.errors
            == "There is no chapter \(id); did you mean \(nearest)? “lab list” shows them all.\n")
      }
    }
  }

  @Test(arguments: ["9.9", "9.1", "frobnicate", "1.banana", ""])
  func aWordThatIsNearNoChapterSuggestsNone(_ id: String) async throws {
    let outcome = try await Tool.run("check", id)
    #expect(outcome.code == 64 && outcome.output == "")
    #expect(outcome.errors == "There is no chapter \(id). “lab list” shows them all.\n")
  }

  @Test(arguments: [
    ("frobnicate", "."), ("1.1", "."), ("", "."), ("chek", "; did you mean check?"),
    ("modle", "; did you mean model?"), ("chap", "; did you mean chapter?"),
  ])
  func anUnknownCommandIsNamed(_ word: String, _ hint: String) async throws {
    let outcome = try await Tool.run(word, "--json")
    let sentence = "There is no command “\(word)”\(hint) “lab --help” shows them all.\n"
    #expect(outcome == Outcome(code: 64, output: "", errors: sentence))
  }

  @Test(arguments: [["help"], ["help", "check"], ["--help"], ["list", "-h"]])
  func whatIsNoCommandOfOursStillWorks(_ arguments: [String]) async throws {
    #expect(try await Tool.run(arguments).code == 0)
  }

  @Test(arguments: [
    (
      ["chapter", "1.1", "--threads", "0"],
      "Error: --threads takes a number from 1 to 256, not 0."
    ),
    (
      ["chapter", "1.1", "--threads", "-3"],
      "Error: --threads takes a number from 1 to 256, not -3."
    ),
    (
      ["chapter", "1.1", "--threads=-3"],
      "Error: --threads takes a number from 1 to 256, not -3."
    ),
    (
      ["chapter", "1.1", "--threads", "1000000"],
      "Error: --threads takes a number from 1 to 256, not 1000000."
    ),
    (
      ["chapter", "1.1", "--threads=99999999999999999999"],
      "Error: The value '99999999999999999999' is invalid for '--threads <n>'"
    ),
    (["chapter", "1.1", "--seed", "x"], "Error: The value 'x' is invalid for '--seed <seed>'"),
    (["chapter", "1.1", "--seed=-1"], "Error: The value '-1' is invalid for '--seed <seed>'"),
    (["chapter", "1.1", "--quik"], "Error: Unknown option '--quik'. Did you mean '--quick'?"),
    (
      ["chapter", "1.1", "--recheck", "0"], "Error: --recheck takes a number from 1, not 0."
    ),
    (
      ["chapter", "1.1", "--recheck", "-1"], "Error: --recheck takes a number from 1, not -1."
    ),
    (
      ["chapter", "1.1", "--recheck", "1", "--fresh"],
      "Error: --fresh computes everything again; leave out --recheck."
    ),
    (["chapter"], "Error: Missing expected argument '<id> ...'"),
    (["chapter", "1.1", "--out", ""], "Error: --out takes the name of a folder."),
    (["model", "--out", ""], "Error: --out takes the name of a file."),
    (["result", "--model", ""], "Error: --model takes the name of a file."),
    (["data", "--data", ""], "Error: --data takes the name of a folder."),
    (["model", "--data", ""], "Error: --data takes the name of a folder."),
    (["bench", "--data", ""], "Error: --data takes the name of a folder."),
    (
      ["bench", "vgg"],
      "Error: There is no workload vgg; there are sample-cnn, mlp-1200, kit-cnn, vgg-small, "
        + "ladder-mlp, fixmatch, infer, augment, start."
    ),
    (
      ["bench", "--scaling", "--against", "pytorch"],
      "Error: --scaling is a comparison of its own; leave out --against."
    ),
    (["bench", "--scaling", "--threads", "1"], "Error: --scaling needs two threads or more."),
    (["list", "--colour"], "Error: Unknown option '--colour'"),
    (["list", "frobnicate"], "Error: Unexpected argument 'frobnicate'"),
    (["data", "--split-seed", "1.5"], "Error: The value '1.5' is invalid for '--split-seed <n>'"),
  ])
  func anAbsurdFlagIsWrongUsage(_ arguments: [String], _ sentence: String) async throws {
    let outcome = try await Tool.run(arguments)
    #expect(outcome.code == 64 && outcome.output == "")
    #expect(outcome.errors.split(separator: "\n").first.map(String.init) == sentence)
  }

  @Test(arguments: [
    (
      ["--against", "/nowhere/lab"],
      "/nowhere/lab is no program; --against takes pytorch, or the path of another build's lab.\n"
    ),
    (
      ["--against", "/bin/true"],
      "/bin/true does not measure augment as a lab does (it gives no figures); build it again, or "
        + "name another build's lab.\n"
    ),
    (
      ["--against", "pytorch", "--python", "/nowhere/python"],
      "PyTorch does not run with /nowhere/python; install it as Benchmarks/README.md says, or "
        + "name another Python with --python.\n"
    ),
  ])
  func whatBenchCannotMeasureAgainstIsAMissingTool(
    _ opponent: [String], _ sentence: String
  ) async throws {
    let outcome = try await Tool.run(["bench", "augment", "--quick"] + opponent)
    #expect(outcome == Outcome(code: 69, output: "", errors: sentence))
  }

  @Test func helpNamesEveryCommandAndExitCode() async throws {
    let outcome = try await Tool.run("--help")
    #expect(outcome.code == 0 && outcome.errors == "")
    for word in ["list", "chapter", "check", "accept", "data", "model", "result", "130"] {
      #expect(outcome.output.contains(word))
    }
  }

  @Test func outsideOfAPackageTheOneThatItWasBuiltFromIsUsed() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool.run(["list"], in: scratch.url)
    let here = try await Tool.run("list")
    // The times follow what runs meanwhile measure.
    func titles(_ outcome: Outcome) -> [Substring] {
      outcome.output.split(separator: "\n").dropFirst(2).map { $0.prefix(80) }
    }
    #expect(outcome.code == here.code && titles(outcome) == titles(here))
  }
}

@Suite struct ListTests {
  /// The rows that the list has of chapters and their states, before the times.
  func rows(_ states: [String]) -> [[String]] {
    zip(allChapters, states).map { [$0.id, $0.title, $1] }
  }

  /// The rows of a list without their times, each of which is one or is not known.
  func rows(of output: String) -> [[String]] {
    // What the columns mean stands below an empty line.
    let parts = output.split(separator: "\n\n")
    #expect(parts.count == 2 && parts[1].hasPrefix("“time” is that of a run"))
    return parts[0].split(separator: "\n").dropFirst(2).map { line in
      let cells = line.split(separator: /\s{2,}/).map(String.init)
      for time in cells.dropFirst(3) {
        #expect(time.wholeMatch(of: /[0-9.]+ (s|min|h)|not known yet/) != nil, "\(line)")
      }
      #expect(cells.count == 5, "\(line)")
      return Array(cells.prefix(3))
    }
  }

  @Test func theListShowsEachChapterWithItsState() async throws {
    let fresh = allChapters.map { _ in "fresh" }
    let outcome = try await Tool.run("list")
    #expect(outcome.code == 0 && outcome.errors == "" && rows(of: outcome.output) == rows(fresh))
    let bare = try await Tool.run([])
    #expect(rows(of: bare.output) == rows(fresh), "the command without a word lists")
  }

  @Test func aStateFollowsTheFiles() async throws {
    let scratch = try Scratch.copyOfPackage()
    var states = allChapters.map { _ in "fresh" }
    try scratch.alter("figures/1.1.json", "\"status\" : \"passed\"", "\"status\" : \"failed\"")
    states[0] = "failed"
    #expect(try await rows(of: Tool.run(["list"], in: scratch.url).output) == rows(states))
    try scratch.alter(
      "Chapters/1.1-activation-derivatives.swift", "import", "private let edited = 1\nimport")
    states[0] = "stale"
    #expect(try await rows(of: Tool.run(["list"], in: scratch.url).output) == rows(states))
    try scratch.alter("figures/1.1.json", #""mode" : "full""#, #""mode" : "quick""#)
    states[0] = "refused"
    #expect(try await rows(of: Tool.run(["list"], in: scratch.url).output) == rows(states))
    try FileManager.default.removeItem(atPath: scratch.path("figures/1.1.json"))
    states[0] = "never run"
    #expect(try await rows(of: Tool.run(["list"], in: scratch.url).output) == rows(states))
    try scratch.write(Data("{".utf8), to: "figures/1.1.json")
    states[0] = "unreadable"
    let outcome = try await Tool.run(["list"], in: scratch.url)
    let sentence = "figures/1.1.json is not a whole record; run the chapter again.\n"
    #expect(outcome.code == 66 && outcome.errors == sentence)
    #expect(rows(of: outcome.output) == rows(states))
  }

  @Test func anOlderEngineIsSaidAndFailsOnlyWhereStrict() async throws {
    let scratch = try Scratch.copyOfPackage()
    #expect(try await Tool.run(["check", "1.1", "--strict"], in: scratch.url).code == 0)
    try scratch.alter("Sources/Tensors/Kernels.swift", "import", "private let edited = 1\nimport")
    let states = allChapters.map { _ in "older engine" }
    #expect(try await rows(of: Tool.run(["list"], in: scratch.url).output) == rows(states))
    let sentence =
      "  Chapter 1.1's record was made by an older engine; to make it anew, run: swift run lab "
      + "chapter 1.1 --fresh\n"
    let title = try ProseCommandTests.title
    let check = try await Tool.run(["check", "1.1"], in: scratch.url)
    #expect(check == Outcome(code: 0, output: "✓ \(title)\(sentence)", errors: ""))
    let strict = try await Tool.run(["check", "1.1", "--strict"], in: scratch.url)
    #expect(strict == Outcome(code: 1, output: "✗ \(title)\(sentence)", errors: ""))
    let json = try await Tool.run(["check", "1.1", "--json"], in: scratch.url).json
    let row = try #require((json["chapters"] as? [[String: Any]])?.first)
    #expect(row["engine"] as? String == "older" && row["status"] as? String == "passed")
    #expect(try await Tool.run(["accept", "1.1"], in: scratch.url).code == 0)
  }

  @Test func theListAsJSONIsOneVersionedLine() async throws {
    let outcome = try await Tool.run("list", "--json")
    #expect(outcome.code == 0 && outcome.errors == "")
    #expect(outcome.output.last == "\n" && outcome.output.count { $0 == "\n" } == 1)
    let json = try outcome.json
    #expect(json["version"] as? Int == 3 && json.count == 2)
    let rows = try #require(json["chapters"] as? [[String: Any]])
    #expect(rows.map { $0["chapter"] as? String } == allChapters.map { $0.id })
    #expect(rows.map { $0["title"] as? String } == allChapters.map { $0.title })
    #expect(
      rows.allSatisfy {
        Set($0.keys).subtracting(["expectedSeconds", "freshSeconds"])
          == ["chapter", "title", "state", "run"]
          && $0["state"] as? String == "fresh"
      })
  }

  @Test func outputThatNobodyCanTakeEndsInASentence() async throws {
    let full = try await Tool.run(["list"], shell: "exec >/dev/full")
    #expect(full.code == 66)
    #expect(
      full.errors
        == "The output could not be written to stdout; free some space or send it elsewhere.\n")
    for shell in ["exec >&-", "exec 2>&-", "exec 0<&- >&- 2>&-", "exec 2>/dev/full"] {
      #expect(try await Tool.run(["list"], shell: shell).code == 0, "\(shell)")
    }
    // A reader that has seen enough is no error.
    let closed = try await Tool.run(["list"], shell: "exec > >(exec <&-)\nsleep 0.3")
    #expect(closed.code == 0 && closed.errors == "")
  }
}

@Suite struct ChapterCommandTests {
  @Test func aRunAsJSONHoldsWhatTheRecordHolds() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool.run(
      "chapter", "1.1", "--quick", "--seed", "7", "--json", "--out", scratch.url.path)
    #expect(outcome.code == 0)
    #expect(outcome.output.count { $0 == "\n" } == 1)
    let json = try outcome.json
    #expect(
      Set(json.keys) == [
        "version", "chapter", "title", "status", "mode", "seed", "checks", "values", "quotes",
        "claims", "figures", "faults", "prose", "run", "kept", "rechecked",
      ])
    #expect(json["version"] as? Int == 2 && json["chapter"] as? String == "1.1")
    #expect(json["status"] as? String == "passed" && json["mode"] as? String == "quick")
    #expect(json["seed"] as? Int == 7)
    let checks = try #require(json["checks"] as? [[String: Any]])
    #expect(checks.count > 10)
    for check in checks {
      #expect(check["passed"] as? Bool == true && check["measured"] is Double)
      #expect(check["tolerance"] is Double || check["bound"] is Double)
    }
    struct Shown: Decodable, Equatable {
      let checks: [Check], values: [Record.Value], quotes: [Record.Quote], claims: [Record.Claim]
    }
    let said = try JSONDecoder().decode(Shown.self, from: Data(outcome.output.utf8))
    let recorded = try JSONDecoder().decode(Shown.self, from: scratch.data("1.1.json"))
    #expect(said == recorded && !said.values.isEmpty && !said.claims.isEmpty)
    let run = try #require(json["run"] as? [String: Any])
    #expect(run["date"] is String && run["seconds"] is Double && run["threads"] is Int)
    let machine = try #require(run["machine"] as? [String: Any])
    #expect(["processor", "system", "tile"].allSatisfy { machine[$0] is String })
    let kept = try #require(json["kept"] as? [String: Any])
    #expect(kept["reused"] as? Int == 0 && kept["olderEngine"] as? Int == 0)
    let lines = outcome.errors.split(separator: "\n")
    #expect(lines.count == 2 && lines[0].hasPrefix("Chapter 1.1, QUICK run, seed 7: "))
    #expect(lines[1].hasPrefix("Took "))
    let figures = try #require(json["figures"] as? [[String: Any]])
    let stems = figures.map { "1.1-\($0["name"]!)" }
    #expect(
      try scratch.names
        == (stems.flatMap { ["\($0).dat", "\($0).svg"] }
        + ["1.1.json", "1.1.run.json"]).sorted())
    #expect(figures.allSatisfy { FileManager.default.fileExists(atPath: $0["path"] as! String) })
  }

  @Test func onlyAFullRunWithTheDefaultSeedIsWrittenIntoTheWriteUp() async throws {
    let scratch = try Scratch.copyOfPackage()
    let record = try scratch.data("figures/1.1.json")
    for (flags, out) in [
      (["--quick"], "figures"), (["--seed", "7"], "figures"), (["--quick"], "Chapters/../figures/"),
      (["--quick"], "link"), (["--seed=7", "--quick"], scratch.path("figures")),
    ] {
      let outcome = try await Tool.run(
        ["chapter", "1.1", "--out", out] + flags, in: scratch.url,
        shell: "ln -sfn figures link")
      #expect(outcome.code == 64 && outcome.output == "")
      #expect(
        outcome.errors
          == "--out \(out) leads to the write-up's figures, and only a full run with the default "
          + "seed is written there; name another folder.\n")
    }
    #expect(try scratch.data("figures/1.1.json") == record)
  }

  @Test func aRunThatPartsFromItsProseEndsWithOne() async throws {
    let (scratch, prose) = (try Scratch.copyOfPackage(), ProseCommandTests.prose)
    let whole = try await Tool.run(["chapter", "1.1"], in: scratch.url)
    #expect(whole.code == 0 && whole.output.contains("The prose agrees with this run."))
    var text = String(decoding: try scratch.data(prose), as: UTF8.self)
    let place = try #require(text.firstMatch(of: /\d[\d.,]*<!--=/)).range.lowerBound
    let line = text[..<place].count { $0 == "\n" } + 1
    text.insert("9", at: place)
    try scratch.write(Data(text.utf8), to: prose)
    let parted = try await Tool.run(["chapter", "1.1"], in: scratch.url)
    #expect(parted.code == 1 && parted.output.contains("\n1.1 failed: "))
    #expect(parted.output.contains("\(prose):\(line): "))
    let json = try await Tool.run(["chapter", "1.1", "--json"], in: scratch.url)
    #expect(json.code == 1)
    #expect(try json.json["status"] as? String == "failed")
    #expect((try json.json["prose"] as? [[String: Any]])?.first?["line"] as? Int == line)
  }

  @Test func ofSeveralCodesOneComesFirst() async throws {
    let scratch = try Scratch.copyOfPackage()
    try scratch.write(Data("{".utf8), to: "figures/1.1.json")
    try FileManager.default.removeItem(atPath: scratch.path("figures/1.2.json"))
    #expect(try await Tool.run(["check", "1.1"], in: scratch.url).code == 66)
    #expect(try await Tool.run(["check", "1.1", "1.2"], in: scratch.url).code == 1)
  }

  @Test func aChapterThatKeepsNothingHasNothingToRecheck() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool.run(
      "chapter", "1.1", "--quick", "--recheck", "2", "--json", "--out", scratch.url.path)
    #expect(outcome.code == 1)
    #expect((try outcome.json["rechecked"] as? [Any])?.isEmpty == true)
    #expect(try outcome.json["status"] as? String == "failed")
    #expect(
      outcome.errors.contains(
        "No result of chapter 1.1 was kept, so there was nothing to hold this run against; run it "
          + "first without --recheck (only long work is kept).\n"))
    let told = try await Tool.run(
      "chapter", "1.1", "--quick", "--recheck", "2", "--out", scratch.url.path)
    #expect(told.code == 1)
    #expect(told.output.hasSuffix("checks hold; nothing was computed again.\n"))
    #expect(told.output.contains("\n1.1 failed: "))
  }

  /// A path that is empty has no parent that ends a search.
  @Test(.timeLimit(.minutes(10))) func aFolderThatIsGoneIsInNoPackage() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool.run(
      ["list", "--json"], in: scratch.url, shell: "mkdir gone; cd gone; rmdir ../gone")
    // The package that the program was built from serves in its place.
    #expect(outcome.code == 0 && outcome.errors == "")
  }

  /// The README's other seed; bounds of rounding hold for any.
  @Test(arguments: ["7", "2"]) func checksHoldForOtherSeeds(_ seed: String) async throws {
    let scratch = try Scratch()
    for chapter in ["1.1", "1.2"] {
      let outcome = try await Tool.run(
        "chapter", chapter, "--quick", "--seed", seed, "--out", scratch.url.path)
      #expect(outcome.code == 0, "\(outcome.output)")
    }
  }

  @Test func aChapterThatIsNamedTwiceRunsOnce() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool.run(
      "chapter", "1.1", "1.1", "--quick", "--json", "--out", scratch.url.path)
    #expect(outcome.code == 0 && outcome.output.count { $0 == "\n" } == 1)
  }

  /// Python's pty gives the command a terminal, where it would colour.
  @Test func coloursAreForTerminalsThatDidNotRefuseThem() async throws {
    func isColoured(_ arguments: [String], _ variables: String) async throws -> Bool {
      let script = "exec env \(variables) python3 -c 'import pty, sys; pty.spawn(sys.argv[1:])'"
      let outcome = try await Tool.run(
        ["check", "1.1"] + arguments, shell: script + " \"$0\" \"$@\"")
      #expect(outcome.output.contains("1.1  "), "\(outcome)")
      return outcome.output.contains("\u{1B}[")
    }
    #expect(try await isColoured([], "-u NO_COLOR TERM=xterm"))
    #expect(try await !isColoured([], "-u NO_COLOR TERM=dumb"), "one that only prints")
    #expect(try await !isColoured(["--no-color"], "-u NO_COLOR"))
    #expect(try await !isColoured([], "NO_COLOR=1"))
    #expect(try await isColoured([], "NO_COLOR= TERM=xterm"), "an empty variable does not count")
    #expect(try await !Tool.run("check", "1.1").output.contains("\u{1B}["), "no terminal")
  }

  @Test func withoutGnuplotTheChecksStillRun() async throws {
    let scratch = try Scratch()
    let sentence =
      "gnuplot is missing, so figures were not drawn; install it with: apt-get install gnuplot-nox."
    let outcome = try await Tool.run(
      "chapter", "1.1", "--quick", "--out", scratch.url.path, environment: ["PATH": "/nonexistent"])
    #expect(outcome.code == 69)
    #expect(outcome.errors.split(separator: "\n").contains { $0 == sentence })
    #expect(outcome.output.contains("1.1 failed: ") && !outcome.output.contains(".svg"))
    #expect(try scratch.names == [])
    let json = try await Tool.run(
      "chapter", "1.1", "--quick", "--json", "--out", scratch.url.path,
      environment: ["PATH": "/nonexistent"])
    #expect(json.code == 69)
    #expect(try json.json["status"] as? String == "failed")
  }

  @Test func aGnuplotThatFailsIsToldApartFromNone() async throws {
    let scratch = try Scratch()
    try scratch.write(
      Data("#!/bin/sh\ncat >/dev/null\necho 'line 1: no such terminal' >&2\nexit 1\n".utf8),
      to: "bin/gnuplot")
    let outcome = try await Tool.run(
      ["chapter", "1.1", "--quick", "--out", scratch.path("out")],
      environment: ["PATH": scratch.path("bin") + ":/bin"],
      shell: "chmod +x \(scratch.path("bin/gnuplot"))")
    #expect(outcome.code == 69)
    #expect(
      outcome.errors.contains("gnuplot could not draw 1.1-functions: line 1: no such terminal."))
    #expect(!FileManager.default.fileExists(atPath: scratch.path("out/1.1.json")))
  }

  @Test func aFolderThatCannotBeIsToldBeforeTheRun() async throws {
    let scratch = try Scratch()
    try scratch.write(Data(), to: "file")
    let outcome = try await Tool.run("chapter", "1.1", "--quick", "--out", scratch.path("file/out"))
    #expect(outcome.code == 66 && outcome.output == "")
    #expect(
      outcome.errors
        == "Cannot make the folder \(scratch.path("file/out")): Not a directory; name another.\n")
  }

  /// A limit on the size of files stands for a disk that fills up in the middle of a figure.
  @Test func aDiskThatFillsUpLeavesNothingHalfWritten() async throws {
    let scratch = try Scratch()
    let outcome = try await Tool.run(
      ["chapter", "1.1", "--quick", "--out", scratch.path("out")], shell: "ulimit -f 8")
    #expect(outcome.code == 66)
    let sentence = try #require(
      outcome.errors.split(separator: "\n").first { $0.contains("Cannot") })
    #expect(sentence.hasSuffix("File too large; free some space or name another folder."))
    #expect(
      outcome.output.contains("1.1 failed: ")
        && outcome.output.hasSuffix(" checks hold; nothing was written.\n"),
      "what the run showed is not lost")
    let left = try FileManager.default.subpathsOfDirectory(atPath: scratch.url.path)
    #expect(left == ["out"])
  }
}
