import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.8: layers that are pretrained to undo a corruption, then fine-tuned.
public enum DenoisingAutoencoders: Chapter {
  /// The chapter's number.
  public static let id = "3.3.8"
  /// The chapter's title.
  public static let title = "Denoising auto-encoders, stacked"
  /// What the layers are, candidates, draws.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    page.value("images", Double(data.train.count))
    drawTheNetwork(page)
    checkTheLoss(page, data.train)
    checkTheDenoiser(page, data.train)
    checkTheStack(page, data.train)
    let pretraining = StackPretraining(page, data.train)
    try lookAtTheLayers(page, pretraining)
    try fineTune(page, data, pretraining)
  }

  private static func drawTheNetwork(_ page: Page) {
    page.figure(
      Figure(
        "network", title: "Each layer learns to fill holes; what it learnt is a place to start",
        size: (760, 330), columns: 2,
        panels: [
          NetworkDiagram.panel(
            "pretraining of one layer: the target of z is x, not x̃",
            [
              .init("x", "pixels", units: 7),
              .init("x̃", "masked", units: 7, hollow: [1, 4], isJoined: false),
              .init("y", "s(Wx̃ + b)", units: 9), .init("z", "s(Wᵀy + b′)", units: 7),
            ]),
          NetworkDiagram.panel(
            "fine-tuning of the stack: nothing is masked",
            [
              .init("x", "784", units: 7), .init("y¹", "1,000", units: 9),
              .init("y²", "1,000", units: 9), .init("y³", "1,000", units: 9),
              .init("P", "10", units: 4),
            ]),
        ]))
  }
}

// MARK: - The loss

extension DenoisingAutoencoders {
  // snippet.plainly
  /// The loss number by number, in Double: each image's cross-entropy, in the mean.
  static func loss(
    _ weight: [Double], _ bias: [Double], _ visible: [Double], clean: [[Double]],
    isSeen: [[Bool]]
  ) -> Double {
    func s(_ t: Double) -> Double { 1 / (1 + exp(-t)) }
    let inputs = visible.count
    let losses = zip(clean, isSeen).map { x, isSeen in
      let y = bias.indices.map { j in
        s(x.indices.reduce(bias[j]) { $0 + (isSeen[$1] ? weight[j * inputs + $1] * x[$1] : 0) })
      }
      return x.indices.reduce(0.0) { sum, i in
        let z = s(y.indices.reduce(visible[i]) { $0 + weight[$1 * inputs + i] * y[$1] })
        return sum - x[i] * log(z) - (1 - x[i]) * log(1 - z)
      }
    }
    return losses.reduce(0, +) / Double(clean.count)
  }
  // snippet.end

  private static func checkTheLoss(_ page: Page, _ set: ImageSet) {
    let (inputs, count, masking) = (ImageSet.pixelsPerImage, 5, Float(0.25))
    var stream = RandomStream(seed: page.seed, id, "check of the loss")
    let layer = DenoisingAutoencoder(
      inputs: inputs, hidden: 12, masking: masking, using: &stream)
    let images = set.images(0..<count)
    var noise = RandomStream(seed: page.seed, id, "check of the loss", "masks")
    var same = noise
    let seen = same.bernoulli([count, inputs], probability: 1 - masking)
    let tape = Tape()
    let total = layer.loss(images, at: Moment(step: 0, epoch: 0), on: tape, using: &noise).total
    func rows(_ values: [Float]) -> [[Float]] {
      (0..<count).map { Array(values[$0 * inputs..<($0 + 1) * inputs]) }
    }
    func plainly(_ weight: [Double]) -> Double {
      loss(
        weight, layer.encoder.bias.value.values.map(Double.init),
        layer.visibleBias.value.values.map(Double.init),
        clean: rows(images.values).map { $0.map(Double.init) },
        isSeen: rows(seen.values).map { $0.map { $0 == 1 } })
    }
    let weight = layer.encoder.weight.value.values.map(Double.init)
    let wanted = plainly(weight)
    page.check(
      "the loss of five masked digits, against Double",
      (Double(total.value.scalar) - wanted) / wanted, atMost: 3e-6)
    let direction = stream.normal(layer.encoder.weight.value.shape)
    let along = zip(weight, direction.values).map { w, d in (w: w, d: Double(d)) }
    let slope = Routes.centralDifference(at: 0, step: 1e-4) { t in
      plainly(along.map { $0.w + t * $0.d })
    }
    let gradient = tape.backward(from: total)[layer.encoder.weight]
    page.check(
      "the gradient of the weights that stand at both places, along a direction",
      (gradient.dot(direction) - slope) / slope, atMost: 1e-4)
    let share = 1 - Double(seen.sum()) / Double(seen.count)
    // Three standard errors of 3,920 trials.
    page.check("the share of numbers that are masked", share, near: 0.25, tolerance: 0.021)
  }

