import Chapters
import Foundation
import Testing

@testable import Derivations

@Suite struct TryCommandTests {
  private let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Runs `lab try` with a cache of the test's own.
  private func attempt(_ arguments: String..., input: String? = nil) async throws -> Outcome {
    if let input { try scratch.write(Data(input.utf8), to: "input") }
    let shell = input.map { _ in "exec < '\(scratch.path("input"))'" }
    return try await Tool.run(
      ["try"] + arguments,
      environment: ["XDG_CACHE_HOME": scratch.url.path, "LAB_DATA": nil], shell: shell)
  }

  @Test func theTasksAreListedWithWhatIsSolved() async throws {
    let before = try await attempt()
    #expect(before.code == 0 && before.errors == "")
    #expect(before.output.contains("1.1  What an activation function passes back\n  sigmoid "))
    #expect(before.output.contains("\n0 of \(Derivation.all.count) solved."))
    #expect(before.output.contains("swift run lab try 1.1 sigmoid \"FORMULA\""))
    _ = try await attempt("1.1", "sigmoid", "dy*y*(1 - y)")
    let after = try await attempt()
    #expect(after.output.contains("\n✓ sigmoid "))
    #expect(after.output.contains("\n1 of \(Derivation.all.count) solved."))
    let chapter = try await attempt("2.1")
    #expect(chapter.code == 0 && chapter.output.hasPrefix("2.1  "))
    #expect(chapter.output.contains("What is momentum's new velocity"))
    #expect(!chapter.output.contains("sigmoid"))
    let json = try await attempt("--json").json
    let tasks = try #require(json["tasks"] as? [[String: Any]])
    #expect(json["version"] as? Int == 1 && tasks.count == Derivation.all.count)
    #expect(
      Set(tasks[0].keys) == ["chapter", "name", "title", "question", "isSolved"])
    #expect(tasks[0]["isSolved"] as? Bool == true && tasks[1]["isSolved"] as? Bool == false)
  }

  @Test(arguments: [
    (["1.1", "sigmoid", "dy * y * (1 - y)"], 0, "✓ Right: it is equal to the answer by algebra"),
    (["1.1", "sigmoid", "dy", "*", "y", "*(1 - y)"], 0, "✓ Right"),
    (
      ["1.1", "sigmoid", "dy*exp(-x)/(1 + exp(-x))^2"], 0,
      "✓ Right, but unstable: when x is -710 or less it is no number"
    ),
    (["1.1", "sigmoid", "y*(1 - y)"], 1, "✗ Off by a factor: dy is missing."),
    (["1.1", "sigmoid", "-dy*y*(1 - y)"], 1, "✗ Off by the sign: it is minus the answer."),
    (["1.2", "same", "-beta*P[i]*(1 - P[i])"], 0, "✓ Right"),
    (["1.2", "same", "--", "-beta*P[i]*(1 - P[i])", "--no-color"], 64, ""),
    (["1.2", "jacobian", "beta*P[i]*P[j]"], 1, "✗ Right for i ≠ j, and wrong for i = j."),
    (["1.2", "product", "β·P_j·(sum(k, P_k·dy_k) − dy_j)"], 0, "✓ Right"),
    (
      ["2.1", "momentum", "mu*v - eps*grad(theta + mu*v)"], 1,
      "✗ This is Nesterov's, you were asked for momentum."
    ),
    (["1.1", "tanh", "1/0"], 1, "✗ It divides by zero: `0` is 0"),
  ])
  func aFormulaIsJudged(_ words: [String], _ code: Int32, _ output: String) async throws {
    let outcome = try await Tool.run(
      ["try"] + words, environment: ["XDG_CACHE_HOME": scratch.url.path, "LAB_DATA": nil])
    #expect(outcome.code == code, "\(outcome)")
    #expect(outcome.output.hasPrefix(output) && (code == 64 || outcome.errors == ""), "\(outcome)")
  }

  @Test func whatCannotBeReadIsOneSentenceWithACaret() async throws {
    func expect(_ formula: String, _ errors: String) async throws {
      let outcome = try await attempt("1.1", "sigmoid", formula)
      #expect(outcome == Outcome(code: 64, output: "", errors: errors + "\n"))
    }
    try await expect(
      "dz*y*(1 - y)",
      "There is no “dz” in this task, which knows dy, x, y; did you mean dy?\n"
        + "  dz*y*(1 - y)\n  ^")
    try await expect("dy*y(1 - y)", "Put a * between “y” and “(”.\n  dy*y(1 - y)\n      ^")
    try await expect("dy*(y", "This needs a ) before.\n  dy*(y\n       ^")
    let deep = try await attempt("1.1", "sigmoid", String(repeating: "(", count: 10_000))
    #expect(deep.code == 64 && deep.output == "")
    #expect(deep.errors.hasPrefix("A formula may have 2000 letters.\n"))
    #expect(deep.errors.count(where: { $0 == "\n" }) == 3)
  }

  @Test func whatIsNotThereIsNamed() async throws {
    func expect(_ words: [String], _ sentence: String) async throws {
      let outcome = try await Tool.run(["try"] + words)
      #expect(outcome == Outcome(code: 64, output: "", errors: sentence + "\n"))
    }
    try await expect(
      ["1.1", "sigmoud"],
      "Chapter 1.1 has no task “sigmoud”; did you mean sigmoid? “lab try 1.1” lists them.")
    try await expect(
      ["1.11"],
      "There is no chapter 1.11 with derivations; did you mean 1.1? “lab try” lists them all.")
    try await expect(
      ["sigmoid"], "sigmoid is a task of chapter 1.1; run: swift run lab try 1.1 sigmoid")
    try await expect(
      ["2.4"], "Chapter 2.4 has no derivations to try; “lab try” lists those that there are.")
    let option = try await Tool.run("try", "1.1", "sigmoid", "--jsn")
    #expect(option.code == 64 && option.errors.contains("There is no option “--jsn”."))
  }

  @Test func aDialogueGoesOnUntilAFormulaIsRight() async throws {
    let outcome = try await attempt(
      "1.1", "tanh", input: "dy*(1 - y)\n\n?\nhint\ndy*(1 - z)\ndy*(1 - y^2)\nnot read\n")
    #expect(outcome.code == 0 && outcome.errors == "")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines[0] == "1.1  The pullback of tanh")
    let end = try #require(lines.firstIndex { $0.hasPrefix("Type a formula;") })
    #expect(lines[end + 1] == "✗ All is right but one exponent.")
    #expect(lines[end + 2].hasPrefix("Hint 1 of 3: By the chain rule"))
    #expect(lines[end + 3].hasPrefix("Hint 2 of 3: "))
    #expect(lines[end + 4].hasPrefix("There is no “z” in this task"))
    #expect(lines[end + 7].hasPrefix("✓ Right") && lines.count == end + 8)
    #expect(!lines.contains { $0.hasPrefix("> ") })
    // What may be typed is said before: the task's symbols, as they are written, and the functions.
    #expect(lines[..<end].contains("  x   the input; also x_in"))
    #expect(lines[..<end].contains { $0.hasPrefix("Functions are exp, ln, sqrt, sigmoid, ") })
    let softmax = try await attempt("1.2", "product", input: "q\n").output
    #expect(softmax.contains("\n  P[…]   the outputs; also X_out\n"))
    let left = try await attempt("1.1", "relu", input: "?\n?\n?\n?\nq\ndy*(x > 0)\n")
    #expect(left.code == 1 && left.output.hasSuffix("Hint 3 of 3: The answer is `dy*(x > 0)`.\n"))
    #expect(try await attempt("1.1", "relu", input: "dy").code == 1)
    #expect(try await attempt("1.1", "relu", input: "").code == 1)
    #expect(try await attempt("1.1", "relu", input: "dy*(x > 0)").code == 0)
    let endless = String(repeating: "x", count: 70_000)
    let long = try await attempt("1.1", "relu", input: "\(endless)\ndy*(x > 0)\n")
    #expect(long.output.contains("A line of the input has more than 65536 bytes.\n✓ Right"))
    #expect(long.code == 0 && long.errors == "")
    #expect(try await attempt("1.1", "relu", input: endless).code == 1)
  }

  @Test func asJSONAVerdictIsOneVersionedLine() async throws {
    let outcome = try await attempt("1.1", "relu", "dy", "--json")
    #expect(outcome.code == 1 && outcome.output.count(where: { $0 == "\n" }) == 1)
    let json = try outcome.json
    #expect(
      Set(json.keys) == [
        "version", "chapter", "task", "formula", "verdict", "sentence", "isRight", "isProven",
      ])
    #expect(json["verdict"] as? String == "half" && json["isRight"] as? Bool == false)
    let dialogue = try await attempt("1.1", "relu", "--json", input: "?\ndz\ndy*(x > 0)\n")
    let lines = try dialogue.output.split(separator: "\n").map {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
    #expect(dialogue.code == 0 && lines.count == 3)
    #expect(lines[0]?["number"] as? Int == 1 && lines[1]?["error"] != nil)
    #expect(lines[2]?["verdict"] as? String == "right")
  }

  @Test func aDamagedFileOfSolutionsIsSetAside() async throws {
    try scratch.write(Data("{".utf8), to: "lab/derivations.json")
    let outcome = try await attempt("1.1", "relu", "dy*(x > 0)")
    #expect(outcome.code == 0 && outcome.output.hasPrefix("✓ Right"))
    #expect(outcome.errors.contains("set aside as derivations.json.damaged"))
    #expect(outcome.errors.count(where: { $0 == "\n" }) == 1)
    #expect(try await attempt().output.contains("\n✓ relu"))
  }

  @Test func aFolderThatCannotBeWrittenIsNoFailure() async throws {
    try scratch.write(Data(), to: "lab")
    let outcome = try await attempt("1.1", "relu", "dy*(x > 0)")
    #expect(outcome.code == 0 && outcome.output.hasPrefix("✓ Right"))
    #expect(outcome.errors.hasPrefix("That you have solved this is not kept: "))
  }
}

