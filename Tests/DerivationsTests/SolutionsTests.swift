import Foundation
import Testing

@testable import Derivations

@Suite struct SolutionsTests {
  private let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
    "solutions-\(UUID())")
  private var url: URL { folder.appendingPathComponent("derivations.json") }

  @Test func whatIsSolvedIsKept() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let sigmoid = Derivation.named("sigmoid")
    var solutions = Solutions(url) { Issue.record("\($0)") }
    #expect(!solutions.contains(sigmoid))
    try solutions.add("dy*y*(1 - y)", of: sigmoid)
    try solutions.add("dy*(y - y^2)", of: sigmoid)
    let again = Solutions(url) { Issue.record("\($0)") }
    #expect(again.contains(sigmoid) && again.formulas == ["1.1/sigmoid": "dy*y*(1 - y)"])
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["derivations.json"])
  }

  @Test func twoSessionsKeepWhatBothSolve() throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    var sessions = (0..<2).map { _ in Solutions(url) { Issue.record("\($0)") } }
    try sessions[1].add("1/p", of: .named("inverted"))
    try sessions[0].add("dy*y*(1 - y)", of: .named("sigmoid"))
    #expect(Solutions(url) { Issue.record("\($0)") }.formulas.count == 2)
  }

  @Test(arguments: ["", "{", "[]", "{\"version\": 2, \"solved\": {}}", "{\"version\": 1}", "\u{0}"])
  func aDamagedFileIsSetAside(_ text: String) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
    var warnings: [String] = []
    var solutions = Solutions(url) { warnings.append($0) }
    #expect(warnings.count == 1 && warnings[0].contains("set aside"))
    try solutions.add("1/p", of: .named("inverted"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(names == ["derivations.json", "derivations.json.damaged"])
    #expect(try Data(contentsOf: url.appendingPathExtension("damaged")) == Data(text.utf8))
  }
}
