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

/// Writes sixteen floats from a place on, which need not be aligned.
@inlinable @inline(__always)
package func store(_ value: Vector, _ p: UnsafeMutablePointer<Float>) {
  UnsafeMutableRawPointer(p).storeBytes(of: value, as: Vector.self)
}
