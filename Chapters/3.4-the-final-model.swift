import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.4: the model that `lab model` trains.
public enum TheFinalModel: Chapter {
  /// The chapter's number.
  public static let id = "3.4"
  /// The chapter's title.
  public static let title = "The final model: unlike networks that label for each other"
  /// The name of the value: of how many readings of the test set it is seen that they depend on the tile.
  public static let differingValue = "tiles.differing"
  /// Candidates, then the models.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheIdea(page)
    describe(page, FinalModel.settings)
    checkTheLoss(page, data)
    try checkTheLabels(page, data)
    let study = CrossStudy(page, data)
    let settings = try CrossChoice.make(page, study)
    let (kit, draws) = try train(page, study, settings)
    let figures = CrossFigures(page, data)
    figures.drawTheCourse(draws)
    figures.drawTheLabels(draws)
    try compareWithLabelsAlone(page, data, kit, draws)
    try compareTiles(page, study, settings)
    if let peak = page.kept.peakMegabytes {
      page.value("megabytes", peak, tolerance: 500, unit: "MB")
    }
    figures.showMistakes(kit[0], among: draws)
    countPlain(page, kit[0].mistakes.map(\.image))
    countShared(page, kit, draws)
    figures.showSureness(draws)
  }
}

// MARK: - The idea

extension TheFinalModel {
  private static func drawTheIdea(_ page: Page) {
    var flow = FlowDiagram(width: 110, height: 60, head: 0.85)
    flow.box(["images of a step", "with labels", "without labels"], x: 1...22, y: 22...36)
    for (name, low, edge, colour) in [("A", 39.0, 56.0, 0), ("B", 6.0, 2.0, 6)] {
      let (middle, height) = (low + 6.5, low...low + 13)
      flow.box(["network \(name)", "learns, images changed strongly"], x: 34...63, y: height)
      flow.box(["average of \(name)", "labels those without"], x: 82...104, y: height)
      flow.arrow([(22, 29), (28, 29), (28, middle), (34, middle)], colour: colour)
      flow.arrow([(63, middle), (82, middle)], colour: colour)
      flow.note("weights", x: 74, y: middle + 2)
      flow.arrow(
        [(11.5, name == "A" ? 36 : 22), (11.5, edge), (108, edge), (108, middle), (104, middle)])
      flow.note("without labels, moved lightly", x: 58, y: edge + (name == "A" ? 2 : -1.5))
    }
    flow.arrow([(93, 39), (93, 32), (67, 32), (67, 16), (63, 16)], colour: 0)
    flow.arrow([(88, 19), (88, 26), (71, 26), (71, 42), (63, 42)], colour: 6)
    flow.note("labels of A, for B", x: 82, y: 34)
    flow.note("labels of B, for A", x: 80, y: 24)
    page.figure(
      Figure(
        "idea", title: "Each network learns what the average of the other one is sure of",
        size: (820, 430), panels: [flow.panel]))
  }

  /// Weights and multiply-adds of the networks, layer by layer.
  private static func describe(_ page: Page, _ settings: CrossSettings) {
    let networks = CrossNetworks(settings, seed: page.seed, name: "sizes").networks
    for (index, network) in networks.enumerated() {
      let trainable = network.parameters.filter(\.isTrainable)
      let name = index == 0 ? "first" : "second"
      page.value("\(name).weights", Double(trainable.reduce(0) { $0 + $1.value.count }))
      page.value("\(name).products", multiplications(settings.networks[index]) / 1e6)
    }
    page.value("steps", Double(settings.steps))
    // How often an image is learnt from: 3,000 have a label, 57,000 have none.
    let steps = Double(settings.steps)
    page.value("passes.labelled", steps * Double(settings.labelled) / 3000)
    page.value("passes.others", steps * Double(settings.unlabelled) / 57_000)
  }

