import Foundation
import Notebook

/// How the book writes numbers that nobody has written in prose.
enum Numbers {
  /// A number at the digits that a reader compares: whole ones whole, others to five digits.
  static func text(_ value: Double) -> String {
    guard value.isFinite else { return "\(value)" }
    let text =
      value == value.rounded() && abs(value) < 1e9
      ? String(format: "%.0f", value) : String(format: "%.5g", value)
    return text.replacing("-", with: "−")
  }

  /// The day of a date as ISO 8601 has it: `2026-11-29T08:20:38Z` is 29 November 2026.
  static func day(_ date: String) -> String {
    let parts = date.prefix(10).split(separator: "-").compactMap { Int($0) }
    let months = [
      "January", "February", "March", "April", "May", "June", "July", "August", "September",
      "October", "November", "December",
    ]
    guard parts.count == 3, (1...12).contains(parts[1]) else { return date }
    return "\(parts[2]) \(months[parts[1] - 1]) \(parts[0])"
  }

  /// A processor's name without what is no name: marks, frequencies, counts of cores.
  static func processor(_ name: String) -> String {
    var name = name.replacing("(R)", with: "").replacing("(TM)", with: "")
    if let at = name.range(of: " @") { name = String(name[..<at.lowerBound]) }
    let words = name.split(separator: " ").filter { $0 != "CPU" && $0 != "Processor" }
    return words.joined(separator: " ")
  }
}

/// What a page's numbers are bound to: the records of the chapters and when they were made.
struct Records {
  /// The records by the numbers of their chapters.
  let records: [String: Record]
  /// The stamps likewise.
  let stamps: [String: RunStamp]

  /// A value that a text shows.
  struct Value {
    /// The name as the text has it.
    let name: String
    let value: Double
    var unit = ""
    var tolerance: Double?
    var deviation: Double?
    /// Where somebody else's number stands.
    var source: String?
    /// The chapter whose run it is of.
    let chapter: String
  }

  /// The value of a name; on the front page the chapter stands in the name, `3.2/final.test`.
  func value(_ name: String, chapter: String?) -> Value? {
    var (chapter, inner) = (chapter ?? "", name)
    if let slash = name.firstIndex(of: "/") {
      chapter = String(name[..<slash])
      inner = String(name[name.index(after: slash)...])
    }
    if let value = records[chapter]?.values.first(where: { $0.name == inner }) {
      return Value(
        name: name, value: value.value, unit: value.unit, tolerance: value.tolerance,
        deviation: value.deviation, chapter: chapter)
    }
    if let quote = records[chapter]?.quotes.first(where: { $0.name == inner }) {
      return Value(name: name, value: quote.value, source: quote.source, chapter: chapter)
    }
    if let (value, unit) = stamps[chapter]?.measure(named: inner) {
      return Value(name: name, value: value, unit: unit, chapter: chapter)
    }
    return nil
  }

  /// The numbers of a chapter by their names, for its predicates.
  func numbers(of chapter: String) -> [String: Double] {
    guard let record = records[chapter] else { return [:] }
    var numbers: [String: Double] = [:]
    for value in record.values { numbers[value.name] = value.value }
    for quote in record.quotes { numbers[quote.name] = quote.value }
    return numbers
  }
}
