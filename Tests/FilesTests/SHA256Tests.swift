import Files
import Foundation
import Testing

@Suite struct SHA256Tests {
  /// The examples that NIST publishes for FIPS 180-4, and the empty message.
  @Test(arguments: [
    ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (
      "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
        + "klmnopqrlmnopqrsmnopqrstnopqrstu", 1,
      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
    ),
    ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ])
  func publishedDigests(word: String, count: Int, expected: String) {
    let message = Data(String(repeating: word, count: count).utf8)
    #expect(SHA256.digest(of: message).hexadecimal == expected)
    // A slice has indices of its own.
    #expect(SHA256.digest(of: (Data([1, 2]) + message).dropFirst(2)).hexadecimal == expected)
  }

  @Test func piecesOfAnySizeGiveTheDigestOfTheWhole() {
    let message = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) })
    let whole = SHA256.digest(of: message)
    #expect(whole.bytes.count == 32)
    for size in [1, 3, 55, 56, 63, 64, 65, 4097] {
      var hash = SHA256()
      for start in stride(from: 0, to: message.count, by: size) {
        hash.update(message[start..<min(start + size, message.count)])
        hash.update(Data())
      }
      #expect(hash.finish() == whole, "pieces of \(size)")
    }
  }

  @Test func hashesDoNotDisturbEachOther() async {
    let messages = (0..<64).map { Data(repeating: UInt8($0), count: 10_000 + $0) }
    let alone = messages.map { SHA256.digest(of: $0) }
    let together = await withTaskGroup(of: (Int, SHA256.Digest).self) { group in
      for (index, message) in messages.enumerated() {
        group.addTask { (index, SHA256.digest(of: message)) }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
    #expect(alone.indices.allSatisfy { together[$0] == alone[$0] })
    #expect(Set(alone).count == 64)
  }
}
