import Notebook

extension DeepTraining {
  /// Draws the losses of the groups: the mean of the seeds, and a band from the least to the most.
  ///
  /// - Parameter rates: the chosen rate of each rule where layers are normalised.
  package static func draw(
    _ groups: [String: [Outcome]], normalisedAt rates: [String: Double], on page: Page
  ) {
    let panels = [
      ("22 layers", "plain.22", 32), ("30 layers", "plain.30", 96),
      ("30 layers, normalised", "normalised", 12),
    ].map { title, group, epochs in
      var marks: [Mark] = []
      for (colour, rule) in rules.enumerated() {
        let rate = group == "normalised" ? ".\(rates[rule.key]!)" : ""
        let losses = groups["\(group)\(rate).\(rule.key)"]!.map(\.losses)
        let range = losses[0].indices.prefix(epochs + 1)
        marks.append(
          .band(
            "",
            range.map { epoch in
              let all = losses.map { $0[epoch] }
              return (Double(epoch), all.min()!, all.max()!)
            }, colour: colour))
        marks.append(
          .line(
            rule.name,
            range.map { epoch in (Double(epoch), Spread(losses.map { $0[epoch] }).mean) },
            colour: colour))
      }
      return Panel(
        title: title,
        x: Axis(
          "epoch",
          ticks: stride(from: 0, through: epochs, by: epochs / 4).map { (Double($0), "\($0)") }),
        y: Axis("training loss", range: 0...3.6), marks: marks)
    }
    page.figure(
      Figure(
        "training",
        title:
          "Training loss under three rules, at two depths, and normalised",
        size: (width: 760, height: 360), columns: 3, panels: panels))
  }
}
