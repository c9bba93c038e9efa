extension StringProtocol {
  /// The text with each run of white space made one space: prose may break a line anywhere.
  var words: String {
    split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}

extension Int {
  /// A count with its noun: `1 figure`, `2 figures`.
  public func of(_ noun: String) -> String {
    self == 1 ? "1 \(noun)" : "\(self) \(noun)s"
  }
}
