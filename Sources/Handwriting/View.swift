import Digits
import Foundation

/// The six numbers of an affine map, as a file has them: M row by row, then t.
extension AffineMap {
  /// M and t; read by reflection, since the map shows them to its own module only.
  var numbers: [Float] {
    let mirror = Mirror(reflecting: self)
    guard let matrix = mirror.descendant("matrix") as? SIMD4<Float>,
      let shift = mirror.descendant("shift") as? SIMD2<Float>
    else { fatalError("an affine map has no matrix and shift any more") }
    return (0..<4).map { matrix[$0] } + [shift.x, shift.y]
  }

  /// The map of six numbers; nil where they flatten an image, or are no numbers.
  ///
  /// M = R·[x x·…; 0 y] is taken apart into a turn, a shear and two stretches (its QR decomposition),
  /// and comes back to a rounding: at the edge of an image the place that is read moves by a
  /// hundred-thousandth of a pixel at most.
  init?(numbers: [Float]) {
    guard numbers.count == 6, numbers.allSatisfy({ $0.isFinite && abs($0) < 1000 }) else {
      return nil
    }
    let m = numbers.map(Double.init)
    let x = (m[0] * m[0] + m[2] * m[2]).squareRoot()
    guard x > 1e-3 else { return nil }
    let (c, s) = (m[0] / x, m[2] / x)
    // [c s; −s c]·M is upper triangular: [x shear·y; 0 y].
    let (upper, y) = (c * m[1] + s * m[3], c * m[3] - s * m[1])
    guard abs(y) > 1e-3 else { return nil }
    self.init(
      rotation: Float(atan2(s, c) * 180 / .pi), stretch: (Float(x), Float(y)),
      shear: Float(upper / y), shift: (numbers[4], numbers[5]))
  }
}
