import Gradients
import Networks
import Tensors

/// What is known of the classes of some rows.
package enum Classes {
  /// The class of each.
  case known([Int])
  /// Nothing: each row is repeated, once with every class.
  case each

  var isEach: Bool { if case .each = self { true } else { false } }
}

/// Softplus layers, the first of which reads a class beside its vector.
struct ConditionalLayers: Module {
  private let input: Dense
  /// What each class adds to the first layer, `[classes, units]`: the weights of a one-hot vector.
  private let code: Parameter
  private let rest: SoftplusLayers

  init(
    _ sizes: [Int], classes: Int, initialiser: Initialiser, using stream: inout RandomStream
  ) {
    input = Dense(
      inputs: sizes[0], outputs: sizes[1], initialiser: initialiser, using: &stream)
    code = Parameter("code", initialiser.weights([classes, sizes[1]], using: &stream))
    rest = SoftplusLayers(Array(sizes.dropFirst()), initialiser: initialiser, using: &stream)
  }

  /// The top layer for rows `[n, in]`; with each class in turn `[n·classes, out]`, a row's classes one
  /// after another, from `[n, in]` or `[n·classes, in]`.
  func callAsFunction(_ x: Variable, _ y: Classes, of n: Int) -> Variable {
    let (h, code) = (input(x), x.tape(code))
    let (classes, units) = (code.shape[0], code.shape[1])
    switch y {
    case .known(let labels):
      return rest(softplus(h + matrixProduct(x.tape.constant(oneHot(labels, classes)), code)))
    case .each:
      // A wide row has a vector's units for each class side by side; the large product with what
      // does not depend on the class is made once.
      let wide =
        h.shape[0] == n
        ? concatenation([Variable](repeating: h, count: classes), along: .columns)
        : reshape(h, [n, classes * units])
      return rest(
        softplus(reshape(wide + reshape(code, [classes * units]), [n * classes, units])))
    }
  }
}

/// Rows with a 1 at the place of each label and 0 elsewhere: `[n, classes]`.
private func oneHot(_ labels: [Int], _ classes: Int) -> Tensor {
  var rows = Tensor(repeating: 0, [labels.count, classes])
  for (row, label) in labels.enumerated() {
    precondition((0..<classes).contains(label), "label \(label) is not one of \(classes) classes")
    rows[row * classes + label] = 1
  }
  return rows
}
