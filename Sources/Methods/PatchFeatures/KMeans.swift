import Tensors

/// K-means: k centroids such that the points are near the centroid that is nearest to them.
///
/// Lloyd's algorithm (Lloyd 1982) in turn gives each point to its nearest centroid and moves each
/// centroid to the mean of its points; neither step can raise the sum of squared distances. First
/// centroids are chosen by k-means++ (Arthur & Vassilvitskii 2007).
public struct KMeans: Sendable {
  /// The centroids, `[k, d]`.
  public private(set) var centroids: Tensor
  /// The mean squared distance of the points to their centroids before each iteration.
  public private(set) var costs: [Double] = []
  /// How often a centroid was left without points and moved elsewhere.
  public private(set) var reseeded = 0
  /// Points that each centroid had in the last iteration.
  public private(set) var sizes: [Int] = []

  /// Rows of points in a piece of a loop over threads, and of one product within it.
  private static let (piece, block) = (16_384, 256)

  /// Clusters the rows of `points`, `[n, d]`, from given centroids.
  ///
  /// A centroid that no point is nearest to moves onto the point that is farthest from its own
  /// centroid (the second such centroid onto the second farthest point, and so on).
  /// - Parameter iterations: at most so many; fewer when no point changes its centroid.
  /// - Throws: `CancellationError` between two iterations.
  public init(_ points: Tensor, from first: Tensor, iterations: Int) throws {
    precondition(
      points.shape.rank == 2 && first.shape.rank == 2 && points.shape[1] == first.shape[1],
      "points \(points.shape) and centroids \(first.shape) do not fit")
    centroids = first
    var owners = [Int32](repeating: -1, count: points.shape[0])
    for _ in 0..<iterations {
      try Task.checkCancellation()
      guard step(points, &owners) else { break }
    }
  }

  /// Clusters the rows of `points` into k clusters, from centroids chosen by k-means++.
  public init(
    _ points: Tensor, clusters k: Int, iterations: Int, using stream: inout RandomStream
  ) throws {
    let first = Self.plusPlus(points, clusters: k, using: &stream)
    try self.init(points, from: first, iterations: iterations)
  }

