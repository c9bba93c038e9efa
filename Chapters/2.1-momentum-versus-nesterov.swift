import Digits
import Experiments
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// Chapter 2.1: classical momentum and Nesterov's accelerated gradient.
public enum MomentumVersusNesterov: Chapter {
  /// The chapter's number.
  public static let id = "2.1"
  /// The chapter's title.
  public static let title = "Momentum versus Nesterov"

  /// Runs the chapter, in the order of its prose.
  public static func run(_ page: Page) async throws {
    rollDownAValley(page)
    checkTheTheorem(page)
    compareRates(page)
    tuneTheRules(page)
    rewriteTheRule(page)
    try trainAutoencoders(page, try await page.mnist())
  }
}

// MARK: - The two rules

// snippet.rules
/// A point and its velocity, moved by the rules of Sutskever and others (2013, section 2).
///
/// Written by hand on purpose: the optimiser of the library is held against it.
struct Ball {
  var position: [Double]
  var velocity: [Double]

  /// A ball at rest.
  init(at position: [Double]) {
    self.position = position
    velocity = position.map { _ in 0 }
  }

  /// Classical momentum: v ← μv − ε∇f(θ), θ ← θ + v.
  mutating func classicalStep(ε: Double, μ: Double, _ gradient: ([Double]) -> [Double]) {
    let slope = gradient(position)
    velocity = zip(velocity, slope).map { μ * $0 - ε * $1 }
    position = zip(position, velocity).map(+)
  }

  /// Nesterov's accelerated gradient: v ← μv − ε∇f(θ + μv), θ ← θ + v.
  mutating func nesterovStep(ε: Double, μ: Double, _ gradient: ([Double]) -> [Double]) {
    let slope = gradient(zip(position, velocity).map { $0 + μ * $1 })
    velocity = zip(velocity, slope).map { μ * $0 - ε * $1 }
    position = zip(position, velocity).map(+)
  }
}
// snippet.end

// MARK: - A valley

extension MomentumVersusNesterov {
  /// f = ½(x² + 50y²): a long valley along x with steep walls in y.
  static let curvatures = [1.0, 50]

  /// What a rule does in the valley, from (−10, 1.6).
  struct Descent {
    /// The first points.
    private(set) var path: [Mark.Point] = []
    /// Steps until the height is below 10⁻⁶ for good, as a swinging ball passes below it and comes
    /// back: all of the height, then that of each direction.
    private(set) var steps = (whole: 0, along: 0, across: 0)
    /// How often the bottom is crossed, further than 0.001 from it.
    private(set) var crossings = 0

    init(_ kind: Momentum.Kind, ε: Double, μ: Double, limit: Int = 2000) {
      var ball = Ball(at: [-10, 1.6])
      let gradient = { (θ: [Double]) in zip(curvatures, θ).map { $0 * $1 } }
      for step in 0..<limit {
        let heights = zip(curvatures, ball.position).map { $0 * $1 * $1 / 2 }
        if heights[0] + heights[1] > 1e-6 { steps.whole = step + 1 }
        if heights[0] > 1e-6 { steps.along = step + 1 }
        if heights[1] > 1e-6 { steps.across = step + 1 }
        if path.count <= 40 { path.append((x: ball.position[0], y: ball.position[1])) }
        let before = ball.position[1]
        switch kind {
        case .classical: ball.classicalStep(ε: ε, μ: μ, gradient)
        case .nesterov: ball.nesterovStep(ε: ε, μ: μ, gradient)
        }
        if before * ball.position[1] < 0 && abs(ball.position[1]) > 1e-3 { crossings += 1 }
        // At rest a thousand times below the bound, or gone for good.
        let size = LinearAlgebra.largest(ball.position + ball.velocity)
        if size < 1e-7 { break }
        if size > 1e9 {
          steps = (limit, limit, limit)
          break
        }
      }
    }
  }

