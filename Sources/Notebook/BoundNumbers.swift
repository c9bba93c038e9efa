// The numbers and the claims of a block, once all its lines are there.

extension Prose {
  mutating func finish() {
    guard !block.segments.isEmpty else { return }
    var block = block
    self.block = Block()
    let scanner = GlyphScanner(
      block.segments, isTable: Self.isTable(block.segments), addresses: addresses)
    faults += scanner.faults.map { ($0.line + 1, $0.sentence) }
    images += scanner.images.map { Image(path: $0.path, line: $0.line + 1) }
    links += scanner.links.map { Image(path: $0.path, line: $0.line + 1) }

    let finder = NumeralFinder(scanner.glyphs)
    var numerals = finder.numerals + NumberWords(scanner.glyphs).numerals
    numerals.sort { $0.range.lowerBound < $1.range.lowerBound }
    References.mark(&numerals, scanner.glyphs, isHeading: block.isHeading)
    if isInReferences, !block.isHeading { References.markCitations(&numerals, scanner.glyphs) }

    let sentences = handle(scanner, finder, numerals)
    passages += scanner.formulas.map { (.formula($0.content), scanner.extent($0.source)) }
    var boundTexts: Set<String> = []
    for (index, numeral) in numerals.enumerated() {
      let line = scanner.glyphs[numeral.range.lowerBound].line
      let predicates = sentences.predicates.filter {
        $0.range.lowerBound <= numeral.range.lowerBound
          && numeral.range.upperBound <= $0.range.upperBound
      }
      let isClaimed = predicates.contains { Self.covers($0.predicate, numeral, scanner.glyphs) }
      if sentences.bound.contains(index) {
        boundTexts.insert(numeral.texts[0])
        if let exemption = numeral.exemption {
          fault(
            line,
            "a bound number may not stand in \(exemption): if its marker were lost, nobody "
              + "would miss it; move it")
        } else if isClaimed {
          fault(
            line, "\(numeral.text) is bound by the comparison of its claim already; drop the marker"
          )
        }
      } else if numeral.exemption != nil {
        continue
      } else if isClaimed {
        counts.bound += 1
      } else if block.fixed.use(numeral) {
        counts.fixed += 1
      } else {
        fault(
          line,
          "nothing binds “\(numeral.text)”: put <!--=name--> behind it, or write "
            + "<!--fixed \(numeral.text)--> above the paragraph if it is exact by definition")
      }
    }
    close(block.fixed, bound: boundTexts)
  }

  private mutating func close(_ list: FixedNumbers, bound: Set<String> = []) {
    faults += list.faults(bound: bound).map { ($0.line + 1, $0.sentence) }
    fixed += list.entries.map { Fixed(text: $0.text, others: $0.others, line: $0.line + 1) }
  }

  /// Reads the numbers of a block of output, in which a reader would see a marker: all of them must
  /// stand in the list above it.
  mutating func readOutput(_ range: Range<Int>) {
    var list = pending
    pending = FixedNumbers()
    var glyphs: [Glyph] = []
    for line in range {
      let text = lines[line]
      for index in text.indices {
        glyphs.append(
          Glyph(
            character: text[index], kind: text[index].isWhitespace ? .space : .text, line: line,
            range: index..<text.index(after: index)))
      }
      glyphs.append(
        Glyph(character: "\n", kind: .border, line: line, range: text.endIndex..<text.endIndex))
    }
    for numeral in NumeralFinder(glyphs).numerals + NumberWords(glyphs).numerals {
      if list.use(numeral) {
        counts.fixed += 1
      } else {
        fault(
          glyphs[numeral.range.lowerBound].line,
          "nothing binds “\(numeral.text)” in this output: write <!--fixed \(numeral.text)--> above "
            + "it if it is exact by definition, or show it in a table")
      }
    }
    close(list)
  }

  static func isTable(_ segments: [GlyphScanner.Segment]) -> Bool {
    guard segments.count > 1 else { return false }
    let rule = segments[1].text[segments[1].start...]
    return segments[0].text.contains("|") && rule.contains("-") && rule.contains("|")
      && rule.allSatisfy { "|-: \t".contains($0) }
  }

  /// The claims of a block by their glyphs, and which of its numbers are bound.
  typealias Sentences = (
    predicates: [(range: Range<Int>, predicate: Predicate)], bound: Set<Int>
  )

