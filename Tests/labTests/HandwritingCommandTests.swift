import Foundation
import Methods
import Networks
import Testing

/// `lab export` and `lab read`, and what reads their files.
@Suite struct HandwritingCommandTests {
  /// A model of the lab's networks with drawn weights.
  private func writeModel(_ scratch: Scratch, state: String = "drawn") throws {
    let networks = CrossNetworks(FinalModel.settings, seed: 5, name: "test")
    try scratch.write(
      Archive(kind: "model", state: state, tensors: Archive.tensors(of: networks)).encoded,
      to: "model.lab")
  }

  private func expectRefusal(
    _ scratch: Scratch, _ arguments: [String], code: Int32 = 66, _ sentence: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let outcome = try await Tool.run(
      arguments, in: scratch.url, environment: ["LAB_DATA": "/proc/none"])
    #expect(
      outcome == Outcome(code: code, output: "", errors: sentence + "\n"),
      sourceLocation: sourceLocation)
  }

  @Test func whatIsExportedPredictsAsTheModelDoes() async throws {
    let scratch = try Scratch()
    try writeModel(scratch)
    let export = try await Tool.run(["export", "--out", "w.bin", "--json"], in: scratch.url)
    #expect(export.code == 0 && export.errors == "")
    let json = try export.json
    let changedByHalf = try #require(json["changedByHalf"] as? Int)
    #expect(json["version"] as? Int == 1)
    #expect(json["changed"] as? Int == 0 && json["bits"] as? Int == (changedByHalf == 0 ? 16 : 32))
    #expect(json["bytes"] as? Int == (try scratch.data("w.bin").count))
    for (model, name) in [("model.lab", "a"), ("w.bin", "b")] {
      let result = try await Tool.run(
        [
          "result", "--model", model, "--out", "\(name).csv", "--probabilities", "\(name).p.csv",
        ], in: scratch.url)
      #expect(result.code == 0 && result.errors == "")
    }
    #expect(try scratch.data("a.csv") == scratch.data("b.csv"))
    let rows = try ["a.p.csv", "b.p.csv"].map { name in
      String(decoding: try scratch.data(name), as: UTF8.self).split(separator: "\n").map(
        String.init)
    }
    #expect(rows[0].count == 10_001 && rows[0][0] == "ID,p0,p1,p2,p3,p4,p5,p6,p7,p8,p9")
    let predicted = String(decoding: try scratch.data("b.csv"), as: UTF8.self)
      .split(separator: "\n").map(String.init)
    for row in [1, 5000, 10_000] {
      let (a, b) = (
        rows[0][row].split(separator: ",").map { Float($0)! },
        rows[1][row].split(separator: ",").map { Float($0)! }
      )
      #expect(b.count == 11 && abs(b.dropFirst().reduce(0, +) - 1) < 1e-4)
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-2 })
      let best = b.dropFirst().max()!
      #expect(predicted[row] == "\(row - 1),\(b.dropFirst().firstIndex(of: best)! - 1)")
    }
    // The same again gives the same bytes.
    let before = try scratch.data("w.bin")
    #expect(try await Tool.run(["export", "--out", "w.bin"], in: scratch.url).code == 0)
    #expect(try scratch.data("w.bin") == before)
  }

  @Test func withoutMNISTItIsWrittenIn32Bits() async throws {
    let scratch = try Scratch()
    try writeModel(scratch)
    let export = try await Tool.run(
      ["export", "--out", "w.bin"], in: scratch.url, environment: ["LAB_DATA": "/proc/none"])
    #expect(export.code == 0 && export.errors == "")
    let lines = export.output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines[0].wholeMatch(of: /Wrote w\.bin: 1\.\d\d MB, 32 bits a number\./) != nil)
    #expect(
      lines[1]
        == "MNIST is not at hand, so 16 bits were not tried; swift run lab data fetches it.")
  }

  @Test func nothingIsLostToAnExport() async throws {
    let scratch = try Scratch()
    try writeModel(scratch, state: "QUICK, drawn")
    try scratch.write(Data("# Notes\n".utf8), to: "notes.md")
    try await expectRefusal(
      scratch, ["export", "--out", "notes.md"],
      "notes.md is no file of weights and would be lost; name another file with --out.")
    try await expectRefusal(
      scratch, ["export", "--out", "model.lab"],
      "model.lab is a model and would be lost; name another file with --out.")
    try await expectRefusal(
      scratch, ["export"],
      "model.lab is of another training (QUICK, drawn), and results/model/weights.bin is for what lab "
        + "model trains without options; name another file with --out.")
    try await expectRefusal(
      scratch, ["export", "--model", "gone.lab", "--out", "w.bin"],
      "\(scratch.path("gone.lab")) is not there; make it with: swift run lab model --out "
        + scratch.path("gone.lab"))
    try await expectRefusal(
      scratch, ["book", "--weights", "gone.bin", "--out", "book"],
      "\(scratch.path("gone.bin")) is not there; make it with: swift run lab export --out "
        + scratch.path("gone.bin"))
    #expect(try scratch.names == ["model.lab", "notes.md"])
    let export = try await Tool.run(
      ["export", "--out", "w.bin"], in: scratch.url, environment: ["LAB_DATA": "/proc/none"])
    #expect(export.code == 0)
    try await expectRefusal(
      scratch, ["export", "--model", "w.bin", "--out", "v.bin"],
      "w.bin is exported already; name what lab model wrote with --model.")
    try await expectRefusal(
      scratch, ["book", "--weights", "model.lab", "--out", "book"],
      "\(scratch.path("model.lab")) is a model as it was trained; make weights of it with: swift run "
        + "lab export --model \(scratch.path("model.lab")) --out FILE")
    #expect(try scratch.names == ["model.lab", "notes.md", "w.bin"])
  }

  /// A one of 30 × 40 pixels, as text.
  private static func one(ink: Int, paper: Int) -> Data {
    let rows = (0..<40).map { y in
      (0..<30).map { x in (13..<17).contains(x) && (5..<35).contains(y) ? "\(ink)" : "\(paper)" }
        .joined(separator: " ")
    }
    return Data("P2 30 40 255\n\(rows.joined(separator: "\n"))\n".utf8)
  }

  @Test func twoTablesInOneFileAreWrongUsage() async throws {
    let scratch = try Scratch()
    try writeModel(scratch)
    for other in ["a.csv", "./a.csv", "x/../a.csv"] {
      let outcome = try await Tool.run(
        ["result", "--out", "a.csv", "--probabilities", other], in: scratch.url)
      #expect(outcome.code == 64 && outcome.output == "")
      #expect(
        outcome.errors.hasPrefix("Error: --out and --probabilities name one file; name two.\n"))
    }
    #expect(try scratch.names == ["model.lab"])
  }

  @Test func aPictureThatIsMostlyInkIsReadWithAWord() async throws {
    let scratch = try Scratch()
    try writeModel(scratch)
    // A frame of paper around a grey cloud.
    let cloud = (0..<900).map { pixel -> UInt8 in
      let (x, y) = (pixel % 30, pixel / 30)
      return (2..<28).contains(x) && (2..<28).contains(y) ? UInt8(20 + (7 * x + 3 * y) % 90) : 255
    }
    try scratch.write(Data("P5 30 30 255\n".utf8) + Data(cloud), to: "p")
    let read = try await Tool.run(["read", "p", "--model", "model.lab", "--json"], in: scratch.url)
    #expect(read.code == 0)
    #expect(read.errors.hasPrefix("Much of \(scratch.path("p")) counts as ink, "))
  }

  @Test func aPictureIsReadDarkOnLightAndLightOnDark() async throws {
    let scratch = try Scratch()
    try writeModel(scratch)
    try scratch.write(Self.one(ink: 20, paper: 240), to: "a.pgm")
    try scratch.write(Self.one(ink: 255, paper: 0), to: "b.pgm")
    var documents: [[String: Any]] = []
    for file in ["a.pgm", "b.pgm"] {
      let read = try await Tool.run(
        ["read", file, "--model", "model.lab", "--json"], in: scratch.url)
      #expect(read.code == 0 && read.errors == "")
      documents.append(try read.json)
    }
    #expect(documents.allSatisfy { $0["version"] as? Int == 1 })
    let pixels = try documents.map { try #require($0["pixels"] as? [Int]) }
    #expect(pixels[0] == pixels[1] && pixels[0].count == 784)
    #expect(pixels[0].count { $0 > 0 } == 20 * 3 && pixels[0].max() == 255)
    let probabilities = try #require(documents[0]["probabilities"] as? [Double])
    let digit = try #require(documents[0]["digit"] as? Int)
    #expect(probabilities.count == 10 && abs(probabilities.reduce(0, +) - 1) < 1e-4)
    #expect(probabilities[digit] == probabilities.max())
    let text = try await Tool.run(["read", "a.pgm", "--model", "model.lab"], in: scratch.url)
    let lines = text.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "\(digit)" && lines[1] == "")
    for number in 0..<10 {
      #expect(lines[2 + number].hasPrefix("\(number) "))
      #expect(
        lines[2 + number].hasSuffix(
          String(format: "%5.1f %%", 100 * Float(probabilities[number]))))
    }
    #expect(lines[13] == "What the model sees:")
    #expect(lines[15..<43].allSatisfy { $0.count == 58 && $0.hasPrefix("│") && $0.hasSuffix("│") })
    #expect(lines[15..<43].joined().count { $0 == "█" } >= 2 * 20 * 2)
  }

  @Test func whatCannotBeReadIsSaidInASentence() async throws {
    let scratch = try Scratch()
    try writeModel(scratch)
    func refusal(_ reason: String) -> String {
      "\(scratch.path("p")) \(reason); name a PGM or a PNG of one digit."
    }
    try await expectRefusal(
      scratch, ["read", "p", "--model", "model.lab"], refusal("is not there"))
    try scratch.write(Data("P5 60000 2 255\n".utf8), to: "p")
    try await expectRefusal(
      scratch, ["read", "p", "--model", "model.lab"],
      refusal(
        "is of 60000 × 2 pixels, and at most 10000 a side and 16 million in all are read"))
    try scratch.write(Self.one(ink: 9, paper: 9), to: "p")
    try await expectRefusal(
      scratch, ["read", "p", "--model", "model.lab"],
      "\(scratch.path("p")) shows nothing: its pixels are all much alike; name a picture of a digit."
    )
    var png = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13])
    png += Data("IHDR".utf8) + Data([0, 0, 0, 9, 0, 0, 0, 9, 8, 0, 0, 0, 0, 0, 0, 0, 0])
    try scratch.write(png, to: "p")
    let missing = try await Tool.run(
      ["read", "p", "--model", "model.lab"], in: scratch.url, environment: ["PATH": "/nowhere"])
    #expect(
      missing
        == Outcome(
          code: 69, output: "",
          errors: "pngtopam is missing, so the PNG was not read; install it with: apt-get install "
            + "netpbm.\n"))
    #expect(try await Tool.run(["read", ""], in: scratch.url).code == 64)
    #expect(try await Tool.run(["read"], in: scratch.url).code == 64)
  }
}
