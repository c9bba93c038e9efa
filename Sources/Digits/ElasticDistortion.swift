import Foundation
import Tensors

/// Elastic distortion: each pixel is displaced by a random field that has been smoothed.
///
/// d = α·(G_σ ∗ u), for x and y apart, where u is uniform on ±1, independent in each pixel, and G_σ
/// is a Gaussian of σ pixels, cut off at 3σ and scaled so that its samples sum to 1. So α is in
/// pixels, and what a constant field of 1 would move the image by. Source: Simard, Steinkraus &
/// Platt 2003, section 2; α 34 and σ 4 did best there.
///
/// The random numbers reach 3σ beyond the image, so that a displacement at the edge has the same
/// distribution as one in the middle: without that margin the field would fade at the edges.
public struct ElasticDistortion: Sendable {
  /// α, in pixels.
  public let strength: Float
  /// σ, in pixels.
  public let smoothness: Float
  /// Samples of the Gaussian at −radius … radius, of sum 1.
  let taps: [Float]

  /// A distortion by its two parameters, α ≥ 0 and σ > 0.
  public init(strength: Float = 34, smoothness: Float = 4) {
    precondition(strength >= 0 && smoothness > 0, "α is 0 or more, σ more than 0")
    self.strength = strength
    self.smoothness = smoothness
    let radius = Int((3 * smoothness).rounded(.up))
    let weights = (-radius...radius).map { exp(-0.5 * pow(Double($0) / Double(smoothness), 2)) }
    let sum = weights.reduce(0, +)
    taps = weights.map { Float($0 / sum) }
  }

  private var radius: Int { taps.count / 2 }

  /// The deviation of a pixel's displacement in x or in y, in pixels.
  ///
  /// The variance of u is ⅓, so that of d is α²·⅓·Σ G², the sum over the plane.
  public var deviation: Double {
    let line = taps.reduce(0) { $0 + Double($1) * Double($1) }
    return Double(strength) * line / 3.squareRoot()
  }

  /// Displacements of n images of h × w pixels: `[n, 2, h, w]`, x before y.
  public func displacements(
    _ n: Int, height h: Int, width w: Int, using stream: inout RandomStream
  ) -> Tensor {
    let draws = draws(n, h, w, using: &stream)
    return Tensor(uninitialized: [n, 2, h, w]) { result in
      let result = result.baseAddress!
      Parallel.forEachRange(n, by: Warp.imagesPerPiece) { range in
        Warp.withScratch(h, w) { warp in
          smoothing(for: warp) { smooth in
            for image in range {
              smooth(draws.pointer, image)
              for row in 0..<2 * h {
                (result + (image * 2 * h + row) * w).update(
                  from: warp.displacement + row * warp.pitch, count: w)
              }
            }
          }
        }
      }
    }
  }

  /// The random numbers of n images: `[n, 2, h + 2·radius, w + 2·radius]`, uniform on ±1.
  func draws(_ n: Int, _ h: Int, _ w: Int, using stream: inout RandomStream) -> Tensor {
    stream.uniform([n, 2, h + 2 * radius, w + 2 * radius], in: -1..<1)
  }

  /// Calls a closure with a function that smooths an image's draws into a warp's displacements.
  func smoothing(
    for warp: Warp, _ body: ((_ draws: UnsafePointer<Float>, _ image: Int) -> Void) -> Void
  ) {
    let (rows, columns) = (warp.h + 2 * radius, warp.w + 2 * radius)
    let α = strength
    BufferPool.withScratch(rows * warp.pitch) { smoothed in
      taps.withUnsafeBufferPointer { taps in
        body { draws, image in
          for axis in 0..<2 {
            // Along the rows; the lanes right of the image read on, into numbers that nobody needs.
            Self.convolve(
              draws + (2 * image + axis) * rows * columns, rowStride: columns, step: 1, taps, 1,
              rows: rows, pitch: warp.pitch, to: smoothed)
            // Down the columns.
            Self.convolve(
              smoothed, rowStride: warp.pitch, step: warp.pitch, taps, α, rows: warp.h,
              pitch: warp.pitch, to: warp.displacement + axis * warp.h * warp.pitch)
          }
        }
      }
    }
  }

  /// y[row, i] = factor · Σₖ taps[k] · x[row·rowStride + i + k·step], in vectors of sixteen i.
  private static func convolve(
    _ x: UnsafePointer<Float>, rowStride: Int, step: Int, _ taps: UnsafeBufferPointer<Float>,
    _ factor: Float, rows: Int, pitch: Int, to y: UnsafeMutablePointer<Float>
  ) {
    // Four rows at once: a sum of products that waits for the one before it leaves units idle.
    for row in stride(from: 0, to: rows, by: 4) {
      let (second, third, fourth) = (
        min(1, rows - 1 - row), min(2, rows - 1 - row), min(3, rows - 1 - row)
      )
      for column in stride(from: 0, to: pitch, by: 16) {
        var (a, b, c, d) = (Vector.zero, Vector.zero, Vector.zero, Vector.zero)
        var place = UnsafeRawPointer(x + (row &* rowStride &+ column))
        for tap in taps {
          let tap = Vector(repeating: tap)
          func read(_ row: Int) -> Vector {
            place.loadUnaligned(fromByteOffset: 4 &* row &* rowStride, as: Vector.self)
          }
          a.addProduct(tap, read(0))
          b.addProduct(tap, read(second))
          c.addProduct(tap, read(third))
          d.addProduct(tap, read(fourth))
          place += 4 &* step
        }
        // Rows past the last one are the last one again.
        let target = UnsafeMutableRawPointer(y + (row &* pitch &+ column))
        for (index, sum) in [(0, a), (second, b), (third, c), (fourth, d)] {
          target.storeBytes(
            of: sum * factor, toByteOffset: 4 &* index &* pitch, as: Vector.self)
        }
      }
    }
  }
}
