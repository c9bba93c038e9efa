import Foundation
import Gradients
import Networks
import Tensors
import Testing

@testable import Digits
@testable import Methods

/// The loss of one network that another one labels for.
@Suite struct CrossLabelsTests {
  /// The learner's parameters come first.
  private struct Pair: Module {
    let learner, labeller: Perceptron

    init() {
      var stream = RandomStream(seed: 1, "pair")
      learner = Perceptron(Perceptron.Plan([4, 5, 3]), using: &stream)
      labeller = Perceptron(Perceptron.Plan([4, 5, 3]), using: &stream)
      TinyInstance.fill(self)
    }

    func method(_ settings: CrossSettings) -> CrossLabels<Perceptron> {
      CrossLabels(learner, settings, strong: Augmentation()) { [labeller] in
        labeller.probabilities($0)
      }
    }
  }

  private func settings(_ change: (inout CrossSettings) -> Void = { _ in }) -> CrossSettings {
    var settings = CrossSettings()
    (settings.steps, settings.ramp, settings.light) = (3000, 1000, Augmentation())
    settings.threshold = 0.4
    change(&settings)
    return settings
  }

  private let half = Moment(step: 500, epoch: 0)
  private let end = Moment(step: 3000, epoch: 0)

  /// Values by Benchmarks/golden_cross.py.
  @Test func lossAndGradientAreThoseOfAnotherLibrary() {
    let less = settings { $0.threshold = 0.35 }
    for (settings, moment, loss, norm) in [
      (settings(), half, 2.5394673220, 1.8848596380), (less, end, 3.2599166602, 2.0765908443),
    ] {
      let own = TinyInstance.lossAndGradientNorm(Pair().method(settings), at: moment)
      #expect(TinyInstance.agree(own.loss, loss), "\(own.loss)")
      #expect(TinyInstance.agree(own.norm, norm), "\(own.norm)")
    }
  }

  @Test func theGradientOfTheWholeLossIsThatOfTheLoss() {
    WholeLoss(method: Pair().method(settings()), batch: TinyInstance.batch, moment: half)
      .expectRight()
  }

  /// The labeller is no part of what is trained: it learns nothing, and no gradient reaches it.
  @Test func theLabellerIsNotTrained() {
    let pair = Pair()
    let method = pair.method(settings())
    #expect(
      method.parameters.map(ObjectIdentifier.init)
        == pair.learner.parameters.map(ObjectIdentifier.init))
    var noise = RandomStream(seed: 1, "noise")
    let tape = Tape()
    let loss = method.loss(TinyInstance.batch, at: end, on: tape, using: &noise)
    #expect(loss.parts.map(\.name) == ["labels", "agreement", "kept"])
    #expect(abs(loss.parts[2].value - 0.6) < 1e-6, "three of five reach .4")
    let gradient = tape.backward(from: loss.total)
    #expect(pair.labeller.parameters.allSatisfy { gradient[$0].maximumMagnitude() == 0 })
  }

  /// A cutout that covers the image leaves white paper, which tells who has seen it.
  @Test func theLabellerReadsLightImagesAndTheNetworkStrongOnes() {
    let (pair, batch) = (Pair(), TinyInstance.batch)
    let paper = Augmentation(erasing: .cutout(side: 9))
    var asked: [Tensor] = []
    func parts(
      light: Augmentation = Augmentation(), strong: Augmentation = Augmentation(),
      at moment: Moment
    ) -> [Float] {
      let settings = settings { ($0.light, $0.lastStrength) = (light, 0) }
      let method = CrossLabels(pair.learner, settings, strong: strong) {
        asked.append($0)
        return pair.labeller.probabilities($0)
      }
      var noise = RandomStream(seed: 1, "tiny")
      return method.loss(
        batch, at: moment, on: Tape(recording: false), using: &noise
      ).parts.map(\.value)
    }
    let found = parts(strong: paper, at: half)
    #expect(asked == [batch.unlabelled])
    let p = pair.learner.probabilities(Tensor(repeating: 0, [1, 1, 2, 2]))
    let sure = PseudoLabels(pair.labeller.probabilities(batch.unlabelled), threshold: 0.4)
    let own = batch.labelled.labels.reduce(Float(0)) { $0 - log(p[$1]) } / 4
    let others =
      sure.digits.indices.reduce(Float(0)) { $0 - sure.mask[$1] * log(p[sure.digits[$1]]) } / 5
    #expect(abs(found[0] - own) < 1e-5 && abs(found[1] - others) < 1e-5)
    _ = parts(light: paper, at: half)
    #expect(asked[1] == batch.unlabelled * 0)
    // All of the strength before the last third, none of it at the end.
    let noisy = Augmentation(noise: 3)
    #expect(parts(strong: noisy, at: end) == parts(at: end))
    #expect(parts(strong: noisy, at: half) != parts(at: half))
  }

  @Test func withoutTheirWeightItIsLabelsAlone() {
    let pair = Pair()
    let without = TinyInstance.lossAndGradientNorm(
      pair.method(settings { $0.weight = 0 }), at: end)
    let start = TinyInstance.lossAndGradientNorm(
      pair.method(settings()), at: Moment(step: 0, epoch: 0))
    var noise = RandomStream(seed: 1, "tiny")
    let supervised = Supervised(pair.learner).loss(
      TinyInstance.batch.labelled, at: end, on: Tape(), using: &noise)
    #expect(without.loss == Double(supervised.total.value.scalar))
    #expect(TinyInstance.agree(start.loss, without.loss), "and where the ramp begins")
  }
}

