import Tensors

/// Colour images as sums of triangle codes: what each patch has to do with each of k centroids, added
/// up over the four quadrants of the image.
///
/// With z_k = ‖x − c_k‖ for a whitened patch x, the code is f_k = max(0, mean(z) − z_k). Patches at
/// all places, one pixel apart, are coded. Source: Coates, Ng & Lee 2011, sections 3.2 and 3.3.
/// `PatchEncoder` is the same for grey images of 28 × 28.
public struct ColourPatchEncoder: Sendable {
  /// How patches are cut and normalised.
  public let patches: ColourPatches
  /// How they are whitened.
  public let whitening: Whitening
  /// The centroids, in the space of whitened patches, `[k, size]`.
  public let centroids: Tensor
  /// −2·Cᵀ, `[size, k]`, and ‖c‖² of each centroid.
  private let factors, squares: Tensor

  /// Places of patches in a line are coded this many lines at a time, which the cache can hold.
  private static let band = 4

  /// An encoder from its parts.
  public init(patches: ColourPatches, whitening: Whitening, centroids: Tensor) {
    precondition(
      centroids.shape.rank == 2 && centroids.shape[1] == patches.size
        && whitening.mean.count == patches.size, "\(centroids.shape) for \(patches.size) numbers")
    (self.patches, self.whitening, self.centroids) = (patches, whitening, centroids)
    factors = centroids.transposed().map { $0 * -2 }
    squares = squaredLengths(centroids)
  }

  /// The numbers that an image becomes: four quadrants of k.
  public var featureCount: Int { 4 * squares.count }

  /// The features of images `[3, n, side, side]`: `[n, 4k]`.
  ///
  /// No more than a band's patches of an image are ever in memory, one band a thread.
  public func features(_ images: Tensor) -> Tensor {
    let source = ColourPatches.Source(images, patches)
    let features = Tensor(repeating: 0, [images.shape[1], featureCount])
    let target = features.freshPointer
    Parallel.forEach(images.shape[1]) { image in
      addCodes(source, image, to: target + image * featureCount)
    }
    return features
  }

  /// Adds the codes of one image's patches to its four sums.
  private func addCodes(
    _ source: ColourPatches.Source, _ image: Int, to sums: UnsafeMutablePointer<Float>
  ) {
    let (places, k) = (patches.places, squares.count)
    let half = (places + 1) / 2
    for start in stride(from: 0, to: places, by: Self.band) {
      // A band may lie in two quadrants' lines.
      let lines = start..<min(places, start + Self.band)
      let white = whitening(patches.rows(source, image: image, lines: lines))
      // ‖x − c‖² = ‖x‖² − 2x·c + ‖c‖²
      let lengths = squaredLengths(white)
      let products = white.product(factors)
      for row in 0..<lines.count * places {
        let isLower = start &+ row / places >= half, isRight = row % places >= half
        let quadrant = (isLower ? 2 : 0) &+ (isRight ? 1 : 0)
        addTriangle(products.freshPointer + row &* k, lengths[row], to: sums + quadrant &* k)
      }
    }
  }

  /// Turns −2x·c into z = ‖x − c‖ for each centroid, and adds max(0, mean(z) − z).
  private func addTriangle(
    _ z: UnsafeMutablePointer<Float>, _ length: Float, to sums: UnsafeMutablePointer<Float>
  ) {
    let (k, squares) = (squares.count, squares.pointer)
    var (total, rest) = (Vector(repeating: 0), Float.zero)
    var i = 0
    while i &+ 16 <= k {
      let distance = VectorMath.maximum(load(z + i) + load(squares + i) + length, 0).squareRoot()
      store(distance, z + i)
      total += distance
      i &+= 16
    }
    while i < k {
      z[i] = max(0, z[i] + squares[i] + length).squareRoot()
      rest += z[i]
      i &+= 1
    }
    let mean = (total.sum() + rest) / Float(k)
    i = 0
    while i &+ 16 <= k {
      store(load(sums + i) + VectorMath.maximum(mean - load(z + i), 0), sums + i)
      i &+= 16
    }
    while i < k {
      sums[i] += max(0, mean - z[i])
      i &+= 1
    }
  }
}
