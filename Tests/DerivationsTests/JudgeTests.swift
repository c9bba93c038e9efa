import Foundation
import Testing

@testable import Derivations

@Suite struct JudgeTests {
  @Test(arguments: Derivation.all.map(\.name))
  func theTableOfAnswersHolds(_ name: String) throws {
    let derivation = Derivation.named(name)
    let judge = Judge(derivation)
    #expect(derivation.answers.count >= 10)
    for answer in derivation.answers {
      do {
        let verdict = try judge.verdict(on: answer.formula)
        #expect(verdict.kind == answer.verdict, "\(answer.formula): \(verdict.sentence)")
        #expect(
          answer.says.isEmpty || verdict.sentence.contains(answer.says),
          "\(answer.formula): \(verdict.sentence)")
        #expect(verdict.sentence.hasSuffix("."))
      } catch {
        #expect(answer.verdict == nil, "\(answer.formula): \(error.complaint)")
        #expect(error.complaint.contains(answer.says), "\(answer.formula): \(error.complaint)")
      }
    }
  }

  /// What rounds to once the answer is no multiple of it.
  @Test func nearlyRightIsNotOffByTheFactorOne() throws {
    let judge = Judge(Derivation.named("sigmoid"))
    for wrong in ["dy*y*(1-y)*1.0000001", "dy*y*(1-y)*(1+1e-6)"] {
      let verdict = try judge.verdict(on: wrong)
      #expect(verdict.sentence.contains("first digits are right"), "\(verdict.sentence)")
    }
  }

  @Test func theTablesHaveEveryVerdict() {
    let verdicts = Set(Derivation.all.flatMap { $0.answers.map(\.verdict) })
    #expect(verdicts == Set(Verdict.Kind.allCases + [nil]))
    #expect(Derivation.all.flatMap(\.answers).count(where: { $0.failure != nil }) >= 4)
    #expect(Set(Derivation.all.map(\.id)).count == Derivation.all.count)
  }

  /// The truth comes from the function, and the answer from the derivation.
  @Test(arguments: Derivation.all.map(\.name))
  func theAnswerAgreesWithTheFunction(_ name: String) throws {
    let derivation = Derivation.named(name)
    let judge = Judge(derivation)
    for instance in judge.cases {
      let value = judge.answer.value(at: instance.point)
      #expect(abs(value - instance.truth) <= 1e-12 * (abs(instance.truth) + judge.scale))
    }
    // An answer that is 3 % wrong does not.
    let wrong = try judge.read("1.03*(\(derivation.answer))")
    #expect(!judge.isRight(wrong))
    #expect(try judge.verdict(on: derivation.answer).kind == .right)
  }

  @Test(arguments: Derivation.all.map(\.name))
  func onlyTheThirdHintGivesTheAnswer(_ name: String) throws {
    let derivation = Derivation.named(name)
    let judge = Judge(derivation)
    #expect(derivation.hints.count == 3)
    func rightFormulas(_ hint: String) -> [String] {
      // Every run of words is tried, with or without backticks around it.
      let words = hint.replacing("`", with: " ").split(separator: " ").map(String.init)
      var found: [String] = []
      for first in words.indices {
        for last in first..<words.count {
          let text = words[first...last].joined(separator: " ")
            .trimmingCharacters(in: .init(charactersIn: ".,;:?"))
          if let verdict = try? judge.verdict(on: text), verdict.isRight { found.append(text) }
        }
      }
      return found
    }
    #expect(rightFormulas(derivation.hints[0]) == [])
    #expect(rightFormulas(derivation.hints[1]) == [])
    #expect(rightFormulas(derivation.hints[2]).contains(derivation.answer))
  }

  @Test(arguments: Derivation.all.map(\.name))
  func noLookalikeIsRight(_ name: String) throws {
    let derivation = Derivation.named(name)
    let judge = Judge(derivation)
    for lookalike in derivation.lookalikes {
      let verdict = try judge.verdict(on: lookalike.formula)
      #expect(verdict.kind == .lookalike && verdict.sentence == lookalike.sentence)
    }
  }

  @Test func anUnstableFormulaIsToldWhere() throws {
    let judge = Judge(.named("sigmoid"))
    let verdict = try judge.verdict(on: "dy*exp(-x)/(1 + exp(-x))^2")
    #expect(
      verdict
        == Verdict(
          .unstable,
          "Right, but unstable: when x is -710 or less it is no number, where the answer is 0.",
          isProven: true))
    // The place is that of the formula: e⁷⁰⁹ is a number, and e⁷¹⁰ is none.
    #expect(exp(709.0).isFinite && !exp(710.0).isFinite)
    #expect(try judge.verdict(on: "dy*exp(x/2)^2/(1 + exp(x))^2").sentence.contains("710 or more"))
    #expect(try judge.verdict(on: "dy*exp(2*x)/(exp(x) + exp(2*x))^2*exp(x)").kind == .unstable)
  }

  /// A piece that lies between the points of the task, or beside them.
  @Test(arguments: [
    ("sigmoid", "dy*y*(1 - y) + (x > 3)"), ("sigmoid", "dy*y*(1 - y) + (x == 1)"),
    ("sigmoid", "dy*y*(1 - y)*(x < 4)"), ("sigmoid", "dy*y*(1 - y) + dy*(abs(x) < 0.05)"),
    ("tanh", "dy*(1 - y^2) + dy*(x > 3)"), ("relu", "dy*(x > 0.05)"),
    ("relu", "dy*min(1, max(0, 100*x))"), ("relu", "dy*min(1, max(0, 5/x))"),
    ("he", "2/n + (n > 9)"),
  ])
  func aPieceThatIsWrongIsFound(_ name: String, _ formula: String) throws {
    let verdict = try Judge(.named(name)).verdict(on: formula)
    #expect(!verdict.isRight, "\(verdict.sentence)")
  }

  @Test(arguments: [
    ("relu", "if(x > 0, dy, 0)"), ("relu", "dy*(1 + sign(x))/2"), ("relu", "dy*step(x)"),
    ("relu", "max(dy*(x > 0), min(0, dy*(x > 0)))"), ("sigmoid", "dy*y*(1 - y)*(x*x >= 0)"),
    ("sigmoid", "dy/(2 + exp(abs(x)) + exp(-abs(x)))"),
  ])
  func piecesThatAreRightAreRight(_ name: String, _ formula: String) throws {
    let verdict = try Judge(.named(name)).verdict(on: formula)
    #expect(verdict.isRight, "\(verdict.sentence)")
  }

  @Test func pointsAreTheSameEachTimeAndOffZero() {
    for derivation in Derivation.all {
      let (first, second) = (Judge(derivation), Judge(derivation))
      #expect(first.cases.map(\.truth) == second.cases.map(\.truth))
      #expect(
        first.cases.allSatisfy { $0.truth.isFinite && $0.slope.isFinite } && first.scale > 0)
    }
  }

  /// A function of a quotient has it twice in its normal form, which nested would never end.
  @Test(
    .timeLimit(.minutes(1)), arguments: ["tanh(1+", "1/(beta+", "abs(1+", "exp(", "P[j]/(dy[j]+"])
  func nestingIsNoTrap(_ opening: String) throws {
    let judge = Judge(.named("product"))
    let formula =
      String(repeating: opening, count: 90) + "beta" + String(repeating: ")", count: 90)
    #expect(try !judge.verdict(on: formula).isRight)
  }

  /// Whatever is typed has a verdict or a sentence.
  @Test(arguments: Derivation.all.map(\.name))
  func anythingIsAnswered(_ name: String) throws {
    let derivation = Derivation.named(name)
    let judge = Judge(derivation)
    var formulas = RandomFormulas(name, judge.vocabulary)
    // All tasks together have 2,000 texts, and as many expressions.
    for _ in 0..<2000 / Derivation.all.count + 1 {
      for text in [formulas.text(), formulas.expression(depth: 4).description] {
        do {
          let verdict = try judge.verdict(on: text)
          #expect(!verdict.sentence.isEmpty && !verdict.sentence.contains("\n"), "\(text)")
        } catch {
          #expect(!error.complaint.isEmpty && !error.complaint.hasSuffix("."), "\(text)")
          #expect(error.position <= text.count && error.marked(in: text).count == 2)
        }
      }
    }
  }
}
