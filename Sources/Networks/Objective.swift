import Gradients
import Tensors

/// What a method minimises: its modules, and the loss of a batch.
///
/// One type a method of the literature. Its parameters are those of its properties; a `Training`
/// needs nothing more of it.
public protocol Objective: Module {
  /// What one step is given.
  associatedtype Batch

  /// The loss of a batch, on the tape that its gradient is taken from.
  ///
  /// - Parameters:
  ///   - batch: what the source gave for this step.
  ///   - moment: how far the training has come, for weights that grow.
  ///   - tape: a tape for this step alone.
  ///   - noise: the stream of all that the step draws.
  func loss(
    _ batch: Batch, at moment: Moment, on tape: Tape, using noise: inout RandomStream
  ) -> Loss
}

/// The loss of a batch: what is minimised, and the named parts that a reader may want to see.
public struct Loss {
  /// The number that is minimised, a scalar.
  public let total: Variable
  /// Parts by their names, in the order in which they were added.
  public let parts: [(name: String, value: Float)]
  /// Images that the loss is a mean over: its weight in the mean of an epoch.
  public let examples: Int

  /// A loss of one part or of none that is worth a name.
  public init(_ total: Variable, over examples: Int = 1) {
    self.init(total, parts: [], over: examples)
  }

  /// A loss as the weighted sum of named parts, each of them a scalar.
  public init(_ parts: [(name: String, weight: Float, value: Variable)], over examples: Int = 1) {
    precondition(!parts.isEmpty, "a loss has at least one part")
    let terms = parts.map { $0.weight == 1 ? $0.value : $0.value * $0.weight }
    self.init(
      terms.dropFirst().reduce(terms[0]) { $0 + $1 },
      parts: parts.map { ($0.name, $0.value.value.scalar) }, over: examples)
  }

  private init(_ total: Variable, parts: [(name: String, value: Float)], over examples: Int) {
    precondition(total.value.count == 1, "a loss is a scalar, not \(total.shape)")
    self.total = total
    self.parts = parts
    self.examples = examples
  }
}

/// Where the batches of a training come from.
public protocol BatchSource {
  /// What one step is given.
  associatedtype Batch
  /// Where the source stands: with it, the same batches come again.
  associatedtype State: Codable

  /// Where the source stands.
  var state: State { get }
  /// The batches of an epoch.
  var stepsPerEpoch: Int { get }

  /// The next batch.
  ///
  /// - Parameter noise: the training's stream, which draws what changes the examples, such as an
  ///   augmentation; the order of the examples comes from a stream of the source.
  mutating func next(using noise: inout RandomStream) -> Batch

  /// Goes to where a source of the same settings stood; false, with nothing changed, when it cannot
  /// have stood there.
  mutating func restore(_ state: State) -> Bool
}
