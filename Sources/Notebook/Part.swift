/// One of several parts of a chapter's work, each of which may be done on another machine.
public struct Part: Equatable, Sendable, CustomStringConvertible {
  /// Which part it is, from 1, and of how many.
  public let number, count: Int

  /// The part that `2/8` names; nil for what is none.
  public init?(_ text: String) {
    let words = text.split(separator: "/", omittingEmptySubsequences: false)
    guard words.count == 2, words.allSatisfy({ $0.allSatisfy { "0"..."9" ~= $0 } }),
      let number = Int(words[0]), let count = Int(words[1]), number >= 1, number <= count
    else { return nil }
    (self.number, self.count) = (number, count)
  }

  /// Whether the job at a place of its round, from 0, is of this part: every `count`-th is.
  public func has(_ place: Int) -> Bool { place % count == number - 1 }

  /// `2/8`.
  public var description: String { "\(number)/\(count)" }
}

/// The end of a run of one part: the rest is left to others, or to the run that collects.
public struct PartDone: Error, Equatable, Sendable {
  /// The round that has jobs left, such as `candidates`; nil where every job of the chapter is done.
  public let round: String?
  /// The part that was done.
  public let part: Part
  /// Jobs of the round that this run did, and those that nobody has done yet.
  public let done, left: Int
  /// Whether all checks passed that the run has come to.
  public internal(set) var passed = true

  /// The end of a part in a round.
  public init(_ part: Part, round: String? = nil, done: Int = 0, left: Int = 0) {
    (self.round, self.part, self.done, self.left) = (round, part, done, left)
  }
}