  /// Nine pixels in the middle of digits, for which the best linear denoiser is known.
  private static func checkTheDenoiser(_ page: Page, _ set: ImageSet) {
    let images = set.images(0..<2000)
    let places = (12...14).flatMap { row in (12...14).map { row * ImageSet.side + $0 } }
    let examples = (0..<2000).map { image in
      places.map { Double(images[image * ImageSet.pixelsPerImage + $0]) }
    }
    for (name, masking) in [("none", 0), ("quarter", 0.25), ("half", 0.5)] {
      let denoiser = LinearDenoiser(examples, masking: masking)
      page.check(
        "masking \(masking): the slope of all masks at the best linear denoiser",
        denoiser.slope(at: denoiser.matrix), atMost: 1e-11)
      // Of weights that are no minimum, lest a part be missed that vanishes there.
      let weights = denoiser.matrix.map { $0.map { 0.5 + 2 * $0 } }
      let error = denoiser.error(of: weights)
      page.check(
        "masking \(masking): the error over all masks is that of (1 − ν)A and a penalty",
        (denoiser.penalisedError(of: weights) - error) / error, atMost: 1e-12)
      page.value("linear.\(name)", denoiser.copied, tolerance: 1e-6)
    }
    page.claim(
      "With noise much less of a pixel comes back by way of itself.",
      "linear.quarter < 0.6 * linear.none")
  }

  private static func checkTheStack(_ page: Page, _ set: ImageSet) {
    var stream = RandomStream(seed: page.seed, id, "check of the stack")
    let network = StackedAutoencoder([ImageSet.pixelsPerImage, 20, 10], using: &stream)
    let images = set.images(0..<50)
    var below = images
    var noise = stream
    network.pretrain(masking: 0.25, using: &stream) { layer, index, change in
      // A layer that was changed by hand must be found in the network, at its place.
      layer.encoder.weight.value = layer.encoder.weight.value * 0.5
      layer.encoder.bias.value = Tensor(
        repeating: Float(index) - 0.5, layer.encoder.bias.value.shape)
      let input = change(images, &noise)
      let rows = below.reshaped([50, below.count / 50])
      page.check(
        "layer \(index + 1) learns from what those below make of clean images",
        Double((input.reshaped(rows.shape) - rows).maximumMagnitude()), atMost: 0)
      below = layer.features(below)
    }
    page.check(
      "the stack starts as its layers were left",
      Double((network.features(images, below: 2) - below).maximumMagnitude()), atMost: 0)
  }
}

// MARK: - What is learnt without labels

extension DenoisingAutoencoders {
  private static func lookAtTheLayers(_ page: Page, _ pretraining: StackPretraining) throws {
    let looks = try pretraining.looks(page)
    let levels = StackPretraining.levels.sorted()
    for level in levels {
      let (look, name) = (looks[level]!, "noise\(Int((100 * level).rounded()))")
      page.value("\(name).copying", look.copying, tolerance: 1, unit: "%")
      page.value("\(name).filling", look.filling, tolerance: 5, unit: "%")
      page.value("\(name).pixels", look.pixels, tolerance: 20, unit: "pixels")
    }
    page.table(
      ["masking noise", "error on whole digits", "error in the holes", "pixels a filter uses"],
      levels.map { level in
        let look = looks[level]!
        return ["\(level)"]
          + [look.copying, look.filling, look.pixels].map { String(format: "%.1f", $0) }
      })
    page.claim(
      "Without noise a layer copies better than with it, and fills holes worse.",
      "noise0.copying < noise25.copying and noise0.filling > noise25.filling")
    page.claim(
      "With a quarter of the pixels masked a filter uses fewer of them than with none.",
      "noise25.pixels < noise0.pixels")
    // How much the last epoch still gave, in percent of the loss before it.
    let losses = looks[StackPretraining.masking]!.losses
    for (index, loss) in losses.enumerated() {
      let before = loss[max(0, loss.count - 2)]
      page.value(
        "layer\(index + 1).last", 100 * (before - loss.last!) / before, tolerance: 0.5, unit: "%")
    }
    page.figure(
      Figure(
        "filters",
        title:
          "Filters of the first layer: specks without masking, dots and strokes among them with it",
        size: (760, 500), columns: 2,
        panels: levels.map { level in
          Panel(
            title: "\(Int((100 * level).rounded())) % masked",
            marks: [
              .images(
                looks[level]!.pictures, captions: looks[level]!.pictures.map { _ in "" },
                columns: 10)
            ])
        }))
  }
}

// MARK: - What it is worth

extension DenoisingAutoencoders {
  private typealias Start = StackFineTuning.Start

