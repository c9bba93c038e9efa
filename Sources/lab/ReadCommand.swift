import ArgumentParser
import Files
import Foundation
import Handwriting

/// `lab read`.
struct ReadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read", abstract: "Reads the digit in a picture: PGM, or PNG by pngtopam.",
    discussion: """
      The picture shows one digit, of any size and anywhere, dark on light or light on dark. It is \
      made as the digits of MNIST were: 20 pixels at the longest side, the centre of mass in the \
      middle of 28 × 28.
      """)

  @Argument(help: ArgumentHelp("The picture.", valueName: "file"))
  var file: String

  @Option(
    help: ArgumentHelp(
      "The model; \(ModelFile.exported) of the lab unless named, else model.lab.", valueName: "file"
    ))
  var model: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try requireFileName(file, "The argument")
    if let model { try requireFileName(model, "--model") }
  }

  func run() async throws {
    let url = URL(fileURLWithPath: file)
    let file = try PictureFile(reading: url)
    var inked = try await file.picture().inked
    // Where a picture is transparent there is white, and white ink would be lost on it.
    if inked == nil { inked = try await file.picture(on: .black).inked }
    guard let pixels = inked?.normalised else {
      throw LabError(
        .input,
        "\(url.path) shows nothing: its pixels are all much alike; name a picture of a digit."
      )
    }
    let probabilities = try ModelFile(reading: modelFile()).read(pixels)
    if pixels.count(where: { $0 > 25 }) > Self.mostInked {
      Console.complain(
        "Much of \(url.path) counts as ink, more than in any digit of MNIST; on plain paper in even "
          + "light a digit is read better.")
    }
    let digit = probabilities.indices.max { probabilities[$0] < probabilities[$1] }!
    if output.json {
      struct Document: Encodable {
        let version = 1
        let digit: Int
        let probabilities: [Float]
        /// What the model sees: 28 × 28 bytes, row after row, 0 for paper.
        let pixels: [UInt8]
      }
      return try printJSON(Document(digit: digit, probabilities: probabilities, pixels: pixels))
    }
    let console = Console(noColor: output.noColor)
    print(console.bold("\(digit)") + "\n")
    for (index, p) in probabilities.enumerated() {
      let line = "\(index) \(DigitText.bar(p, width: 30)) \(DigitText.percent(p))"
      print(index == digit ? console.bold(line) : line)
    }
    print("\nWhat the model sees:\n")
    print(DigitText.picture(pixels, side: 28))
  }

  /// In no image of MNIST are more than 348 of the 784 pixels a tenth black or more.
  private static let mostInked = 350

  /// The model that is named, else the kept weights, else the one that stands here.
  private func modelFile() throws -> URL {
    if let model { return URL(fileURLWithPath: model) }
    let places = [
      (try? Catalogue())?.root.appendingPathComponent(ModelFile.exported),
      URL(fileURLWithPath: "model.lab"),
    ].compactMap { $0 }
    guard let found = places.first(where: { FileManager.default.fileExists(atPath: $0.path) })
    else {
      throw LabError(
        .input,
        "Neither \(ModelFile.exported) nor model.lab is there; name a model with --model, or make one "
          + "with: swift run lab model")
    }
    return found
  }
}

/// A digit and what is said of it in the letters of a terminal.
enum DigitText {
  /// A probability as a bar, by eighths of a letter.
  static func bar(_ p: Float, width: Int) -> String {
    let eighths = Int((p * Float(8 * width)).rounded())
    let parts = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    let bar = String(repeating: "█", count: eighths / 8) + parts[eighths % 8]
    return bar + String(repeating: " ", count: width - bar.count)
  }

  /// A probability in percent, in the width of the largest.
  static func percent(_ p: Float) -> String { String(format: "%5.1f %%", 100 * p) }

  /// A picture of bytes, two letters a pixel; the more ink, the darker.
  static func picture(_ pixels: [UInt8], side: Int) -> String {
    let shades = Array(" ░▒▓█")
    return stride(from: 0, to: pixels.count, by: side).map { start in
      let row = pixels[start..<start + side].map { pixel in
        String(repeating: shades[(Int(pixel) * (shades.count - 1) + 127) / 255], count: 2)
      }
      return "│" + row.joined() + "│"
    }.joined(separator: "\n")
  }
}
