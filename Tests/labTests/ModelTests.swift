import Foundation
import Networks
import Tensors
import Testing

/// `lab model` and `lab result`: one after another, for each of them uses all threads.
@Suite(.serialized) struct ModelTests {
  @Test func twoTrainingsGiveTheSameBytes() async throws {
    let scratch = try Scratch()
    var files: [[Data]] = []
    for threads in ["1", "2", "4"] {
      let model = scratch.path("model-\(threads).lab")
      let trained = try await Tool.run(
        "model", "--quick", "--out", model, "--threads", threads)
      #expect(trained.code == 0 && trained.output == "Wrote \(model), QUICK.\n")
      let table = scratch.path("\(threads).csv")
      let result = try await Tool.run("result", "--model", model, "--out", table)
      #expect(result.code == 0 && result.errors == "")
      #expect(
        result.output.wholeMatch(of: /Wrote .*: 10000 predictions, \d\d\.\d\d % of them right\.\n/)
          != nil)
      files.append([
        try scratch.data("model-\(threads).lab"), try scratch.data("\(threads).csv"),
      ])
    }
    #expect(files[0] == files[1] && files[0] == files[2])
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
    try scratch.write(Data("older".utf8), to: "predictions.csv")
    let outcome = try await Tool.run(["result", "--model", "bad.lab"], in: scratch.url)
    let path = scratch.path("bad.lab")
    #expect(outcome == Outcome(code: 66, output: "", errors: "\(path) \(reason)\n"))
    #expect(try scratch.data("predictions.csv") == Data("older".utf8))
  }

  @Test func aModelOfAnotherNetworkIsRefused() async throws {
    let scratch = try Scratch()
    try await expectRefusal(
      scratch,
      reason: "cannot be read; make it with: swift run lab model --out \(scratch.path("bad.lab"))")
    let weights = [("hidden.weight", Tensor(repeating: 0, [3, 4]))]
    try scratch.write(Archive(kind: "model", state: "", tensors: weights).encoded, to: "bad.lab")
    try await expectRefusal(
      scratch,
      reason:
        "has no convolution0.weight of shape [32, 1, 5, 5]: it is a model of another network; "
        + "train it again with: swift run lab model")
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
    #expect(other.errors.contains("\(checkpoint) is no checkpoint of this training; "))
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

  /// `kill -9` at random moments, writes among them, for a checkpoint follows each step.
  ///
  /// Three kills, and twenty in the long version.
  @Test func aKilledTrainingGoesOnToTheSameBytes() async throws {
    let kills = wantsLongTests ? 20 : 3
    let scratch = try Scratch()
    let flags = ["model", "--quick", "--seed", "5"]
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
        let moment = Duration.milliseconds(Int.random(in: 50...2500))
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
          steps.append(Int(state.firstMatch(of: /"steps":(\d+)/)!.output.1)!)
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
