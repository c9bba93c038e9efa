import Gradients
import Tensors
import Testing

@Suite struct ImageTests {
  @Test func aFrameOfZerosSurroundsEachImage() {
    var stream = RandomStream(seed: 1, "frame")
    let images = stream.normal([2, 3, 4, 5])
    let padded = images.padded(by: 2)
    #expect(padded.shape == [2, 3, 8, 9])
    for plane in 0..<6 {
      for row in 0..<8 {
        for column in 0..<9 {
          let isInside = (2..<6).contains(row) && (2..<7).contains(column)
          let pixel = isInside ? images[(plane * 4 + row - 2) * 5 + column - 2] : 0
          #expect(padded[(plane * 8 + row) * 9 + column] == pixel)
        }
      }
    }
    #expect(padded.cropped(by: 2) == images)
  }

  /// ⟨x ∗ W, y⟩ = ⟨x, y ∗ᵀ W⟩ for sizes that leave no piece, panel or vector whole, and ones that do.
  @Test(arguments: [
    (1, 3, 2, 6, 7, 3, 3, 0), (2, 5, 9, 8, 5, 3, 5, 1), (1, 64, 20, 28, 28, 5, 5, 0),
    (3, 17, 16, 14, 14, 3, 3, 1), (17, 31, 23, 12, 12, 3, 3, 1), (16, 8, 1, 5, 19, 1, 1, 0),
    (4, 2, 11, 4, 4, 5, 5, 2),
  ])
  func theTransposedConvolutionIsTheAdjoint(
    c: Int, n: Int, filters: Int, h: Int, w: Int, kh: Int, kw: Int, padding: Int
  ) {
    var stream = RandomStream(seed: 1, "adjoint")
    let (x, weight) = (stream.normal([c, n, h, w]), stream.normal([filters, c, kh, kw]))
    let forward = x.convolution(weight, bias: nil, padding: padding)
    let y = stream.normal(forward.shape)
    let back = y.transposedConvolution(weight, padding: padding)
    #expect(back.shape == x.shape)
    let (left, right) = (forward.dot(y), x.dot(back))
    let size = Double(forward.sumOfSquares() * y.sumOfSquares()).squareRoot()
    #expect(abs(left - right) < 1e-6 * size)
  }

  /// The definition: each input pixel lays the kernel, times its value, on the output.
  @Test func theTransposedConvolutionSpreadsEachPixel() {
    var stream = RandomStream(seed: 1, "spread")
    let (x, weight) = (stream.normal([3, 2, 4, 5]), stream.normal([3, 2, 3, 2]))
    let bias = stream.normal([2])
    var expected = [Double](repeating: 0, count: 2 * 2 * 4 * 4)
    for i in expected.indices { expected[i] = Double(bias[i / 32]) }
    for filter in 0..<3 {
      for image in 0..<2 {
        for row in 0..<4 {
          for column in 0..<5 {
            let pixel = Double(x[((filter * 2 + image) * 4 + row) * 5 + column])
            for channel in 0..<2 {
              for ky in 0..<3 {
                for kx in 0..<2 {
                  let (i, j) = (row + ky - 1, column + kx - 1)
                  guard (0..<4).contains(i), (0..<4).contains(j) else { continue }
                  expected[((channel * 2 + image) * 4 + i) * 4 + j] +=
                    pixel * Double(weight[((filter * 2 + channel) * 3 + ky) * 2 + kx])
                }
              }
            }
          }
        }
      }
    }
    let tape = Tape()
    let y = transposedConvolution(
      tape.constant(x), tape.constant(weight), tape.constant(bias), padding: 1)
    #expect(y.shape == [2, 2, 4, 4])
    #expect(zip(y.value.values, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 })
  }
}
