import Crypto
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
    "prose": readProse,
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
  whole.append(contentsOf: SHA256.hash(data: data))
  guard let archive = try? Archive(whole) else { return }
  let url = URL(fileURLWithPath: "fuzz.lab")
  var training = Supervised(
    SmallNetwork(), Adam(), rate: .constant(0.1), batchSize: 2, seed: 1, name: "fuzz")
  guard (try? training.restore(archive, label: "fuzz", from: url)) != nil else { return }
  // What was accepted can be gone on with.
  let set = ImageSet(pixels: [UInt8](repeating: 9, count: 3 * 784), labels: [0, 1, 2])
  _ = try? training.runEpoch(set, [0, 1, 2])
  _ = training.checkpoint(label: "fuzz").encoded
}

/// Reads 7 × 7 pixels, so that its archives are small.
private struct SmallNetwork: Classifier {
  let layer: Dense

  init() {
    var stream = RandomStream(seed: 1, "fuzz")
    layer = Dense("layer", 49, 10, initialiser: .sparse(connections: 1), &stream)
  }

  var parameters: [Parameter] { layer.parameters }

  func logits(_ images: Variable, _ phase: Phase, _ stream: inout RandomStream) -> Variable {
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

@Sendable private func readProse(_ data: Data) {
  let text = String(decoding: data, as: UTF8.self)
  let prose = Prose(text)
  // Written back as it stands, nothing changes.
  let same = prose.rewritten(number: { $0.literal.text }, excerpt: { prose.code($0) })
  precondition(same == text, "the prose is not itself after it is rewritten")
  for number in prose.numbers { _ = number.literal.writing(number.literal.value) }
  for claim in prose.claims { _ = try? Predicate(claim.predicate).holds(in: ["a": 1, "b": 2]) }
  _ = Snippets(text)
}
