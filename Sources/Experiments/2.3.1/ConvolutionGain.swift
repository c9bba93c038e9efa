import Gradients
import Networks
import Tensors

extension SignalSizes {
  // snippet.convolution
  /// The two factors of a 3 × 3 convolution from 16 channels to 32 under He's rule, behind ReLU.
  ///
  /// Backward, only places that are read by all nine weights of a filter count.
  package static func convolutionGain(
    using stream: inout RandomStream
  ) -> (forward: Double, backward: Double) {
    var (before, after, received, passedBack) = (0.0, 0.0, 0.0, 0.0)
    for _ in 0..<20 {
      let layer = Convolution(
        channels: 16, filters: 32, kernel: 3, initialiser: .he, using: &stream)
      let sums = stream.normal([16, 8, 12, 12])
      let tape = Tape()
      let x = tape.variable(sums)
      let y = layer(relu(x))
      let cotangent = stream.normal(y.value.shape)
      let gradient = tape.backward(from: y, cotangent: cotangent)[x]
      before += meanSquare(sums)
      after += meanSquare(y.value)
      received += meanSquare(cotangent)
      let inner = (0..<gradient.count).filter {
        (2..<10).contains($0 % 12) && (2..<10).contains($0 / 12 % 12)
      }
      passedBack +=
        inner.reduce(0) { $0 + Double(gradient[$1]) * Double(gradient[$1]) } / Double(inner.count)
    }
    return (after / before, passedBack / received)
  }
  // snippet.end
}
