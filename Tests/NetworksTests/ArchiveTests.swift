import Files
import Foundation
import Gradients
import Networks
import Tensors
import Testing

@Suite struct ArchiveTests {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).lab")

  var archive: Archive {
    var stream = RandomStream(seed: 1, "archive")
    return Archive(
      kind: "model", state: "{\"a\": 1}",
      tensors: [("w", stream.normal([3, 4])), ("b", stream.normal([7]))])
  }

  @Test func anArchiveSurvivesItsRoundTripToTheByte() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    try archive.write(to: url)
    let again = try Archive(reading: url)
    #expect(again.encoded == archive.encoded)
    #expect(again.tensors[0].value == archive.tensors[0].value && again.state == archive.state)
  }

  @Test func aCutOrAlteredArchiveIsRefusedInASentence() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let whole = archive.encoded
    var damaged = (0..<whole.count).map { whole.prefix($0) }
    for place in stride(from: 0, to: whole.count, by: 5) {
      var data = whole
      data[place] ^= 4
      damaged.append(data)
    }
    damaged.append(whole + Data([0]))
    for data in damaged {
      try Data(data).write(to: url)
      #expect {
        try Archive(reading: url)
      } throws: {
        ($0 as? LabError)?.kind == .input && "\($0)".contains(url.path)
      }
    }
  }

  @Test func parametersOfAnotherNetworkAreRefused() throws {
    let archive = archive
    let right = Parameter("w", Tensor(repeating: 0, [3, 4]))
    try archive.restore([right], from: url)
    #expect(right.value == archive.tensors[0].value)
    for wrong in [
      Parameter("w", Tensor(repeating: 0, [4, 3])), Parameter("x", Tensor(repeating: 0, [7])),
    ] {
      #expect(throws: LabError.self) { try archive.restore([wrong], from: url) }
    }
  }
}
