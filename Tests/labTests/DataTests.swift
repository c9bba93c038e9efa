import Foundation
import Testing

/// The folder of the data, missing, damaged or out of reach.
@Suite struct DataTests {
  /// Sources that cannot be reached: a closed port of this machine, and no interpreter.
  static let nowhere: [String: String?] = [
    "LAB_MIRRORS": "http://127.0.0.1:9/", "LAB_PYTHON": "no-such-python",
  ]

  /// The folder that the commands use when none is named, after `lab data` has filled it.
  static func folder() async throws -> URL {
    let outcome = try await Tool.run("data", "--json")
    #expect(outcome.code == 0, "\(outcome.errors)")
    return URL(fileURLWithPath: try #require(outcome.json["folder"] as? String))
  }

  /// A folder of links to the real files, in which one can be replaced.
  func linked() async throws -> Scratch {
    let folder = try await Self.folder()
    let scratch = try Scratch()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
    where name.contains("ubyte") {
      try FileManager.default.createSymbolicLink(
        atPath: scratch.path(name), withDestinationPath: folder.appendingPathComponent(name).path)
    }
    return scratch
  }

  @Test func theDataSetIsCountedAndItsOriginNamed() async throws {
    let outcome = try await Tool.run("data")
    #expect(outcome.code == 0 && outcome.errors == "")
    let lines = outcome.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0].hasPrefix("MNIST in /") && lines[0].hasSuffix(", verified by SHA-256"))
    let table = lines.drop { !$0.isEmpty }.dropFirst(3).filter { !$0.isEmpty }
      .map { $0.split(separator: " ").joined(separator: " ") }
    let expected = [
      "train 5923 6742 5958 6131 5842 5421 5918 6265 5851 5949 60000",
      "test 980 1135 1032 1010 982 892 958 1028 974 1009 10000",
      "labelled 300 300 300 300 300 300 300 300 300 300 3000",
      "validation 1000 1000 1000 1000 1000 1000 1000 1000 1000 1000 10000",
      "unlabelled 4623 5442 4658 4831 4542 4121 4618 4965 4551 4649 47000",
    ]
    #expect(table == expected)
    let random = try await Tool.run("data", "--split-seed", "3", "--json")
    let counts = try #require(try random.json["counts"] as? [String: [Int]])
    #expect(counts["labelled"] == [Int](repeating: 300, count: 10))
  }

  @Test func anEmptyFolderWithoutANetworkIsOneSentence() async throws {
    let scratch = try Scratch()
    for arguments in [
      ["data"], ["chapter", "3.1", "--quick"], ["model", "--quick", "--out", scratch.path("m")],
    ] {
      let outcome = try await Tool.run(
        arguments + ["--data", scratch.path("data")], environment: Self.nowhere)
      #expect(outcome.code == 69)
      #expect(
        outcome.errors.split(separator: "\n").last.map(String.init)
          == "MNIST could not be fetched (127.0.0.1 could not be reached; pip could not be started "
          + "(no-such-python is missing)); connect to a network, or put its four files into "
          + "\(scratch.path("data")).")
    }
    #expect(try scratch.names == ["data"])
  }

  @Test func theFolderOfTheEnvironmentIsUsed() async throws {
    let scratch = try Scratch()
    var environment = Self.nowhere
    environment["LAB_DATA"] = scratch.path("named")
    let outcome = try await Tool.run(["data"], environment: environment)
    #expect(outcome.code == 69 && outcome.errors.hasSuffix("into \(scratch.path("named")).\n"))
  }

  @Test func aDamagedFileIsNamedAndNeverReplacedByARun() async throws {
    let scratch = try await linked()
    let name = "t10k-labels-idx1-ubyte"
    let whole = try scratch.data(name)
    var altered = whole
    altered[5000] ^= 1
    let cases: [(Data, String)] = [
      (
        altered,
        " is not the published file (its SHA-256 differs); run: swift run lab data"
      ),
      (
        whole.dropLast(100),
        " claims 10,000 elements, but holds at most 9,900; replace it by a whole copy."
      ),
      (whole.prefix(3), " ends inside its header; replace it by a whole copy."),
      (whole + whole, " goes on after its 10,000 elements; replace it by a whole copy."),
      (
        Data("<html>".utf8),
        " is not an IDX file of bytes (it starts with 3c 68 74 6d); replace it by a whole copy."
      ),
      (Data(), " ends inside its header; replace it by a whole copy."),
    ]
    for (data, sentence) in cases {
      try FileManager.default.removeItem(atPath: scratch.path(name))
      try scratch.write(data, to: name)
      let outcome = try await Tool.run(
        "chapter", "3.1", "--quick", "--data", scratch.url.path, environment: Self.nowhere)
      #expect(outcome.code == 66)
      #expect(
        outcome.errors.split(separator: "\n").last.map(String.init)
          == scratch.path(name) + sentence)
      #expect(try scratch.data(name) == data)
    }
    // `lab data` is asked to mend it, and says what it tried when it cannot.
    let outcome = try await Tool.run(
      "data", "--data", scratch.url.path, environment: Self.nowhere)
    #expect(outcome.code == 69)
    #expect(try scratch.data(name).isEmpty)
  }

  @Test func aFolderThatCannotBeMadeIsNamed() async throws {
    let scratch = try Scratch()
    try scratch.write(Data(), to: "file")
    let outcome = try await Tool.run("data", "--data", scratch.path("file/data"))
    #expect(outcome.code == 66)
    #expect(
      outcome.errors
        == "Cannot make the folder \(scratch.path("file/data")); name another with --data or "
        + "LAB_DATA.\n")
  }
}
