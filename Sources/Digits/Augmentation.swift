import Foundation
import Tensors

/// Random changes of images, most of which leave the digit what it is.
///
/// Each image is stretched, sheared, turned and shifted about its centre and distorted elastically
/// in one pass over its pixels; then a part is erased, then noise is added. Strengths of 0 leave an
/// image as it is, bit by bit. The numbers that are drawn, and so the results, do not depend on the
/// number of threads.
public struct Augmentation: Sendable {
  /// The largest rotation to either side, in degrees; the angle is uniform.
  public var rotation: Float
  /// The largest shift along either axis, in pixels; uniform.
  public var shift: Float
  /// The largest enlargement of either axis, drawn for each on its own.
  ///
  /// The factor's logarithm is uniform on ±ln(1 + scale).
  public var scale: Float
  /// The largest shear to either side: sideways pixels for each pixel down; uniform.
  public var shear: Float
  /// The elastic distortion, if any.
  public var elastic: ElasticDistortion?
  /// The side of the smallest window that is cut out and enlarged to the whole image.
  ///
  /// A share of the image's side, 1 for no crop. The side is uniform, the window anywhere inside.
  public var smallestCrop: Float
  /// Whether half of the images are mirrored left to right.
  public var flips: Bool
  /// The rectangle that is painted over, if any.
  public var erasing: Erasing?
  /// The deviation of normal noise, added to each pixel and not cut off at 0 and 1.
  public var noise: Float

  /// An augmentation; what is not named is left out.
  public init(
    rotation: Float = 0, shift: Float = 0, scale: Float = 0, shear: Float = 0,
    elastic: ElasticDistortion? = nil, smallestCrop: Float = 1, flips: Bool = false,
    erasing: Erasing? = nil, noise: Float = 0
  ) {
    self.rotation = rotation
    self.shift = shift
    self.scale = scale
    self.shear = shear
    self.elastic = elastic
    self.smallestCrop = smallestCrop
    self.flips = flips
    self.erasing = erasing
    self.noise = noise
  }

  /// Changed copies of images `[1, n, h, w]`, each drawn on its own.
  public func callAsFunction(_ images: Tensor, using stream: inout RandomStream) -> Tensor {
    var result = warped(images, using: &stream)
    erasing?.apply(&result, using: &stream)
    if noise > 0 { result = stream.addNoise(to: result, deviation: noise) }
    return result
  }

  /// Whether images keep their shape.
  private var isRigid: Bool {
    rotation == 0 && shift == 0 && scale == 0 && shear == 0 && smallestCrop == 1 && !flips
  }

  /// The maps and the distortion in one pass.
  private func warped(_ images: Tensor, using stream: inout RandomStream) -> Tensor {
    if isRigid && elastic == nil { return images }
    let (n, h, w) = (images.shape[1], images.shape[2], images.shape[3])
    let maps = maps(n, side: Float(min(h, w)), using: &stream)
    guard let elastic else { return images.warped(maps) }
    let draws = elastic.draws(n, h, w, using: &stream)
    let result = Tensor(uninitialized: images.shape)
    let (source, target) = (images.pointer, result.freshPointer)
    Parallel.forEachRange(n, by: Warp.imagesPerPiece) { range in
      Warp.withScratch(h, w) { warp in
        elastic.smoothing(for: warp) { smooth in
          for image in range {
            smooth(draws.pointer, image)
            warp.sample(source + image * h * w, by: maps[image], to: target + image * h * w)
          }
        }
      }
    }
    return result
  }

  /// A map for each of n images.
  private func maps(_ n: Int, side: Float, using stream: inout RandomStream) -> [AffineMap] {
    let draws = stream.uniform([n, 10], in: -1..<1)
    return (0..<n).map { image in
      func draw(_ index: Int) -> Float { draws[image * 10 + index] }
      // A window of `crop` times the side, its centre at most `room` from the image's centre.
      let crop = 1 - (1 - smallestCrop) * (draw(7) + 1) / 2
      let room = (1 - crop) / 2 * side
      let mirror: Float = flips && draw(6) < 0 ? -1 : 1
      return AffineMap(
        rotation: draw(0) * rotation,
        stretch: (
          x: mirror * pow(1 + scale, draw(3)) / crop, y: pow(1 + scale, draw(4)) / crop
        ),
        shear: draw(5) * shear,
        shift: (
          x: draw(1) * shift - draw(8) * room / crop, y: draw(2) * shift - draw(9) * room / crop
        ))
    }
  }
}
