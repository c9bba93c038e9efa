import Gradients
import Networks
import Tensors
import Testing

@Suite struct OptimiserTests {
  /// Gradient descent on f(θ) = ½λθ² by an optimiser, and the θ after each step.
  func descend(
    _ kind: Momentum.Kind, λ: Float, μ: Double, ε: Float, steps: Int, weightDecay: Float = 0
  ) -> [Float] {
    let θ = Parameter("θ", Tensor([1], [1]))
    var rule = Momentum(kind, momentum: μ, weightDecay: weightDecay)
    return (0..<steps).map { step in
      rule.begin([θ], at: Moment(step: step, epoch: 0))
      let tape = Tape()
      let gradients = tape.backward(from: sum(tape(θ) * tape(θ) * (λ / 2)))
      rule.step([θ], gradients, rate: ε)
      return θ.value[0]
    }
  }

  @Test(arguments: [Momentum.Kind.classical, .nesterov])
  func momentumFollowsItsFormula(_ kind: Momentum.Kind) {
    let (λ, μ, ε): (Float, Float, Float) = (3, 0.9, 0.1)
    var (θ, v): (Float, Float) = (1, 0)
    let measured = descend(kind, λ: λ, μ: 0.9, ε: ε, steps: 50)
    for step in 0..<50 {
      v = μ * v - ε * λ * (kind == .classical ? θ : θ + μ * v)
      θ += v
      #expect(abs(measured[step] - θ) < 1e-5)
    }
  }

  /// The penalty ½w‖θ‖² makes the slope λθ of ½λθ² a slope of (λ + w)θ.
  @Test(arguments: [Momentum.Kind.classical, .nesterov])
  func weightDecayIsAPenaltyOnTheSquares(_ kind: Momentum.Kind) {
    let penalised = descend(kind, λ: 3, μ: 0.9, ε: 0.1, steps: 30, weightDecay: 0.5)
    let steeper = descend(kind, λ: 3.5, μ: 0.9, ε: 0.1, steps: 30)
    for (a, b) in zip(penalised, steeper) { #expect(abs(a - b) < 1e-5) }
  }

  /// Theorem 2.1 of the paper on momentum (Sutskever, Martens, Dahl & Hinton 2013).
  @Test func nesterovIsMomentumWithASmallerCoefficient() {
    let (λ, μ, ε): (Float, Float, Float) = (3, 0.9, 0.1)
    let nesterov = descend(.nesterov, λ: λ, μ: Double(μ), ε: ε, steps: 40)
    let classical = descend(.classical, λ: λ, μ: Double(μ * (1 - ε * λ)), ε: ε, steps: 40)
    for (a, b) in zip(nesterov, classical) { #expect(abs(a - b) < 1e-5) }
  }

  @Test func adamsFirstStepIsTheRateAgainstTheSign() {
    let θ = Parameter("θ", Tensor([2], [1, -4]))
    var rule = Adam()
    let tape = Tape()
    rule.step([θ], tape.backward(from: sum(tape(θ) * tape(θ))), rate: 0.01)
    #expect(abs(θ.value[0] - 0.99) < 1e-6 && abs(θ.value[1] + 3.99) < 1e-6)
  }

  @Test func schedulesKeepToTheirFormulas() {
    let μ = Schedule.sutskeverMomentum(maximum: 0.99)
    #expect([0, 249, 250, 1_000_000].map(μ.value(at:)) == [0.5, 0.5, 0.75, 0.99])
    let rate = Schedule.linearDecay(2, from: 10, to: 20, .epochs)
    #expect([0, 15, 20, 99].map(rate.value(at:)) == [2, 1, 0, 0])
    #expect(Schedule.exponential(1, factor: 0.5, every: 3, .steps).value(at: 7) == 0.25)
    // A schedule of epochs does not look at steps, nor one of steps at epochs.
    let moment = Moment(step: 600, epoch: 15)
    #expect(rate(moment) == 1 && μ(moment) == 1 - 1.0 / 6)
  }
}

@Suite struct LayerTests {
  static let variances: [(Initialiser, Float)] = [
    (.xavierUniform, 2.0 / 700), (.xavierNormal, 2.0 / 700), (.he, 2.0 / 400),
    (.gaussian(deviation: 0.01), 1e-4), (.fanInUniform, 1.0 / 1200),
    (.sparse(connections: 15), 15.0 / 400),
  ]

  @Test(arguments: variances)
  func initialisersHaveTheirVariance(_ initialiser: Initialiser, _ variance: Float) {
    var stream = RandomStream(seed: 1, "initialiser")
    let weights = initialiser.weights([300, 400], using: &stream)
    let measured = weights.sumOfSquares() / 120_000
    #expect(abs(measured / variance - 1) < 0.05, "\(measured)")
  }

  @Test func runningStatisticsApproachTheBatchs() {
    var stream = RandomStream(seed: 2, "normalisation")
    let layer = BatchNormalisation(features: 5)
    let x = stream.normal([64, 5], mean: 3, deviation: 2)
    for _ in 0..<200 { _ = layer(Tape(recording: false).constant(x), .training) }
    let y = layer(Tape(recording: false).constant(x), .evaluation).value.moments()
    #expect(y.mean.maximumMagnitude() < 1e-4)
    #expect((y.variance - Tensor(repeating: 63.0 / 64, [5])).maximumMagnitude() < 1e-3)
  }

  @Test func aPassAsideLeavesTheRunningStatistics() {
    var stream = RandomStream(seed: 2, "aside")
    let layer = BatchNormalisation(features: 5)
    let x = stream.normal([64, 5], mean: 3)
    let y = layer(Tape(recording: false).constant(x), .trainingAside).value
    #expect(y.moments().mean.maximumMagnitude() < 1e-4)
    #expect(layer.runningMean.value == Tensor(repeating: 0, [5]))
    #expect(layer.runningVariance.value == Tensor(repeating: 1, [5]))
  }

  @Test func statisticsEstimatedByHalvesAreThoseOfBoth() {
    var stream = RandomStream(seed: 2, "estimation")
    let layer = BatchNormalisation(features: 5)
    let halves = [Float(3), -1].map { stream.normal([64, 5], mean: $0, deviation: 2) }
    for (seen, half) in halves.enumerated() {
      let share = 1 / Float(seen + 1)
      _ = layer(Tape(recording: false).constant(half), .estimation(share: share))
    }
    let moments = halves.map { $0.moments() }
    let mean = (moments[0].mean + moments[1].mean) * 0.5
    let variance = (moments[0].variance + moments[1].variance) * (0.5 * 64 / 63)
    #expect((layer.runningMean.value - mean).maximumMagnitude() < 1e-5)
    #expect((layer.runningVariance.value - variance).maximumMagnitude() < 1e-5)
    #expect(!Phase.estimation(share: 1).isTraining)
  }
}
