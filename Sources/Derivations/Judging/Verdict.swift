/// What the judge says of a formula.
public struct Verdict: Equatable, Sendable {
  /// What is the case, by the first diagnosis that fits.
  public enum Kind: String, CaseIterable, Sendable {
    /// Right.
    case right
    /// Right, but in Double it loses all digits at points that the task may meet.
    case unstable
    /// No number where the answer is one: a division by 0, a logarithm or a root of what has none.
    case undefined
    /// The right formula of something else.
    case lookalike
    /// Right where both indices are the same, and wrong elsewhere.
    case diagonal
    /// Right where the indices differ, and wrong where they are the same.
    case offDiagonal
    /// Right with the indices exchanged.
    case transpose
    /// Right on one side of 0.
    case half
    /// Minus the answer.
    case sign
    /// The answer times something simple.
    case factor
    /// The answer plus something simple.
    case summand
    /// Right after one small change.
    case slip
    /// None of these.
    case different
  }

  /// What is the case.
  public let kind: Kind
  /// That in a sentence or two, for the reader.
  public let sentence: String
  /// Whether the algebra has shown that it is right; else it agrees at every point.
  public let isProven: Bool

  init(_ kind: Kind, _ sentence: String, isProven: Bool = false) {
    (self.kind, self.sentence, self.isProven) = (kind, sentence, isProven)
  }

  /// Whether the formula is right, stable or not.
  public var isRight: Bool { kind == .right || kind == .unstable }
}
