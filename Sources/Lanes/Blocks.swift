// Blocks of 2 × 2 pixels, eight at a time: sixteen floats of an upper row and of the one below it.
// A switch says where a block's largest stands: 0 and 1 above, 2 and 3 below.

/// The largest of each of eight blocks, and its switch; the first of equals wins.
@inlinable @inline(__always)
package func maximaOfBlocks(
  _ upper: Vector, _ lower: Vector
) -> (what: SIMD8<Float>, switches: SIMD8<Float>) {
  let (a, b) = pairs(upper)
  let (c, d) = pairs(lower)
  let zero = SIMD8<Float>(repeating: 0)
  let (aboveRight, belowRight) = (b .> a, d .> c)
  let above = a.replacing(with: b, where: aboveRight)
  let beneath = c.replacing(with: d, where: belowRight)
  let isBelow = beneath .> above
  let switches = zero.replacing(with: 1, where: aboveRight)
    .replacing(with: SIMD8(repeating: 2).replacing(with: 3, where: belowRight), where: isBelow)
  return (above.replacing(with: beneath, where: isBelow), switches)
}

/// One row of eight blocks in which each value stands where its switch says, among zeros.
///
/// - Parameters:
///   - row: 0 for the upper row, 1 for the lower.
///   - count: the blocks that there are; the others are zeros.
@inlinable @inline(__always)
package func rowOfBlocks(
  _ row: Int, _ what: SIMD8<Float>, _ switches: SIMD8<Float>, first count: Int
) -> Vector {
  let zero = SIMD8<Float>(repeating: 0)
  let code = Float(2 &* row)
  let left = zero.replacing(with: what, where: switches .== code)
  let right = zero.replacing(with: what, where: switches .== code + 1)
  // A left and a right neighbour are the two halves of eight bytes.
  let low = SIMD8<UInt64>(truncatingIfNeeded: unsafeBitCast(left, to: SIMD8<UInt32>.self))
  let high = SIMD8<UInt64>(truncatingIfNeeded: unsafeBitCast(right, to: SIMD8<UInt32>.self))
  let values = unsafeBitCast(low | high &<< 32, to: Vector.self)
  return count < 8 ? first(2 &* count, of: values) : values
}

/// The left and the right ones of eight pairs of neighbours.
@inlinable @inline(__always)
func pairs(_ x: Vector) -> (left: SIMD8<Float>, right: SIMD8<Float>) {
  let both = unsafeBitCast(x, to: SIMD8<UInt64>.self)
  return (
    unsafeBitCast(SIMD8<UInt32>(truncatingIfNeeded: both), to: SIMD8<Float>.self),
    unsafeBitCast(SIMD8<UInt32>(truncatingIfNeeded: both &>> 32), to: SIMD8<Float>.self)
  )
}
