import Files
import Foundation
import Gradients
import Tensors

@testable import Digits
@testable import Methods
@testable import Networks
@testable import Notebook

// What libFuzzer calls with each input. A reader may refuse an input by an error; it may not crash,
// nor take more memory or time than the input justifies, which libFuzzer's limits watch over.

/// The reader that `LAB_FUZZ` names, which the script sets.
private let reader: @Sendable (Data) -> Void = {
  let readers: [String: @Sendable (Data) -> Void] = [
    "idx": readIDX, "gzip": readGzip, "archive": readArchive, "record": readRecord,
    "prose": readProse, "prose2": readTwoMutations, "predicate": readPredicate,
  ]
  let name = ProcessInfo.processInfo.environment["LAB_FUZZ"] ?? ""
  guard let reader = readers[name] else {
    fatalError("LAB_FUZZ is one of \(readers.keys.sorted())")
  }
  return reader
}()

/// Reads one input.
@_cdecl("LLVMFuzzerTestOneInput")
public func test(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  reader(bytes.map { Data(bytes: $0, count: count) } ?? Data())
  return 0
}

@Sendable private func readIDX(_ data: Data) {
  guard let array = try? IDX(from: MemoryBytes(data)) else { return }
  precondition(array.encoded == data, "an IDX file is read in one way only")
  _ = try? ImageSet.pixels(of: array)
  _ = try? ImageSet.labels(of: array, imageCount: 2)
}

@Sendable private func readGzip(_ data: Data) {
  let limit = 1 << 20
  if let unpacked = try? Gzip.unpack(MemoryBytes(data), limit: limit) {
    precondition(unpacked.count <= limit)
  }
  _ = try? IDX(from: InflatedBytes(MemoryBytes(data), .gzip, limit: .max - 1))
}

/// Reads an archive, and goes on with it when it is a checkpoint.
///
/// The digest of an archive is no secret: a hostile file has the right one. So it is put behind the
/// input here, which also lets the fuzzer get past it.
@Sendable private func readArchive(_ data: Data) {
  _ = try? Archive(data)
  var whole = data
  whole.append(contentsOf: SHA256.digest(of: data).bytes)
  guard let archive = try? Archive(whole) else { return }
  let url = URL(fileURLWithPath: "fuzz.lab")
  let set = ImageSet(pixels: [UInt8](repeating: 9, count: 3 * 784), labels: [0, 1, 2])
  var training = Training(
    of: SmallNetwork(), on: set, [0, 1, 2], Adam(), rate: .constant(0.1), batchSize: 2, seed: 1,
    name: "fuzz")
  guard (try? training.restore(archive, label: "fuzz", from: url)) != nil else { return }
  // What was accepted can be gone on with.
  _ = try? training.runEpoch()
  _ = training.checkpoint(label: "fuzz").encoded
}

/// Reads 7 × 7 pixels, so that its archives are small.
private struct SmallNetwork: Classifier {
  let layer: Dense

  init() {
    var stream = RandomStream(seed: 1, "fuzz")
    layer = Dense(
      inputs: 49, outputs: 10, initialiser: .sparse(connections: 1), using: &stream)
  }

  func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    layer(flatten(maximumPool(maximumPool(images).what).what))
  }
}

@Sendable private func readRecord(_ data: Data) {
  guard let record = try? Record.decoded(from: data, path: "fuzz.json") else { return }
  _ = try? record.encoded()
  _ = record.repeats(record)
  _ = record.contradiction(path: "fuzz.json")
  precondition(record.sealed().sealDigest == record.sealed().seal)
  var numbers: [String: Double] = [:]
  for value in record.values { numbers[value.name] = value.value }
  for claim in record.claims { _ = try? Predicate(claim.predicate).holds(in: numbers) }
  for value in record.values {
    for text in ["1", "0.25", "1,234.5", "−3", "1.2e-11", "1.2×10⁻¹¹"] {
      let literal = Literal(text)!
      _ = literal.shows(value.value)
      precondition(!value.value.isFinite || Literal(literal.writing(value.value)) != nil)
    }
  }
}

