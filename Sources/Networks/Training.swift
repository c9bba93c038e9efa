import Files
import Foundation
import Gradients
import Tensors

/// The one way to train: a method says its loss, a source gives its batches, a rule moves the weights.
///
/// All that changes between two steps is here: the method's parameters, the rule's memory, averages
/// of weights, the source's place, one stream of noise and the counters. A checkpoint taken between
/// any two steps goes on to the same bits as a training that was never interrupted, for every method.
public struct Training<Method: Objective, Source: BatchSource, Rule: Optimiser>
where Source.Batch == Method.Batch {
  /// What is minimised.
  public let method: Method
  /// Where the batches come from.
  public private(set) var source: Source
  /// The rule that changes the parameters.
  public private(set) var rule: Rule
  /// The learning rate.
  public let rate: Schedule
  /// Averages of weights that are moved after each step.
  public let averages: [ParameterAverage]
  /// The steps taken and the epochs done.
  public private(set) var moment = Moment(step: 0, epoch: 0)
  /// The batches of the present epoch that are done; 0 between two epochs.
  public private(set) var batch = 0
  /// The mean loss of the last whole epoch, over its examples; NaN before the first has ended.
  public private(set) var epochLoss = Double.nan
  /// The losses of the present epoch's examples added up, and their number.
  private var (total, examples) = (0.0, 0)
  private var noise: RandomStream
  private let parameters: [(path: String, parameter: Parameter)]
  private let listed: Set<ObjectIdentifier>

  /// A training before its first step.
  ///
  /// - Parameters:
  ///   - averages: moved beside the rule's update, and kept in checkpoints in this order.
  ///   - seed: with the name, what the stream of noise comes from.
  ///   - name: says what is trained, unique in a run.
  public init(
    _ method: Method, _ source: Source, _ rule: Rule, rate: Schedule,
    averages: [ParameterAverage] = [], seed: UInt64, name: String
  ) {
    self.method = method
    self.source = source
    self.rule = rule
    self.rate = rate
    self.averages = averages
    noise = RandomStream(seed: seed, name, "noise")
    for average in method.heldAverages where !averages.contains(where: { $0 === average }) {
      // Not a precondition, whose words an optimised build leaves out.
      fatalError("\(Method.self) reads an average that its training was not told of")
    }
    parameters = method.namedParameters
    listed = Set(parameters.map { ObjectIdentifier($0.parameter) })
  }

  /// Takes one step: a batch, its loss, the gradient, the rule's update and the averages with it.
  @discardableResult
  public mutating func takeStep() -> Loss {
    let all = parameters.map(\.parameter)
    rule.begin(all, at: moment)
    let batch = source.next(using: &noise)
    let tape = Tape()
    let loss = method.loss(batch, at: moment, on: tape, using: &noise)
    for parameter in tape.usedParameters
    where !listed.contains(ObjectIdentifier(parameter)) {
      fatalError(
        "\(Method.self) computes with a \(parameter.name) \(parameter.value.shape) that is no part "
          + "of its stored properties: it would be neither trained nor kept")
    }
    rule.step(all, tape.backward(from: loss.total), rate: rate(moment), averages: averages)
    for average in averages { average.finishStep() }
    total += Double(loss.total.value.scalar) * Double(loss.examples)
    examples += loss.examples
    moment.step += 1
    self.batch += 1
    if self.batch == source.stepsPerEpoch {
      epochLoss = total / Double(examples)
      (self.batch, total, examples) = (0, 0, 0)
      moment.epoch += 1
    }
    return loss
  }

  /// Trains to the end of the present epoch.
  ///
  /// When it throws, the training stands between two steps and can be archived.
  /// - Parameter afterStep: is shown the training after each step, to archive it say.
  /// - Returns: the mean loss of the epoch's examples.
  /// - Throws: `CancellationError` between two steps; what `afterStep` throws.
  @discardableResult
  public mutating func runEpoch(
    afterStep: (Self) throws -> Void = { _ in }
  ) throws -> Double {
    let epoch = moment.epoch
    while moment.epoch == epoch {
      try Task.checkCancellation()
      takeStep()
      try afterStep(self)
    }
    return epochLoss
  }
}

