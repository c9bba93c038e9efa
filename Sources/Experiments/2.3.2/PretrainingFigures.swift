import Methods
import Notebook
import Tensors

/// The figures of chapter 2.3.2.
package enum PretrainingFigures {
  /// What is swept over the number of centroids.
  package enum SweepKind: String, CaseIterable, Sendable {
    /// The hard and the triangle code of a dictionary by K-means.
    case hard, triangle
    /// The triangle code of patches as they were drawn.
    case random

    fileprivate var words: String { self == .random ? "triangle, drawn" : rawValue }
  }

  /// For each kind and number of centroids, the cost that is best and the accuracies of all
  /// dictionaries with it.
  package typealias Sweep = [(k: Int, kind: SweepKind, cost: Int, accuracies: [Double])]

  private static let names: [VGGExperiment.Arm: String] = [
    .shallow: "A, N(0, 0.01)", .copied: "D, layers of A", .random: "D, N(0, 0.01)",
    .he: "D, He's rule",
  ]

  /// Draws how many networks of each arm read more than half of the images, by the epoch.
  package static func drawCurves(
    _ page: Page, _ outcomes: [VGGExperiment.Arm: [VGGExperiment.Outcome]], title: String
  ) {
    let marks = VGGExperiment.Arm.allCases.enumerated().map { colour, arm in
      let own = outcomes[arm]!
      let counts = own[0].validation.indices.map { epoch in
        (x: Double(epoch + 1), y: Double(own.count { $0.validation[epoch] > 50 }))
      }
      return Mark.line(names[arm]!, [(0, 0)] + counts, colour: colour)
    }
    let count = Double(outcomes[.random]!.count)
    page.figure(
      Figure(
        "curves", title: title,
        panels: [
          Panel(
            x: Axis("epoch (60 steps)"),
            y: Axis("networks, of \(Int(count)), that read more than half", range: 0...count),
            marks: marks)
        ]))
  }

  /// The seeds whose networks guess, right about every tenth image; all, if there is none.
  package static func stalled(_ outcomes: [VGGExperiment.Outcome]) -> [Int] {
    let stalled = outcomes.indices.filter { outcomes[$0].final < 15 }
    return stalled.isEmpty ? Array(outcomes.indices) : stalled
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
    let seeds = stalled(outcomes[.random]!)
    let arms = [
      ("D, N(0, 0.01), stalled", seeds.map { outcomes[.random]![$0] }, 2),
      ("D, He, the same seeds", seeds.map { outcomes[.he]![$0] }, 3),
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
    let counts = sweep.filter { $0.kind == .hard }.map(\.k)
    var marks: [Mark] = []
    for (colour, kind) in SweepKind.allCases.enumerated() {
      let own = sweep.filter { $0.kind == kind }.map { (x: Double($0.k), s: Spread($0.accuracies)) }
      marks.append(
        .band(
          "", own.map { ($0.x, $0.s.mean - $0.s.deviation, $0.s.mean + $0.s.deviation) },
          colour: colour))
      marks.append(.line(kind.words, own.map { ($0.x, $0.s.mean) }, colour: colour))
    }
    page.figure(
      Figure(
        "centroids-count",
        title: "Both codes, and patches as they were drawn, against the number of centroids",
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
