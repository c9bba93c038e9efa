import Digits
import Foundation
import Notebook

/// The figures of the final model's trainings.
package struct CrossFigures {
  private let page: Page
  private let data: MNIST

  /// Figures for a chapter's page.
  package init(_ page: Page, _ data: MNIST) { (self.page, self.data) = (page, data) }

  /// The curves of both networks together, a line for each seed.
  package func drawTheCourse(_ kit: [CrossOutcome]) {
    func last(_ part: KeyPath<CrossOutcome, [[Double]]>) -> [[Double]] {
      kit.map { $0[keyPath: part].map { $0.last! } }
    }
    let test = last(\.test)
    let (first, end) = (Spread(test.map { $0.first! }).mean, Spread(test.map { $0.last! }).mean)
    page.figure(
      Figure(
        "course",
        title: String(
          format: "Test error of both together: %.2f %% at the first point, %.2f %% at the end",
          first, end),
        panels: [
          .accuracies(
            x: Axis("step"), y: Axis("error, %"), epochs: kit[0].steps,
            parts: [
              ("train", last(\.train)), ("validation", last(\.validation)), ("test", test),
            ])
        ]))
  }

  /// What one model misreads, and which digits all of them read as which.
  package func showMistakes(_ model: CrossOutcome, among models: [CrossOutcome]) {
    let shipped = model.mistakes
    page.value("shipped.mistakes", Double(shipped.count), tolerance: 15)
    var counts = [[Double]](repeating: [Double](repeating: 0, count: 10), count: 10)
    for mistake in models.flatMap(\.mistakes) {
      counts[mistake.label][mistake.read] += 1 / Double(models.count)
    }
    let cells = counts.indices.flatMap { label in counts[label].indices.map { (label, $0) } }
    let worst = cells.max { counts[$0.0][$0.1] < counts[$1.0][$1.1] }!
    let digits = (0...9).map { (Double($0), "\($0)") }
    page.figure(
      Figure(
        "confusion",
        title: String(
          format: "The commonest mistake: a %d read as %d, %.1f times a model", worst.0, worst.1,
          counts[worst.0][worst.1]),
        size: (620, 520),
        panels: [
          Panel(
            x: Axis("digit read", ticks: digits),
            y: Axis("true digit", ticks: (0...9).map { (Double(9 - $0), "\($0)") }),
            marks: [
              .heatmap(
                counts,
                labels: counts.map { $0.map { $0 < 0.05 ? "" : String(format: "%.1f", $0) } })
            ])
        ]))
    // What the networks of a quick run misread is most of the images.
    let shown = shipped.sorted { $0.confidence > $1.confidence }.prefix(60)
    guard !shown.isEmpty else { return }
    page.figure(
      Figure(
        "mistakes",
        title: "The shipped model misreads \(shipped.count) test images, "
          + "\(shipped.count { $0.confidence >= 0.99 }) of them at 99 % and more",
        size: (860, 560),
        panels: [
          Panel(marks: [
            .images(
              shown.map { data.test.images([$0.image]).values },
              captions: shown.map {
                "\($0.label) as \($0.read), \(Int((100 * $0.confidence).rounded()))"
              }, columns: 10)
          ])
        ]))
  }

  /// How often predictions are right, against how sure they are.
  package func showSureness(_ models: [CrossOutcome]) {
    let bins = CrossLook.edges.indices.map { bin -> (count: Double, right: Double, sum: Double) in
      let own = models.map { $0.sureness[bin] }
      return (
        Double(own.reduce(0) { $0 + $1.count }), Double(own.reduce(0) { $0 + $1.right }),
        own.reduce(0.0) { $0 + Double($1.count) * $1.sureness }
      )
    }
    let all = bins.reduce(0.0) { $0 + $1.count }
    // Of each bin, how far its share of right predictions is from what they say of themselves.
    let off = bins.reduce(0.0) { $0 + abs($1.right - $1.sum) } / all
    page.value("off", 100 * off, tolerance: 0.5, unit: "points")
    let surest = bins.last!
    page.value("surest.share", 100 * surest.count / all, tolerance: 5, unit: "%")
    page.value(
      "surest.wrong", 100 * (1 - surest.right / max(1, surest.count)), tolerance: 0.2, unit: "%")
    let used = bins.filter { $0.count > 0 }
    page.figure(
      Figure(
        "sureness",
        title: String(
          format: "%.1f %% of the predictions are at 0.999 and more, %.2f %% of these are wrong",
          100 * surest.count / all, 100 * (1 - surest.right / max(1, surest.count))),
        panels: [
          Panel(
            x: Axis("mean probability of the predictions of a bin", range: 0...1),
            y: Axis("share of them that is right", range: 0...1),
            marks: [
              .guide([(0, 0), (1, 1)]),
              .points("ten models", used.map { (x: $0.sum / $0.count, y: $0.right / $0.count) }),
            ])
        ]))
  }
}
