import Tensors

/// A record of operations in the order in which they ran, so that gradients can run it backwards.
///
/// A tape is an array: a node names its parents by their indices, which are smaller than its own,
/// and `backward` is one loop from the end to the start. One tape serves one step.
public final class Tape {
  /// From the cotangent of a node's value to those of its parents, nil where none is wanted.
  typealias Pullback = (_ cotangent: Tensor) -> [Tensor?]

  private struct Node {
    let operation: Operation?
    let parents: [Int]
    let shape: Shape
    var pullback: Pullback?
  }

  private var nodes: [Node] = []
  /// Where a parameter stands: its node, nil for a constant.
  ///
  /// No `Variable`, which would hold this tape in a circle. Nor may a pullback capture one.
  private var places: [ObjectIdentifier: Int?] = [:]
  /// The values that parameters had at their first use; none once the tape has run backwards, so
  /// that a rule finds their memory with one owner and can write the new ones there.
  private var held: [ObjectIdentifier: Tensor] = [:]
  /// The parameters that were used, trainable or not, each once, in the order of their first use.
  public private(set) var usedParameters: [Parameter] = []
  /// Whether gradients are wanted at all; without them nothing but values is kept.
  public let isRecording: Bool
  private let values: (any ParameterValues)?

  /// An empty tape; `recording: false` makes one that only computes.
  ///
  /// - Parameter values: what the parameters count as instead of their own values, constants then.
  public init(recording: Bool = true, values: (any ParameterValues)? = nil) {
    isRecording = recording
    self.values = values
  }

  /// Whether parameters count as the values of a copy.
  public var readsCopy: Bool { values != nil }

  /// A leaf whose gradient is wanted.
  public func variable(_ value: Tensor) -> Variable {
    guard isRecording else { return constant(value) }
    nodes.append(Node(operation: nil, parents: [], shape: value.shape, pullback: nil))
    return Variable(tape: self, index: nodes.count - 1, value: value)
  }

  /// A value through which no gradient flows.
  public func constant(_ value: Tensor) -> Variable {
    Variable(tape: self, index: nil, value: value)
  }

  /// The leaf of a parameter: the same one however often it is used on this tape.
  public func callAsFunction(_ parameter: Parameter) -> Variable {
    let key = ObjectIdentifier(parameter)
    if let index = places[key] {
      return Variable(tape: self, index: index, value: held[key] ?? parameter.value)
    }
    let place =
      if let values {
        constant(Self.value(of: parameter, in: values))
      } else {
        parameter.isTrainable ? variable(parameter.value) : constant(parameter.value)
      }
    places[key] = .some(place.index)
    held[key] = place.value
    if !readsCopy { usedParameters.append(parameter) }
    return place
  }

  /// The value of a copy; a parameter that the copy lacks ends the program.
  private static func value(of parameter: Parameter, in values: any ParameterValues) -> Tensor {
    guard let value = values.value(of: parameter) else {
      // Not a precondition, whose words an optimised build leaves out.
      fatalError(
        "a tape reads a copy that has no \(parameter.name) \(parameter.value.shape): it is of "
          + "another module")
    }
    return value
  }

  /// Notes an operation and its pullback; keeps neither when no parent's gradient is wanted.
  func record(
    _ operation: Operation, _ value: Tensor, from parents: [Variable],
    pullback: @escaping Pullback
  ) -> Variable {
    for parent in parents {
      precondition(parent.tape === self, "\(operation) mixes variables of two tapes")
    }
    guard isRecording, parents.contains(where: \.needsGradient) else { return constant(value) }
    nodes.append(
      Node(
        operation: operation, parents: parents.map { $0.index ?? -1 }, shape: value.shape,
        pullback: pullback))
    return Variable(tape: self, index: nodes.count - 1, value: value)
  }

  /// The operations on the tape, in order.
  public var operations: [Operation] { nodes.compactMap(\.operation) }

