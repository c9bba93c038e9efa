import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 2.2.2: what dropout does to a unit's input in training and at test.
public enum WeightScaling: Chapter {
  /// The chapter's number.
  public static let id = "2.2.2"
  /// The chapter's title.
  public static let title = "Weight scaling, training against test"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    measureOneUnit(page)
    let data = try await page.mnist()
    let split = try Split.kit(data.train.labels)
    compareTheForms(page, data, split)
    try forgetTheScaling(page, data)
    try sweepTheProbability(page, data, split)
  }
}

// MARK: - One unit

extension WeightScaling {
  // snippet.moments
  /// The mean and the variance of a unit's input z when its inputs are dropped at random.
  struct Moments {
    var mean: Double
    var variance: Double

    /// z = Σ wᵢmᵢxᵢ + b with masks mᵢ that are 1 with probability p, else 0.
    static func masked(_ w: [Double], _ x: [Double], bias: Double, keep p: Double) -> Moments {
      let products = zip(w, x).map { $0 * $1 }
      return Moments(
        mean: p * products.reduce(0, +) + bias,
        variance: p * (1 - p) * products.reduce(0) { $0 + $1 * $1 })
    }

    /// z = Σ wᵢmᵢxᵢ/p + b: inverted dropout.
    static func inverted(_ w: [Double], _ x: [Double], bias: Double, keep p: Double) -> Moments {
      let products = zip(w, x).map { $0 * $1 }
      return Moments(
        mean: products.reduce(0, +) + bias,
        variance: (1 - p) / p * products.reduce(0) { $0 + $1 * $1 })
    }
  }
  // snippet.end

  /// A unit with sixteen inputs.
  private struct Unit {
    let w, x: [Double]
    let bias: Double

    /// The input z for one mask, the kept units multiplied by a factor.
    func input(_ bits: Int, factor: Double) -> Double {
      w.indices.reduce(bias) { $0 + (bits >> $1 & 1 == 1 ? factor * w[$1] * x[$1] : 0) }
    }

    /// The moments over all masks, each with its probability.
    func enumerated(keep p: Double, factor: Double) -> Moments {
      var (first, second) = (0.0, 0.0)
      for bits in 0..<(1 << w.count) {
        let kept = Double(bits.nonzeroBitCount)
        let probability = pow(p, kept) * pow(1 - p, Double(w.count) - kept)
        let z = input(bits, factor: factor)
        first += probability * z
        second += probability * z * z
      }
      return Moments(mean: first, variance: second - first * first)
    }

    /// The inputs for sampled masks.
    func sampled(
      keep p: Double, factor: Double, count: Int, using random: inout RandomStream
    ) -> [Double] {
      (0..<count).map { _ in
        let bits = w.indices.reduce(0) { $0 | (Double(random.uniform()) < p ? 1 << $1 : 0) }
        return input(bits, factor: factor)
      }
    }
  }

  private static func measureOneUnit(_ page: Page) {
    var random = RandomStream(seed: page.seed, id, "unit")
    // Inputs as of a hidden layer of rectifiers: none is negative.
    let unit = Unit(
      w: (0..<16).map { _ in 0.4 + 0.5 * Double(random.normal()) },
      x: (0..<16).map { _ in 0.5 + Double(random.uniform()) }, bias: 0.5)
    let count = 40_000
    var panels: [Panel] = []
    for (form, isInverted) in [("masked", false), ("inverted", true)] {
      for p in [0.5, 0.8] {
        let formula =
          isInverted
          ? Moments.inverted(unit.w, unit.x, bias: unit.bias, keep: p)
          : Moments.masked(unit.w, unit.x, bias: unit.bias, keep: p)
        let factor = isInverted ? 1 / p : 1
        let all = unit.enumerated(keep: p, factor: factor)
        page.check(
          "\(form), keep \(p): mean = that of all 65,536 masks", formula.mean - all.mean,
          atMost: 2e-13)
        page.check(
          "\(form), keep \(p): variance = that of all masks", formula.variance - all.variance,
          atMost: 3e-12)
        let samples = unit.sampled(keep: p, factor: factor, count: count, using: &random)
        let spread = Spread(samples)
        // In units of their standard errors; the kurtosis of a sum of many terms is near 3.
        let n = Double(count)
        page.check(
          "\(form), keep \(p): sampled mean, in standard errors",
          (spread.mean - formula.mean) / (formula.variance / n).squareRoot(), atMost: 5)
        page.check(
          "\(form), keep \(p): sampled variance, in standard errors",
          (spread.deviation * spread.deviation / formula.variance - 1) / (2 / n).squareRoot(),
          atMost: 5)
        page.value("\(form).p\(Int(10 * p)).mean", formula.mean, tolerance: 1e-6)
        page.value("\(form).p\(Int(10 * p)).variance", formula.variance, tolerance: 1e-6)
        if p == 0.5 { panels.append(histogram(unit, samples, isInverted, formula)) }
      }
    }
    // At test: the scaled weights give the mean; the unscaled ones miss it by far.
    let all = unit.enumerated(keep: 0.5, factor: 1)
    let scaled = zip(unit.w, unit.x).reduce(unit.bias) { $0 + 0.5 * $1.0 * $1.1 }
    let unscaled = zip(unit.w, unit.x).reduce(unit.bias) { $0 + $1.0 * $1.1 }
    page.check("with p·W the unit's input is the mean over masks", scaled - all.mean, atMost: 1e-13)
    page.check(
      "with W it is rejected", abs(unscaled - all.mean) / all.variance.squareRoot(), atLeast: 1)
    page.value("unit.scaled", scaled, tolerance: 1e-6)
    page.value("unit.unscaled", unscaled, tolerance: 1e-6)
    page.figure(
      Figure(
        "unit", title: "Scaled weights give a unit the mean of the inputs that it was trained on",
        size: (760, 340), columns: 2, panels: panels))
  }

