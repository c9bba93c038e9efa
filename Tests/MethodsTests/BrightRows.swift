import Digits
import Tensors

extension ImageSet {
  /// Sixty images whose digit is drawn as a bright row, and noise.
  static let brightRows: ImageSet = {
    var stream = RandomStream(seed: 5, "images")
    var pixels = (0..<60 * 784).map { _ in UInt8.random(in: 0...90, using: &stream) }
    for image in 0..<60 {
      for column in 0..<28 { pixels[image * 784 + (image % 10) * 56 + column] = 255 }
    }
    return ImageSet(pixels: pixels, labels: (0..<60).map { UInt8($0 % 10) })
  }()
}
