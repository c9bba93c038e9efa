import CLanes

/// Sixteen floats: one register of AVX-512, two of AVX, four of NEON.
public typealias Vector = SIMD16<Float>

/// Elementary functions over sixteen lanes at once, to a few units in the last place.
///
/// The polynomials are those of Cephes (S. L. Moshier: `expf`, `logf`, `tanhf`, `sinf`), evaluated
/// by Horner's scheme with fused multiply-adds. A NaN comes back as a NaN.
public enum VectorMath {
  /// 1.5·2²³: added to a small x, the nearest integer stands in the low bits of the mantissa.
  @inlinable static var shift: Float { 12_582_912 }

  /// `a + b·c` in one rounding.
  @inlinable @inline(__always)
  static func fma(_ a: Vector, _ b: Vector, _ c: Vector) -> Vector { a.addingProduct(b, c) }

  /// `((c₀·x + c₁)·x + …)·x + cₙ`.
  @inlinable @inline(__always)
  static func polynomial(
    _ x: Vector, _ a: Float, _ b: Float, _ c: Float, _ d: Float, _ e: Float
  ) -> Vector {
    var p = fma(Vector(repeating: b), Vector(repeating: a), x)
    p = fma(Vector(repeating: c), p, x)
    p = fma(Vector(repeating: d), p, x)
    return fma(Vector(repeating: e), p, x)
  }

  /// The smaller of each lane and a bound; NaN stays.
  @inlinable @inline(__always)
  public static func minimum(_ x: Vector, _ bound: Float) -> Vector {
    x.replacing(with: Vector(repeating: bound), where: x .> bound)
  }

  /// The larger of each lane and a bound; NaN stays.
  @inlinable @inline(__always)
  public static func maximum(_ x: Vector, _ bound: Float) -> Vector {
    x.replacing(with: Vector(repeating: bound), where: x .< bound)
  }

  /// `√x`, rounded to the nearest; SIMD's own is compiled lane by lane, and so is the loop around it.
  @inlinable @inline(__always)
  public static func squareRoot(_ x: Vector) -> Vector { lane_square_root(x) }

  /// `|x|`.
  @inlinable @inline(__always)
  public static func magnitude(_ x: Vector) -> Vector {
    unsafeBitCast(
      unsafeBitCast(x, to: SIMD16<UInt32>.self) & SIMD16(repeating: 0x7FFF_FFFF), to: Vector.self)
  }

  /// `|magnitude|` with the sign of another number.
  @inlinable @inline(__always)
  static func copySign(_ sign: Vector, _ magnitude: Vector) -> Vector {
    let bit = unsafeBitCast(sign, to: SIMD16<UInt32>.self) & SIMD16(repeating: 0x8000_0000)
    return unsafeBitCast(
      unsafeBitCast(magnitude, to: SIMD16<UInt32>.self) | bit, to: Vector.self)
  }

  /// `2ⁿ` for integers −126 ≤ n ≤ 127: n goes into the bits of the exponent.
  @inlinable @inline(__always)
  static func powerOfTwo(_ n: SIMD16<Int32>) -> Vector {
    unsafeBitCast((n &+ 127) &<< 23, to: Vector.self)
  }

  /// `eˣ`; 0 below −104, +∞ above 88.73.
  @inlinable @inline(__always)
  public static func exp(_ x: Vector) -> Vector {
    let inside = minimum(maximum(x, -104), 89)
    // x = n·ln 2 + r with |r| ≤ ln 2 / 2; ln 2 stands in two parts so that r keeps its last bits.
    let shifted = fma(Vector(repeating: shift), inside, Vector(repeating: 1.442_695))
    let n = shifted - shift
    var r = fma(inside, n, Vector(repeating: -0.693_359_4))
    r = fma(r, n, Vector(repeating: 2.121_944_4e-4))
    var p = polynomial(
      r, 1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65)
    p = fma(Vector(repeating: 0.5), p, r)
    let mantissa = fma(r + 1, p, r * r)
    // Two factors, because 2¹²⁸ and 2⁻¹⁴⁹ are no normal numbers.
    let exponent =
      unsafeBitCast(shifted, to: SIMD16<Int32>.self)
      &- unsafeBitCast(Vector(repeating: shift), to: SIMD16<Int32>.self)
    let half = exponent &>> 1
    let result = mantissa * powerOfTwo(half) * powerOfTwo(exponent &- half)
    return result.replacing(with: x, where: x .!= x)
  }