  private static func histogram(
    _ unit: Unit, _ samples: [Double], _ isInverted: Bool, _ formula: Moments
  ) -> Panel {
    let (low, high, bins) = (-2.0, 12.0, 56)
    let width = (high - low) / Double(bins)
    var heights = [Double](repeating: 0, count: bins)
    for z in samples where z >= low && z < high { heights[Int((z - low) / width)] += 1 }
    let density = heights.enumerated().map {
      (x: low + (Double($0) + 0.5) * width, y: $1 / Double(samples.count) / width)
    }
    let unscaled = zip(unit.w, unit.x).reduce(unit.bias) { $0 + $1.0 * $1.1 }
    let marks: [Mark] = [
      .histogram("", density, colour: 5),
      .vertical(isInverted ? "W" : "p·W", at: formula.mean),
    ]
    return Panel(
      title: isInverted ? "inverted dropout: masks of 0 and 1/p" : "masks of 0 and 1",
      x: Axis("input of the unit", range: low...high),
      y: Axis(isInverted ? "" : "density", range: 0...0.5),
      marks: isInverted ? marks : marks + [.vertical("W, forgotten", at: unscaled)])
  }
}

// MARK: - Two forms of one method

extension WeightScaling {
  // snippet.forms
  /// The logits with masks of 0 and 1, as in the paper; the library's dropout divides by p.
  private static func paperLogits(
    _ layers: [Dense], _ images: Variable, keep p: Float, using stream: inout RandomStream
  ) -> Variable {
    var x = flatten(images)
    for (index, layer) in layers.enumerated() {
      if index > 0 { x = dropout(x, keep: p, using: &stream) * p }
      x = layer(x)
    }
    return x
  }
  // snippet.end

  /// Trains the two forms side by side; the largest difference of their logits at test.
  ///
  /// - Parameter rule: a rule for a parameter whose gradient is so many times that of the paper's form.
  private static func distanceOfForms(
    _ data: MNIST, _ split: Split, seed: UInt64, _ rule: (_ gradient: Float) -> any Optimiser,
    rate: Float, factor: Float
  ) -> Double {
    let p: Float = 0.8
    var plan = Perceptron.Plan([784, 64, 64, 10])
    plan.keepHidden = p
    var (start, again) = (
      RandomStream(seed: seed, id, "forms"), RandomStream(seed: seed, id, "forms")
    )
    let inverted = Perceptron(plan, using: &start)
    let paper = Perceptron(plan, using: &again)
    // W = W′/p wherever the inputs are dropped: both networks then begin as the same function.
    for layer in paper.layers.dropFirst() { layer.weight.value = layer.weight.value * (1 / p) }
    var (noise, sameNoise) = (
      RandomStream(seed: seed, id, "forms", "noise"), RandomStream(seed: seed, id, "forms", "noise")
    )
    let dropped = Set(inverted.layers.dropFirst().map { ObjectIdentifier($0.weight) })
    var rules = inverted.parameters.map {
      (inverted: rule(dropped.contains(ObjectIdentifier($0)) ? 1 / p : 1), paper: rule(1))
    }
    for batch in Array(split.labelled.prefix(1000)).batches(of: 50) {
      let (images, labels) = (data.train.images(batch), data.train.labels(batch))
      let (one, two) = (Tape(), Tape())
      let lossOne = softmaxCrossEntropy(
        logits: inverted.logits(one.constant(images), .training, using: &noise), labels: labels)
      let lossTwo = softmaxCrossEntropy(
        logits: paperLogits(paper.layers, two.constant(images), keep: p, using: &sameNoise),
        labels: labels)
      let (gradientsOne, gradientsTwo) = (
        one.backward(from: lossOne), two.backward(from: lossTwo)
      )
      for (index, pair) in zip(inverted.parameters, paper.parameters).enumerated() {
        let isDropped = dropped.contains(ObjectIdentifier(pair.0))
        let moment = Moment(step: rules[index].paper.steps, epoch: 0)
        rules[index].paper.begin([pair.1], at: moment)
        rules[index].inverted.begin([pair.0], at: moment)
        rules[index].paper.step([pair.1], gradientsTwo, rate: rate)
        rules[index].inverted.step(
          [pair.0], gradientsOne, rate: isDropped ? rate * factor : rate)
      }
    }
    // At test the paper's weights are scaled, those of the inverted form stand.
    for layer in paper.layers.dropFirst() { layer.weight.value = layer.weight.value * p }
    let images = data.train.images(Array(split.validation.prefix(200)))
    let (a, b) = (inverted.logits(of: images), paper.logits(of: images))
    return Double((a - b).maximumMagnitude())
  }

