import func Foundation.exp
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

  @Test(arguments: Operation.allCases)
  func bitsDoNotDependOnThreads(_ operation: Operation) {
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
    #expect(results[0] == results[1] && results[0] == results[2])
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

  @Test func nothingFlowsThroughConstantsAndDetachedValues() {
    let tape = Tape()
    let x = tape.variable(Tensor([1], [3]))
    let gradients = tape.backward(from: sum(x.detached * x))
    #expect(gradients[x].values == [3])
    #expect(Tape(recording: false).variable(Tensor(1)).needsGradient == false)
  }

  /// Backpropagation written out by hand for two layers, as an oracle for the tape.
  @Test func theTapeAgreesWithBackpropagationByHand() {
    var stream = RandomStream(seed: 3, "oracle")
    let (x, w, v) = (stream.normal([4, 6]), stream.normal([5, 6]), stream.normal([3, 5]))
    let labels = [0, 2, 1, 1]

    let tape = Tape()
    let (W, V) = (tape.variable(w), tape.variable(v))
    let hidden = affine(
      tape.constant(x), W, tape.constant(Tensor(repeating: 0, [5])), activation: .sigmoid)
    let logits = affine(hidden, V, tape.constant(Tensor(repeating: 0, [3])))
    let gradients = tape.backward(from: softmaxCrossEntropy(logits: logits, labels: labels))

    var wGradient = [Double](repeating: 0, count: 30)
    var vGradient = [Double](repeating: 0, count: 15)
    for (row, label) in labels.enumerated() {
      let input = (0..<6).map { Double(x[row * 6 + $0]) }
      let h = (0..<5).map { unit in
        1 / (1 + Foundation.exp(-(0..<6).reduce(0.0) { $0 + Double(w[unit * 6 + $1]) * input[$1] }))
      }
      let z = (0..<3).map { k in (0..<5).reduce(0.0) { $0 + Double(v[k * 5 + $1]) * h[$1] } }
      let total = z.reduce(0.0) { $0 + Foundation.exp($1) }
      let delta = (0..<3).map { (Foundation.exp(z[$0]) / total - ($0 == label ? 1 : 0)) / 4 }
      for unit in 0..<5 {
        let back = (0..<3).reduce(0.0) { $0 + delta[$1] * Double(v[$1 * 5 + unit]) }
        for k in 0..<3 { vGradient[k * 5 + unit] += delta[k] * h[unit] }
        for i in 0..<6 {
          wGradient[unit * 6 + i] += back * h[unit] * (1 - h[unit]) * input[i]
        }
      }
    }
    for i in 0..<30 { #expect(abs(Double(gradients[W][i]) - wGradient[i]) < 1e-6) }
    for i in 0..<15 { #expect(abs(Double(gradients[V][i]) - vGradient[i]) < 1e-6) }
  }
}
