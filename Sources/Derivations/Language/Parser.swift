/// Reads a formula: tokens in, an expression out, by recursive descent.
///
/// ```
/// comparison = sum [("<" | ">" | "<=" | ">=" | "==" | "!=") sum]
/// sum        = {sign} product {("+" | "-") {sign} product}
/// product    = power {("*" | "/") {sign} power}
/// power      = primary ["^" {sign} power]
/// primary    = number | name | name "[" index "]" | name "(" arguments ")" | "(" comparison ")"
/// ```
///
/// A minus sign binds less tightly than a power, `-x^2` is −(x²), and powers group to the right.
struct Parser {
  /// How deep parentheses, powers and functions may stand in each other.
  static let depthLimit = 100
  /// How many letters a formula may have.
  static let lengthLimit = 2000
  /// How many sums may stand in each other; each multiplies the work.
  static let totalLimit = 3

  private let tokens: [Token]
  private let vocabulary: Vocabulary
  private var place = 0
  private var depth = 0
  private var bound: [String] = []

  /// The expression of a text.
  ///
  /// - Throws: `ReadingError` for what is no formula, or one that the vocabulary has no names for.
  static func read(
    _ text: String, _ vocabulary: Vocabulary
  ) throws(ReadingError) -> Expression {
    guard text.count <= lengthLimit else {
      throw ReadingError("A formula may have \(lengthLimit) letters", at: lengthLimit)
    }
    var parser = Parser(tokens: try Lexer.tokens(of: text), vocabulary: vocabulary)
    guard parser.token.kind != .end else { throw ReadingError("There is no formula", at: 0) }
    let expression = try parser.comparison()
    guard parser.token.kind == .end else { throw parser.complaintAboutRest() }
    return expression
  }

  private init(tokens: [Token], vocabulary: Vocabulary) {
    (self.tokens, self.vocabulary) = (tokens, vocabulary)
  }

  // MARK: Tokens

  private var token: Token { tokens[place] }

  private func isAt(_ mark: String) -> Bool { token.kind == .mark(mark) }

  private mutating func skip(_ mark: String) -> Bool {
    guard isAt(mark) else { return false }
    place += 1
    return true
  }

  private mutating func require(_ mark: String, _ complaint: String) throws(ReadingError) {
    guard skip(mark) else { throw startsFactor ? complaintAboutRest() : error(complaint) }
  }

  private func error(_ complaint: String) -> ReadingError {
    ReadingError(complaint, at: token.position)
  }

  /// Whether a factor begins here, which after another lacks a sign between.
  private var startsFactor: Bool {
    switch token.kind {
    case .number, .name, .mark("("): true
    case .mark, .end: false
    }
  }

  /// What is wrong where a formula should have ended or gone on.
  private func complaintAboutRest() -> ReadingError {
    if startsFactor {
      return error("Put a * between “\(tokens[place - 1].text)” and “\(token.text)”")
    }
    switch token.kind {
    case .mark(")"): return error("This ) closes nothing")
    case .mark("["): return error("Only a vector has elements, which are written as P[i]")
    case .mark(let mark) where Expression.Relation(rawValue: mark) != nil:
      return error("Two comparisons need parentheses")
    default: return error("“\(token.text)” is out of place")
    }
  }

  /// Reads what stands one step deeper.
  private mutating func deeper<Result>(
    _ read: (inout Parser) throws(ReadingError) -> Result
  ) throws(ReadingError) -> Result {
    guard depth < Self.depthLimit else {
      throw error("Parentheses and powers may stand \(Self.depthLimit) deep in each other")
    }
    depth += 1
    defer { depth -= 1 }
    return try read(&self)
  }

  // MARK: Operators

  private mutating func comparison() throws(ReadingError) -> Expression {
    let left = try sum()
    guard case .mark(let mark) = token.kind, let relation = Expression.Relation(rawValue: mark)
    else { return left }
    place += 1
    return .comparison(left, relation, try sum())
  }

  private mutating func sum() throws(ReadingError) -> Expression {
    var terms = [Expression.Term(isSubtracted: isNegative(), value: try product())]
    while isAt("+") || isAt("-") {
      terms.append(Expression.Term(isSubtracted: isNegative(), value: try product()))
    }
    return terms.count == 1 && !terms[0].isSubtracted ? terms[0].value : .sum(terms)
  }

  private mutating func product() throws(ReadingError) -> Expression {
    var factors = [Expression.Factor(isDivisor: false, value: try power())]
    while isAt("*") || isAt("/") {
      let isDivisor = isAt("/")
      place += 1
      factors.append(Expression.Factor(isDivisor: isDivisor, value: try signedPower()))
    }
    return factors.count == 1 ? factors[0].value : .product(factors)
  }

  private mutating func power() throws(ReadingError) -> Expression {
    let base = try primary()
    guard skip("^") else { return base }
    return .power(base, try deeper { (parser) throws(ReadingError) in try parser.signedPower() })
  }

  private mutating func signedPower() throws(ReadingError) -> Expression {
    let isNegative = isNegative()
    let value = try power()
    return isNegative ? .negative(value) : value
  }

  /// Skips signs; whether they come to a minus.
  private mutating func isNegative() -> Bool {
    var result = false
    while isAt("+") || isAt("-") {
      if isAt("-") { result.toggle() }
      place += 1
    }
    return result
  }

