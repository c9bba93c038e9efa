import Files
import Foundation
@testable import Handwriting
import Testing

@Suite struct PictureFileTests {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).picture")

  private func picture(_ data: Data) async throws -> GreyPicture {
    try data.write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try await PictureFile(reading: url).picture()
  }

  /// What is said of some bytes, without the name of their file.
  private func refusal(_ data: Data, by program: String = "pngtopam") async throws -> LabError? {
    try data.write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    do {
      _ = try await PictureFile(reading: url).picture(by: program)
      return nil
    } catch let error as LabError {
      return LabError(
        error.kind, error.description.replacingOccurrences(of: url.path + " ", with: ""))
    }
  }

  @Test func theFormatsOfNetpbmAreOnePicture() async throws {
    let expected: [Float] = [0, 1, 1, 0, 0, 1]
    for text in [
      "P2\n# by hand\n3 2 # three by two\n9\n0 9 9\n0 0 9", "P1 3 2 100\n1 1 0",
      "P1\n3 2\n1 0 0 1 1 0",
      "P3\n3 2\n5\n0 0 0 5 5 5 5 5 5 0 0 0 0 0 0 5 5 5",
    ] {
      let picture = try await picture(Data(text.utf8))
      #expect(picture.width == 3 && picture.height == 2, "\(text)")
      // The parts of a colour do not quite add up to 1.
      #expect(zip(picture.values, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(text)")
    }
    let bytes = try await picture(Data("P5 3 2 200\n".utf8) + Data([0, 200, 200, 0, 0, 255]))
    #expect(bytes.values == expected)
    let wide = try await picture(
      Data("P5\n3 2\n1000\n".utf8) + Data([0, 0, 3, 232, 3, 232, 0, 0, 0, 0, 3, 232]))
    #expect(wide.values == expected)
    let bits = try await picture(Data("P4\n3 2\n".utf8) + Data([0b1001_1111, 0b1100_0000]))
    #expect(bits.values == expected)
    let colour = try await picture(Data("P6 2 1 255\n".utf8) + Data([255, 0, 0, 0, 255, 0]))
    #expect(abs(colour.values[0] - 0.299) < 1e-6 && abs(colour.values[1] - 0.587) < 1e-6)
  }

  @Test func whatIsNoWholePictureIsRefused() async throws {
    let remedy = "; name a PGM or a PNG of one digit."
    for (text, reason) in [
      ("", "is neither a PGM nor a PNG"), ("GIF89a", "is neither a PGM nor a PNG"),
      ("P7\nWIDTH 3", "is neither a PGM nor a PNG"), ("P5", "is neither a PGM nor a PNG"),
      ("P5 3", "is cut short"), ("P5 3 2 255\nabcde", "is cut short"),
      ("P2 3 2 9 0 9 9 0 0", "is cut short"), ("P1 2 2 1 0 1", "is cut short"),
      ("P2 3 2 9 0 9 9 0 0 x", "has a letter where a number belongs"),
      ("P2 3 -2 9 0", "has a letter where a number belongs"),
      ("P2 1 1 9 10", "has a pixel of 10, lighter than its lightest, 9"),
      ("P2 0 4 9 ", "has no pixels"),
      ("P5 3 2 0 abcdef", "has 0 as its lightest grey, where 1 to 65535 is allowed"),
      (
        "P5 60000 2 255 a",
        "is of 60000 × 2 pixels, and at most 10000 a side and 16 million in all are read"
      ),
      (
        "P5 9000 9000 255 a",
        "is of 9000 × 9000 pixels, and at most 10000 a side and 16 million in all are read"
      ),
      ("P5 99999999999999999999 2 255 a", "is of 1073741824 × 2 pixels, and at most 10000 a side"),
    ] {
      let error = try await refusal(Data(text.utf8))
      #expect(error?.kind == .input, "\(text)")
      #expect(error?.description.hasPrefix(reason) == true, "\(text): \(error as Any)")
      #expect(error?.description.hasSuffix(remedy) == true)
    }
  }

  @Test func whatIsNoFileIsToldApart() {
    for (path, reason) in [
      ("/nowhere/digit.pgm", "is not there"), ("/dev/zero", "is no regular file"),
      ("/tmp", "is no regular file"),
    ] {
      #expect {
        try PictureFile(reading: URL(fileURLWithPath: path))
      } throws: {
        "\($0)" == "\(path) \(reason); name a PGM or a PNG of one digit."
      }
    }
  }

  /// A PNG of one grey pixel row, made by hand: its chunks, and no more than that.
  private func png(width: UInt32, height: UInt32) -> Data {
    var data = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0, 0, 0, 13])
    data.append(contentsOf: "IHDR".utf8)
    for number in [width, height] {
      withUnsafeBytes(of: number.bigEndian) { data.append(contentsOf: $0) }
    }
    return data + Data([8, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test func aPNGIsConvertedAndABadOneRefused() async throws {
    // A program in the place of netpbm's says what it was asked, and answers with a PGM.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func program(_ script: String) throws -> String {
      let file = folder.appendingPathComponent("converter\(UInt32.random(in: 0 ... .max))")
      try Data("#!/bin/sh\n\(script)\n".utf8).write(to: file)
      chmod(file.path, 0o755)
      return file.path
    }
    let good = try program(
      "case \"$1 $2 $3\" in '-quiet -mix -background=white') printf 'P2 2 1 4 0 4' ;; "
        + "'-quiet -mix -background=black') printf 'P2 2 1 4 0 0' ;; esac")
    try png(width: 2, height: 1).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    let picture = try await PictureFile(reading: url).picture(by: good)
    #expect(picture.values == [0, 1] && picture.width == 2)
    let onBlack = try await PictureFile(reading: url).picture(on: .black, by: good)
    #expect(onBlack.values == [0, 0])
    let cut = try await refusal(png(width: 2, height: 1), by: program("exit 1"))
    #expect(
      cut == LabError(.input, "is cut short or damaged; name a PGM or a PNG of one digit."))
    // Its size is looked at before anything is started.
    let trace = folder.appendingPathComponent("trace")
    let wide = try await refusal(
      png(width: 60_000, height: 3), by: program("touch \(trace.path)"))
    #expect(wide?.kind == .input && wide?.description.hasPrefix("is of 60000 × 3 pixels") == true)
    let short = try await refusal(
      png(width: 2, height: 1).prefix(20), by: program("touch \(trace.path)"))
    #expect(short == LabError(.input, "is cut short; name a PGM or a PNG of one digit."))
    #expect(!FileManager.default.fileExists(atPath: trace.path))
    let missing = try await refusal(png(width: 2, height: 1), by: "no-such-converter")
    #expect(
      missing
        == LabError(
          .tool,
          "no-such-converter is missing, so the PNG was not read; install it with: apt-get install "
            + "netpbm."))
  }
}
