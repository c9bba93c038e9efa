import Foundation
@testable import Tensors
import Testing

@Suite struct WinogradTests {
  /// A convolution, and how far from its definition tiles were: in units of the largest number.
  struct Sample: CustomTestStringConvertible {
    let channels, filters, batch, height, width, padding: Int
    let results, images, weights: Double

    var testDescription: String {
      "\(channels) → \(filters), \(batch) of \(height) × \(width), padding \(padding)"
    }
  }

  static let samples = [
    sample(8, 8, 16, 6, 6, 0, 2.0e-6, 1.4e-6, 1.1e-6),
    sample(8, 9, 15, 7, 9, 1, 4.8e-6, 2.0e-6, 1.6e-6),
    sample(10, 23, 33, 12, 12, 1, 3.8e-6, 2.4e-6, 3.2e-6),
    sample(17, 8, 17, 5, 13, 0, 1.3e-6, 1.2e-6, 0.8e-6),
    sample(16, 16, 1, 28, 28, 1, 3.6e-6, 2.5e-6, 4.7e-6),
    sample(34, 20, 33, 7, 7, 1, 4.1e-6, 2.1e-6, 1.6e-6),
    sample(64, 64, 16, 10, 10, 0, 5.5e-6, 3.7e-6, 1.8e-6),
    sample(12, 33, 17, 4, 3, 2, 2.2e-6, 2.8e-6, 1.8e-6),
    sample(9, 11, 2, 3, 3, 0, 0.29e-6, 0.26e-6, 0.27e-6),
    sample(11, 10, 16, 11, 30, 0, 2.5e-6, 1.9e-6, 2.3e-6),
    sample(8, 8, 150, 6, 5, 1, 3.3e-6, 2.3e-6, 2.1e-6),
  ]

  private static func sample(
    _ c: Int, _ o: Int, _ n: Int, _ h: Int, _ w: Int, _ padding: Int, _ results: Double,
    _ images: Double, _ weights: Double
  ) -> Sample {
    Sample(
      channels: c, filters: o, batch: n, height: h, width: w, padding: padding, results: results,
      images: images, weights: weights)
  }

  @Test(arguments: samples)
  func tilesAgreeWithTheDefinition(_ sample: Sample) {
    let problem = Problem(sample)
    let wanted = problem.definition()
    for tile in Tile.allCases {
      let (y, back) = Kernels.$tile.withValue(tile) { problem.solve(.identity) }
      #expect(error(y, wanted.y) < 3 * sample.results, "\(tile)")
      #expect(error(back.input!, wanted.dx) < 3 * sample.images, "\(tile)")
      #expect(error(back.weight, wanted.dw) < 3 * sample.weights, "\(tile)")
      #expect(error(back.bias, wanted.db) < 1e-6, "\(tile)")
    }
  }

  private func error(_ got: Tensor, _ wanted: [Double]) -> Double {
    let scale = wanted.map(abs).max()!
    return zip(got.values, wanted).map { abs(Double($0) - $1) }.max()! / scale
  }

  @Test(arguments: [Activation.relu, .leakyReLU(slope: 0.1), .tanh])
  func anActivationIsAppliedAndUndone(_ activation: Activation) {
    let problem = Problem(Self.samples[2])
    let (plain, _) = problem.solve(.identity)
    let (y, back) = problem.solve(activation)
    #expect(y == plain.map { activation($0) })
    let cotangent = problem.dz.zip(y) { $0 * activation.derivative(fromOutput: $1) }
    let (_, other) = problem.solve(.identity, cotangent: cotangent)
    #expect(back.input == other.input && back.weight == other.weight)
    #expect((back.bias - other.bias).maximumMagnitude() < 1e-3)
  }

