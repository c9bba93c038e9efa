/// What is wrong with a formula that cannot be read, and where.
public struct ReadingError: Error, Equatable, Sendable {
  /// The complaint, without the full stop.
  public let complaint: String
  /// The letter at which reading stopped, from 0.
  public let position: Int
  /// The name that the task does not know, if that is what is wrong.
  public let unknownName: String?
  /// The names that it knows, then.
  public let knownNames: [String]

  init(_ complaint: String, at position: Int, unknown name: String? = nil, known: [String] = []) {
    self.complaint = complaint
    self.position = position
    unknownName = name
    knownNames = known
  }

  /// The formula with a caret below the place; of a long one what stands around it.
  public func marked(in text: String) -> [String] {
    // A control character would move the caret, or the terminal's cursor.
    let letters = text.map { $0.isWhitespace ? " " : isHidden($0) ? "·" : $0 }
    let start = max(0, min(position, letters.count) - 40)
    let shown = letters[start..<min(letters.count, start + 72)]
    let lead = start > 0 ? "…" : ""
    let tail = start + 72 < letters.count ? "…" : ""
    let indent = String(repeating: " ", count: position - start + lead.count)
    return [lead + String(shown) + tail, indent + "^"]
  }

  /// Whether a letter is a control character, or another that a terminal does not show.
  private func isHidden(_ letter: Character) -> Bool {
    letter.unicodeScalars.contains {
      !$0.properties.isGraphemeBase && !$0.properties.isGraphemeExtend
    }
  }
}
