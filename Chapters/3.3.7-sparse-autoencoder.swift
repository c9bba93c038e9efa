import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 3.3.7: strokes from images without labels, by units that are seldom active.
public enum SparseFeatures: Chapter {
  /// The chapter's number.
  public static let id = "3.3.7"
  /// The chapter's title.
  public static let title = "Sparse auto-encoder: strokes from images without labels"
  /// What the units become, candidates, draws.
  public static var hasRounds: Bool { true }

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    let data = try await page.mnist()
    drawTheNetwork(page)
    checkTheDivergence(page)
    checkTheLoss(page, data.train)
    checkTheMinimiser(page)
    checkTheComponents(page, data.train)
    let learning = StrokeLearning(page, data.train)
    try lookAtTheUnits(page, learning)
    try readDigits(page, data, learning)
    answerTheExercise(page)
  }

  private static func drawTheNetwork(_ page: Page) {
    page.figure(
      Figure(
        "network", title: "Without labels to give the image back, with them to say its digit",
        size: (760, 330), columns: 2,
        panels: [
          NetworkDiagram.panel(
            "learning without labels: few units may be active",
            [
              .init("x", "784 pixels", units: 9),
              .init("a", "200 units", units: 6, hollow: [1, 4]),
              .init("x̂", "784 pixels", units: 9),
            ]),
          NetworkDiagram.panel(
            "reading: the same hidden layer",
            [
              .init("x", "784 pixels", units: 9), .init("a", "200 units", units: 6),
              .init("P", "10 digits", units: 4),
            ]),
        ]))
  }
}

// MARK: - The loss

extension SparseFeatures {
  // snippet.divergence
  /// KL(ρ ‖ ρ̂) of two coins.
  static func divergence(_ ρ: Double, _ activity: Double) -> Double {
    ρ * log(ρ / activity) + (1 - ρ) * log((1 - ρ) / (1 - activity))
  }
  // snippet.end

  /// Two units that are .2 and .1 whatever comes in.
  private static func checkTheDivergence(_ page: Page) {
    var plan = SparseAutoencoder.Plan()
    (plan.inputs, plan.hidden) = (1, 2)
    var stream = RandomStream(seed: page.seed, id, "two units")
    let method = SparseAutoencoder(plan, using: &stream)
    method.encoder.weight.value = Tensor([2, 1], [0, 0])
    method.encoder.bias.value = Tensor([2], [Float(log(0.25)), Float(log(1.0 / 9))])
    let loss = method.loss(
      Tensor([3, 1], [0, 0.5, 1]), at: Moment(step: 0, epoch: 0), on: Tape(), using: &stream)
    // By hand: 0.1·ln(0.1/0.2) + 0.9·ln(0.9/0.8) = −0.069315 + 0.106005.
    page.check(
      "units of activity .2 and .1: the divergence, by hand", Double(loss.parts[2].value),
      near: 0.036690, tolerance: 1e-6)
    page.value("divergence.double", divergence(0.1, 0.2), tolerance: 1e-9)
    page.value("divergence.half", divergence(0.1, 0.05), tolerance: 1e-9)
  }

