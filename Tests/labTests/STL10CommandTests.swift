import Foundation
import Servers
import Testing

@Suite struct STL10CommandTests {
  /// A folder with the small set in it.
  func tiny() throws -> Scratch {
    let scratch = try Scratch()
    try TinySTL10.write(to: scratch.url)
    return scratch
  }

  @Test func aQuickRunPrintsTheTenFolds() async throws {
    let scratch = try tiny()
    let outcome = try await Tool.run("stl10", "--data", scratch.url.path, "--quick")
    #expect(outcome.code == 0)
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "STL-10 by its ten folds  QUICK")
    #expect(lines[2].split(separator: /\s{2,}/) == ["fold", "penalty", "held out, %", "test, %"])
    #expect(lines[4..<14].map { $0.split(separator: " ")[0] } == (1...10).map { "\($0)" })
    #expect(lines[15].contains(" of 40 test images, mean and deviation over the ten folds."))
    #expect(outcome.output.contains("Coates, Ng & Lee 2011"))
    let errors = outcome.errors.split(separator: "\n")
    #expect(
      errors.count == 2
        && errors[0]
          == "STL-10 by its ten folds, QUICK run, seed 2016: 64 centroids of 5000 patches, some "
          + "seconds."
    )
    #expect(errors[1].hasPrefix("Took "))
    // It reads, and writes nothing.
    #expect(try scratch.names == TinySTL10.names)
  }

  @Test func asJSONItIsOneVersionedLineWithTheSameBitsOnAnyThreads() async throws {
    let scratch = try tiny()
    func run(_ flags: String...) async throws -> Outcome {
      try await Tool.run(["stl10", "--data", scratch.url.path, "--quick", "--json"] + flags)
    }
    let outcome = try await run("--seed", "7", "--threads", "1")
    #expect(outcome.code == 0 && outcome.output.count { $0 == "\n" } == 1)
    let json = try outcome.json
    #expect(
      Set(json.keys) == [
        "version", "seed", "mode", "images", "centroids", "patches", "folds", "mean", "deviation",
        "atEndOfGrid", "others",
      ])
    #expect(json["version"] as? Int == 1 && json["seed"] as? Int == 7)
    #expect(json["mode"] as? String == "quick" && json["centroids"] as? Int == 64)
    #expect(json["images"] as? [String: Int] == ["unlabelled": 60, "train": 60, "test": 40])
    let folds = try #require(json["folds"] as? [[String: Double]])
    #expect(folds.count == 10)
    #expect(folds.allSatisfy { Set($0.keys) == ["fold", "cost", "heldOut", "test"] })
    let mean = folds.reduce(0) { $0 + $1["test"]! } / 10
    #expect(abs(mean - (json["mean"] as? Double ?? 0)) < 1e-9)
    #expect(try await run("--seed", "7", "--threads", "3").output == outcome.output)
    #expect(try await run("--seed", "8", "--no-color").output != outcome.output)
  }

  @Test func badDataEndInOneSentence() async throws {
    let scratch = try tiny()
    let folder = scratch.url.path
    func expect(
      _ sentence: String, _ data: String? = nil, quick: Bool = true,
      sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
      let outcome = try await Tool.run(
        ["stl10", "--data", data ?? folder] + (quick ? ["--quick"] : []))
      #expect(
        outcome == Outcome(code: 66, output: "", errors: sentence + "\n"),
        sourceLocation: sourceLocation)
    }
    let again = "; unpack stl10_binary.tar.gz again."
    // A whole run asks for the whole set.
    try await expect(
      "\(folder)/train_X.bin has 1,658,880 bytes, fewer than the 138,240,000 of its 5,000 images"
        + again, quick: false)
    try await expect(
      "/nowhere does not exist; name the folder of STL-10's files with --data.", "/nowhere")
    try await expect(
      "\(folder)/train_y.bin is no folder; name that of STL-10's files with --data.",
      scratch.path("train_y.bin"))
    try scratch.write(Data(repeating: 11, count: 60), to: "train_y.bin")
    try await expect(
      "\(folder)/train_y.bin gives image 0 the label 11, where labels run from 1 to 10" + again)
    try scratch.write(Data(repeating: 10, count: 60), to: "train_y.bin")
    let nine = TinySTL10.folds.split(separator: "\n").prefix(9).joined(separator: "\n")
    try scratch.write(Data(nine.utf8), to: "fold_indices.txt")
    try await expect(
      "\(folder)/fold_indices.txt has 9 lines of indices instead of 10" + again)
    try FileManager.default.removeItem(atPath: scratch.path("unlabeled_X.bin"))
    try await expect(
      "unlabeled_X.bin is not in \(folder); put the files of stl10_binary.tar.gz there, or name "
        + "their folder with --data.")
    #expect(try scratch.names == TinySTL10.names.filter { $0 != "unlabeled_X.bin" })
  }

  /// All images the same, and all of one class: nothing to learn, and no crash.
  @Test func aSetWithoutAnyDifferenceIsNoCrash() async throws {
    let scratch = try tiny()
    for (name, count) in [("unlabeled", 1), ("train", 60), ("test", 2)] {
      try scratch.write(Data(count: count * TinySTL10.bytesPerImage), to: "\(name)_X.bin")
      if name != "unlabeled" {
        try scratch.write(Data(repeating: 3, count: count), to: "\(name)_y.bin")
      }
    }
    let outcome = try await Tool.run("stl10", "--data", scratch.url.path, "--quick", "--json")
    #expect(outcome.code == 0)
    #expect(try outcome.json["mean"] as? Double == 100)
  }

  @Test(arguments: [
    (["stl10"], "Error: Missing expected argument '--data <dir>'"),
    (["stl10", "--data", ""], "Error: --data takes the name of a folder."),
    (
      ["stl10", "--data", ".", "--threads", "0"],
      "Error: --threads takes a number from 1 to 256, not 0."
    ),
    (
      ["stl10", "--data", ".", "--seed", "x"], "Error: The value 'x' is invalid for '--seed <seed>'"
    ),
    (["stl10", "--data", ".", "--folds", "3"], "Error: Unknown option '--folds'"),
    (["stl10", "."], "Error: Missing expected argument '--data <dir>'"),
  ])
  func anAbsurdFlagIsWrongUsage(_ arguments: [String], _ sentence: String) async throws {
    let outcome = try await Tool.run(arguments)
    #expect(outcome.code == 64 && outcome.output == "")
    #expect(outcome.errors.split(separator: "\n").first.map(String.init) == sentence)
  }

  @Test func helpSaysWhatItTakes() async throws {
    let outcome = try await Tool.run("help", "stl10")
    #expect(outcome.code == 0)
    for word in ["--data", "--quick", "memory", "minutes", "stl10_binary.tar.gz"] {
      #expect(outcome.output.contains(word), "\(word)")
    }
  }
}