  /// The gradients of a scalar with respect to every leaf it depends on.
  public func backward(from loss: Variable) -> Cotangents {
    precondition(loss.value.count == 1, "a gradient starts at a scalar, not at \(loss.shape)")
    return backward(from: loss, cotangent: Tensor(repeating: 1, loss.shape))
  }

  /// The product of a cotangent with the Jacobian of `output` with respect to every leaf.
  ///
  /// Reverse accumulation (Linnainmaa 1970). What a node kept for its pullback is freed as soon as
  /// it has run, so a tape runs backwards once.
  public func backward(from output: Variable, cotangent: Tensor) -> Cotangents {
    precondition(output.shape == cotangent.shape, "\(cotangent.shape) is not \(output.shape)")
    var cotangents = [Tensor?](repeating: nil, count: nodes.count)
    if !readsCopy { held = [:] }
    guard let last = output.index else { return Cotangents(byIndex: cotangents, places: places) }
    cotangents[last] = cotangent
    for index in stride(from: last, through: 0, by: -1) {
      guard let pullback = nodes[index].pullback, let own = cotangents[index] else { continue }
      for (parent, part) in Swift.zip(nodes[index].parents, pullback(own)) where parent >= 0 {
        guard let part else { continue }
        precondition(
          part.shape == nodes[parent].shape,
          "\(nodes[index].operation!) pulled back \(part.shape) for \(nodes[parent].shape)")
        if cotangents[parent] == nil {
          cotangents[parent] = part
        } else {
          cotangents[parent]! += part
        }
      }
      nodes[index].pullback = nil
      cotangents[index] = nil
    }
    return Cotangents(byIndex: cotangents, places: places)
  }
}

/// A value on a tape.
public struct Variable {
  /// The tape that it stands on.
  public let tape: Tape
  /// The node, nil for a constant.
  let index: Int?
  /// What was computed.
  public let value: Tensor

  /// The extents of the value.
  public var shape: Shape { value.shape }
  /// Whether a gradient flows through it.
  public var needsGradient: Bool { index != nil }

  /// The same value with no gradient flowing through it.
  public var detached: Variable { tape.constant(value) }
}

/// What `backward` found: the cotangents of leaves.
public struct Cotangents {
  let byIndex: [Tensor?]
  let places: [ObjectIdentifier: Int?]

  /// The cotangent of a leaf; zeros when the output does not depend on it.
  public subscript(variable: Variable) -> Tensor {
    self[variable.index, variable.shape]
  }

  /// The cotangent of a parameter; zeros when it was not used.
  public subscript(parameter: Parameter) -> Tensor {
    self[places[ObjectIdentifier(parameter)] ?? nil, parameter.value.shape]
  }

  private subscript(index: Int?, shape: Shape) -> Tensor {
    index.flatMap { byIndex[$0] } ?? Tensor(repeating: 0, shape)
  }
}

/// Values that parameters count as on a tape that is told so: those of an average, say.
public protocol ParameterValues {
  /// The value that a parameter counts as, nil for its own.
  func value(of parameter: Parameter) -> Tensor?
}

/// A tensor that training changes, or (`isTrainable: false`) one that is only kept with a model.
public final class Parameter {
  /// What it is in its layer, such as `weight`; a file knows it by its path in the whole module.
  public let name: String
  /// The present value; its shape never changes.
  public var value: Tensor {
    get { present }
    set { change { $0 = newValue } }
  }
  private var present: Tensor
  /// Whether gradients are taken; running statistics, say, have none.
  public let isTrainable: Bool

  /// A parameter with its first value.
  public init(_ name: String, _ value: Tensor, isTrainable: Bool = true) {
    self.name = name
    present = value
    self.isTrainable = isTrainable
  }

  /// Changes the value where it stands: in its own memory, if nobody else holds that.
  ///
  /// A change through `value` is one of a copy, which is then put in its place.
  public func change(_ body: (inout Tensor) -> Void) {
    let shape = present.shape
    body(&present)
    precondition(present.shape == shape, "\(name): \(present.shape) for \(shape)")
  }
}
