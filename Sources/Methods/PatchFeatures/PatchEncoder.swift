import Digits
import Tensors

/// Images as sums of codes: what each patch has to do with each of k centroids, added up over the
/// four quadrants of the image.
///
/// Patches at all places, one pixel apart, are normalised, whitened and coded. Source: Coates, Ng &
/// Lee 2011, sections 3.2 and 3.3.
public struct PatchEncoder: Sendable {
  /// How a patch x is written in terms of the centroids c₁ … c_k.
  public enum Code: String, Sendable, CaseIterable {
    /// 1 for the nearest centroid, 0 for all others.
    case hard
    /// max(0, mean(z) − z_k) with z_k = ‖x − c_k‖: 0 for all that are farther than the average.
    case triangle
  }

  /// How patches are cut and normalised.
  public let patches: Patches
  /// How they are whitened.
  public let whitening: Whitening
  /// The centroids, in the space of whitened patches, `[k, size]`.
  public let centroids: Tensor
  /// −2·Cᵀ, `[size, k]`, and ‖c‖² of each centroid.
  private let factors, squares: Tensor

  /// Places of patches in a line are coded this many lines at a time, which the cache can hold.
  private static let band = 6

  /// An encoder from its parts.
  public init(patches: Patches, whitening: Whitening, centroids: Tensor) {
    precondition(
      centroids.shape.rank == 2 && centroids.shape[1] == patches.size
        && whitening.mean.count == patches.size, "\(centroids.shape) for \(patches.size) pixels")
    self.patches = patches
    self.whitening = whitening
    self.centroids = centroids
    factors = centroids.transposed().map { $0 * -2 }
    squares = squaredLengths(centroids)
  }

  /// The numbers that an image becomes: four quadrants of k.
  public var featureCount: Int { 4 * squares.count }

  /// The features of images `[1, n, 28, 28]` in each of some codes: `[n, 4k]` a code.
  ///
  /// Distances are computed once for all codes: ‖x − c‖² = ‖x‖² − 2x·c + ‖c‖² is one matrix product
  /// for all patches of a band and all centroids. No more than a band's are ever in memory.
  public func features(_ images: Tensor, _ codes: [Code]) -> [Tensor] {
    let (n, width) = (images.count / ImageSet.pixelsPerImage, featureCount)
    let results = codes.map { _ in Tensor(repeating: 0, [n, width]) }
    let targets = results.map(\.freshPointer)
    let pixels = images.pointer
    Parallel.forEachRange(n, by: 4) { range in
      for image in range {
        addCodes(
          pixels + image * ImageSet.pixelsPerImage, codes, targets.map { $0 + image * width })
      }
    }
    return results
  }

  /// Adds the codes of one image's patches to its four sums, one target a code.
  private func addCodes(
    _ image: UnsafePointer<Float>, _ codes: [Code], _ targets: [UnsafeMutablePointer<Float>]
  ) {
    let (places, k) = (patches.places, squares.count)
    let half = (places + 1) / 2
    for lines in (0..<half).bands(of: Self.band) + (half..<places).bands(of: Self.band) {
      let white = whitening(patches.rows(image, lines: lines))
      let lengths = squaredLengths(white)
      let products = white.product(factors)
      for row in 0..<lines.count * places {
        let distances = products.freshPointer + row &* k
        let sum = finish(distances, lengths[row])
        let quadrant = (lines.lowerBound < half ? 0 : 2) &+ (row % places < half ? 0 : 1)
        for (code, target) in zip(codes, targets) {
          let own = target + quadrant &* k
          switch code {
          case .hard: own[nearestPlace(distances, k)] += 1
          case .triangle: addTriangle(distances, mean: sum / Float(k), k, to: own)
          }
        }
      }
    }
  }

  /// Turns −2x·c into ‖x − c‖, for each centroid; returns the sum.
  private func finish(_ row: UnsafeMutablePointer<Float>, _ length: Float) -> Float {
    let (k, squares) = (squares.count, squares.pointer)
    let memory = UnsafeMutableRawPointer(row)
    var sum = Vector(repeating: 0)
    var i = 0
    while i &+ 16 <= k {
      let c = UnsafeRawPointer(squares + i).loadUnaligned(as: Vector.self)
      let square = memory.loadUnaligned(fromByteOffset: i &* 4, as: Vector.self) + c + length
      let distance = VectorMath.maximum(square, 0).squareRoot()
      memory.storeBytes(of: distance, toByteOffset: i &* 4, as: Vector.self)
      sum += distance
      i &+= 16
    }
    var rest: Float = 0
    while i < k {
      row[i] = max(0, row[i] + squares[i] + length).squareRoot()
      rest += row[i]
      i &+= 1
    }
    return sum.sum() + rest
  }

  /// Adds max(0, mean − z) for each of k distances z.
  private func addTriangle(
    _ z: UnsafeMutablePointer<Float>, mean: Float, _ k: Int,
    to target: UnsafeMutablePointer<Float>
  ) {
    let (source, sums) = (UnsafeRawPointer(z), UnsafeMutableRawPointer(target))
    var i = 0
    while i &+ 16 <= k {
      let code = VectorMath.maximum(
        mean - source.loadUnaligned(fromByteOffset: i &* 4, as: Vector.self), 0)
      let sum = sums.loadUnaligned(fromByteOffset: i &* 4, as: Vector.self) + code
      sums.storeBytes(of: sum, toByteOffset: i &* 4, as: Vector.self)
      i &+= 16
    }
    while i < k {
      target[i] += max(0, mean - z[i])
      i &+= 1
    }
  }
}

extension Range<Int> {
  /// The range in successive parts of at most `size`.
  fileprivate func bands(of size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min(upperBound, $0 + size) }
  }
}
