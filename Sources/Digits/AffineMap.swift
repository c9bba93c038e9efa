import Foundation
import Tensors

/// A linear change of an image about its centre, and a shift: where each pixel's ink moves.
///
/// A point at p from the centre moves to M·p + t. Coordinates are pixels, x to the right and y
/// down, as an image is stored.
public struct AffineMap: Sendable, Equatable {
  /// M, row by row.
  let matrix: SIMD4<Float>
  /// t.
  let shift: SIMD2<Float>

  /// A map that stretches, then shears, then turns, then shifts.
  ///
  /// - Parameters:
  ///   - rotation: in degrees, clockwise as the image is seen.
  ///   - stretch: the factors of x and y; a negative one mirrors.
  ///   - shear: how far a row moves to the right for each pixel that it lies below the centre.
  ///   - shift: in pixels, to the right and down.
  public init(
    rotation: Float = 0, stretch: (x: Float, y: Float) = (1, 1), shear: Float = 0,
    shift: (x: Float, y: Float) = (0, 0)
  ) {
    let angle = rotation * .pi / 180
    let (c, s) = (cos(angle), sin(angle))
    // [c −s; s c] · [1 shear; 0 1] · [x 0; 0 y]
    matrix = SIMD4(
      c * stretch.x, (c * shear - s) * stretch.y, s * stretch.x, (s * shear + c) * stretch.y)
    self.shift = SIMD2(shift.x, shift.y)
    precondition(determinant != 0, "a map that flattens an image has no way back")
  }

  /// The factor by which the map enlarges areas; negative when it mirrors.
  public var determinant: Float { matrix[0] * matrix[3] - matrix[1] * matrix[2] }

  /// M⁻¹, row by row: a pixel of the result at q from the centre comes from M⁻¹·(q − t).
  var inverse: SIMD4<Float> {
    SIMD4(matrix[3], -matrix[1], -matrix[2], matrix[0]) / determinant
  }
}

extension Tensor {
  /// Copies of images, each changed by a map of its own and by a displacement of each pixel.
  ///
  /// Shapes: images `[1, n, h, w]`, n maps, displacements `[n, 2, h, w]` in pixels, x before y. The
  /// pixel q of a result is read at M⁻¹·(q − t) + d(q): between four pixels by bilinear
  /// interpolation, and as 0 outside the image.
  public func warped(_ maps: [AffineMap], displacements: Tensor? = nil) -> Tensor {
    let (n, h, w) = (shape[1], shape[2], shape[3])
    precondition(shape[0] == 1 && maps.count == n, "\(maps.count) maps for images \(shape)")
    precondition(
      displacements.map { $0.shape == [n, 2, h, w] } ?? true,
      "displacements \(displacements!.shape) for images \(shape)")
    let result = Tensor(uninitialized: shape)
    let (source, target) = (pointer, result.freshPointer)
    Parallel.forEachRange(n, by: Warp.imagesPerPiece) { range in
      Warp.withScratch(h, w) { warp in
        for image in range {
          if let field = displacements?.pointer {
            warp.setDisplacement(field + 2 * image * h * w)
          }
          warp.sample(source + image * h * w, by: maps[image], to: target + image * h * w)
        }
      }
    }
    return result
  }
}

/// The memory in which images of one size are warped one after the other.
struct Warp {
  /// Images that one thread takes at a time.
  static let imagesPerPiece = 8

  let h, w: Int
  /// From row to row of `displacement`: w rounded up to whole vectors.
  let pitch: Int
  /// From row to row of `padded`.
  private let stride: Int
  /// The image inside a border of zeros, one pixel wide above and left, two below and right.
  private let padded: UnsafeMutablePointer<Float>
  /// Displacements in x, then in y: `[2, h, pitch]`.
  let displacement: UnsafeMutablePointer<Float>
  /// Of one row: where each pixel is read, and how far right of and below that place.
  private let places: UnsafeMutablePointer<Int32>
  private let fractions: UnsafeMutablePointer<Float>