  private static func compareTheForms(_ page: Page, _ data: MNIST, _ split: Split) {
    func distance(
      _ rule: (Float) -> any Optimiser, _ rate: Float, _ factor: Float
    ) -> Double {
      distanceOfForms(data, split, seed: page.seed, rule, rate: rate, factor: factor)
    }
    // p = 0.8: the inverted form wants p²ε of descent, and pε of Adam, whose steps do not grow with
    // the gradient.
    for (key, μ) in [("descent", 0.0), ("momentum", 0.9)] {
      let same = distance({ _ in Momentum(momentum: μ) }, 0.02, 0.64)
      let other = distance({ _ in Momentum(momentum: μ) }, 0.02, 1)
      page.check("\(key): inverted form at p²ε = the paper's at ε, in logits", same, atMost: 2.5e-6)
      page.check("\(key): at the same ε rejected", other, atLeast: 0.01)
      page.value("forms.\(key).same", same, tolerance: 2.5e-6)
      page.value("forms.\(key).other", other, tolerance: 0.1 * other)
    }
    // With the usual δ a gradient that is nothing but rounding would make a whole step.
    let adam = { Adam(epsilon: 1e-4 * $0) as any Optimiser }
    let same = distance(adam, 0.001, 0.8)
    page.check("Adam: inverted form at pε = the paper's at ε, in logits", same, atMost: 2.5e-6)
    page.check("Adam: at p²ε rejected", distance(adam, 0.001, 0.64), atLeast: 0.01)
    page.value("forms.adam.same", same, tolerance: 2.5e-6)
  }
}

// MARK: - Forgetting

extension WeightScaling {
  /// The labels of a seed: none of the five that are reported shares its split with another.
  private static func split(_ page: Page, _ data: MNIST, _ seed: Int) throws -> Split {
    try Split.balanced(data.train.labels, seed: page.seed + UInt64(seed))
  }

  private static func forgetTheScaling(_ page: Page, _ data: MNIST) throws {
    let epochs = page.isQuick ? 4 : 40
    let trainings = [Activation.relu, .tanh].flatMap { activation in
      (1...(page.isQuick ? 1 : 5)).map { seed in
        DropoutTraining(
          sizes: [784, 256, 256, 256, 10], activation: activation, keepHidden: 0.5,
          rate: 0.05, epochs: epochs, seed: seed)
      }
    }
    let seed = page.seed
    let splits = try trainings.map { try split(page, data, $0.seed) }
    let results = try SideBySide.run(
      page, "three hidden layers", trainings.map { "forgetting, \($0.name), its own split" },
      tolerance: 5
    ) { index, flag in
      let (training, split) = (trainings[index], splits[index])
      let network = try training.network(data.train, split.labelled, seed: seed, flag)
      var masks = RandomStream(seed: seed, id, "masks", "\(index)")
      return ScalingStudy.measure(network, data, validation: split.validation, using: &masks)
    }
    let seeds = results.count / 2
    let (rectified, tangent) = (
      ScalingReport(name: "relu", outcomes: Array(results[..<seeds])),
      ScalingReport(name: "tanh", outcomes: Array(results[seeds...]))
    )
    rectified.write(on: page)
    rectified.writeLayers(on: page)
    tangent.write(on: page)
    page.value("tanh.growth", tangent.growth(3), tolerance: 0.1)
    page.check(
      "tanh, forgotten: twice as wide at the softmax, not eightfold", tangent.growth(3).mean,
      near: 2, tolerance: 0.1)
    compare(page, rectified, tangent)
  }

