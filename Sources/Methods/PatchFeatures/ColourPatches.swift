import Tensors

/// Square patches of colour images, each with its mean taken away and its contrast made one, all
/// channels together.
///
/// x ↦ (x − mean)/√(variance + c), over the numbers of one patch: channel after channel, and each
/// row after row. Source: Coates, Ng & Lee 2011, section 3.1; pixels run to 1 here and to 255 there,
/// so that their c = 10 is 10/255². `Patches` is the same for grey images of 28 × 28.
public struct ColourPatches: Sendable, Equatable {
  /// The channels of an image.
  public static let channels = 3
  /// The rows and columns of a patch, and those of an image.
  public let side, imageSide: Int
  /// The constant c.
  public let contrast: Float

  /// Patches of images, both square, with the constant that is added to their variance.
  public init(side: Int = 6, of imageSide: Int, contrast: Float = 10 / 65_025) {
    precondition(side > 0 && side <= imageSide && contrast >= 0)
    (self.side, self.imageSide, self.contrast) = (side, imageSide, contrast)
  }

  /// The numbers of a patch.
  public var size: Int { Self.channels * side * side }
  /// The places of a patch along an image's side, one pixel apart.
  public var places: Int { imageSide - side + 1 }

  /// Images, each channel of which is found by itself.
  struct Source {
    let pointer: UnsafePointer<Float>
    /// From an image to the next, and from a channel of an image to its next.
    let imageStride, channelStride: Int

    /// The images of a batch `[3, n, side, side]`.
    init(_ images: Tensor, _ patches: ColourPatches) {
      let side = patches.imageSide
      precondition(
        images.shape.rank == 4 && images.shape[0] == ColourPatches.channels
          && images.shape[2] == side && images.shape[3] == side,
        "\(images.shape) are no colour images of \(side) × \(side)")
      (pointer, imageStride) = (images.pointer, side * side)
      channelStride = images.shape[1] * imageStride
    }
  }

  /// Copies a patch out of an image and normalises it.
  func normalise(
    _ source: Source, image: Int, row: Int, column: Int, into patch: UnsafeMutablePointer<Float>
  ) {
    let corner = image &* source.imageStride &+ row &* imageSide &+ column
    var (sum, i): (Float, Int) = (0, 0)
    for channel in 0..<Self.channels {
      for y in 0..<side {
        let line = source.pointer + (corner &+ channel &* source.channelStride &+ y &* imageSide)
        for x in 0..<side {
          patch[i] = line[x]
          sum += line[x]
          i &+= 1
        }
      }
    }
    let mean = sum / Float(size)
    var squares: Float = 0
    for i in 0..<size {
      patch[i] -= mean
      squares += patch[i] * patch[i]
    }
    let variance = squares / Float(size)
    // A patch of one colour's grey stays all zeros, even where c is 0.
    let factor = variance + contrast > 0 ? 1 / (variance + contrast).squareRoot() : 0
    for i in 0..<size { patch[i] *= factor }
  }

  /// All patches of one image in some lines of places: `[lines·places, size]`.
  func rows(_ source: Source, image: Int, lines: Range<Int>) -> Tensor {
    let places = places
    return Tensor(uninitialized: [lines.count * places, size]) { target in
      var patch = target.baseAddress!
      for line in lines {
        for column in 0..<places {
          normalise(source, image: image, row: line, column: column, into: patch)
          patch += size
        }
      }
    }
  }

  /// Normalised patches from random places of images `[3, n, side, side]`, image after image.
  ///
  /// - Parameter counts: how many of each image.
  /// - Returns: the patches, `[Σ counts, size]`.
  public func sample(
    _ images: Tensor, counts: [Int], using stream: inout RandomStream
  ) -> Tensor {
    let source = Source(images, self)
    precondition(counts.count == images.shape[1], "\(counts.count) counts for \(images.shape)")
    return Tensor(uninitialized: [counts.reduce(0, +), size]) { target in
      var patch = target.baseAddress!
      for (image, count) in counts.enumerated() {
        for _ in 0..<count {
          let row = Int.random(in: 0..<places, using: &stream)
          let column = Int.random(in: 0..<places, using: &stream)
          normalise(source, image: image, row: row, column: column, into: patch)
          patch += size
        }
      }
    }
  }
}
