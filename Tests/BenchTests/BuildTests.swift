@testable import Bench
import Digits
import Files
import Foundation
import Testing

/// Two builds in turns, played by scripts that say what a build would say.
@Suite final class BuildTests {
  let folder = FileManager.default.temporaryDirectory.appending(path: "lab-builds-\(UUID())")
  let settings: Benchmark.Settings

  init() throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    var settings = Benchmark.Settings(data: URL(filePath: "/nowhere"), threads: 3)
    settings.names = ["augment", "kit-cnn"]
    settings.rounds = 3
    settings.isQuick = true
    self.settings = settings
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  /// An executable file.
  func script(_ name: String, _ body: String) throws -> String {
    let file = folder.appending(path: name)
    try Data("#!/bin/sh\n\(body)\n".utf8).write(to: file)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file.path)
    return file.path
  }

  /// A build that notes each turn, and whose rates are those given, one a turn.
  func build(_ name: String, _ rates: [Int]) throws -> Build {
    let cases = rates.enumerated().map { "\($0 + 1)) rate=\($1) ;;" }.joined(separator: " ")
    return try Build(
      script(
        name,
        """
        echo "\(name) $*" >> '\(folder.path)/turns'
        case $(grep -c '^\(name) bench '"$2"' ' '\(folder.path)/turns') in \(cases) esac
        echo '{"workloads":[{"name":"'$2'","ours":'$rate',"allocations":7}]}'
        """))
  }

  @Test func theRatioIsTheMedianOfTheRounds() throws {
    var heard: [Double] = []
    let report = try Benchmark.compare(
      build("ours", [300, 100, 500]), build("theirs", [100, 200, 100]), settings
    ) { heard.append($1) }
    #expect(report.reference == folder.path + "/theirs" && report.threads == 3)
    #expect(report.workloads.map(\.name) == ["kit-cnn", "augment"])
    for result in report.workloads {
      #expect(result.ours == 300 && result.theirs == 100)
      #expect(result.ratio == 3 && result.lowest == 0.5 && result.highest == 5)
    }
    #expect(heard.last == 1 && heard.count == 6)
    // They change places from round to round, and either is asked for the same.
    let turns = try String(contentsOf: folder.appending(path: "turns"), encoding: .utf8)
      .split(separator: "\n").map(String.init)
    let request = "--json --rounds 1 --data /nowhere --threads 3 --quick"
    let order = ["theirs", "ours", "ours", "theirs", "theirs", "ours"]
    #expect(
      turns
        == ["kit-cnn", "augment"].flatMap { name in
          order.map { "\($0) bench \(name) \(request)" }
        })
  }

  /// The JSON that `lab bench --json` prints has what its readers ask for.
  @Test func theReportHasItsFields() throws {
    let report = try Benchmark.compare(
      build("ours", [4, 4, 4]), build("theirs", [2, 2, 2]), settings, progress: { _, _ in })
    let json = try #require(
      try JSONSerialization.jsonObject(with: JSONEncoder().encode(report)) as? [String: Any])
    #expect(json["version"] as? Int == 2)
    let workload = try #require((json["workloads"] as? [[String: Any]])?.first)
    #expect(workload["name"] as? String == "kit-cnn")
    #expect(workload["ours"] as? Double == 4 && workload["theirs"] as? Double == 2)
    #expect(workload["ratio"] as? Double == 2)
    #expect(report.lines.contains("\(folder.path)/theirs, in turns with ours"))
  }

  /// Shares need no report of theirs: rate times operations, over the highest peak of our turns.
  @Test func theShareIsOfTheHighestPeakOfAllTurns() throws {
    let report = #"""
      {"version":1,"processor":"p","cores":2,"threads":2,"kernels":"k","blas":"b","peak":PEAK,\#
      "ceilings":{"own":1,"openBLAS":PEAK,"stream":7},"workloads":[{"name":"'$2'","ours":100,\#
      "update":0.25,"updateStream":9}]}
      """#
    let ours = try Build(
      script(
        "ours",
        """
        [ $2 = mlp-1200 ] && peak=200 || peak=400
        echo '\(report)' | sed "s/PEAK/$peak/g"
        """))
    var settings = settings
    settings.names = ["mlp-1200", "kit-cnn"]
    settings.rounds = 1
    let compared = try Benchmark.compare(ours, build("theirs", [50]), settings) { _, _ in }
    #expect(compared.peak == 400)
    #expect(compared.ceilings == Ceilings(own: 1, openBLAS: 400, stream: 7))
    #expect(compared.workloads[0].share == 100 * 1_596_825_600 / 400e9)
    #expect(compared.workloads[0].update == 0.25 && compared.workloads[0].updateStream == 9)
  }

  /// An older commit lacks the newer workloads; whoever asks for one by name is told.
  @Test func whatTheOtherBuildDoesNotKnowIsMeasuredAlone() throws {
    let older = try Build(
      script(
        "older",
        """
        [ $2 = fixmatch ] && exit 64
        echo '{"workloads":[{"name":"'$2'","ours":2}]}'
        """))
    let ours = try build("ours", [4, 4, 4])
    var settings = settings
    settings.names = []
    let report = try Benchmark.compare(ours, older, settings) { _, _ in }
    #expect(report.workloads.map(\.name) == Workload.all.map(\.name))
    for result in report.workloads {
      #expect(result.ours == 4)
      #expect(result.ratio == (result.name == "fixmatch" ? nil : 2))
    }
    settings.names = ["fixmatch"]
    #expect {
      try Benchmark.compare(ours, older, settings) { _, _ in }
    } throws: { error in
      (error as? LabError)?.kind == .tool && "\(error)".contains("(it does not know it)")
    }
  }

  /// The built lab, which lies beside the test bundle, against itself.
  @Test func aBuildTakesTurnsWithItself() throws {
    let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    let lab = try Build((bundle as NSString).deletingLastPathComponent + "/lab")
    var settings = Benchmark.Settings(data: DataFolder().url, threads: 1)
    settings.names = ["augment", "start"]
    settings.rounds = 1
    settings.isQuick = true
    let report = try Benchmark.compare(lab, lab, settings, progress: { _, _ in })
    #expect(report.reference == lab.name && report.peak > 0)
    #expect(report.workloads.map(\.name) == settings.names)
    for result in report.workloads {
      let (ours, theirs) = (result.ours, try #require(result.theirs))
      #expect(result.ratio == ours / theirs && result.lowest == result.highest)
    }
    #expect(report.workloads[0].allocations == 0)
  }

  @Test func whatIsNoProgramIsRefused() throws {
    let plain = folder.appending(path: "plain").path
    try Data("text".utf8).write(to: URL(filePath: plain))
    for path in ["/nowhere/lab", folder.path, plain] {
      #expect(
        throws: LabError(
          .tool,
          "\(path) is no program; --against takes pytorch, or the path of another build's lab.")
      ) { try Build(path) }
    }
  }

  @Test(arguments: [
    ("exit 3", "exit code 3"), ("kill -9 $$", "signal 9"), ("true", "it gives no figures"),
    ("echo hello", "it gives no figures"), ("yes", "it gives no figures"),
    ("echo '{\"workloads\":[{\"name\":\"other\",\"ours\":1}]}'", "it gives no figures"),
    ("echo '{\"workloads\":[{\"name\":\"kit-cnn\",\"ours\":0}]}'", "it gives no figures"),
    ("exit 64", "it does not know it"),
  ])
  func whatIsNoLabIsNamedInASentence(_ body: String, _ reason: String) throws {
    let other = try Build(script("other", body))
    #expect(
      throws: LabError(
        .tool,
        "\(other.name) does not measure kit-cnn as a lab does (\(reason)); build it again, or "
          + "name another build's lab.")
    ) {
      try Benchmark.compare(build("ours", [1]), other, settings, progress: { _, _ in })
    }
  }
}
