import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What an auto-encoder's hidden units have become, measured on the images that it learnt from.
package struct StrokeLook: MeasuredResult, Sendable {
  /// The loss before the first step of L-BFGS and after each.
  package let losses: [Double]
  /// How often the loss was computed for that.
  package let evaluations: Int
  /// ρ̂ of each unit: its mean activity over the images.
  package let activities: [Double]
  /// The part of the images' squared distance from their mean image that is left over, in percent.
  package let left: Double
  /// The standard deviation of a unit's activity over the images, in the mean over the units.
  package let variation: Double
  /// In the mean over images, the part of the units that are above one half, in percent.
  package let active: Double
  /// Some strokes, a byte a weight: 127.5 for 0.
  private let strokes: Data

  /// The numbers: bytes of pictures are another list on another processor.
  package var measures: [[Double]] {
    [[losses.last!, Spread(activities).mean, left, variation, active]]
  }

  /// How many strokes are kept as pictures.
  private static let pictureCount = 60

  /// Some strokes as pictures, grey where a weight is 0.
  package var pictures: [[Float]] {
    let size = ImageSet.pixelsPerImage
    return stride(from: 0, to: strokes.count, by: size).map { start in
      strokes[start..<start + size].map { Float($0) / 255 }
    }
  }

  init(_ method: SparseAutoencoder, _ batch: Tensor, _ result: LimitedMemoryBFGS.Result) {
    (losses, evaluations) = (result.values, result.evaluations)
    let x = batch.reshaped([batch.shape[1], method.plan.inputs])
    let hidden = method.features(x)
    let count = Float(x.shape[0])
    let means = hidden.sumOfRows().map { $0 * (1 / count) }
    activities = means.values.map(Double.init)
    variation =
      Spread(
        Self.centred(hidden).map { $0 * $0 }.sumOfRows().values.map {
          Double($0 / count).squareRoot()
        }
      ).mean
    let above = hidden.map { Vector(repeating: 0).replacing(with: 1, where: $0 .> 0.5) }
    active = 100 * Double(above.sum()) / Double(above.count)
    let given = method.decoder(Tape(recording: false).constant(hidden)).value
    left = Double(100 * (given - x).sumOfSquares() / Self.centred(x).sumOfSquares())
    let pixels = method.strokes.values
    strokes = (0..<Self.pictureCount).reduce(into: Data()) { data, unit in
      let row = pixels[unit * method.plan.inputs..<(unit + 1) * method.plan.inputs]
      let largest = row.reduce(0) { max($0, abs($1)) }
      data.append(contentsOf: row.map { UInt8((127.5 + 127.5 * $0 / largest).rounded()) })
    }
  }

  /// Rows less their mean.
  private static func centred(_ rows: Tensor) -> Tensor {
    let mean = rows.sumOfRows().map { $0 * (1 / Float(rows.shape[0])) }
    var result = rows
    result.addToRows(mean.map { -$0 }, activation: .identity)
    return result
  }
}