  /// The multiplications of one image in a forward pass.
  static func multiplications(_ plan: ConvolutionStack.Plan) -> Double {
    var (side, channels, sum) = (ImageSet.side, 1, 0)
    for block in plan.blocks {
      side += 2 * block.padding - block.kernel + 1
      sum += side * side * block.filters * channels * block.kernel * block.kernel
      channels = block.filters
      if block.pools { side /= 2 }
    }
    return Double(sum + channels * side * side * plan.hidden + plan.hidden * ImageSet.classCount)
  }
}

// MARK: - Checks

extension TheFinalModel {
  /// −ln of the softmax's probability of a digit.
  static func crossEntropy(_ z: [Double], _ digit: Int) -> Double {
    log(z.reduce(0) { $0 + exp($1) }) - z[digit]
  }

  /// The loss on real digits against the same by hand; who labels is a network of its own.
  private static func checkTheLoss(_ page: Page, _ data: MNIST) {
    var settings = CrossStudy.tiny(CrossSettings())
    // Below the middle of what an untrained labeller says, so that some labels count.
    (settings.light, settings.threshold) = (Augmentation(), 0.2)
    for index in 0..<2 { (settings.networks[index].keep, settings.networks[index].noise) = (1, 0) }
    let networks = CrossNetworks(settings, seed: page.seed, name: "\(id)/loss").networks
    var noise = RandomStream(seed: page.seed, id, "loss")
    var source = PairedBatches(
      LabelledBatches(of: data.train, Array(0..<10), size: 10, seed: 1, name: id),
      UnlabelledBatches(
        of: data.train.withoutLabels(Array(10..<60)), size: 50, seed: 1, name: id))
    let batch = source.next(using: &noise)
    let labels = networks[1].probabilities(batch.unlabelled)
    let method = CrossLabels(networks[0], settings, strong: Augmentation()) { _ in labels }
    let tape = Tape(recording: false)
    let loss = method.loss(batch, at: Moment(step: 1, epoch: 0), on: tape, using: &noise)
    let all = concatenation(
      [batch.labelled.images, batch.unlabelled].map { tape.constant($0) }, along: .rows)
    let logits = networks[0].logits(all, .trainingAside, using: &noise).value.values
    func row(_ values: [Float], _ row: Int) -> [Double] {
      values[10 * row..<10 * row + 10].map(Double.init)
    }
    // snippet.by-hand
    let own = batch.labelled.labels.enumerated().map { crossEntropy(row(logits, $0), $1) }
    let others = (0..<50).map { image -> Double in
      let q = row(labels.values, image)
      let best = q.indices.max { q[$0] < q[$1] }!
      return q[best] >= 0.2 ? crossEntropy(row(logits, 10 + image), best) : 0
    }
    // In step 1 of a ramp of 2 the others weigh a half.
    page.check(
      "the loss on its ramp, less that by hand, relative",
      Double(loss.total.value.scalar) / (Spread(own).mean + 0.5 * Spread(others).mean) - 1,
      atMost: 1e-5)
    // snippet.end
    let kept = others.count { $0 > 0 }
    page.check("labels of it that count, of 50", Double(kept), near: 25, tolerance: 24)
  }

  // snippet.shuffled
  /// Trains anew with other labels of all unlabelled images, then with others of the labelled ones.
  private static func checkTheLabels(_ page: Page, _ data: MNIST) throws {
    var settings = CrossStudy.tiny(CrossSettings())
    // Untrained networks are sure of little: a threshold at which some of their labels count.
    settings.threshold = 0.15
    let images = Array(0..<200)
    let digits = Array(data.train.labels[0..<200])
    let pixels = Array(data.train.pixels[0..<200 * ImageSet.pixelsPerImage])
    var kept: [Double] = []
    func weights(_ labels: [UInt8]) throws -> [Tensor] {
      let set = ImageSet(pixels: pixels, labels: labels)
      let training = CrossTraining(
        settings, on: set, Array(images[..<50]), set.withoutLabels(Array(images[50...])),
        seed: page.seed)
      while training.step < settings.steps { kept += try training.runRound {}.map(\.kept) }
      let finished = training.finish(set, Array(images[..<50])) {}
      return finished.networks.flatMap { $0.parameters.map(\.value) }
    }
    let own = try weights(digits)
    let shuffled = try weights(digits[..<50] + digits[50...].reversed())
    let wrong = try weights(digits[..<50].reversed() + digits[50...])
    func differing(_ other: [Tensor]) -> Double {
      Double(zip(own, other).count { $0 != $1 })
    }
    page.check(
      "labels that the networks give each other: the least share that counts", kept.min()!,
      atLeast: 0.1)
    page.check(
      "tensors that other labels of unlabelled images change", differing(shuffled), atMost: 0)
    page.check("tensors that other labels of labelled images change", differing(wrong), atLeast: 1)
  }
  // snippet.end
}

