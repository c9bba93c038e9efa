import Digits
import Gradients
import Networks
import Tensors

/// Fully connected layers with an activation between them: a multilayer perceptron.
///
/// Source: Rumelhart, Hinton & Williams 1986; dropout as in Srivastava et al. 2014, batch
/// normalisation as in Ioffe & Szegedy 2015, each where the plan asks for it.
public struct Perceptron: Classifier {
  /// How a perceptron is built.
  public struct Plan: Sendable {
    /// Numbers that come in, units of each layer, numbers that go out.
    public var sizes: [Int]
    /// The activation after each layer but the last.
    public var activation = Activation.relu
    /// Where the weights start.
    public var initialiser = Initialiser.he
    /// The probability to keep an input, 1 for no dropout.
    public var keepInput: Float = 1
    /// The probability to keep a hidden unit, 1 for no dropout.
    public var keepHidden: Float = 1
    /// Whether batch normalisation stands before each activation.
    public var isNormalised = false
    /// Whether pixels are scaled to mean 0 and deviation 1 over the data set.
    public var standardises = false

    /// A plan of plain layers.
    public init(_ sizes: [Int]) { self.sizes = sizes }
  }

  /// What it was made by.
  public let plan: Plan
  /// The layers with weights, first to last.
  public let layers: [Dense]
  /// The normalisation of each hidden layer; empty without.
  public let normalisations: [BatchNormalisation]

  /// A network with drawn weights.
  public init(_ plan: Plan, using stream: inout RandomStream) {
    self.plan = plan
    let last = plan.sizes.count - 1
    layers = (1...last).map { index in
      Dense(
        inputs: plan.sizes[index - 1], outputs: plan.sizes[index],
        activation: index == last || plan.isNormalised ? .identity : plan.activation,
        initialiser: plan.initialiser, using: &stream)
    }
    normalisations =
      plan.isNormalised
      ? plan.sizes[1..<last].map {
        BatchNormalisation(features: $0, activation: plan.activation)
      } : []
  }

  /// The logits of images `[1, n, 28, 28]`, or of what `sizes` says instead of 784 pixels.
  public func logits(
    _ images: Variable, _ phase: Phase, using noise: inout RandomStream
  ) -> Variable {
    output(rows(images), phase, using: &noise)
  }

  /// Images as rows of pixels `[n, 784]`, as the first layer reads them.
  public func rows(_ images: Variable) -> Variable {
    flatten(
      plan.standardises
        ? standardised(images, mean: ImageSet.mean, deviation: ImageSet.deviation) : images)
  }

  /// The output for rows `[n, inputs]`; `observe` sees what each hidden layer gives, and may replace
  /// it.
  public func output(
    _ rows: Variable, _ phase: Phase, using noise: inout RandomStream,
    observe: (_ layer: Int, Variable) -> Variable = { $1 }
  ) -> Variable {
    var x = rows
    for (index, layer) in layers.enumerated() {
      let keep = index == 0 ? plan.keepInput : plan.keepHidden
      if phase.isTraining && keep < 1 { x = dropout(x, keep: keep, using: &noise) }
      x = layer(x)
      guard index + 1 < layers.count else { break }
      if plan.isNormalised { x = normalisations[index](x, phase) }
      x = observe(index, x)
    }
    return x
  }
}