  /// The natural logarithm of positive normal numbers; −∞ at 0, NaN below.
  @inlinable @inline(__always)
  public static func log(_ x: Vector) -> Vector {
    // x = m·2ᵉ with √½ ≤ m < √2.
    let bits = unsafeBitCast(x, to: SIMD16<Int32>.self)
    let offset = bits &- SIMD16(repeating: 0x3F35_04F3)
    let exponent = offset &>> 23
    let m = unsafeBitCast(
      (offset & SIMD16(repeating: 0x007F_FFFF)) &+ SIMD16(repeating: 0x3F35_04F3), to: Vector.self)
    let e =
      unsafeBitCast(
        exponent &+ unsafeBitCast(Vector(repeating: shift), to: SIMD16<Int32>.self),
        to: Vector.self) - shift
    let r = m - 1
    var p = polynomial(r, 7.037_683_6e-2, -0.115_146_1, 0.116_769_99, -0.124_201_41, 0.142_493_23)
    p = fma(Vector(repeating: -0.166_680_57), p, r)
    p = fma(Vector(repeating: 0.200_007_14), p, r)
    p = fma(Vector(repeating: -0.249_999_94), p, r)
    p = fma(Vector(repeating: 0.333_333_3), p, r)
    let square = r * r
    var y = p * r * square
    y = fma(y, e, Vector(repeating: -2.121_944_4e-4))
    y = fma(y, square, Vector(repeating: -0.5))
    var result = fma(r + y, e, Vector(repeating: 0.693_359_4))
    result = result.replacing(with: -.infinity, where: x .== 0)
    result = result.replacing(with: .nan, where: x .< 0)
    result = result.replacing(with: x, where: x .== .infinity)
    return result.replacing(with: x, where: x .!= x)
  }

  /// `1/(1 + e⁻ˣ)`.
  @inlinable @inline(__always)
  public static func sigmoid(_ x: Vector) -> Vector { 1 / (1 + exp(-x)) }

  /// `tanh x`: a polynomial near 0, `(1 − e^(−2|x|))/(1 + e^(−2|x|))` elsewhere.
  @inlinable @inline(__always)
  public static func tanh(_ x: Vector) -> Vector {
    let size = magnitude(x)
    let t = exp(size * -2)
    let far = copySign(x, (1 - t) / (1 + t))
    let s = x * x
    let p = polynomial(
      s, -5.704_988_7e-3, 2.063_908_8e-2, -5.373_971_5e-2, 0.133_314_42, -0.333_332_8)
    let near = fma(x, p * s, x)
    return far.replacing(with: near, where: size .< 0.625).replacing(with: x, where: x .!= x)
  }

  /// `ln(1 + eˣ)`, without overflow: `max(x, 0) + ln(1 + e^(−|x|))`.
  @inlinable @inline(__always)
  public static func softplus(_ x: Vector) -> Vector {
    let t = exp(-magnitude(x))
    // Near t = 0 the sum 1 + t loses t's bits; the ratio puts them back (Goldberg 1991, th. 4).
    let sum = 1 + t
    let correction = (t - (sum - 1)) / sum
    return maximum(x, 0) + (log(sum) + correction)
  }

  /// The sine and cosine of `2πu` for 0 ≤ u < 1.
  @inlinable @inline(__always)
  public static func sineAndCosine(turns u: Vector) -> (sine: Vector, cosine: Vector) {
    // The nearest quarter turn is taken out; a quarter's sine and cosine are series in |r| ≤ π/4.
    let shifted = fma(Vector(repeating: shift), u, Vector(repeating: 4))
    let quarter = unsafeBitCast(shifted, to: SIMD16<Int32>.self)
    let r = (u - (shifted - shift) * 0.25) * 6.283_185_5
    let s = r * r
    var sine = fma(
      Vector(repeating: 8.332_161e-3), Vector(repeating: -1.951_529_6e-4), s)
    sine = fma(Vector(repeating: -0.166_666_55), sine, s)
    sine = fma(r, sine * s, r)
    var cosine = fma(
      Vector(repeating: -1.388_731_6e-3), Vector(repeating: 2.443_315_7e-5), s)
    cosine = fma(Vector(repeating: 4.166_664_6e-2), cosine, s)
    cosine = fma(1 - 0.5 * s, cosine * s, s)
    // At odd quarters they change places: by a mask of bits, since a comparison of integers is taken
    // apart lane by lane.
    let isOdd = (quarter &<< 31) &>> 31
    let (sineBits, cosineBits) = (
      unsafeBitCast(sine, to: SIMD16<Int32>.self), unsafeBitCast(cosine, to: SIMD16<Int32>.self)
    )
    let exchanged = (sineBits ^ cosineBits) & isOdd
    let sineSign = (quarter & SIMD16(repeating: 2)) &<< 30
    let cosineSign = ((quarter &+ 1) & SIMD16(repeating: 2)) &<< 30
    return (
      unsafeBitCast(sineBits ^ exchanged ^ sineSign, to: Vector.self),
      unsafeBitCast(cosineBits ^ exchanged ^ cosineSign, to: Vector.self)
    )
  }
}
