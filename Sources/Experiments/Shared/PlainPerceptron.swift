import Methods

/// A perceptron of rectifiers written plainly in double precision, for checks of what is built on it.
package enum PlainPerceptron {
  /// What each layer gives for one image, the logits last, with all units.
  package static func outputs(_ network: Perceptron, _ image: [Double]) -> [[Double]] {
    var outputs: [[Double]] = []
    for (index, layer) in network.layers.enumerated() {
      let (x, weight, bias) = (outputs.last ?? image, layer.weight.value, layer.bias.value)
      let sums = (0..<weight.shape[0]).map { unit in
        x.indices.reduce(Double(bias[unit])) {
          $0 + Double(weight[unit * x.count + $1]) * x[$1]
        }
      }
      outputs.append(index + 1 < network.layers.count ? sums.map { max(0, $0) } : sums)
    }
    return outputs
  }

  /// The logits of one image.
  package static func logits(_ network: Perceptron, _ image: [Double]) -> [Double] {
    outputs(network, image).last!
  }
}
