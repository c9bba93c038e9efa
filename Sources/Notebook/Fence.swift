/// The line that opens a fence of code, as CommonMark has it.
struct Fence {
  let mark: Character
  let count: Int
  /// The first word behind the marks.
  let language: String
  /// The spaces before the marks.
  let indent: Int

  /// Nil when the text opens no fence: behind backticks there may be none.
  init?(_ text: Substring) {
    let rest = text.drop { $0 == " " || $0 == "\t" }
    guard let mark = rest.first, mark == "`" || mark == "~" else { return nil }
    let marks = rest.prefix { $0 == mark }
    let info = rest[marks.endIndex...]
    guard marks.count >= 3, mark == "~" || !info.contains("`") else { return nil }
    self.mark = mark
    indent = text.count - rest.count
    count = marks.count
    language = info.split(whereSeparator: \.isWhitespace).first.map(String.init) ?? ""
  }

  /// The line that closes it: as many marks at least, and nothing else.
  func end(in lines: [String], from start: Int) -> Int? {
    lines.indices.dropFirst(start).first { index in
      let line = lines[index]
      let spaces = line.prefix { $0 == " " }
      guard spaces.count <= indent + 3 else { return false }
      let marks = line[spaces.endIndex...].prefix { $0 == mark }
      return marks.count >= count && line[marks.endIndex...].allSatisfy(\.isWhitespace)
    }
  }
}
