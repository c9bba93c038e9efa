import Foundation
import Lanes

/// A stream of random numbers with a name: the same seed and names give the same numbers.
///
/// Philox 4×32 with ten rounds: a bijection of a 128-bit counter under a 64-bit key, so that any
/// part of the stream can be computed alone, on any thread. The key comes from the seed, the
/// counter's upper half from the names (FNV-1a): streams of other names never meet.
///
/// Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3".
public struct RandomStream: RandomNumberGenerator, Sendable, Codable, Equatable {
  private let key: UInt64
  private let name: UInt64
  /// The number of blocks of 128 bits already used.
  private(set) var position: UInt64 = 0

  /// The stream of a seed and a path of names, say `RandomStream(seed: 2016, "3.1", "dropout")`.
  public init(seed: UInt64, _ names: String...) {
    key = seed
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in names.joined(separator: "/").utf8 {
      hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    }
    name = hash
  }

  /// The next 64 random bits.
  public mutating func next() -> UInt64 {
    let block = Philox.block(
      counter: SIMD4(
        UInt32(truncatingIfNeeded: position), UInt32(truncatingIfNeeded: position >> 32),
        UInt32(truncatingIfNeeded: name), UInt32(truncatingIfNeeded: name >> 32)),
      key: SIMD2(UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32)))
    position &+= 1
    return UInt64(block[0]) | UInt64(block[1]) << 32
  }

  /// A number from the uniform distribution on [0, 1), a multiple of 2⁻²⁴.
  public mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// A number from the standard normal distribution (Box & Muller 1958).
  public mutating func normal() -> Float {
    let bits = next()
    let radius = (-2 * log(1 - Double(bits >> 32) * 0x1p-32)).squareRoot()
    return Float(radius * cos(2 * .pi * Double(bits & 0xFFFF_FFFF) * 0x1p-32))
  }

  /// The numbers 0 ..< n in random order (Fisher & Yates).
  public mutating func permutation(_ n: Int) -> [Int] {
    var order = Array(0..<n)
    order.shuffle(using: &self)
    return order
  }

  /// A tensor of numbers from the uniform distribution on `range`.
  public mutating func uniform(_ shape: Shape, in range: Range<Float> = 0..<1) -> Tensor {
    let (low, width) = (range.lowerBound, range.upperBound - range.lowerBound)
    return fill(shape, { Philox.each($0) { Philox.unit($0) } }) { x, _ in x * width + low }
  }

  /// A tensor of numbers from a normal distribution (Box & Muller 1958).
  public mutating func normal(_ shape: Shape, mean: Float = 0, deviation: Float = 1) -> Tensor {
    fill(shape, { Philox.normals($0) }) { x, _ in x * deviation + mean }
  }

  /// x with a number added to each element from a normal distribution with mean 0, in one pass.
  ///
  /// The numbers are those of `normal` with this deviation.
  public mutating func addNoise(to x: Tensor, deviation: Float) -> Tensor {
    let source = x.pointer
    return fill(x.shape, { Philox.normals($0) }) { noise, place in
      load(source + place) + noise * deviation
    }
  }

  /// A tensor of independent trials: `value` with the given probability, else 0.
  public mutating func bernoulli(
    _ shape: Shape, probability: Float, value: Float = 1
  ) -> Tensor {
    fill(shape, { Philox.each($0) { Philox.unit($0) } }) { x, _ in
      Vector(repeating: 0).replacing(with: value, where: x .< probability)
    }
  }

  /// Fills a tensor, 64 numbers from 16 blocks at a time: those that `draw` makes of the blocks'
  /// words, each sixteen as `finish` has them at their place.
  @inline(__always)
  private mutating func fill(
    _ shape: Shape, _ draw: (Words) -> Quadruple, _ finish: (Vector, _ place: Int) -> Vector
  ) -> Tensor {
    let (start, count) = (position, shape.count)
    let groups = (count + 63) / 64
    position &+= UInt64(groups * 16)
    let result = Tensor(uninitialized: shape)
    let (target, name, key) = (result.freshPointer, name, key)
    Parallel.forEachRange(groups, by: 256) { range in
      for group in range {
        let (a, b, c, d) = draw(
          Philox.sixteenBlocks(from: start &+ UInt64(group * 16), name: name, key: key))
        let place = group &* 64
        func put(_ value: Vector, _ place: Int) {
          if place < count { store(finish(value, place), target + place, first: count &- place) }
        }
        put(a, place)
        put(b, place &+ 16)
        put(c, place &+ 32)
        put(d, place &+ 48)
      }
    }
    return result
  }
}

