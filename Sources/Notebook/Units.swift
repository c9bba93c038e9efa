// The unit that a reader reads behind a bound number, which must be that of its value.

extension Prose {
  /// The units that are compared, by the words for them, of which longer ones come first.
  private static let units = [
    ("percentage points", "points"), ("points", "points"), ("per cent", "%"), ("percent", "%"),
    ("%", "%"), ("％", "%"), ("‰", "‰"),
  ]

  /// The unit that follows a number: a share or points; nil where there is none of these.
  ///
  /// - Parameter end: the glyph behind the number.
  static func unit(behind end: Int, _ glyphs: [Glyph]) -> String? {
    var text = ""
    for glyph in glyphs[end...].prefix(24) {
      if glyph.kind == .maths, text.trimmed.isEmpty {
        return glyph.content.trimmed == "\\%" ? "%" : nil
      }
      guard glyph.kind == .text || glyph.kind == .space else { break }
      text.append(glyph.kind == .space ? " " : glyph.character)
    }
    let words = text.words.lowercased()
    for (word, unit) in units where words.hasPrefix(word) {
      // A longer word only begins like one.
      let isWhole = words.dropFirst(word.count).first.map { !$0.isLetter } ?? true
      if isWhole || !word.last!.isLetter { return unit }
    }
    return nil
  }
}

extension Prose.Number {
  /// How the unit behind the number differs from that of its value, as a sentence; nil when it does
  /// not, and when none is written.
  ///
  /// - Parameters:
  ///   - value: the value that the number shows.
  ///   - mean: the value whose deviation it is; its unit counts where the deviation has none.
  func unitFault(_ value: Record.Value, deviationOf mean: Record.Value?) -> String? {
    guard let unit else { return nil }
    let own = value.unit.isEmpty ? mean?.unit ?? "" : value.unit
    // How far percentages lie apart is said in either way.
    let isShare = mean != nil && ["%", "points"].contains(own) && ["%", "points"].contains(unit)
    guard own != unit, !isShare else { return nil }
    let known = own.isEmpty ? "has no unit" : "is in \(own)"
    return "the prose gives \(literal.text) in \(unit), and \(name) \(known); write the unit "
      + "of the value."
  }
}

extension Record {
  /// How the unit behind a number of the prose differs from its value's, as a sentence.
  ///
  /// - Parameter name: the name of the value in this record.
  func unitFault(of number: Prose.Number, named name: String) -> String? {
    guard let value = values.first(where: { $0.name == name }) else { return nil }
    let mean =
      name.hasSuffix(".deviation")
      ? values.first { $0.name == name.dropLast(".deviation".count) } : nil
    return number.unitFault(value, deviationOf: mean)
  }
}
