import Digits
import Gradients
import Methods
import Networks
import Tensors

/// An auto-encoder without a bend, which has the principal components of its images as its best.
package struct LinearAutoencoder: Objective {
  private let encoder, decoder: Dense

  // snippet.linear
  /// (1/m)·Σ ‖x̂ − x‖² with x̂ = W₂·W₁·x.
  package func loss(
    _ batch: Tensor, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss {
    let x = tape.constant(batch)
    return Loss(squaredError(decoder(encoder(x)), x), over: x.shape[0])
  }
  // snippet.end

  private init(inputs: Int, hidden: Int, using stream: inout RandomStream) {
    func layer(_ inputs: Int, _ outputs: Int) -> Dense {
      Dense(inputs: inputs, outputs: outputs, initialiser: .xavierUniform, using: &stream)
    }
    (encoder, decoder) = (layer(inputs, hidden), layer(hidden, inputs))
  }

  /// How near to the principal components it came.
  package struct Comparison: Sendable {
    /// Its loss, divided by the least that any of so many units can have: the eigenvalues left out.
    package let ratio: Double
    /// The part of its decoder's weights that lies outside of the components' subspace: a length,
    /// as a part of the weights' length.
    package let outside: Double
    /// The steps that were taken.
    package let steps: Int
  }

  /// Fits it to digits of 7 × 7 grey fields, less their mean, and holds it against the eigenvectors
  /// of their covariance.
  package static func compare(
    _ set: ImageSet, count: Int, hidden: Int, steps: Int, seed: UInt64
  ) -> Comparison {
    let rows = fields(set.images(0..<count), count: count)
    let inputs = rows[0].count
    var covariance = [[Double]](repeating: [Double](repeating: 0, count: inputs), count: inputs)
    for row in rows {
      for i in 0..<inputs {
        for j in 0..<inputs { covariance[i][j] += row[i] * row[j] / Double(count) }
      }
    }
    let eigen = SymmetricEigen(covariance)
    var stream = RandomStream(seed: seed, "3.3.7", "linear")
    let method = LinearAutoencoder(inputs: inputs, hidden: hidden, using: &stream)
    let batch = Tensor([count, inputs], rows.flatMap { $0.map(Float.init) })
    let result = method.minimise(batch, steps: steps)
    let weight = method.decoder.weight.value.values.map(Double.init)
    var (all, outside) = (0.0, 0.0)
    for unit in 0..<hidden {
      let column = (0..<inputs).map { weight[$0 * hidden + unit] }
      let inside = eigen.vectors.prefix(hidden).reduce(0.0) { sum, vector in
        let part = LinearAlgebra.dot(vector, column)
        return sum + part * part
      }
      let square = LinearAlgebra.dot(column, column)
      all += square
      outside += max(0, square - inside)
    }
    return Comparison(
      ratio: result.values.last! / eigen.values.dropFirst(hidden).reduce(0, +),
      outside: (outside / all).squareRoot(), steps: result.values.count - 1)
  }

  /// Means of 4 × 4 pixels, less the mean over the images.
  private static func fields(_ images: Tensor, count: Int) -> [[Double]] {
    let (side, size) = (7, ImageSet.side)
    var rows = (0..<count).map { image in
      (0..<side * side).map { field in
        let (top, left) = (field / side * 4, field % side * 4)
        return (0..<16).reduce(0.0) { sum, pixel in
          let place = (top + pixel / 4) * size + left + pixel % 4
          return sum + Double(images[image * ImageSet.pixelsPerImage + place]) / 16
        }
      }
    }
    for field in 0..<side * side {
      let mean = rows.reduce(0) { $0 + $1[field] } / Double(count)
      for row in rows.indices { rows[row][field] -= mean }
    }
    return rows
  }
}