/// Four words of sixteen blocks.
private typealias Words = FourVectors<SIMD16<UInt32>>
private typealias Quadruple = (Vector, Vector, Vector, Vector)
private typealias FourVectors<V> = (V, V, V, V)

/// The block function of Philox 4×32-10.
enum Philox {
  fileprivate static let rounds = 10

  /// One block of 128 bits.
  static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var (x, k) = (counter, key)
    for round in 0..<rounds {
      if round > 0 { k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85) }
      let a = UInt64(x[0]) &* 0xD251_1F53
      let b = UInt64(x[2]) &* 0xCD9E_8D57
      x = SIMD4(
        UInt32(truncatingIfNeeded: b >> 32) ^ x[1] ^ k[0], UInt32(truncatingIfNeeded: b),
        UInt32(truncatingIfNeeded: a >> 32) ^ x[3] ^ k[1], UInt32(truncatingIfNeeded: a))
    }
    return x
  }

  /// Sixteen successive blocks, word by word.
  fileprivate static func sixteenBlocks(from start: UInt64, name: UInt64, key: UInt64) -> Words {
    var low = SIMD16<UInt64>(repeating: start)
    for lane in 0..<16 { low[lane] &+= UInt64(lane) }
    let mask = SIMD16<UInt64>(repeating: 0xFFFF_FFFF)
    var x0 = low & mask
    var x1 = low &>> 32
    var x2 = SIMD16<UInt64>(repeating: name & 0xFFFF_FFFF)
    var x3 = SIMD16<UInt64>(repeating: name >> 32)
    var (k0, k1) = (UInt32(truncatingIfNeeded: key), UInt32(truncatingIfNeeded: key >> 32))
    for _ in 0..<rounds {
      let a = x0 &* SIMD16(repeating: 0xD251_1F53)
      let b = x2 &* SIMD16(repeating: 0xCD9E_8D57)
      x0 = (b &>> 32) ^ x1 ^ SIMD16(repeating: UInt64(k0))
      x1 = b & mask
      x2 = (a &>> 32) ^ x3 ^ SIMD16(repeating: UInt64(k1))
      x3 = a & mask
      k0 &+= 0x9E37_79B9
      k1 &+= 0xBB67_AE85
    }
    return (
      SIMD16(truncatingIfNeeded: x0), SIMD16(truncatingIfNeeded: x1),
      SIMD16(truncatingIfNeeded: x2), SIMD16(truncatingIfNeeded: x3)
    )
  }

  /// The same function of each of the four words.
  @inline(__always)
  fileprivate static func each(
    _ words: Words, _ transform: (SIMD16<UInt32>) -> Vector
  ) -> Quadruple {
    (transform(words.0), transform(words.1), transform(words.2), transform(words.3))
  }

  /// The upper 23 bits as the mantissa of a number in [0, 1).
  @inline(__always)
  fileprivate static func unit(_ word: SIMD16<UInt32>) -> Vector {
    unsafeBitCast((word &>> 9) | SIMD16(repeating: 0x3F80_0000), to: Vector.self) - 1
  }

  /// Standard normal numbers, each two from two words.
  @inline(__always)
  fileprivate static func normals(_ words: Words) -> Quadruple {
    let (a, b) = normals(words.0, words.1)
    let (c, d) = normals(words.2, words.3)
    return (a, b, c, d)
  }

  /// Two independent standard normal numbers from two uniform ones.
  @inline(__always)
  private static func normals(
    _ first: SIMD16<UInt32>, _ second: SIMD16<UInt32>
  ) -> (Vector, Vector) {
    let radius = VectorMath.squareRoot(VectorMath.log(1 - unit(first)) * -2)
    let (sine, cosine) = VectorMath.sineAndCosine(turns: unit(second))
    return (radius * cosine, radius * sine)
  }
}