/// Networks in training, narrow ones on sixty images.
@Suite struct CrossTrainingTests {
  private static func settings(
    _ change: (inout CrossSettings) -> Void = { _ in }
  ) -> CrossSettings {
    var settings = CrossSettings()
    settings.networks[0].blocks = [(4, 5, 0, true), (6, 3, 0, true)]
    settings.networks[1].blocks = [(4, 3, 1, true), (5, 3, 1, true)]
    for network in 0..<2 { settings.networks[network].hidden = 12 }
    (settings.steps, settings.round, settings.ramp) = (8, 3, 2)
    (settings.labelled, settings.unlabelled) = (10, 15)
    // From the first step on most labels count, whatever they are.
    (settings.threshold, settings.decay, settings.estimatesStatistics) = (0.1, 0.5, false)
    change(&settings)
    return settings
  }

  private static func training(
    _ settings: CrossSettings = settings(), on set: ImageSet = .brightRows
  ) -> CrossTraining {
    CrossTraining(settings, on: set, Array(0..<20), set.withoutLabels(Array(20..<60)), seed: 1)
  }

  private static func run(_ training: CrossTraining) throws -> Data {
    while training.step < training.settings.steps { _ = try training.runRound {} }
    return FinalModel.archive(of: training, label: "t").encoded
  }

  @Test func theSameBitsComeOutWhateverTheLabelsOfTheOthers() throws {
    let set = ImageSet.brightRows
    var labels = set.labels
    labels.replaceSubrange(20..., with: labels[20...].reversed())
    let shuffled = ImageSet(pixels: set.pixels, labels: labels)
    let own = try Self.run(Self.training())
    #expect(try Self.run(Self.training(on: shuffled)) == own)
    labels[0] = 9 - labels[0]
    let wrong = ImageSet(pixels: set.pixels, labels: labels)
    #expect(try Self.run(Self.training(on: wrong)) != own, "a label that counts changes it")
    #expect(try Self.run(Self.training(Self.settings { $0.weight = 0 })) != own)
  }

  @Test func theSameBitsComeOutOnAnyNumberOfThreads() throws {
    let before = Parallel.threadCount
    defer { Parallel.threadCount = before }
    let found = try [1, 2, 3].map { threads in
      Parallel.threadCount = threads
      return try Self.run(Self.training())
    }
    #expect(found[0] == found[1] && found[0] == found[2])
  }

