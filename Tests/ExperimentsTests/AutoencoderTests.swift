import Experiments
import Files
import Foundation
import Methods
import Networks
import Tensors
import Testing

@Suite struct AutoencoderTests {
  @Test func weightsComeBackToTheBit() throws {
    var stream = RandomStream(seed: 1, "module weights")
    let network = StackedAutoencoder([784, 20, 10], using: &stream)
    let before = network.parameters.map(\.value)
    let weights = try JSONDecoder().decode(
      ModuleWeights.self, from: JSONEncoder().encode(ModuleWeights(of: network.parameters)))
    for parameter in network.parameters {
      parameter.value = stream.normal(parameter.value.shape)
    }
    #expect(network.parameters.map(\.value) != before)
    weights.put(into: network.parameters)
    #expect(network.parameters.map(\.value) == before)
  }

  /// Two numbers that are always equal: each is given back by both alike, 1/(2 − ν) of each.
  @Test func theLinearDenoiserTrustsTwoWitnessesAlike() {
    let denoiser = LinearDenoiser([[1, 1], [-1, -1]], masking: 0.5)
    for row in denoiser.matrix {
      for element in row { #expect(abs(element - 2.0 / 3) < 1e-12) }
    }
    #expect(denoiser.slope(at: denoiser.matrix) < 1e-12)
    #expect(denoiser.slope(at: [[1, 0], [0, 1]]) > 0.1, "a copy is not the best")
  }

  @Test func withoutNoiseTheBestIsACopy() {
    let denoiser = LinearDenoiser([[1, 2], [2, -1], [0.5, 1]], masking: 0)
    #expect(abs(denoiser.copied - 1) < 1e-12)
    #expect(abs(denoiser.matrix[0][1]) < 1e-12)
  }

  @Test func theTwoLoopsAreTheMatrix() {
    #expect(MinimiserTrials.directionError() < 1e-3)
    let trial = MinimiserTrials.rosenbrock(LimitedMemoryBFGS(), steps: 200)
    #expect(trial.distance < 1e-3 && trial.steps <= 200)
  }

  @Test func aLossThatIsNoNumberEndsTheLearningOfStrokes() {
    var plan = SparseAutoencoder.Plan()
    (plan.inputs, plan.hidden) = (4, 3)
    var stream = RandomStream(seed: 1, "broken")
    let method = SparseAutoencoder(plan, using: &stream)
    func learn(_ pixels: [Float]) throws {
      _ = try StrokeLearning.minimise(method, Tensor([2, 4], pixels), steps: 5) {}
    }
    #expect(
      throws: LabError(
        .failed,
        "The sparse auto-encoder broke in evaluation 1 of its loss: the part “reconstruction” is nan; "
          + "look at what it was given.")
    ) { try learn([0, 1, .nan, 0, 1, 0, 1, 0]) }
    #expect(throws: Never.self) { try learn([0, 1, 1, 0, 1, 0, 1, 0]) }
  }
}
