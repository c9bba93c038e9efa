import ComplexModule

/// A formula that is asked for: what is given, what is wanted, and what proves it.
///
/// The truth is a function of a point that knows nothing of `answer`: a derivative by the complex
/// step, a sum over all cases, an integral. The judge holds both against each other.
public struct Derivation: Sendable {
  /// The chapter that derives it.
  public let chapter: String
  /// The word for it on the command line, no other's.
  public let name: String
  /// What it is, in some words.
  public let title: String
  /// What is asked, in Markdown with formulas between dollar signs.
  public let question: String
  /// What is asked, as a terminal shows it.
  public let prompt: String
  /// What may stand in the answer.
  public let symbols: [Symbol]
  /// Three steps towards the answer, which only the last one gives.
  public let hints: [String]
  /// A right formula, stable wherever it is looked at.
  public let answer: String
  /// What the judge is held to: formulas and what it must say of them.
  public let answers: [Answer]

  /// Whether the two indices of a matrix are the same, are not, or may be either.
  let indexRelation: IndexRelation
  /// Formulas of something else, which a reader may have had in mind.
  let lookalikes: [Lookalike]
  /// Where a formula is tried that may lose its digits.
  let stresses: [Stress]
  let truth: @Sendable (Point<Double>) -> Double

  init(
    _ chapter: String, _ name: String, _ title: String, question: String, prompt: String,
    symbols: [Symbol], indices indexRelation: IndexRelation = .any, answer: String,
    hints: [String], lookalikes: [Lookalike] = [], stresses: [Stress] = [],
    truth: @escaping @Sendable (Point<Double>) -> Double, answers: [Answer]
  ) {
    (self.chapter, self.name, self.title) = (chapter, name, title)
    (self.question, self.prompt, self.symbols) = (question, prompt, symbols)
    (self.answer, self.hints, self.answers) = (answer, hints, answers)
    (self.indexRelation, self.lookalikes, self.stresses) = (indexRelation, lookalikes, stresses)
    self.truth = truth
  }

  /// All of them, in the order of the chapters.
  public static let all: [Derivation] =
    activations + softmax + momentum + dropout + initialisation + ladder + autoencoder

  /// The chapter and the name: `1.1/sigmoid`.
  public var id: String { "\(chapter)/\(name)" }

  /// The names that an answer may use.
  public var vocabulary: Vocabulary {
    var vocabulary = Vocabulary()
    for symbol in symbols {
      switch symbol.kind {
      case .number, .whole, .definition: vocabulary.scalars.insert(symbol.name)
      case .vector, .vectorDefinition: vocabulary.vectors.insert(symbol.name)
      case .index: vocabulary.indices.insert(symbol.name)
      case .gradient: vocabulary.hasGradient = true
      }
      for alias in symbol.aliases { vocabulary.aliases[alias] = symbol.name }
    }
    return vocabulary
  }

  /// A symbol as an answer writes it: `mu`, `P[…]` with some index, `grad(…)`.
  public func form(of symbol: Symbol) -> String {
    switch symbol.kind {
    case .vector, .vectorDefinition: "\(symbol.name)[…]"
    case .gradient: "\(symbol.name)(…)"
    case .number, .whole, .index, .definition: symbol.name
    }
  }

  /// How an answer to one of some tasks is written, of what they have use for: sentences of Markdown.
  ///
  /// In examples `a` and `b` are any formulas.
  public static func answerNotes(for tasks: [Derivation]) -> [String] {
    var notes = [
      "An answer has the symbols of its task, numbers, and `+ - * / ^`.",
      "A comparison is 1 where it holds and else 0: `(a > b)`.",
    ]
    if tasks.contains(where: { !$0.vocabulary.vectors.isEmpty }) {
      notes.append(
        "In brackets stands an index, of the task or of a sum: `sum(k, …)` adds up over all k.")
    }
    // A task with one index has another by a sum.
    if let pair = tasks.map(\.indices).max(by: { $0.count < $1.count }), !pair.isEmpty {
      let names = (pair + ["k"]).prefix(2).joined(separator: ", ")
      notes.append("`delta(\(names))` is 1 where both indices are the same, else 0.")
    }
    let functions = Expression.Function.allCases.map { "`\($0.form)`" }
    notes.append("Functions are " + functions.joined(separator: ", ") + ".")
    return notes
  }

  /// The names of the indices, in order.
  var indices: [String] { symbols.filter { $0.kind == .index }.map(\.name) }

  /// An expression of the task's own.
  func expression(_ text: String) -> Expression {
    do {
      return try Parser.read(text, vocabulary)
    } catch {
      preconditionFailure("\(id): \(text): \(error.complaint)")
    }
  }
}

/// How two indices of a matrix stand to each other.
enum IndexRelation: Sendable {
  case any, same, different
}

/// A formula of something else, and what is said to who types it.
struct Lookalike: Sendable {
  let formula: String
  let sentence: String

  init(_ formula: String, _ sentence: String) {
    (self.formula, self.sentence) = (formula, sentence)
  }
}

/// A formula with what the judge must say of it.
public struct Answer: Sendable {
  /// What somebody types.
  public let formula: String
  /// The judge's verdict; nil for what cannot be read.
  public let verdict: Verdict.Kind?
  /// What must stand in the judge's sentence.
  public let says: String
  /// Why the judge is wrong here, where it is.
  public let failure: String?

  init(_ formula: String, _ verdict: Verdict.Kind?, _ says: String = "", failure: String? = nil) {
    (self.formula, self.verdict, self.says, self.failure) = (formula, verdict, says, failure)
  }
}

/// A place where a formula may lose its digits: a symbol that becomes large, on either side.
struct Stress: Sendable {
  /// The symbol, as a sentence names it.
  let symbol: String
  /// Sets it.
  let set: @Sendable (inout Point<Double>, Double) -> Void

  init(_ symbol: String, set: @escaping @Sendable (inout Point<Double>, Double) -> Void) {
    (self.symbol, self.set) = (symbol, set)
  }

  /// A scalar that becomes large.
  static func scalar(_ name: String) -> Stress { Stress(name) { $0.scalars[name] = $1 } }

  /// The distances from 0 that are tried, in order.
  static let sizes: [Double] = [
    1, 2, 5, 10, 15, 20, 25, 30, 36, 40, 50, 80, 100, 150, 200, 300, 350, 360, 400, 500, 700, 720,
    750, 800, 1000,
  ]
}
