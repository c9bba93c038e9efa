import Methods
import Notebook
import Tensors

/// The figures of chapter 2.3.2.
package enum PretrainingFigures {
  /// The accuracies of each code: for each number of centroids, those of all repetitions.
  package typealias Sweep = [(
    k: Int, code: PatchEncoder.Code, cost: Int, accuracies: [Double]
  )]

  private static let names: [VGGExperiment.Arm: String] = [
    .shallow: "A, N(0, 0.01)", .copied: "D, layers of A", .random: "D, N(0, 0.01)",
    .he: "D, He's rule",
  ]

  package static func drawCurves(
    _ page: Page, _ outcomes: [VGGExperiment.Arm: [VGGExperiment.Outcome]]
  ) {
    var marks: [Mark] = []
    for (colour, arm) in VGGExperiment.Arm.allCases.enumerated() {
      // Each seed has a line of its own: a mean of networks that learn and of one that does not
      // would show neither.
      let best = outcomes[arm]!.sorted { $0.final > $1.final }
      for (place, outcome) in best.enumerated() {
        marks.append(
          .line(
            place == 0 ? names[arm]! : "",
            outcome.validation.enumerated().map { (x: Double($0 + 1), y: $1) }, colour: colour))
      }
    }
    page.figure(
      Figure(
        "curves",
        title:
          "From N(0, 0.01) a deep network is a gamble, with layers of a shallow one or without",
        panels: [
          Panel(
            x: Axis("epoch (60 steps)"), y: Axis("validation accuracy, %"), marks: marks)
        ]))
  }

  /// The networks that guess, right about every tenth image; all, if there is none.
  package static func stalled(_ outcomes: [VGGExperiment.Outcome]) -> [VGGExperiment.Outcome] {
    let stalled = outcomes.filter { $0.final < 15 }
    return stalled.isEmpty ? outcomes : stalled
  }

  package static func drawDiffering(
    _ page: Page, _ outcomes: [VGGExperiment.Arm: [VGGExperiment.Outcome]]
  ) {
    func line(_ name: String, _ shares: [[Double]], _ colour: Int) -> Mark {
      .line(
        name,
        shares[0].indices.map { layer in
          (x: Double(layer + 1), y: Spread(shares.map { $0[layer] }).mean)
        }, colour: colour)
    }
    let arms = [
      ("D, N(0, 0.01), stalled", stalled(outcomes[.random]!), 2), (names[.he]!, outcomes[.he]!, 3),
    ]
    let panels = [
      ("before training", arms.map { line($0, $1.map(\.differingBefore), $2) }),
      ("after it", arms.map { line($0, $1.map(\.differingAfter), $2) }),
    ]
    page.figure(
      Figure(
        "differing",
        title: "The stalled network says the same of every image",
        size: (760, 340), columns: 2,
        panels: panels.map { title, marks in
          Panel(
            title: title, x: Axis("layer", range: 1...16),
            y: Axis("part that differs between images", range: 0...1), marks: marks)
        }))
  }

  package static func drawSweep(_ page: Page, _ sweep: Sweep) {
    var marks: [Mark] = []
    for (colour, code) in PatchEncoder.Code.allCases.enumerated() {
      let own = sweep.filter { $0.code == code }.map { (x: Double($0.k), s: Spread($0.accuracies)) }
      marks.append(
        .band(
          "", own.map { ($0.x, $0.s.mean - $0.s.deviation, $0.s.mean + $0.s.deviation) },
          colour: colour))
      marks.append(.line(code.rawValue, own.map { ($0.x, $0.s.mean) }, colour: colour))
    }
    let counts = sweep.filter { $0.code == .hard }.map(\.k)
    page.figure(
      Figure(
        "centroids-count",
        title: "The triangle code beats the hard one, whatever the number of centroids",
        panels: [
          Panel(
            x: Axis(
              "centroids", scale: .log, range: Double(counts.first!)...Double(counts.last!),
              ticks: counts.map { (Double($0), "\($0)") }),
            y: Axis("validation accuracy, %, mean ± deviation"), marks: marks)
        ]))
  }

  package static func drawDictionaries(
    _ page: Page, _ experiment: PatchExperiment, _ chosen: PatchExperiment.Constants, k: Int
  ) throws {
    var (plain, whitened) = (chosen, chosen)
    (plain.epsilon, whitened.epsilon) = (nil, 0.1)
    let pictures = try [plain, whitened].map { constants in
      let (encoder, means, _) = try experiment.learn(k, constants, repetition: 0)
      let order = means.sizes.indices.sorted { (means.sizes[$0], $1) > (means.sizes[$1], $0) }
      return mosaic(order.map { encoder.centroids.rows($0..<$0 + 1).values })
    }
    page.figure(
      Figure(
        "dictionary", title: "Pieces of strokes, and what whitening makes of them",
        size: (760, 430),
        panels: [
          Panel(marks: [
            .images(
              pictures, captions: ["not whitened", "whitened, ε = 0.1"], columns: 2)
          ])
        ]))
  }

  /// Patches of 6×6 in a square of squares, each from its least value to its greatest, doubled.
  private static func mosaic(_ patches: [[Float]]) -> [Float] {
    let across = Int(Double(patches.count).squareRoot().rounded(.up))
    let side = 2 * (7 * across - 1)
    var picture = [Float](repeating: 0, count: side * side)
    for (index, patch) in patches.enumerated() {
      let largest = max(patch.map(abs).max()!, 1e-6)
      for y in 0..<12 {
        for x in 0..<12 {
          let place =
            (index / across * 14 + y) * side + index % across * 14 + x
          picture[place] = 0.5 + 0.5 * patch[y / 2 * 6 + x / 2] / largest
        }
      }
    }
    return picture
  }
}