/// What the judge holds for true is what the chapters compute.
@Suite struct DerivationsOfTheChaptersTests {
  private func expect(
    _ name: String, _ chapter: (Point<Double>) -> Double,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let judge = Judge(try #require(Derivation.all.first { $0.name == name }))
    for instance in judge.cases {
      #expect(
        abs(chapter(instance.point) - instance.truth) <= 1e-13 * judge.scale,
        sourceLocation: sourceLocation)
    }
  }

  @Test func pullbacksAreThoseOfChapter1Part1() throws {
    try expect("sigmoid") { point in
      let s = point.scalars
      return ActivationDerivatives.sigmoidBackward(
        s["dy"]!, output: ActivationDerivatives.sigmoid(s["x"]!))
    }
    try expect("tanh") { point in
      let s = point.scalars
      return ActivationDerivatives.tanhBackward(
        s["dy"]!, output: ActivationDerivatives.printedTanh(s["x"]!))
    }
    try expect("relu") { point in
      ActivationDerivatives.reluBackward(point.scalars["dy"]!, input: point.scalars["x"]!)
    }
  }

  @Test func softmaxIsThatOfChapter1Part2() throws {
    func output(_ point: Point<Double>) -> (p: [Double], beta: Double) {
      let β = point.scalars["beta"]!
      return (SoftmaxJacobian.softmax(point.vectors["x"]!, beta: β), β)
    }
    func element(_ point: Point<Double>, _ i: String, _ j: String) -> Double {
      let (p, β) = output(point)
      return SoftmaxJacobian.jacobian(output: p, beta: β)[point.indices[i]!][point.indices[j]!]
    }
    try expect("same") { element($0, "i", "i") }
    try expect("other") { element($0, "i", "j") }
    try expect("jacobian") { element($0, "i", "j") }
    try expect("product") { point in
      let (p, β) = output(point)
      let gradient = SoftmaxJacobian.softmaxBackward(
        point.vectors["dy"]!, output: p, beta: β)
      return gradient[point.indices["j"]!]
    }
    try expect("entropy") { point in
      let (p, β) = output(point)
      let gradient = SoftmaxJacobian.crossEntropyBackward(
        output: p, label: point.indices["c"]!, beta: β)
      return gradient[point.indices["j"]!]
    }
  }
}
