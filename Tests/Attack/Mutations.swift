import Foundation
import Notebook

/// The table: each entry makes all mutations of its kind.
let attacks: [@Sendable (Victim, Record?) -> [Mutation]] = [
  markersDeleted, claimsUnbound, digitsAltered, numbersGlued, numbersAdded, fixedNumbersAltered,
  excerptsAltered, claimsTurned, figuresExchanged, imagesReplaced, linksBroken, outputAdded,
  bytesChanged, oddClaims,
]

// MARK: Markers

/// Each marker is taken away.
@Sendable private func markersDeleted(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.comments.map { range in
    Mutation(
      "marker deleted", "\(victim.text[range]) on line \(victim.line(range.lowerBound))",
      victim.replacing(range, ""), .found(line: nil))
  }
}

/// Both markers of a claim are taken away.
@Sendable private func claimsUnbound(_ victim: Victim, _ record: Record?) -> [Mutation] {
  claims(victim).map { claim in
    Mutation(
      "claim unbound", claim.sentence,
      victim.text.replacingCharacters(in: claim.close, with: "")
        .replacingCharacters(in: claim.open, with: ""), .found(line: nil))
  }
}

// MARK: Numbers

/// Each digit of each bound number becomes the next.
@Sendable private func digitsAltered(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.numbers.flatMap { number in
    victim.text[number.number].indices.filter {
      victim.text[$0].isASCII && victim.text[$0].isNumber
    }.map { place in
      let digit = (victim.text[place].wholeNumberValue! + 1) % 10
      return Mutation(
        "digit altered", "\(victim.text[number.number]) at \(victim.text[place])",
        victim.replacing(place..<victim.text.index(after: place), "\(digit)"),
        .found(line: victim.line(place)))
    }
  }
}

/// Something beside a bound number makes a reader read another.
@Sendable private func numbersGlued(_ victim: Victim, _ record: Record?) -> [Mutation] {
  let behind = [
    "5", "0", ",000", ".5", "e6", "E+6", "×10⁶", " × 10⁶", " × 10<sup>6</sup>", "·10⁶", "k", "M",
    "million", " million", "-million", " thousand", " hundred", "$^2$", "$\\times 10^6$",
    " $\\cdot 10^3$",
    "<sup>6</sup>", "<b>7</b>", "**7**", "*7*", "_7", "½", " ½", "/3", ":3", "'000", "’000", " 000",
    "&nbsp;000", "&thinsp;000", "\u{A0}000", "\u{202F}000", "\u{200B}5", "&#53;", "`5`", "\\.5",
    "٣", "５", " and a half", " point 5", "[5](x)", "<!-- -->5", "\n000",
  ]
  let before = [
    "-", "−", "–", "—", "‐", "&minus;", "&ndash;", "&#8722;", "&#x2212;", "$-$", "$-$ ", "$x -$ ",
    "− ",
    "– ", "— ", "&minus; ", "\\-", "minus ", "1", "1 ", "1,", "1.", "3/", "1&nbsp;", "1\u{2009}",
    "1'", "10^", "$1$", "$1$ ", "`1`", "**1**", "<b>1</b>", "x", "1:", "½ ", "1\n", "−\n", "١",
  ]
  var mutations: [Mutation] = []
  for (index, number) in victim.numbers.enumerated() {
    let line = victim.line(number.number.lowerBound)
    let shown = String(victim.text[number.number])
    for glue in part(of: behind, index) where !(glue.contains("\n") && isInTable(victim, number)) {
      mutations.append(
        Mutation(
          "number continued", "\(shown) then \(glue.debugDescription)",
          victim.inserting(glue, number.marker.upperBound), .found(line: line)))
    }
    for glue in part(of: before, index) where !(glue.contains("\n") && isInTable(victim, number)) {
      // A letter before a sign is a word with a hyphen, and a digit makes a sign a dash: all found.
      let isLater = glue.contains("\n")
      mutations.append(
        Mutation(
          "number preceded", "\(glue.debugDescription) then \(shown)",
          victim.inserting(glue, number.number.lowerBound), .found(line: isLater ? line + 1 : line))
      )
    }
    for unit in foreignUnits(String(victim.text[number.marker]), record) {
      mutations.append(
        Mutation(
          "foreign unit", "\(shown) then \(unit)",
          victim.inserting(unit, number.marker.upperBound), .found(line: line)))
    }
    // 400 decimals are all compared.
    if index.isMultiple(of: 10), !shown.contains("e"), !shown.contains("×") {
      let tail = (shown.contains(".") ? "" : ".") + String(repeating: "0", count: 400) + "1"
      mutations.append(
        Mutation(
          "decimals added", shown, victim.inserting(tail, number.number.upperBound),
          .found(line: line)))
    }
  }
  return mutations
}

