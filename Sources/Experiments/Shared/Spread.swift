import Digits
import Foundation
import Notebook

extension Page {
  /// The data set, fetched when the folder lacks it.
  package func mnist() async throws -> MNIST {
    let show = output.progress
    return try await MNIST.load(from: DataFolder(dataDirectory)) { progress in
      show("MNIST from \(progress.source)", progress.fraction)
    }
  }
}

/// The mean and the deviation of a few measurements.
package struct Spread {
  package let mean: Double
  /// The sample deviation, divided by n − 1; 0 for a single measurement.
  package let deviation: Double

  package init(_ values: [Double]) {
    let mean = values.reduce(0, +) / Double(max(1, values.count))
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.mean = mean
    deviation = values.count > 1 ? (squares / Double(values.count - 1)).squareRoot() : 0
  }
}

extension Page {
  /// Gives a mean that the prose may show, with its deviation in the record.
  package func value(
    _ name: String, _ spread: Spread, tolerance: Double, unit: String = ""
  ) {
    value(name, spread.mean, deviation: spread.deviation, tolerance: tolerance, unit: unit)
  }
}

extension Double {
  /// The number with two significant digits, as `3.1E-16`, for a table on the terminal.
  package var scientific: String {
    formatted(.number.notation(.scientific).precision(.significantDigits(2)))
  }
}