  private static func compare(_ page: Page, _ relu: ScalingReport, _ tanh: ScalingReport) {
    relu.difference(
      "forgotten.cost", \.accuracy, "right", minus: "forgotten", tolerance: 0.5, unit: "points",
      on: page)
    relu.difference(
      "forgotten.rise", \.crossEntropy, "forgotten", minus: "right", tolerance: 0.5, unit: "nats",
      on: page)
    relu.difference(
      "twice.extra", \.accuracy, "forgotten", minus: "twice", tolerance: 2, unit: "points", on: page
    )
    tanh.difference(
      "twice.gain", \.crossEntropy, "right", minus: "twice", tolerance: 0.05, unit: "nats", on: page
    )
    tanh.difference(
      "tempered.gain", \.crossEntropy, "twice", minus: "tempered", tolerance: 0.002, unit: "nats",
      on: page)
    let gaps = ["right", "twice"].map { way in tanh.each(way, \.gap).map(abs) }
    page.difference("tanh.twice.nearer", PairedDifference(gaps[0], minus: gaps[1]), tolerance: 1)
    page.claim(
      "The network of rectifiers loses less than a point of accuracy, and its cross-entropy grows.",
      "relu.forgotten.cost.high < 1 and relu.forgotten.rise.low > 0")
    page.claim(
      "To scale twice costs the network of rectifiers more accuracy than to forget it.",
      "relu.twice.extra.low > 0")
    page.claim(
      "The network of tanh has a lower cross-entropy with its weights scaled twice, and its "
        + "confidence is nearer to its accuracy.",
      "tanh.twice.gain.low > 0 and tanh.twice.nearer.low > 0")
    page.claim("A temperature does better still.", "tanh.tempered.gain.low > 0")
  }

  /// The rates that are tried: the fewer units are kept, the louder the noise, and the smaller the
  /// rate that it bears.
  private static func rates(keep p: Float) -> [Double] {
    switch p {
    case ..<0.15: [0.0005, 0.001, 0.002, 0.005]
    case ..<0.45: [0.005, 0.01, 0.02, 0.05, 0.1]
    default: [0.02, 0.05, 0.1, 0.2]
    }
  }

  private static func sweepTheProbability(_ page: Page, _ data: MNIST, _ split: Split) throws {
    let probabilities: [Float] =
      page.isQuick ? [0.1, 0.3, 0.5, 0.7, 1] : [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    let rates = probabilities.map { page.isQuick ? [0.05] : Self.rates(keep: $0) }
    let seeds = page.isQuick ? 1...1 : 1...5
    func run(_ p: Float, _ rate: Double, _ seed: Int) -> DropoutTraining {
      DropoutTraining(
        sizes: [784, 256, 256, 10], keepHidden: p, rate: rate, epochs: page.isQuick ? 4 : 40,
        seed: seed)
    }
    let seed = page.seed
    // Rates are chosen on the kit's split; each of the five seeds that are reported has its own.
    let splits = try [split] + seeds.map { try Self.split(page, data, $0) }
    func errors(_ label: String, _ runs: [DropoutTraining]) throws -> [[Double]] {
      try SideBySide.run(page, label, runs.map { "sweep, \($0.name), its own split" }, tolerance: 5)
      {
        index, flag in
        let split = splits[runs[index].seed]
        let network = try runs[index].network(data.train, split.labelled, seed: seed, flag)
        return [
          100 - network.evaluate(data.train, split.labelled).accuracy,
          100 - network.evaluate(data.train, split.validation).accuracy,
          100 - network.evaluate(data.test, Array(0..<data.test.count)).accuracy,
        ]
      }
    }
    var trials = try errors(
      "choosing rates", zip(probabilities, rates).flatMap { p, own in own.map { run(p, $0, 0) } }
    )[...]
    let best = zip(probabilities, rates).map { p, tried in
      let own = trials.prefix(tried.count).map { $0[1] }
      trials = trials.dropFirst(tried.count)
      let choice = page.choice(of: "keep \(p), rate", by: own)
      return (rate: tried[choice], validation: own[choice])
    }
    let results = try errors(
      "sweep", zip(probabilities, best).flatMap { p, best in seeds.map { run(p, best.rate, $0) } })
    let rows = probabilities.indices.map { index in
      let own = results[index * seeds.count..<(index + 1) * seeds.count]
      return KeepSweep.Row(
        probability: (Double(probabilities[index]) * 10).rounded() / 10, rate: best[index].rate,
        validation: best[index].validation,
        train: own.map { $0[0] }, test: own.map { $0[2] })
    }
    KeepSweep(rows: rows).write(on: page)
  }
}