  private static func rollDownAValley(_ page: Page) {
    let (ε, μ) = (0.018, 0.9)
    let rules: [(key: String, name: String, descent: Descent)] = [
      ("plain", "gradient descent", Descent(.classical, ε: ε, μ: 0)),
      ("momentum", "momentum", Descent(.classical, ε: ε, μ: μ)),
      ("nesterov", "Nesterov", Descent(.nesterov, ε: ε, μ: μ)),
    ]
    var panels: [Panel] = []
    for (rule, colour) in zip(rules, [6, 1, 0]) {
      let steps = rule.descent.steps
      page.value("\(rule.key).steps", Double(steps.whole), tolerance: 1)
      if rule.key != "plain" {
        page.value("\(rule.key).along", Double(steps.along), tolerance: 1)
        page.value("\(rule.key).across", Double(steps.across), tolerance: 1)
      }
      page.value("\(rule.key).crossings", Double(rule.descent.crossings), tolerance: 1)
      panels.append(
        Panel(
          title: rule.name,
          x: Axis(rule.key == "nesterov" ? "along the valley (curvature 1)" : "", range: -11...4),
          y: Axis(
            "across (50)", range: -1.9...1.9, ticks: [-1, 0, 1].map { ($0, "\(Int($0))") }),
          marks: contours(curvatures) + [
            .line("", rule.descent.path, colour: colour),
            .points("", rule.descent.path, colour: colour),
          ]))
    }
    let (momentum, nesterov) = (rules[1].descent.steps, rules[2].descent.steps)
    page.value("lost.whole", Double(momentum.whole - nesterov.whole), tolerance: 1)
    page.value("lost.along", Double(momentum.along - nesterov.along), tolerance: 1)
    page.claim(
      "More than half of the steps that momentum loses it would lose without any walls.",
      "lost.along > 0.5 * lost.whole")
    page.claim(
      "Nesterov's rule needs fewer steps than momentum, and momentum fewer than gradient descent.",
      "nesterov.steps < momentum.steps and momentum.steps < plain.steps")
    page.claim(
      "Momentum swings from wall to wall more than twice as often as Nesterov's rule does.",
      "momentum.crossings > 2 * nesterov.crossings")
    page.figure(
      Figure(
        "valley",
        title:
          "Forty steps in a valley: descent creeps, momentum swings, Nesterov's rule runs straight",
        size: (760, 580), panels: panels))
  }

  /// Ellipses on which ½Σλx² is constant.
  private static func contours(_ curvatures: [Double]) -> [Mark] {
    [1.0, 5, 15, 30, 50, 75].map { level in
      .guide(
        (0...120).map { k in
          let angle = 2 * Double.pi * Double(k) / 120
          return (
            x: (2 * level / curvatures[0]).squareRoot() * cos(angle),
            y: (2 * level / curvatures[1]).squareRoot() * sin(angle)
          )
        })
    }
  }
}

// MARK: - Theorem 2.1

extension MomentumVersusNesterov {
  /// Runs both rules on a quadratic in a rotated basis and returns the largest difference between
  /// Nesterov's coordinate along each eigenvector and that of momentum with another coefficient.
  private static func theoremError(
    _ page: Page, coefficient: (_ μ: Double, _ ελ: Double) -> Double
  ) -> Double {
    var random = RandomStream(seed: page.seed, id, "theorem")
    let n = 6
    // Eigenvectors: random directions made orthonormal (Gram and Schmidt).
    var basis: [[Double]] = []
    while basis.count < n {
      var v = (0..<n).map { _ in Double(random.normal()) }
      for e in basis {
        let inner = zip(v, e).reduce(0) { $0 + $1.0 * $1.1 }
        v = zip(v, e).map { $0 - inner * $1 }
      }
      let size = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      basis.append(v.map { $0 / size })
    }
    // One in each sixth of 0…12.6: with ε = 0.1 the last has ελ > 1, where the coefficient is negative.
    let eigenvalues = (0..<n).map { 2.1 * (Double($0) + 0.05 + 0.95 * Double(random.uniform())) }
    func coordinates(_ θ: [Double]) -> [Double] {
      basis.map { e in zip(e, θ).reduce(0) { $0 + $1.0 * $1.1 } }
    }
    func gradient(_ θ: [Double]) -> [Double] {
      let parts = zip(coordinates(θ), eigenvalues).map { $0 * $1 }
      return (0..<n).map { i in zip(parts, basis).reduce(0) { $0 + $1.0 * $1.1[i] } }
    }
    let (ε, μ) = (0.1, 0.95)
    var whole = Ball(at: (0..<n).map { _ in Double(random.normal()) })
    var parts = coordinates(whole.position).map { Ball(at: [$0]) }
    var worst = 0.0
    for _ in 0..<200 {
      whole.nesterovStep(ε: ε, μ: μ, gradient)
      for (i, x) in coordinates(whole.position).enumerated() {
        let λ = eigenvalues[i]
        parts[i].classicalStep(ε: ε, μ: coefficient(μ, ε * λ)) { $0.map { λ * $0 } }
        worst = max(worst, abs(x - parts[i].position[0]))
      }
    }
    return worst
  }

