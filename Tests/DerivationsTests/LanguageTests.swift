import Foundation
import Testing

@testable import Derivations

@Suite struct LanguageTests {
  private let vocabulary: Vocabulary = {
    var vocabulary = Vocabulary()
    vocabulary.scalars = ["x", "y", "beta", "mu", "sigma", "eps"]
    vocabulary.vectors = ["P"]
    vocabulary.indices = ["i", "j"]
    vocabulary.aliases = ["x_in": "x", "X_out": "P"]
    vocabulary.hasGradient = true
    return vocabulary
  }()

  private var point: Point<Double> {
    var point = Point<Double>()
    point.scalars = ["x": 3, "y": 2, "beta": 5, "mu": 7, "sigma": 0.5, "eps": 11]
    point.vectors = ["P": [0.5, 0.25, 0.25]]
    (point.count, point.indices) = (3, ["i": 0, "j": 1])
    point.gradient = { $0 * 10 }
    return point
  }

  @Test(arguments: [
    ("1 + 2*3", 7), ("(1 + 2)*3", 9), ("-x^2", -9), ("(-x)^2", 9), ("2^3^2", 512), ("2^-1", 0.5),
    ("x - y - 1", 0), ("x - (y - 1)", 2), ("12/x/y", 2), ("12/(x/y)", 8), ("12/x*y", 8),
    ("x*-y", -6), ("x - -y", 5), ("--x", 3), ("+x", 3), ("-x*y", -6), ("-2^2", -4),
    (".5*x", 1.5), ("1.5e1", 15), ("2e-1", 0.2), ("x**2", 9), ("x²", 9), ("x²·y", 18),
    ("x^2^0", 3), ("β·y", 10), ("β × y ÷ 2", 5), ("x − 1", 2), ("μ", 7), ("ε", 11),
    ("P[i]", 0.5), ("P_j", 0.25), ("X_out[i] + x_in", 3.5), ("X_out_i", 0.5),
    ("delta(i,j)", 0), ("δ_ij", 0), ("delta(i, i)", 1), ("sum(k, P[k])", 1),
    ("sum(k, P_k^2)", 0.375), ("sum(k, 1)", 3), ("sum(k, sum(l, P[k]*P[l]))", 1),
    ("sum(k, delta(k,j)*P[k])", 0.25), ("(i == j)", 0), ("i != j", 1),
    ("grad(x + mu)", 100), ("∇f(x)", 30), ("exp(0) + ln(1)", 1), ("log(exp(x))", 3),
    ("sqrt(4)", 2), ("tanh(0) + sinh(0) + cosh(0)", 1), ("relu(-x)", 0), ("max(x, y)", 3),
    ("min(x, y)", 2), ("abs(-x)", 3), ("sign(-x)", -1), ("step(x)", 1), ("step(-x)", 0),
    ("(x > 0)*y", 2), ("x ≤ 3", 1), ("x < 3", 0), ("if(x > y, 10, 20)", 10),
    ("if(x < y, 1/0, 20)", 20),
  ])
  func aFormulaHasItsValue(_ text: String, _ value: Double) throws {
    let expression = try Parser.read(text, vocabulary)
    #expect(abs(expression.value(at: point) - value) < 1e-12)
    #expect(try Parser.read(expression.description, vocabulary) == expression)
  }

  @Test(arguments: [
    ("", "There is no formula", 0), ("   ", "There is no formula", 0),
    ("2x", "Put a * between “2” and “x”", 1), ("x y", "Put a * between “x” and “y”", 2),
    ("x(1 - y)", "Put a * between “x” and “(”", 1),
    ("sigma(x)", "Put a * between “sigma” and “(”", 5),
    ("(x)(y)", "Put a * between “)” and “(”", 3), ("(x y)", "Put a * between “x” and “y”", 3),
    ("x +", "Something is missing at the end", 3), ("*x", "“*” follows where", 0),
    ("x + * y", "“*” follows where", 4), ("(x", "This needs a ) before", 2),
    ("x)", "This ) closes nothing", 1), ("()", "“)” follows where", 1),
    ("exp x", "exp is a function and needs parentheses", 0), ("exp()", "“)” follows where", 4),
    ("max(x)", "max takes two arguments", 5), ("exp(x, y)", "exp takes one argument", 8),
    ("P", "P is a vector; say which element, as P[i]", 0), ("P[x]", "This should be an index", 2),
    ("P[k]", "This should be an index; here there is i, j", 2), ("P[i", "This needs a ]", 3),
    ("x[i]", "Only a vector has elements", 1), ("delta(i)", "δ has two indices", 7),
    ("sum(P[k])", "A sum begins with its index", 4),
    ("sum(i, P[i])", "“i” stands for something", 4),
    ("sum(k P[k])", "Put a * between “k” and “P”", 6), ("y = x", "Write the formula alone", 2),
    ("|x|", "Write abs(x)", 0), ("x_1", "There is no “x_1” in this task", 0),
    ("dz*y", "There is no “dz” in this task, which knows beta, eps,", 0),
    ("x # y", "The sign “#” has no meaning here", 2), ("x\u{0}", "The sign “U+0” has", 1),
    ("1 < x < 2", "Two comparisons need parentheses", 6),
    ("0.1234567890123456", "fifteen digits", 0),
    ("1e99", "fifteen digits", 0),
    ("1e-9223372036854775808", "fifteen digits", 0),
    ("sum(k, sum(l, sum(a, sum(b, 1))))", "Sums may stand 3 deep", 25),
  ])
  func whatCannotBeReadSaysWhere(_ text: String, _ complaint: String, _ position: Int) {
    let error = #expect(throws: ReadingError.self) { try Parser.read(text, vocabulary) }
    #expect(error?.complaint.contains(complaint) == true, "\(error?.complaint ?? "")")
    #expect(error?.position == position)
  }