/// Units that a value does not have: none is in thousandths, and one without a unit is no share, unless
/// it is the deviation of one.
private func foreignUnits(_ marker: String, _ record: Record?) -> [String] {
  let name = marker.dropFirst(5).dropLast(3)
  guard let value = record?.values.first(where: { $0.name == name }) else { return [] }
  let others = value.unit.isEmpty && !name.hasSuffix(".deviation")
  return ["‰", " ‰", "&#8240;"]
    + (others ? [" %", "%", "&percnt;", " per cent", " percent", " points"] : [])
}

/// Every eighth of a list, another part of it for each number: all of them meet many numbers.
private func part<Element>(of list: [Element], _ number: Int) -> [Element] {
  list.indices.filter { ($0 + number).isMultiple(of: 8) }.map { list[$0] }
}

private func isInTable(_ victim: Victim, _ number: Victim.BoundNumber) -> Bool {
  let text = victim.text
  let start = text[..<number.number.lowerBound].lastIndex(of: "\n").map { text.index(after: $0) }
  return text[start ?? text.startIndex] == "|"
}

/// A paragraph says one more number.
@Sendable private func numbersAdded(_ victim: Victim, _ record: Record?) -> [Mutation] {
  let sentences = [
    "It reaches 97.35 %.", "That is five points more.", "That is half of it.",
    "It is twice as fast.",
    "It is twenty million times the error.", "Two thirds of them fail.", "It errs on 5 per cent.",
    "It takes seven per cent more.", "A quarter is lost.", "It is tenfold.", "It is $97.35$ there.",
    "It is `97.35` there.", "It is **97.35** there.", "It is 97&#46;35 there.",
    "It errs on ９ of them.",
    "It is ½ of it.", "It has [97.35](x) of it.", "Nine in ten are read.", "An eighth is lost.",
    "One of twenty fails.", "It doubles the error.", "It is \"97.35\" there.", "It is (97.35).",
    "It errs by a factor of ten.", "It is -97.35 there.", "The error is .35 there.",
    "Chapter 97.35 % of them.", "It is 1.2×10⁵ there.", "It is 3e5 there.",
    "It took twelve seconds.",
    "It reads three of four.", "It took 2019 steps.",
  ]
  return victim.ends.enumerated().flatMap { index, end in
    // What the paragraph has as exact may stand in it once more.
    let fixed = victim.fixedNumbers(at: end)
    return part(of: sentences, index).filter { sentence in
      !sentence.lowercased().split(whereSeparator: { " .-".contains($0) }).contains {
        fixed.contains(String($0))
      }
    }.map {
      Mutation("number added", $0, victim.inserting(" " + $0, end), .found(line: victim.line(end)))
    }
  }
}

/// A list of fixed numbers and its paragraph part.
@Sendable private func fixedNumbersAltered(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.comments.filter { victim.text[$0].hasPrefix("<!--fixed ") }.flatMap { range in
    let line = victim.line(range.lowerBound)
    let entries = victim.text[range].dropFirst(10).dropLast(3).split(separator: " ")
    var mutations = entries.map { entry in
      let list = entries.filter { $0 != entry }.joined(separator: " ")
      return Mutation(
        "fixed number dropped", String(entry),
        victim.replacing(range, "<!--fixed \(list)-->"), .found(line: nil))
    }
    for (kind, entry) in [
      ("added", "77,777"), ("added", "googol"), ("added", "28*x"),
      ("listed twice", "\(entries[0])"),
    ] {
      let list = (entries + [Substring(entry)]).joined(separator: " ")
      mutations.append(
        Mutation(
          "fixed number \(kind)", entry, victim.replacing(range, "<!--fixed \(list)-->"),
          .found(line: line)))
    }
    mutations.append(
      Mutation(
        "fixed list set apart", String(victim.text[range]),
        victim.inserting("\n", range.upperBound),
        .found(line: line)))
    return mutations
  }
}

// MARK: Excerpts

@Sendable private func excerptsAltered(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.excerptLines.map { range in
    Mutation(
      "excerpt altered", String(victim.text[range]), victim.inserting(" ", range.upperBound),
      .found(line: victim.line(range.lowerBound)))
  }
}

// MARK: Claims

private struct PlacedClaim {
  let open: Range<String.Index>
  let close: Range<String.Index>
  let predicate: String
  let sentence: String
}

