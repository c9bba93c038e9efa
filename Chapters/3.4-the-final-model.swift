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
    let settings = try choose(page, study)
    let models = try train(page, study, settings)
    let figures = CrossFigures(page, data)
    figures.drawTheCourse(models.kit)
    try compareWithLabelsAlone(page, data, models)
    try askTheNarrowTile(page, study, settings, models.kit[0])
    figures.showMistakes(models.kit[0], among: models.all)
    figures.showSureness(models.all)
  }
}

// MARK: - The idea

extension TheFinalModel {
  private static func drawTheIdea(_ page: Page) {
    var flow = FlowDiagram(width: 108, height: 50, letter: 0.85)
    flow.box(["images without labels"], x: 1...22, y: 21...29)
    for (name, low, colour) in [("A", 34.0, 0), ("B", 2.0, 6)] {
      let (middle, height) = (low + 6.5, low...low + 13)
      flow.box(["network \(name)", "learns, image changed strongly"], x: 34...62, y: height)
      flow.box(["average of \(name)", "at the last exchange"], x: 80...102, y: height)
      flow.arrow([(22, 25), (28, 25), (28, middle), (34, middle)], colour: colour)
      flow.arrow([(62, middle), (80, middle)], colour: colour)
      flow.note("weights", x: 74, y: middle + 2)
    }
    flow.arrow([(92, 34), (92, 27), (66, 27), (66, 12), (62, 12)], colour: 0)
    flow.arrow([(86, 15), (86, 22), (70, 22), (70, 37), (62, 37)], colour: 6)
    flow.note("labels of A, for B", x: 81, y: 29)
    flow.note("labels of B, for A", x: 78, y: 20)
    page.figure(
      Figure(
        "idea", title: "Each network learns what the average of the other one is sure of",
        size: (820, 380), panels: [flow.panel]))
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
  // snippet.by-hand
  /// −ln of the softmax's probability of a digit.
  static func crossEntropy(_ z: [Double], _ digit: Int) -> Double {
    log(z.reduce(0) { $0 + exp($1) }) - z[digit]
  }
  // snippet.end

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
      return training.averages.flatMap(\.tensors)
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

// MARK: - The choice

extension TheFinalModel {
  /// Something that is left open, and the settings that answer it.
  private struct Question: Sendable {
    let key, words: String
    let answers: [Double]
    /// Whether something may lie beyond the ends.
    let isOpen: (low: Bool, high: Bool)
    let set: @Sendable (inout CrossSettings, Double) -> Void

    func settings(_ answer: Double, _ base: CrossSettings) -> CrossSettings {
      var settings = base
      set(&settings, answer)
      return settings
    }
  }

  // snippet.questions
  /// What is left open, each by a few answers; all else stays as the first settings have it.
  private static let questions = [
    Question(
      key: "strength", words: "augmentation left at the end", answers: [0, 0.25, 0.5, 1],
      isOpen: (false, false)
    ) { $0.lastStrength = Float($1) },
    Question(
      key: "rate", words: "rate", answers: [0.001, 0.002, 0.004, 0.008], isOpen: (true, true)
    ) { $0.rate = $1 },
    // All see as many images: smaller steps are more of them.
    Question(
      key: "batch", words: "images of a step", answers: [50, 100, 200], isOpen: (true, true)
    ) {
      let share = $1 / Double($0.labelled + $0.unlabelled)
      ($0.labelled, $0.unlabelled) = (Int($1 / 4), Int($1) - Int($1 / 4))
      ($0.steps, $0.ramp) = (Int(Double($0.steps) / share), Int(Double($0.ramp) / share))
    },
  ]
  // snippet.end

  /// Answers each question by validation, then asks whether all answers together are better.
  ///
  /// The first settings stay where nothing errs less by more than the standard error of one training.
  private static func choose(_ page: Page, _ study: CrossStudy) throws -> CrossSettings {
    let (base, asked) = (CrossSettings(), page.isQuick ? Array(questions.prefix(2)) : questions)
    func jobs(_ all: [CrossSettings]) -> [CrossStudy.Job] {
      all.map { CrossStudy.Job(.init("candidate", CrossStudy.short($0, page)), .views) }
    }
    // The first settings are an answer to each question, and are trained once.
    var all = [base]
    for question in asked {
      all += question.answers.map { question.settings($0, base) }.filter { settings in
        !all.contains { "\($0)" == "\(settings)" }
      }
    }
    let outcomes = try study.run("candidates", jobs(all))
    let read = outcomes.map { $0.test.count + $0.mistakes.count + $0.distorted.count }
    page.check("test images that the candidates have read", Double(read.reduce(0, +)), atMost: 0)
    func outcome(_ settings: CrossSettings) -> CrossOutcome {
      outcomes[all.firstIndex { "\($0)" == "\(settings)" }!]
    }
    let first = outcome(base)
    // The standard error of a share p of 10,000 images, in points.
    let p = first.validationError / 100
    let doubt = 100 * sqrt(p * (1 - p) / 10_000)
    page.value("validation.doubt", doubt, tolerance: 0.03, unit: "points")
    var combined = base
    var rows: [[String]] = []
    for question in asked {
      let errors = question.answers.map {
        outcome(question.settings($0, base)).validationError
      }
      rows += zip(question.answers, errors).map {
        [question.words, "\($0)", String(format: "%.2f", $1)]
      }
      let best = errors.indices.min { errors[$0] < errors[$1] }!
      let lead = first.validationError - errors[best]
      // The first settings begin with a standard error's start.
      let taken = page.choice(
        of: question.words,
        by: zip(question.answers, errors).map { answer, error in
          "\(question.settings(answer, base))" == "\(base)" ? error - doubt : error
        }, isOpen: question.isOpen)
      question.set(&combined, question.answers[taken])
      // Of answers that are as good as each other another processor may find another the best.
      page.value(
        "\(question.key).best", question.answers[best], tolerance: question.answers.max()! / 2)
      page.value("\(question.key).lead", lead, tolerance: 0.2, unit: "points")
    }
    let together = try study.run("combination", jobs([combined]))[0]
    page.table(
      ["question", "answer", "error on validation, %"],
      rows + [["all together", "", String(format: "%.2f", together.validationError)]])
    page.value("base.validation", first.validationError, tolerance: 0.3, unit: "%")
    page.value("combined.validation", together.validationError, tolerance: 0.3, unit: "%")
    let isBetter = together.validationError < first.validationError
    return finish(page, isBetter ? combined : base, isBetter ? together : first, doubt)
  }

  /// What is done with trained networks, by validation too: their statistics, and the views.
  private static func finish(
    _ page: Page, _ settings: CrossSettings, _ outcome: CrossOutcome, _ doubt: Double
  ) -> CrossSettings {
    page.value("statistics.noisy", outcome.noisy, tolerance: 0.3, unit: "%")
    for (views, error) in zip(CrossLook.views, outcome.views) {
      page.value("views.\(views.key)", error, tolerance: 0.3, unit: "%")
    }
    let best = outcome.views.indices.min { outcome.views[$0] < outcome.views[$1] }!
    var chosen = settings
    // Views take their number of times as long: they have to be worth it.
    if outcome.views[0] - outcome.views[best] > doubt { chosen.views = CrossLook.views[best].maps }
    chosen.estimatesStatistics = outcome.validationError <= outcome.noisy
    page.value("views.count", Double(chosen.views.count), tolerance: 4)
    if !page.isQuick {
      page.check(
        "what validation chooses is what `lab model` trains",
        "\(chosen)" == "\(FinalModel.settings)" ? 0 : 1, atMost: 0)
    }
    return chosen
  }
}

// MARK: - The models

extension TheFinalModel {
  /// Trainings of what is shipped: five seeds on the kit's labels, then five draws.
  private struct Models {
    let kit, draws: [CrossOutcome]
    var all: [CrossOutcome] { kit + draws }
  }

  private static func train(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings
  ) throws -> Models {
    let jobs = CrossStudy.modelJobs(
      page.isQuick ? CrossStudy.tiny(settings) : settings, isQuick: page.isQuick)
    let outcomes = try study.run("models", jobs)
    let models = Models(
      kit: Array(outcomes.prefix(outcomes.count - jobs.count / 2)),
      draws: Array(outcomes.suffix(jobs.count / 2)))
    for (name, outcomes) in [("kit", models.kit), ("draws", models.draws)] {
      let together = Spread(outcomes.map(\.testError))
      page.value("\(name).error", together, tolerance: 0.15, unit: "%")
      page.value("\(name).error.deviation", together.deviation, tolerance: 0.15, unit: "points")
      page.value("\(name).accuracy", 100 - together.mean, tolerance: 0.15, unit: "%")
      for (place, network) in ["first", "second"].enumerated() {
        let alone = Spread(outcomes.map { $0.test.last![place] })
        page.value("\(name).\(network)", alone, tolerance: 0.2, unit: "%")
        page.value("\(name).\(network).deviation", alone.deviation, tolerance: 0.2, unit: "points")
      }
      page.value(
        "\(name).validation", Spread(outcomes.map(\.validationError)), tolerance: 0.2, unit: "%")
    }
    page.value("shipped.error", models.kit[0].testError, tolerance: 0.15, unit: "%")
    let minutes = outcomes.map { $0.seconds / 60 }.sorted()[outcomes.count / 2]
    page.value("model.minutes", minutes, tolerance: 60, unit: "min")
    page.quote("kit.best", 0.52, source: "the kit's report: its Γ-model with augmentation")
    page.claim(
      "On the kit's labels it errs less than the best that the kit reports.",
      "kit.error < kit.best")
    for (place, network) in ["first", "second"].enumerated() {
      page.difference(
        "together.over.\(network)",
        PairedDifference(
          outcomes.map { $0.test.last![place] }, minus: outcomes.map(\.testError)),
        tolerance: 0.1)
    }
    page.claim(
      "Together the two err less than either alone.",
      "together.over.first.low > 0 and together.over.second.low > 0")
    page.table(
      ["model", "validation, %", "first, %", "second, %", "together, %", "minutes"],
      outcomes.enumerated().map { index, outcome in
        ["\(index)", String(format: "%.2f", outcome.validationError)]
          + outcome.test.last!.map { String(format: "%.2f", $0) }
          + [String(format: "%.0f", outcome.seconds / 60)]
      })
    return models
  }

  /// What the images without labels add, and how both bear what they have not seen.
  private static func compareWithLabelsAlone(
    _ page: Page, _ data: MNIST, _ models: Models
  ) throws {
    let draws = Array(1...5)
    let alone = try LabelsAlone.run(page, data, draws: page.isQuick ? [1] : draws)
    let ours = Array(models.draws.prefix(alone.count))
    let error = Spread(alone.map(\.error))
    page.value("alone.error", error, tolerance: 0.2, unit: "%")
    page.value("alone.error.deviation", error.deviation, tolerance: 0.2, unit: "points")
    let gain = PairedDifference(alone.map(\.error), minus: ours.map(\.testError))
    page.difference("gain", gain, tolerance: 0.25)
    page.claim("The final model errs less than the recipe for labels alone.", "gain.low > 0")
    var rows: [[String]] = []
    for (place, distortion) in CrossLook.distortions.enumerated() {
      let (with, without) = (
        Spread(ours.map { $0.distorted[place] }), Spread(alone.map { $0.distorted[place] })
      )
      page.value("\(distortion.key).ours", with, tolerance: 2, unit: "%")
      page.value("\(distortion.key).alone", without, tolerance: 2, unit: "%")
      rows.append([distortion.words] + [with, without].map { String(format: "%.2f", $0.mean) })
    }
    page.table(["test images", "final model, %", "chapter 3.2, %"], rows)
  }
}

// MARK: - Another tile

extension TheFinalModel {
  // snippet.tile
  /// Trains the first model once more on the narrow tile, and counts the predictions that differ.
  private static func askTheNarrowTile(
    _ page: Page, _ study: CrossStudy, _ settings: CrossSettings, _ shipped: CrossOutcome
  ) throws {
    let arm = CrossStudy.Arm(
      "model on the narrow tile", page.isQuick ? CrossStudy.tiny(settings) : settings)
    // The tile is the calling thread's: on others the products would have the usual one.
    let threads = Parallel.threadCount
    Parallel.threadCount = 1
    defer { Parallel.threadCount = threads }
    let again = try Kernels.$tile.withValue(Tile.narrow.isPossible ? .narrow : Kernels.tile) {
      try study.run("narrow tile", [.init(arm, .everything)])[0]
    }
    func readings(_ outcome: CrossOutcome) -> [Int: Int] {
      Dictionary(uniqueKeysWithValues: outcome.mistakes.map { ($0.image, $0.read) })
    }
    // Who is in neither list is read by both as its label.
    let (wide, narrow) = (readings(shipped), readings(again))
    let differing = Set(wide.keys).union(narrow.keys).count { wide[$0] != narrow[$0] }
    page.value("tiles.differing", Double(differing))
    page.check("predictions that the narrow tile changes", Double(differing), atMost: 0)
  }
  // snippet.end
}
