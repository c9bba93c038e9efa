/// Text in aligned columns: those of numbers to the right, others to the left.
public struct TextTable {
  /// The finished lines, without white space at their ends.
  public let lines: [String]

  /// Aligns rows under a header.
  /// - Parameters:
  ///   - header: the columns' titles; empty for none.
  ///   - rows: cells; a row may be shorter than others.
  ///   - gap: spaces between columns.
  public init(header: [String] = [], rows: [[String]], gap: Int = 2) {
    let all = header.isEmpty ? rows : [header] + rows
    let columns = all.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    let isNumeric = (0..<columns).map { column in
      let cells = rows.compactMap { column < $0.count ? $0[column] : nil }.filter { !$0.isEmpty }
      return !cells.isEmpty && cells.allSatisfy(TextTable.looksNumeric)
    }
    func line(_ cells: [String]) -> String {
      let padded = cells.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return isNumeric[column] ? space + cell : cell + space
      }
      let text = padded.joined(separator: String(repeating: " ", count: gap))
      return String(text.reversed().drop { $0 == " " }.reversed())
    }
    var lines = all.map(line)
    if !header.isEmpty {
      let rule = widths.map { String(repeating: "─", count: $0) }
      lines.insert(rule.joined(separator: String(repeating: " ", count: gap)), at: 1)
    }
    self.lines = lines
  }

  private static func looksNumeric(_ cell: String) -> Bool {
    let body = cell.drop { "+-−±≤≥≈".contains($0) }
    return body.first?.isNumber == true || ["nan", "inf", "–", "—"].contains(String(body))
  }
}
