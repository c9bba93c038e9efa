/// The extents of a tensor, outermost first: at most four of them.
///
/// Matrices are `[rows, columns]`, batches of images `[channels, batch, height, width]`. The four
/// extents stand inline, so that a shape never allocates.
public struct Shape: Hashable, Sendable, ExpressibleByArrayLiteral, CustomStringConvertible {
  /// The number of dimensions, 0 (a scalar) to 4.
  public let rank: Int
  /// The number of elements: the product of the extents.
  public let count: Int
  private let extents: SIMD4<Int>

  /// A shape from its extents, outermost first.
  public init(_ dimensions: some Collection<Int>) {
    precondition(dimensions.count <= 4, "a tensor has at most four dimensions")
    var extents = SIMD4<Int>(repeating: 1)
    for (axis, extent) in dimensions.enumerated() {
      precondition(extent >= 0, "an extent is not negative: \(extent)")
      extents[axis] = extent
    }
    self.extents = extents
    rank = dimensions.count
    count = extents[0] * extents[1] * extents[2] * extents[3]
  }

  /// A shape written as a list: `[64, 10]`.
  public init(arrayLiteral dimensions: Int...) { self.init(dimensions) }

  /// The extent of a dimension, counted from 0.
  public subscript(axis: Int) -> Int {
    precondition(axis >= 0 && axis < rank, "a shape of rank \(rank) has no axis \(axis)")
    return extents[axis]
  }

  /// The extents as an array.
  public var dimensions: [Int] { (0..<rank).map { extents[$0] } }

  /// The shape as it is written in Swift: `[64, 10]`.
  public var description: String { "\(dimensions)" }
}