  private static func checkTheTheorem(_ page: Page) {
    let right = theoremError(page) { μ, ελ in μ * (1 - ελ) }
    page.check("theorem 2.1: Nesterov is momentum with μ(1 − ελ)", right, atMost: 1.2e-15)
    page.check(
      "with μ itself: rejected", theoremError(page) { μ, _ in μ }, atLeast: 1e-2)
    page.check(
      "with μ(1 − ελ) 3 % too large: rejected", theoremError(page) { 1.03 * $0 * (1 - $1) },
      atLeast: 1e-3)
    page.check(
      "with μ(1 − ελ) no less than 0: rejected", theoremError(page) { max(0, $0 * (1 - $1)) },
      atLeast: 1e-3)
    page.value("theorem.error", right, tolerance: 1.2e-15)
  }
}

// MARK: - How fast, and when not at all

extension MomentumVersusNesterov {
  // snippet.rates
  /// The factor by which an error along an eigenvector shrinks in a step, in the long run.
  ///
  /// The larger root of r² − (1 + m − ελ)r + m in magnitude, where m is momentum's coefficient: μ
  /// for the classical rule, μ(1 − ελ) for Nesterov's.
  static func rate(coefficient m: Double, ελ: Double) -> Double {
    let half = (1 + m - ελ) / 2
    let discriminant = half * half - m
    // A negative discriminant means a pair of complex roots, whose product is m.
    return discriminant < 0 ? m.squareRoot() : abs(half) + discriminant.squareRoot()
  }
  // snippet.end

  /// The same factor, measured on the rule itself.
  private static func measuredRate(nesterov: Bool, μ: Double, ελ: Double) -> Double {
    var ball = Ball(at: [1])
    var sizes: [Double] = []
    for step in 0..<2400 {
      if nesterov {
        ball.nesterovStep(ε: 1, μ: μ) { $0.map { ελ * $0 } }
      } else {
        ball.classicalStep(ε: 1, μ: μ) { $0.map { ελ * $0 } }
      }
      // Position and velocity together: a swinging ball passes 0 without having stopped.
      let size = (ball.position[0] * ball.position[0] + ball.velocity[0] * ball.velocity[0])
        .squareRoot()
      if step >= 400 { sizes.append(log(size)) }
      ball.position[0] /= size
      ball.velocity[0] /= size
    }
    return exp(sizes.reduce(0, +) / Double(sizes.count))
  }

  private static func compareRates(_ page: Page) {
    var worst = 0.0
    for μ in [0.5, 0.9, 0.99, 1.05] {
      for ελ in [0.01, 0.1, 0.5, 0.9, 1.2, 1.6] {
        for (nesterov, m) in [(false, μ), (true, μ * (1 - ελ))] {
          let measured = measuredRate(nesterov: nesterov, μ: μ, ελ: ελ)
          worst = max(worst, abs(measured - rate(coefficient: m, ελ: ελ)))
        }
      }
    }
    page.check("rates: formula = measured", worst, atMost: 2.5e-3)
    typealias Curve = [(x: Double, y: Double)]
    // Nesterov's factor falls to 0 at ελ = 1 like a square root: points must lie close to it.
    let near = (-24...0).map { pow(10, Double($0) / 4) }
    let logarithmic = (0...300).map { pow(10, -4 + Double($0) / 75) } + near.map { 1 - $0 }
    let linear = (1...400).map { Double($0) / 200 } + near.flatMap { [1 - $0, 1 + $0] }
    func marks(_ places: [Double], _ μ: Double, _ shown: (Curve) -> Curve) -> [Mark] {
      func line(_ name: String, colour: Int, _ coefficient: (Double) -> Double) -> Mark {
        let curve = places.filter { $0 > 0 }.sorted().map { ελ in
          (x: ελ, y: rate(coefficient: coefficient(ελ), ελ: ελ))
        }
        return .line(name, shown(curve), colour: colour)
      }
      return [
        line("Nesterov", colour: 0) { μ * (1 - $0) },
        line("momentum", colour: 1) { _ in μ },
        line("gradient descent", colour: 6) { _ in 0 },
      ]
    }
    let axis = "ελ, learning rate times curvature"
    // Beyond ελ = 1 − μ descent shrinks the error more than either rule, in one direction alone.
    let crossing = 0.05
    page.figure(
      Figure(
        "rates",
        title:
          "On gentle slopes both rules win; on steep ones momentum costs, Nesterov's less",
        size: (760, 380), columns: 2,
        panels: [
          Panel(
            title: "μ = 0.95", x: Axis(axis, scale: .log, range: 1e-4...1),
            y: Axis("steps to a tenth of the error", scale: .log, range: 0.3...1e5),
            marks: marks(logarithmic, 0.95) { curve in
              curve.filter { $0.y < 1 && $0.y > 5e-4 }.map { (x: $0.x, y: -log(10) / log($0.y)) }
            } + [.vertical("descent wins", at: crossing)]),
          Panel(
            title: "μ = 1", x: Axis(axis, range: 0...2),
            y: Axis("factor of the error per step", range: 0...1.4),
            marks: marks(linear, 1) { $0 } + [
              .text("grows", at: (x: 0.1, y: 1.2)), .text("shrinks", at: (x: 0.1, y: 0.15)),
            ]),
        ]))
    checkTheBounds(page)
  }