private func claims(_ victim: Victim) -> [PlacedClaim] {
  var claims: [PlacedClaim] = []
  var open: Range<String.Index>?
  for range in victim.comments {
    let marker = victim.text[range]
    if marker.hasPrefix("<!--claim ") { open = range }
    if marker == "<!--/claim-->", let start = open {
      claims.append(
        PlacedClaim(
          open: start, close: range,
          predicate: String(victim.text[start].dropFirst(10).dropLast(3)),
          sentence: victim.text[start.upperBound..<range.lowerBound].split(
            whereSeparator: \.isWhitespace
          ).joined(separator: " ")))
      open = nil
    }
  }
  return claims
}

/// Claims are turned round: in the prose alone, and in the prose and the record alike.
@Sendable private func claimsTurned(_ victim: Victim, _ record: Record?) -> [Mutation] {
  claims(victim).flatMap { claim in
    let line = victim.line(claim.open.lowerBound)
    var mutations: [Mutation] = []
    let turned = comparisonsTurned(in: claim.predicate)
    let marker = "<!--claim \(turned)-->"
    mutations.append(
      Mutation(
        "comparison turned", claim.predicate, victim.replacing(claim.open, marker),
        .found(line: line)))
    var both = mutations[0]
    both = Mutation(
      "comparison turned in the record too", claim.predicate, victim.replacing(claim.open, marker),
      .found(line: line))
    both.claims[claim.sentence] = (claim.sentence, turned)
    mutations.append(both)
    mutations.append(
      Mutation(
        "claim negated", claim.sentence,
        victim.inserting("It is not so that ", claim.open.upperBound),
        .found(line: line)))
    let source = claim.open.upperBound..<claim.close.lowerBound
    for (word, other) in turns where claim.sentence.contains(" \(word) ") {
      let sentence = claim.sentence.replacing(" \(word) ", with: " \(other) ", maxReplacements: 1)
      var mutation = Mutation(
        "words turned in the record too", "\(word) → \(other) in “\(claim.sentence)”",
        victim.replacing(source, sentence), .found(line: line))
      mutation.claims[claim.sentence] = (sentence, claim.predicate)
      mutations.append(mutation)
    }
    return mutations
  }
}

/// A predicate whose comparisons are turned round: `a ≥ b` becomes `a < b`, since `a ≤ b` holds of equal
/// numbers as well, and `a == b` becomes `a < b`.
private func comparisonsTurned(in predicate: String) -> String {
  predicate.replacing(/[<>]=?|==/) { $0.output.hasPrefix("<") ? ">" : "<" }
}

/// Words that turn a sentence round.
private let turns = [
  ("fewer", "more"), ("less than", "more than"), ("more than", "less than"),
  ("at least", "at most"),
  ("at most", "at least"), ("exceeds", "stays below"), ("below", "above"), ("twice", "half"),
  ("half", "twice"), ("quarter", "third"), ("fourfold", "fivefold"),
]

/// Comparisons that no parser should take, or die of.
@Sendable private func oddClaims(_ victim: Victim, _ record: Record?) -> [Mutation] {
  guard let claim = claims(victim).first else { return [] }
  let name = claim.predicate.prefix { $0 != " " }
  let predicates = [
    String(repeating: "(", count: 40_000) + "1" + String(repeating: ")", count: 40_000) + " < 2",
    String(repeating: "-", count: 40_000) + "1 < 2",
    "1" + String(repeating: " + 1", count: 40_000) + " > 2", "\(name) <", "", "1 < 2 and", "1 = 1",
  ]
  return predicates.map {
    var mutation = Mutation(
      "odd comparison", String($0.prefix(40)), victim.replacing(claim.open, "<!--claim \($0)-->"),
      .found(line: victim.line(claim.open.lowerBound)))
    mutation.claims[claim.sentence] = (claim.sentence, $0)
    return mutation
  }
}

// MARK: Figures

/// A figure stands in the place of its neighbour, in the prose or on the disk.
@Sendable private func figuresExchanged(_ victim: Victim, _ record: Record?) -> [Mutation] {
  guard let record else { return [] }
  let names = record.figures.map(\.name)
  return zip(names, names.dropFirst()).flatMap { first, second in
    let (a, b) = ("\(record.chapter)-\(first).svg", "\(record.chapter)-\(second).svg")
    var mutations = [
      Mutation(
        "figures exchanged in the prose", a,
        victim.text.replacing(a, with: "\u{1}").replacing(b, with: a).replacing("\u{1}", with: b),
        .found(line: nil))
    ]
    for types in [["svg"], ["dat"], ["svg", "dat"]] {
      var mutation = Mutation(
        "figures exchanged on the disk", "\(a), \(types)", nil, .found(line: nil))
      mutation.exchanged = (first, second, types)
      mutations.append(mutation)
    }
    var mutation = Mutation("figure is a folder", a, nil, .found(line: nil))
    mutation.folder = first
    mutations.append(mutation)
    return mutations
  }
}

