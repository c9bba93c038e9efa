import Files
import Foundation

/// A text file as lines, with the end of each kept, so that a file with CRLF stays one.
struct Manuscript {
  /// The lines, without their ends.
  var lines: [String] = []
  /// What ends each line: `\n`, `\r\n`, `\r`, and nothing behind the last.
  var endings: [String] = []

  /// The lines of a text.
  init(_ text: String) {
    var start = text.startIndex
    var position = start
    while position < text.endIndex {
      let character = text[position]
      let next = text.index(after: position)
      if character == "\n" || character == "\r\n" || character == "\r" {
        lines.append(String(text[start..<position]))
        endings.append(String(character))
        start = next
      }
      position = next
    }
    lines.append(String(text[start...]))
    endings.append("")
  }

  /// The lines of a file.
  ///
  /// - Parameters:
  ///   - data: its bytes.
  ///   - path: the file as an error shall name it.
  /// - Throws: `LabError` of kind `.input` with the line of the first byte that is not UTF-8.
  init(_ data: Data, path: String) throws(LabError) {
    self.init(try Manuscript.text(of: data, path: path))
  }

  /// Bytes as text, strictly: a byte that is not UTF-8 would be another one when it is written back.
  static func text(of data: Data, path: String) throws(LabError) -> String {
    if let text = String(validating: data, as: UTF8.self) { return text }
    let lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let bad = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0
    throw LabError(
      .input, "\(path):\(bad + 1): a byte of this line is not UTF-8; save the file as UTF-8.")
  }

  /// The whole text, ends as they were.
  var text: String { zip(lines, endings).map { $0 + $1 }.joined() }

  /// Puts other lines in the place of some: each ends as the one in its place did, and what is more
  /// of them as the line before them all.
  mutating func replace(_ range: Range<Int>, with new: [String]) {
    let ending = range.lowerBound > 0 ? endings[range.lowerBound - 1] : "\n"
    let own = Array(endings[range])
    lines.replaceSubrange(range, with: new)
    endings.replaceSubrange(
      range, with: new.indices.map { $0 < own.count ? own[$0] : ending })
  }
}
