import Files
import Foundation
@testable import Notebook
import Testing

/// A package of one chapter in a temporary folder: prose, code, record and figure that agree.
struct SmallPackage {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID())")

  static let prose = """
    # 9.9 A chapter

    The loss is 0.25<!--=loss--> after 1,200<!--=steps--> steps, as hoped<!--claim loss < 1-->
    and that
    is little<!--/claim-->; the paper has 0.31<!--=paper-->.

    <!--snippet half-->
    ```swift
    func half(_ x: Double) -> Double {
      x / 2
    }
    ```

    ![the loss](../figures/9.9-loss.svg)

    ```
    <!-- no marker in a fence -->
    ```

    """
  static let source = """
    import Notebook

      // snippet.half
      func half(_ x: Double) -> Double {
        x / 2
      }
      // snippet.end

    """
  static let data = "# loss\n"

  init() throws {
    try write(Self.prose, to: "Chapters/9.9-chapter.md")
    try write(Self.source, to: "Chapters/9.9-chapter.swift")
    try write(Self.data, to: "figures/9.9-loss.dat")
    try write("<svg/>", to: "figures/9.9-loss.svg")
    try store(record)
  }

  func write(_ text: String, to path: String) throws {
    try AtomicFile.write(Data(text.utf8), to: root.appendingPathComponent(path))
  }

  func store(_ record: Record) throws {
    try AtomicFile.write(
      try record.sealed().encoded(), to: root.appendingPathComponent("figures/9.9.json"))
  }

  func remove(_ path: String) throws {
    try FileManager.default.removeItem(at: root.appendingPathComponent(path))
  }

  var record: Record {
    Record(
      chapter: "9.9", checks: [Check("c", 0, atMost: 1)],
      claims: [.init(sentence: "and that is little", predicate: "loss < 1", holds: true)],
      engine: code.engineDigest, faults: [],
      figures: [
        .init(
          name: "loss", title: "T", data: digest(of: Data(Self.data.utf8)),
          picture: digest(of: Data("<svg/>".utf8)))
      ],
      mode: .full, quotes: [.init(name: "paper", value: 0.31, source: "a paper")], seed: 2016,
      sources: (try? files.sources(in: code)) ?? [:], status: .passed,
      title: "A chapter",
      values: [
        .init(name: "loss", value: 0.2504, tolerance: 0.02, unit: ""),
        .init(name: "steps", value: 1200, tolerance: 0, unit: ""),
      ])
  }

  var code: PackageCode { PackageCode(root: root) }

  var files: ChapterFiles {
    get throws { try ChapterFiles(root: root, id: "9.9") }
  }

  /// What `lab check` finds.
  func findings() throws -> [String] {
    let files = try files
    return try Binding(files, files.freshRecord()).findings().map(\.description)
  }

  /// What `lab accept` changes.
  func accept() throws -> [String] {
    let files = try files
    return try Binding(files, files.freshRecord()).accept()
  }

  /// The prose as it stands.
  var text: String {
    get throws {
      try String(
        contentsOf: root.appendingPathComponent("Chapters/9.9-chapter.md"), encoding: .utf8)
    }
  }
}

@Suite final class BindingTests {
  let package: SmallPackage

  init() throws { package = try SmallPackage() }
  deinit { try? FileManager.default.removeItem(at: package.root) }

  @Test func whatAgreesHasNoFinding() throws {
    #expect(try package.findings() == [])
    #expect(try package.accept() == [])
    #expect(try package.text == SmallPackage.prose)
  }

  /// An alteration of the prose, by hand or by a careless merge, and what is found.
  struct Alteration: CustomTestStringConvertible, Sendable {
    let old, new, finding: String
    var isMended = false
    var testDescription: String { "\(old) → \(new)" }
  }

