import Digits
import Foundation
import Gradients
import Methods
import Notebook
import Tensors

/// What the first layer of a stack looks like, and what it makes of images.
package struct LayerLook: MeasuredResult, Sendable {
  /// The mean cross-entropy of an image over each epoch, by layer.
  package internal(set) var losses: [[Double]] = [[], [], []]
  /// The squared error of what is made of whole images, in percent of the squares of their ink.
  package private(set) var copying = 0.0
  /// The same of images with a quarter of their pixels masked, over the masked pixels alone.
  package private(set) var filling = 0.0
  /// How many pixels a filter uses, in the mean: (Σw²)²/Σw⁴.
  package private(set) var pixels = 0.0
  /// Some filters, a byte a weight: 0 for the least, 255 for the largest, 127.5 for a weight of 0.
  private var filters = Data()

  /// The numbers: bytes of pictures are another list on another processor.
  package var measures: [[Double]] { losses + [[copying, filling, pixels]] }

  /// How many filters are kept as pictures.
  static let pictureCount = 40

  /// Some filters as pictures, grey where a weight is 0.
  package var pictures: [[Float]] {
    let size = ImageSet.pixelsPerImage
    return stride(from: 0, to: filters.count, by: size).map { start in
      filters[start..<start + size].map { Float($0) / 255 }
    }
  }

  /// Looks at a trained layer of 784 inputs, on the first images.
  mutating func measure(
    _ layer: DenoisingAutoencoder, _ images: UnlabelledImages, seed: UInt64
  ) {
    let count = min(1000, images.count)
    let x = images(0..<count).reshaped([count, ImageSet.pixelsPerImage])
    copying = Self.error(of: layer.reconstruction(of: x), x, at: Tensor(repeating: 1, x.shape))
    var stream = RandomStream(seed: seed, "3.3.8", "holes")
    let seen = stream.bernoulli(x.shape, probability: 0.75)
    filling = Self.error(
      of: layer.reconstruction(of: x * seen), x, at: seen.map { 1 - $0 })
    let weight = layer.encoder.weight.value
    let rows = weight.values.map(Double.init)
    let (units, size) = (weight.shape[0], weight.shape[1])
    let areas = (0..<units).map { unit in
      var (squares, fourths) = (0.0, 0.0)
      for w in rows[unit * size..<(unit + 1) * size] {
        squares += w * w
        fourths += w * w * w * w
      }
      return squares * squares / fourths
    }
    pixels = Spread(areas).mean
    for unit in 0..<Self.pictureCount {
      let row = rows[unit * size..<(unit + 1) * size]
      let largest = LinearAlgebra.largest(Array(row))
      filters.append(contentsOf: row.map { UInt8((127.5 + 127.5 * $0 / largest).rounded()) })
    }
  }

  /// 100·Σ (z − x)²/Σ x² over the places where `at` is 1.
  private static func error(of z: Tensor, _ x: Tensor, at places: Tensor) -> Double {
    Double(100 * ((z - x) * places).sumOfSquares() / (x * places).sumOfSquares())
  }
}

extension DenoisingAutoencoder {
  /// z of rows `[n, inputs]` as they are: nothing is masked here.
  fileprivate func reconstruction(of rows: Tensor) -> Tensor {
    let tape = Tape(recording: false)
    return transposedAffine(
      encoder(tape.constant(rows)), tape(encoder.weight), tape(visibleBias), activation: .sigmoid
    ).value
  }
}
