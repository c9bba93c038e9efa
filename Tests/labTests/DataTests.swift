import Foundation
import Servers
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
    #expect(try random.json["version"] as? Int == 1)
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
        " is not the published file (its SHA-256 differs); move it away, then run: swift run lab "
          + "data --data \(scratch.url.path)"
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
    // Nor by `lab data`, which may have been given the folder of another set of the same names.
    for data in cases.map(\.0) {
      try FileManager.default.removeItem(atPath: scratch.path(name))
      try scratch.write(data, to: name)
      let before = try scratch.names
      let outcome = try await Tool.run("data", "--data", scratch.url.path)
      #expect(outcome.code == 66 && outcome.output == "")
      #expect(outcome.errors.hasPrefix(scratch.path(name) + " "))
      #expect(outcome.errors.count { $0 == "\n" } == 1)
      #expect(try scratch.data(name) == data && scratch.names == before)
    }
  }

  /// A process without the rights by which the system's administrator reads and writes everything.
  static let withoutPrivileges = """
    exec python3 -c 'import ctypes, os, sys
    for right in 1, 2: ctypes.CDLL(None).prctl(24, right, 0, 0, 0)
    os.execv(sys.argv[1], sys.argv[1:])' "$0" "$@"
    """

  @Test func aFolderThatMayNotBeWrittenToIsReadOrNamed() async throws {
    let scratch = try await linked()
    let names = try scratch.names
    chmod(scratch.url.path, 0o555)
    defer { chmod(scratch.url.path, 0o755) }
    let whole = try await Tool.run(
      ["data", "--data", scratch.url.path], environment: Self.nowhere,
      shell: Self.withoutPrivileges)
    #expect(whole.code == 0 && whole.errors == "")
    #expect(try scratch.names == names)
    chmod(scratch.url.path, 0o755)
    try FileManager.default.removeItem(atPath: scratch.path("t10k-labels-idx1-ubyte"))
    chmod(scratch.url.path, 0o555)
    for (folder, sentence) in [
      (scratch.url.path, "Cannot write into \(scratch.url.path): Permission denied"),
      (
        scratch.path("new"), "Cannot make the folder \(scratch.path("new")): Permission denied"
      ),
    ] {
      let outcome = try await Tool.run(
        ["data", "--data", folder], environment: Self.nowhere, shell: Self.withoutPrivileges)
      #expect(
        outcome
          == Outcome(
            code: 66, output: "",
            errors: sentence + "; name another with --data or LAB_DATA.\n"))
    }
  }

  @Test func whatMayNotBeReadIsNotMissing() async throws {
    let scratch = try await linked()
    let name = scratch.path("t10k-labels-idx1-ubyte")
    let data = try scratch.data("t10k-labels-idx1-ubyte")
    try FileManager.default.removeItem(atPath: name)
    try scratch.write(data, to: "t10k-labels-idx1-ubyte")
    chmod(name, 0)
    defer { chmod(scratch.url.path, 0o755) }
    for file in [name, scratch.path("train-images-idx3-ubyte")] {
      for command in [["data"], ["chapter", "3.1", "--quick"]] {
        let outcome = try await Tool.run(
          command + ["--data", scratch.url.path], environment: Self.nowhere,
          shell: Self.withoutPrivileges)
        #expect(outcome.code == 66)
        #expect(
          outcome.errors.hasSuffix(
            "\(file) cannot be read (Permission denied); see to it that you may read it, or name "
              + "another.\n"))
      }
      // Then the whole folder.
      chmod(scratch.url.path, 0)
    }
  }

  @Test func withoutAHomeTheRootFolderIsNotUsed() async throws {
    let scratch = try Scratch()
    for home in [nil, "", "/", "relative"] as [String?] {
      let outcome = try await Tool.run(
        ["data", "--json"],
        environment: [
          "HOME": home, "XDG_CACHE_HOME": nil, "LAB_DATA": nil, "TMPDIR": scratch.url.path,
        ])
      #expect(outcome.code == 0, "\(outcome.errors)")
      let folder = try #require(outcome.json["folder"] as? String)
      #expect(folder.hasSuffix("/lab/mnist") && !folder.hasPrefix("/.cache"))
    }
  }

  /// An interpreter that writes its number and its child's, and then does nothing.
  func sleeper() throws -> Scratch {
    let scratch = try Scratch()
    let script = "#!/bin/sh\nsleep 600 & echo $$ $! > new; mv new \"$PIDS\"; sleep 600\n"
    try scratch.write(Data(script.utf8), to: "pip")
    chmod(scratch.path("pip"), 0o755)
    return scratch
  }

  /// The variables that let `lab data` find nothing but that interpreter.
  func variables(_ scratch: Scratch, mirror: String = "") -> [String: String?] {
    [
      "LAB_MIRRORS": mirror, "LAB_PYTHON": scratch.path("pip"), "TMPDIR": scratch.url.path,
      "PIDS": scratch.path("pids"),
    ]
  }

  /// The processes that the interpreter wrote down.
  func processes(_ scratch: Scratch) throws -> [Int32] {
    let numbers = try String(decoding: scratch.data("pids"), as: UTF8.self).split { !$0.isNumber }
    return numbers.compactMap { Int32($0) }
  }

  @Test(.timeLimit(.minutes(10)), arguments: ["mute", "crawl", "stall", "pip"], [SIGINT, SIGTERM])
  func oneInterruptStopsAnyFetchWithinASecond(_ fault: String, _ signal: Int32) async throws {
    let scratch = try sleeper()
    let mirror = fault == "pip" ? nil : try Mirror(fault)
    let stopped = Clock()
    let outcome = try await Tool.run(
      ["data", "--data", scratch.path("data")], in: scratch.url,
      environment: variables(scratch, mirror: mirror?.address ?? "")
    ) { process in
      if mirror == nil {
        try await ModelTests.wait(for: scratch.path("pids"))
      } else {
        try await Task.sleep(for: .seconds(1))
      }
      stopped.start()
      kill(process, signal)
    }
    // Of these the second is the lab's, and the rest may be other tests'.
    #expect(stopped.seconds < 3)
    #expect(
      outcome
        == Outcome(code: 130, output: "", errors: "Interrupted; nothing was left half written.\n"))
    #expect(try !scratch.names.contains { $0.hasPrefix("lab-mnist") })
    guard mirror == nil else { return }
    for process in try processes(scratch) {
      // Of one that is dead, and that nobody has asked after, this is empty.
      let command = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(process)/cmdline"))
      #expect(command?.isEmpty != false, "pip and its child are ended")
    }
  }

  @Test func whatAKilledFetchHasLeftIsClearedByTheNext() async throws {
    let scratch = try sleeper()
    let arguments = ["data", "--data", scratch.path("data")]
    let killed = try await Tool.run(
      arguments, in: scratch.url, environment: variables(scratch)
    ) { process in
      try await ModelTests.wait(for: scratch.path("pids"))
      kill(process, SIGKILL)
    }
    #expect(killed.code == -SIGKILL)
    for process in try processes(scratch) { kill(process, SIGKILL) }
    #expect(try scratch.names.contains { $0.hasPrefix("lab-mnist") })
    try scratch.write(Data("#!/bin/sh\nexit 1\n".utf8), to: "pip")
    let next = try await Tool.run(arguments, environment: variables(scratch))
    #expect(next.code == 69)
    #expect(try !scratch.names.contains { $0.hasPrefix("lab-mnist") })
  }

  @Test func aTemporaryFolderThatCannotBeWrittenToIsNamed() async throws {
    let scratch = try Scratch()
    try scratch.write(Data(), to: "file")
    let outcome = try await Tool.run(
      ["data", "--data", scratch.path("data")],
      environment: ["LAB_MIRRORS": "", "TMPDIR": scratch.path("file")])
    #expect(
      outcome
        == Outcome(
          code: 66, output: "",
          errors:
            "Cannot write into the temporary folder \(scratch.path("file")): Not a directory; "
            + "free some space, or name another in TMPDIR.\n"))
  }

  @Test func aFolderThatCannotBeMadeIsNamed() async throws {
    let scratch = try Scratch()
    try scratch.write(Data(), to: "file")
    let outcome = try await Tool.run("data", "--data", scratch.path("file/data"))
    #expect(outcome.code == 66)
    #expect(
      outcome.errors
        == "Cannot make the folder \(scratch.path("file/data")): Not a directory; name another with "
        + "--data or LAB_DATA.\n")
  }
}
