/// What a Swift file declares for other files, and what it names.
///
/// Where it cannot tell, it names too much: a result then counts as stale too often, and never too
/// seldom.
struct SwiftNames {
  /// Every word of the code.
  private(set) var words: Set<String> = []
  /// Every run of operator characters of the code.
  private(set) var symbols: Set<String> = []
  /// The names by which other files can mean this one: types, functions, operators, and the members
  /// that it adds to types of other files.
  private(set) var declared: Set<String> = []
  /// The types and protocols among them.
  private(set) var types: Set<String> = []
  /// The types that it extends, each as the parts of its name.
  private(set) var extended: [[String]] = []
  /// Those that it gives something which is used without a name: a conformance, a subscript.
  private(set) var silentlyExtended: [[String]] = []
  /// Those that it gives an initialiser, which is used by the type's name, or by `.init`.
  private(set) var initialised: [[String]] = []
  /// Whether it was understood.
  private(set) var isWhole: Bool

  private var tokens: [SwiftTokens.Token]

  /// Reads a file.
  init(_ source: String) {
    let code = SwiftTokens(source)
    tokens = code.tokens
    isWhole = code.isWhole
    for (index, token) in tokens.enumerated() {
      switch token {
      case .word("init") where isImplicitMember(index): words.insert(".init")
      case .word(let word): words.insert(word)
      case .symbol(let symbol): symbols.insert(symbol)
      case .mark: break
      }
    }
    if isWhole {
      declarations()
    } else {
      // All that may be a name.
      words = Set(source.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init))
      symbols = Set(source.split { $0.isLetter || $0.isNumber || $0.isWhitespace }.map(String.init))
    }
    tokens = []
  }

  /// Whether a word is a member of a type that the code does not name, as in `f(.init())`.
  private func isImplicitMember(_ index: Int) -> Bool {
    guard index > 0, tokens[index - 1] == .mark(UInt8(ascii: ".")) else { return false }
    switch index > 1 ? tokens[index - 2] : nil {
    case .word(let word): return ["return", "in", "else", "case", "try", "await"].contains(word)
    case .mark(let mark): return ![")", "]", "}", "\""].contains(Unicode.Scalar(mark))
    case .symbol(let symbol): return symbol.last != ">" || symbol == "->"
    case nil: return true
    }
  }

  /// An extension that is being read.
  private struct Extension {
    let path: [String]
    let isPrivate: Bool
    var members: Set<String> = []
    var isSilent: Bool
    var initialises = false
  }

  private mutating func declarations() {
    var depth = 0
    var isPrivate = false
    var open: Extension?
    var added: [Extension] = []
    var hidden: Set<String> = []
    var index = 0
    while index < tokens.count {
      defer { index += 1 }
      let inExtension = open != nil && depth == 1
      switch tokens[index] {
      case .mark(UInt8(ascii: "{")): depth += 1
      case .mark(UInt8(ascii: "}")):
        depth -= 1
        isPrivate = false
        if depth == 0, let closed = open {
          added.append(closed)
          open = nil
        }
      case .word(let word) where depth == 0 || inExtension:
        if index > 0, tokens[index - 1] == .mark(UInt8(ascii: ".")) { continue }
        if word == "private" || word == "fileprivate" {
          // Not `private(set)`.
          isPrivate = isPrivate || token(index + 1) != .mark(UInt8(ascii: "("))
          continue
        }
        if word == "import" { isPrivate = false }
        if word == "extension", depth == 0 {
          open = header(from: index + 1, isPrivate: isPrivate)
          isPrivate = false
          while index + 1 < tokens.count, tokens[index + 1] != .mark(UInt8(ascii: "{")) {
            index += 1
          }
          continue
        }
        guard let found = names(after: word, at: index) else { continue }
        defer { isPrivate = false }
        if isPrivate || open?.isPrivate == true {
          if open == nil, Self.kindsOfTypes.contains(word) { hidden.formUnion(found) }
          continue
        }
        if open == nil {
          declared.formUnion(found)
          if Self.kindsOfTypes.contains(word) { types.formUnion(found) }
          // A pattern that a switch matches is no type's.
          if found.contains("~=") { silentlyExtended.append([]) }
        } else if word == "init" {
          open!.initialises = true
        } else {
          open!.members.formUnion(found)
          if found.contains(where: Self.isSilent) { open!.isSilent = true }
        }
      default: break
      }
    }
    hidden.formUnion(types)
    for addition in added where !addition.path.contains(where: hidden.contains) {
      declared.formUnion(addition.members)
      if addition.isPrivate && !addition.isSilent { continue }
      extended.append(addition.path)
      if addition.isSilent { silentlyExtended.append(addition.path) }
      if addition.initialises { initialised.append(addition.path) }
    }
  }

  private func token(_ index: Int) -> SwiftTokens.Token? {
    index < tokens.count ? tokens[index] : nil
  }

  private static let kindsOfTypes: Set = ["struct", "enum", "class", "actor", "protocol"]

  /// Whether a member is used without its name.
  private static func isSilent(_ member: String) -> Bool {
    [
      "subscript", "callAsFunction", "appendInterpolation", "appendLiteral",
      "wrappedValue", "projectedValue", "dynamicallyCall", "makeIterator", "~=", "buildBlock",
      "buildExpression", "buildOptional", "buildEither", "buildArray", "buildPartialBlock",
      "buildFinalResult", "buildLimitedAvailability",
    ].contains(member)
  }

  /// The type that an extension extends, and whether it makes it conform to something.
  private func header(from start: Int, isPrivate: Bool) -> Extension {
    var path: [String] = []
    var isPath = true
    var conforms = false
    var index = start
    while let token = token(index), token != .mark(UInt8(ascii: "{")) {
      switch token {
      case .word("where"): return Extension(path: path, isPrivate: isPrivate, isSilent: conforms)
      case .word(let word) where isPath: path.append(word)
      case .symbol: isPath = false
      case .mark(UInt8(ascii: ":")):
        isPath = false
        conforms = true
      default: break
      }
      index += 1
    }
    return Extension(path: path, isPrivate: isPrivate, isSilent: conforms)
  }

  /// The names that a keyword declares; nil when the word is none, or declares nothing here.
  private func names(after keyword: String, at index: Int) -> [String]? {
    switch keyword {
    case "init", "subscript": return [keyword]
    case "typealias", "precedencegroup", "associatedtype", "macro", "struct", "enum", "class",
      "actor", "protocol":
      guard case .word(let name)? = token(index + 1), !["func", "var", "subscript"].contains(name)
      else { return nil }
      return [name]
    case "func", "operator":
      switch token(index + 1) {
      case .word(let name)?: return [name]
      // A generic parameter may follow an operator without a space.
      case .symbol(let name)?:
        return name.count > 1 && name.last == "<" ? [name, String(name.dropLast())] : [name]
      default: return nil
      }
    case "let", "var":
      switch token(index + 1) {
      case .word(let name)?: return [name]
      case .mark(UInt8(ascii: "("))?:
        return tokens[(index + 2)...].prefix { $0 != .mark(UInt8(ascii: ")")) }
          .compactMap { if case .word(let name) = $0 { name } else { nil } }
      default: return nil
      }
    default: return nil
    }
  }
}
