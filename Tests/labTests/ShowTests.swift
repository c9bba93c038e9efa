import Foundation
import Servers
import Testing

/// `lab chapter --show`: figures in a terminal, and in what is none.
@Suite struct ShowTests {
  /// What chapter 1.1 writes into a terminal that answers the question for its attributes.
  func shown(answer: String, term: String = "xterm") async throws -> (
    code: Int32, Data, errors: String
  ) {
    let scratch = try Scratch()
    let script = PythonTerminal.script
    let outcome = try await Tool.run(
      ["chapter", "1.1", "--quick", "--show", "--out", scratch.path("out")],
      environment: ["TERM": term],
      shell: "exec >'\(scratch.path("seen"))'; exec python3 '\(script)' '\(answer)' \"$0\" \"$@\"")
    return (outcome.code, try scratch.data("seen"), outcome.errors)
  }

  /// Where a terminal's own text was, its bytes; sixels begin with `ESC P`.
  static let sixels = Data("\u{1B}P".utf8)
  static let question = Data("\u{1B}[c".utf8)

  @Test func aTerminalThatShowsSixelsGetsThem() async throws {
    let (code, seen, errors) = try await shown(answer: "\u{1B}[?62;4;22c")
    #expect(code == 0 && errors == "as before\n")
    #expect(seen.range(of: Self.question) != nil)
    // One for each of the chapter's three figures.
    var (count, rest) = (0, seen[...])
    while let found = rest.range(of: Self.sixels) {
      count += 1
      rest = rest[found.upperBound...]
    }
    #expect(count == 3)
  }

  @Test(arguments: ["\u{1B}[?62;22c", "\u{1B}[?4c", "\u{1B}[?1;2c", ""])
  func anotherTerminalGetsLetters(_ answer: String) async throws {
    let (code, seen, errors) = try await shown(answer: answer)
    #expect(code == 0 && errors == "as before\n")
    #expect(seen.range(of: Self.sixels) == nil)
    let text = String(decoding: seen, as: UTF8.self)
    #expect(text.contains("** sigmoid"))
    // A terminal of 90 columns.
    let drawn = text.components(separatedBy: "\r\n").filter { $0.contains("+---") }
    #expect(!drawn.isEmpty && drawn.allSatisfy { $0.count <= 90 })
  }

  @Test func aTerminalThatOnlyPrintsIsNotAsked() async throws {
    let (code, seen, _) = try await shown(answer: "\u{1B}[?62;4c", term: "dumb")
    #expect(code == 0 && seen.range(of: Self.question) == nil)
    #expect(String(decoding: seen, as: UTF8.self).contains("** sigmoid"))
  }

  @Test func aPipeGetsPlainText() async throws {
    let scratch = try Scratch()
    let flags = ["chapter", "1.1", "--quick", "--out", scratch.path("out")]
    let outcome = try await Tool.run(flags + ["--show"])
    #expect(outcome.code == 0 && outcome.output.contains("** sigmoid"))
    #expect(outcome.output.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" })
    // Without the flag the same run says the same, and draws nothing.
    let plain = try await Tool.run(flags)
    #expect(plain.code == 0 && outcome.output.hasPrefix(plain.output))
    #expect(outcome.output.count > plain.output.count + 1000)
  }

  @Test func aProgramIsNotDrawnFor() async throws {
    let outcome = try await Tool.run("chapter", "1.1", "--quick", "--show", "--json")
    #expect(outcome.code == 64 && outcome.output == "")
    #expect(
      outcome.errors.hasPrefix(
        "Error: --show draws for a reader, --json is for a program; leave out one.\n"))
  }
}
