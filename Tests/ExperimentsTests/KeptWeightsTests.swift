import Experiments
import Foundation
import Methods
import Networks
import Notebook
import Tensors
import Testing

@Suite struct KeptWeightsTests {
  @Test func weightsOfAPointComeBackToTheBit() throws {
    var stream = RandomStream(seed: 1, "kept weights")
    var recipe = Recipe()
    recipe.normalises = true
    let network = ConvolutionalClassifier(recipe, using: &stream)
    var weights = KeptWeights()
    var before: [[Tensor]] = []
    for epoch in [3, 6] {
      for parameter in network.parameters {
        parameter.value = stream.normal(parameter.value.shape)
      }
      before.append(network.parameters.map(\.value))
      weights.append(network, epoch: epoch)
    }
    let read = try JSONDecoder().decode(KeptWeights.self, from: JSONEncoder().encode(weights))
    #expect(read.epochs == [3, 6])
    for point in [0, 1] {
      read.put(point, into: network)
      #expect(network.parameters.map(\.value) == before[point])
    }
  }
}
