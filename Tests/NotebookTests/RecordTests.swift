import Files
import Foundation
@testable import Notebook
import Testing

@Suite struct PredicateTests {
  let numbers = ["a": 1, "b.steps": 2, "c": 3.5]

  @Test(arguments: [
    ("a < b.steps", true), ("b.steps < a", false), ("a + b.steps * 2 == 5", true),
    ("(a + b.steps) * 2 == 6", true), ("-a < 0 and c >= 3.5", true), ("c / 0.5 <= 6.9", false),
    ("a < b.steps and c > 1e1", false), ("a - 1 - 1 == -1", true),
  ])
  func comparisonsAreJudged(_ text: String, _ holds: Bool) throws {
    #expect(try Predicate(text).holds(in: numbers) == holds)
  }

  @Test(arguments: [
    "", "a", "a <", "a < b.steps < c", "a < b.steps c", "a = 1", "(a < 1", "2x < 3", "a < 1 and",
    "a ; b",
  ])
  func whatIsNoComparisonIsRefused(_ text: String) {
    #expect(throws: LabError.self) { try Predicate(text) }
  }

  @Test(arguments: ["a < unknown", "a < 1 / 0", "b.steps < a and unknown > 0"])
  func whatCannotBeJudgedIsAnError(_ text: String) throws {
    let predicate = try Predicate(text)
    #expect(throws: LabError.self) { try predicate.holds(in: numbers) }
  }
}

@Suite struct CheckTests {
  @Test func eachRelationPassesAndFails() {
    #expect(Check("c", -0.1, atMost: 0.1).passed)
    #expect(!Check("c", -0.2, atMost: 0.1).passed)
    #expect(Check("c", 0.2, atLeast: 0.1).passed)
    #expect(!Check("c", 0.05, atLeast: 0.1).passed)
    #expect(Check("c", 1.9, near: 2, tolerance: 0.2).passed)
    #expect(!Check("c", 1.7, near: 2, tolerance: 0.2).passed)
  }

  @Test(arguments: [Double.nan, .infinity, -.infinity])
  func whatIsNoNumberFails(_ measured: Double) {
    #expect(!Check("c", measured, atMost: .greatestFiniteMagnitude).passed)
    #expect(!Check("c", measured, atLeast: 0).passed)
    #expect(!Check("c", measured, near: measured, tolerance: 1).passed)
  }
}

@Suite struct RecordTests {
  var record: Record {
    Record(
      chapter: "0.1", checks: [Check("c", .nan, atMost: 1)],
      claims: [.init(sentence: "One is less than two.", predicate: "a < 2", holds: true)],
      engine: "e", faults: [], figures: [], mode: .full,
      quotes: [.init(name: "q", value: 89.88, source: "the kit")], seed: 2016,
      sources: ["Chapters/0.1-zero.swift": "00"], status: .failed, title: "A record",
      values: [.init(name: "a", value: 0.1, deviation: 0.02, tolerance: 0.01, unit: "%")]
    ).sealed()
  }

  @Test func aRecordSurvivesItsRoundTripToTheByte() throws {
    let bytes = try record.encoded()
    let again = try Record.decoded(from: bytes, path: "0.1.json")
    #expect(try again.encoded() == bytes)
    #expect(again.checks[0].measured.isNaN && again.number(named: "q") == 89.88)
  }

  @Test func aCutOrForeignRecordIsRefused() throws {
    let bytes = try record.encoded()
    #expect(throws: LabError.self) {
      try Record.decoded(from: bytes.prefix(bytes.count / 2), path: "0.1.json")
    }
    let foreign = Data(#"{"version": 1}"#.utf8)
    #expect(throws: LabError.self) { try Record.decoded(from: foreign, path: "0.1.json") }
  }
}