  /// Eight steps in rounds of three: after each it can be killed.
  @Test func aTrainingGoesOnFromAnyRoundToTheSameBits() throws {
    let whole = try Self.run(Self.training())
    let url = URL(fileURLWithPath: "checkpoint")
    for rounds in 0...3 {
      let first = Self.training()
      for _ in 0..<rounds { _ = try first.runRound {} }
      let kept = FinalModel.archive(of: first, label: "t")
      let second = Self.training()
      try FinalModel.restore(second, kept, label: "t", from: url)
      #expect(second.step == min(8, 3 * rounds))
      #expect(try Self.run(second) == whole, "after \(rounds) rounds")
      #expect(throws: (any Error).self) {
        try FinalModel.restore(Self.training(), kept, label: "another", from: url)
      }
    }
  }

  /// Each network learns what the others' averages said at the last exchange, and not its own.
  @Test func theLabelsAreThoseOfTheOthersAtTheLastExchange() throws {
    let images = ImageSet.brightRows.images(Array(20..<60))
    func expectLabels(
      _ settings: CrossSettings, _ asked: [[Int]], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let training = Self.training(settings)
      _ = try training.runRound {}
      let exchanged = training.averages
      _ = try training.runRound {}
      let then = training.networks.probabilities(images, values: exchanged).each
      let now = training.networks.probabilities(images, values: training.averages).each
      for (network, asked) in asked.enumerated() {
        let labels = training.trainings[network].method.labeller(images)
        let right = asked.map { then[$0] }.reduce(labels * 0, +) * (1 / Float(asked.count))
        let late = asked.map { now[$0] }.reduce(labels * 0, +) * (1 / Float(asked.count))
        #expect((labels - right).maximumMagnitude() < 1e-6, sourceLocation: sourceLocation)
        #expect((labels - late).maximumMagnitude() > 1e-4, sourceLocation: sourceLocation)
        let own = (labels - then[network]).maximumMagnitude()
        #expect((own < 1e-6) == (asked == [network]), sourceLocation: sourceLocation)
      }
    }
    try expectLabels(Self.settings(), [[1], [0]])
    try expectLabels(Self.settings { $0.labeller = .oneself }, [[0], [1]])
    try expectLabels(
      Self.settings { $0.networks.append($0.networks[0]) }, [[1, 2], [0, 2], [0, 1]])
  }

  @Test func whatIsShippedIsTheAverages() throws {
    let training = Self.training()
    _ = try Self.run(training)
    let averages = training.averages
    let weights = training.networks.networks.map { Snapshot(of: $0).tensors }
    #expect(weights != averages.map(\.tensors))
    let set = ImageSet.brightRows
    let before = training.networks.evaluate(set, Array(0..<60), values: averages) {}
    let networks = training.finish(set, Array(0..<20)) {}
    #expect(networks.networks.map { Snapshot(of: $0).tensors } == averages.map(\.tensors))
    let after = networks.evaluate(set, Array(0..<60)) {}
    #expect(after.all.confidences == before.all.confidences)
    let said = networks.probabilities(set.images(Array(0..<60)))
    #expect((said.all - (said.each[0] + said.each[1]) * 0.5).maximumMagnitude() == 0)
    #expect(after.all.predictions == said.all.predictions)
    #expect(after.each.map(\.predictions) == said.each.map(\.predictions))
  }

  /// Statistics that are estimated anew move nothing else.
  @Test func statisticsCanBeEstimatedAnew() throws {
    let training = Self.training(Self.settings { $0.estimatesStatistics = true })
    _ = try Self.run(training)
    let averages = training.averages
    let networks = try training.finish(.brightRows, Array(0..<60)) {}
    for (network, average) in zip(networks.networks, averages) {
      for (path, parameter) in network.namedParameters {
        let isSame = parameter.value == average.value(of: parameter)
        #expect(isSame == !path.contains("running"), "\(path)")
      }
    }
  }

  @Test func viewsAreAveraged() {
    let maps = [AffineMap(), AffineMap(shift: (1, 0)), AffineMap(rotation: 6)]
    let plain = CrossNetworks(Self.settings(), seed: 3, name: "views")
    let averaging = CrossNetworks(Self.settings { $0.views = maps }, seed: 3, name: "views")
    let images = ImageSet.brightRows.images(Array(0..<5))
    let parts = maps.map { plain.probabilities(images.warped(Array(repeating: $0, count: 5))).all }
    let mean = (parts[0] + parts[1] + parts[2]) * (1 / 3)
    #expect((averaging.probabilities(images).all - mean).maximumMagnitude() < 1e-6)
    #expect((plain.probabilities(images).all - mean).maximumMagnitude() > 1e-4)
  }

  @Test func anErrorInOneNetworkEndsTheRound() {
    struct Stop: Error {}
    #expect(throws: Stop.self) { _ = try Self.training().runRound { throw Stop() } }
  }
}

@Suite struct CrossSettingsTests {
  @Test func theCourseOfATraining() {
    var settings = CrossSettings()
    (settings.steps, settings.ramp, settings.weight) = (9000, 2000, 2)
    #expect([0, 6000, 7500, 9000].map(settings.late) == [0, 0, 0.5, 1])
    #expect([0, 500, 2000, 9000].map { settings.weight($0) } == [0, 0.5, 2, 2])
    #expect([0, 3000, 6000, 9000].map(settings.schedule.value) == [0.002, 0.002, 0.001, 0])
    let short = settings.shortened(to: 1.0 / 3)
    #expect(short.steps == 3000 && short.ramp == 667)
  }

  @Test func anAugmentationOfNoStrengthLeavesAnImageAsItIs() {
    var stream = RandomStream(seed: 1, "images")
    let images = stream.uniform([1, 6, 28, 28])
    for plan in [ConvolutionStack.Plan.kitsLayers, .largeFilters] {
      var noise = stream
      let weak = plan.augmentation.weakened(to: 0)(images, using: &noise)
      #expect((weak - images).maximumMagnitude() < 1e-6)
      let half = plan.augmentation.weakened(to: 0.5)
      #expect(half.rotation == plan.augmentation.rotation / 2)
      #expect(half.elastic!.strength == plan.augmentation.elastic!.strength / 2)
      #expect("\(plan.augmentation.weakened(to: 1))" == "\(plan.augmentation)")
    }
  }

  @Test func theLayersAreWhatTheirNamesSay() {
    let networks = CrossNetworks(CrossSettings(), seed: 1, name: "layers").networks
    let weights = networks.map { network in
      network.namedParameters.filter { $0.path.hasSuffix("weight") }.map {
        $0.parameter.value.shape.dimensions
      }
    }
    #expect(
      weights[0] == [
        [32, 1, 5, 5], [64, 32, 3, 3], [64, 64, 3, 3], [128, 64, 3, 3], [100, 512],
        [10, 100],
      ])
    #expect(
      weights[1] == [
        [24, 1, 5, 5], [64, 24, 5, 5], [96, 64, 3, 3], [128, 864], [10, 128],
      ])
  }
}
