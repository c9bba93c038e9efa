/// The numbers of a paragraph that are exact by definition or somebody else's, as a marker on a line
/// of its own above the paragraph lists them: `<!--fixed 28 3,000 half-->`.
struct FixedNumbers {
  /// A number of the list.
  struct Entry {
    /// The number as the paragraph has it, with `-` for any minus.
    let text: String
    /// How often it stands there, where the list says so: `28*2`.
    let count: Int?
    /// Values of the run that it equals and is not: `0.95!=momentum.rate`.
    let others: [String]
    /// The line of the marker, from 0.
    let line: Int
    /// How often it was found in the paragraph.
    var uses = 0
  }

  private(set) var entries: [Entry] = []

  /// Reads one more marker, and says what is wrong with it.
  mutating func read(_ body: String, line: Int) -> [String] {
    var faults: [String] = []
    let words = body.split(whereSeparator: \.isWhitespace)
    if words.isEmpty { faults.append("the list of fixed numbers is empty; drop it") }
    for word in words {
      let parts = word.split(separator: "!=", omittingEmptySubsequences: false).map(String.init)
      let counted = parts[0].split(separator: "*", omittingEmptySubsequences: false)
      let text = counted[0].replacing("−", with: "-").lowercased()
      let count = counted.count == 2 ? Int(counted[1]) : nil
      if counted.count > 2 || (counted.count == 2 && (count ?? 0) < 1) || text.isEmpty
        || parts.dropFirst().contains(where: \.isEmpty)
      {
        faults.append("“\(word)” is no fixed number; write 28, 28*2 or 28!=value.name")
      } else if entries.contains(where: { $0.text == text }) {
        faults.append("the fixed number \(text) is listed twice; once is enough")
      } else {
        entries.append(
          Entry(text: text, count: count, others: Array(parts.dropFirst()), line: line))
      }
    }
    return faults
  }

  /// Whether the list has a number of the paragraph, which is then used.
  mutating func use(_ text: String) -> Bool {
    guard let index = entries.firstIndex(where: { $0.text == text.lowercased() }) else {
      return false
    }
    entries[index].uses += 1
    return true
  }

  /// Whether the list has a number in digits, or each word of one in words.
  mutating func use(_ numeral: Numeral) -> Bool {
    numeral.kind == .digits
      ? use(numeral.texts[0]) || use(numeral.text)
      : numeral.texts.map { use($0) }.allSatisfy { $0 }
  }

  /// What is wrong with the list once the paragraph has been read.
  ///
  /// - Parameter bound: the texts of the paragraph's bound numbers. One that is also fixed would
  ///   still be listed if its marker were lost: the list then says how many are fixed.
  func faults(bound: Set<String>) -> [(line: Int, sentence: String)] {
    entries.compactMap { entry in
      let sentence: String
      if entry.uses == 0 {
        sentence =
          "the fixed number \(entry.text) stands nowhere unbound in the paragraph below; drop it"
      } else if let count = entry.count, count != entry.uses {
        sentence =
          "the fixed number \(entry.text) stands \(entry.uses.of("time")) in the paragraph below, "
          + "and the list says \(count)"
      } else if entry.count == nil, bound.contains(entry.text) {
        sentence =
          "the number \(entry.text) is both bound and fixed in the paragraph below; write "
          + "\(entry.text)*\(entry.uses) for how often it is fixed"
      } else {
        return nil
      }
      return (entry.line, sentence)
    }
  }
}