/// Records that say what no full run with the default seed says.
@Suite struct RefusedRecordTests {
  /// A record of a passed run that nobody altered.
  static let record = Record(
    chapter: "0.1",
    checks: [
      Check("small", 0.5, atMost: 1), Check("large", 2, atLeast: 1),
      Check("near", 1, near: 1.1, tolerance: 0.2),
    ],
    claims: [.init(sentence: "Little.", predicate: "a < 2", holds: true)], engine: "e", faults: [],
    figures: [], mode: .full, quotes: [], seed: defaultSeed, sources: ["x.swift": "00"],
    status: .passed, title: "A record",
    values: [.init(name: "a", value: 0.1, tolerance: 0.01, unit: "%")]
  ).sealed()

  func objection(_ record: Record) -> String? {
    record.misplacement(in: "0.1", path: "figures/0.1.json")
      ?? record.contradiction(path: "figures/0.1.json")
  }

  @Test func theRecordOfARunIsBelieved() { #expect(objection(Self.record) == nil) }

  typealias Alteration = @Sendable (inout Record) -> Void

  static let impossible: [(Alteration, String)] = [
    ({ $0.chapter = "0.2" }, "figures/0.1.json is a record of chapter 0.2, not of 0.1"),
    ({ $0.mode = .quick }, "figures/0.1.json is of a quick run, and only a full one counts"),
    (
      { $0.seed = 7 },
      "figures/0.1.json is of a run with seed 7, and only the default, 2016, counts"
    ),
    (
      { $0.faults = ["A fault."] },
      "figures/0.1.json says that its run passed with a fault: “A fault.”"
    ),
    (
      { $0.checks[0].measured = 1.5 },
      "figures/0.1.json says that the check “small” passed, and its numbers say the contrary"
    ),
    (
      { $0.checks[1].passed = false },
      "figures/0.1.json says that the check “large” failed, and its numbers say the contrary"
    ),
    (
      { $0.checks[1].relation = .atMost },
      "figures/0.1.json says that the check “large” passed, and its numbers say the contrary"
    ),
    (
      { $0.checks[2] = Check("near", 2, near: 1, tolerance: 0.1) },
      "figures/0.1.json says that its run passed, and its check “near” did not"
    ),
  ]

  /// Each is refused although whoever altered it has computed contract and seal anew.
  @Test(arguments: impossible)
  func whatCannotBeIsRefused(_ alter: Alteration, _ reason: String) {
    var record = Self.record
    alter(&record)
    #expect(objection(record.sealed()) == reason)
  }

  static let altered: [(Alteration, String)] = [
    ({ $0.checks.removeLast() }, "contract"),
    ({ $0.checks[0].tolerance = 2 }, "contract"),
    ({ $0.checks[0].name = "tiny" }, "contract"),
    ({ $0.checks[0] = Check("small", 0.5, atLeast: 0.1) }, "contract"),
    ({ $0.checks[2].expected = 1.15 }, "contract"),
    ({ $0.values[0].tolerance = 5 }, "contract"),
    ({ $0.values[0].name = "b" }, "contract"),
    ({ $0.sources["x.swift"] = "01" }, "contract"),
    ({ $0.values[0].value = 0.2 }, "seal"),
    ({ $0.checks[0].measured = 0.4 }, "seal"),
    ({ $0.claims = [] }, "seal"),
    ({ $0.engine = "f" }, "seal"),
    ({ $0.title = "Another" }, "seal"),
    ({ $0.values[0].deviation = 0.001 }, "seal"),
  ]

  /// Each is a record that could be, and is found by the digests of the run that was.
  @Test(arguments: altered)
  func whatWasAlteredIsFound(_ alter: Alteration, _ digest: String) {
    var record = Self.record
    alter(&record)
    #expect(objection(record)?.contains(" \(digest)") == true)
  }
}

@Suite struct PageValueTests {
  @Test func aMeanCarriesItsDeviation() {
    let page = Page(id: "0.1")
    page.value("mean", 98.4, deviation: 0.2, tolerance: 0.5, unit: "%")
    page.value("bare", 1)
    page.value("wrong", 1, deviation: -1)
    page.value("none", 1, deviation: .nan)
    #expect(page.values.map(\.deviation) == [0.2, nil])
    #expect(page.faults.count == 2)
  }
}
