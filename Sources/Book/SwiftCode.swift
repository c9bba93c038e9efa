import Notebook

/// Swift code as HTML, its parts told apart by colour.
enum SwiftCode {
  private static let keywords: Set<String> = [
    "actor", "any", "as", "associatedtype", "async", "await", "break", "case", "catch", "class",
    "consuming", "continue", "convenience", "default", "defer", "deinit", "do", "else", "enum",
    "extension", "fallthrough", "false", "fileprivate", "final", "for", "func", "get", "guard",
    "if", "import", "in", "indirect", "infix", "init", "inout", "internal", "is", "lazy", "let",
    "mutating", "nil", "nonisolated", "nonmutating", "open", "operator", "optional", "override",
    "package", "postfix", "precedencegroup", "prefix", "private", "protocol", "public", "repeat",
    "required", "rethrows", "return", "self", "Self", "set", "some", "static", "struct",
    "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias", "unowned",
    "var", "weak", "where", "while", "willSet", "didSet",
  ]

  /// Code with its colours; each line closes what it opens.
  static func html(_ source: String) -> String {
    var result = ""
    var followsDot = false
    for (kind, text) in SwiftPieces.of(source) {
      let style: String? =
        switch kind {
        case .comment: text.hasPrefix("///") ? "d" : "c"
        case .text: "s"
        case .word:
          keywords.contains(text) && !followsDot
            ? "k" : text.first!.isNumber ? "n" : text.first!.isUppercase ? "t" : nil
        case .plain: nil
        }
      followsDot = kind == .plain && text.hasSuffix(".") && !text.hasSuffix("..")
      guard let style else {
        result += Markup.escaped(text)
        continue
      }
      let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      result += lines.map { line in
        line.isEmpty ? "" : "<span class=\"\(style)\">\(Markup.escaped(String(line)))</span>"
      }.joined(separator: "\n")
    }
    return result
  }

  /// Any text as the lines of a page, each with its number and an anchor.
  ///
  /// - Parameter isSwift: whether it is code that has colours.
  static func numbered(_ source: String, isSwift: Bool) -> String {
    var source = source
    if source.hasSuffix("\n") { source.removeLast() }
    let html = isSwift ? html(source) : Markup.escaped(source)
    return html.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { index, line in
        let number = index + 1
        return "<a id=\"L\(number)\" href=\"#L\(number)\" data-line=\"\(number)\" "
          + "aria-label=\"Line \(number)\"></a><span>\(line)</span>"
      }.joined(separator: "\n")
  }
}
