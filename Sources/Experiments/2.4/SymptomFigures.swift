import Digits
import Gradients
import Notebook
import Tensors

/// Figures of chapter 2.4: each symptom beside the healthy network.
package enum SymptomFigures {
  /// A name with one curve a seed.
  package typealias Curves = (name: String, seeds: [[Double]])

  /// The loss on one batch, step by step.
  package static func batch(_ curves: [Curves], floor: Double) -> Figure {
    Figure(
      "batch",
      title: "A healthy network learns one batch by heart; behind two softmaxes it cannot",
      panels: [
        Panel(
          x: Axis("step on the same 64 images"),
          y: Axis("loss", scale: .log, range: 1e-6...10),
          marks: marks(curves, at: curves[0].seeds[0].indices.map { Double($0) })
            + [.horizontal("−ln(e/(e + 9))", at: floor)])
      ])
  }

  /// The first images of a batch with their labels, as two networks read them.
  package static func inputs(_ healthy: Case, _ shifted: Case) -> Figure {
    func panel(_ c: Case, _ title: String) -> Panel {
      let chosen = Array(c.batch.prefix(10))
      let rows = c.patient().rows(Tape(recording: false).constant(c.set.images(chosen))).value
      // What the network reads, moved back to 0…1 for paper and ink.
      let (low, high) = (rows.values.min()!, rows.values.max()!)
      let pixels = chosen.indices.map { row in
        rows.rows(row..<row + 1).values.map { ($0 - low) / (high - low) }
      }
      return Panel(
        title: title,
        marks: [
          .images(pixels, captions: c.set.labels(chosen).map { "label \($0)" }, columns: 10)
        ])
    }
    return Figure(
      "inputs",
      title: "The labels of the second row belong to other images: anybody sees it who looks",
      size: (width: 760, height: 300),
      panels: [panel(healthy, "healthy"), panel(shifted, "labels shifted by one image")])
  }

  /// The loss after an epoch against the rate.
  package static func sweep(_ curves: [Curves], _ rates: [Double]) -> Figure {
    Figure(
      "sweep", title: "A rate that is divided by the batch's size again moves the whole sweep",
      panels: [
        Panel(
          x: Axis("rate", scale: .log, range: 1e-3...10),
          y: Axis("loss on other images after an epoch", range: 0...3),
          marks: marks(curves, at: rates))
      ])
  }

  /// The size of the gradient, layer by layer.
  package static func gradients(_ sizes: [Curves]) -> Figure {
    Figure(
      "gradients", title: "Where a layer is cut off the tape, no gradient reaches those below it",
      panels: [
        Panel(
          x: Axis(
            "layer of weights", range: 0.8...4.2, ticks: (1...4).map { (Double($0), "\($0)") }),
          y: Axis("size of its gradient before the first step"),
          marks: marks(sizes, at: [1, 2, 3, 4]))
      ])
  }

  /// The accuracy of the same networks in two phases.
  package static func phases(_ curves: [Curves]) -> Figure {
    Figure(
      "phase", title: "The same networks seem worse when they are judged with dropout",
      panels: [
        Panel(
          x: Axis("epoch"), y: Axis("accuracy on other images, %"),
          marks: marks(curves, at: curves[0].seeds[0].indices.map { Double($0 + 1) }))
      ])
  }

  /// The mean over the seeds as a line, and from the lowest to the highest as a band.
  private static func marks(_ curves: [Curves], at x: [Double]) -> [Mark] {
    curves.enumerated().flatMap { colour, curve in
      let columns = x.indices.map { place in curve.seeds.map { $0[place] } }
      let finite = zip(x, columns).filter { $0.1.allSatisfy(\.isFinite) }
      return [
        Mark.band("", finite.map { ($0, $1.min()!, $1.max()!) }, colour: colour),
        Mark.line(
          curve.name, finite.map { (x: $0, y: Spread($1).mean) }, colour: colour),
      ]
    }
  }
}