  // MARK: Primaries

  private mutating func primary() throws(ReadingError) -> Expression {
    let start = token
    switch start.kind {
    case .number(let number):
      place += 1
      return .number(number)
    case .name(let name):
      place += 1
      return try named(name, start)
    case .mark("("):
      place += 1
      let inner = try deeper { (parser) throws(ReadingError) in try parser.comparison() }
      try require(")", "This needs a ) before")
      return inner
    case .end: throw error("Something is missing at the end")
    case .mark: throw error("“\(start.text)” follows where a number or a name should")
    }
  }

  private mutating func named(_ typed: String, _ start: Token) throws(ReadingError) -> Expression {
    let name = vocabulary.canonical(typed)
    if isAt("["), vocabulary.vectors.contains(name) {
      place += 1
      let index = try index()
      try require("]", "This needs a ] before")
      return .element(name, index: index)
    }
    // A task's own symbol goes before a function of that name: σ is a deviation where there is one.
    if isAt("("), !vocabulary.scalars.contains(name), let call = try call(name) { return call }
    if vocabulary.scalars.contains(name) { return .scalar(name) }
    if isIndex(name) { return .index(name) }
    if let element = subscripted(name) { return element }
    let position = start.position
    if vocabulary.vectors.contains(name) {
      let index = vocabulary.indices.sorted().first ?? "k"
      throw ReadingError(
        "\(start.text) is a vector; say which element, as \(name)[\(index)]", at: position)
    }
    if Expression.Function(named: name) != nil || Self.forms.contains(name) {
      throw ReadingError("\(start.text) is a function and needs parentheses", at: position)
    }
    throw ReadingError(
      "There is no “\(start.text)” in this task, which knows "
        + vocabulary.symbols.joined(separator: ", "),
      at: position, unknown: start.text, known: vocabulary.names)
  }

  /// What looks like a function and is none.
  private static let forms: Set<String> = ["sum", "delta", "grad"]

  /// A function with its arguments; nil where the name is none.
  private mutating func call(_ name: String) throws(ReadingError) -> Expression? {
    let start = tokens[place - 1]
    let function = Expression.Function(named: name)
    guard function != nil || Self.forms.contains(name) else { return nil }
    if name == "grad", !vocabulary.hasGradient {
      throw ReadingError(
        "This task has no function whose gradient could be taken", at: start.position)
    }
    place += 1
    let expression = try deeper { (parser) throws(ReadingError) in
      switch name {
      case "sum": try parser.total()
      case "delta": try parser.delta()
      case "grad": Expression.gradient(try parser.sum())
      default: Expression.call(function!, try parser.arguments(of: function!))
      }
    }
    try require(")", "This needs a ) before")
    return expression
  }

  private mutating func arguments(
    of function: Expression.Function
  ) throws(ReadingError) -> [Expression] {
    var arguments = [try comparison()]
    while skip(",") { arguments.append(try comparison()) }
    guard arguments.count == function.argumentCount else {
      let count = ["one argument", "two arguments", "three arguments"][function.argumentCount - 1]
      throw error("\(function.rawValue) takes \(count)")
    }
    return arguments
  }

  private mutating func total() throws(ReadingError) -> Expression {
    guard case .name(let name) = token.kind, !vocabulary.scalars.contains(name),
      !vocabulary.vectors.contains(name)
    else { throw error("A sum begins with its index: sum(k, …)") }
    guard !isIndex(name) else {
      throw error("“\(name)” stands for something already; sum over another letter")
    }
    guard bound.count < Self.totalLimit else {
      throw error("Sums may stand \(Self.totalLimit) deep in each other")
    }
    place += 1
    try require(",", "A sum has its index, a comma, and what is added up: sum(k, …)")
    bound.append(name)
    defer { bound.removeLast() }
    return .total(index: name, try comparison())
  }

  private mutating func delta() throws(ReadingError) -> Expression {
    let first = try index()
    try require(",", "δ has two indices, with a comma between: delta(i, j)")
    return .delta(first, try index())
  }

  // MARK: Indices

  private func isIndex(_ name: String) -> Bool {
    bound.contains(name) || vocabulary.indices.contains(name)
  }

  private mutating func index() throws(ReadingError) -> String {
    guard case .name(let name) = token.kind, isIndex(name) else {
      let known = vocabulary.indices.sorted() + bound
      let hint =
        known.isEmpty ? "a sum binds one" : "here there is \(known.joined(separator: ", "))"
      throw error("This should be an index; \(hint)")
    }
    place += 1
    return name
  }

  /// `P_i` for `P[i]`, and `δ_ij` for `delta(i, j)`; nil for what is neither.
  private func subscripted(_ name: String) -> Expression? {
    guard let bar = name.lastIndex(of: "_") else { return nil }
    let (base, rest) = (vocabulary.canonical(String(name[..<bar])), name[bar...].dropFirst())
    if vocabulary.vectors.contains(base), isIndex(String(rest)) {
      return .element(base, index: String(rest))
    }
    let letters = rest.map(String.init)
    guard base == "delta", letters.count == 2, letters.allSatisfy(isIndex) else { return nil }
    return .delta(letters[0], letters[1])
  }
}
