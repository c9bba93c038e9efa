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
public struct Predicate: Sendable {
  private let comparisons: [(left: Expression, relation: String, right: Expression)]

  /// The names that the comparison uses.
  public let names: Set<String>

  /// Parses a comparison.
  /// - Throws: `LabError` of kind `.failed` that says what was expected where.
  public init(_ text: String) throws(LabError) {
    var parser = Parser(tokens: try Token.all(of: text), text: text)
    comparisons = try parser.predicate()
    names = parser.names
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
    for (left, relation, right) in comparisons {
      let sides = (try left.value(in: numbers), try right.value(in: numbers))
      guard sides.0.isFinite, sides.1.isFinite else {
        throw LabError(.failed, "a side of “\(relation)” is not finite, as after a division by 0.")
      }
      holds = Predicate.compare(sides.0, relation, sides.1) && holds
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

  private static func isNameCharacter(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || character == "_")
  }
}

/// An arithmetic expression over named numbers.
private indirect enum Expression: Sendable {
  case number(Double)
  case name(String)
  case operation(Expression, String, Expression)

  func value(in numbers: [String: Double]) throws(LabError) -> Double {
    switch self {
    case .number(let value): return value
    case .name(let name):
      guard let value = numbers[name] else {
        throw LabError(.failed, "no value or quote is named \(name).")
      }
      return value
    case .operation(let left, let symbol, let right):
      let (a, b) = (try left.value(in: numbers), try right.value(in: numbers))
      switch symbol {
      case "+": return a + b
      case "-": return a - b
      case "*": return a * b
      default: return a / b
      }
    }
  }
}

private enum Token: Equatable {
  case number(Double)
  case name(String)
  case symbol(String)

  var text: String {
    switch self {
    case .number(let value): "\(value)"
    case .name(let name): name
    case .symbol(let symbol): symbol
    }
  }

  static func all(of text: String) throws(LabError) -> [Token] {
    var tokens: [Token] = []
    var rest = text[...]
    while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
      } else if let match = rest.prefixMatch(of: /[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/) {
        // "2x" and "1.5.2" are no numbers with something behind them.
        guard let value = Double(match.output),
          rest[match.range.upperBound...].prefixMatch(of: /[A-Za-z0-9_.]/) == nil
        else { throw LabError(.failed, "“\(rest)” in “\(text)” does not begin with a number.") }
        tokens.append(.number(value))
        rest = rest[match.range.upperBound...]
      } else if let match = rest.prefixMatch(of: /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*/) {
        tokens.append(.name(String(match.output)))
        rest = rest[match.range.upperBound...]
      } else if let match = rest.prefixMatch(of: /<=|>=|==|[<>+\-*\/()]/) {
        tokens.append(.symbol(String(match.output)))
        rest = rest[match.range.upperBound...]
      } else {
        throw LabError(.failed, "“\(first)” in “\(text)” is no part of a comparison.")
      }
    }
    return tokens
  }
}

/// Recursive descent, one method for each rule of the grammar.
private struct Parser {
  static let relations: Set<String> = ["<", "<=", ">", ">=", "=="]

  var tokens: [Token]
  let text: String
  var position = 0
  var names: Set<String> = []

  mutating func predicate() throws(LabError) -> [(Expression, String, Expression)] {
    var comparisons = [try comparison()]
    while take([.name("and")]) != nil { comparisons.append(try comparison()) }
    guard position == tokens.count else { throw unexpected("“and” or the end") }
    return comparisons
  }

  mutating func comparison() throws(LabError) -> (Expression, String, Expression) {
    let left = try sum()
    guard let relation = takeSymbol(Parser.relations) else {
      throw unexpected("<, <=, >, >= or ==")
    }
    let right = try sum()
    if position < tokens.count, case .symbol(let next) = tokens[position],
      Parser.relations.contains(next)
    {
      throw LabError(
        .failed, "“\(text)” chains comparisons; write “a < b and b < c” in place of “a < b < c”.")
    }
    return (left, relation, right)
  }

  mutating func sum() throws(LabError) -> Expression {
    var result = try product()
    while let symbol = takeSymbol(["+", "-"]) {
      result = .operation(result, symbol, try product())
    }
    return result
  }

  mutating func product() throws(LabError) -> Expression {
    var result = try unary()
    while let symbol = takeSymbol(["*", "/"]) {
      result = .operation(result, symbol, try unary())
    }
    return result
  }

  mutating func unary() throws(LabError) -> Expression {
    if takeSymbol(["-"]) != nil { return .operation(.number(0), "-", try unary()) }
    if takeSymbol(["("]) != nil {
      let inner = try sum()
      guard takeSymbol([")"]) != nil else { throw unexpected("a closing parenthesis") }
      return inner
    }
    guard position < tokens.count else { throw unexpected("a number or a name") }
    switch tokens[position] {
    case .number(let value):
      position += 1
      return .number(value)
    case .name(let name) where name != "and":
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
    take(symbols.map(Token.symbol))?.text
  }

  private func unexpected(_ wanted: String) -> LabError {
    let found = position < tokens.count ? "“\(tokens[position].text)”" : "the end"
    return LabError(.failed, "“\(text)” has \(found) where \(wanted) should be.")
  }
}