// MARK: - Checkpoints

extension Training {
  private struct State: Codable {
    let step, epoch, batch, ruleSteps, examples: Int
    /// The bits of numbers: JSON has no NaN, which a loss may be.
    let total, epochLoss: UInt64
    let noise: RandomStream
    let source: Source.State
    let label: String
  }

  /// The most bytes that a checkpoint of this training has.
  public var mostBytes: Int {
    let averaged = averages.reduce(0) { sum, average in
      sum + average.snapshot.tensors.reduce(0) { $0 + 4 * $1.count }
    }
    return Archive.mostBytes(of: method, copies: 1 + rule.memoriesPerParameter) + averaged
  }

  /// Everything that the next step depends on.
  ///
  /// - Parameter label: describes what is trained and how; a checkpoint of another is refused.
  public func checkpoint(label: String) -> Archive {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Integers and strings only: there is nothing that JSON could refuse.
    let state = try! encoder.encode(
      State(
        step: moment.step, epoch: moment.epoch, batch: batch, ruleSteps: rule.steps,
        examples: examples, total: total.bitPattern, epochLoss: epochLoss.bitPattern, noise: noise,
        source: source.state, label: label))
    return Archive(
      kind: "training", state: String(decoding: state, as: UTF8.self),
      tensors: Archive.tensors(of: method, prefix: Self.parameterPrefix) + memoryTensors
        + averageTensors)
  }

  /// Kinds of tensors are told apart by what no path of a parameter begins with.
  private static var parameterPrefix: String { "parameter/" }

  private var memoryTensors: [(name: String, value: Tensor)] {
    rule.memory.enumerated().map { ("rule/\($0)", $1) }
  }

  private var averageTensors: [(name: String, value: Tensor)] {
    averages.enumerated().flatMap { index, average in
      average.snapshot.tensors.enumerated().map { ("average/\(index)/\($0)", $1) }
    }
  }

  /// Goes on where a checkpoint was written.
  ///
  /// - Throws: `LabError` of kind `.input`, with nothing changed, when it is not a checkpoint of
  ///   this training.
  public mutating func restore(_ archive: Archive, label: String, from url: URL) throws(LabError) {
    let trainable = parameters.filter(\.parameter.isTrainable)
    let memoryShapes = trainable.flatMap { entry in
      [Shape](repeating: entry.parameter.value.shape, count: rule.memoriesPerParameter)
    }
    func values(_ prefix: String) -> [Tensor] {
      archive.tensors.filter { $0.name.hasPrefix(prefix) }.map(\.value)
    }
    let memory = values("rule/")
    let averaged = averages.indices.map { values("average/\($0)/") }
    // No training has taken so many steps that a counter of half a word is full.
    let counts = 0..<Int(Int32.max)
    var source = source
    guard archive.kind == "training",
      let state = try? JSONDecoder().decode(State.self, from: Data(archive.state.utf8)),
      state.label == label,
      [state.step, state.epoch, state.ruleSteps, state.examples].allSatisfy(counts.contains),
      (0..<source.stepsPerEpoch).contains(state.batch),
      memory.isEmpty && state.ruleSteps == 0 || memory.map(\.shape) == memoryShapes,
      zip(averaged, averages).allSatisfy({
        $0.map(\.shape) == $1.snapshot.tensors.map(\.shape)
      }),
      archive.tensors.count == parameters.count + memory.count + averageTensors.count,
      source.restore(state.source)
    else {
      throw LabError(
        .input,
        "\(url.path) is no checkpoint of this training; remove it, or name another file.")
    }
    try archive.restore(method, prefix: Self.parameterPrefix, from: url)
    for (average, tensors) in zip(averages, averaged) { average.snapshot.tensors = tensors }
    (rule.memory, rule.steps) = (memory, state.ruleSteps)
    moment = Moment(step: state.step, epoch: state.epoch)
    (batch, examples) = (state.batch, state.examples)
    total = Double(bitPattern: state.total)
    epochLoss = Double(bitPattern: state.epochLoss)
    (self.source, noise) = (source, state.noise)
  }
}