  /// The loss of twenty digits number by number, in Double.
  private static func checkTheLoss(_ page: Page, _ set: ImageSet) {
    let (count, inputs) = (20, ImageSet.pixelsPerImage)
    var stream = RandomStream(seed: page.seed, id, "check of the loss")
    let method = SparseAutoencoder(using: &stream)
    let images = set.images(0..<count)
    let tape = Tape()
    let total = method.loss(
      images, at: Moment(step: 0, epoch: 0), on: tape, using: &stream
    ).total
    let pixels = images.values.map(Double.init)
    let x = (0..<count).map { Array(pixels[$0 * inputs..<($0 + 1) * inputs]) }
    let plan = method.plan
    let parameters = method.parameters.reduce(0) { $0 + $1.value.count }
    page.value("parameters", Double(parameters))
    func plainly(_ w₁: [Double], _ w₂: [Double]) -> Double {
      func layer(_ w: [Double], _ bias: Tensor, _ x: [Double]) -> [Double] {
        (0..<bias.count).map { j in
          let sum = x.indices.reduce(Double(bias[j])) { $0 + w[j * x.count + $1] * x[$1] }
          return 1 / (1 + exp(-sum))
        }
      }
      let hidden = x.map { layer(w₁, method.encoder.bias.value, $0) }
      let given = hidden.map { layer(w₂, method.decoder.bias.value, $0) }
      let squares = zip(given, x).reduce(0.0) { sum, pair in
        zip(pair.0, pair.1).reduce(sum) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let weights = (w₁ + w₂).reduce(0) { $0 + $1 * $1 }
      let activities = (0..<plan.hidden).map { j in
        hidden.reduce(0) { $0 + $1[j] } / Double(count)
      }
      return 0.5 * squares / Double(count) + 0.5 * Double(plan.decay) * weights
        + Double(plan.sparsityWeight)
        * activities.reduce(0) { $0 + divergence(Double(plan.sparsity), $1) }
    }
    let w₁ = method.encoder.weight.value.values.map(Double.init)
    let w₂ = method.decoder.weight.value.values.map(Double.init)
    let wanted = plainly(w₁, w₂)
    page.check(
      "the loss of twenty digits, against Double",
      (Double(total.value.scalar) - wanted) / wanted, atMost: 3e-6)
    let direction = stream.normal(method.encoder.weight.value.shape)
    let along = zip(w₁, direction.values).map { (w: $0, d: Double($1)) }
    let slope = Routes.centralDifference(at: 0, step: 1e-4) { t in
      plainly(along.map { $0.w + t * $0.d }, w₂)
    }
    let gradient = tape.backward(from: total)[method.encoder.weight]
    page.check(
      "the gradient of the encoder's weights, along a direction",
      (gradient.dot(direction) - slope) / slope, atMost: 1e-4)
  }

  private static func checkTheMinimiser(_ page: Page) {
    let valley = MinimiserTrials.rosenbrock(LimitedMemoryBFGS(), steps: 200)
    page.check("Rosenbrock's valley: distance from (1, 1)", valley.distance, atMost: 1e-3)
    page.value("rosenbrock.steps", Double(valley.steps), tolerance: 15, unit: "steps")
    page.value("rosenbrock.evaluations", Double(valley.evaluations), tolerance: 40)
    let blind = MinimiserTrials.rosenbrock(LimitedMemoryBFGS(memory: 0), steps: valley.steps)
    page.value("rosenbrock.descent", blind.distance, tolerance: 0.5)
    let curvatures: [Double] = [1, 10, 100, 1000, 10_000]
    let bowl = MinimiserTrials.quadratic(
      curvatures, LimitedMemoryBFGS(), steps: 100, tolerance: 1e-3)
    page.check("a quadratic: distance from its minimum", bowl.distance, atMost: 1e-3)
    page.value("quadratic.steps", Double(bowl.steps), tolerance: 10, unit: "steps")
    let slow = MinimiserTrials.quadratic(
      curvatures, LimitedMemoryBFGS(memory: 0), steps: 5000, tolerance: 1e-3)
    page.value("quadratic.descent", slow.distance, tolerance: 2)
    page.check(
      "the direction of the two loops, against the matrix in Double",
      MinimiserTrials.directionError(), atMost: 1e-3)
  }

  private static func checkTheComponents(_ page: Page, _ set: ImageSet) {
    let found = LinearAutoencoder.compare(set, count: 1000, hidden: 3, steps: 300, seed: page.seed)
    page.check(
      "a linear auto-encoder's loss, over what three principal components leave", found.ratio,
      near: 1, tolerance: 1e-4)
    page.check(
      "the part of its weights outside of their subspace", found.outside, atMost: 0.02)
  }
}

// MARK: - What is learnt without labels

extension SparseFeatures {
  private static func lookAtTheUnits(_ page: Page, _ learning: StrokeLearning) throws {
    let looks = try learning.looks(page)
    for (demand, look) in StrokeLearning.Demand.allCases.map({ ($0, looks[$0]!) }) {
      let name = demand.rawValue
      let activity = Spread(look.activities)
      page.value("\(name).activity", activity, tolerance: 0.03)
      page.value("\(name).left", look.left, tolerance: 3, unit: "%")
      page.value("\(name).variation", look.variation, tolerance: 0.03)
      page.value("\(name).active", look.active, tolerance: 3, unit: "%")
    }
    let (sparse, dense) = (looks[.sparse]!, looks[.dense]!)
    page.value(
      "sparse.activity.deviation", Spread(sparse.activities).deviation, tolerance: 0.02)
    page.value("sparse.steps", Double(sparse.losses.count - 1), tolerance: 100, unit: "steps")
    page.value("sparse.evaluations", Double(sparse.evaluations), tolerance: 60)
    page.value("sparse.loss.first", sparse.losses[0], tolerance: 5)
    page.value("sparse.loss.last", sparse.losses.last!, tolerance: 1)
    let half = sparse.losses[sparse.losses.count / 2]
    page.value("sparse.loss.half", half, tolerance: 1)
    page.table(
      ["auto-encoder", "mean activity", "above one half, %", "left of the images, %", "variation"],
      [("sparse", sparse), ("dense", dense), ("heavy", looks[.heavy]!)].map { name, look in
        [name]
          + [Spread(look.activities).mean, look.active, look.left, look.variation].map {
            String(format: "%.3f", $0)
          }
      })
    page.claim(
      "What was asked of the units is what they do.",
      "sparse.activity > 0.08 and sparse.activity < 0.12")
    page.claim(
      "Left alone, units are active more than twice as much.",
      "dense.activity > 2 * sparse.activity")
    page.claim(
      "With a hundred times the decay more than nine tenths of the images is left over.",
      "heavy.left > 90")
    let count = 36
    page.figure(
      Figure(
        "strokes",
        title: "Asked to be sparse, units become strokes; too much decay leaves them nothing",
        size: (980, 420), columns: 3,
        panels: [
          ("β = 3: seldom active", sparse), ("β = 0: as active as they like", dense),
          ("λ a hundred times as large: faint, scaled up", looks[.heavy]!),
        ].map { title, look in
          Panel(
            title: title,
            marks: [
              .images(
                Array(look.pictures.prefix(count)),
                captions: [String](repeating: "", count: count), columns: 6)
            ])
        }))
  }
}

// MARK: - What it is worth

extension SparseFeatures {
  private typealias Kind = StrokeArms.Kind

