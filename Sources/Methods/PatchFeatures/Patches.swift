import Digits
import Tensors

/// Square patches of images, each with its mean taken away and its contrast made one.
///
/// x ↦ (x − mean)/√(variance + c), over the pixels of one patch. The constant c keeps a patch in
/// which next to nothing is to be seen from being blown up. Source: Coates, Ng & Lee 2011, whose
/// pixels run to 255; here they run to 1, so that their c = 10 is 10/255².
public struct Patches: Sendable, Equatable {
  /// The rows and columns of a patch.
  public let side: Int
  /// The constant c.
  public let contrast: Float

  /// Patches of a size, with the constant that is added to their variance.
  public init(side: Int = 6, contrast: Float) {
    precondition(side > 0 && contrast >= 0)
    self.side = side
    self.contrast = contrast
  }

  /// The pixels of a patch.
  public var size: Int { side * side }
  /// The places of a patch along an image's side, one pixel apart.
  public var places: Int { ImageSet.side - side + 1 }

  /// Copies a patch out of an image and normalises it; returns the variance that it had.
  @discardableResult
  func normalise(
    _ image: UnsafePointer<Float>, row: Int, column: Int, into patch: UnsafeMutablePointer<Float>
  ) -> Float {
    var sum: Float = 0
    for y in 0..<side {
      let source = image + ((row &+ y) &* ImageSet.side &+ column)
      for x in 0..<side {
        patch[y &* side &+ x] = source[x]
        sum += source[x]
      }
    }
    let mean = sum / Float(size)
    var squares: Float = 0
    for i in 0..<size {
      patch[i] -= mean
      squares += patch[i] * patch[i]
    }
    let variance = squares / Float(size)
    // A patch of one grey stays all zeros, even where c is 0.
    let factor = variance + contrast > 0 ? 1 / (variance + contrast).squareRoot() : 0
    for i in 0..<size { patch[i] *= factor }
    return variance
  }

  /// All patches of one image `[28·28]` in some lines of places: `[lines·places, size]`.
  func rows(_ image: UnsafePointer<Float>, lines: Range<Int>) -> Tensor {
    let places = places
    return Tensor(uninitialized: [lines.count * places, size]) { target in
      var patch = target.baseAddress!
      for line in lines {
        for column in 0..<places {
          normalise(image, row: line, column: column, into: patch)
          patch += size
        }
      }
    }
  }

  /// Normalised patches from random places of random images: `[count, size]`.
  ///
  /// - Parameter leastVariance: patches with a smaller variance (pixels 0…1) are left out, and
  ///   others drawn in their place.
  /// - Returns: the patches, and the share of all drawn ones that was left out.
  public func sample(
    _ count: Int, from set: ImageSet, _ indices: [Int], leastVariance: Float = 0,
    using stream: inout RandomStream
  ) -> (patches: Tensor, leftOut: Double) {
    var drawn = 0
    let patches = Tensor(uninitialized: [count, size]) { target in
      var kept = 0
      while kept < count {
        // A thousand at a time, so that not all images are unpacked at once.
        let chosen = (0..<1000).map { _ in indices.randomElement(using: &stream)! }
        let images = set.images(chosen)
        for place in chosen.indices where kept < count {
          let row = Int.random(in: 0..<places, using: &stream)
          let column = Int.random(in: 0..<places, using: &stream)
          let variance = normalise(
            images.pointer + place * ImageSet.pixelsPerImage, row: row, column: column,
            into: target.baseAddress! + kept * size)
          drawn += 1
          if variance >= leastVariance { kept += 1 }
          precondition(drawn < 1000 * (count + 1000), "hardly a patch varies by \(leastVariance)")
        }
      }
    }
    return (patches, 1 - Double(count) / Double(max(1, drawn)))
  }
}
