import Foundation
import Gradients
import Tensors
import Testing

@Suite struct GaussianTests {
  let mean = Tensor([1, 3], [0.5, -1.2, 0.05])
  let logVariance = Tensor([1, 3], [-1.1, 0.7, 0.01])

  @Test func theDivergenceIsTheClosedFormAndTheMeanOverDraws() {
    let expected = (0..<3).reduce(0.0) { sum, i in
      let (μ, s) = (Double(mean[i]), Double(logVariance[i]))
      return sum + (μ * μ + exp(s) - 1 - s) / 2
    }
    let tape = Tape()
    let found = gaussianDivergence(
      mean: tape.constant(mean), logVariance: tape.constant(logVariance), reducing: .sum
    ).value.scalar
    #expect(abs(Double(found) - expected) < 1e-6)

    // E[ln q(z) − ln p(z)] over draws from q; 200,000 of them leave an error of about 0.004.
    let draws = 200_000
    var stream = RandomStream(seed: 1, "draws")
    let ones = Tensor(repeating: 1, [draws, 1])
    let z = gaussianSample(
      mean: tape.constant(ones.product(mean)),
      logVariance: tape.constant(ones.product(logVariance)), using: &stream
    ).value
    var total = 0.0
    for i in 0..<z.count {
      let (μ, s, value) = (Double(mean[i % 3]), Double(logVariance[i % 3]), Double(z[i]))
      total += (value * value - (value - μ) * (value - μ) / exp(s) - s) / 2
    }
    #expect(abs(total / Double(draws) - expected) < 0.015)
  }

  /// With the draw held, z moves by dμ and by ½σε·ds; over many draws z has the moments asked for.
  @Test func aSampleHasItsMomentsAndLetsGradientsThrough() {
    var stream = RandomStream(seed: 2, "draws")
    let tape = Tape()
    let μ = tape.variable(Tensor(repeating: 0.7, [100_000]))
    let s = tape.variable(Tensor(repeating: -0.6, [100_000]))
    let z = gaussianSample(mean: μ, logVariance: s, using: &stream)
    #expect(abs(z.value.sum() / 100_000 - 0.7) < 0.01)
    let deviations = z.value - Tensor(0.7)
    #expect(abs(Double(deviations.sumOfSquares()) / 100_000 - exp(-0.6)) < 0.01)
    let gradients = tape.backward(from: sum(z))
    #expect(gradients[μ] == Tensor(repeating: 1, [100_000]))
    #expect((gradients[s] - deviations * 0.5).maximumMagnitude() < 1e-6)
  }

  @Test func maskingBlanksAShareAndLeavesTheRest() {
    var stream = RandomStream(seed: 1, "mask")
    let x = stream.uniform([100, 1000], in: 1..<2)
    let tape = Tape()
    let y = maskingNoise(tape.constant(x), probability: 0.25, using: &stream).value
    let blank = y.values.filter { $0 == 0 }.count
    #expect(abs(Double(blank) / 100_000 - 0.25) < 0.01)
    #expect(zip(x.values, y.values).allSatisfy { $1 == 0 || $1 == $0 })
    #expect(maskingNoise(tape.constant(x), probability: 0, using: &stream).value == x)
    #expect(maskingNoise(tape.constant(x), probability: 1, using: &stream).value.sum() == 0)
  }
}
