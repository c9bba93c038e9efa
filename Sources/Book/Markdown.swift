import Files
import Foundation
import Notebook

/// The converter of Markdown that GitHub uses, as a program.
enum Markdown {
  static let program = Program(
    name: "cmark-gfm", remedy: "the book was not made; install it with: apt-get install cmark-gfm")

  /// A text of Markdown as HTML; raw HTML in it stays, since it is the lab's own.
  ///
  /// - Throws: `LabError` of kind `.tool` when the converter is missing or refuses the text.
  static func html(of text: String) async throws -> String {
    let outcome = try await program.run(
      ["--unsafe", "--to", "html", "-e", "table", "-e", "strikethrough", "-e", "autolink"],
      input: Data(text.utf8))
    guard outcome.isGood else {
      throw LabError(
        .tool,
        "cmark-gfm refuses the text (\(outcome.complaint)); install it anew with: apt-get install "
          + "cmark-gfm.")
    }
    return String(decoding: outcome.output, as: UTF8.self)
  }
}
