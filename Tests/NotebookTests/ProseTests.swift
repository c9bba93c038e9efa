import Foundation
@testable import Notebook
import Testing

/// Numbers as a reader meets them, whatever the run.
@Suite struct ProseTests {
  /// The faults of a text that shows 97.4 as the value `x`, without what is behind the colon.
  private func faults(_ text: String) -> [String] { Prose(text).faults.map(\.sentence) }

  // MARK: Lines that are no prose

  @Test func aMarkerThatBeginsALineIsFoundWhereItBreaksThePage() {
    for text in [
      "<!--claim a < b-->A is less.<!--/claim-->",
      "More.\n<!--claim a < b-->A is less.<!--/claim-->",
      "A is\n<!--/claim--> less.", "More.\n<!--claim a < b-->\nA is less.<!--/claim-->",
    ] {
      #expect(
        faults(text).contains { $0.hasPrefix("a line that begins with a comment") }, "\(text)")
    }
    for text in [
      "<!--claim a < b-->\nA is less.<!--/claim-->",
      "More.<!--claim a < b-->\nA is less.<!--/claim-->",
      "More. <!--claim a < b-->A is less.<!--/claim-->", "    <!--claim a < b-->code",
    ] {
      #expect(faults(text) == [], "\(text)")
    }
  }

  // MARK: What a reader takes for one number

  @Test(arguments: [
    "It is 97.4<!--=x--> %.", "It is (97.4<!--=x--> %).", "From 3<!--=y-->–97.4<!--=x--> points.",
    "It is **97.4<!--=x-->** or _97.4<!--=x-->_ there.", "| a | 97.4<!--=x--> ± 0.2<!--=y--> |",
    "Here $h =$ 97.4<!--=x-->, and $a < b$.", "It is −97.4<!--=x-->.", "It is -97.4<!--=x-->.",
    "A 97.4<!--=x-->-fold gain.", "Of 97.4<!--=x-->, 12,345<!--=y--> and 1.2×10⁻¹¹<!--=z-->.",
    "It ends at 97.4<!--=x-->", "97.4<!--=x--> begins.", "As “97.4<!--=x-->” says.",
    "plus or minus 97.4<!--=x-->", "It is 97.4<!--=x-->\nand more.", "- 97.4<!--=x--> in an item",
    "The reader's 97.4<!--=x-->: all of it.", "By 97.4<!--=x--> points and a bit.",
  ])
  func aNumberThatStandsAloneIsBound(_ text: String) {
    #expect(faults(text) == [])
    #expect(Prose(text).numbers.contains { $0.name == "x" && $0.literal.value.magnitude == 97.4 })
  }

  @Test(arguments: [
    "97.4<!--=x-->5", "97.4<!--=x-->,000", "97.4<!--=x-->e6", "97.4<!--=x-->×10⁶",
    "97.4<!--=x--> × 10⁶", "97.4<!--=x-->k", "97.4<!--=x--> million", "97.4<!--=x-->$^6$",
    "97.4<!--=x--> $\\times 10^6$", "97.4<!--=x--><sup>6</sup>", "97.4<!--=x-->**5**",
    "97.4<!--=x-->/3", "97.4<!--=x--> 000", "97.4<!--=x-->&nbsp;000", "97.4<!--=x--> and a half",
    "97.4<!--=x-->½", "97.4<!--=x-->\u{200B}5", "97.4<!--=x-->`5`", "97.4<!--=x--> point 5",
    "– 97.4<!--=x-->", "a – 97.4<!--=x-->", "a −97.4<!--=x-->0", "&minus;97.4<!--=x-->",
    "&minus; 97.4<!--=x-->", "$-$97.4<!--=x-->", "$-$ 97.4<!--=x-->", "a - 97.4<!--=x-->",
    "a —97.4<!--=x-->", "\\-97.4<!--=x-->", "minus 97.4<!--=x-->", "1 97.4<!--=x-->",
    "1,97.4<!--=x-->", "1,7<!--=x-->", "3/97.4<!--=x-->", "**1**97.4<!--=x-->", "x97.4<!--=x-->",
    "10^97.4<!--=x-->", "1\n97.4<!--=x-->", "−\n97.4<!--=x-->", "3-97.4<!--=x-->", "٣97.4<!--=x-->",
    "97.4 <!--=x-->", "97.4 %<!--=x-->", "$97.4$<!--=x-->", "**97.4**<!--=x-->", "<!--=x-->",
    "9<!--=x-->7.4", "97.<!--=x-->4", "[1](u)97.4<!--=x-->", "97.4<!--=x-->'000",
  ])
  func aNumberThatIsReadWithMoreIsAFault(_ text: String) {
    #expect(!faults("It says " + text + " there.").isEmpty)
  }

  // MARK: Numbers that nobody bound

  @Test(arguments: [
    "It is 97.4 %.", "It is .5 there.", "It is $97.4$ there.", "It is $97.4\\,\\%$ there.",
    "It is `97.4` there.", "It is ½.", "It is ９.", "Five points more.", "five per cent",
    "two thirds", "half of it", "a quarter", "a third of it", "twice as fast", "tenfold",
    "an eighth", "> He said 97.4 of them.", "> Half of it.", "> > 97.4", "> - 7", "- > 7",
    "twenty million times", "twenty-five full epochs", "nine images of ten", "one of twenty",
    "by a factor of two", "10 to 20", "| a | 7 |\n|---|---|", "# A 7 there", "- 7", "> 7 [x](y)",
    "[97.4](x)", "\"97.4\" there", "97&#46;4", "1.2×10⁵", "3e5", "2nd", "3x faster", "in 2019",
    "Adam 2000 steps", "chapter 97.4 % of them", "<b>97.4</b>", "version 2", "3,000 labels",
    "# 97.4 % there", "# 12 points more", "chapters 2.1 and 2.2, 98.5 points", "chapter 3.3 – 98.9",
    "in the figure 98.5 per cent", "[Ladder]: it errs on 0.57 of them.",
    "[Ours](x.md) reads 99.9 of [these]: all", "It is a <b in 99.9 of them, and c> d.",
    "It prints <loss 0.31>.", "It reads [^a share of 99.9].", "It is $3.1\\times 10^{-12}$ there.",
    "It is $97.4\\;\\%$ there.",
  ])
  func aNumberThatNobodyBoundIsAFault(_ text: String) { #expect(!faults(text).isEmpty) }

  @Test(arguments: [
    "# 2.1 A title", "chapter 2.1, section 3 and figure 2", "chapters 2.1, 2.2 and 3.1", "eq. 5",
    "tables 1–3", "Squire and Trapp (1998)", "(Hinton et al. 2015)", "ICML 2013.", "2.2.3 ends so",
    "[2.1](Chapters/2.1-momentum.md)", "`x = 7` and ``a 7``", "$x = 7$ and $`7 y`$", "$$7 + 1$$",
    "```sh\n97.4\n```", "~~~ math 7\n97.4\n~~~", "see https://a.org/97", "<https://a.org/97>",
    "the paper says \"a norm of 1\" there", "> He said “97.4 of them”.",
    "five seeds and two networks",
    "# References\n\nA. Author, JMLR 15 (2014), 1929–1958.", "PCA3 and x2 and v1.5", "1. A list",
    "![Forty of 97.4](x.svg)", "[a]: b-97.4.md", "the fifth of them", "double precision",
    "k² and m³",
  ])
  func whatIsNoMeasuredNumberNeedsNoMarker(_ text: String) { #expect(faults(text) == []) }

  /// The fence of an item ends with it; behind it prose is prose.
  @Test func aFenceInAListEndsWithItsItem() {
    #expect(faults("1. a\n\n    ```sh\n    x\n    ```\n\nThen b.\n\n```sh\ny\n```\n") == [])
    let inside = "1. a\n\n    ```sh\n    x\n    ```\n\nIt is 99.9.\n\n```sh\ny\n```\n"
    #expect(faults(inside).count == 1)
    #expect(!faults("- a\n\n  ```sh\n  x\n\nIt is 99.9.\n\n```sh\ny\n```\n").isEmpty)
  }

  @Test func aPowerOfTenIsFixedLikeAnyNumber() {
    #expect(faults("<!--fixed 5e-4-->\nIt is $5 \\cdot 10^{-4}$.\n") == [])
  }

  @Test func aListOfFixedNumbersCoversItsParagraph() {
    let text = "<!--fixed 28 3,000 -3 half-->\n28 × 28 pixels, 3,000 labels, −3 to half of it.\n"
    #expect(faults(text) == [])
    #expect(Prose(text).counts == NumberCounts(bound: 0, fixed: 5))
    #expect(faults("a\n\n<!--fixed 7-->\n<!--fixed 8-->\n7 and 8\n") == [])
  }

  @Test(arguments: [
    "<!--fixed 7-->\n7 and 8", "<!--fixed 7 8-->\n7 and 7", "<!--fixed 7-->\n\n7", "<!--fixed 7-->",
    "<!--fixed-->\nNo number", "<!--fixed 7 7-->\n7", "<!--fixed 7*2-->\n7", "<!--fixed 7*x-->\n7",
    "<!--fixed 7-->\n7 and 7<!--=x-->", "<!--fixed 7!=-->\n7", "It is 7.<!--fixed 7-->",
    " <!--fixed 7-->\n7", "<!--fixed 7-->\n# 7\n\n7", "<!--fixed −7-->\n7",
    "<!--fixed two-->\ntwo dogs",
  ])
  func aListThatPartsFromItsParagraphIsAFault(_ text: String) { #expect(!faults(text).isEmpty) }

  @Test func aNumberThatIsBothSaysHowOftenItIsFixed() {
    #expect(faults("<!--fixed 5*2-->\n4<!--=a--> of 5, 5<!--=b--> of 5\n") == [])
    #expect(!faults("<!--fixed 5*2-->\n4<!--=a--> of 5, 5 of 5\n").isEmpty)
  }

  @Test(arguments: [
    ("more than 99.2 %", "a > 99.2"), ("more than five points", "a > b + 5"),
    ("twice as often", "a > 2 * b"), ("half of it", "2 * a < b"), ("half of it", "a < 0.5 * b"),
    ("two thirds", "a < 2 / 3 * b"), ("twenty million times", "a > 20000000 * b"),
    ("5 % more", "a > 1.05 * b"), ("a hundred times", "a > 1e2 * b"), ("fourfold", "a > 4 * b"),
    ("a quarter of it", "a < b / 4"), ("one of twenty", "a > b / 20"),
  ])
  func aNumberOfAClaimIsBoundByItsComparison(_ words: String, _ predicate: String) {
    func text(_ predicate: String) -> String {
      "So <!--claim \(predicate)-->it is \(words).<!--/claim-->"
    }
    #expect(faults(text(predicate)) == [])
    #expect(!faults(text("a > 7 * b")).isEmpty)
  }

  @Test(arguments: [
    ("more than 1 point", "a > b + 0.6"), ("a quarter of it", "2 * a < b"),
    ("a quarter of it", "a < 0.5 * b and c < 0.5 * d"),
  ])
  func aNumberOfAClaimIsNotBoundByAnother(_ words: String, _ predicate: String) {
    #expect(!faults("So <!--claim \(predicate)-->it is \(words).<!--/claim-->").isEmpty)
  }

  @Test(arguments: [
    "chapter 2<!--=x-->", "# 2.1<!--=x--> Title", "He said \"it is 7<!--=x--> of them\".",
    "# References\n\nA, JMLR 15<!--=x--> (2014).",
    "So <!--claim a > 7-->it is 7<!--=x-->.<!--/claim-->",
  ])
  func aBoundNumberStandsWhereItsMarkerWouldBeMissed(_ text: String) {
    #expect(!faults(text).isEmpty)
  }

  // MARK: Quotation blocks and folds

  /// An answer in short, and one that is folded away, are prose like any other.
  @Test func aQuotationBlockIsBound() {
    let text = """
      <!--fixed 3 half-->
      > **In short.** It is 97.4<!--=x--> of 3, and <!--claim a < 2 * b-->it is less
      > than twice as much.<!--/claim--> Half
      > of it.
      >
      > ```math
      > 7 = y
      > ```
      >
      > <!--fixed 4-->
      > The 4 of them:
      > - 0.2<!--=y-->
      it goes on with 0.3<!--=z-->.
      """
    let prose = Prose(text)
    #expect(prose.faults.map(\.sentence) == [])
    #expect(prose.numbers.map(\.name) == ["x", "y", "z"])
    #expect(prose.claims.map(\.sentence) == ["it is less than twice as much."])
    #expect(prose.counts == NumberCounts(bound: 4, fixed: 3))
    let written = prose.rewritten(
      number: { $0.name == "y" ? "0.25" : $0.literal.text }, excerpt: { _ in nil })
    #expect(written == text.replacing("> - 0.2<", with: "> - 0.25<"))
  }

  @Test(arguments: [
    "> It is 1\n> 97.4<!--=x-->.", "> It is 97.4<!--=x-->\n> million.",
    "> ```text\n> loss 0.3\n> ```",
    "> ```math\n> a\nIt is 97.4.", "> ```math\n> a\n\nIt goes on.", ">     loss 0.3",
    "> <!--snippet a-->\n> ```swift\n> let a = 1\n> ```", "> ```swift\n> let a = 1\n> ```",
    "> <!--fixed 3-->\n>\n> 3", "> <!--fixed 3-->\n\n3", "> A line.\n> <!--/claim-->",
    "<!--fixed 3-->\n> None.\n\n3", "Text 3\n> <!--fixed 3-->\n> 3",
  ])
  func aQuotationBlockIsReadAsItIsShown(_ text: String) { #expect(!faults(text).isEmpty) }

  @Test func aFoldIsBound() {
    let text = """
      1. What is it?

      <details><summary>Answer</summary>

      <!--fixed 3-->
      It is 97.4<!--=x--> of 3, and <!--claim a < b-->a is less.<!--/claim-->

      | a | b |
      |---|---|
      | 0.2<!--=y--> | 0.3<!--=z--> |

      </details>

      More.
      """
    let prose = Prose(text)
    #expect(prose.faults.map(\.sentence) == [])
    #expect(prose.numbers.map(\.name) == ["x", "y", "z"] && prose.claims.count == 1)
    let written = prose.rewritten(number: { _ in "9.9" }, excerpt: { _ in nil })
    #expect(Prose(written).numbers.allSatisfy { $0.literal.text == "9.9" })
  }

  @Test(arguments: [
    ("<details><summary>Answer</summary>\n\nIt is 7.\n\n</details>", "nothing binds “7”"),
    ("<details><summary>Answer 7</summary>\n\nNo.\n\n</details>", "nothing binds “7”"),
    ("<details><summary>Answer</summary>\n**No.**\n\n</details>", "no Markdown is read"),
    ("<details><summary>Answer</summary>\n\nNo.\n\n</details>\nMore.", "no Markdown is read"),
    ("<details>\n<summary>Answer</summary>\n<!--fixed 7-->\n7\n\n</details>", "no Markdown"),
    ("<details>\n<summary>Answer</summary>\n\nNo.", "<details> is not closed"),
    ("<details><summary>A</summary>\n\nNo.\n\n</details>\n\n</details>", "closes nothing"),
  ])
  func aFoldThatIsShownOtherwiseIsAFault(_ text: String, _ sentence: String) {
    #expect(faults("Text.\n\n\(text)").contains { $0.contains(sentence) }, "\(faults(text))")
  }

  // MARK: Bytes

  /// Found by the fuzzer: an excerpt whose lines end in several ways.
  @Test func linesOfAnExcerptKeepTheirEndings() {
    let text = "<!--snippet a-->\n```swift\nfunc a() {\r  b()\r\n}\n```\n"
    let prose = Prose(text)
    #expect(prose.excerpts.count == 1)
    #expect(prose.rewritten(number: { $0.literal.text }, excerpt: { prose.code($0) }) == text)
  }

  @Test func aTextWithCRLFIsReadAndKept() {
    let text =
      "It is 7<!--=x-->,\r\n\r\n<!--snippet a-->\r\n```swift\r\nlet a = 1\r\n```\r\nend\r\n"
    let prose = Prose(text)
    #expect(prose.faults.isEmpty && prose.numbers.map(\.line) == [1])
    #expect(prose.excerpts.map(prose.code) == [["let a = 1"]])
    #expect(prose.rewritten(number: { $0.literal.text }, excerpt: { prose.code($0) }) == text)
    let written = prose.rewritten(number: { _ in "8" }, excerpt: { _ in ["one", "two"] })
    #expect(written == text.replacing("7<", with: "8<").replacing("let a = 1", with: "one\r\ntwo"))
  }

  @Test(arguments: [
    ("```a```\n7", false), ("```a`b\n7", false), ("    ```\n7", false),
    ("```sh\n7\n``\n7\n```", true),
    ("~~~sh\n7\n```\n7\n~~~", true), ("````sh\n7\n```\n7\n````", true),
    ("  ```sh\n7\n  ```", true),
    ("```sh\n7\n``` x\n7\n```", true), ("``\n7", false), ("```sh\n7\n```\n7", false),
    ("~~~ sh a`b\n7\n~~~~", true),
  ])
  func aFenceIsOneAsCommonMarkHasIt(_ text: String, _ isCode: Bool) {
    let faults = faults("Text.\n\n" + text)
    #expect(faults.contains { $0.contains("nothing binds") } == !isCode, "\(faults)")
    #expect(!isCode || faults.isEmpty)
  }

  /// What a run printed has no numbers that nobody bound.
  @Test(arguments: [
    ("```text\nThe run's accuracy 98.4 %\n```", 4), ("```\n\nloss 0.3\n```", 5),
    ("~~~json\n{\"a\": 7}\n~~~", 4), ("    accuracy 98.4\n    loss 0\n", 3),
    ("```text\nhalf of it\n```", 4),
  ])
  func aNumberInOutputIsAFault(_ text: String, _ line: Int) {
    let prose = Prose("Text.\n\n\(text)\n\nEnd.")
    #expect(
      prose.faults.first?.line == line
        && prose.faults.allSatisfy { $0.sentence.contains("in this output") }, "\(prose.faults)")
    // Its list stands on the line above, and is for it alone.
    let listed = Prose("Text.\n\n<!--fixed 98.4 0.3 7 0 half-->\n\(text)\n\nEnd.")
    #expect(listed.faults.allSatisfy { $0.sentence.contains("stands nowhere") })
    #expect(listed.counts.fixed > 0)
    let later = Prose("Text.\n\n<!--fixed 98.4 0.3 7 0 half-->\n```text\nx\n```\nIt is 98.4.")
    #expect(later.faults.contains { $0.sentence.contains("nothing binds") })
  }

  @Test(arguments: [
    "Our network reaches 98.4 %.", "Of its images 98 were read.",
    "A. Name, \"Title\", JMLR 15 (2014), 1929–1958: it reaches 98.4 %.",
    "A. Name, \"Title\", JMLR 15 (2014): it reaches 98 per cent.",
    "A. Name, \"Title\", JMLR 15 (2014): it reaches 98.4.",
  ])
  func aResultAmongTheReferencesIsAFault(_ text: String) {
    #expect(faults("## References\n\n\(text)\n").contains { $0.contains("nothing binds") })
  }

  @Test(arguments: [
    "A. Name, \"Title\", JMLR 15 (2014), 1929–1958; sections 4, 7.3 and 10.",
    "A. Name, \"Title\", arXiv:1502.01852 (2015).", "A. Name, *Title*, 2nd edition, SIAM 2008.",
  ])
  func aCitationNeedsNoMarker(_ text: String) {
    #expect(faults("## References\n\n\(text)\n") == [])
  }

  @Test func allDecimalsAreCompared() {
    let zeros = String(repeating: "0", count: 400)
    #expect(Literal("0.25" + zeros)?.shows(0.25) == true)
    #expect(Literal("0.25" + zeros + "1")?.shows(0.25) == false)
    #expect(Literal("0.1" + zeros)?.shows(0.1) == false)
    let exact = Literal("0." + zeros)!.writing(0.1)
    #expect(exact.count == 402 && Literal(exact)?.shows(0.1) == true)
  }

  // MARK: Images

  @Test(arguments: [
    "![a](p.svg)", "![a](p.svg \"title\")", "![a](p.svg 'title')", "![a](<p.svg>)",
    "![a [b] c](p.svg)",
    "![a][r]\n\n[r]: p.svg", "![R]\n\n[r]: <p.svg> \"t\"", "![r][]\n\n[R]: p.svg",
    "<img src=\"p.svg\">",
    "<IMG alt='>' SRC=p.svg />", "[![a](p.svg)](q)",
    "<picture><source srcset=\"p.svg 2x\"></picture>",
    "<img\nsrc='p.svg'>", "![`]`](p.svg)",
  ])
  func anImageIsFoundInAnyForm(_ text: String) {
    #expect(Prose("Text.\n\n" + text).images.map(\.path) == ["p.svg"])
  }

  // MARK: Words that compare

  private static let numbers = [
    "a.steps": 10.0, "b.steps": 20, "gain": 7, "share": 0.2, "loss.a": 3, "loss.b": 1,
  ]

  @Test(arguments: [
    ("A needs fewer steps than B", "a.steps < b.steps"),
    ("B needs more steps than A", "b.steps > a.steps"),
    ("It gains more than five points", "gain > 5"), ("It is at most a quarter", "share <= 0.25"),
    ("It is no more than eight points", "gain < 8"), ("Its share stays below 25 %", "share < 0.25"),
    ("B takes twice the steps", "b.steps >= 2 * a.steps"),
    ("A loses more than B", "loss.a > loss.b"), ("A costs more steps than B", "a.steps < b.steps"),
    ("A takes little more than half the steps", "a.steps < 0.6 * b.steps"),
    ("It exceeds the share", "gain > share"), ("Nothing here exceeds the gain", "share < gain"),
  ])
  func aSentenceThatAgreesWithItsComparisonIsLeftAlone(_ sentence: String, _ text: String) throws {
    #expect(ClaimWords.fault(of: sentence, try Predicate(text), Self.numbers) == nil)
  }

  @Test(arguments: [
    ("A needs more steps than B", "a.steps < b.steps"),
    ("B needs fewer steps than A", "a.steps < b.steps"),
    ("A needs fewer steps than B", "a.steps > b.steps"),
    ("It gains less than five points", "gain > 5"), ("It is at least a quarter", "share <= 0.25"),
    ("It gains more than five points", "gain < 5"), ("Its share stays above 25 %", "share < 0.25"),
    ("It is no more than five points", "gain > 5"), ("A loses less than B", "loss.a > loss.b"),
    ("It stays below the share", "gain > share"), ("Nothing here exceeds the gain", "share > gain"),
  ])
  func aSentenceThatIsTurnedRoundIsFound(_ sentence: String, _ text: String) throws {
    #expect(ClaimWords.fault(of: sentence, try Predicate(text), Self.numbers) != nil)
  }

  // MARK: Predicates

  @Test func aPredicateHasADepth() {
    for text in [
      String(repeating: "(", count: 40_000) + "1" + String(repeating: ")", count: 40_000) + " < 2",
      String(repeating: "-", count: 40_000) + "1 < 2",
      "0" + String(repeating: " + 1", count: 40_000) + " > 2",
      String(repeating: "(", count: 65) + "1" + String(repeating: ")", count: 65) + " < 2",
    ] {
      #expect { try Predicate(text) } throws: { "\($0)".count < 400 }
    }
    #expect(throws: Never.self) {
      try Predicate(
        String(repeating: "(", count: 60) + "1" + String(repeating: ")", count: 60) + " < 2")
    }
  }
}
