import Files
import Foundation

extension Site {
  /// What the page for a drawn digit is made with; without weights it says that they are missing.
  public struct Drawing: Sendable {
    /// A digit of MNIST.
    public struct Digit: Sendable {
      let number, label: Int
      let read: Int?
      let pixels: [UInt8]

      /// A digit.
      ///
      /// - Parameters:
      ///   - number: its place in its set, from 0.
      ///   - read: the digit that the model takes it for.
      ///   - pixels: 28 × 28 bytes, 0 for paper.
      public init(number: Int, label: Int, read: Int? = nil, pixels: [UInt8]) {
        precondition(pixels.count == 784, "\(pixels.count) pixels, not 28 × 28")
        (self.number, self.label, self.read, self.pixels) = (number, label, read, pixels)
      }
    }

    /// Of more misread digits the page would be a list of failures.
    public static let mostMistakes = 200

    /// The file of the weights.
    public var weights: Data?
    /// The digits that the model has learnt from; nil where the data are not at hand.
    public var learnt: [Digit]?
    /// The first digits of the test set that the model reads wrongly; nil where nobody has looked.
    public var mistakes: [Digit]?

    /// A page with weights or without.
    public init(weights: Data? = nil) { self.weights = weights }
  }
}

extension SiteDraft {
  /// The page's place in the book, and its name.
  static let drawingAddress = "draw.html"
  static let drawingTitle = "Draw a digit"

  /// The page, and the scripts that hold its data: from the disk a page can load a script and fetch
  /// no file.
  func drawingPages() throws -> [(path: String, data: Data)] {
    let drawing = site.drawing
    let context: [String: Any] = [
      "heading": Self.drawingTitle, "style": "draw.css", "hasWeights": drawing.weights != nil,
      "hasLearnt": drawing.learnt != nil, "hasMistakes": drawing.mistakes?.isEmpty == false,
      "mistakeCount": "\(drawing.mistakes?.count ?? 0)",
      "hasFirstMistakes": drawing.mistakes?.count == Site.Drawing.mostMistakes,
      "learntCount": (drawing.learnt ?? []).count.formatted(
        .number.locale(Locale(identifier: "en"))),
    ]
    let text = try templates(
      "draw", common(Self.drawingTitle, address: Self.drawingAddress, context))
    var pages = [(Self.drawingAddress, Data(text.utf8))]
    guard let weights = drawing.weights else { return pages }
    pages.append(
      (
        "draw-weights.js", Data("window.labWeights = \"\(weights.base64EncodedString())\";\n".utf8)
      ))
    let digits = ["learnt": drawing.learnt, "mistakes": drawing.mistakes].compactMapValues {
      $0.map(PackedDigits.init)
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    // Integers and plain letters only: there is nothing that JSON could refuse.
    let json = try! encoder.encode(digits)
    pages.append(("draw-digits.js", Data("window.labDigits = ".utf8) + json + Data(";\n".utf8)))
    return pages
  }
}

/// Digits as a script holds them.
struct PackedDigits: Encodable {
  let numbers, labels: [Int]
  /// The digits that they are taken for; empty where nobody asked.
  let reads: [Int]
  /// All pixels in a row, base64 of: a byte of ink as it is, a 0 with the length of a run of paper.
  let pixels: String

  init(_ digits: [Site.Drawing.Digit]) {
    numbers = digits.map(\.number)
    labels = digits.map(\.label)
    reads = digits.compactMap(\.read)
    pixels = Data(Self.packed(digits.flatMap(\.pixels))).base64EncodedString()
  }

  /// Bytes of which most are 0, in less of them: a run of 1 to 255 zeros is a 0 and its length.
  static func packed(_ bytes: [UInt8]) -> [UInt8] {
    var packed: [UInt8] = []
    var zeros = 0
    func end() {
      while zeros > 0 {
        let run = min(255, zeros)
        packed += [0, UInt8(run)]
        zeros -= run
      }
    }
    for byte in bytes {
      if byte == 0 {
        zeros += 1
      } else {
        end()
        packed.append(byte)
      }
    }
    end()
    return packed
  }
}
