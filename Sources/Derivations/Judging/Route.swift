import ComplexModule
import RealModule

/// The function that the steps of chapter 2.1 go down: ln cosh θ + θ⁴/20 + 0.3 θ.
enum Landscape {
  /// f(θ).
  static func height<Number: Quantity>(_ θ: Number) -> Number {
    let square: Number = θ * θ
    let basin: Number = .log(.cosh(θ))
    return basin + square * square * Number(0.05) + θ * Number(0.3)
  }

  /// f′(θ) = tanh θ + θ³/5 + 0.3.
  @Sendable static func slope<Number: Quantity>(_ θ: Number) -> Number {
    let cube: Number = θ * θ * θ
    return Number.tanh(θ) + cube * Number(0.2) + Number(0.3)
  }
}

/// Ways to a derivative that no formula of the derivative is needed for.
enum Route {
  /// So small that what it is squared is nothing.
  static let step = 1e-100

  /// ∂f/∂s of a scalar s by the complex step (Squire & Trapp 1998).
  static func slope(
    along scalar: String, at point: Point<Double>,
    of f: (Point<Complex<Double>>) -> Complex<Double>
  ) -> Double {
    var moved = complex(point)
    moved.scalars[scalar]!.imaginary = step
    return f(moved).imaginary / step
  }

  /// ∂f/∂x_k of a vector's element by the complex step.
  static func slope(
    along vector: String, _ k: Int, at point: Point<Double>,
    of f: (Point<Complex<Double>>) -> Complex<Double>
  ) -> Double {
    var moved = complex(point)
    moved.vectors[vector]![k].imaginary = step
    return f(moved).imaginary / step
  }

  private static func complex(_ point: Point<Double>) -> Point<Complex<Double>> {
    var result = Point<Complex<Double>>()
    result.scalars = point.scalars.mapValues { Complex($0) }
    result.vectors = point.vectors.mapValues { $0.map { Complex($0) } }
    (result.count, result.indices) = (point.count, point.indices)
    result.gradient = point.gradient == nil ? nil : Landscape.slope
    return result
  }
}
