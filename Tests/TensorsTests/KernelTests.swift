import Files
import Foundation
@testable import Tensors
import Testing

@Suite struct KernelTests {
  /// Known answers of Random123 for Philox 4×32-10.
  @Test func philoxGivesItsPublishedAnswers() {
    #expect(
      Philox.block(counter: .zero, key: .zero)
        == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(
        counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }

  @Test func streamsAreNamedAndRepeat() {
    var (a, b) = (RandomStream(seed: 1, "a"), RandomStream(seed: 1, "b"))
    var again = RandomStream(seed: 1, "a")
    let first = a.normal([1000])
    #expect(first == again.normal([1000]))
    #expect(first != b.normal([1000]))
    #expect(a.normal([1000]) != first)
  }

  @Test func distributionsHaveTheirMoments() {
    var stream = RandomStream(seed: 2, "moments")
    let n = 1_000_000
    let normal = stream.normal([n])
    #expect(abs(normal.sum() / Float(n)) < 0.005)
    #expect(abs(normal.sumOfSquares() / Float(n) - 1) < 0.01)
    #expect(abs(stream.uniform([n]).sum() / Float(n) - 0.5) < 0.002)
    #expect(abs(stream.bernoulli([n], probability: 0.3).sum() / Float(n) - 0.3) < 0.002)
  }

  /// What is drawn is what `normal` draws, and nothing is left out at the end.
  @Test(arguments: [1, 15, 63, 64, 65, 1000, 20_011])
  func noiseIsAddedToTheBitsOfTwoPasses(count: Int) {
    var (a, b) = (RandomStream(seed: 1, "noise"), RandomStream(seed: 1, "noise"))
    let x = Tensor([count], (0..<count).map { Float($0 % 17) })
    #expect(a.addNoise(to: x, deviation: 0.3) == x + b.normal([count], deviation: 0.3))
    #expect(a == b)
  }

  @Test(arguments: [(1, 1), (5, 9), (8, 8), (17, 23), (64, 5), (30, 100)])
  func aTransposedMatrixHasColumnsForRows(m: Int, n: Int) {
    var stream = RandomStream(seed: 1, "transposition")
    let x = stream.normal([m, n])
    let y = x.transposed()
    #expect(y.shape == [n, m])
    for i in 0..<m {
      for j in 0..<n where y[j * m + i] != x[i * n + j] { Issue.record("\(i), \(j)") }
    }
  }

  @Test(arguments: [(3, 4, 5), (1, 1, 1), (130, 70, 250), (17, 300, 400)])
  func productsAgreeWithTheDefinition(m: Int, n: Int, k: Int) {
    var stream = RandomStream(seed: 3, "product")
    let (a, b) = (stream.normal([m, k]), stream.normal([k, n]))
    let c = a.product(b)
    for (i, j) in [(0, 0), (m - 1, n - 1), (m / 2, n / 3)] {
      let sum = (0..<k).reduce(0.0) { $0 + Double(a[i * k + $1]) * Double(b[$1 * n + j]) }
      #expect(abs(Double(c[i * n + j]) - sum) < 1e-4)
    }
    let viaFirst = a.transposed().product(b, transposing: .first)
    let viaSecond = a.product(b.transposed(), transposing: .second)
    #expect((viaFirst - c).maximumMagnitude() < 1e-4)
    #expect((viaSecond - c).maximumMagnitude() < 1e-4)
  }

  @Test(arguments: [0, 1, 2])
  func convolutionsAgreeWithTheDefinition(padding: Int) {
    var stream = RandomStream(seed: 4, "convolution")
    let (c, n, h, w, o, kernel) = (3, 9, 8, 21, 5, 3)
    let (x, weight) = (stream.normal([c, n, h, w]), stream.normal([o, c, kernel, kernel]))
    let bias = stream.normal([o])
    let y = x.convolution(weight, bias: bias, padding: padding, activation: .relu)
    let (oh, ow) = (h + 2 * padding - kernel + 1, w + 2 * padding - kernel + 1)
    #expect(y.shape == [o, n, oh, ow])
    for filter in 0..<o {
      for image in 0..<n {
        for row in 0..<oh {
          for column in 0..<ow {
            var sum = bias[filter]
            for channel in 0..<c {
              for ky in 0..<kernel {
                for kx in 0..<kernel {
                  let (line, place) = (row + ky - padding, column + kx - padding)
                  guard line >= 0, line < h, place >= 0, place < w else { continue }
                  sum +=
                    x[((channel * n + image) * h + line) * w + place]
                    * weight[((filter * c + channel) * kernel + ky) * kernel + kx]
                }
              }
            }
            let got = y[((filter * n + image) * oh + row) * ow + column]
            #expect(abs(got - max(0, sum)) < 1e-4)
          }
        }
      }
    }
  }

  @Test func aTensorIsAValue() {
    let a = Tensor([3], [1, 2, 3])
    var b = a
    b[1] = 7
    #expect(a.values == [1, 2, 3] && b.values == [1, 7, 3])
  }

  @Test func everyPieceRunsOnce() {
    for threads in [1, 2, 4] {
      Parallel.threadCount = threads
      for pieces in [0, 1, 7, 1000] {
        let counts = UnsafeMutablePointer<Int>.allocate(capacity: 1000)
        counts.initialize(repeating: 0, count: 1000)
        defer { counts.deallocate() }
        Parallel.forEach(pieces) { counts[$0] += 1 }
        for piece in 0..<pieces { #expect(counts[piece] == 1) }
      }
    }
  }

  @Test func aFileIsWholeOrNotThere() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appendingPathComponent("a/b.txt")
    try AtomicFile.write(Data("one".utf8), to: file)
    try AtomicFile.write(Data("two".utf8), to: file)
    #expect(try Data(contentsOf: file) == Data("two".utf8))
    let names = try FileManager.default.contentsOfDirectory(
      atPath: file.deletingLastPathComponent().path)
    #expect(names == ["b.txt"])
    #expect(throws: LabError.self) {
      try AtomicFile.write(Data(), to: URL(fileURLWithPath: "/proc/none/x"))
    }
  }
}