  private static func readDigits(
    _ page: Page, _ data: MNIST, _ learning: StrokeLearning
  ) throws {
    let study = Study(page, data)
    let arms = StrokeArms.arms(learning)
    var report = OutcomeReport(page)
    let counts = [1000, 3000]
    let draws = counts.map { LabelDraw.all(labels: $0, page) }
    let choices = try study.choose(arms, on: draws.map { $0.last! })
    let outcomes = try study.run(arms, choices, on: draws)
    for (group, labels) in counts.enumerated() {
      for ((kind, choice), outcomes) in zip(zip(Kind.allCases, choices[group]), outcomes[group]) {
        let isTrained = kind == .random || kind == .tuned
        let setting = (isTrained ? StrokeArms.rates : StrokeArms.costs)[choice]
        page.value(
          "\(kind.rawValue).\(labels).setting", setting,
          tolerance: (isTrained ? 3 : 10) * setting)
        report.add(kind.rawValue, labels: labels, outcomes)
      }
    }
    report.giveValues()
    report.giveSeconds("strokes", "plain")
    for labels in counts {
      for kind in [Kind.random, .tuned] { report.giveLengths(kind.rawValue, labels) }
    }
    page.figure(
      Figure(
        "curves",
        title: "A hidden layer that starts as strokes is ahead of one that starts at random",
        size: (760, 640), columns: 2,
        panels: counts.flatMap { labels in
          [(Kind.random, "random start"), (.tuned, "starts as strokes")].map { kind, words in
            report.panel(
              "\(words), \(OutcomeReport.words(labels))", kind.rawValue, labels,
              x: Axis("step (batches of 100)"), highest: 12)
          }
        }))
    compare(page, report, counts)
  }

  private static func compare(_ page: Page, _ report: OutcomeReport, _ counts: [Int]) {
    page.giveGains(
      [
        ("strokes.gain", "strokes against pixels as they are", Kind.plain, Kind.strokes),
        ("learning.gain", "strokes against units that learnt nothing", .untrained, .strokes),
        ("sparse.gain", "strokes against dense units", .dense, .strokes),
        ("tuned.gain", "start as strokes against random", .random, .tuned),
        ("network.gain", "machine on strokes against the random start", .random, .strokes),
        ("machine.gain", "machine on strokes against the start as strokes", .tuned, .strokes),
      ].map { ($0, $1, $2.rawValue, $3.rawValue) }, of: report, labels: counts,
      title: "Strokes gain on every opponent, most on units that learnt nothing",
      axis: "test error of the other less that of the first, points", size: (820, 350))
    page.claim(
      "A linear machine reads strokes better than pixels, with either number of labels.",
      "strokes.gain.1000.low > 0 and strokes.gain.3000.low > 0")
    page.claim(
      "And a network reads better when it starts as strokes.",
      "tuned.gain.1000.low > 0 and tuned.gain.3000.low > 0")
    page.claim(
      "That is less than over the machine on pixels.",
      "network.gain.1000.high < strokes.gain.1000.low "
        + "and network.gain.3000.high < strokes.gain.3000.low")
    page.claim(
      "A linear machine on strokes reads better than the network that starts as them.",
      "machine.gain.1000.low > 0 and machine.gain.3000.low > 0")
    page.quote("course.features", 98, source: "UFLDL, exercise on self-taught learning, digits 0–4")
    page.quote("course.pixels", 96, source: "UFLDL, exercise on self-taught learning, digits 0–4")
    page.quote("nn.1000", 10.7, source: "Kingma et al. 2014, table 1: NN, 1,000 labels")
    page.quote("nn.3000", 6.04, source: "Kingma et al. 2014, table 1: NN, 3,000 labels")
  }

  /// The slope β·∂KL/∂ρ̂ for a unit that is active half of the time.
  private static func answerTheExercise(_ page: Page) {
    let slope = Routes.centralDifference(at: 0.5, step: 1e-5) { divergence(0.1, $0) }
    page.value("exercise.slope", 3 * slope, tolerance: 1e-6)
    page.check(
      "the slope of the divergence at ρ̂ = 1/2, by its formula", slope,
      near: -0.1 / 0.5 + 0.9 / 0.5, tolerance: 1e-8)
  }
}
