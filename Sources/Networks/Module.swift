import Gradients
import Tensors

/// Something that has parameters: a layer, a network, or a method that is trained.
///
/// The parameters are found by reflection, so that none can be forgotten: a module is written as a
/// struct of layers, and declares nothing more.
public protocol Module {}

extension Module {
  /// Every parameter, trainable or not, with its path: `convolutions.0.weight`.
  ///
  /// In the order in which the properties are declared, a superclass's first; one that stands at two
  /// places has the path of the first. What is no module, such as settings, is looked into as well,
  /// except for tensors, arrays of numbers and words, and averages. A dictionary is taken in the order
  /// of its keys. A set, which has no order, and a lazy property, which may not be there yet, end the
  /// program when a module has them.
  public var namedParameters: [(path: String, parameter: Parameter)] {
    Found(in: self).parameters
  }

  /// Every parameter, trainable or not, in the order of `namedParameters`.
  public var parameters: [Parameter] { namedParameters.map(\.parameter) }

  /// The averages that the module reads, in the order in which they are found.
  var heldAverages: [ParameterAverage] { Found(in: self).averages }
}

/// The parameters below a value, as reflection shows it.
private struct Found {
  private(set) var parameters: [(path: String, parameter: Parameter)] = []
  private(set) var averages: [ParameterAverage] = []
  private var seen: Set<ObjectIdentifier> = []

  init(in module: some Module) { look(into: module, at: "") }

  private mutating func look(into value: Any, at path: String) {
    switch value {
    case let parameter as Parameter:
      if seen.insert(ObjectIdentifier(parameter)).inserted { parameters.append((path, parameter)) }
    case let average as ParameterAverage:
      if seen.insert(ObjectIdentifier(average)).inserted { averages.append(average) }
    case is Tensor, is [Float], is [Double], is [Int], is [UInt8], is [Bool], is [String]:
      break
    default:
      let mirror = Mirror(reflecting: value)
      // An object may lead back to itself.
      if mirror.displayStyle == .class,
        !seen.insert(ObjectIdentifier(value as AnyObject)).inserted
      {
        return
      }
      look(at: mirror, path)
    }
  }

  private mutating func look(at mirror: Mirror, _ path: String) {
    if let parent = mirror.superclassMirror { look(at: parent, path) }
    switch mirror.displayStyle {
    case .optional:
      for child in mirror.children { look(into: child.value, at: path) }
    case .dictionary:
      let entries = mirror.children.map { child in
        let pair = Mirror(reflecting: child.value).children.map(\.value)
        return (key: "\(pair[0])", value: pair[1])
      }
      for entry in entries.sorted(by: { $0.key < $1.key }) { step(entry.key, entry.value, path) }
    case .set:
      let before = parameters.count
      for child in mirror.children { look(into: child.value, at: path) }
      if parameters.count > before {
        // Not a precondition, whose words an optimised build leaves out.
        fatalError("\(path) is a set, whose parameters have no order; make it an array")
      }
    default:
      for (index, child) in mirror.children.enumerated() {
        let name = child.label ?? "\(index)"
        if name.hasPrefix("$__lazy_storage_$_") {
          fatalError("\(path) has a lazy property, whose parameters may not be there yet")
        }
        // Elements of a pair are called .0 and .1.
        step(name.hasPrefix(".") ? String(name.dropFirst()) : name, child.value, path)
      }
    }
  }

  private mutating func step(_ name: String, _ value: Any, _ path: String) {
    look(into: value, at: path.isEmpty ? name : "\(path).\(name)")
  }
}

/// The values of a module's parameters at one moment: a copy that shares nothing with it.
///
/// A network computes with them on a tape that is told so, `Tape(recording: false, values:)`,
/// running statistics included. They are constants there: nobody trains a copy, and no gradient
/// reaches it. So a teacher, the average of a path of weights, and the weights of an earlier step
/// are values beside the one network, and not further networks.
public struct Snapshot: ParameterValues {
  /// Held, so that no later parameter can be taken for one of these.
  fileprivate let parameters: [Parameter]
  private var values: [ObjectIdentifier: Tensor]