  private static func checkTheBounds(_ page: Page) {
    // The error neither grows nor shrinks at ελ = 2(1 + μ) and 2(1 + μ)/(1 + 2μ): measured on the
    // rules, which know nothing of a formula.
    for μ in [0.5, 0.9, 0.99] {
      let bounds = [(false, 2 * (1 + μ)), (true, 2 * (1 + μ) / (1 + 2 * μ))]
      let rates = bounds.map { nesterov, bound in
        [0.99, 1, 1.01].map { measuredRate(nesterov: nesterov, μ: μ, ελ: $0 * bound) }
      }
      page.check(
        "μ = \(μ): measured factor 1 at both bounds",
        rates.map { abs($0[1] - 1) }.max()!,
        // Two roots near 1 die out slowly where μ is near 1.
        atMost: μ == 0.99 ? 2.5e-5 : 1e-15)
      page.check(
        "μ = \(μ): measured below 1 before, above 1 behind",
        rates.map { min(1 - $0[0], $0[2] - 1) }.min()!, atLeast: 1e-3)
    }
    for (key, μ, ελ) in [("steep", 0.95, 0.5), ("unstable", 1.05, 0.5), ("long", 0.95, 1.5)] {
      page.value("\(key).momentum", rate(coefficient: μ, ελ: ελ), tolerance: 1e-9)
      page.value("\(key).nesterov", rate(coefficient: μ * (1 - ελ), ελ: ελ), tolerance: 1e-9)
    }
    let (μ, ελ) = (0.9, 1.4)
    page.value("steeper.plain", rate(coefficient: 0, ελ: ελ), tolerance: 1e-9)
    page.value("steeper.momentum", rate(coefficient: μ, ελ: ελ), tolerance: 1e-9)
    page.value("steeper.nesterov", rate(coefficient: μ * (1 - ελ), ελ: ελ), tolerance: 1e-9)
    page.value("steeper.bound", 2 * (1 + μ) / (1 + 2 * μ), tolerance: 1e-9)
    page.claim(
      "With μ = 1.05 and ελ = ½ momentum diverges and Nesterov's rule converges.",
      "unstable.momentum > 1 and unstable.nesterov < 1")
    page.claim(
      "With ελ = 1.5 it is Nesterov's rule that diverges, while momentum still converges.",
      "long.nesterov > 1 and long.momentum < 1")
  }
}

// MARK: - Both constants tuned

extension MomentumVersusNesterov {
  // snippet.tuned
  /// The constants that make the slowest of all directions between two curvatures as fast as it can
  /// be, and the factor by which an error then shrinks in a step.
  ///
  /// Polyak 1964 for momentum; Lessard, Recht & Packard 2016, proposition 1, for all three.
  enum Tuned {
    case descent, momentum, nesterov

    func constants(least ℓ: Double, most L: Double) -> (ε: Double, μ: Double, factor: Double) {
      let κ = L / ℓ
      switch self {
      case .descent: return (2 / (L + ℓ), 0, (κ - 1) / (κ + 1))
      case .momentum:
        let factor = (κ.squareRoot() - 1) / (κ.squareRoot() + 1)
        return (pow(2 / (L.squareRoot() + ℓ.squareRoot()), 2), factor * factor, factor)
      case .nesterov:
        let root = (3 * κ + 1).squareRoot()
        return (4 / (3 * L + ℓ), (root - 2) / (root + 2), 1 - 2 / root)
      }
    }
  }
  // snippet.end

