import Files
import Foundation

/// A comparison over named numbers, such as `2 * nesterov.steps < momentum.steps and loss <= 0.1`.
///
/// The grammar, in which `and` binds loosest:
///
///     predicate  = comparison { "and" comparison }
///     comparison = sum ( "<" | "<=" | ">" | ">=" | "==" ) sum
///     sum        = product { ( "+" | "-" ) product }
///     product    = unary { ( "*" | "/" ) unary }
///     unary      = [ "-" ] ( number | name | "(" sum ")" )
///
/// What is nested more than 64 deep, or has more than 256 operations, is no comparison.
public struct Predicate: Sendable {
  let comparisons: [Comparison]

  /// The names that the comparison uses.
  public let names: Set<String>
  /// The numbers that it uses, in their order.
  let constants: [Double]

  /// The constants as factors between what stands left and what stands right: 0.5 for `2 * a < b`
  /// and for `a < 0.5 * b`.
  var factors: [Double] {
    var factors = constants
    for comparison in comparisons {
      comparison.left.visit { if $1 != $2 { factors[$0] = 1 / constants[$0] } }
      comparison.right.visit { if $2 { factors[$0] = 1 / constants[$0] } }
    }
    return factors
  }

  /// The products of two factors of one comparison: 2/3 for `a < 2 / 3 * b`.
  var products: [Double] {
    let factors = factors
    return comparisons.flatMap { comparison in
      var places: [Int] = []
      for side in [comparison.left, comparison.right] {
        side.visit { place, isFactor, _ in if isFactor { places.append(place) } }
      }
      return places.indices.flatMap { a in places[..<a].map { factors[places[a]] * factors[$0] } }
    }
  }

  /// Parses a comparison.
  /// - Throws: `LabError` of kind `.failed` that says what was expected where.
  public init(_ text: String) throws(LabError) {
    var parser = Parser(tokens: try Token.all(of: text), text: text)
    comparisons = try parser.predicate()
    names = parser.names
    constants = parser.constants
  }

  /// Whether a text can name a value: letters and digits in words joined by dots, a letter first.
  public static func isName(_ text: String) -> Bool {
    let words = text.split(separator: ".", omittingEmptySubsequences: false)
    return words.allSatisfy { !$0.isEmpty && $0.allSatisfy(isNameCharacter) }
      && text.first.map { $0.isLetter || $0 == "_" } == true && text != "and"
  }

  /// Whether the comparison is true of these numbers.
  /// - Throws: `LabError` of kind `.failed` for an unknown name or a side that is not finite.
  public func holds(in numbers: [String: Double]) throws(LabError) -> Bool {
    var holds = true
    // Each comparison is evaluated, even when one before it is false: a misspelt name in a claim
    // that is false today would otherwise be found on the day when the claim is true.
    for comparison in comparisons {
      let left = try comparison.left.value(numbers, constants)
      let right = try comparison.right.value(numbers, constants)
      guard left.isFinite, right.isFinite else {
        throw LabError(
          .failed,
          "a side of “\(comparison.relation)” is not finite, as after a division by 0.")
      }
      holds = Predicate.compare(left, comparison.relation, right) && holds
    }
    return holds
  }

  private static func compare(_ left: Double, _ relation: String, _ right: Double) -> Bool {
    switch relation {
    case "<": left < right
    case "<=": left <= right
    case ">": left > right
    case ">=": left >= right
    default: left == right
    }
  }

  /// A comparison in other words for its names, spaced as one writes it: for who shows it filled in.
  ///
  /// - Throws: `LabError` of kind `.failed` when the text has no words of a comparison.
  package static func rewritten(
    _ text: String, name: (String) -> String
  ) throws(LabError) -> String {
    var result = ""
    var isOperand = false
    for token in try Token.all(of: text) {
      var word: String
      var isTight = result.isEmpty || result.hasSuffix("(") || result.hasSuffix("−")
      switch token {
      case .number(_, let written): word = written
      case .name(let named): word = named == "and" ? named : name(named)
      case .symbol(let symbol):
        word = ["<=": "≤", ">=": "≥", "==": "=", "*": "·", "-": "−"][symbol] ?? symbol
        if symbol == ")" { isTight = true }
        // A sign stands before its operand; a difference has a space on either side.
        if symbol == "-", isOperand { word = "− " }
      }
      if result.hasSuffix(" ") { isTight = true }
      result += (isTight ? "" : " ") + word
      isOperand = !(token == .name("and"))
      if case .symbol(let symbol) = token, symbol != ")" { isOperand = false }
    }
    return result
  }

