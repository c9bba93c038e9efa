import Foundation
import Methods
import Networks
import Tensors
import Testing

@testable import Chapters

/// `lab model` and `lab result`: one after another, for each of them uses all threads.
@Suite(.serialized) struct ModelTests {
  @Test func twoTrainingsGiveTheSameBytes() async throws {
    let scratch = try Scratch()
    var files: [[Data]] = []
    for threads in ["1", "2", "4"] {
      let model = scratch.path("model-\(threads).lab")
      let trained = try await Tool.run(
        "model", "--quick", "--quick-steps", "45", "--out", model, "--threads", threads)
      #expect(trained.code == 0 && trained.output == "Wrote \(model), QUICK.\n")
      let table = scratch.path("\(threads).csv")
      let result = try await Tool.run("result", "--model", model, "--out", table)
      #expect(result.code == 0 && result.errors == "")
      #expect(
        result.output.wholeMatch(of: /Wrote .*: 10000 predictions, \d+\.\d\d % of them right\.\n/)
          != nil)
      files.append([
        try scratch.data("model-\(threads).lab"), try scratch.data("\(threads).csv"),
      ])
    }
    #expect(files[0] == files[1] && files[0] == files[2])
    let (model, table) = (scratch.path("json.lab"), scratch.path("json.csv"))
    let trained = try await Tool.run(
      "model", "--quick", "--quick-steps", "20", "--out", model, "--json"
    ).json
    #expect(trained["version"] as? Int == 1 && trained["mode"] as? String == "quick")
    let read = try await Tool.run("result", "--model", model, "--out", table, "--json").json
    #expect(read["version"] as? Int == 1 && read["count"] as? Int == 10_000)
    let lines = String(decoding: files[0][1], as: UTF8.self).split(separator: "\n")
    #expect(lines.count == 10_001 && lines[0] == "ID,label")
    for (row, line) in lines.dropFirst().enumerated() {
      let cells = line.split(separator: ",").map { Int($0) }
      #expect(cells.count == 2 && cells[0] == row && (0...9).contains(cells[1] ?? -1))
    }
    try await expectDevicesAreKept(model: scratch.path("model-1.lab"))
    // The model itself, cut short or of another version.
    let whole = files[0][0]
    var version = whole
    version[8] = 9
    for (data, reason) in [
      (whole.dropLast(1000), "is cut short or altered (its digest is wrong)"),
      (whole.prefix(20), "is no model of this lab"),
      (version, "is of version 9, and this program reads version 1"),
    ] {
      try scratch.write(Data(data), to: "bad.lab")
      try await expectRefusal(
        scratch, reason: reason + "; train it again with: swift run lab model")
    }
  }

  /// Expects that predictions go into a device without replacing it by a file.
  func expectDevicesAreKept(model: String) async throws {
    let full = try await Tool.run("result", "--model", model, "--out", "/dev/full")
    #expect(full.code == 66)
    #expect(
      full.errors
        == "Cannot write /dev/full: No space left on device; free some space or name another "
        + "folder.\n")
    var status = stat()
    #expect(stat("/dev/full", &status) == 0 && status.st_mode & S_IFMT == S_IFCHR)
    let piped = try await Tool.run("result", "--model", model, "--out", "/dev/stdout")
    #expect(piped.code == 0 && piped.output.hasPrefix("ID,label\n0,"))
  }

  /// Expects that `bad.lab` is refused, and that older predictions stay.
  func expectRefusal(_ scratch: Scratch, reason: String) async throws {
    let older = Data("ID,label\n0,7\n".utf8)
    try scratch.write(older, to: "predictions.csv")
    let outcome = try await Tool.run(["result", "--model", "bad.lab"], in: scratch.url)
    let path = scratch.path("bad.lab")
    #expect(outcome == Outcome(code: 66, output: "", errors: "\(path) \(reason)\n"))
    #expect(try scratch.data("predictions.csv") == older)
  }

  @Test func aModelOfAnotherNetworkIsRefused() async throws {
    let scratch = try Scratch()
    try await expectRefusal(
      scratch,
      reason: "is not there; make it with: swift run lab model --out \(scratch.path("bad.lab"))")
    let weights = [("hidden.weight", Tensor(repeating: 0, [3, 4]))]
    try scratch.write(Archive(kind: "model", state: "", tensors: weights).encoded, to: "bad.lab")
    try await expectRefusal(
      scratch,
      reason:
        "has no networks.0.convolutions.0.weight of shape [32, 1, 5, 5]: it is a model of another "
        + "network; train it again with: swift run lab model")
    // What `lab model` wrote before: one network, under other names.
    var stream = RandomStream(seed: 0, "test")
    let former = ConvolutionalClassifier(SupervisedRecipe.chosen, using: &stream)
    try scratch.write(
      Archive(kind: "model", state: "", tensors: Archive.tensors(of: former)).encoded,
      to: "bad.lab")
    try await expectRefusal(
      scratch,
      reason:
        "has no networks.0.convolutions.0.weight of shape [32, 1, 5, 5]: it is a model of another "
        + "network; train it again with: swift run lab model")
    try scratch.write(Archive(kind: "training", state: "", tensors: []).encoded, to: "bad.lab")
    try await expectRefusal(
      scratch, reason: "is a checkpoint and no model; name the model beside it.")
  }

  @Test func aPlaceThatCannotBeWrittenIsToldBeforeTheTraining() async throws {
    let scratch = try Scratch()
    try scratch.write(Data(), to: "file")
    for (out, sentence) in [
      (scratch.url.path, "Cannot write \(scratch.url.path): it is a folder; name a file."),
      (
        scratch.path("file/m.lab"),
        "Cannot make the folder \(scratch.path("file")): Not a directory; name another."
      ),
    ] {
      for command in [["model", "--quick"], ["result"]] {
        let outcome = try await Tool.run(command + ["--out", out])
        #expect(outcome == Outcome(code: 66, output: "", errors: sentence + "\n"))
      }
    }
    #expect(try scratch.names == ["file"])
    // A model is read again, which no device gives back; nor is there a place for a checkpoint.
    try #require(mkfifo(scratch.path("pipe"), 0o600) == 0)
    for name in ["link", "m.lab.checkpoint"] {
      try FileManager.default.createSymbolicLink(
        atPath: scratch.path(name), withDestinationPath: "gone")
    }
    for (out, sentence) in [
      ("/dev/null", "/dev/null: it is a device or a pipe; name a file."),
      ("/dev/full", "/dev/full: it is a device or a pipe; name a file."),
      (scratch.path("pipe"), "\(scratch.path("pipe")): it is a device or a pipe; name a file."),
      (
        scratch.path("link"),
        "\(scratch.path("link")): it is a link to gone, which is not there; remove the link or name "
          + "another file."
      ),
      (
        scratch.path("m.lab"),
        "\(scratch.path("m.lab.checkpoint")): it is a link to gone, which is not there; remove the "
          + "link or name another file."
      ),
    ] {
      let outcome = try await Tool.run("model", "--quick", "--out", out)
      #expect(outcome == Outcome(code: 66, output: "", errors: "Cannot write \(sentence)\n"))
    }
    #expect(try scratch.names == ["file", "link", "m.lab.checkpoint", "pipe"])
  }

  @Test func aFileOfAnothersIsNotReplaced() async throws {
    let scratch = try Scratch()
    let text = Data("# Notes\n".utf8)
    try scratch.write(text, to: "README.md")
    try scratch.write(Data("LAB".utf8), to: "short.lab")
    try scratch.write(text, to: "m.lab.checkpoint")
    try scratch.write(
      Archive(kind: "training", state: "", tensors: []).encoded, to: "checkpoint.lab")
    let foreign = "is no model of this lab and would be lost"
    for (out, reason) in [
      ("README.md", "README.md \(foreign)"), ("short.lab", "short.lab \(foreign)"),
      (
        "m.lab",
        "\(scratch.path("m.lab.checkpoint")) is no checkpoint of this lab and would be lost"
      ),
      ("checkpoint.lab", "checkpoint.lab is a checkpoint and no model, and would be lost"),
    ] {
      for flags in [[], ["--resume"], ["--quick"]] {
        let outcome = try await Tool.run(
          ["model", "--data", "/proc/none", "--out", out] + flags, in: scratch.url)
        let sentence = "\(reason); name another file with --out.\n"
        #expect(outcome == Outcome(code: 66, output: "", errors: sentence))
      }
    }
    try scratch.write(Self.model(1).encoded, to: "model.lab")
    let result = try await Tool.run(["result", "--out", "README.md"], in: scratch.url)
    #expect(
      result
        == Outcome(
          code: 66, output: "",
          errors: "README.md holds no predictions of this lab and would be lost; name another file "
            + "with --out.\n"))
    #expect(try scratch.data("README.md") == text && scratch.data("m.lab.checkpoint") == text)
    // What is empty, or was predicted before, is replaced; and a damaged model gets as far as data.
    for older in ["", "ID,label\n"] {
      try scratch.write(Data(older.utf8), to: "mine.csv")
      let outcome = try await Tool.run(["result", "--out", "mine.csv"], in: scratch.url)
      #expect(outcome.code == 0)
      #expect(try scratch.data("mine.csv").count > 60_000)
    }
    for damaged in [Data(), try scratch.data("model.lab").dropLast(100)] {
      try scratch.write(damaged, to: "model.lab")
      let outcome = try await Tool.run(["model", "--data", "/proc/none"], in: scratch.url)
      #expect(outcome.code == 66 && outcome.errors.hasPrefix("Training the final model"))
    }
  }

  @Test func weightsThatAreNotFiniteAreNotWritten() async throws {
    let scratch = try Scratch()
    let (model, checkpoint) = (scratch.path("m.lab"), scratch.path("m.lab.checkpoint"))
    let flags = [
      "model", "--quick", "--quick-steps", "200", "--out", model, "--checkpoint-seconds", "0",
    ]
    #expect(try await interrupted(flags, checkpoint).code == 130)
    var archive = try Archive(reading: URL(fileURLWithPath: checkpoint))
    let place = try #require(
      archive.tensors.firstIndex { $0.name.hasSuffix("convolutions.0.weight") })
    archive.tensors[place].value = Tensor(repeating: .nan, archive.tensors[place].value.shape)
    try scratch.write(archive.encoded, to: "m.lab.checkpoint")
    let outcome = try await Tool.run(flags + ["--resume"])
    #expect(outcome.code == 66 && outcome.output == "")
    #expect(
      outcome.errors.hasSuffix(
        "\nThe training ended with weights that are not finite, and no model was written; start "
          + "again without --resume, with another --seed.\n"))
    #expect(try scratch.names == ["m.lab.checkpoint"])
  }

  @Test func permissionDeniedIsSaidToBeThat() async throws {
    let scratch = try Scratch()
    try FileManager.default.createDirectory(
      atPath: scratch.path("shut"), withIntermediateDirectories: true)
    try scratch.write(Data("x".utf8), to: "m.lab")
    chmod(scratch.path("m.lab"), 0)
    chmod(scratch.path("shut"), 0o555)
    let (file, folder) = (scratch.path("m.lab"), scratch.path("shut/new"))
    for (arguments, sentence) in [
      (
        ["result", "--model", file, "--out", scratch.path("p.csv")],
        "\(file) cannot be read (Permission denied); see to it that you may read it, or name another."
      ),
      (
        ["model", "--quick", "--out", file],
        "Cannot write \(file): Permission denied; name a place that you may write to."
      ),
      (
        ["model", "--quick", "--out", folder + "/m.lab"],
        "Cannot make the folder \(folder): Permission denied; name another."
      ),
      (
        ["result", "--out", scratch.path("shut/p.csv")],
        "Cannot write \(scratch.path("shut/p.csv")): Permission denied; name a place that you may "
          + "write to."
      ),
    ] {
      let outcome = try await Tool.run(arguments, shell: DataTests.withoutPrivileges)
      #expect(outcome == Outcome(code: 66, output: "", errors: sentence + "\n"))
    }
    #expect(try scratch.names == ["m.lab", "shut"])
  }

  /// The archive of a model of the lab's network whose weights are all one number.
  static func model(_ weight: Float, state: String = "QUICK") -> Archive {
    let networks = CrossNetworks(FinalModel.settings, seed: 0, name: "test")
    return Archive(
      kind: "model", state: state,
      tensors: networks.namedParameters.map {
        ($0.path, Tensor(repeating: weight, $0.parameter.value.shape))
      })
  }

  @Test func whatCannotBeAModelIsRefusedBeforeItIsRead() async throws {
    let scratch = try Scratch()
    let path = scratch.path("bad.lab")
    try scratch.write(Self.model(.nan).encoded, to: "bad.lab")
    try await expectRefusal(
      scratch,
      reason:
        "has a networks.0.convolutions.0.weight that is not finite; train it again with: swift run "
        + "lab model")
    // Six gigabytes that are a hole, within one of memory.
    for name in ["bad.lab", "m.lab.checkpoint"] {
      try scratch.write(Data("LABMODEL".utf8), to: name)
      try #require(truncate(scratch.path(name), 6 << 30) == 0)
    }
    for arguments in [
      ["result", "--model", path, "--out", scratch.path("p.csv")],
      ["model", "--quick", "--resume", "--out", scratch.path("m.lab")],
    ] {
      let outcome = try await Tool.run(arguments, shell: "ulimit -v 4000000")
      #expect(outcome.code == 66 && outcome.output == "")
      #expect(outcome.errors.contains(" is of 6442450944 bytes, more than the "))
    }
    for (place, reason) in [(scratch.url.path, "a folder"), ("/dev/zero", "no regular file")] {
      let outcome = try await Tool.run(
        "result", "--model", place, "--out", scratch.path("p.csv"))
      #expect(
        outcome
          == Outcome(
            code: 66, output: "",
            errors: "\(place) is \(reason); name the file of a model.\n"))
    }
    let same = try await Tool.run("result", "--model", path, "--out", path)
    #expect(same.code == 66 && same.errors.hasPrefix("\(path) is the model itself; "))
  }

  /// Waits until a checkpoint is there, and ends the training.
  func interrupted(_ arguments: [String], _ checkpoint: String) async throws -> Outcome {
    try await Tool.run(arguments) { process in
      try await Self.wait(for: checkpoint)
      kill(process, SIGINT)
    }
  }

  @Test func theHintToGoOnCanBeCopiedIntoAShell() async throws {
    let scratch = try Scratch()
    let name = "it's $(touch pwned) `a`"
    let model = scratch.path("\(name)/m.lab")
    let outcome = try await interrupted(["model", "--out", model], model + ".checkpoint")
    #expect(outcome.code == 130)
    let hint = try #require(outcome.errors.firstMatch(of: /go on with: swift run lab (.*)\n/))
    // What the shell makes of it goes on with that training, and with no other.
    let shell = "cd \(scratch.url.path); eval 'set -- '\(#""$HINT""#)"
    let again = try await Tool.run(
      ["nothing"], environment: ["HINT": String(hint.output.1), "LAB_DATA": "/proc/none"],
      shell: shell)
    #expect(again.code == 66)
    #expect(again.errors.contains("Training the final model, full"))
    #expect(try scratch.names == [name])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: scratch.path(name))
        == ["m.lab.checkpoint"])
  }

  /// One after another, and at once.
  @Test func twoTrainingsOnOneFileAreToldApart() async throws {
    let scratch = try Scratch()
    let (model, checkpoint) = (scratch.path("m.lab"), scratch.path("m.lab.checkpoint"))
    let first = try await Tool.run(["model", "--out", model]) { process in
      try await Self.wait(for: checkpoint)
      for flags in [["--seed", "7"], ["--quick"], []] {
        let second = try await Tool.run(["model", "--out", model] + flags)
        #expect(
          second
            == Outcome(
              code: 66, output: "",
              errors: "Another training is writing \(model); wait for its end, or name another "
                + "file with --out.\n"))
      }
      kill(process, SIGINT)
    }
    #expect(first.code == 130)
    #expect(try scratch.names == ["m.lab.checkpoint"])
    let kept = try scratch.data("m.lab.checkpoint")
    for flags in [
      ["--seed", "7"], ["--split-seed", "3"], ["--quick"], ["--quick", "--resume"],
      ["--seed", "7", "--resume"], ["--split-seed", "3", "--resume"],
    ] {
      let second = try await Tool.run(["model", "--out", model] + flags)
      #expect(second.code == 66 && second.output == "")
      #expect(
        second.errors.hasPrefix("\(checkpoint) is no checkpoint of this training but of anot"))
      #expect(try scratch.data("m.lab.checkpoint") == kept)
    }
    // A checkpoint that is damaged is told of, and the advice leads out of the circle.
    try scratch.write(kept.dropLast(100), to: "m.lab.checkpoint")
    let resumed = try await Tool.run("model", "--resume", "--out", model)
    #expect(
      resumed
        == Outcome(
          code: 66, output: "",
          errors: "\(checkpoint) is cut short or altered (its digest is wrong); it is of no more "
            + "use: start again without --resume, which replaces it.\n"))
    let quick = try await Tool.run(
      "model", "--quick", "--quick-steps", "20", "--out", model)
    #expect(quick.code == 0)
    #expect(quick.errors.hasPrefix("\(checkpoint) is no whole checkpoint, and will be replaced.\n"))
    #expect(try scratch.names == ["m.lab"], "what is done has nothing to go on with")
    // A quick model is no loss; one of a full training is.
    try scratch.write(Self.model(1, state: "another, 60 epochs").encoded, to: "m.lab")
    chmod(model, 0o600)
    let over = try await Tool.run("model", "--quick", "--out", model)
    #expect(
      over
        == Outcome(
          code: 66, output: "",
          errors: "\(model) is the model of another training (another, 60 epochs); remove it, or "
            + "name another file with --out.\n"))
    try scratch.write(Self.model(1, state: "QUICK, another").encoded, to: "m.lab")
    let again = try await Tool.run("model", "--quick", "--quick-steps", "20", "--out", model)
    #expect(again.code == 0)
    var status = stat()
    #expect(stat(model, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }

  @Test func ctrlBackslashEndsQuietly() async throws {
    let scratch = try Scratch()
    let stopped = Clock()
    let outcome = try await Tool.run(
      ["model", "--out", scratch.path("m.lab")], environment: ["SWIFT_BACKTRACE": nil],
      shell: "cd \(scratch.url.path); ulimit -c unlimited"
    ) { process in
      try await Self.wait(for: scratch.path("m.lab.checkpoint"))
      stopped.start()
      kill(process, SIGQUIT)
    }
    #expect(stopped.seconds < 3)
    #expect(outcome.code == 130 && outcome.output == "")
    #expect(outcome.errors.split(separator: "\n").count == 1)
    #expect(try scratch.names == [".m.lab.lock", "m.lab.checkpoint"])
  }

  /// Waits until a file is there, for a minute at most.
  static func wait(for path: String) async throws {
    for _ in 0..<600 where !FileManager.default.fileExists(atPath: path) {
      try await Task.sleep(for: .milliseconds(100))
    }
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func anInterruptKeepsTheCheckpointAndSaysHowToGoOn(_ signal: Int32) async throws {
    let scratch = try Scratch()
    let model = scratch.path("m.lab")
    let stopped = Clock()
    let outcome = try await Tool.run(["model", "--out", model]) { process in
      try await Self.wait(for: model + ".checkpoint")
      stopped.start()
      kill(process, signal)
    }
    #expect(stopped.seconds < 5)
    #expect(outcome.code == 130 && outcome.output == "")
    #expect(
      outcome.errors.split(separator: "\n").last.map(String.init)
        == "Interrupted; go on with: swift run lab model --resume --out \(model)")
    #expect(try scratch.names == ["m.lab.checkpoint"])
    _ = try Archive(reading: URL(fileURLWithPath: model + ".checkpoint"))

    // A disk that is full now: the checkpoint stays as it was.
    let kept = try scratch.data("m.lab.checkpoint")
    let full = try await Tool.run(["model", "--resume", "--out", model], shell: "ulimit -f 1000")
    #expect(full.code == 66)
    let checkpoint = model + ".checkpoint"
    #expect(
      full.errors.split(separator: "\n").suffix(2).map(String.init) == [
        "Cannot write \(checkpoint): File too large; free some space or name another folder.",
        "The last whole checkpoint is kept; when that is mended, go on with: swift run lab model "
          + "--resume --out \(model)",
      ])
    #expect(try scratch.names == ["m.lab.checkpoint"])
    #expect(try scratch.data("m.lab.checkpoint") == kept)

    // Of another training it is refused, and stays too.
    let other = try await Tool.run("model", "--resume", "--out", model, "--seed", "3")
    #expect(other.code == 66)
    #expect(
      other.errors.contains("\(checkpoint) is no checkpoint of this training but of another "))
    #expect(try scratch.data("m.lab.checkpoint") == kept)
  }

  @Test func aSecondInterruptStopsAtOnce() async throws {
    let scratch = try Scratch()
    let stopped = Clock()
    let outcome = try await Tool.run(["model", "--out", scratch.path("m.lab")]) { process in
      try await Self.wait(for: scratch.path("m.lab.checkpoint"))
      // Stopped, it cannot have acted upon the first when the second comes.
      kill(process, SIGSTOP)
      kill(process, SIGINT)
      kill(process, SIGTERM)
      stopped.start()
      kill(process, SIGCONT)
    }
    #expect(stopped.seconds < 2)
    #expect(outcome.code == 130)
    _ = try Archive(reading: URL(fileURLWithPath: scratch.path("m.lab.checkpoint")))
  }

  @Test func anInterruptedChapterStopsSoonAndWritesNothing() async throws {
    let scratch = try Scratch()
    let stopped = Clock()
    let outcome = try await Tool.run(["chapter", "3.1", "--out", scratch.path("out")]) { process in
      try await Task.sleep(for: .seconds(3))
      stopped.start()
      kill(process, SIGINT)
    }
    #expect(stopped.seconds < 5)
    #expect(outcome.code == 130)
    #expect(outcome.errors.hasSuffix("\nInterrupted; nothing was left half written.\n"))
    #expect((try? FileManager.default.subpathsOfDirectory(atPath: scratch.path("out"))) ?? [] == [])
  }

  /// `kill -9` at random moments, writes among them, for a checkpoint follows each round.
  ///
  /// Three kills, and twenty in the long version.
  @Test func aKilledTrainingGoesOnToTheSameBytes() async throws {
    let kills = wantsLongTests ? 20 : 3
    let scratch = try Scratch()
    let flags = ["model", "--quick", "--quick-steps", "120", "--seed", "5"]
    let whole = try await Tool.run(flags + ["--out", scratch.path("whole.lab")])
    #expect(whole.code == 0)
    var killed = 0
    while killed < kills {
      var steps: [Int] = []
      try? FileManager.default.removeItem(atPath: scratch.path("m.lab.checkpoint"))
      try? FileManager.default.removeItem(atPath: scratch.path("m.lab"))
      var code = Int32(-SIGKILL)
      while code == -SIGKILL {
        let mayKill = killed < kills
        // The first kill may come before the first step, and before the data is read.
        let moment = Duration.milliseconds(Int.random(in: 50...8000))
        let outcome = try await Tool.run(
          flags + ["--resume", "--out", scratch.path("m.lab"), "--checkpoint-seconds", "0"]
        ) { process in
          guard mayKill else { return }
          try await Task.sleep(for: moment)
          kill(process, SIGKILL)
        }
        code = outcome.code
        if code == -SIGKILL { killed += 1 }
        let url = URL(fileURLWithPath: scratch.path("m.lab.checkpoint"))
        if FileManager.default.fileExists(atPath: url.path) {
          let state = try Archive(reading: url).state
          steps.append(Int(state.firstMatch(of: /"step":(\d+)/)!.output.1)!)
        }
      }
      #expect(code == 0)
      #expect(steps == steps.sorted(), "a kill loses no checkpoint")
      #expect(try scratch.data("m.lab") == scratch.data("whole.lab"))
    }
  }
}

/// A stopwatch that another task starts.
final class Clock: @unchecked Sendable {
  private let lock = NSLock()
  private var begin = Date.distantPast

  func start() { lock.withLock { begin = Date() } }

  var seconds: Double { lock.withLock { Date().timeIntervalSince(begin) } }
}
