import Digits
import Foundation
import Notebook

/// The figures of the final model's trainings.
package struct CrossFigures {
  private let page: Page
  private let data: MNIST

  /// Figures for a chapter's page.
  package init(_ page: Page, _ data: MNIST) { (self.page, self.data) = (page, data) }

  /// The curves of both networks together, their mean over the models in a band of ± the deviation.
  package func drawTheCourse(_ models: [CrossOutcome]) {
    func last(_ part: KeyPath<CrossOutcome, [[Double]]>) -> [[Double]] {
      models.map { $0[keyPath: part].map { $0.last! } }
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
            x: Axis("step"), y: Axis("error, %"), epochs: models[0].steps,
            parts: [
              ("train", last(\.train)), ("validation", last(\.validation)), ("test", test),
            ])
        ]))
  }

  /// How many of the validation images get a label that counts, and how many a wrong one.
  ///
  /// They are among the images without labels, and nothing has learnt from what is counted here. The
  /// last point is left out: at the end the networks have new statistics and label no more.
  package func drawTheLabels(_ models: [CrossOutcome]) {
    let steps = Array(models[0].steps.dropLast())
    guard let last = steps.indices.last else { return }
    let kept = models.map { Array($0.kept.dropLast()) }
    // Of all images, and not of those that count: these grow more, and by the harder ones.
    let wrong = models.map { model in
      zip(model.kept, model.wrong).dropLast().map { zip($0, $1).map { $0 * $1 / 100 } }
    }
    func mean(_ shares: [[[Double]]], _ point: Int) -> [Double] {
      shares.map { Spread($0[point]).mean }
    }
    func panel(_ title: String, _ shares: [[[Double]]]) -> Panel {
      // The first network's labels are the second one's to learn.
      let lines = [("by the first network", 1), ("by the second", 0)].map { name, learner in
        (name: name, bySeed: shares.map { $0.map { $0[learner] } })
      }
      let both = (name: "mean of both", bySeed: shares.map { $0.map { Spread($0).mean } })
      return .accuracies(
        title, x: Axis("step"), y: Axis("% of the images"), epochs: steps, parts: lines + [both])
    }
    let most = steps.indices.max { Spread(mean(wrong, $0)).mean < Spread(mean(wrong, $1)).mean }!
    page.value("labelling.most", Double(steps[most]), tolerance: 15_000)
    page.value("wrong.most", Spread(mean(wrong, most)), tolerance: 0.2, unit: "%")
    for (place, name) in ["first", "second"].enumerated() {
      page.value(
        "wrong.late.\(name)", Spread(wrong.map { $0[last][1 - place] }), tolerance: 0.2, unit: "%")
    }
    for (name, point) in [("early", 0), ("late", last)] {
      page.value("labelling.\(name)", Double(steps[point]))
      page.value("kept.\(name)", Spread(mean(kept, point)), tolerance: 1, unit: "%")
      page.value("wrong.\(name)", Spread(mean(wrong, point)), tolerance: 0.2, unit: "%")
      page.value(
        "test.\(name)", Spread(models.map { $0.test[point].last! }), tolerance: 0.2, unit: "%")
    }
    let right = [0, last].map { point in
      Spread(zip(mean(kept, point), mean(wrong, point)).map { $0 - $1 }).mean
    }
    page.value("right.more", right[1] - right[0], tolerance: 1, unit: "points")
    page.difference(
      "wrong.more", PairedDifference(mean(wrong, last), minus: mean(wrong, 0)), tolerance: 0.2)
    page.figure(
      Figure(
        "labels",
        title: String(
          format: "Wrong labels, mean of both: %.2f %% of images at step %d, at most %.2f, at last "
            + "%.2f %%", Spread(mean(wrong, 0)).mean, steps[0], Spread(mean(wrong, most)).mean,
          Spread(mean(wrong, last)).mean),
        size: (860, 380), columns: 2,
        panels: [
          panel("labels that count", kept), panel("labels that count and are wrong", wrong),
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
    let most = cells.map { counts[$0.0][$0.1] }.max()!
    let worst = cells.filter { counts[$0.0][$0.1] == most }.map { "a \($0.0) read as \($0.1)" }
    let digits = (0...9).map { (Double($0), "\($0)") }
    page.figure(
      Figure(
        "confusion",
        title: "What happens most: \(worst.joined(separator: " and ")), "
          + String(format: "%.1f test images a model", most),
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
                // Cut and not rounded: nothing is at 100.
                String(
                  format: "%d as %d, %.1f", $0.label, $0.read,
                  (1000 * Double($0.confidence)).rounded(.down) / 10)
              }, columns: 10)
          ])
        ]))
  }

  /// How often predictions are wrong, against how sure they are.
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
    // At 0.99 and more: how many are wrong, and how many would be by their probabilities.
    let (wrong, promised) = bins.suffix(2).reduce((0.0, 0.0)) {
      ($0.0 + $1.count - $1.right, $0.1 + $1.count - $1.sum)
    }
    page.value("sure.wrong", wrong, tolerance: 10)
    page.value("sure.promised", promised, tolerance: 3)
    // What has no wrong one has no place on the axis.
    let used = bins.filter { $0.right < $0.count && $0.sum < $0.count }
    let points = used.map { (x: 1 - $0.sum / $0.count, y: 1 - $0.right / $0.count) }
    page.figure(
      Figure(
        "sureness",
        title: String(
          format: "At 0.99 and more %d models are wrong %.0f times, where %.1f are promised",
          models.count, wrong, promised),
        size: (640, 420),
        panels: [
          Panel(
            x: Axis(
              "1 less the mean probability of a bin", scale: .log, range: 1e-5...1),
            y: Axis("share of its predictions that is wrong", scale: .log, range: 1e-5...1),
            marks: [
              .guide([(1e-5, 1e-5), (1, 1)]), .points("", points),
            ]
              + zip(used, points).enumerated().map { place, pair in
                // By turns above and below, so that neighbours do not meet.
                let (x, y) = place.isMultiple(of: 2) ? (0.45, 1.5) : (1.2, 0.6)
                return .text(
                  String(format: "%.0f", pair.0.count), at: (x: pair.1.x * x, y: pair.1.y * y))
              })
        ]))
  }
}