  /// In a process of its own, as other tests change the number of threads and keep them busy.
  @Test func bitsDependNeitherOnThreadsNorOnTiles() async {
    await #expect(processExitsWith: .success) {
      func results() -> [[Float]] {
        WinogradTests.samples.flatMap { sample in
          let (y, back) = Problem(sample).solve(.leakyReLU(slope: 0.1))
          return [y, back.input!, back.weight, back.bias].map(\.values)
        }
      }
      let wanted = Kernels.$tile.withValue(.wide) { results() }
      for threads in [1, 2, 4] {
        Parallel.threadCount = threads
        for tile in [Tile.wide, .narrow] {
          let got = Kernels.$tile.withValue(tile) { results() }
          let different = got.indices.filter { got[$0] != wanted[$0] }
          #expect(different == [], "\(tile), \(threads) threads")
        }
      }
    }
  }

  /// Which way is taken: the batch and the extents count as the tiles and the lanes hold them.
  @Test func theWayIsChosenByShape() {
    func method(_ c: Int, _ o: Int, _ n: Int, _ size: Int, _ padding: Int, kernel: Int = 3)
      -> ConvolutionMethod
    {
      ConvolutionGeometry(
        input: [c, n, size, size], weight: [o, c, kernel, kernel], padding: padding
      ).method
    }
    // The networks of the chapters and of the bench.
    #expect(method(32, 64, 100, 12, 0) == .winograd)
    #expect(method(64, 64, 100, 10, 0) == .winograd)
    #expect(method(16, 16, 128, 28, 1) == .winograd)
    #expect(method(32, 32, 128, 14, 1) == .winograd)
    #expect(method(64, 64, 128, 7, 1) == .winograd)
    // 2 × 2 results, 5 × 5 of 8 × 8 that tiles give, few channels, few filters, other kernels.
    #expect(method(64, 128, 100, 4, 0) == .direct)
    #expect(method(64, 64, 128, 7, 0) == .direct)
    #expect(method(1, 32, 128, 28, 1) == .direct)
    #expect(method(15, 32, 128, 28, 1) == .direct)
    #expect(method(32, 15, 128, 28, 1) == .direct)
    #expect(method(32, 64, 100, 28, 0, kernel: 5) == .direct)
    #expect(method(32, 64, 100, 12, 0, kernel: 1) == .direct)
    // Lanes: one of sixteen, nine, ten, seventeen of thirty-two, with all results wanted.
    #expect(method(64, 64, 1, 30, 0) == .direct)
    #expect(method(64, 64, 9, 30, 0) == .direct)
    #expect(method(64, 64, 10, 30, 0) == .winograd)
    #expect(method(64, 64, 17, 30, 0) == .direct)
    // Four tiles in each of 23 or 24 images, for filters that are transformed once.
    #expect(method(64, 64, 23, 10, 0) == .direct)
    #expect(method(64, 64, 24, 10, 0) == .winograd)
    #expect(method(256, 256, 32, 4, 1) == .direct)
  }
}

// MARK: - The definition

/// A convolution of random numbers, forward and back.
private struct Problem {
  let x, w, bias, dz: Tensor
  let g: ConvolutionGeometry

  init(_ s: WinogradTests.Sample) {
    var stream = RandomStream(seed: 7, "winograd")
    x = stream.normal([s.channels, s.batch, s.height, s.width])
    w = stream.normal([s.filters, s.channels, 3, 3])
    bias = stream.normal([s.filters])
    g = ConvolutionGeometry(input: x.shape, weight: w.shape, padding: s.padding)
    dz = stream.normal(g.output)
  }

  func solve(
    _ activation: Activation, cotangent: Tensor? = nil
  ) -> (y: Tensor, back: (input: Tensor?, weight: Tensor, bias: Tensor)) {
    let y = x.convolution(w, g, bias: bias, activation, by: .winograd)
    return (
      y,
      x.convolutionPullback(
        w, g, cotangent: cotangent ?? dz, output: y, activation, needsInput: true, by: .winograd)
    )
  }

  /// The convolution and its pullbacks by their definition, in Double.
  func definition() -> (y: [Double], dx: [Double], dw: [Double], db: [Double]) {
    let (c, n, h, width) = (g.channels, g.batch, g.height, g.width)
    let (o, oh, ow, padding) = (g.filters, g.outputHeight, g.outputWidth, g.padding)
    let (pixels, weights) = (x.values.map(Double.init), w.values.map(Double.init))
    let (biases, cotangents) = (bias.values.map(Double.init), dz.values.map(Double.init))
    var (y, dx) = (cotangents, pixels.map { _ in 0.0 })
    var (dw, db) = (weights.map { _ in 0.0 }, biases.map { _ in 0.0 })
    for filter in 0..<o {
      for place in filter * n * oh * ow..<(filter + 1) * n * oh * ow {
        let (image, row, column) = (place / ow / oh % n, place / ow % oh, place % ow)
        let cotangent = cotangents[place]
        var sum = biases[filter]
        for ky in max(0, padding - row)..<min(3, h + padding - row) {
          for kx in max(0, padding - column)..<min(3, width + padding - column) {
            for channel in 0..<c {
              let line = (channel * n + image) * h + row + ky - padding
              let pixel = line * width + column + kx - padding
              let weight = ((filter * c + channel) * 3 + ky) * 3 + kx
              sum += pixels[pixel] * weights[weight]
              dx[pixel] += cotangent * weights[weight]
              dw[weight] += cotangent * pixels[pixel]
            }
          }
        }
        y[place] = sum
        db[filter] += cotangent
      }
    }
    return (y, dx, dw, db)
  }
}
