/// The sixteen floats from a place on, which need not be aligned.
@inlinable @inline(__always)
package func load(_ p: UnsafePointer<Float>) -> Vector {
  UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
}

/// The sixteen floats from a place on, which need not be aligned.
@inlinable @inline(__always)
package func load(_ p: UnsafeMutablePointer<Float>) -> Vector {
  UnsafeRawPointer(p).loadUnaligned(as: Vector.self)
}

/// The eight floats from a place on, which need not be aligned.
@inlinable @inline(__always)
package func loadEight(_ p: UnsafePointer<Float>) -> SIMD8<Float> {
  UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
}

/// Writes sixteen floats from a place on, which need not be aligned.
@inlinable @inline(__always)
package func store(_ value: Vector, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: value, as: Vector.self)
}

/// Writes the first `count` lanes, all of them if there are no more than that.
///
/// The part of a vector is copied as bytes: lanes that are taken out one by one would have the
/// compiler compute them one by one as well.
@inlinable @inline(__always)
package func store<V: SIMD & BitwiseCopyable>(
  _ value: V, _ p: UnsafeMutablePointer<Float>, first count: Int
) where V.Scalar == Float {
  if count >= V.scalarCount {
    UnsafeMutableRawPointer(p).storeBytes(of: value, as: V.self)
  } else if count > 0 {
    withUnsafePointer(to: value) {
      UnsafeMutableRawPointer(p).copyMemory(from: $0, byteCount: 4 &* count)
    }
  }
}

/// The first `count` lanes, and zeros: by a mask of bits, the sign of a lane's number less the count,
/// since a comparison of integers is taken apart lane by lane.
@inlinable @inline(__always)
package func first(_ count: Int, of value: Vector) -> Vector {
  let lanes = SIMD16<Int32>(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
  let mask = (lanes &- SIMD16(repeating: Int32(truncatingIfNeeded: count))) &>> 31
  return unsafeBitCast(unsafeBitCast(value, to: SIMD16<Int32>.self) & mask, to: Vector.self)
}
