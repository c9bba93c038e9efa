@_exported import Lanes

/// A multidimensional array of `Float` with value semantics: copies share memory until one changes.
///
/// Elements lie contiguously, the last dimension fastest. Memory comes from `BufferPool`, starts on
/// a cache line and is padded to whole vectors of 16.
public struct Tensor: Sendable {
  /// The extents.
  public let shape: Shape
  @usableFromInline var storage: Storage

  /// A block of memory that goes back to the pool when nobody holds it any more.
  ///
  /// It is written only while uniquely referenced, which makes sharing it across threads sound.
  @usableFromInline final class Storage: @unchecked Sendable {
    @usableFromInline let pointer: UnsafeMutablePointer<Float>
    let capacity: Int

    init(_ count: Int) {
      capacity = BufferPool.capacity(for: count)
      pointer = BufferPool.take(capacity)
    }

    deinit { BufferPool.give(pointer, capacity) }
  }

  /// A tensor whose elements are arbitrary until they are written.
  public init(uninitialized shape: Shape) {
    self.shape = shape
    storage = Storage(shape.count)
    // The padding is read by vector loops; its value never reaches a result, but must be defined.
    for index in shape.count..<shape.count + 16 { storage.pointer[index] = 0 }
  }

  /// A tensor filled by a closure that writes every element.
  public init(
    uninitialized shape: Shape, initializing body: (UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    self.init(uninitialized: shape)
    body(UnsafeMutableBufferPointer(start: storage.pointer, count: shape.count))
  }

  /// A tensor of equal elements.
  public init(repeating value: Float, _ shape: Shape) {
    self.init(uninitialized: shape) { $0.update(repeating: value) }
  }

  /// A tensor from its elements, the last dimension fastest.
  public init(_ shape: Shape, _ values: [Float]) {
    precondition(values.count == shape.count, "\(values.count) values do not fill \(shape)")
    self.init(uninitialized: shape) { _ = $0.update(fromContentsOf: values) }
  }

  /// A tensor without dimensions: one number.
  public init(_ scalar: Float) { self.init([], [scalar]) }

  /// The number of elements.
  public var count: Int { shape.count }

  /// The elements as an array, the last dimension fastest.
  public var values: [Float] { withUnsafeBufferPointer { Array($0) } }

  /// The element of a scalar, or of any tensor that holds just one.
  public var scalar: Float {
    precondition(count == 1, "a tensor of shape \(shape) is not a scalar")
    return storage.pointer[0]
  }

  /// The element at a linear index.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "no element \(index) in \(shape)")
      return storage.pointer[index]
    }
    set {
      precondition(index >= 0 && index < count, "no element \(index) in \(shape)")
      makeUnique()
      storage.pointer[index] = newValue
    }
  }

  /// The same elements under another shape of the same count; nothing is copied.
  public func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) cannot become \(shape)")
    return Tensor(shape: shape, storage: storage)
  }

  private init(shape: Shape, storage: Storage) {
    self.shape = shape
    self.storage = storage
  }

  /// Reads the elements through a pointer.
  public func withUnsafeBufferPointer<Result>(
    _ body: (UnsafeBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    try withExtendedLifetime(storage) {
      try body(UnsafeBufferPointer(start: storage.pointer, count: count))
    }
  }

  /// Changes the elements through a pointer; copies them first when they are shared.
  public mutating func withUnsafeMutableBufferPointer<Result>(
    _ body: (UnsafeMutableBufferPointer<Float>) throws -> Result
  ) rethrows -> Result {
    makeUnique()
    return try body(UnsafeMutableBufferPointer(start: storage.pointer, count: count))
  }

  /// Gives this tensor memory of its own, so that writing cannot be seen through a copy.
  @usableFromInline mutating func makeUnique() {
    guard !isKnownUniquelyReferenced(&storage) else { return }
    let copy = Tensor(uninitialized: shape)
    copy.storage.pointer.update(from: storage.pointer, count: count)
    storage = copy.storage
  }

  /// The memory, for a kernel to read: valid as long as the tensor is held.
  public var pointer: UnsafePointer<Float> { UnsafePointer(storage.pointer) }

  /// The memory, for a kernel to write into a tensor that it has just made itself.
  package var freshPointer: UnsafeMutablePointer<Float> { storage.pointer }
}

extension Tensor: Equatable {
  /// Whether shapes and all elements are equal.
  public static func == (a: Tensor, b: Tensor) -> Bool {
    guard a.shape == b.shape else { return false }
    return a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in a.elementsEqual(b) }
    }
  }
}

extension Tensor: CustomStringConvertible {
  /// The shape and the first elements.
  public var description: String {
    let shown = values.prefix(8).map { "\($0)" }.joined(separator: ", ")
    return "Tensor(\(shape): \(shown)\(count > 8 ? ", …" : ""))"
  }
}
