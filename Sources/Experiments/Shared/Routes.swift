import ComplexModule
import RealModule

/// Ways to a derivative that do not use the formula for it, and how far two answers are apart.
package enum Routes {
  /// (f(x + h) − f(x)) / h, wrong by h/2·f″ and by rounding of order ε/h.
  package static func forwardDifference(
    at x: Double, step h: Double, of f: (Double) -> Double
  ) -> Double {
    (f(x + h) - f(x)) / h
  }

  /// (f(x + h) − f(x − h)) / 2h, wrong by h²/6·f‴ and by rounding of order ε/h.
  package static func centralDifference(
    at x: Double, step h: Double, of f: (Double) -> Double
  ) -> Double {
    (f(x + h) - f(x - h)) / (2 * h)
  }

  /// Im f(x + ih) / h, wrong by h²/6·f‴; nothing is subtracted (Squire & Trapp 1998).
  package static func complexStep(
    at x: Double, step h: Double = 1e-200, of f: (Complex<Double>) -> Complex<Double>
  ) -> Double {
    f(Complex(x, h)).imaginary / h
  }

  /// The steps of a sweep: from 10⁻¹ to 10⁻¹⁶, four to a decade.
  package static let steps = (4...64).map { Double.pow(10, -Double($0) / 4) }

  /// The order of a Taylor remainder in its step: 2 after a right gradient, 1 after a wrong one.
  package static func order(ofRemainder remainder: (_ step: Double) -> Double) -> Double {
    logarithmicSlope(
      (8...18).map { (x: Double.exp2(-Double($0)), y: remainder(.exp2(-Double($0)))) })
  }

  /// ‖a − b‖ / ‖b‖ in the Euclidean norm.
  package static func distance(_ a: [Double], _ b: [Double]) -> Double {
    let difference = zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    return (difference / b.reduce(0) { $0 + $1 * $1 }).squareRoot()
  }

  /// The slope of the least-squares line through points whose coordinates are taken as logarithms.
  package static func logarithmicSlope(_ points: [(x: Double, y: Double)]) -> Double {
    let logs = points.map { (x: Double.log($0.x), y: Double.log($0.y)) }
    let (meanX, meanY) = (
      logs.reduce(0) { $0 + $1.x } / Double(logs.count),
      logs.reduce(0) { $0 + $1.y } / Double(logs.count)
    )
    return logs.reduce(0) { $0 + ($1.x - meanX) * ($1.y - meanY) }
      / logs.reduce(0) { $0 + ($1.x - meanX) * ($1.x - meanX) }
  }

  /// The largest number, from 1 to 1,000, up to which a test holds; by bisection.
  package static func last<Number: BinaryFloatingPoint>(where holds: (Number) -> Bool) -> Number {
    var (good, bad): (Number, Number) = (1, 1000)
    while good.nextUp < bad {
      let middle = good + (bad - good) / 2
      if holds(middle) { good = middle } else { bad = middle }
    }
    return good
  }
}