/// An image in any form that GitHub shows is looked at.
@Sendable private func imagesReplaced(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.text.matches(of: /!\[([^\]]*)\]\(([^)]*)\)/).flatMap { match -> [Mutation] in
    let (alt, path, range) = (String(match.output.1), String(match.output.2), match.range)
    let same = [
      "![\(alt)](\(path) \"a title\")", "![\(alt)](<\(path)>)", "![a [b] c](\(path))",
      "<img src=\"\(path)\" alt=\"\(alt)\">", "<img alt='a > b' src=\(path) />",
      "![\(alt)][the-figure]\n\n[the-figure]: \(path)", "[![\(alt)](\(path))](https://example.org)",
    ]
    let others = [
      "![\(alt)](\(path).svg)", "![\(alt)](x.svg \"a title\")", "![\(alt)](<a b.svg>)",
      "![a [b] c](x.svg)", "<img src=\"x.svg\">", "<IMG SRC='x.svg'>", "<img width=9 src = x.svg>",
      "![\(alt)](https://example.org/x.svg)", "<img src=\"https://example.org/\(path)\">",
      "![\(alt)][the-figure]\n\n[the-figure]: x.svg", "![the figure]\n\n[The  Figure]: <x.svg> 'a'",
      "<picture><source srcset=\"x.svg\"><img src=\"\(path)\"></picture>",
      "[![\(alt)](x.svg)](https://example.org)", "<object data=\"x.svg\"></object>", "",
    ]
    // The front page shows figures as it likes; a chapter shows each of its own.
    let line = victim.line(range.lowerBound)
    return same.map {
      Mutation("image in another form", $0, victim.replacing(range, $0), .passed)
    }
      + others.filter { !$0.isEmpty || !victim.isFrontPage }.map {
        Mutation(
          "image replaced", $0, victim.replacing(range, $0),
          .found(line: $0.isEmpty ? nil : line))
      }
  }
}

// MARK: Links and output

/// Links lead to files that are not there.
@Sendable private func linksBroken(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.text.matches(of: /[^!]\[[^\]!]+\]\(([^):#]+)\)/).filter {
    victim.isProse($0.range.lowerBound)
  }.map { match in
    let path = match.output.1
    return Mutation(
      "link broken", String(path), victim.inserting(".gone", path.endIndex),
      .found(line: victim.line(path.startIndex)))
  }
}

/// A paragraph is followed by something that a run might have printed.
@Sendable private func outputAdded(_ victim: Victim, _ record: Record?) -> [Mutation] {
  victim.ends.flatMap { end in
    ["```text\naccuracy 97.35 %\n```", "```\nloss 0.731\n```", "~~~\n97.35\n~~~"].map { text in
      Mutation(
        "output added", text, victim.inserting("\n\n\(text)", end),
        .found(line: victim.line(end) + 3))
    }
  }
}

// MARK: Bytes

@Sendable private func bytesChanged(_ victim: Victim, _ record: Record?) -> [Mutation] {
  var mutations = [
    Mutation("CRLF", "each line", victim.text.replacing("\n", with: "\r\n"), .passed)
  ]
  for (index, number) in victim.numbers.enumerated() {
    let place = number.number.lowerBound
    let offset = victim.text[..<place].utf8.count
    let sequences: [[UInt8]] = [[0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xC0, 0x80]]
    for bytes in [sequences[index % sequences.count]] {
      var mutation = Mutation(
        "byte that is not UTF-8", "\(bytes)", nil, .refused(line: victim.line(place)))
      mutation.text = {
        var data = Data(victim.text.utf8)
        data.insert(contentsOf: bytes, at: offset)
        return data
      }
      mutations.append(mutation)
    }
  }
  for end in victim.ends {
    // What is no fence hides nothing behind it, and what is one closes only by its like.
    for line in ["```not a fence```", "    ```", "```a`", "~~~\nx\n~~~", "````\n```\n````"] {
      let text = "\n\n\(line)\n\nIt reaches 97.35 %."
      let count = text.count { $0 == "\n" }
      mutations.append(
        Mutation(
          "number behind what is no open fence", line, victim.inserting(text, end),
          .found(line: victim.line(end) + count)))
    }
  }
  return mutations
}
