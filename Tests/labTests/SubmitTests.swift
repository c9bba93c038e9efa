import Foundation
import Methods
import Testing

/// `lab submit`: what is packed, and when nothing is.
@Suite(.serialized) struct SubmitTests {
  /// A copy of the package with a model of a full training, as far as its label goes.
  func scratch() throws -> Scratch {
    let scratch = try Scratch.copyOfPackage()
    try scratch.write(
      ModelTests.model(1, state: FinalModel.Settings().label).encoded, to: "model.lab")
    return scratch
  }

  func submit(_ arguments: String..., in scratch: Scratch) async throws -> Outcome {
    let outcome = try await Tool.run(["submit"] + arguments, in: scratch.url)
    if outcome.code != 0 {
      #expect(outcome.output == "")
      #expect(try !scratch.names.contains { $0.hasSuffix(".zip") })
    }
    return outcome
  }

  @Test(arguments: ["", "a/b", "..", "a b", "é", "-x", "a.zip"])
  func aNameThatNoFileHasIsWrongUsage(_ team: String) async throws {
    let outcome = try await Tool.run("submit", "--", team)
    #expect(outcome.code == 64 && outcome.output == "")
    #expect(outcome.errors.hasPrefix("Error: “\(team)” is no name of a file; write letters, "))
  }

  @Test func whatIsMissingIsNamedWithWhatMakesIt() async throws {
    let scratch = try scratch()
    let withoutTable = try await submit("Tea", in: scratch)
    #expect(
      withoutTable
        == Outcome(
          code: 66, output: "",
          errors: "predictions.csv is not there; make it with: swift run lab result\n"))
    let elsewhere = try await submit("Tea", "--predictions", "my own.csv", in: scratch)
    #expect(elsewhere.errors.hasSuffix("make it with: swift run lab result --out 'my own.csv'\n"))
    try scratch.write(ModelTests.model(1).encoded, to: "model.lab")
    let quick = try await submit("Tea", in: scratch)
    #expect(
      quick.code == 66
        && quick.errors == "model.lab is no model of a full training by this code (QUICK); make it "
          + "with: swift run lab model --out model.lab\n"
    )
    try FileManager.default.removeItem(atPath: scratch.path("model.lab"))
    let withoutModel = try await submit("Tea", in: scratch)
    #expect(
      withoutModel.code == 66 && withoutModel.errors.contains("model.lab is not there; make it"))
    try scratch.write(Data("mine".utf8), to: "Tea.zip")
    let foreign = try await Tool.run(["submit", "Tea"], in: scratch.url)
    #expect(foreign.code == 66 && foreign.errors.contains("is no ZIP file and would be lost"))
    #expect(try scratch.data("Tea.zip") == Data("mine".utf8))
  }

  @Test func proseThatPartsFromItsRecordIsNotHandedIn() async throws {
    let scratch = try scratch()
    try scratch.write(Data("ID,label\n".utf8), to: "predictions.csv")
    try scratch.alter(
      "Chapters/2.1-momentum-versus-nesterov.md", "488<!--=plain.steps-->", "487<!--=plain.steps-->"
    )
    let outcome = try await submit("Tea", in: scratch)
    #expect(outcome.code == 1)
    let names = try #require(
      outcome.errors.wholeMatch(
        of:
          /Nothing was packed: the prose and the records part in (.*); swift run lab check says where\.\n/
      ))
    #expect(names.output.1.components(separatedBy: ", ").contains("2.1"))
  }

  /// The files of two archives that are not in both with the same checksum.
  private static func parting(_ one: Data, _ other: Data) -> [String] {
    /// Of each entry of the directory at an archive's end, the checksum.
    func sums(_ data: Data) -> [String: Data] {
      var (sums, start) = ([String: Data](), data.startIndex)
      while let found = data.range(of: Data("PK\u{1}\u{2}".utf8), in: start..<data.endIndex) {
        let entry = data[found.lowerBound...].prefix(1 << 10)
        start = found.upperBound
        guard entry.count > 46 else { break }
        let i = entry.startIndex
        let length = Int(entry[i + 28]) + 256 * Int(entry[i + 29])
        let name = String(decoding: entry.dropFirst(46).prefix(length), as: UTF8.self)
        sums[name] = entry[i + 16..<i + 20]
      }
      return sums
    }
    let (one, other) = (sums(one), sums(other))
    return Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }.sorted()
  }

  @Test func whatIsPackedIsTheSameEachTimeAndNeedsThePredictionsOfTheModel() async throws {
    let scratch = try scratch()
    try #require(try await Tool.run(["check"], in: scratch.url).code == 0)
    #expect(try await Tool.run(["result"], in: scratch.url).code == 0)
    let outcome = try await submit("Tea", "--course", "CS1", in: scratch)
    #expect(outcome.code == 0)
    #expect(outcome.output.contains("Title of the message: [CS1 Tea] Submission Lab2B\n"))
    #expect(outcome.output.contains("Link to the model: "))
    let first = try scratch.data("Tea.zip")
    #expect(try await submit("Tea", in: scratch).code == 0)
    let second = try scratch.data("Tea.zip")
    #expect(Self.parting(first, second) == [])
    #expect(second == first)
    // One row that is another's.
    try scratch.alter("predictions.csv", "\n3,", "\n3,1")
    let altered = try await Tool.run(["submit", "Tea"], in: scratch.url)
    #expect(altered.code == 66)
    #expect(
      altered.errors.hasSuffix(
        "predictions.csv is not what model.lab says (1 of its 10000 rows part); make it with: "
          + "swift run lab result\n"))
    #expect(try scratch.data("Tea.zip") == second)
  }
}
