import Foundation
@testable import Tensors
import Testing

@Suite struct TileTests {
  /// Every product in a guarded corner of a larger matrix: right, and not a float beyond its own.
  @Test(arguments: [
    (1, 1, 1), (3, 5, 2), (7, 15, 9), (8, 48, 16), (9, 49, 17), (16, 33, 1), (25, 100, 31),
    (64, 95, 288), (31, 16, 1600), (12, 6, 1024), (13, 11, 1041), (40, 700, 64),
  ])
  func everyTileAgreesWithAPlainLoop(m: Int, n: Int, k: Int) {
    var stream = RandomStream(seed: 5, "kernels")
    let (a, b, start) = (stream.normal([m, k]), stream.normal([k, n]), stream.normal([m, n + 3]))
    let (bias, transposed) = (stream.normal([m]), b.transposed())
    let at = a.transposed()
    for adding in [false, true] {
      for activation in [Activation.identity, .relu, .leakyReLU(slope: 0.1), .tanh] {
        if adding && activation != .identity { continue }
        var wanted = start.values.map(Double.init)
        for i in 0..<m {
          for j in 0..<n {
            let sum = (0..<k).reduce(0.0) { $0 + Double(a[i * k + $1]) * Double(b[$1 * n + j]) }
            let old = adding ? wanted[i * (n + 3) + j] : Double(bias[i])
            let z = sum + old
            wanted[i * (n + 3) + j] =
              switch activation {
              case .relu: max(0, z)
              case .leakyReLU: z < 0 ? z * 0.1 : z
              case .tanh: tanh(z)
              default: z
              }
          }
        }
        func check(_ how: String, _ multiply: (UnsafeMutablePointer<Float>) -> Void) {
          var c = start
          c.withUnsafeMutableBufferPointer { multiply($0.baseAddress!) }
          let worst = zip(c.values, wanted).map { abs(Double($0) - $1) }.max()!
          #expect(worst < 2e-4, "\(how), adding \(adding), \(activation)")
        }
        for tile in Tile.allCases {
          func multiply(_ left: LeftFactor, _ c: UnsafeMutablePointer<Float>) {
            left.multiply(
              rows: 0..<m, b.pointer, stride: n, columns: n, into: c, stride: n + 3,
              adding: adding, bias: adding ? nil : bias.pointer, activation: activation)
          }
          check("rows, \(tile)") {
            multiply(
              LeftFactor(a.pointer, rows: m, depth: k, rowStride: k, step: 1, tile: tile), $0)
          }
          check("columns, \(tile)") {
            multiply(
              LeftFactor(at.pointer, rows: m, depth: k, rowStride: 1, step: m, tile: tile), $0)
          }
          check("a transposed right factor, \(tile)") {
            LeftFactor(a.pointer, rows: m, depth: k, rowStride: k, step: 1, tile: tile).multiply(
              rows: 0..<m, transposed.pointer, stride: k, columns: n, isTransposed: true, into: $0,
              stride: n + 3, adding: adding, bias: adding ? nil : bias.pointer,
              activation: activation)
          }
        }
        guard activation == .identity else { continue }
        for tile in Tile.allCases {
          var c = start
          c.withUnsafeMutableBufferPointer { c in
            if !adding {
              for i in 0..<m { for j in 0..<n { c[i * (n + 3) + j] = bias[i] } }
            }
            let target = c.baseAddress!
            multiplyRows(
              m, n, k, a.pointer, stride: k, transposed.pointer, stride: k, into: target,
              stride: n + 3, adding: true, tile: tile)
          }
          let worst = zip(c.values, wanted).map { abs(Double($0) - $1) }.max()!
          #expect(worst < 2e-4, "scalar products, \(tile), adding \(adding)")
        }
      }
    }
  }