  static let alterations = [
    Alteration(
      old: "0.25", new: "0.26",
      finding: "Chapters/9.9-chapter.md:3: the prose says 0.26, the run 0.25 (loss).",
      isMended: true),
    Alteration(
      old: "0.25", new: "0.251", finding: "the prose says 0.251, the run 0.250 (loss).",
      isMended: true),
    Alteration(
      old: "1,200", new: "1,201", finding: "the prose says 1,201, the run 1,200 (steps).",
      isMended: true),
    Alteration(
      old: "0.31", new: "0.3", finding: "", isMended: true),
    Alteration(
      old: "0.31", new: "0.32", finding: ":5: the prose says 0.32, the run 0.31 (paper).",
      isMended: true),
    Alteration(
      old: "  x / 2", new: "  x / 3",
      finding: ":10: the excerpt half is not what the Swift file has.", isMended: true),
    Alteration(
      old: "  x / 2\n", new: "", finding: ":10: the excerpt half is not what", isMended: true),
    Alteration(
      old: "  x / 2\n", new: "  x / 2\n  \n", finding: ":11: the excerpt half is not what",
      isMended: true),
    Alteration(old: "=loss", new: "=lost", finding: ":3: no value or quote is named lost."),
    Alteration(
      old: "<!--=loss-->", new: "<!--!=loss-->", finding: ":3: <!--!=loss--> is no marker."),
    Alteration(
      old: "0.25<", new: "low<", finding: ":3: no number stands directly before <!--=loss-->."),
    Alteration(
      old: "=paper-->", new: "=paper--", finding: ":5: a comment is not closed on its line"),
    Alteration(
      old: "0.31<!--=paper-->", new: "0.31",
      finding: ":5: nothing binds “0.31”"),
    Alteration(
      old: "1,200<!--=steps-->", new: "many",
      finding: ":1: the value steps is shown nowhere; show it or drop it."),
    Alteration(
      old: "is little", new: "is much",
      finding: ":3: the run does not claim “and that is much”."),
    Alteration(
      old: "claim loss < 1", new: "claim loss < 2",
      finding: ":3: the claim is “loss < 2”, the run's “loss < 1”."),
    Alteration(
      old: "<!--claim loss < 1-->", new: "",
      finding: ":5: <!--/claim--> closes no claim."),
    Alteration(
      old: "<!--/claim-->", new: "", finding: ":3: the claim is not closed by <!--/claim-->."),
    Alteration(
      old: "snippet half", new: "snippet third",
      finding: ":7: the Swift file has no region snippet.third."),
    Alteration(
      old: "```swift", new: "text", finding: ":7: the snippet half has no ```swift fence below it."),
    Alteration(
      old: "![the loss](../figures/9.9-loss.svg)", new: "",
      finding: ":1: the figure 9.9-loss.svg is shown nowhere."),
    Alteration(
      old: "9.9-loss.svg", new: "9.9-lost.svg",
      finding: ":14: ../figures/9.9-lost.svg is no figure of this chapter."),
    Alteration(
      old: "../figures/9.9", new: "figures/9.9",
      finding: ":14: figures/9.9-loss.svg is no figure of this chapter."),
  ]

