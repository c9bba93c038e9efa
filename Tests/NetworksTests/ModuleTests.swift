import Gradients
@testable import Networks
import Tensors
import Testing

@Suite struct ModuleTests {
  struct Block: Module {
    let weight: Parameter
    let branches: [Dense]
    var extra: Dense?
    let pair: (Parameter, Int)
    let settings = [1, 2, 3]
    let name = "a block"
  }

  func parameter(_ count: Int = 1) -> Parameter {
    Parameter("p", Tensor(repeating: 0, [count]))
  }

  func dense() -> Dense {
    var stream = RandomStream(seed: 1, "dense")
    return Dense(inputs: 3, outputs: 2, initialiser: .he, using: &stream)
  }

  @Test func parametersAreFoundByTheirPaths() {
    let block = Block(
      weight: parameter(), branches: [dense(), dense()], extra: dense(), pair: (parameter(), 3))
    #expect(
      block.namedParameters.map(\.path) == [
        "weight", "branches.0.weight", "branches.0.bias", "branches.1.weight", "branches.1.bias",
        "extra.weight", "extra.bias", "pair.0",
      ])
    #expect(
      Block(weight: parameter(), branches: [], extra: nil, pair: (parameter(), 0)).parameters.count
        == 2)
  }

  @Test func whatStandsTwiceIsListedOnceAndAnAverageNotAtAll() {
    struct Tied: Module {
      let encoder, decoder: Dense
      let average: ParameterAverage
    }
    let (shared, other) = (dense(), dense())
    let tied = Tied(
      encoder: shared, decoder: shared, average: ParameterAverage(of: other, decay: 0.5))
    #expect(tied.namedParameters.map(\.path) == ["encoder.weight", "encoder.bias"])
  }

  @Test func aModuleThatLeadsBackToItselfIsSearchedOnce() {
    final class Node: Module {
      let parameter: Parameter
      var next: Node?
      init(_ parameter: Parameter) { self.parameter = parameter }
    }
    let node = Node(parameter())
    node.next = node
    #expect(node.parameters.count == 1)
  }

  class Base: Module {
    let first: Parameter
    init(_ first: Parameter) { self.first = first }
  }
  final class Derived: Base {
    let second: Parameter
    init(_ first: Parameter, _ second: Parameter) {
      self.second = second
      super.init(first)
    }
  }

  @Test func noPlaceForAParameterIsOverlooked() {
    struct Keyed: Module { let layers: [String: Dense] }
    let keyed = Keyed(layers: ["c": dense(), "a": dense(), "b": dense()])
    #expect(
      keyed.namedParameters.map(\.path) == [
        "layers.a.weight", "layers.a.bias", "layers.b.weight", "layers.b.bias",
        "layers.c.weight", "layers.c.bias",
      ])
    #expect(Derived(parameter(), parameter()).namedParameters.map(\.path) == ["first", "second"])
    struct Mixed: Module { let parts: [Any] }
    #expect(Mixed(parts: [3, parameter()]).namedParameters.map(\.path) == ["parts.1"])
  }

  @Test func whatHasNoOrderOrIsNotThereYetEndsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      final class Key: Hashable {
        let p = Parameter("p", Tensor(repeating: 0, [1]))
        static func == (a: Key, b: Key) -> Bool { a === b }
        func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
      }
      struct Unordered: Module { let keys: Set<Key> }
      _ = Unordered(keys: [Key(), Key()]).parameters
    }
    await #expect(processExitsWith: .failure) {
      struct Late: Module { lazy var p = Parameter("p", Tensor(repeating: 0, [1])) }
      _ = Late().parameters
    }
  }

  @Test func aCopyOfAnotherModuleEndsTheProgram() async {
    await #expect(processExitsWith: .failure) {
      struct One: Module { let p: Parameter }
      let one = One(p: Parameter("p", Tensor(repeating: 0, [1])))
      let other = Parameter("q", Tensor(repeating: 0, [1]))
      _ = Tape(recording: false, values: Snapshot(of: one))(other)
    }
  }

  @Test func aCopyOutlivesItsNetwork() {
    let x = Tensor([1, 3], [1, 2, 3])
    for _ in 0..<20 {
      let copy = Snapshot(of: dense())
      // A new layer must not be taken for the one that is gone.
      let other = dense()
      #expect(copy.value(of: other.weight) == nil && copy.tensors.count == 2)
      _ = other(Tape(recording: false).constant(x))
    }
  }

  @Test func aSnapshotSharesNothingWithItsNetwork() {
    let layer = dense()
    let x = Tensor([1, 3], [1, 2, 3])
    func output(_ values: (any ParameterValues)?) -> Tensor {
      layer(Tape(recording: false, values: values).constant(x)).value
    }
    let (before, copy) = (output(nil), Snapshot(of: layer))
    layer.weight.value = layer.weight.value * 2
    #expect(output(copy) == before && output(nil) != before)
    copy.restore()
    #expect(output(nil) == before)
    // What a copy computes on a tape that records reaches no parameter.
    let tape = Tape(values: copy)
    #expect(!layer(tape.constant(x)).needsGradient && tape.usedParameters.isEmpty)
  }

  @Test func anAverageFollowsItsFormula() {
    let module = One(p: parameter())
    let average = ParameterAverage(of: module, decay: 0.9)
    var expected: Float = 0
    for step in 1...5 {
      module.p.value = Tensor([1], [Float(step)])
      average.finishStep()
      expected = 0.9 * expected + 0.1 * Float(step)
      #expect(abs(average.value(of: module.p)!.scalar - expected) < 1e-5)
    }
  }

  /// The averages of a rule's own pass are those of a pass after it, to the bit, whatever they hold:
  /// a part of the module, what has no gradient, and what the rule knows nothing of.
  @Test(arguments: [0, 1, 2])
  func averagesMoveWithTheRuleAsTheyWouldAfterIt(_ which: Int) {
    struct Net: Module {
      let a, b: Parameter
      let statistics: Parameter
    }
    struct Part: Module { let b, statistics, elsewhere: Parameter }
    var stream = RandomStream(seed: 1, "averages")
    let net = Net(
      a: Parameter("a", stream.normal([40, 33])), b: Parameter("b", stream.normal([7])),
      statistics: Parameter("s", stream.normal([5]), isTrainable: false))
    let part = Part(
      b: net.b, statistics: net.statistics, elsewhere: Parameter("e", stream.normal([3])))
    let averages = [
      ParameterAverage(of: net, decay: 0.9), ParameterAverage(of: part, decay: 0.5),
    ]
    var wanted = averages.map(\.snapshot.tensors)
    var adam = Adam()
    var momentum = Momentum(which == 1 ? .classical : .nesterov, momentum: 0.9)
    for step in 0..<4 {
      if which > 0 { momentum.begin(net.parameters, at: Moment(step: step, epoch: 0)) }
      let tape = Tape()
      let gradients = tape.backward(
        from: sum(tape(net.a) * tape(net.a)) + sum(tape(net.b) * tape(net.b)))
      if which == 0 {
        adam.step(net.parameters, gradients, rate: 0.01, averages: averages)
      } else {
        momentum.step(net.parameters, gradients, rate: 0.01, averages: averages)
      }
      net.statistics.value = net.statistics.value * 0.5
      for average in averages { average.finishStep() }
      for (index, (average, module)) in zip(averages, [net, part] as [any Module]).enumerated() {
        wanted[index] = zip(wanted[index], module.parameters).map { old, parameter in
          old.zip(parameter.value) { $0 + ($1 - $0) * (1 - average.decay) }
        }
        #expect(average.snapshot.tensors == wanted[index])
      }
    }
  }

  /// After the pullbacks nobody holds a parameter's memory but the parameter.
  @Test func aStepWritesParametersWhereTheyStand() {
    let parameter = Parameter("p", Tensor(repeating: 1, [100]))
    let average = ParameterAverage(of: One(p: parameter), decay: 0.9)
    var rule = Adam()
    var places: [Set<UnsafePointer<Float>>] = []
    for _ in 0..<3 {
      let tape = Tape()
      let loss = sum(tape(parameter) * tape(parameter))
      rule.step([parameter], tape.backward(from: loss), rate: 0.1, averages: [average])
      average.finishStep()
      places.append([parameter.value.pointer, average.value(of: parameter)!.pointer])
      #expect(tape.usedParameters.count == 1 && loss.value.scalar > 0)
    }
    #expect(places[1] == places[0] && places[2] == places[0])
  }

  private struct One: Module { let p: Parameter }
}
