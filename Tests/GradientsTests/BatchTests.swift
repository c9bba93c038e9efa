import Gradients
import Tensors
import Testing

@Suite struct BatchTests {
  /// Extents: what a test is given is aligned to sixteen bytes at most, a `Shape` to more.
  static let shapes: [[Int]] = [[9], [9, 21], [3, 9, 5, 7], [2, 9, 28, 28]]

  /// The elements of an example, in their order.
  func example(_ index: Int, of x: Tensor) -> [Float] {
    let shape = x.shape
    let width = shape.count / shape.exampleCount
    guard shape.rank == 4 else { return (0..<width).map { x[index * width + $0] } }
    let area = shape[2] * shape[3]
    return (0..<width).map { x[($0 / area * shape[1] + index) * area + $0 % area] }
  }

  @Test(arguments: shapes)
  func rowsAreTheExamplesOfARange(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "rows")
    let x = stream.normal(shape)
    let tape = Tape()
    let part = rows(tape.constant(x), 2..<7).value
    #expect(part.shape.exampleCount == 5)
    for index in 0..<5 { #expect(example(index, of: part) == example(index + 2, of: x)) }
  }

  @Test(arguments: shapes)
  func batchesThatWereTakenApartComeTogetherAgain(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "parts")
    let tape = Tape()
    let x = tape.variable(stream.normal(shape))
    let parts = [0..<2, 2..<3, 3..<9].map { rows(x, $0) }
    let whole = concatenation(parts, along: .rows)
    #expect(whole.value == x.value)
    let cotangent = stream.normal(shape)
    #expect(tape.backward(from: whole, cotangent: cotangent)[x] == cotangent)
  }

  @Test func columnsStandBesideColumnsAndChannelsBehindChannels() {
    let tape = Tape()
    let a = tape.constant(Tensor([2, 2], [1, 2, 3, 4]))
    let b = tape.constant(Tensor([2, 1], [5, 6]))
    #expect(concatenation([a, b], along: .columns).value == Tensor([2, 3], [1, 2, 5, 3, 4, 6]))
    let image = tape.constant(Tensor([1, 2, 1, 2], [1, 2, 3, 4]))
    let other = tape.constant(Tensor([2, 2, 1, 2], [5, 6, 7, 8, 9, 10, 11, 12]))
    #expect(
      concatenation([image, other], along: .columns).value
        == Tensor([3, 2, 1, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]))
    #expect(
      concatenation([image, image], along: .rows).value
        == Tensor([1, 4, 1, 2], [1, 2, 3, 4, 1, 2, 3, 4]))
  }

  @Test(arguments: shapes)
  func sumsMeansAndWeightsAreEachExamplesOwn(_ extents: [Int]) {
    let shape = Shape(extents)
    var stream = RandomStream(seed: 1, "examples")
    let (x, weights) = (stream.normal(shape), stream.normal([9]))
    let tape = Tape()
    let sums = sumPerExample(tape.constant(x)).value
    let means = meanPerExample(tape.constant(x)).value
    let weighed = weighted(tape.constant(x), perExample: tape.constant(weights)).value
    #expect(sums.shape == [9] && means.shape == [9] && weighed.shape == shape)
    for index in 0..<9 {
      let elements = example(index, of: x)
      let sum = elements.reduce(0.0) { $0 + Double($1) }
      #expect(abs(Double(sums[index]) - sum) < 1e-4)
      #expect(abs(Double(means[index]) - sum / Double(elements.count)) < 1e-6)
      #expect(example(index, of: weighed) == elements.map { $0 * weights[index] })
    }
  }
}
