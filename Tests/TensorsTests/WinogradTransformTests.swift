@testable import Tensors
import Testing

/// The transforms against their matrices, and the matrices against what they are for.
@Suite struct WinogradTransformTests {
  /// Bᵀ, G and Aᵀ as Lavin & Gray 2016 give them.
  static let image: [[Double]] = [
    [4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0], [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1],
  ]
  static let filter: [[Double]] = [
    [1 / 4, 0, 0], [-1 / 6, -1 / 6, -1 / 6], [-1 / 6, 1 / 6, -1 / 6], [1 / 24, 1 / 12, 1 / 6],
    [1 / 24, -1 / 12, 1 / 6], [0, 0, 1],
  ]
  static let result: [[Double]] = [
    [1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1],
  ]

  /// How far `Aᵀ((G g) ⊙ (Bᵀ d))` is from four results of a filter of three weights, at most.
  ///
  /// Both are linear in g and in d, so units of each are enough.
  func worst(_ image: [[Double]], _ filter: [[Double]], _ result: [[Double]]) -> Double {
    var worst = 0.0
    for weight in 0..<3 {
      for pixel in 0..<6 {
        for place in 0..<4 {
          let sum = (0..<6).reduce(0.0) {
            $0 + result[place][$1] * filter[$1][weight] * image[$1][pixel]
          }
          worst = max(worst, abs(sum - (pixel == place + weight ? 1 : 0)))
        }
      }
    }
    return worst
  }

  @Test func theMatricesGiveAConvolutionAndNoOthersDo() {
    #expect(worst(Self.image, Self.filter, Self.result) < 1e-15)
    func changes(_ matrix: [[Double]]) -> [[[Double]]] {
      matrix.indices.flatMap { row in
        matrix[row].indices.map { column in
          var changed = matrix
          changed[row][column] += 0.01
          return changed
        }
      }
    }
    for changed in changes(Self.image) {
      #expect(worst(changed, Self.filter, Self.result) > 1e-4)
    }
    for changed in changes(Self.filter) {
      #expect(worst(Self.image, changed, Self.result) > 1e-4)
    }
    for changed in changes(Self.result) {
      #expect(worst(Self.image, Self.filter, changed) > 1e-4)
    }
  }

  private func transposed(_ m: [[Double]]) -> [[Double]] {
    m[0].indices.map { column in m.map { $0[column] } }
  }

  /// Expects `y ← m·x·mᵀ` in every lane, or `y ← y + m·x·mᵀ`, and all else of y as it was.
  ///
  /// - Parameters:
  ///   - from: floats from a line, a pixel and a tile of x to the next; `to` likewise of y.
  private func expect(
    _ m: [[Double]], tiles: Int, from: (line: Int, pixel: Int, tile: Int),
    to: (line: Int, pixel: Int, tile: Int), adding: Bool = false,
    _ transform: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (inputs, outputs) = (m[0].count, m.count)
    var stream = RandomStream(seed: 8, "transforms")
    let x = stream.normal([4096])
    var y = adding ? stream.normal([4096]) : Tensor(repeating: 0, [4096])
    var wanted = y.values.map(Double.init)
    for tile in 0..<tiles {
      for row in 0..<outputs {
        for column in 0..<outputs {
          for lane in 0..<16 {
            var sum = 0.0
            for i in 0..<inputs {
              for j in 0..<inputs {
                let place = tile * from.tile + i * from.line + j * from.pixel + lane
                sum += m[row][i] * m[column][j] * Double(x[place])
              }
            }
            let place = tile * to.tile + row * to.line + column * to.pixel + lane
            wanted[place] += sum
          }
        }
      }
    }
    y.withUnsafeMutableBufferPointer { transform(x.pointer, $0.baseAddress!) }
    let scale = wanted.map(abs).max()!
    let worst = zip(y.values, wanted).map { abs(Double($0) - $1) }.max()!
    #expect(worst < 1e-6 * scale, sourceLocation: sourceLocation)
  }

  @Test func theTransformsAreTheirMatrices() {
    // Two tiles: frames of ten vectors a line for images, of eight for results; places three
    // vectors apart.
    let scratch = Tensor(repeating: 0, [Winograd.scratch])
    let lines = scratch.freshPointer
    defer { withExtendedLifetime(scratch) {} }
    let (images, results) = ((160, 16, 64), (128, 16, 64))
    let places = (6 * 48, 48, 16)
    expect(Self.image, tiles: 2, from: images, to: places) {
      Winograd.transformImages($0, width: 10, tiles: 2, into: $1, steps: (16, 48), lines)
    }
    expect(transposed(Self.image), tiles: 2, from: places, to: images, adding: true) {
      Winograd.addImages($0, steps: (16, 48), to: $1, width: 10, tiles: 2, lines)
    }
    expect(Self.result, tiles: 2, from: places, to: results) {
      Winograd.transformResults($0, steps: (16, 48), into: $1, tiles: 2, lines)
    }
    expect(transposed(Self.result), tiles: 2, from: results, to: places) {
      Winograd.transformCotangents($0, tiles: 2, into: $1, steps: (16, 48), lines)
    }
    let weights = (48, 16, 0)
    expect(Self.filter, tiles: 1, from: weights, to: places) {
      Winograd.transformFilters($0, into: $1, placeStep: 48, lines)
    }
    expect(transposed(Self.filter), tiles: 1, from: places, to: weights) {
      Winograd.gatherFilters($0, placeStep: 48, into: $1, lines)
    }
  }

  @Test(arguments: [1, 5, 16])
  func planesBecomeLanesAndComeBack(count: Int) {
    // Lines of three, seven and nineteen pixels: fewer than a vector in all, and ends that overlap.
    for (width, rows) in [(3, 0..<2), (7, 1..<6), (19, 2..<4)] {
      var stream = RandomStream(seed: 9, "lanes")
      let (height, frameWidth) = (7, width + 2)
      let x = stream.normal([16, height, width])
      let planes = LanePlanes(count: count, distance: height * width, width: width)
      BufferPool.withScratch(LanePlanes.scratch) { square in
        var frame = Tensor(repeating: -1, [rows.count, frameWidth, 16])
        frame.withUnsafeMutableBufferPointer {
          planes.bring(
            x.pointer, rows: rows, into: $0.baseAddress!, frameWidth: frameWidth, square)
        }
        let isRight = (0..<frame.count).allSatisfy { place in
          let (row, column, lane) = (
            place / 16 / frameWidth, place / 16 % frameWidth, min(place % 16, count - 1)
          )
          return column < width
            ? frame[place] == x[(lane * height + rows.lowerBound + row) * width + column]
            : frame[place] == -1
        }
        #expect(isRight)
        var back = Tensor(repeating: 0, x.shape)
        back.withUnsafeMutableBufferPointer {
          planes.bringBack(
            frame.pointer, frameWidth: frameWidth, rows: rows, into: $0.baseAddress!, square)
        }
        let cameBack = (0..<back.count).allSatisfy { place in
          let (lane, row) = (place / width / height, place / width % height)
          return back[place] == (lane < count && rows.contains(row) ? x[place] : 0)
        }
        #expect(cameBack)
      }
    }
  }
}