  /// The present values of all parameters.
  public init(of module: some Module) { self.init(module.parameters) }

  init(_ parameters: [Parameter]) {
    self.parameters = parameters
    values = Dictionary(
      uniqueKeysWithValues: parameters.map { (ObjectIdentifier($0), $0.value) })
  }

  /// The copy's value of a parameter, nil for one of another module.
  public func value(of parameter: Parameter) -> Tensor? { values[ObjectIdentifier(parameter)] }

  /// The tensors in the order of the module's parameters.
  public var tensors: [Tensor] {
    get { parameters.map { values[ObjectIdentifier($0)]! } }
    set {
      precondition(
        newValue.map(\.shape) == tensors.map(\.shape), "values of another module were given")
      for (parameter, value) in zip(parameters, newValue) {
        values[ObjectIdentifier(parameter)] = value
      }
    }
  }

  /// Puts the values back into the parameters that they were taken from.
  public func restore() {
    for (parameter, value) in zip(parameters, tensors) { parameter.value = value }
  }

  /// Takes a value out, so that whoever has it can write its memory; nil for another module's.
  fileprivate mutating func take(_ parameter: Parameter) -> Tensor? {
    values.removeValue(forKey: ObjectIdentifier(parameter))
  }

  /// Puts back what was taken out.
  fileprivate mutating func put(_ value: Tensor, _ parameter: Parameter) {
    values[ObjectIdentifier(parameter)] = value
  }
}

/// The exponential average of a module's parameters over the steps of its training.
///
/// a ← decay·a + (1 − decay)·θ after each step, running statistics too: Polyak & Juditsky 1992 in
/// the form that Tarvainen & Valpola 2017 (eq. 2) give the mean teacher. A `Training` that is told
/// of it moves it, and keeps it in its checkpoints; the values are read on a tape of their own:
/// `Tape(recording: false, values: average)`.
public final class ParameterAverage: ParameterValues, CustomReflectable {
  /// The weight of the past in a step, in 0…1.
  public let decay: Float
  /// The average as it stands.
  public internal(set) var snapshot: Snapshot
  /// The parameters that the rule has moved it with in the present step.
  private var moved: Set<ObjectIdentifier> = []

  /// An average that starts at the present values.
  public init(of module: some Module, decay: Float) {
    precondition((0...1).contains(decay), "a decay lies in 0…1: \(decay)")
    self.decay = decay
    snapshot = Snapshot(of: module)
  }

  /// The average of a parameter, nil for one of another module.
  public func value(of parameter: Parameter) -> Tensor? { snapshot.value(of: parameter) }

  /// Moves towards the present values what the rule has not moved in its own pass: running
  /// statistics, which no gradient reaches, and everything under a rule that leaves it undone.
  func finishStep() {
    for parameter in snapshot.parameters where !moved.contains(ObjectIdentifier(parameter)) {
      var average = take(parameter)
      average.move(to: parameter.value)
      put(average, parameter)
    }
    moved.removeAll(keepingCapacity: true)
  }

  fileprivate func take(_ parameter: Parameter) -> MovingAverage {
    MovingAverage(snapshot.take(parameter)!, decay: decay)
  }

  fileprivate func put(_ average: MovingAverage, _ parameter: Parameter) {
    snapshot.put(average.value, parameter)
    moved.insert(ObjectIdentifier(parameter))
  }

  /// Shows nothing: what is averaged belongs to its own module.
  public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension [ParameterAverage] {
  /// Has `body` change a parameter, and move all that there is of it towards the new value.
  public func moving(
    with parameter: Parameter, _ body: (inout Tensor, inout [MovingAverage]) -> Void
  ) {
    let owners = filter { $0.value(of: parameter) != nil }
    var averages = owners.map { $0.take(parameter) }
    parameter.change { body(&$0, &averages) }
    for (owner, average) in zip(owners, averages) { owner.put(average, parameter) }
  }
}