  /// One iteration of Lloyd's; false when no point changed its centroid.
  private mutating func step(_ points: Tensor, _ owners: inout [Int32]) -> Bool {
    let (n, d, k) = (points.shape[0], points.shape[1], centroids.shape[0])
    let nearest = Nearest(centroids)
    let pieces = (n + Self.piece - 1) / Self.piece
    // Each piece adds into sums of its own, which are added in the order of the pieces.
    let sums = Tensor(repeating: 0, [pieces, k * d])
    let (x, partial) = (points.pointer, sums.freshPointer)
    var distances = [Float](repeating: 0, count: n)
    var changed = [Int](repeating: 0, count: pieces)
    distances.withUnsafeMutableBufferPointer { distances in
      owners.withUnsafeMutableBufferPointer { owners in
        changed.withUnsafeMutableBufferPointer { changed in
          let (distances, owners) = (distances.baseAddress!, owners.baseAddress!)
          let changed = changed.baseAddress!
          Parallel.forEachRange(n, by: Self.piece) { range in
            let index = range.lowerBound / Self.piece
            let own = partial + index * k * d
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.block) {
              let rows = start..<min(range.upperBound, start + Self.block)
              nearest(points.rows(rows)) { row, owner, distance in
                let place = start &+ row
                if owners[place] != Int32(owner) { changed[index] &+= 1 }
                owners[place] = Int32(owner)
                distances[place] = distance
                let target = own + owner &* d
                for i in 0..<d { target[i] += x[place &* d &+ i] }
              }
            }
          }
        }
      }
    }
    costs.append(distances.reduce(0) { $0 + Double($1) } / Double(max(1, n)))
    move(points, sums.sumOfRows(), owners, distances)
    return changed.contains { $0 > 0 }
  }

  /// Moves the centroids to the means of their points, and empty ones onto far points.
  private mutating func move(
    _ points: Tensor, _ sums: Tensor, _ owners: [Int32], _ distances: [Float]
  ) {
    let (d, k) = (points.shape[1], centroids.shape[0])
    var sizes = [Int](repeating: 0, count: k)
    for owner in owners { sizes[Int(owner)] += 1 }
    self.sizes = sizes
    let empty = sizes.indices.filter { sizes[$0] == 0 }
    reseeded += empty.count
    let far =
      empty.isEmpty
      ? [] : distances.indices.sorted { (distances[$0], $1) > (distances[$1], $0) }
    centroids.withUnsafeMutableBufferPointer { [sizes] c in
      for cluster in 0..<k where sizes[cluster] > 0 {
        for i in 0..<d { c[cluster * d + i] = sums[cluster * d + i] / Float(sizes[cluster]) }
      }
      for (cluster, place) in zip(empty, far) {
        for i in 0..<d { c[cluster * d + i] = points[place * d + i] }
      }
    }
  }

  /// First centroids: a random point, then points drawn with a probability proportional to their
  /// squared distance from the nearest centroid so far.
  ///
  /// With many points only a random 20·k of them are looked at: k-means++ passes over its points
  /// once for each centroid.
  public static func plusPlus(
    _ points: Tensor, clusters k: Int, using stream: inout RandomStream
  ) -> Tensor {
    let (n, d) = (points.shape[0], points.shape[1])
    precondition(n >= k && k > 0, "\(k) clusters of \(n) points")
    let looked = stream.permutation(n).prefix(max(20 * k, 1))
    let sample = Tensor(uninitialized: [looked.count, d]) { target in
      for (row, place) in looked.enumerated() {
        for i in 0..<d { target[row * d + i] = points[place * d + i] }
      }
    }
    var chosen = [0]
    var distances = [Float](repeating: .infinity, count: looked.count)
    while true {
      let newest = sample.pointer + chosen.last! * d
      var total = 0.0
      for row in distances.indices {
        let x = sample.pointer + row &* d
        var distance: Float = 0
        for i in 0..<d { distance += (x[i] - newest[i]) * (x[i] - newest[i]) }
        distances[row] = min(distances[row], distance)
        total += Double(distances[row])
      }
      if chosen.count == k { break }
      // Where all points are centroids already, any other one will do: it will be moved.
      var left = Double(stream.uniform()) * total
      var next = distances.lastIndex { $0 > 0 } ?? chosen.count % looked.count
      for row in distances.indices where distances[row] > 0 {
        left -= Double(distances[row])
        if left < 0 {
          next = row
          break
        }
      }
      chosen.append(next)
    }
    return Tensor(uninitialized: [k, d]) { target in
      for (row, place) in chosen.enumerated() {
        for i in 0..<d { target[row * d + i] = sample[place * d + i] }
      }
    }
  }
}

/// The nearest of some centroids, for many points at once.
struct Nearest: Sendable {
  /// −2·Cᵀ, `[d, k]`.
  private let factors: Tensor
  /// ‖c‖² of each centroid.
  private let squares: Tensor

  init(_ centroids: Tensor) {
    factors = centroids.transposed().map { $0 * -2 }
    squares = squaredLengths(centroids)
  }

  /// Calls `body` for each row of `[n, d]`, in order.
  ///
  /// The squared distance is ‖x‖² − 2x·c + ‖c‖², of which only the last two terms decide; the first
  /// of several equal ones wins.
  func callAsFunction(_ rows: Tensor, _ body: (_ row: Int, _ nearest: Int, Float) -> Void) {
    let lengths = squaredLengths(rows)
    var scores = rows.product(factors)
    scores.addToRows(squares, activation: .identity)
    let k = squares.count
    for row in 0..<rows.shape[0] {
      let score = scores.pointer + row &* k
      let best = nearestPlace(score, k)
      body(row, best, max(0, score[best] + lengths[row]))
    }
  }
}

/// The first place of the smallest of k numbers.
func nearestPlace(_ x: UnsafePointer<Float>, _ k: Int) -> Int {
  var least = Vector(repeating: .infinity)
  var i = 0
  while i &+ 16 <= k {
    let next = UnsafeRawPointer(x + i).loadUnaligned(as: Vector.self)
    least = least.replacing(with: next, where: next .< least)
    i &+= 16
  }
  var value = least.min()
  while i < k {
    value = x[i] < value ? x[i] : value
    i &+= 1
  }
  var place = 0
  while place < k - 1 && x[place] != value { place &+= 1 }
  return place
}

/// ‖x‖² of each row of `[n, d]`.
func squaredLengths(_ rows: Tensor) -> Tensor {
  let (n, d) = (rows.shape[0], rows.shape[1])
  return Tensor(uninitialized: [n]) { y in
    for row in 0..<n {
      let x = rows.pointer + row &* d
      var sum: Float = 0
      for i in 0..<d { sum += x[i] * x[i] }
      y[row] = sum
    }
  }
}
