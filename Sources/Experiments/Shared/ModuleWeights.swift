import Foundation
import Gradients
import Tensors

/// The values of some parameters, as a shared stage keeps them for the trainings that begin with it.
package struct ModuleWeights: Codable, Sendable {
  /// The elements of all parameters in their order, as little-endian floats.
  private let elements: Data

  /// The present values of parameters.
  package init(of parameters: [Parameter]) {
    elements = parameters.reduce(into: Data()) { data, parameter in
      parameter.value.withUnsafeBufferPointer { data.append(Data(buffer: $0)) }
    }
  }

  /// Puts the values into parameters of the same shapes in the same order.
  package func put(into parameters: [Parameter]) {
    precondition(
      elements.count == parameters.reduce(0) { $0 + 4 * $1.value.count },
      "weights of another network")
    var offset = 0
    for parameter in parameters {
      let bytes = 4 * parameter.value.count
      parameter.value = Tensor(uninitialized: parameter.value.shape) { values in
        _ = elements[offset..<offset + bytes].copyBytes(to: values)
      }
      offset += bytes
    }
  }
}
