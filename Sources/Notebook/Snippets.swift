/// The regions of a Swift file that prose may show: `// snippet.NAME` … `// snippet.end`.
struct Snippets {
  /// The lines of each region, without their common indentation.
  private(set) var regions: [String: [String]] = [:]
  /// What is wrong with the regions, one sentence each.
  private(set) var faults: [String] = []

  /// Finds the regions of a source file.
  init(_ source: String) {
    var open: (name: String, lines: [String])?
    for line in source.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      if line.contains("// snippet."),
        let name = line.wholeMatch(of: /\s*\/\/ snippet\.([A-Za-z0-9_-]+)\s*/)?.output.1
      {
        if name == "end" {
          if let open { regions[open.name] = Self.outdented(open.lines) }
          open = nil
        } else {
          if let open { faults.append("the region snippet.\(open.name) is not closed") }
          if regions[String(name)] != nil {
            faults.append("the region snippet.\(name) stands twice")
          }
          open = (String(name), [])
        }
      } else {
        open?.lines.append(line)
      }
    }
    if let open { faults.append("the region snippet.\(open.name) is not closed") }
  }

  private static func outdented(_ lines: [String]) -> [String] {
    let indents = lines.filter { !$0.allSatisfy(\.isWhitespace) }
      .map { $0.prefix { $0 == " " }.count }
    let common = indents.min() ?? 0
    return lines.map { $0.allSatisfy(\.isWhitespace) ? "" : String($0.dropFirst(common)) }
  }
}
