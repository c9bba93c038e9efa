/// A name that an answer may use, and what it stands for.
public struct Symbol: Sendable {
  /// What kind of thing it is, and where its values are drawn from.
  public enum Kind: Equatable, Sendable {
    /// A number of a range; it is kept off 0, where factors would hide.
    case number(ClosedRange<Double>)
    /// A whole number.
    case whole(ClosedRange<Int>)
    /// As many numbers of a range as the point has elements.
    case vector(ClosedRange<Double>)
    /// Which element is meant.
    case index
    /// A number that follows from symbols before it.
    case definition(String)
    /// A vector each of whose elements follows from symbols before it.
    case vectorDefinition(String, index: String)
    /// The gradient of a function that nobody knows.
    case gradient
  }

  /// The name in ASCII.
  public let name: String
  /// What it is, in some words.
  public let meaning: String
  /// What kind of thing it is.
  public let kind: Kind
  /// Other names for it.
  public let aliases: [String]

  init(_ name: String, _ meaning: String, _ kind: Kind, aliases: [String] = []) {
    (self.name, self.meaning, self.kind, self.aliases) = (name, meaning, kind, aliases)
  }

  /// What it is, and how else it may be written.
  public var wholeMeaning: String {
    aliases.isEmpty ? meaning : "\(meaning); also \(aliases.joined(separator: ", "))"
  }

  /// Whether it is positive at every point.
  var isPositive: Bool {
    switch kind {
    case .number(let range), .vector(let range): range.lowerBound > 0
    case .whole(let range): range.lowerBound > 0
    default: false
    }
  }
}
