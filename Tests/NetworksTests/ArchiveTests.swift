import Files
import Foundation
import Gradients
import Networks
import Tensors
import Testing

@Suite struct ArchiveTests {
  struct One: Module { let w: Parameter }

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
    struct Other: Module { let w, x: Parameter }
    func zeros(_ shape: Shape) -> Parameter { Parameter("p", Tensor(repeating: 0, shape)) }
    let archive = archive
    let right = One(w: zeros([3, 4]))
    try archive.restore(right, from: url)
    #expect(right.w.value == archive.tensors[0].value)
    #expect(throws: LabError.self) { try archive.restore(One(w: zeros([4, 3])), from: url) }
    // A parameter that fits stays as it was when another does not.
    let half = Other(w: zeros([3, 4]), x: zeros([7]))
    #expect(throws: LabError.self) { try archive.restore(half, from: url) }
    #expect(half.w.value == Tensor(repeating: 0, [3, 4]))
  }

  @Test func aFileLargerThanAnyNetworkIsRefusedUnread() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    try archive.write(to: url)
    try #require(truncate(url.path, 6 << 30) == 0)
    let start = ContinuousClock.now
    #expect {
      try Archive(reading: url)
    } throws: {
      "\($0)".hasPrefix("\(url.path) is of 6442450944 bytes, more than ")
    }
    #expect(ContinuousClock.now - start < .seconds(1))
    let module = One(w: Parameter("w", Tensor(repeating: 0, [1000, 1000])))
    let limit = Archive.mostBytes(of: module, copies: 3)
    #expect((12_000_000...14_000_000).contains(limit))
    try #require(truncate(url.path, off_t(limit + 1)) == 0)
    #expect {
      try Archive(reading: url, limit: limit)
    } throws: {
      "\($0)".contains("more than the \(limit) of any such network")
    }
  }

  @Test func whatIsNoFileIsToldApart() throws {
    let folder = url.deletingLastPathComponent()
    for (place, words) in [
      (folder, " is a folder; name the file of a model."),
      (URL(fileURLWithPath: "/dev/zero"), " is no regular file; name the file of a model."),
      (url, " is not there; make it with: swift run lab model --out \(url.path)"),
      (
        folder.appendingPathComponent("it's $(a)"),
        " is not there; make it with: swift run lab model --out '\(folder.path)/it'\\''s $(a)'"
      ),
    ] {
      #expect {
        try Archive(reading: place)
      } throws: {
        "\($0)" == place.path + words
      }
    }
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func aModelWithoutFiniteWeightsIsRefused(_ value: Float) throws {
    for kind in ["model", "training"] {
      var weights = [Float](repeating: 1, count: 12)
      weights[7] = value
      let archive = Archive(kind: kind, state: "", tensors: [("w", Tensor([3, 4], weights))])
      let module = One(w: Parameter("w", Tensor(repeating: 0, [3, 4])))
      // A training that went astray goes on to the same bits as ever.
      guard kind == "model" else {
        try archive.restore(module, from: url)
        continue
      }
      #expect {
        try archive.restore(module, from: url)
      } throws: {
        "\($0)" == "\(url.path) has a w that is not finite; train it again with: swift run lab "
          + "model"
      }
      #expect(module.w.value == Tensor(repeating: 0, [3, 4]))
    }
  }
}