// MARK: - The models

extension TheFinalModel {
  /// The models of the kit's labels, of which the first is shipped, and those of five draws of labels.
  private static func train(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings
  ) throws -> (kit: [CrossOutcome], draws: [CrossOutcome]) {
    let jobs = CrossStudy.modelJobs(page.isQuick ? CrossStudy.tiny(settings) : settings)
    let models = try study.run("models", jobs)
    let (kit, draws) = (Array(models.prefix(5)), Array(models.dropFirst(5)))
    let names =
      kit.indices.map { $0 == 0 ? "kit" : "kit\($0 + 1)" } + draws.indices.map { "draw\($0 + 1)" }
    func give(_ name: String, _ value: (CrossOutcome) -> Double, _ tolerance: Double = 0.2) {
      for (key, model) in zip(names, models) {
        page.value("\(key).\(name)", value(model), tolerance: tolerance, unit: "%")
      }
      for (key, models) in [("mean", draws), ("seeds", kit)] {
        let all = Spread(models.map(value))
        page.value("\(key).\(name)", all, tolerance: tolerance, unit: "%")
        page.value("\(key).\(name).deviation", all.deviation, tolerance: tolerance, unit: "points")
      }
    }
    give("first") { $0.test.last![0] }
    give("second") { $0.test.last![1] }
    give("together", \.testError, 0.15)
    give("validation", \.validationError)
    let mean = Spread(draws.map(\.testError)).mean
    page.value("mean.accuracy", 100 - mean, tolerance: 0.15, unit: "%")
    page.value(
      "seeds.accuracy", 100 - Spread(kit.map(\.testError)).mean, tolerance: 0.15, unit: "%")
    page.value("kit.accuracy", 100 - models[0].testError, tolerance: 0.15, unit: "%")
    let minutes = models.map { $0.seconds / 60 }
    for (key, minutes) in zip(names, minutes) {
      page.value("\(key).minutes", minutes, tolerance: 60, unit: "min")
    }
    page.value("minutes.least", minutes.min()!, tolerance: 60, unit: "min")
    page.value("minutes.most", minutes.max()!, tolerance: 60, unit: "min")
    let best = 0.52
    page.quote("kit.best", best, source: "the kit's report: its Γ-model with augmentation")
    page.difference(
      "seeds.lead", PairedDifference(kit.map { _ in best }, minus: kit.map(\.testError)),
      tolerance: 0.15)
    page.claim("Zero lies outside of this interval.", "0 < seeds.lead.low")
    // Mistakes among 10,000 images.
    let (theirs, own) = (100 * best, Spread(kit.map { Double($0.mistakes.count) }).mean)
    page.value("lead.images", theirs - own, tolerance: 15)
    page.value("lead.chance", (theirs + own).squareRoot(), tolerance: 2)
    page.claim(
      "Each of the ten errs less than the best that the kit reports.",
      names.map { "\($0).together < kit.best" }.joined(separator: " and "))
    for (place, network) in ["first", "second"].enumerated() {
      page.difference(
        "together.over.\(network)",
        PairedDifference(draws.map { $0.test.last![place] }, minus: draws.map(\.testError)),
        tolerance: 0.1)
    }
    let readers: [(key: String, aim: Double, errors: [Double])] = [
      ("together", 0.35, draws.map(\.testError)), ("first", 0.42, draws.map { $0.test.last![0] }),
      ("second", 0.42, draws.map { $0.test.last![1] }),
    ]
    for (key, aim, errors) in readers {
      page.difference(
        "\(key).from.aim", PairedDifference(errors, minus: errors.map { _ in aim }), tolerance: 0.2)
    }
    page.claim(
      "In the mean of these draws the two together and the second alone miss their aims, and the first "
        + "alone meets its own.",
      "together.from.aim > 0 and second.from.aim > 0 and first.from.aim < 0")
    page.claim(
      "All three intervals hold zero.",
      readers.map { "\($0.key).from.aim.low < 0 and \($0.key).from.aim.high > 0" }
        .joined(separator: " and "))
    page.value("mean.noisy", Spread(draws.map(\.noisy)), tolerance: 0.2, unit: "%")
    page.difference(
      "statistics.gain",
      PairedDifference(draws.map(\.noisy), minus: draws.map(\.validationError)), tolerance: 0.2)
    page.claim(
      "At full length the old ones err less on validation.", "mean.noisy < mean.validation")
    page.claim(
      "On the test images they err less in the mean than on the validation images.",
      "mean.together < mean.validation")
    let recipe = try ["test", "validation"].map {
      try page.value("recipe.\($0)", ofChapter: "3.2", "chosen.\($0)")
    }
    for (part, accuracy) in zip(["test", "validation"], recipe) {
      page.value("recipe.\(part).error", 100 - accuracy, tolerance: 0.2, unit: "%")
    }
    page.claim(
      "Chapter 3.2's recipe, which has learnt from neither, does so too.",
      "recipe.test.error < recipe.validation.error")
    page.table(
      ["model", "validation, %", "first, %", "second, %", "together, %", "minutes"],
      zip(names, models).map { name, model in
        [name, String(format: "%.2f", model.validationError)]
          + model.test.last!.map { String(format: "%.2f", $0) }
          + [String(format: "%.0f", model.seconds / 60)]
      })
    return (kit, draws)
  }

