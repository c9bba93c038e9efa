import Foundation
import Tensors
import Testing

/// What a processor has, what the program was built for, and which tile products are made of.
@Suite struct ProcessorTests {
  #if arch(x86_64)
    /// The guard fires before the first word of the program.
    @Test func aBinaryFromAnotherMachineSaysSo() async throws {
      let lacking = Tile.wide.isPossible ? ("avx512f", "AVX-512") : ("avx2", "AVX2")
      // Where the tests were not built for either, there is nothing to lack.
      guard Tile.narrow.isPossible else { return }
      for arguments in [["--help"], ["list"], ["no such command"]] {
        let outcome = try await Tool.run(
          arguments, environment: ["LAB_PROCESSOR_LACKS": lacking.0])
        #expect(outcome.code == 69 && outcome.output == "")
        #expect(
          outcome.errors
            == "This program was built for a processor with \(lacking.1), which this one lacks; "
            + "remove the folder .build and build it on this machine.\n")
      }
      let outcome = try await Tool.run("--help", environment: ["LAB_PROCESSOR_LACKS": "magic"])
      #expect(outcome.code == 0 && outcome.errors == "")
    }
  #endif

  @Test func aTileThatThereIsNotIsWrongUsage() async throws {
    let outcome = try await Tool.run("list", environment: ["LAB_TILE": "broad"])
    #expect(outcome.code == 64 && outcome.output == "")
    #expect(outcome.errors.hasPrefix("There is no tile “broad” for LAB_TILE; "))
    #expect(outcome.errors.hasSuffix("or not at all.\n") || outcome.errors.hasSuffix("out.\n"))
  }

  /// A chapter's record and figures, made by either tile: the same bytes.
  @Test(arguments: SameBitsTests.ids)
  func aChapterWritesTheSameFilesByEitherTile(_ id: String) async throws {
    guard Tile.wide.isPossible else { return }
    let scratch = try Scratch()
    var runs: [[String: Data]] = []
    for tile in ["wide", "narrow"] {
      let outcome = try await Tool.run(
        ["chapter", id, "--quick", "--fresh", "--out", scratch.path(tile)],
        environment: ["LAB_TILE": tile])
      #expect(outcome.code == 0, "\(outcome)")
      var files: [String: Data] = [:]
      for name in try FileManager.default.contentsOfDirectory(atPath: scratch.path(tile)) {
        let data = try scratch.data("\(tile)/\(name)")
        // The stamp says when, and by which tile.
        if name.hasSuffix(".run.json") {
          #expect(String(decoding: data, as: UTF8.self).contains(tile == "wide" ? "8 ×" : "6 ×"))
        } else {
          files[name] = data
        }
      }
      runs.append(files)
    }
    #expect(runs[0]["\(id).json"] != nil)
    let areSame = runs[0] == runs[1]
    #expect(areSame)
  }
}