  /// Calls a closure with memory for images of h × w pixels, whose displacements are 0.
  static func withScratch(_ h: Int, _ w: Int, _ body: (Warp) -> Void) {
    let pitch = (w + 15) / 16 * 16
    let stride = w + 3
    let counts = (padded: (stride * (h + 3) + 15) / 16 * 16, field: 2 * h * pitch)
    BufferPool.withScratch(counts.padded + counts.field + 3 * pitch) { memory in
      memory.update(repeating: 0, count: counts.padded + counts.field)
      let field = memory + counts.padded
      let row = field + counts.field
      // The places of a row are whole numbers in memory that is otherwise of floats.
      row.withMemoryRebound(to: Int32.self, capacity: pitch) { places in
        body(
          Warp(
            h: h, w: w, pitch: pitch, stride: stride, padded: memory, displacement: field,
            places: places, fractions: row + pitch))
      }
    }
  }

  /// Takes over the displacements `[2, h, w]` of one image.
  func setDisplacement(_ field: UnsafePointer<Float>) {
    for row in 0..<2 * h {
      (displacement + row * pitch).update(from: field + row * w, count: w)
    }
  }

  /// Reads one image through a map and the displacements.
  func sample(
    _ source: UnsafePointer<Float>, by map: AffineMap, to target: UnsafeMutablePointer<Float>
  ) {
    for row in 0..<h {
      (padded + (row + 1) * stride + 1).update(from: source + row * w, count: w)
    }
    let inverse = map.inverse
    let (middleX, middleY) = (Float(w - 1) / 2, Float(h - 1) / 2)
    for row in 0..<h {
      let y = Float(row) - middleY - map.shift.y
      let start = (
        x: inverse[1] * y + middleX, y: inverse[3] * y + middleY, column: -middleX - map.shift.x
      )
      for block in 0..<pitch / 16 {
        let x = Self.lanes + (start.column + Float(16 * block))
        locate(
          x: start.x + x * inverse[0], y: start.y + x * inverse[2], row: row, column: 16 * block)
      }
      interpolate(to: target + row * w)
    }
  }

  private static let lanes = Vector(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)

  /// Moves sixteen points by their displacements and splits them into places and fractions.
  @inline(__always)
  private func locate(x: Vector, y: Vector, row: Int, column: Int) {
    let field = UnsafeRawPointer(displacement + row * pitch + column)
    // What lies outside comes from the border: one pixel out is as good as a hundred. 1 is added,
    // so that the border's first row and column have the number 0.
    var x = x + field.loadUnaligned(as: Vector.self) + 1
    var y = y + field.loadUnaligned(fromByteOffset: 4 * h * pitch, as: Vector.self) + 1
    x = VectorMath.minimum(VectorMath.maximum(x, 0), Float(w + 1))
    y = VectorMath.minimum(VectorMath.maximum(y, 0), Float(h + 1))
    let (left, top) = (x.rounded(.down), y.rounded(.down))
    // A whole number below 2²² stands in the low bits of its sum with 2²³.
    let place = unsafeBitCast(top * Float(stride) + left + 0x1p23, to: SIMD16<Int32>.self)
    UnsafeMutableRawPointer(places + column).storeBytes(
      of: place & SIMD16(repeating: 0x7F_FFFF), as: SIMD16<Int32>.self)
    UnsafeMutableRawPointer(fractions + column).storeBytes(of: x - left, as: Vector.self)
    UnsafeMutableRawPointer(fractions + pitch + column).storeBytes(of: y - top, as: Vector.self)
  }

  /// Reads a row between the four pixels around each of its places.
  @inline(__always)
  private func interpolate(to target: UnsafeMutablePointer<Float>) {
    for column in 0..<w {
      let pixel = padded + Int(places[column])
      let (right, below) = (fractions[column], fractions[pitch &+ column])
      let upper = pixel[0] * (1 - right) + pixel[1] * right
      let lower = pixel[stride] * (1 - right) + pixel[stride &+ 1] * right
      target[column] = upper * (1 - below) + lower * below
    }
  }
}