@Sendable private func readPredicate(_ data: Data) {
  let text = String(decoding: data, as: UTF8.self)
  guard let predicate = try? Predicate(text) else { return }
  precondition(predicate.names.allSatisfy(Predicate.isName), "a name that no value can have")
  precondition(predicate.factors.count == predicate.constants.count)
  var numbers: [String: Double] = [:]
  for (index, name) in predicate.names.sorted().enumerated() { numbers[name] = Double(index) - 1.5 }
  let holds = try? predicate.holds(in: numbers)
  // Spaces around symbols say nothing.
  let spaced = text.map { "()+*/".contains($0) ? " \($0) " : String($0) }.joined()
  precondition(
    (try? Predicate(spaced).holds(in: numbers)) == holds || text.lowercased().contains("e"),
    "spaces change what a comparison says")
  for words in ["A is more than five times B.", "It loses no less than half a point."] {
    _ = ClaimWords.fault(of: words, predicate, numbers)
  }
}

/// Makes two mutations of a chapter that agrees with itself, each by a line of the input (where,
/// how much goes, what comes instead), and reads what is left.
@Sendable private func readTwoMutations(_ data: Data) {
  var text = Array(sampleChapter.utf8)
  let lines = data.split(separator: UInt8(ascii: "\n"), maxSplits: 1)
  for line in lines where line.count >= 3 {
    let bytes = Array(line)
    let start = (Int(bytes[0]) << 8 | Int(bytes[1])) % (text.count + 1)
    let end = min(text.count, start + Int(bytes[2] & 15))
    text.replaceSubrange(start..<end, with: bytes[3...])
  }
  guard let mutated = String(validating: text, as: UTF8.self) else { return }
  readProse(Data(text))
  // Whatever was done to it, a number that is still bound shows what it says.
  let prose = Prose(mutated)
  for number in prose.numbers {
    let shown = String(prose.lines[number.line - 1][number.range])
    precondition(shown == number.literal.text, "a number stands elsewhere than it is said to")
    precondition(
      number.literal.shows(number.literal.value) || number.literal.significantDigits > 15
        || number.literal.form != .plain || number.literal.value == 0)
  }
}

/// A chapter with each kind of marker.
private let sampleChapter = """
  # 9.9 A chapter

  <!--fixed 28 3,000 half-->
  The loss is 0.25<!--=loss--> after 1,200<!--=steps--> steps on 28 × 28 pixels of 3,000 images.
  <!--claim a > 2 * b-->It is more than twice as much as before<!--/claim-->, and half of $x = 3$.

  | a | b |
  |---|---|
  | **1.2e-11<!--=small-->** | −0.31<!--=less-->–4<!--=most--> |

  <!--snippet Methods/File.swift#half-->
  ```swift
  func half(_ x: Double) -> Double { x / 2 }
  ```

  ![the [loss]](../figures/9.9-loss.svg "title") and <img src="x.svg">, chapter 2.1 `7`

  # References

  A. Author, JMLR 15 (2014), 1–9.

  """

@Sendable private func readProse(_ data: Data) {
  let text = String(decoding: data, as: UTF8.self)
  let prose = Prose(text)
  // Written back as it stands, nothing changes.
  let same = prose.rewritten(number: { $0.literal.text }, excerpt: { prose.code($0) })
  precondition(same == text, "the prose is not itself after it is rewritten")
  for number in prose.numbers { _ = number.literal.writing(number.literal.value) }
  for claim in prose.claims {
    guard let predicate = try? Predicate(claim.predicate) else { continue }
    _ = try? predicate.holds(in: ["a": 1, "b": 2])
    _ = ClaimWords.fault(of: claim.sentence, predicate, ["a": 1, "b": 2])
  }
  _ = Snippets(text)
}