  /// Products of all three kinds, convolutions and their pullbacks: odd sizes, sums in several
  /// parts, and work that is cut into pieces.
  private func results() -> [[UInt32]] {
    var stream = RandomStream(seed: 6, "tiles")
    var results: [Tensor] = []
    for (m, n, k) in [(3, 5, 2), (129, 500, 784), (777, 47, 150), (40, 70, 3300), (19, 310, 999)] {
      let (a, b) = (stream.normal([m, k]), stream.normal([k, n]))
      results.append(a.product(b))
      results.append(a.transposed().product(b, transposing: .first))
      results.append(a.product(b.transposed(), transposing: .second))
    }
    for (c, n, size, o, kernel, padding) in [
      (1, 33, 28, 10, 5, 0), (10, 33, 12, 23, 3, 1), (34, 20, 7, 19, 3, 1), (5, 9, 4, 7, 1, 0),
      (17, 31, 12, 23, 3, 1),
    ] {
      let (x, weight) = (stream.normal([c, n, size, size]), stream.normal([o, c, kernel, kernel]))
      let f = Activation.leakyReLU(slope: 0.1)
      let y = x.convolution(weight, bias: stream.normal([o]), padding: padding, activation: f)
      let back = x.convolutionPullback(
        weight, cotangent: y * y, output: y, padding: padding, activation: f)
      results += [y, back.input!, back.weight, back.bias]
      results.append(y.transposedConvolution(weight, padding: padding))
    }
    return results.map { $0.values.map(\.bitPattern) }
  }

  /// The promise that a result does not tell on how many threads it was made, nor by which tile.
  ///
  /// In a process of its own: the number of threads is one for all tests, and a loop that another one
  /// runs would make this one's serial.
  @Test func bothTilesGiveTheSameBitsOnAnyNumberOfThreads() async {
    await #expect(processExitsWith: .success) {
      let tests = TileTests()
      let wanted = Kernels.$tile.withValue(.wide) { tests.results() }
      for threads in [1, 2, 4] {
        Parallel.threadCount = threads
        for tile in [Tile.wide, .narrow] {
          let got = Kernels.$tile.withValue(tile) { tests.results() }
          // Not the values themselves, of which a failure would print every one.
          let different = got.indices.filter { got[$0] != wanted[$0] }
          #expect(different == [], "\(tile), \(threads) threads")
        }
      }
    }
  }

  @Test func otherKernelsGiveOtherBits() {
    let (own, other) = (results(), Kernels.$tile.withValue(.openBLAS) { results() })
    let areSame = own == other
    #expect(!areSame, "OpenBLAS sums in another order, so the choice was not heeded")
  }

  @Test func theLargestTileThatIsPossibleIsChosen() {
    for (possible, best) in [
      ([Tile.wide, .narrow, .openBLAS], Tile.wide), ([.narrow, .openBLAS], .narrow),
      ([.openBLAS], .openBLAS),
    ] {
      for name in [nil, ""] {
        let choice = Kernels.choose(name, where: possible.contains)
        #expect(choice.tile == best && choice.complaint == nil)
      }
      for tile in Tile.allCases {
        let choice = Kernels.choose(tile.rawValue, where: possible.contains)
        #expect(choice.tile == (possible.contains(tile) ? tile : best))
        #expect((choice.complaint == nil) == possible.contains(tile))
      }
    }
  }

  @Test func anImpossibleNameIsToldInASentence() {
    let narrow: [Tile] = [.narrow, .openBLAS]
    #expect(
      Kernels.choose("broad", where: { _ in true }).complaint
        == "There is no tile “broad” for LAB_TILE; set it to wide, narrow or openblas, or not at "
        + "all.")
    #expect(
      Kernels.choose("wide", where: narrow.contains).complaint
        == "LAB_TILE=wide needs AVX-512, which this was not built for; set it to narrow or "
        + "openblas, or not at all.")
    #expect(
      Kernels.choose("wide", where: [Tile.openBLAS].contains).complaint
        == "LAB_TILE=wide needs AVX-512, which this was not built for; leave it out.")
  }

  @Test func aReportNamesTheTile() {
    let names = [Tile.wide, .narrow].map { tile in
      Kernels.$tile.withValue(tile) { Kernels.description }
    }
    #expect(names == ["AVX-512, 8 × 48", "AVX2, 6 × 16"])
    let blas = Kernels.$tile.withValue(.openBLAS) { Kernels.description }
    #expect(blas == "OpenBLAS \(Kernels.blas)")
  }
}
