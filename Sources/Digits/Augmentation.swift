import Foundation
import Tensors

/// Random changes of images that leave the digit what it is: rotations and shifts.
///
/// Each image is turned about its centre and moved; a pixel of the result is read from the place
/// where it came from, between four pixels (bilinear interpolation), and is 0 outside.
public struct Augmentation: Sendable {
  /// The largest rotation to either side, in degrees.
  public let rotation: Float
  /// The largest shift in either direction, in pixels.
  public let shift: Float

  /// Rotations up to an angle and shifts up to a distance, both uniform.
  public init(rotation: Float, shift: Float) {
    self.rotation = rotation
    self.shift = shift
  }

  /// Changed copies of images `[1, n, h, w]`, each drawn on its own.
  public func callAsFunction(_ images: Tensor, _ stream: inout RandomStream) -> Tensor {
    let (n, h, w) = (images.shape[1], images.shape[2], images.shape[3])
    let draws = stream.uniform([n, 3], in: -1..<1)
    let result = Tensor(uninitialized: images.shape)
    let (source, target) = (images.pointer, result.freshPointer)
    Parallel.forEachRange(n, by: 16) { range in
      for image in range {
        let angle = draws[image * 3] * rotation * .pi / 180
        Self.warp(
          source + image * h * w, target + image * h * w, h, w,
          (cos(angle), sin(angle)), (draws[image * 3 + 1] * shift, draws[image * 3 + 2] * shift))
      }
    }
    return result
  }

  /// Turns and moves one image.
  private static func warp(
    _ source: UnsafePointer<Float>, _ target: UnsafeMutablePointer<Float>, _ h: Int, _ w: Int,
    _ turn: (cosine: Float, sine: Float), _ shift: (x: Float, y: Float)
  ) {
    let (middleX, middleY) = (Float(w - 1) / 2, Float(h - 1) / 2)
    for row in 0..<h {
      for column in 0..<w {
        let (x, y) = (Float(column) - middleX - shift.x, Float(row) - middleY - shift.y)
        let fromX = turn.cosine * x + turn.sine * y + middleX
        let fromY = turn.cosine * y - turn.sine * x + middleY
        let (left, top) = (fromX.rounded(.down), fromY.rounded(.down))
        let (fx, fy) = (fromX - left, fromY - top)
        let (i, j) = (Int(top), Int(left))
        func pixel(_ i: Int, _ j: Int) -> Float {
          i >= 0 && i < h && j >= 0 && j < w ? source[i &* w &+ j] : 0
        }
        target[row &* w &+ column] =
          (1 - fy) * ((1 - fx) * pixel(i, j) + fx * pixel(i, j + 1))
          + fy * ((1 - fx) * pixel(i + 1, j) + fx * pixel(i + 1, j + 1))
      }
    }
  }
}
