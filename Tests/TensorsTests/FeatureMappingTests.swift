@testable import Tensors
import Testing

/// Mapping and pooling against loops that anybody can read.
@Suite struct FeatureMappingTests {
  /// Odd and even extents, rows shorter and longer than a vector, and planes without a block.
  static let images: [[Int]] = [
    [2, 3, 4, 4], [1, 2, 5, 7], [3, 1, 2, 33], [2, 2, 9, 17], [1, 1, 1, 5], [2, 5, 28, 28],
    [4, 2, 3, 16], [1, 3, 31, 49], [2, 1, 6, 1],
  ]

  @Test(arguments: images)
  func poolingTakesTheFirstLargestOfEachBlock(_ extents: [Int]) {
    let (c, n, h, w) = (extents[0], extents[1], extents[2], extents[3])
    var stream = RandomStream(seed: 1, "pooling")
    // Few values, so that many are equal.
    let x = stream.uniform([c, n, h, w], in: 0..<4).map { $0.rounded(.down) }
    let (what, switches) = x.maximumPool()
    #expect(what.shape == [c, n, h / 2, w / 2])
    var spread = [Float](repeating: 0, count: x.count)
    for plane in 0..<c * n {
      for row in 0..<h / 2 {
        for column in 0..<w / 2 {
          let corner = (plane * h + 2 * row) * w + 2 * column
          let places = [corner, corner + 1, corner + w, corner + w + 1]
          let largest = places.map { x[$0] }.max()!
          let first = places.firstIndex { x[$0] == largest }!
          let place = (plane * (h / 2) + row) * (w / 2) + column
          #expect(what[place] == largest && switches[place] == Float(first))
          spread[places[first]] = largest
        }
      }
    }
    #expect(what.unpooled(switches, to: x.shape).values == spread)
    #expect(x.pooled(by: switches) == what)
  }

  /// Mapping and pooling at once are one after the other, for both signs of the scale.
  @Test(arguments: images)
  func mappingAndPoolingAtOnceAreOneAfterTheOther(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "mapping")
    let x = stream.normal(shape)
    let (s, t) = (stream.normal([extents[0]]), stream.normal([extents[0]]))
    for activation in [Activation.identity, .relu, .leakyReLU(slope: 0.1), .tanh] {
      let whole = FeatureMapping(x, scale: s, shift: t, activation: activation)
      let wanted = whole.output.maximumPool()
      let pooled = FeatureMapping(x, scale: s, shift: t, activation: activation, pooling: true)
      #expect(pooled.output == wanted.what)
      // Where a rectifier has made all of them 0, the switches may differ, and do not matter.
      if activation != .relu { #expect(pooled.switches == wanted.switches) }
      let cotangent = stream.normal(wanted.what.shape)
      let (a, b) = (
        pooled.pullback(cotangent),
        whole.pullback(cotangent.unpooled(pooled.switches!, to: shape))
      )
      #expect((a.input! - b.input!).maximumMagnitude() < 1e-6)
      #expect((a.sum - b.sum).maximumMagnitude() < 1e-4)
      #expect((a.product - b.product).maximumMagnitude() < 1e-4)
    }
  }
}
