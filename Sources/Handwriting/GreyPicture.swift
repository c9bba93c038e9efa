import Foundation

/// A grey picture as a file has it, before anybody knows what of it is ink.
public struct GreyPicture: Sendable {
  /// The pixels of a row, and the rows.
  public let width, height: Int
  /// Row after row, 0 for black to 1 for white.
  public let values: [Float]

  /// A picture from `width` × `height` values 0…1.
  public init(width: Int, height: Int, values: [Float]) {
    precondition(values.count == width * height, "\(values.count) pixels, not \(width) × \(height)")
    (self.width, self.height, self.values) = (width, height, values)
  }

  /// The picture as ink on paper, whichever of the two is dark; nil where all pixels are much alike.
  ///
  /// Paper is what most of the edge is, once light that comes from a side is taken out; ink is what
  /// differs most from that, to the one side or to the other. How far the edge itself differs from paper
  /// is no ink yet: the grain of a photograph.
  public var inked: InkImage? {
    let values = levelled
    var edge: [Float] = []
    for x in 0..<width { edge += [values[x], values[(height - 1) * width + x]] }
    for y in 0..<height { edge += [values[y * width], values[y * width + width - 1]] }
    edge.sort()
    let paper = edge[edge.count / 2]
    let (darkest, lightest) = (values.min()!, values.max()!)
    let isDark = paper - darkest >= lightest - paper
    let range = isDark ? paper - darkest : lightest - paper
    guard range >= Self.leastRange else { return nil }
    let sign: Float = isDark ? -1 : 1
    let grains = edge.map { max(0, sign * ($0 - paper) / range) }.sorted()
    // Some of the digit may touch the edge; a tenth of it may.
    let grain = min(Self.mostGrain, 2 * grains[9 * grains.count / 10])
    return InkImage(
      width: width, height: height,
      ink: values.map { max(0, (sign * ($0 - paper) / range - grain) / (1 - grain)) })
  }

  /// The values without the slope between the middle values of opposite edges.
  private var levelled: [Float] {
    func middle(_ values: [Float]) -> Float { values.sorted()[values.count / 2] }
    let rows = [0, height - 1].map { row in middle(Array(values[row * width..<(row + 1) * width])) }
    let columns = [0, width - 1].map { column in
      middle((0..<height).map { values[$0 * width + column] })
    }
    let down = (rows[1] - rows[0]) / Float(max(1, height - 1))
    let right = (columns[1] - columns[0]) / Float(max(1, width - 1))
    guard down != 0 || right != 0 else { return values }
    return values.indices.map { place in
      let (x, y) = (Float(place % width), Float(place / width))
      return values[place] - right * (x - Float(width) / 2) - down * (y - Float(height) / 2)
    }
  }

  /// The contrast below which there is nothing to see, and the most that counts as grain.
  private static let (leastRange, mostGrain): (Float, Float) = (0.05, 0.4)
}