  /// What the recipe for labels alone reaches on the same labels, and how both bear what they have
  /// not seen.
  private static func compareWithLabelsAlone(
    _ page: Page, _ data: MNIST, _ kit: [CrossOutcome], _ draws: [CrossOutcome]
  ) throws {
    let all = try LabelsAlone.run(page, data, draws: Array(0...draws.count))
    let alone = Array(all.dropFirst())
    let error = Spread(alone.map(\.error))
    page.value("alone.error", error, tolerance: 0.2, unit: "%")
    page.value("alone.error.deviation", error.deviation, tolerance: 0.2, unit: "points")
    page.value("alone.kit", all[0].error, tolerance: 0.3, unit: "%")
    let misread = try page.value("recipe.misread", ofChapter: "3.2", "chosen.misread")
    page.value(
      "seeds.gain", misread / 100 - Spread(kit.map(\.testError)).mean, tolerance: 0.25,
      unit: "points")
    let gain = PairedDifference(alone.map(\.error), minus: draws.map(\.testError))
    page.difference("gain", gain, tolerance: 0.25)
    // What other test images would move the difference by: the root of the mistakes of both.
    let mistakes = error.mean + Spread(draws.map(\.testError)).mean
    page.value(
      "gain.chance", (100 * mistakes).squareRoot() / 100, tolerance: 0.03, unit: "points")
    page.claim("The final model errs less than the recipe for labels alone.", "0 < gain.low")
    page.claim(
      "It is more than twice what chance makes of such numbers.", "gain > 2 * gain.chance")
    var rows: [[String]] = []
    for (place, distortion) in CrossLook.distortions.enumerated() {
      let (with, without) = (draws.map { $0.distorted[place] }, alone.map { $0.distorted[place] })
      page.value("\(distortion.key).ours", Spread(with), tolerance: 2, unit: "%")
      page.value("\(distortion.key).alone", Spread(without), tolerance: 2, unit: "%")
      page.difference(
        "\(distortion.key).gain", PairedDifference(without, minus: with),
        tolerance: max(0.2, Spread(without).mean / 4))
      rows.append(
        [distortion.words]
          + [with, without].map { String(format: "%.2f", Spread($0).mean) })
    }
    page.claim("Ours bears it better all the same.", "noisy.gain.low > 0")
    page.table(["test images", "final model, %", "chapter 3.2, %"], rows)
  }
}