  fileprivate static func isNameCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_")
  }
}

/// Two sides and how they should stand to each other.
struct Comparison: Sendable {
  let left: Expression
  let relation: String
  let right: Expression

  /// By how much the comparison holds, negative where it does not; nil for `==`, or when it cannot
  /// be evaluated.
  func margin(_ numbers: [String: Double], _ constants: [Double]) -> Double? {
    guard let left = try? left.value(numbers, constants),
      let right = try? right.value(numbers, constants), relation != "=="
    else { return nil }
    return relation.hasPrefix("<") ? right - left : left - right
  }
}

/// An arithmetic expression over named numbers and the constants of its predicate.
indirect enum Expression: Sendable {
  /// The place of a number among the predicate's constants.
  case constant(Int)
  case name(String)
  case negated(Expression)
  case operation(Expression, String, Expression)

  func value(_ numbers: [String: Double], _ constants: [Double]) throws(LabError) -> Double {
    switch self {
    case .constant(let index): return constants[index]
    case .name(let name):
      guard let value = numbers[name] else {
        throw LabError(.failed, "no value or quote is named \(name).")
      }
      return value
    case .negated(let inner): return 0 - (try inner.value(numbers, constants))
    case .operation(let left, let symbol, let right):
      let a = try left.value(numbers, constants)
      let b = try right.value(numbers, constants)
      switch symbol {
      case "+": return a + b
      case "-": return a - b
      case "*": return a * b
      default: return a / b
      }
    }
  }

  /// Calls a function with each constant, whether it multiplies or divides a name, and whether it
  /// divides.
  func visit(
    isFactor: Bool = false, isDivisor: Bool = false, _ body: (Int, Bool, Bool) -> Void
  ) {
    switch self {
    case .constant(let index): body(index, isFactor, isDivisor)
    case .name: break
    case .negated(let inner): inner.visit(isFactor: isFactor, isDivisor: isDivisor, body)
    case .operation(let left, let symbol, let right):
      let isProduct = symbol == "*" || symbol == "/"
      left.visit(
        isFactor: isFactor || (isProduct && !right.names.isEmpty), isDivisor: isDivisor, body)
      right.visit(
        isFactor: isFactor || (isProduct && !left.names.isEmpty),
        isDivisor: isDivisor != (symbol == "/"), body)
    }
  }

  /// The names in it.
  var names: Set<String> {
    switch self {
    case .constant: []
    case .name(let name): [name]
    case .negated(let inner): inner.names
    case .operation(let left, _, let right): left.names.union(right.names)
    }
  }
}

private enum Token: Equatable {
  /// A number and how it is written.
  case number(Double, String)
  case name(String)
  case symbol(String)

  var text: String {
    switch self {
    case .number(let value, _): "\(value)"
    case .name(let name): name
    case .symbol(let symbol): symbol
    }
  }

  static func all(of text: String) throws(LabError) -> [Token] {
    var tokens: [Token] = []
    let characters = Array(text)
    var position = 0
    func isDigit(_ place: Int) -> Bool {
      place < characters.count && ("0"..."9").contains(characters[place])
    }
    func isNamePart(_ place: Int) -> Bool {
      place < characters.count && Predicate.isNameCharacter(characters[place])
    }
    func skipDigits() { while isDigit(position) { position += 1 } }
    while position < characters.count {
      let start = position
      let first = characters[position]
      if first.isWhitespace {
        position += 1
      } else if isDigit(position) {
        skipDigits()
        if position < characters.count, characters[position] == ".", isDigit(position + 1) {
          position += 1
          skipDigits()
        }
        if position < characters.count, "eE".contains(characters[position]) {
          let hasSign = position + 1 < characters.count && "+-".contains(characters[position + 1])
          if isDigit(position + (hasSign ? 2 : 1)) {
            position += hasSign ? 2 : 1
            skipDigits()
          }
        }
        // "2x" and "1.5.2" are no numbers with something behind them.
        guard let value = Double(String(characters[start..<position])), !isNamePart(position),
          position == characters.count || characters[position] != "."
        else {
          throw LabError(
            .failed,
            "“\(excerpt(characters[start...]))” in “\(excerpt(text))” does not begin with a number."
          )
        }
        tokens.append(.number(value, String(characters[start..<position])))
      } else if isNamePart(position) {
        while isNamePart(position)
          || (characters[position...].first == "." && isNamePart(position + 1))
        {
          position += 1
        }
        tokens.append(.name(String(characters[start..<position])))
      } else if "<>=".contains(first), position + 1 < characters.count,
        characters[position + 1] == "="
      {
        tokens.append(.symbol("\(first)="))
        position += 2
      } else if "<>+-*/()".contains(first) {
        tokens.append(.symbol("\(first)"))
        position += 1
      } else {
        throw LabError(.failed, "“\(first)” in “\(excerpt(text))” is no part of a comparison.")
      }
    }
    return tokens
  }
}

