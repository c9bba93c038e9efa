import Gradients
import Tensors
import Testing

/// Arithmetic with one operand repeated, against loops that repeat it by their indices.
@Suite struct ArithmeticTests {
  /// The index in a tensor of `part` that stands beside index i of one of `whole`.
  func place(_ i: Int, _ whole: Shape, _ part: Shape) -> Int {
    if part == whole { return i }
    if part.count == 1 { return 0 }
    return whole.rank == 2 ? i % whole[1] : i / (whole[1] * whole[2] * whole[3])
  }

  struct Rule: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let operation: @Sendable (Variable, Variable) -> Variable
    let value: @Sendable (Float, Float) -> Float
    /// The derivatives with respect to both operands.
    let slopes: @Sendable (Double, Double) -> (Double, Double)
  }

  static let rules = [
    Rule(
      testDescription: "+", operation: { $0 + $1 }, value: { $0 + $1 },
      slopes: { _, _ in (1, 1) }),
    Rule(
      testDescription: "-", operation: { $0 - $1 }, value: { $0 - $1 },
      slopes: { _, _ in (1, -1) }),
    Rule(testDescription: "*", operation: { $0 * $1 }, value: { $0 * $1 }, slopes: { ($1, $0) }),
    Rule(
      testDescription: "/", operation: { $0 / $1 }, value: { $0 / $1 },
      slopes: { (1 / $1, -$0 / ($1 * $1)) }),
  ]

  /// Extents: what a test is given is aligned to sixteen bytes at most, a `Shape` to more.
  static let pairs: [([Int], [Int])] = [
    ([7, 21], [7, 21]), ([7, 21], [21]), ([21, 21], [21]), ([3, 4, 5, 7], [3]),
    ([1, 4, 5, 7], [1]), ([9], []), ([9], [1]), ([7, 1], [1]), ([2, 3, 4], []),
    ([3, 4, 5, 7], [1]), ([1], []), ([300, 400], [400]), ([3, 70, 28, 28], [3]),
  ]

  @Test(arguments: rules, pairs)
  func whatIsRepeatedIsRepeatedAsByLoops(_ rule: Rule, _ extents: ([Int], [Int])) {
    let shapes = (Shape(extents.0), Shape(extents.1))
    var stream = RandomStream(seed: 1, "arithmetic")
    for (first, second) in [shapes, (shapes.1, shapes.0)] {
      let (a, b) = (stream.uniform(first, in: 0.5..<2), stream.uniform(second, in: 0.5..<2))
      let whole = (first.rank, first.count) > (second.rank, second.count) ? first : second
      let cotangent = stream.normal(whole)
      let tape = Tape()
      let (x, y) = (tape.variable(a), tape.variable(b))
      let z = rule.operation(x, y)
      #expect(z.shape == whole)
      var xs = [Double](repeating: 0, count: a.count)
      var ys = [Double](repeating: 0, count: b.count)
      var isRight = true
      for i in 0..<whole.count {
        let (j, k) = (place(i, whole, first), place(i, whole, second))
        isRight = isRight && z.value[i] == rule.value(a[j], b[k])
        let slopes = rule.slopes(Double(a[j]), Double(b[k]))
        xs[j] += Double(cotangent[i]) * slopes.0
        ys[k] += Double(cotangent[i]) * slopes.1
      }
      #expect(isRight)
      let gradients = tape.backward(from: z, cotangent: cotangent)
      // A float's rounding, of sums whose terms are about 1.
      let tolerance = 1e-5 * Double(max(a.count, b.count)).squareRoot()
      for (found, expected) in [(gradients[x], xs), (gradients[y], ys)] {
        #expect(zip(found.values, expected).allSatisfy { abs(Double($0) - $1) < tolerance })
      }
    }
  }

  @Test func numbersStandBesideVariables() {
    let tape = Tape()
    let x = tape.variable(Tensor([2], [4, -2]))
    #expect((x + 1).value.values == [5, -1])
    #expect((1 + x).value.values == [5, -1])
    #expect((x - 1).value.values == [3, -3])
    #expect((1 - x).value.values == [-3, 3])
    #expect((2 * x).value.values == [8, -4])
    #expect((x / 2).value.values == [2, -1])
    #expect((2 / x).value.values == [0.5, -1])
    #expect((-x).value.values == [-4, 2])
    #expect(tape.backward(from: sum(-x / 2 + 2 / x - (3 - x) * 5))[x].values == [4.375, 4])
  }

  /// Shapes that only look alike: each a mistake, and no number comes of it.
  @Test func whatCouldBeMeantInTwoWaysIsRefused() async {
    await #expect(processExitsWith: .failure) { add([3, 4], [3]) }
    await #expect(processExitsWith: .failure) { add([3, 4], [1, 4]) }
    await #expect(processExitsWith: .failure) { add([2, 3, 4], [4]) }
    await #expect(processExitsWith: .failure) { add([2, 3, 4, 5], [3]) }
    await #expect(processExitsWith: .failure) { add([4, 3], [4, 3, 1, 1]) }
    await #expect(processExitsWith: .failure) { add([3], [4]) }
  }

  @Test func tiedWeightsAreTheTransposedOnes() {
    var stream = RandomStream(seed: 1, "tied")
    let (x, w, b) = (stream.normal([5, 7]), stream.normal([7, 11]), stream.normal([11]))
    let tape = Tape()
    let tied = transposedAffine(
      tape.constant(x), tape.constant(w), tape.constant(b), activation: .tanh)
    let untied = affine(
      tape.constant(x), tape.constant(w.transposed()), tape.constant(b), activation: .tanh)
    #expect((tied.value - untied.value).maximumMagnitude() < 1e-6)
  }
}

private func add(_ a: Shape, _ b: Shape) {
  let tape = Tape()
  _ = tape.constant(Tensor(repeating: 1, a)) + tape.constant(Tensor(repeating: 1, b))
}