  /// The least factor of a rule in the valley, and where it lies, found by looking.
  private static func search(_ rule: Tuned) -> (ε: Double, μ: Double, factor: Double) {
    func factor(_ ε: Double, _ μ: Double) -> Double {
      curvatures.map { λ in
        rate(coefficient: rule == .nesterov ? μ * (1 - ε * λ) : μ, ελ: ε * λ)
      }.max()!
    }
    var best = (ε: 0.04, μ: rule == .descent ? 0 : 0.5, factor: 2.0)
    var (width, height) = (0.04, rule == .descent ? 0 : 0.5)
    // Ten grids, each of a quarter of the last one's extent around the best that was found.
    for _ in 0..<10 {
      let centre = best
      for row in -20...20 {
        for column in -20...20 {
          let (ε, μ) = (
            centre.ε + width * Double(row) / 20, centre.μ + height * Double(column) / 20
          )
          guard ε > 0, μ >= 0 else { continue }
          let found = factor(ε, μ)
          if found < best.factor { best = (ε, μ, found) }
        }
      }
      (width, height) = (width / 4, height / 4)
    }
    return best
  }

  private static func tuneTheRules(_ page: Page) {
    let rules: [(key: String, rule: Tuned)] = [
      ("plain", .descent), ("momentum", .momentum), ("nesterov", .nesterov),
    ]
    for (key, rule) in rules {
      let (found, formula) = (search(rule), rule.constants(least: 1, most: 50))
      page.check(
        "\(key), tuned: least factor found = formula", found.factor - formula.factor, atMost: 1e-7
      )
      page.check(
        "\(key), tuned: where it was found = formula",
        max(abs(found.ε - formula.ε) * 50, abs(found.μ - formula.μ)), atMost: 1.1e-6)
      page.value("best.\(key).factor", formula.factor, tolerance: 1e-9)
      // For the exercise: the steps to a tenth in a valley two hundred times as long.
      page.value(
        "wide.\(key)", -log(10) / log(rule.constants(least: 1, most: 10_000).factor),
        tolerance: 1e-6, unit: "steps")
    }
    let kinds: [(key: String, name: String, kind: Momentum.Kind)] = [
      ("momentum", "momentum", .classical), ("nesterov", "Nesterov", .nesterov),
    ]
    let planes = kinds.map { rule in
      RulePlane(key: rule.key, name: rule.name, isQuick: page.isQuick) { ε, μ in
        Descent(rule.kind, ε: ε, μ: μ, limit: RulePlane.limit).steps.whole
      }
    }
    RulePlane.write(
      momentum: planes[0], nesterov: planes[1], rate: 0.018, eager: 0.98, on: page,
      runs: kinds.map { rule in
        { ε, μ in Descent(rule.kind, ε: ε, μ: μ, limit: RulePlane.limit).steps.whole }
      })
    page.claim(
      "Tuned, momentum needs fewer steps than Nesterov's rule, and that fewer than gradient descent.",
      "tuned.momentum.steps < tuned.nesterov.steps and tuned.nesterov.steps < tuned.plain.steps")
    page.claim(
      "With a momentum of .98 Nesterov's rule needs less than half of the steps of momentum.",
      "eager.nesterov.steps < 0.5 * eager.momentum.steps")
  }
}

// MARK: - The rule that libraries write

extension MomentumVersusNesterov {
  // snippet.libraries
  /// Nesterov's rule at the point where its gradient is taken, as many libraries write it.
  struct Lookahead {
    var position: [Double]
    var buffer: [Double]

    /// b ← μb + ∇f(p), p ← p − ε(∇f(p) + μb).
    mutating func step(ε: Double, μ: Double, _ gradient: ([Double]) -> [Double]) {
      let slope = gradient(position)
      buffer = zip(buffer, slope).map { μ * $0 + $1 }
      let move = zip(slope, buffer).map { $0 + μ * $1 }
      position = zip(position, move).map { $0 - ε * $1 }
    }
  }
  // snippet.end

  /// The largest distance of the library's point p from θ + μv; both start 4 from the minimum.
  private static func distanceOfLookahead(rates: (Int) -> Double) -> Double {
    // Not quadratic: f = Σ ln cosh(λx), whose slope is λ·tanh(λx).
    let scales = [0.3, 1, 2.5]
    func gradient(_ θ: [Double]) -> [Double] {
      zip(scales, θ).map { $0 * Double.tanh($0 * $1) }
    }
    let (μ, start) = (0.95, [4.0, -2, 1])
    var ball = Ball(at: start)
    var library = Lookahead(position: start, buffer: [0, 0, 0])
    var worst = 0.0
    for step in 0..<300 {
      ball.nesterovStep(ε: rates(step), μ: μ, gradient)
      library.step(ε: rates(step), μ: μ, gradient)
      for i in 0..<3 {
        let ahead = ball.position[i] + μ * ball.velocity[i]
        worst = max(worst, abs(library.position[i] - ahead))
      }
    }
    return worst
  }

