import Foundation
import Testing

/// `lab chapter --part`: several runs over one folder share the jobs of a chapter.
@Suite struct PartTests {
  @Test func partsShareARoundAndAPlainRunCollects() async throws {
    let scratch = try Scratch.copyOfPackage()
    func run(_ flags: String...) async throws -> Outcome {
      try await Tool.run(["chapter", "3.3.7", "--quick"] + flags, in: scratch.url)
    }
    let half = try await run("--part", "1/2", "--json")
    #expect(half.code == 0)
    let first = try half.json
    #expect(first["version"] as? Int == 1)
    #expect(first["part"] as? String == "1/2" && first["round"] as? String == "auto-encoders")
    #expect(first["done"] as? Int == 2 && first["left"] as? Int == 1)
    #expect(!half.errors.contains("Took"), "a part has no figures and no record")

    let again = try await run("--part", "1/2")
    #expect(again.code == 0)
    #expect(
      again.output.hasSuffix(
        "Part 1/2 of chapter 3.3.7, round “auto-encoders”: 0 jobs done, 1 left to other parts; run "
          + "them, then all again for the next round.\n"))

    let all = try await run("--part", "1/1")
    #expect(all.code == 0)
    #expect(
      all.output.hasSuffix(
        "Every job of chapter 3.3.7 is done; the same command without --part collects them.\n"))

    let collected = try await run()
    #expect(collected.code == 0)
    #expect(collected.errors.contains("results of an earlier run of the same code stand in"))

    let recheck = try await run("--recheck", "1", "--json")
    #expect(recheck.code == 0)
    let rechecked = try #require(try recheck.json["rechecked"] as? [[String: Any]])
    let agreement = try #require(rechecked.first)
    #expect(rechecked.count == 1 && agreement["agrees"] as? Bool == true)
    #expect(agreement["difference"] as? Double == 0)
    let folder = ".lab/kept/3.3.7-quick-2016"
    for file in try FileManager.default.contentsOfDirectory(atPath: scratch.path(folder)) {
      try scratch.alter("\(folder)/\(file)", "\"seconds\" : ", "\"seconds\" : 1")
    }
    let parted = try await run("--recheck", "1")
    #expect(parted.code == 1 && parted.output.hasSuffix(" not as when kept.\n"))
  }

  @Test(arguments: [
    (["2.1", "--part", "1/2"], "Chapter 2.1 has no jobs to be shared out; run it without --part."),
    (
      ["3.3.7", "--part", "1/2", "--fresh"],
      "--part does what nobody has done yet; leave out --fresh."
    ),
    (["3.3.7", "--part", "3/2"], "--part takes a part and how many there are, as 2/8, not 3/2."),
  ])
  func whatCannotBeSharedIsRefused(_ arguments: [String], _ reason: String) async throws {
    let outcome = try await Tool.run(["chapter"] + arguments)
    #expect(outcome.code == 64 && outcome.errors.contains(reason))
  }
}
