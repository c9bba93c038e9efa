/// The regions of a Swift file that prose may show: `// snippet.NAME` … `// snippet.end`.
struct Snippets {
  /// The lines of each region, without their common indentation.
  private(set) var regions: [String: [String]] = [:]
  /// The lines of each region in the file, from 1.
  private(set) var places: [String: ClosedRange<Int>] = [:]
  /// What is wrong with the regions, with the line where each begins, from 1.
  private(set) var faults: [(line: Int, sentence: String)] = []

  /// Finds the regions of a source file.
  init(_ source: String) {
    var open: (name: String, line: Int, lines: [String])?
    for (index, line) in Manuscript(source).lines.enumerated() {
      guard let name = Self.name(in: line) else {
        open?.lines.append(line)
        continue
      }
      if let open, name != "end" {
        faults.append((open.line, "the region snippet.\(open.name) is not closed"))
      }
      if name == "end" {
        if let open {
          regions[open.name] = Self.outdented(open.lines)
          places[open.name] = open.line + 1...max(open.line + 1, index)
        }
        open = nil
      } else {
        if regions[name] != nil {
          faults.append((index + 1, "the region snippet.\(name) stands twice"))
        }
        open = (name, index + 1, [])
      }
    }
    if let open { faults.append((open.line, "the region snippet.\(open.name) is not closed")) }
  }

  /// Whether a text can name a region.
  static func isName(_ text: some StringProtocol) -> Bool {
    !text.isEmpty
      && text.allSatisfy {
        $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == ".")
      }
  }

  /// The name behind `// snippet.` where that is all that the line has.
  private static func name(in line: String) -> String? {
    let mark = "// snippet."
    guard line.utf8.count > mark.utf8.count else { return nil }
    let rest = line.drop { $0.isWhitespace }
    guard rest.hasPrefix(mark) else { return nil }
    var name = rest.dropFirst(mark.count)
    while name.last?.isWhitespace == true { name.removeLast() }
    return isName(name) ? String(name) : nil
  }

  private static func outdented(_ lines: [String]) -> [String] {
    let indents = lines.filter { !$0.allSatisfy(\.isWhitespace) }
      .map { $0.prefix { $0 == " " }.count }
    let common = indents.min() ?? 0
    return lines.map { $0.allSatisfy(\.isWhitespace) ? "" : String($0.dropFirst(common)) }
  }
}