  private static func fineTune(
    _ page: Page, _ data: MNIST, _ pretraining: StackPretraining
  ) throws {
    let study = Study(page, data)
    let arms = StackFineTuning.arms(pretraining)
    var report = OutcomeReport(page)
    let counts = [1000, 3000]
    let draws = counts.map { LabelDraw.all(labels: $0, page) }
    let choices = try study.choose(arms, on: draws.map { $0.last! })
    let outcomes = try study.run(arms, choices, on: draws)
    for (group, labels) in counts.enumerated() {
      for ((start, choice), outcomes) in zip(
        zip(Start.allCases, choices[group]), outcomes[group])
      {
        let rate = StackFineTuning.rates[choice]
        page.value("\(start.rawValue).\(labels).rate", rate, tolerance: 3 * rate)
        report.add(start.rawValue, labels: labels, outcomes)
      }
    }
    // What is best at a third of the length need not be best at the whole: with 3,000 labels a
    // control, a random start at the rate of the pretrained.
    let (random, pretrained) = (
      Start.allCases.firstIndex(of: .random)!, Start.allCases.firstIndex(of: .denoising)!
    )
    let control = try study.run([arms[random]], [[choices[1][pretrained]]], on: [draws[1]])
    report.add("same", labels: 3000, control[0][0])
    page.giveValidation(
      [("random", outcomes[1][random]), ("same", control[0][0])], labels: 3000)
    report.giveValues()
    report.giveSeconds("denoising", "same")
    for labels in counts {
      for start in [Start.random, .denoising] { report.giveLengths(start.rawValue, labels) }
    }
    report.giveLengths("same", 3000)
    drawCurves(page, report, counts)
    compare(page, report, counts)
    // One hidden layer from random weights, on the same draws.
    for labels in counts {
      try page.value("one.\(labels)", ofChapter: "3.3.7", "random.\(labels).test")
    }
    page.claim(
      "The three layers err more from random weights than that one, in the mean.",
      "random.1000.test > one.1000 and same.3000.test > one.3000")
    quotePapers(page)
  }

  private static func drawCurves(_ page: Page, _ report: OutcomeReport, _ counts: [Int]) {
    let panels = [
      (1000, Start.random.rawValue, "random start"), (1000, Start.plain.rawValue, "no noise"),
      (1000, Start.denoising.rawValue, "denoising"),
      (3000, "same", "random start, the others' rate"),
      (3000, Start.plain.rawValue, "no noise"), (3000, Start.denoising.rawValue, "denoising"),
    ]
    page.figure(
      Figure(
        "curves",
        title: "Pretrained layers err less from the first point on",
        size: (980, 640), columns: 3,
        panels: panels.map { labels, key, words in
          report.panel(
            "\(words), \(OutcomeReport.words(labels))", key, labels,
            x: page.isQuick
              ? Axis("step (batches of 100)")
              : Axis("step (batches of 100)", ticks: [360, 720, 1080].map { ($0, "\(Int($0))") }),
            highest: 20)
        }))
  }

  private static func compare(_ page: Page, _ report: OutcomeReport, _ counts: [Int]) {
    page.giveGains(
      [
        ("gain", "against a random start", Start.random.rawValue, Start.denoising.rawValue),
        ("noise.gain", "against no noise", Start.plain.rawValue, Start.denoising.rawValue),
      ],
      [
        (
          ("same.gain", "against that start at the other rate", "same", Start.denoising.rawValue),
          3000
        )
      ], of: report, labels: counts,
      title: "Pretraining by denoising gains over a random start, and over one without noise",
      axis: "test error of the other less that of denoising, points", size: (800, 290))
    page.claim(
      "At full length it prefers the higher rate.",
      "same.3000.validation < random.3000.validation")
    page.claim(
      "At an equal rate the gain is smaller, and it is there.",
      "same.gain.3000.low > 0 and same.gain.3000.high < gain.3000.low")
    page.claim(
      "Pretraining by denoising lowers the test error at either number of labels.",
      "gain.1000.low > 0 and gain.3000.low > 0")
  }

  private static func quotePapers(_ page: Page) {
    let source = "Vincent et al. 2010, table 3"
    page.quote("sdae.all", 1.28, source: "\(source): MNIST, SDAE-3, 25 % masked")
    page.quote("sae.all", 1.40, source: "\(source): MNIST, SAE-3, no noise")
    page.quote("sdae.basic", 2.84, source: "\(source): basic, SDAE-3, 10 % masked")
    page.quote("sae.basic", 3.46, source: "\(source): basic, SAE-3, no noise")
    page.quote("nn.1000", 10.7, source: "Kingma et al. 2014, table 1: NN, 1,000 labels")
    page.quote("nn.3000", 6.04, source: "Kingma et al. 2014, table 1: NN, 3,000 labels")
  }
}
