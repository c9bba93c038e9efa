/// The names that a formula may use.
public struct Vocabulary: Sendable {
  /// Symbols for one number.
  public var scalars: Set<String> = []
  /// Symbols for several, told apart by an index.
  public var vectors: Set<String> = []
  /// Indices that stand for one element, whichever.
  public var indices: Set<String> = []
  /// Whether there is a function whose gradient may be asked for.
  public var hasGradient = false
  /// Other spellings of symbols: `x_in` for `x`.
  public var aliases: [String: String] = [:]

  /// A symbol by the name that the task has for it.
  func canonical(_ name: String) -> String { aliases[name] ?? name }

  /// What may stand in a formula, for who has typed something else.
  var names: [String] {
    let symbols = scalars.union(vectors).union(aliases.keys).sorted()
    let functions = Expression.Function.allCases.map(\.rawValue).sorted() + ["log"]
    let indexed = vectors.isEmpty ? [] : ["delta", "sum"]
    return symbols + indices.sorted() + (hasGradient ? ["grad"] : []) + indexed + functions
  }

  /// The symbols alone, as they are written: `P[i]`.
  var symbols: [String] {
    let index = indices.sorted().first ?? "k"
    return scalars.sorted() + vectors.sorted().map { "\($0)[\(index)]" }
      + (hasGradient ? ["grad(…)"] : [])
  }
}