  mutating func handle(
    _ scanner: GlyphScanner, _ finder: NumeralFinder, _ numerals: [Numeral]
  ) -> Sentences {
    var result: Sentences = ([], [])
    var open: (comment: GlyphScanner.Comment, predicate: String)?
    for comment in scanner.comments {
      let body = comment.body
      if body.hasPrefix("=") {
        let name = body.dropFirst().trimmed
        if let index = bind(name, comment, scanner, finder, numerals) { result.bound.insert(index) }
      } else if body.hasPrefix("claim ") {
        if open != nil { fault(comment.line, "a claim starts inside another") }
        open = (comment, body.dropFirst(6).trimmed)
      } else if body == "/claim" {
        guard let (start, predicate) = open else {
          fault(comment.line, "<!--/claim--> closes no claim")
          continue
        }
        let source = start.source.upperBound..<comment.source.lowerBound
        let claim = Claim(
          predicate: predicate, sentence: scanner.text(source).words, line: start.line + 1)
        claims.append(claim)
        passages.append((.claimStart(claim), scanner.extent(start.source)))
        passages.append((.claimEnd, scanner.extent(comment.source)))
        if let predicate = try? Predicate(predicate) {
          result.predicates.append((start.position..<comment.position, predicate))
        }
        open = nil
      } else if ["fixed", "snippet"].contains(body.prefix { !$0.isWhitespace }) {
        fault(comment.line, "<!--\(body)--> must have a line of its own, without a space before it")
      } else {
        fault(comment.line, "<!--\(body)--> is no marker")
      }
    }
    if let open { fault(open.comment.line, "the claim is not closed by <!--/claim-->") }
    return result
  }

  /// Binds the number before a marker, or says why there is none that a reader would read alone.
  mutating func bind(
    _ name: String, _ comment: GlyphScanner.Comment, _ scanner: GlyphScanner,
    _ finder: NumeralFinder, _ numerals: [Numeral]
  ) -> Int? {
    let marker = "<!--\(comment.body)-->"
    guard !name.isEmpty,
      let index = numerals.firstIndex(where: {
        $0.kind == .digits && $0.range.lowerBound < comment.position
          && comment.position <= $0.range.upperBound
      })
    else {
      fault(comment.line, "no number stands directly before \(marker)")
      return nil
    }
    let glyphs = scanner.glyphs[numerals[index].range]
    let line = glyphs.first!.line
    let text = lines[comment.line]
    if numerals[index].range.upperBound > comment.position {
      fault(
        comment.line,
        "the number before \(marker) goes on behind it: a reader reads "
          + "“\(String(glyphs.map(\.character)))”; put the marker behind all of it")
      return index
    }
    let start = glyphs.first!.range.lowerBound
    guard line == comment.line, glyphs.last!.range.upperBound == comment.start,
      String(text[start..<comment.start]) == String(glyphs.map(\.character)),
      numerals[index].suffix.isEmpty, glyphs.allSatisfy({ $0.kind == .text }),
      let literal = Literal(String(text[start..<comment.start]))
    else {
      let seen = glyphs.map { $0.content.isEmpty ? String($0.character) : $0.content }.joined()
      fault(
        comment.line,
        "“\(seen)” before \(marker) is no number that can be compared; write it as "
          + "97.4, 12,345, −0.31, 1.2e-11 or 1.2×10⁻¹¹")
      return index
    }
    if let seen = finder.ambiguity(of: numerals[index].range) {
      fault(
        comment.line,
        "a reader may take “\(seen)” for one number, and \(marker) binds "
          + "\(literal.text); set them apart")
    }
    let number = Number(
      name: name, literal: literal, line: line + 1, range: start..<comment.start,
      unit: Self.unit(behind: numerals[index].range.upperBound, scanner.glyphs))
    numbers.append(number)
    let end = scanner.extent(comment.source)
    passages.append(
      (
        .number(number), Extent(startLine: line, start: start, endLine: end.endLine, end: end.end)
      ))
    counts.bound += 1
    return index
  }

  /// Whether a claim's comparison has a number of its sentence.
  static func covers(
    _ predicate: Predicate, _ numeral: Numeral, _ glyphs: [Glyph]
  ) -> Bool {
    if numeral.isFactor {
      return (predicate.factors + predicate.products).contains {
        abs($0 - numeral.meanings[0]) <= 1e-9 * numeral.meanings[0]
      }
    }
    let behind = String(
      glyphs[numeral.range.upperBound...].prefix(12).map { $0.kind == .space ? " " : $0.character })
    let unit = behind.trimmed
    let isShare = unit.hasPrefix("%") || unit.hasPrefix("per cent") || unit.hasPrefix("percent")
    /// The forms in which a comparison may have a constant that the sentence gives in per cent.
    func forms(_ constant: Double) -> [Double] {
      isShare
        ? [constant, 100 * constant, 100 * (constant - 1), 100 * (1 - constant)] : [constant]
    }
    let candidates = predicate.constants.flatMap(forms)
    if numeral.kind == .digits {
      if let literal = Literal(numeral.texts[0]) {
        // Not at the digits written: "more than 1" is not "> 0.6".
        return candidates.contains {
          abs(abs($0) - abs(literal.value)) <= 1e-9 * abs(literal.value)
        }
      }
      let value = numeral.texts[0].unicodeScalars.first?.properties.numericValue
      return numeral.texts[0].count == 1 && value.map { candidates.contains($0) } == true
    }
    return numeral.meanings.contains { meaning in
      candidates.contains { abs($0 - meaning) <= 1e-9 * abs(meaning) }
    }
  }
}
