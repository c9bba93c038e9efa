import Foundation
import Notebook
import Testing

/// `lab check` and `lab accept` on a copy of the package, after alterations by hand.
@Suite struct ProseCommandTests {
  static let prose = "Chapters/1.1-activation-derivatives.md"

  /// What stands behind the mark of chapter 1.1, to the end of the line.
  static var title: String {
    get throws {
      let counts = try ChapterFiles(root: Tool.package, id: "1.1").counts()
      return "1.1  What an activation function passes back  "
        + "(\(counts.bound) numbers bound, \(counts.fixed) fixed)\n"
    }
  }

  @Test func theWriteUpAgreesWithItsRecords() async throws {
    let outcome = try await Tool.run("check")
    #expect(outcome.code == 0 && outcome.errors == "")
    #expect(
      outcome.output.split(separator: "\n").allSatisfy {
        $0.hasPrefix("✓ ") || $0.hasPrefix("  warning: ")
      })
  }

  /// Alters the prose of a copy by a rule, and returns what the commands then do.
  func afterAltering(
    _ alter: (Scratch) throws -> Void
  ) async throws -> (check: Outcome, accept: Outcome, again: Outcome) {
    let scratch = try Scratch.copyOfPackage()
    try alter(scratch)
    let check = try await Tool.run(["check", "1.1"], in: scratch.url)
    let before = try scratch.data(Self.prose)
    let accept = try await Tool.run(["accept", "1.1"], in: scratch.url)
    if accept.code != 0 { #expect(try scratch.data(Self.prose) == before) }
    return (check, accept, try await Tool.run(["check", "1.1"], in: scratch.url))
  }

  /// What the prose of a copy has against its record; through the module, for it is asked often.
  func findings(in scratch: Scratch) throws -> [Finding] {
    let files = try ChapterFiles(root: scratch.url, id: "1.1")
    return try Binding(files, files.freshRecord()).findings()
  }

  @Test func anyDigitOfABoundNumberCounts() async throws {
    let scratch = try Scratch.copyOfPackage()
    let text = String(decoding: try scratch.data(Self.prose), as: UTF8.self)
    var digits: [String.Index] = []
    for match in text.matches(of: /[−-]?[\d.,]*\d(?:e-?\d+)?<!--=/) {
      digits += text[match.range].indices.filter { text[$0].isNumber }
    }
    #expect(digits.count > 20)
    for (count, place) in digits.enumerated() {
      var altered = text
      altered.replaceSubrange(
        place...place, with: "\((text[place].wholeNumberValue! + 1) % 10)")
      try scratch.write(Data(altered.utf8), to: Self.prose)
      let line = text[..<place].count { $0 == "\n" } + 1
      let findings = try findings(in: scratch)
      #expect(findings.map(\.line) == [line], "\(findings)")
      guard count % 10 == 0 else { continue }
      let outcome = try await Tool.run(["check", "1.1"], in: scratch.url)
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("\n  \(Self.prose):\(line): the prose says "), "\(outcome)")
      let accept = try await Tool.run(["accept", "1.1"], in: scratch.url)
      #expect(accept.code == 0 && accept.output.hasPrefix("1.1  1 change\n  \(Self.prose):"))
      #expect(try scratch.data(Self.prose) == Data(text.utf8), "accepted prose is what it was")
    }
  }

  @Test func anyLineOfAnExcerptCounts() async throws {
    let scratch = try Scratch.copyOfPackage()
    let lines = String(decoding: try scratch.data(Self.prose), as: UTF8.self)
      .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var places: [Int] = []
    var isInside = false
    for (index, line) in lines.enumerated() {
      if index > 0, lines[index - 1].hasPrefix("<!--snippet ") {
        isInside = true
      } else if line == "```" {
        isInside = false
      } else if isInside {
        places.append(index)
      }
    }
    #expect(places.count > 20)
    for (count, place) in places.enumerated() {
      var copy = lines
      copy[place] += " "
      try scratch.write(Data(copy.joined(separator: "\n").utf8), to: Self.prose)
      #expect(try findings(in: scratch).map(\.line) == [place + 1])
      guard count % 20 == 0 else { continue }
      let outcome = try await Tool.run(["check", "1.1"], in: scratch.url)
      #expect(outcome.code == 1)
      #expect(outcome.output.contains("\(Self.prose):\(place + 1): the excerpt "), "\(outcome)")
      #expect(try await Tool.run(["accept", "1.1"], in: scratch.url).code == 0)
      #expect(try scratch.data(Self.prose) == Data(lines.joined(separator: "\n").utf8))
    }
  }

  @Test func aClaimCountsByItsWordsAndItsComparison() async throws {
    let text = try String(
      contentsOf: Tool.package.appendingPathComponent(Self.prose), encoding: .utf8)
    let claims = text.matches(of: /<!--claim ([^>]*?)-->\s*(\w+)/)
    #expect(!claims.isEmpty)
    for claim in claims.prefix(2) {
      for (range, word) in [
        (claim.output.2.startIndex..<claim.output.2.endIndex, "Perhaps"),
        (claim.output.1.startIndex..<claim.output.1.endIndex, "1 < 2"),
      ] {
        let altered = text.replacingCharacters(in: range, with: word)
        let (check, accept, again) = try await afterAltering {
          try $0.write(Data(altered.utf8), to: Self.prose)
        }
        #expect(check.code == 1 && check == again)
        #expect(accept.code == 1 && accept.errors.hasPrefix("Chapter 1.1 is unchanged: "))
      }
    }
  }

  @Test func aChapterThatStaysIsToldApartFromOneThatIsWritten() async throws {
    let scratch = try Scratch.copyOfPackage()
    let before = try scratch.data(Self.prose)
    let other = "Chapters/1.2-softmax-jacobian.md"
    try scratch.alter(Self.prose, "```swift\n", "```swift\n// edited\n")
    try scratch.alter(other, "<!--=", "<!--#")
    let broken = try scratch.data(other)
    let accept = try await Tool.run(["accept", "1.1", "1.2"], in: scratch.url)
    #expect(accept.code == 1 && accept.output.hasPrefix("1.1  1 change\n"))
    #expect(accept.errors.hasPrefix("Chapter 1.2 is unchanged: \(other):"), "\(accept)")
    #expect(!accept.errors.contains("Nothing was written"))
    #expect(try scratch.data(Self.prose) == before && scratch.data(other) == broken)
  }

  @Test func whatAcceptCannotMendStays() async throws {
    let alterations: [(String, String, String)] = [
      ("<!--=", "<!--==", "no value or quote is named"),
      ("<!--=", "<!--#", "is no marker"),
      ("<!--snippet ", "<!--snippets ", "is no marker"),
      ("](../figures/", "](figures/", "is no figure of this chapter"),
    ]
    for (old, new, finding) in alterations {
      let (check, accept, _) = try await afterAltering { try $0.alter(Self.prose, old, new) }
      #expect(check.code == 1 && check.output.contains(finding), "\(check)")
      #expect(accept.code == 1 && accept.output == "", "\(accept)")
    }
    let (check, accept, _) = try await afterAltering {
      try FileManager.default.removeItem(atPath: $0.path("figures/1.1-step.svg"))
    }
    #expect(check.code == 1 && check.output.contains("the figure 1.1-step.svg is missing"))
    #expect(accept.code == 1)
  }

  @Test func aRecordThatIsMissingStaleFailedOrDamagedIsNamed() async throws {
    let source = "Chapters/1.1-activation-derivatives.swift"
    let advice = "run: swift run lab chapter 1.1"
    let cases: [(Int32, String, (Scratch) throws -> Void)] = [
      (
        1, "\(source) has changed since the record of chapter 1.1; \(advice)",
        { try $0.alter(source, "import", "private let edited = 1\nimport") }
      ),
      (
        1, "Chapter 1.1's last full run failed; \(advice)",
        { try $0.alter("figures/1.1.json", #""status" : "passed""#, #""status" : "failed""#) }
      ),
      (
        1, "Chapter 1.1 has no record in figures/; \(advice)",
        { try FileManager.default.removeItem(atPath: $0.path("figures/1.1.json")) }
      ),
      (
        66, "figures/1.1.json is not a whole record; run the chapter again.",
        { try $0.write(try $0.data("figures/1.1.json").dropLast(40), to: "figures/1.1.json") }
      ),
      (
        66,
        "figures/1.1.json is a record of version 1, and this program reads version 2; "
          + "run the chapter again.",
        { try $0.alter("figures/1.1.json", #""version" : 2"#, #""version" : 1"#) }
      ),
      (
        1, "figures/1.1.json is of a quick run, and only a full one counts; \(advice)",
        { try $0.alter("figures/1.1.json", #""mode" : "full""#, #""mode" : "quick""#) }
      ),
      (
        1,
        "figures/1.1.json is of a run with seed 7, and only the default, 2016, counts; \(advice)",
        { try $0.alter("figures/1.1.json", #""seed" : 2016"#, #""seed" : 7"#) }
      ),
      (
        1, "figures/1.1.json is a record of chapter 1.2, not of 1.1; \(advice)",
        { try $0.alter("figures/1.1.json", #""chapter" : "1.1""#, #""chapter" : "1.2""#) }
      ),
      (
        1, "figures/1.1.json says that its run passed with a fault: “A fault.”; \(advice)",
        { try $0.alter("figures/1.1.json", "\"faults\" : [\n\n  ]", #""faults" : ["A fault."]"#) }
      ),
      (
        1,
        "figures/1.1.json was altered after its run: its seal is not that of what it says; "
          + advice,
        { try $0.alter("figures/1.1.json", #""measured" : "#, #""measured" : -"#) }
      ),
    ]
    for (code, sentence, alter) in cases {
      let (check, accept, _) = try await afterAltering(alter)
      #expect(check.code == code)
      #expect(
        check.output == "✗ 1.1  What an activation function passes back\n  \(sentence)\n")
      #expect(accept == Outcome(code: code, output: "", errors: sentence + "\n"))
    }
  }

  @Test func aCommittedResultThatWasAlteredIsNamed() async throws {
    let scratch = try Scratch.copyOfPackage()
    let path = "results/1.1/a-job-00000000.json"
    try scratch.write(Data("{}\n".utf8), to: path)
    let sentence =
      "\(path):1: the result is not as a run left it; restore it, or remove it and run: swift run "
      + "lab chapter 1.1"
    let outcome = try await Tool.run(["check", "1.1"], in: scratch.url)
    #expect(
      outcome
        == Outcome(
          code: 1, output: "✗ \(try Self.title)  \(sentence)\n", errors: ""))
    // It stands beside what keeps the record from being looked at.
    try FileManager.default.removeItem(atPath: scratch.path("figures/1.1.json"))
    let both = try await Tool.run(["check", "1.1"], in: scratch.url)
    #expect(both.code == 1 && both.output.contains(sentence) && both.output.contains("no record"))
  }

  @Test func findingsAsJSONAreVersioned() async throws {
    let scratch = try Scratch.copyOfPackage()
    try scratch.alter(Self.prose, "<!--=", "<!--#")
    let outcome = try await Tool.run(["check", "1.1", "--json"], in: scratch.url)
    #expect(outcome.code == 1 && outcome.errors == "")
    let json = try outcome.json
    #expect(json["version"] as? Int == 2)
    let chapter = try #require((json["chapters"] as? [[String: Any]])?.first)
    #expect(chapter["status"] as? String == "failed" && chapter["chapter"] as? String == "1.1")
    let finding = try #require((chapter["findings"] as? [[String: Any]])?.first)
    #expect(Set(finding.keys) == ["file", "line", "sentence"])

    let accept = try await Tool.run(["accept", "1.1", "--json"], in: scratch.url)
    #expect(accept.code == 1 && accept.errors == "")
    #expect(try accept.json["version"] as? Int == 1)
    let refused = try #require((try accept.json["chapters"] as? [[String: Any]])?.first)
    #expect((refused["error"] as? String)?.hasPrefix("Chapter 1.1 is unchanged: ") == true)
  }
}