  /// The same, for the rule that trains the networks of all later chapters, on one number.
  private static func distanceOfOptimiser(_ kind: Momentum.Kind) -> Double {
    let (λ, ε, μ) = (3.0, 0.1, 0.9)
    let θ = Parameter("θ", Tensor([1], [1]))
    var rule = Momentum(kind, momentum: μ)
    var ball = Ball(at: [1])
    var worst = 0.0
    for step in 0..<50 {
      rule.begin([θ], at: Moment(step: step, epoch: 0))
      let tape = Tape()
      let gradients = tape.backward(from: sum(tape(θ) * tape(θ)) * Float(λ / 2))
      rule.step([θ], gradients, rate: Float(ε))
      switch kind {
      case .classical: ball.classicalStep(ε: ε, μ: μ) { $0.map { λ * $0 } }
      case .nesterov: ball.nesterovStep(ε: ε, μ: μ) { $0.map { λ * $0 } }
      }
      worst = max(worst, abs(Double(θ.value.scalar) - ball.position[0]))
    }
    return worst
  }

  private static func rewriteTheRule(_ page: Page) {
    page.check(
      "the libraries' p = θ + μv", distanceOfLookahead { _ in 0.1 }, atMost: 2e-15)
    let changed = distanceOfLookahead { $0 < 20 ? 0.1 : 0.02 }
    page.check("a rate that changes parts them", changed, atLeast: 1e-2)
    page.value("libraries.apart", changed, tolerance: 1e-9)
    for kind in [Momentum.Kind.classical, .nesterov] {
      page.check("the optimiser's \(kind) rule = eqs. 1–4", distanceOfOptimiser(kind), atMost: 3e-7)
    }
  }
}

// MARK: - The deep auto-encoder

extension MomentumVersusNesterov {
  // snippet.choice
  /// Trains every column of the table: the rate is chosen on seed 0, the result is that of others.
  private static func trainColumns(
    _ page: Page, _ data: MNIST
  ) throws -> [AutoencoderReport.Row] {
    let steps = page.isQuick ? 120 : 1600
    let rates = page.isQuick ? [0.005] : [0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005]
    let seeds = page.isQuick ? 1...1 : 1...5
    let columns = AutoencoderReport.Column.all
    func run(_ column: AutoencoderReport.Column, _ rate: Double, _ seed: Int) -> AutoencoderRun {
      AutoencoderRun(
        kind: column.kind, largestMomentum: column.μ, rate: rate, steps: steps, seed: seed,
        showsDigits: seed == 1)
    }
    let tried = try AutoencoderRun.outcomes(
      columns.flatMap { column in rates.map { run(column, $0, 0) } }, page, data,
      label: "choosing rates"
    ).map(\.error)
    let trials = columns.indices.map { index in
      zip(rates, tried[index * rates.count..<(index + 1) * rates.count])
        .map { (rate: $0, error: $1) }
    }
    let chosen = zip(columns, trials).map { column, tried in
      rates[page.choice(of: "\(column.key), rate", by: tried.map(\.error))]
    }
    let final = try AutoencoderRun.outcomes(
      zip(columns, chosen).flatMap { column, rate in seeds.map { run(column, rate, $0) } }, page,
      data, label: "training")
    return columns.indices.map { index in
      AutoencoderReport.Row(
        column: columns[index], trials: trials[index], rate: chosen[index],
        outcomes: Array(final[index * seeds.count..<(index + 1) * seeds.count]))
    }
  }
  // snippet.end

  private static func trainAutoencoders(_ page: Page, _ data: MNIST) throws {
    let same = try [Momentum.Kind.classical, .nesterov].map { kind in
      try AutoencoderRun.outcomes(
        [AutoencoderRun(kind: kind, largestMomentum: 0, rate: 0.01, steps: 20, seed: 1)], page,
        data, label: "without momentum")[0].error
    }
    for (key, error) in [("before", 1.2), ("after", 0.73)] {
      page.quote("fall.\(key)", error, source: "Sutskever et al. 2013, table 2, MNIST")
    }
    page.check("without momentum both rules are one: same bits", same[0] - same[1], atMost: 0)
    AutoencoderReport(rows: try trainColumns(page, data)).write(on: page, data)
  }
}
