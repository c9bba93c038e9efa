import Foundation

/// One way to make the prose and the run part, and what must come of it.
struct Mutation: Sendable {
  /// What must happen.
  enum Outcome: Sendable {
    /// A finding in the text, on this line where one is given.
    case found(line: Int?)
    /// No finding: what was changed changes nothing.
    case passed
    /// An error that names the line.
    case refused(line: Int)
  }

  /// The kind in a few words, such as "marker deleted".
  let kind: String
  /// What exactly was done, for the report of one that got through.
  let detail: String
  /// Makes the bytes of the text afterwards; nil when it stays.
  var text: @Sendable () -> Data?
  /// Claims that the record has in the place of its own, by the sentence it had.
  var claims: [String: (sentence: String, predicate: String)] = [:]
  /// Figures whose files change places, by their names, and which of the two files.
  var exchanged: (first: String, second: String, types: [String])?
  /// A figure whose picture is a folder.
  var folder: String?
  let outcome: Outcome

  /// A mutation; the text is made when it is tried, since there are many.
  init(
    _ kind: String, _ detail: String, _ text: @autoclosure @escaping @Sendable () -> String?,
    _ outcome: Outcome
  ) {
    self.kind = kind
    self.detail = detail
    self.text = { text().map { Data($0.utf8) } }
    self.outcome = outcome
  }
}

/// A text of the package with the places where it can be attacked.
struct Victim: Sendable {
  /// A number with its marker.
  struct BoundNumber: Sendable {
    let number: Range<String.Index>
    let marker: Range<String.Index>
  }

  let text: String
  let isFrontPage: Bool
  private(set) var numbers: [BoundNumber] = []
  /// The extents of all comments outside code.
  private(set) var comments: [Range<String.Index>] = []
  /// The ends of paragraphs before the references, behind their last character.
  private(set) var ends: [String.Index] = []
  /// The lines of excerpts.
  private(set) var excerptLines: [Range<String.Index>] = []
  private var lineStarts: [String.Index] = []

  init(_ text: String, isFrontPage: Bool) {
    self.text = text
    self.isFrontPage = isFrontPage
    var isFenced = false
    var isExcerpt = false
    var isInReferences = false
    var previous: Substring = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      lineStarts.append(line.startIndex)
      if line.hasPrefix("#") { isInReferences = line.hasSuffix(" References") }
      if line.hasPrefix("```") {
        isExcerpt = !isFenced && previous.hasPrefix("<!--snippet ")
        isFenced.toggle()
      } else if isFenced {
        if isExcerpt { excerptLines.append(line.startIndex..<line.endIndex) }
      } else {
        // One in backticks is shown, and marks nothing.
        for match in line.matches(of: /<!--.*?-->/)
        where !line[..<match.range.lowerBound].hasSuffix("`") {
          comments.append(match.range)
        }
        let pattern = /([−-]?[\d.,]*\d(?:e[−-]?\d+|×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?)(<!--=[^>]*-->)/
        for match in line.matches(of: pattern) {
          numbers.append(
            BoundNumber(
              number: match.output.1.startIndex..<match.output.1.endIndex,
              marker: match.output.2.startIndex..<match.output.2.endIndex))
        }
        if line.isEmpty, previous.last == ".", !isInReferences { ends.append(previous.endIndex) }
      }
      previous = line
    }
  }

  /// Whether a place is outside all code.
  func isProse(_ place: String.Index) -> Bool {
    let marks = text[..<place].split(separator: "\n", omittingEmptySubsequences: false)
    return marks.count { $0.hasPrefix("```") }.isMultiple(of: 2)
  }

  /// The line of a place, from 1.
  func line(_ place: String.Index) -> Int {
    var (low, high) = (0, lineStarts.count)
    while low < high {
      let middle = (low + high) / 2
      if lineStarts[middle] <= place { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The words that the paragraph with a place lists as exact.
  func fixedNumbers(at place: String.Index) -> Set<String> {
    let paragraph = text[..<place].ranges(of: "\n\n").last?.upperBound ?? text.startIndex
    return Set(
      text[paragraph..<place].split(separator: "\n").filter { $0.hasPrefix("<!--fixed ") }
        .flatMap { $0.dropFirst(10).dropLast(3).split(separator: " ").map(String.init) })
  }

  func replacing(_ range: Range<String.Index>, _ new: String) -> String {
    text.replacingCharacters(in: range, with: new)
  }

  func inserting(_ new: String, _ place: String.Index) -> String {
    text.replacingCharacters(in: place..<place, with: new)
  }
}