  @Test(arguments: alterations)
  func anAlterationIsFoundAndMendedOrLeftAlone(_ alteration: Alteration) throws {
    let altered = SmallPackage.prose.replacingOccurrences(of: alteration.old, with: alteration.new)
    #expect(altered != SmallPackage.prose)
    try package.write(altered, to: "Chapters/9.9-chapter.md")
    let findings = try package.findings()
    if alteration.finding.isEmpty {
      #expect(findings == [])
    } else {
      #expect(findings.contains { $0.contains(alteration.finding) }, "\(findings)")
    }
    if alteration.isMended {
      let changes = try package.accept()
      #expect(changes.isEmpty == alteration.finding.isEmpty)
      #expect(try package.findings() == [])
    } else {
      #expect {
        try package.accept()
      } throws: {
        ($0 as? LabError)?.kind == .failed
          && "\($0)".wholeMatch(of: /Chapter [\d.]+ is unchanged: Chapters\/.*/) != nil
      }
      #expect(try package.text == altered)
    }
  }

  /// Numbers that are altered together with something that only a hand can mend.
  @Test func acceptWritesNothingWhenItCannotMendAll() throws {
    let altered = SmallPackage.prose.replacingOccurrences(of: "0.25", with: "0.99")
      .replacingOccurrences(of: "loss < 1", with: "loss < 3")
    try package.write(altered, to: "Chapters/9.9-chapter.md")
    #expect(throws: LabError.self) { try package.accept() }
    #expect(try package.text == altered)
  }

  @Test func acceptKeepsTheFormOfEachNumber() throws {
    var record = package.record
    record.values[0].value = -0.0314
    record.values[1].value = 1_234_567
    try package.store(record)
    #expect(
      try package.accept() == [
        "Chapters/9.9-chapter.md:3: 0.25 → -0.03", "Chapters/9.9-chapter.md:3: 1,200 → 1,234,567",
      ])
    #expect(try package.findings() == [])
  }

  @Test(arguments: [
    ("0.0012", 0.00346, "0.0035"), ("1.2e-11", 3.26e-9, "3.3e-9"),
    ("1.2×10⁻¹¹", 3.26e-9, "3.3×10⁻⁹"), ("−0.31", -0.298, "−0.30"), ("−0.3", 0.01, "0.0"),
    ("12,345", -9876, "-9,876"), ("7", 6.5, "6"),
  ])
  func aLiteralIsWrittenInItsOwnForm(_ text: String, _ number: Double, _ expected: String) {
    #expect(Literal(text)?.writing(number) == expected)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func whatIsNoNumberIsShownByNoLiteral(_ number: Double) {
    for text in ["1", "1.5", "1,000", "1e5", "1×10⁵"] {
      #expect(Literal(text)?.shows(number) == false)
    }
  }

  @Test func aReRunMayDifferByTheToleranceOfAValue() throws {
    var record = package.record
    for (value, isNear) in [(0.269, true), (0.231, true), (0.29, false)] {
      record.values[0].value = value
      let findings = try Binding(package.files, record).findings(isRerun: true)
      #expect(findings.isEmpty == isNear, "\(value): \(findings)")
      #expect(try !Binding(package.files, record).findings().isEmpty)
    }
  }

  // MARK: The record

  /// The unit behind a number is part of what a reader reads.
  @Test(arguments: [
    ("", " %", false), ("", "%", false), ("", " ‰", false), ("", " per cent", false),
    ("", " percent", false), ("", " points", false), ("", "&percnt;", false),
    ("", "\npoints", false),
    ("", " $\\%$", false), ("", " **%**", false), ("", " percentage points", false),
    ("%", " %", true), ("%", " per cent", true), ("%", " percent", true), ("%", " points", false),
    ("%", " ‰", false), ("points", " points", true), ("points", " %", false), ("points", "", true),
    ("", " pointsmen", true), ("", " percentages", true), ("", "", true), ("‰", " ‰", true),
  ])
  func aUnitIsThatOfTheValue(_ unit: String, _ words: String, _ isRight: Bool) throws {
    var record = package.record
    record.values[0].unit = unit
    try package.write(
      SmallPackage.prose.replacing("<!--=loss-->", with: "<!--=loss-->\(words)"),
      to: "Chapters/9.9-chapter.md")
    let findings = try Binding(package.files, record).findings().map(\.description)
    #expect(
      isRight
        ? findings.isEmpty : findings.contains { $0.contains(".md:3: the prose gives 0.25 in") },
      "\(findings)")
  }

  /// How far percentages lie apart is in points, and papers write it with the sign of a share.
  @Test(arguments: [
    ("%", " %", true), ("%", " points", true), ("%", " ‰", false), ("", " %", false),
    ("", " points", false),
  ])
  func aDeviationHasTheUnitOfItsMean(_ unit: String, _ words: String, _ isRight: Bool) throws {
    var record = package.record
    record.values[0].unit = unit
    record.values.append(.init(name: "loss.deviation", value: 0.1, tolerance: 0, unit: ""))
    try package.write(
      SmallPackage.prose.replacing(
        "<!--=loss-->", with: "<!--=loss--> ± 0.1<!--=loss.deviation-->\(words)"),
      to: "Chapters/9.9-chapter.md")
    #expect(try Binding(package.files, record).findings().isEmpty == isRight)
  }

  @Test(arguments: [
    ("[a](9.9-chapter.swift)", true), ("[a](Gone.swift)", false), ("[a](../figures)", true),
    ("[a](../figures/9.9-loss.dat#top)", true), ("[a](#there)", true), ("[a](/Chapters)", true),
    ("[a](https://example.org/x)", true), ("[a](mailto:a@b.org)", true), ("[a](..)", true),
    ("[a](../../etc)", false), ("[a](9.9-chapter%2Eswift)", true), ("[`a`](<Gone.swift>)", false),
    ("[a][b]\n\n[b]: Gone.swift", false), ("<a href=\"Gone.swift\">a</a>", false),
    ("<a href=\"9.9-chapter.md\">a</a>", true), ("| [a](Gone.swift) |", false),
    ("[a](/Gone.md)", false),
  ])
  func aLinkLeadsToAFile(_ link: String, _ isRight: Bool) throws {
    try package.write(SmallPackage.prose + link + "\n", to: "Chapters/9.9-chapter.md")
    let findings = try package.findings()
    #expect(
      isRight ? findings.isEmpty : findings.count == 1 && findings[0].contains(".md:19: the link "),
      "\(findings)")
  }

  @Test func anErrorNamesTheFileByItsPathInThePackage() throws {
    for (path, text) in [
      ("Chapters/9.9-chapter.md", SmallPackage.prose),
      ("Chapters/9.9-chapter.swift", SmallPackage.source),
    ] {
      try AtomicFile.write(
        Data(text.utf8) + [0xFF], to: package.root.appendingPathComponent(path))
      #expect {
        try Binding(package.files, package.record).findings()
      } throws: {
        "\($0)".hasPrefix("\(path):")
      }
      try package.write(text, to: path)
    }
  }

  @Test func aFalseClaimIsFoundAndNotAccepted() throws {
    var record = package.record
    record.claims[0].holds = false
    let binding = Binding(try package.files, record)
    #expect(
      try binding.findings().map(\.description) == [
        "Chapters/9.9-chapter.md:3: the claim “loss < 1” is false."
      ])
    #expect(throws: LabError.self) { try binding.accept() }
  }

  /// A record that was merged badly may say of a claim what its numbers do not.
  @Test func aClaimIsJudgedByTheNumbersOfTheRecord() throws {
    var record = package.record
    record.values[0].value = 2
    let findings = try Binding(package.files, record).findings().map(\.description)
    #expect(findings.contains("Chapters/9.9-chapter.md:3: the claim “loss < 1” is false."))
  }

  @Test func aClaimThatTheProseLacksIsFound() throws {
    var record = package.record
    record.claims.append(.init(sentence: "More is less.", predicate: "loss < 2", holds: true))
    let findings = try Binding(package.files, record).findings().map(\.sentence)
    #expect(findings == ["the run claims “More is less.”, which the prose does not say."])
  }

  @Test func aValueThatOnlyAClaimComparesIsInUse() throws {
    var record = package.record
    record.values.append(.init(name: "limit", value: 1, tolerance: 0, unit: ""))
    #expect(try Binding(package.files, record).findings().count == 1)
    record.claims[0].predicate = "loss < limit"
    try package.write(
      SmallPackage.prose.replacingOccurrences(of: "loss < 1", with: "loss < limit"),
      to: "Chapters/9.9-chapter.md")
    #expect(try Binding(package.files, record).findings() == [])
  }

  @Test func aChapterWithNoCheckIsFound() throws {
    var record = package.record
    record.checks = []
    let findings = try Binding(package.files, record).findings().map(\.sentence)
    #expect(findings == ["chapter 9.9 checks nothing; give it a check."])
  }

  @Test func aMissingFigureIsFound() throws {
    try package.remove("figures/9.9-loss.svg")
    #expect(
      try package.findings() == [
        "Chapters/9.9-chapter.md:14: the figure 9.9-loss.svg is missing; run the chapter."
      ])
    try package.write("<svg/>", to: "figures/9.9-loss.svg")
    try package.write("# other data\n", to: "figures/9.9-loss.dat")
    let sentence = "9.9-loss.dat is not the data of the recorded run; run the chapter."
    #expect(try package.findings() == ["Chapters/9.9-chapter.md:14: " + sentence])
    try package.remove("figures/9.9-loss.dat")
    #expect(try package.findings() == ["Chapters/9.9-chapter.md:14: " + sentence])
  }

  @Test func aChapterWithoutAUsableRecordIsRefused() throws {
    func refusal() -> LabError? {
      do {
        _ = try package.findings()
        return nil
      } catch { return error as? LabError }
    }
    var record = package.record
    record.status = .failed
    try package.store(record)
    #expect(refusal()?.kind == .failed)
    #expect(try package.files.state() == .failed)

    try package.store(package.record)
    try package.write(
      SmallPackage.source + "private let edited = 1\n", to: "Chapters/9.9-chapter.swift")
    #expect(refusal()?.description.contains("has changed since the record") == true)
    #expect(try package.files.state() == .stale)

    try package.write(#"{"version" : 1, "checks" : []}"#, to: "figures/9.9.json")
    #expect(refusal()?.kind == .input)
    #expect(throws: LabError.self) { try package.files.state() }

    try package.remove("figures/9.9.json")
    #expect(refusal()?.kind == .failed)
    #expect(try package.files.state() == .neverRun)

    try package.remove("Chapters/9.9-chapter.swift")
    #expect(throws: LabError.self) { try package.files }
  }

  // MARK: Other files

  @Test func anExcerptMayComeFromAnyFileBelowSources() throws {
    try package.write(SmallPackage.source, to: "Sources/Methods/Half.swift")
    let quoted = SmallPackage.prose.replacing(
      "snippet half", with: "snippet Methods/Half.swift#half")
    try package.write(quoted, to: "Chapters/9.9-chapter.md")
    #expect(throws: LabError.self, "the record is of a run without that file") {
      try package.findings()
    }
    try package.store(package.record)
    #expect(try package.findings() == [])
    #expect(try package.files.quotedFiles() == ["Methods/Half.swift"])

    let other = SmallPackage.source.replacing("x / 2", with: "x * 0.5")
    try package.write(other, to: "Sources/Methods/Half.swift")
    try package.store(package.record)
    #expect(
      try package.findings() == [
        "Chapters/9.9-chapter.md:10: the excerpt half is not what Sources/Methods/Half.swift has."
      ])
    #expect(try package.accept() == ["Chapters/9.9-chapter.md:7: excerpt half"])
    #expect(try package.findings() == [])

    try package.write(other + "// snippet.open\n", to: "Sources/Methods/Half.swift")
    try package.store(package.record)
    #expect(
      try package.findings() == [
        "Sources/Methods/Half.swift:8: the region snippet.open is not closed."
      ])
  }

  @Test(arguments: [
    ("Methods/None.swift#half", ":7: there is no file Sources/Methods/None.swift to quote"),
    ("Methods/Half.swift#third", ":7: Sources/Methods/Half.swift has no region snippet.third."),
    ("../Chapters/9.9-chapter.swift#half", ":7: <!--snippet ../Chapters/9.9-chapter.swift#half-->"),
    ("/etc/passwd#half", ":7: <!--snippet /etc/passwd#half--> is no marker"),
    ("Methods/Half.swift", ":7: <!--snippet Methods/Half.swift--> is no marker"),
    ("Methods#half", ":7: <!--snippet Methods#half--> is no marker"),
    ("Methods/Half.swift#a#b", "is no marker"), ("Methods//Half.swift#half", "is no marker"),
  ])
  func anExcerptFromNowhereIsFound(_ target: String, _ finding: String) throws {
    try package.write(SmallPackage.source, to: "Sources/Methods/Half.swift")
    try package.write(
      SmallPackage.prose.replacing("snippet half", with: "snippet \(target)"),
      to: "Chapters/9.9-chapter.md")
    try package.store(package.record)
    let findings = try package.findings()
    #expect(findings.contains { $0.contains(finding) }, "\(findings)")
  }

  // MARK: Figures and bytes

  @Test func aPictureIsBoundAsItsData() throws {
    var record = package.record
    record.figures[0].picture = digest(of: Data("<svg/>".utf8))
    try package.store(record)
    #expect(try package.findings() == [])
    try package.write("<svg />", to: "figures/9.9-loss.svg")
    let place = "Chapters/9.9-chapter.md:14: "
    #expect(
      try package.findings() == [
        place + "9.9-loss.svg is not the picture of the recorded run; run the chapter."
      ])
    try package.remove("figures/9.9-loss.svg")
    try package.write("", to: "figures/9.9-loss.svg/file")
    #expect(
      try package.findings() == [
        place + "the figure 9.9-loss.svg is missing; run the chapter."
      ])
  }

  @Test func aChapterWithCRLFIsCheckedAndAcceptedAsItIs() throws {
    let prose = SmallPackage.prose.replacing("\n", with: "\r\n")
    try package.write(prose, to: "Chapters/9.9-chapter.md")
    #expect(try package.findings() == [])
    let altered = prose.replacing("0.25<", with: "0.99<").replacing("x / 2", with: "x / 3")
    try package.write(altered, to: "Chapters/9.9-chapter.md")
    #expect(try package.accept().count == 2)
    #expect(try package.text == prose)
  }

  @Test func aByteThatIsNoUTF8IsAnErrorWithItsLine() throws {
    let url = try package.files.prose
    var data = Data(SmallPackage.prose.replacing("0.25", with: "0.99").utf8)
    data.replaceSubrange(data.firstRange(of: Data("is little".utf8))!, with: Data([0x69, 0xFF]))
    try data.write(to: url)
    for attempt in [package.findings, package.accept] {
      #expect { try attempt() } throws: {
        ($0 as? LabError)?.kind == .input && "\($0)".contains("9.9-chapter.md:5: ")
      }
    }
    #expect(try Data(contentsOf: url) == data)
  }

  // MARK: Values

  @Test(arguments: [
    ("1,200", true), ("1,200!=steps", false), ("0.31", true), ("0.2504", true), ("0.250", true),
    ("0.251", false), ("1,201", false), ("1,200!=step", true), ("0.3", false), ("1.2e3", true),
  ])
  func aFixedNumberThatEqualsAValueIsFound(_ entry: String, _ isFound: Bool) throws {
    let number = entry.split(separator: "!").first!
    try package.write(
      SmallPackage.prose + "\n<!--fixed \(entry)-->\nIt is \(number) there.\n",
      to: "Chapters/9.9-chapter.md")
    try package.store(package.record)
    let findings = try package.findings()
    #expect(findings.isEmpty == !isFound, "\(findings)")
  }

  @Test func aNumberWithMoreDigitsThanAreKnownIsAWarning() throws {
    var record = package.record
    for (deviation, isWarned) in [(0.05, false), (0.1, false), (0.99, false), (1, true), (3, true)]
    {
      record.values[0].deviation = deviation
      let binding = Binding(try package.files, record)
      #expect(try binding.findings().isEmpty)
      #expect(try binding.warnings().map(\.line) == (isWarned ? [3] : []))
    }
    record.values[0].deviation = 1.234
    #expect(
      try Binding(package.files, record).warnings().map(\.sentence) == [
        "0.25 has more digits than are known: loss deviates by 1.2e0; write fewer."
      ])
  }

  @Test(arguments: [("0.0", 0.04, 0.001, true), ("0.0", 0.04, 0.05, false), ("0", 0, 0, false)])
  func aZeroThatStandsForSomethingIsFound(
    _ text: String, _ value: Double, _ tolerance: Double, _ isFound: Bool
  ) throws {
    var record = package.record
    (record.values[0].value, record.values[0].tolerance) = (value, tolerance)
    try package.store(record)
    try package.write(
      SmallPackage.prose.replacingOccurrences(of: "0.25", with: text), to: "Chapters/9.9-chapter.md"
    )
    let words =
      "Chapters/9.9-chapter.md:3: the prose says 0.0, and loss is 4e-2; write more digits."
    #expect(try package.findings() == (isFound ? [words] : []))
  }

  @Test func theNumbersOfEachKindAreCounted() throws {
    try package.write(
      SmallPackage.prose + "\n<!--fixed 7 half-->\nAnd 7 is half of it, or 7.\n",
      to: "Chapters/9.9-chapter.md")
    #expect(try package.files.counts() == NumberCounts(bound: 3, fixed: 3))
  }

  // MARK: Markers

  @Test(arguments: [
    "<!--snippet half-->\n```swift", "<!--snippet half-->\n```swift\nlet a = 1",
    "<!--snippet half-->", "```", "~~~\n```\n", "<!--", "-->", "<!-->", "<!--->", "1<!--=",
    "<!--claim -->", "`<!--`",
    "![](", "<!--claim a-->\n<!--claim b-->", "<!--=-->",
  ])
  func noTextIsTooOddToBeRead(_ text: String) {
    let prose = Prose(text)
    #expect(prose.rewritten(number: { _ in "0" }, excerpt: { _ in [""] }) == text)
  }

  @Test(arguments: [
    ("// snippet.a\nx", "the region snippet.a is not closed"),
    ("// snippet.a\n// snippet.b\n// snippet.end", "the region snippet.a is not closed"),
    ("// snippet.a\n// snippet.end\n// snippet.a\n// snippet.end", "stands twice"),
  ])
  func aRegionThatIsNotWholeIsAFault(_ source: String, _ fault: String) {
    #expect(Snippets(source).faults.contains { $0.sentence.contains(fault) })
  }
}