/// The beginning of a text that an error quotes: a predicate may be of any length.
private func excerpt(_ text: some Sequence<Character>) -> String {
  let start = String(text.prefix(81))
  return start.count > 80 ? start.dropLast() + "…" : start
}

/// Recursive descent, one method for each rule of the grammar.
private struct Parser {
  static let relations: Set<String> = ["<", "<=", ">", ">=", "=="]
  /// How deep an expression may be: each level takes some of the stack, and no claim needs it.
  static let greatestDepth = 64
  /// And how many operations it may have, since a chain of them is as deep as it is long.
  static let greatestLength = 256

  var tokens: [Token]
  let text: String
  var position = 0
  var names: Set<String> = []
  var constants: [Double] = []
  private var operations = 0

  init(tokens: [Token], text: String) {
    self.tokens = tokens
    self.text = text
  }

  mutating func predicate() throws(LabError) -> [Comparison] {
    var comparisons = [try comparison()]
    while take([.name("and")]) != nil { comparisons.append(try comparison()) }
    guard position == tokens.count else { throw unexpected("“and” or the end") }
    return comparisons
  }

  mutating func comparison() throws(LabError) -> Comparison {
    let left = try sum(0)
    guard let relation = takeSymbol(Parser.relations) else {
      throw unexpected("<, <=, >, >= or ==")
    }
    let right = try sum(0)
    if position < tokens.count, case .symbol(let next) = tokens[position],
      Parser.relations.contains(next)
    {
      throw LabError(
        .failed,
        "“\(excerpt(text))” chains comparisons; write “a < b and b < c” in place of “a < b < c”.")
    }
    return Comparison(left: left, relation: relation, right: right)
  }

  mutating func sum(_ depth: Int) throws(LabError) -> Expression {
    var result = try product(depth)
    while let symbol = try takeOperator(["+", "-"]) {
      result = .operation(result, symbol, try product(depth))
    }
    return result
  }

  mutating func product(_ depth: Int) throws(LabError) -> Expression {
    var result = try unary(depth)
    while let symbol = try takeOperator(["*", "/"]) {
      result = .operation(result, symbol, try unary(depth))
    }
    return result
  }

  mutating func unary(_ depth: Int) throws(LabError) -> Expression {
    guard depth < Parser.greatestDepth else { throw tooDeep }
    if takeSymbol(["-"]) != nil { return .negated(try unary(depth + 1)) }
    if takeSymbol(["("]) != nil {
      let inner = try sum(depth + 1)
      guard takeSymbol([")"]) != nil else { throw unexpected("a closing parenthesis") }
      return inner
    }
    guard position < tokens.count else { throw unexpected("a number or a name") }
    switch tokens[position] {
    case .number(let value, _):
      position += 1
      constants.append(value)
      return .constant(constants.count - 1)
    case .name(let name) where name != "and" && Predicate.isName(name):
      position += 1
      names.insert(name)
      return .name(name)
    default:
      throw unexpected("a number or a name")
    }
  }

  private mutating func take(_ wanted: [Token]) -> Token? {
    guard position < tokens.count, wanted.contains(tokens[position]) else { return nil }
    position += 1
    return tokens[position - 1]
  }

  private mutating func takeSymbol(_ symbols: Set<String>) -> String? {
    guard position < tokens.count, case .symbol(let symbol) = tokens[position],
      symbols.contains(symbol)
    else { return nil }
    position += 1
    return symbol
  }

  private mutating func takeOperator(_ symbols: Set<String>) throws(LabError) -> String? {
    guard let symbol = takeSymbol(symbols) else { return nil }
    operations += 1
    guard operations <= Parser.greatestLength else { throw tooDeep }
    return symbol
  }

  private var tooDeep: LabError {
    LabError(
      .failed,
      "“\(excerpt(text))” is nested more than \(Parser.greatestDepth) deep or has more than "
        + "\(Parser.greatestLength) operations; let the run compute a part of it as a value.")
  }

  private func unexpected(_ wanted: String) -> LabError {
    let found = position < tokens.count ? "“\(tokens[position].text)”" : "the end"
    return LabError(.failed, "“\(excerpt(text))” has \(found) where \(wanted) should be.")
  }
}
