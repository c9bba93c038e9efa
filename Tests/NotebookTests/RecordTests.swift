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
      faults: [], figures: [], mode: .full,
      quotes: [.init(name: "q", value: 89.88, source: "the kit")], seed: 2016, source: "00",
      status: .failed, title: "A record",
      values: [.init(name: "a", value: 0.1, tolerance: 0.01, unit: "%")],
      version: Record.currentVersion)
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
    let foreign = Data(#"{"version": 2}"#.utf8)
    #expect(throws: LabError.self) { try Record.decoded(from: foreign, path: "0.1.json") }
  }
}