  @Test func anUnknownNameComesWithThoseThatThereAre() {
    let error = #expect(throws: ReadingError.self) { try Parser.read("betta*x", vocabulary) }
    #expect(error?.unknownName == "betta" && error?.knownNames.contains("beta") == true)
  }

  @Test(arguments: [
    String(repeating: "(", count: 10_000), String(repeating: "((x)+", count: 10_000),
    String(repeating: "-", count: 1999), String(repeating: "exp(", count: 450),
    String(repeating: "x^", count: 900) + "x", String(repeating: "(", count: 150) + "x",
    String(repeating: "2^-", count: 600) + "1", String(repeating: "if(", count: 600),
  ])
  func whatIsTooLongOrTooDeepIsOneSentence(_ text: String) {
    let error = #expect(throws: ReadingError.self) { try Parser.read(text, vocabulary) }
    #expect(error?.complaint.isEmpty == false)
  }

  @Test func longSumsAreNotDeep() throws {
    let sum = try Parser.read(Array(repeating: "x", count: 900).joined(separator: "+"), vocabulary)
    #expect(sum.value(at: point) == 2700)
    let quotient = try Parser.read("x" + String(repeating: "/1", count: 900), vocabulary)
    #expect(quotient.value(at: point) == 3)
    let signs = try Parser.read(String(repeating: "-", count: 1000) + "x", vocabulary)
    #expect(signs.value(at: point) == 3)
  }

  @Test func printingAndReadingGiveTheSameFormula() throws {
    var formulas = RandomFormulas("printing", vocabulary)
    for _ in 0..<1000 {
      // Once printed and read, what reads alike is the same; nothing changes from then on.
      let text = formulas.expression(depth: 4).description
      let expression = try Parser.read(text, vocabulary)
      #expect(expression.description == text)
      #expect(try Parser.read(expression.description, vocabulary) == expression)
    }
  }

  @Test func aCaretStandsBelowThePlace() throws {
    let error = ReadingError("no", at: 3)
    #expect(error.marked(in: "x + ~") == ["x + ~", "   ^"])
    let long = String(repeating: "x+", count: 100) + "~"
    let lines = ReadingError("no", at: 200).marked(in: long)
    let (above, below) = (Array(lines[0]), Array(lines[1]))
    #expect(above.count <= 74 && above[below.firstIndex(of: "^")!] == "~")
  }

  /// What a task says that its answer may use is read there, by each of its names.
  @Test(arguments: Derivation.all)
  func theSymbolsOfATaskCanBeTyped(_ task: Derivation) throws {
    for symbol in task.symbols {
      let form = task.form(of: symbol)
      #expect(form.hasPrefix(symbol.name))
      // No index is written that others than it may stand for in the question and in the answer.
      for text in [task.prompt, task.answer] {
        for element in text.matches(of: /(\w+)\[\w\]/) where element.1 == symbol.name {
          #expect(form == element.1 + "[…]" || form == element.0)
        }
      }
      for name in [symbol.name] + symbol.aliases {
        #expect(name == symbol.name || symbol.wholeMeaning.contains(name))
        let inside = symbol.kind == .gradient ? "1" : "k"
        let written = name + form.dropFirst(symbol.name.count).replacing("…", with: inside)
        let formula =
          switch symbol.kind {
          case .index: "(\(written) == \(written))"
          // A task without an index of its own has one by a sum.
          case .vector, .vectorDefinition: "sum(k, \(written))"
          default: written
          }
        #expect(throws: Never.self) { try Parser.read(formula, task.vocabulary) }
      }
    }
  }

  /// How an answer is written is told with nothing that the task has no use for.
  @Test(arguments: Derivation.all)
  func theNotesAreOfTheTask(_ task: Derivation) throws {
    let notes = Derivation.answerNotes(for: [task])
    let forms = notes.joined(separator: " ").matches(of: /`([^`]+)`/).map { String($0.1) }
    let delta = forms.first { $0.hasPrefix("delta(") }
    #expect((delta != nil) == task.symbols.contains { $0.kind == .index })
    #expect(forms.contains("sum(k, …)") == !task.vocabulary.vectors.isEmpty)
    if let delta { _ = try Parser.read("sum(k, (k == k)*\(delta))", task.vocabulary) }
    for form in forms where form.contains(" > ") || form.contains("(a, ") {
      let formula = form.replacing("(a", with: "(1").replacing(" a", with: " 1")
        .replacing(" b", with: " 2")
      #expect(throws: Never.self) { try Parser.read(formula, task.vocabulary) }
    }
  }

  @Test func theNotesOfAChapterAreOfAllItsTasks() throws {
    let softmax = Derivation.all.filter { $0.chapter == "1.2" }
    #expect(Derivation.answerNotes(for: softmax).contains { $0.hasPrefix("`delta(i, j)`") })
    let momentum = Derivation.answerNotes(for: Derivation.all.filter { $0.chapter == "2.1" })
    #expect(!momentum.contains { $0.contains(/\b(sum|delta|x)\b/) })
  }

  @Test func theNotesNameEveryFunctionAsItIsTyped() throws {
    let notes = Derivation.answerNotes(for: []).joined(separator: " ")
    for function in Expression.Function.allCases {
      #expect(notes.contains("`\(function.form)`"))
      let formula =
        function.argumentCount == 1
        ? function.form + "(x)"
        : function.form.replacing(" a", with: " x").replacing("(a", with: "(x")
          .replacing(" b", with: " y")
      _ = try Parser.read(formula, vocabulary)
    }
  }
}
