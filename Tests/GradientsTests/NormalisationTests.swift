import Gradients
import Tensors
import Testing

@Suite struct NormalisationTests {
  /// Pixels are scaled to the bits that networks were trained on, and the images get a gradient.
  @Test func pixelsAreStandardisedToTheSameBitsAsByHand() {
    var stream = RandomStream(seed: 1, "pixels")
    let images = stream.uniform([1, 3, 28, 28])
    let byHand = images.map { ($0 - 0.1307) * (1 / 0.3081) }
    let tape = Tape()
    let y = standardised(tape.constant(images), mean: 0.1307, deviation: 0.3081)
    #expect(y.value == byHand)
    #expect(!y.needsGradient)
    let x = tape.variable(images)
    let gradient = tape.backward(from: sum(standardised(x, mean: 0.1307, deviation: 0.3081)))[x]
    #expect(gradient == Tensor(repeating: 1 / 0.3081, images.shape))
  }

  /// Extents: what a test is given is aligned to sixteen bytes at most, a `Shape` to more.
  static let shapes: [[Int]] = [[40, 19], [3, 8, 5, 7]]

  /// The values of each feature, in double precision.
  func features(_ x: Tensor) -> [[Double]] {
    let c = x.shape[x.shape.featureAxis]
    var values = [[Double]](repeating: [], count: c)
    for i in 0..<x.count {
      values[x.shape.rank == 2 ? i % c : i / (x.count / c)].append(Double(x[i]))
    }
    return values
  }

  @Test(arguments: shapes)
  func momentsAreThoseInDouble(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "moments")
    let x = stream.normal(shape, mean: 3, deviation: 2)
    let tape = Tape()
    let (y, mean, variance) = normalised(tape.constant(x), epsilon: 1e-3)
    for (index, values) in features(x).enumerated() {
      let μ = values.reduce(0, +) / Double(values.count)
      let v = values.reduce(0) { $0 + ($1 - μ) * ($1 - μ) } / Double(values.count)
      #expect(abs(Double(mean.value[index]) - μ) < 1e-5)
      #expect(abs(Double(variance.value[index]) - v) < 1e-4)
      let expected = values.map { ($0 - μ) / (v + 1e-3).squareRoot() }
      #expect(
        zip(features(y.value)[index], expected).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  /// One fused pass backwards, and the way round by the moments as variables: the same gradient.
  @Test(arguments: shapes)
  func normalisingIsStandardisingByOnesOwnMoments(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "own")
    let (x, cotangent) = (stream.normal(shape, mean: 1), stream.normal(shape))
    let tape = Tape()
    let fused = tape.variable(x)
    let y = normalised(fused).y
    let apart = tape.variable(x)
    let (mean, variance) = moments(apart)
    let z = standardised(apart, mean: mean, variance: variance)
    #expect(y.value == z.value)
    let plain = tape.variable(x)
    let held = standardised(plain, mean: mean.detached, variance: variance.detached)
    let gradients = tape.backward(
      from: y + z + held, cotangent: cotangent)
    #expect((gradients[fused] - gradients[apart]).maximumMagnitude() < 1e-5)
    // By moments that are held fast the gradient is another: ȳ/σ alone.
    let alone = cotangent / variance.value.map { ($0 + 1e-5).squareRoot() }
    #expect((gradients[plain] - alone).maximumMagnitude() < 1e-5)
    #expect((gradients[fused] - alone).maximumMagnitude() > 0.01)
  }

  @Test(arguments: shapes)
  func normalisingIsBatchNormalisationThatScalesByOne(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "one")
    let (x, cotangent) = (stream.normal(shape), stream.normal(shape))
    let c: Shape = [shape[shape.featureAxis]]
    let tape = Tape()
    let (a, b) = (tape.variable(x), tape.variable(x))
    let bare = normalised(a)
    let (full, moments) = batchNormalised(
      b, scale: tape.constant(Tensor(repeating: 1, c)),
      shift: tape.constant(Tensor(repeating: 0, c)))
    #expect((bare.y.value - full.value).maximumMagnitude() < 1e-6)
    #expect(bare.mean.value == moments.mean && bare.variance.value == moments.variance)
    let gradients = tape.backward(from: bare.y + full, cotangent: cotangent)
    #expect((gradients[a] - gradients[b]).maximumMagnitude() < 1e-6)
  }

  /// With its pooling in one operation, and with a pooling after it: the same.
  @Test(arguments: [Activation.leakyReLU(slope: 0.1), .relu, .identity, .sigmoid])
  func normalisingAndPoolingAtOnceAreOneAfterTheOther(_ activation: Activation) {
    var stream = RandomStream(seed: 1, "pooling")
    let shape: Shape = [3, 4, 7, 18]
    let (x, cotangent) = (stream.normal(shape, mean: 1), stream.normal([3, 4, 3, 9]))
    let (γ, β) = (stream.normal([3]), stream.normal([3]))
    let tape = Tape()
    func leaves() -> [Variable] { [x, γ, β].map { tape.variable($0) } }
    let (once, apart, known) = (leaves(), leaves(), leaves())
    let (y, moments) = batchNormalised(
      once[0], scale: once[1], shift: once[2], activation: activation, pooling: true)
    let z = maximumPool(
      batchNormalised(
        apart[0], scale: apart[1], shift: apart[2], activation: activation
      ).y
    ).what
    #expect(y.value == z.value)
    #expect(moments.mean == x.moments().mean && moments.variance == x.moments().variance)
    let mapped = featureAffine(
      known[0], scale: known[1], shift: known[2], activation: activation, pooling: true)
    #expect(
      mapped.value
        == maximumPool(
          featureAffine(known[0], scale: known[1], shift: known[2], activation: activation)
        ).what.value)
    let gradients = tape.backward(from: y + z, cotangent: cotangent)
    for (a, b) in zip(once, apart) {
      #expect((gradients[a] - gradients[b]).maximumMagnitude() < 2e-5)
    }
  }
}
