import Gradients
import Tensors
import Testing

@Suite struct OperationTests {
  @Test(arguments: Operation.allCases)
  func everyPullbackAgreesWithFiniteDifferences(_ operation: Operation) {
    let check = GradientCheck()
    for sample in operation.samples {
      let tape = Tape()
      _ = sample.apply(sample.inputs.map { tape.variable($0) })
      #expect(tape.operations.contains(operation), "the sample does not use the operation")
      for (input, error) in check.relativeErrors(of: sample).enumerated() {
        #expect(error < check.tolerance, "input \(input): relative error \(error)")
      }
    }
  }

  @Test(arguments: Operation.allCases)
  func aPullbackThreePercentWrongIsRejected(_ operation: Operation) {
    let check = GradientCheck()
    for sample in operation.samples {
      for input in sample.inputs.indices {
        let errors = check.relativeErrors(of: sample) { $0 == input ? $1 * 1.03 : $1 }
        #expect(errors[input] > check.tolerance, "input \(input): passed with \(errors[input])")
      }
    }
  }

  /// A pullback that captured a variable would hold its tape in a circle, and leak every step.
  @Test(arguments: Operation.allCases)
  func noOperationHoldsItsTape(_ operation: Operation) {
    for sample in operation.samples {
      weak var leaked: Tape?
      do {
        let tape = Tape()
        leaked = tape
        let parameter = Parameter("p", sample.inputs[0])
        _ = sample.apply([tape(parameter)] + sample.inputs.dropFirst().map { tape.variable($0) })
      }
      #expect(leaked == nil)
    }
  }

  /// In a process of its own: the number of threads is one for all tests.
  @Test func bitsDoNotDependOnThreads() async {
    await #expect(processExitsWith: .success) {
      for operation in Operation.allCases {
        let results = [1, 2, 4].map { threads in
          Parallel.threadCount = threads
          return operation.samples.map { sample in
            let tape = Tape()
            let variables = sample.inputs.map { tape.variable($0) }
            let output = sample.apply(variables)
            let gradients = tape.backward(
              from: output, cotangent: Tensor(repeating: 0.5, output.shape))
            return [output.value.values] + variables.map { gradients[$0].values }
          }
        }
        let areSame = results[0] == results[1] && results[0] == results[2]
        #expect(areSame, "\(operation)")
      }
    }
  }
}

@Suite struct TapeTests {
  @Test func aVariableUsedTwiceAddsItsCotangents() {
    let tape = Tape()
    let x = tape.variable(Tensor([2], [3, -2]))
    let gradients = tape.backward(from: sum(x * x + x))
    #expect(gradients[x].values == [7, -3])
  }

  @Test func aParameterIsOneLeafHoweverOftenItIsUsed() {
    let weight = Parameter("w", Tensor([1], [5]))
    let tape = Tape()
    let gradients = tape.backward(from: sum(tape(weight) * tape(weight)))
    #expect(gradients[weight].values == [10])
  }

  @Test(arguments: [true, false])
  func theTapeTellsWhichParametersWereUsed(_ isRecording: Bool) {
    let parameters = ["a", "b", "c"].map { Parameter($0, Tensor(1)) }
    let kept = Parameter("running", Tensor(1), isTrainable: false)
    let tape = Tape(recording: isRecording)
    _ = tape(parameters[2]) * tape(kept) + tape(parameters[0]) * tape(parameters[2])
    #expect(tape.usedParameters.map(\.name) == ["c", "running", "a"])
  }

  @Test func nothingFlowsThroughConstantsAndDetachedValues() {
    let tape = Tape()
    let x = tape.variable(Tensor([1], [3]))
    let gradients = tape.backward(from: sum(x.detached * x))
    #expect(gradients[x].values == [3])
    #expect(Tape(recording: false).variable(Tensor(1)).needsGradient == false)
  }
}
