import Foundation
import Gradients
import Networks
import Tensors

/// The parameters of a network at some points of its training, for curves that are drawn later.
///
/// They are what the test accuracies are computed from, once the choice is made; running statistics
/// belong to them. Too large to be committed, they are kept on the machine that trained.
package struct KeptWeights: Codable, Sendable {
  /// Epochs done at each point.
  private(set) package var epochs: [Int] = []
  /// At each point the elements of all parameters in their order, as little-endian floats.
  private var values: [Data] = []

  /// No point yet.
  package init() {}

  /// Adds the present parameters of a network as the next point.
  package mutating func append(_ network: some Module, epoch: Int) {
    epochs.append(epoch)
    values.append(
      network.parameters.reduce(into: Data()) { data, parameter in
        parameter.value.withUnsafeBufferPointer { data.append(Data(buffer: $0)) }
      })
  }

  /// Puts the parameters of a point into a network of the same shapes.
  package func put(_ point: Int, into network: some Module) {
    let data = values[point]
    var offset = 0
    for parameter in network.parameters {
      let bytes = 4 * parameter.value.count
      precondition(offset + bytes <= data.count, "weights of another network")
      parameter.value = Tensor(uninitialized: parameter.value.shape) { elements in
        _ = data[offset..<offset + bytes].copyBytes(to: elements)
      }
      offset += bytes
    }
    precondition(offset == data.count, "weights of another network")
  }
}
