import Files
import Foundation
import Testing

@testable import Book

@Suite struct PageTests {
  @Test func aBoundNumberLeadsToItsValueWhereverItStands() async throws {
    let lab = try SmallLab(
      """
      It is 97.4<!--=all.steps--> % and **12<!--=half.steps-->** and [12<!--=half.steps-->](#more).

      | steps | share |
      |---|--:|
      | 12<!--=half.steps--> | 97.4<!--=all.steps--> |

      > 98.36<!--=kit--> by the kit, and 11<!--=half.steps--> is wrong.
      """)
    defer { lab.remove() }
    let page = try await lab.page()
    #expect(
      page.contains(
        "<a class=\"bound\" href=\"#v-all.steps\"><data value=\"97.44\">97.4</data></a> %"))
    #expect(page.contains("<strong><a class=\"bound\" href=\"#v-half.steps\">"))
    #expect(page.contains("<td class=\"to-right\"><a class=\"bound\" href=\"#v-all.steps\">"))
    // A link holds no link, and what differs from the run says so.
    #expect(page.contains("<a href=\"#more\"><data value=\"12.0\">12</data></a>"))
    #expect(page.contains("<a class=\"bound differs\" href=\"#v-half.steps\">"))
    #expect(
      page.contains("<tr id=\"v-all.steps\"><td>all.steps</td><td class=\"to-right\">97.44</td>"))
    #expect(page.contains("<td>± 0.5</td><td>0.2</td>"))
    #expect(page.contains("the kit&#39;s &lt;report&gt;"))
    #expect(page.contains("A Chip 9"))
    #expect(page.contains("29 November 2026"))
    #expect(nestingFault(page) == nil)
    #expect(!page.contains("<!--"))
  }

  @Test func codeKeepsItsMarkersAndFormulasTheirs() async throws {
    let lab = try SmallLab(
      """
      Write `97.4<!--=all.steps-->` for $a < b$ and `$x$`, or $`c \\lt d`$.

      ```markdown
      12<!--=half.steps--> and <!--claim a < b-->so<!--/claim--> with $x$
      ```

      ```math
      e &= \\tfrac12
      ```
      """)
    defer { lab.remove() }
    try lab.keep(
      [
        Formula("a < b", isDisplay: false), Formula("c \\lt d", isDisplay: false),
        Formula("e &= \\tfrac12", isDisplay: true),
      ])
    let page = try await lab.page()
    #expect(page.contains("<code>97.4&lt;!--=all.steps--&gt;</code>"))
    #expect(page.contains("12&lt;!--=half.steps--&gt; and &lt;!--claim a &lt; b--&gt;so"))
    #expect(page.contains("<code>$x$</code>"))
    #expect(page.components(separatedBy: "<mi>kept</mi>").count == 4)
    #expect(page.contains("role=\"group\" aria-label=\"Formula\"><math>"))
    #expect(nestingFault(page) == nil)
  }

  @Test func aClaimSaysItsComparisonWithTheNumbers() async throws {
    let lab = try SmallLab(
      "First.<!--claim half.steps < all.steps-->\nHalf of it *is* enough.<!--/claim--> And\n"
        + "<!--claim half.steps < nobody-->*so it<!--/claim--> goes* on.")
    defer { lab.remove() }
    let page = try await lab.page()
    #expect(page.contains("\n<span class=\"claim\">Half of it <em>is</em> enough."))
    #expect(page.contains("<code class=\"predicate\">half.steps &lt; all.steps</code>"))
    #expect(
      page.contains("<code class=\"filled\">12 &lt; 97.44</code> <span class=\"good\">✓ holds"))
    #expect(page.contains("href=\"#c-1\""))
    // One that no run has judged says neither, and a sentence that ends within emphasis nests.
    #expect(page.contains("that no run has judged yet"))
    #expect(nestingFault(page) == nil)
  }

  @Test func namesAreUniqueAndLeadSomewhere() async throws {
    let lab = try SmallLab(
      """
      ## Same

      ![One](../figures/9.1-one.svg)

      ![Two <with> "marks"](../figures/9.1-two.svg)

      ![One again](../figures/9.1-one.svg)

      ## Same

      12<!--=half.steps--> and 12<!--=half.steps-->, see [above](#same-1).

      ## Exercises

      <details><summary>Answer</summary>

      Twelve.

      </details>
      """)
    defer { lab.remove() }
    let page = try await lab.page()
    let ids = values(of: "id", in: page)
    #expect(Set(ids).count == ids.count)
    #expect(ids.contains("figure-9.1-one-gpDot") && ids.contains("figure-9.1-one-2-gpDot"))
    for link in values(of: "href", in: page) + values(of: "xlink:href", in: page)
    where link.hasPrefix("#") { #expect(ids.contains(String(link.dropFirst())), "\(link)") }
    #expect(page.contains("clip-path=\"url(#figure-9.1-two-c)\""))
    #expect(page.contains("aria-label=\"Two &lt;with&gt; &quot;marks&quot;\""))
    // The colours are the page's, letters apart from lines, and gnuplot's sheet is gone.
    #expect(page.contains("color=\"var(--figure-0072b2)\""))
    #expect(page.contains("fill=\"var(--letter-0072b2)\""))
    #expect(!page.contains("#ffffff\"/>") && !page.contains("Gnuplot"))
    #expect(page.contains("<details><summary>Answer</summary>"))
    #expect(page.contains("<code>swift run lab try 9.1 slope</code>"))
    #expect(nestingFault(page) == nil)
  }

  @Test func excerptsAndFilesAreShownWithTheirLines() async throws {
    let lab = try SmallLab(
      """
      See [the code](9.1-small.swift), [a method](../Sources/Methods/Plain.swift#L1), [nothing](gone.md),
      [outside](../../etc/passwd), [a site](https://example.org/a?b&c) and [itself](9.1-small.md).

      <!--snippet part-->
      ```swift
      let text = "a < \\(b)"  // why
      ```
      """,
      code: "import Notebook\n// snippet.part\nlet text = \"a < \\(b)\"  // why\n// snippet.end\n")
    defer { lab.remove() }
    let page = try await lab.page()
    #expect(page.contains("href=\"code/Chapters/9.1-small.swift.html\">the code</a>"))
    #expect(page.contains("href=\"code/Sources/Methods/Plain.swift.html#L1\""))
    #expect(page.contains("<span>nothing</span>") && page.contains("<span>outside</span>"))
    #expect(page.contains("href=\"https://example.org/a?b&amp;c\""))
    #expect(page.contains("href=\"9.1-small.html\""))
    #expect(page.contains("href=\"code/Chapters/9.1-small.swift.html#L3\">9.1-small.swift</a>"))
    #expect(page.contains("<span class=\"lines\">3–3</span>"))
    #expect(
      page.contains(
        "<span class=\"k\">let</span> text = <span class=\"s\">&quot;a &lt; \\(</span>b"))
    let file = try lab.text("out/code/Chapters/9.1-small.swift.html")
    #expect(file.contains("id=\"L3\" href=\"#L3\""))
    #expect(file.contains("href=\"../../book.css\""))
    #expect(file.contains("href=\"../../9.1-small.html\">9.1</a>"))
    #expect(nestingFault(file) == nil)
    #expect(!FileManager.default.fileExists(atPath: lab.root.path + "/out/code/etc"))
  }

  @Test func aChapterThatWasNeverRunSaysSo() async throws {
    let lab = try SmallLab("It takes 12<!--=half.steps--> steps.", hasRecord: false)
    defer { lab.remove() }
    let page = try await lab.page()
    #expect(page.contains("<span class=\"unbound\" title=\"half.steps: not yet run\">12</span>"))
    #expect(page.contains("has not been run yet"))
    #expect(page.contains("There is no record of a run yet."))
    #expect(nestingFault(page) == nil)
    let report = try await lab.site.build(into: lab.folder)
    #expect(report.withoutRecord == ["9.1"])
  }

  @Test func theSearchFindsTextAndCode() async throws {
    let lab = try SmallLab("## On Speed\n\nQuick \"words\", 12<!--=half.steps--> of them.")
    defer { lab.remove() }
    _ = try await lab.page()
    let index = try lab.text("out/search-index.js")
    #expect(index.hasPrefix("window.labSearchIndex = ["))
    #expect(
      index.contains(#"["on-speed","On Speed","Quick \"words\", 12 of them."]"#))
    #expect(index.contains("code/Chapters/9.1-small.swift.html"))
  }

  @Test func aTaskSaysWhatIsAskedAndWhatMayBeAnswered() async throws {
    var lab = try SmallLab("Text.\n\n## Exercises\n\nMore of them.\n\n## After\n\nThe end.")
    defer { lab.remove() }
    lab.question = "Let $y = 2x$. What is *its* slope, from `x`?"
    try lab.keep([Formula("y = 2x", isDisplay: false)])
    let page = try await lab.page()
    #expect(page.contains("<h3 id=\"try.slope\">The slope <a class=\"anchor\" href=\"#try.slope\""))
    #expect(
      page.contains(
        "<p>Let <math><mi>kept</mi></math>. What is <em>its</em> slope, from <code>x</code>?</p>"))
    #expect(
      page.contains(
        "<dt><code>P[i]</code></dt><dd>the &lt;outputs&gt;; also X_out</dd>"))
    #expect(page.contains("<p>A comparison is <code>(x &gt; 0)</code>.</p>"))
    #expect(page.contains("<code>swift run lab try 9.1 slope</code>"))
    #expect(page.contains("<td><code>1 &lt; 2</code></td><td>✓ Right</td>"))
    #expect(nestingFault(page) == nil)
    // The search leads to the task by its words, and to no answer; the exercises stay a part.
    let index = try lab.text("out/search-index.js")
    #expect(
      index.contains(
        ##"["try.slope","The slope","Let kept. What is its slope, from x? P[i]: the <outputs>; "##
          + ##"also X_out."],["exercises","Exercises","More of them."]"##))
    #expect(!index.contains("Right"))
    // And in the document that is printed.
    let document = try await SiteDraft(lab.site).document()
    #expect(document.contains("id=\"ch-9.1-try.slope\"") && nestingFault(document) == nil)
  }
}
