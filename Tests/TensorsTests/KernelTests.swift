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

  @Test func elementaryFunctionsAreWithinAFewUnits() {
    func worst(
      _ range: ClosedRange<Float>, _ fast: (Vector) -> Vector, _ exact: (Double) -> Double
    ) -> Double {
      (0...20_000).reduce(0) { worst, step in
        let x = range.lowerBound + (range.upperBound - range.lowerBound) * Float(step) / 20_000
        let (got, wanted) = (Double(fast(Vector(repeating: x))[3]), exact(Double(x)))
        return max(worst, abs(got - wanted) / max(abs(wanted), 1e-30))
      }
    }
    #expect(worst(-87...88.7, VectorMath.exp, { exp($0) }) < 3e-7)
    #expect(worst(1e-3...0.9, VectorMath.log, { log($0) }) < 4e-7)
    #expect(worst(1.1...1e6, VectorMath.log, { log($0) }) < 4e-7)
    #expect(worst(-9...9, VectorMath.tanh, { tanh($0) }) < 4e-7)
    #expect(worst(-80...80, VectorMath.sigmoid, { 1 / (1 + exp(-$0)) }) < 4e-7)
    #expect(worst(-80...80, VectorMath.softplus, { log1p(exp(-abs($0))) + max($0, 0) }) < 6e-7)
    #expect(VectorMath.exp(Vector(repeating: 100))[0] == .infinity)
    #expect(VectorMath.exp(Vector(repeating: -200))[0] == 0)
    #expect(VectorMath.exp(Vector(repeating: .nan))[0].isNaN)
    #expect(VectorMath.log(Vector(repeating: 0))[0] == -.infinity)
    #expect(VectorMath.log(Vector(repeating: -1))[0].isNaN)
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

  /// Every product in a guarded corner of a larger matrix: right, and not a float beyond its own.
  @Test(arguments: [
    (1, 1, 1), (3, 5, 2), (7, 15, 9), (8, 48, 16), (9, 49, 17), (16, 33, 1), (25, 100, 31),
    (64, 95, 288), (31, 16, 1600), (12, 6, 1024), (13, 11, 1041), (40, 700, 64),
  ])
  func ownKernelsAgreeWithAPlainLoop(m: Int, n: Int, k: Int) {
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
        func multiply(
          _ left: LeftFactor, _ c: UnsafeMutablePointer<Float>, byBLAS: Bool
        ) {
          let bias = adding ? nil : bias.pointer
          if byBLAS {
            left.multiplyByBLAS(
              rows: 0..<m, b.pointer, n, n, into: c, n + 3, adding, bias, activation)
          } else {
            left.multiply(
              rows: 0..<m, b.pointer, stride: n, columns: n, into: c, stride: n + 3,
              adding: adding, bias: bias, activation: activation)
          }
        }
        let rows = LeftFactor(a.pointer, rows: m, depth: k, rowStride: k, step: 1)
        let columns = LeftFactor(at.pointer, rows: m, depth: k, rowStride: 1, step: m)
        for byBLAS in [false, true] {
          check("rows, BLAS \(byBLAS)") { multiply(rows, $0, byBLAS: byBLAS) }
          check("columns, BLAS \(byBLAS)") { multiply(columns, $0, byBLAS: byBLAS) }
        }
        guard activation == .identity else { continue }
        for byBLAS in [false, true] {
          var c = start
          c.withUnsafeMutableBufferPointer { c in
            if !adding {
              for i in 0..<m { for j in 0..<n { c[i * (n + 3) + j] = bias[i] } }
            }
            let target = c.baseAddress!
            if byBLAS {
              BLAS.multiply(
                m, n, k, a.pointer, stride: k, transposed.pointer, stride: k,
                transposingSecond: true, into: target, stride: n + 3, adding: true)
            } else {
              multiplyRows(
                m, n, k, a.pointer, stride: k, transposed.pointer, stride: k, into: target,
                stride: n + 3, adding: true)
            }
          }
          let worst = zip(c.values, wanted).map { abs(Double($0) - $1) }.max()!
          #expect(worst < 2e-4, "scalar products, BLAS \(byBLAS), adding \(adding)")
        }
      }
    }
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