// MARK: - What a person would say

extension TheFinalModel {
  /// Test images that the shipped model misreads and that we took for plainly their label, which we
  /// knew: at a first look, and at a second one.
  private static let plain: [Set<Int>] = {
    let first: Set = [359, 445, 1459, 4860, 6597, 6625, 9638, 9692]
    return [first, first.union([1242, 2035, 2447, 2597])]
  }()

  /// Test images whose label fewer than three of five annotators chose, by the public data.
  private static let rejected: Set = [
    947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729,
  ]

  private static func countPlain(_ page: Page, _ mistakes: [Int]) {
    for (look, plain) in zip(["first", "second"], plain) {
      let count = mistakes.count { plain.contains($0) }
      page.value("plain.\(look)", Double(count), tolerance: 8)
    }
    page.quote(
      "annotators.rejected", Double(rejected.count),
      source: "the public label errors of MNIST's test images (Northcutt et al. 2021)")
    let ours = mistakes.filter(rejected.contains)
    page.value("shipped.rejected", Double(ours.count), tolerance: 8)
    page.value("plain.rejected", Double(ours.count(where: plain[1].contains)), tolerance: 2)
  }
}

// MARK: - What all models misread

extension TheFinalModel {
  /// How many test images all models misread, and how many any of them does.
  private static func countShared(_ page: Page, _ kit: [CrossOutcome], _ draws: [CrossOutcome]) {
    for (name, models) in [("seeds", kit), ("all", kit + draws)] {
      let misread = models.map { Set($0.mistakes.map(\.image)) }
      let shared = misread.dropFirst().reduce(misread[0]) { $0.intersection($1) }
      let any = misread.reduce(Set()) { $0.union($1) }
      page.value("\(name).shared", Double(shared.count), tolerance: 10)
      page.value("\(name).any", Double(any.count), tolerance: 25)
    }
  }
}

// MARK: - Another tile

extension TheFinalModel {
  // snippet.tile
  /// Trains the first steps on either tile, and counts the predictions that differ.
  ///
  /// Built for a processor without AVX-512 the lab has one tile of its own, and this compares nothing.
  private static func compareTiles(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings
  ) throws {
    var start = page.isQuick ? CrossStudy.tiny(settings) : settings
    if !page.isQuick { (start.steps, start.ramp, start.decay) = (200, 100, 0.9) }
    // The tile is the calling thread's: on others the products would have the usual one.
    let threads = Parallel.threadCount
    Parallel.threadCount = 1
    defer { Parallel.threadCount = threads }
    var kept: [Double] = []
    let readings = try [Tile.wide, .narrow].map { tile -> [Int: [Float]] in
      let arm = CrossStudy.Arm("first steps, \(tile) tile", start)
      let outcome = try Kernels.$tile.withValue(tile.isPossible ? tile : Kernels.tile) {
        try study.run("\(tile) tile", [.init(arm, .everything)])[0]
      }
      kept += outcome.kept[0]
      return Dictionary(
        uniqueKeysWithValues: outcome.mistakes.map { ($0.image, [Float($0.read), $0.confidence]) })
    }
    // Who is in neither list is read by both as its label.
    let misread = Set(readings[0].keys).union(readings[1].keys)
    page.value("tiles.misread", Double(misread.count), tolerance: 300)
    page.value("tiles.kept", Spread(kept).mean, tolerance: 20, unit: "%")
    let differing = misread.count { readings[0][$0]?.first != readings[1][$0]?.first }
    page.value(differingValue, Double(differing))
    page.check(
      "readings, and their probabilities, that the narrow tile changes",
      Double(misread.count { readings[0][$0] != readings[1][$0] }), atMost: 0)
  }
  // snippet.end
}
