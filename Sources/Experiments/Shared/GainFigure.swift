import Notebook

extension Page {
  /// Two arms that are compared: the name of their difference, words for it, and their keys.
  package typealias GainPair = (name: String, words: String, first: String, second: String)

  /// Gives paired differences of test errors, the first arm's less the second's, and draws them.
  ///
  /// Each difference is given as `name.1000`, with its interval; the figure is called `gain`.
  ///
  /// - Parameter single: pairs that were trained with one number of labels alone; their rows are last.
  package func giveGains(
    _ pairs: [GainPair], _ single: [(pair: GainPair, labels: Int)] = [], of report: OutcomeReport,
    labels counts: [Int], title: String, axis words: String, size: (width: Int, height: Int)
  ) {
    let all = pairs.flatMap { pair in counts.map { (pair: pair, labels: $0) } } + single
    let rows = all.map { pair, labels in
      let gain = report.giveDifference(
        "\(pair.name).\(labels)", pair.first, minus: pair.second, labels)
      return (
        name: "\(OutcomeReport.words(labels)), \(pair.words)", value: gain.mean, low: gain.low,
        high: gain.high
      )
    }
    // Some room, without which an interval that ends at the edge is cut off.
    let (least, most) = (min(0, rows.map(\.low).min()!), max(0, rows.map(\.high).max()!))
    let room = 0.04 * (most - least)
    figure(
      Figure(
        "gain", title: title, size: size,
        panels: [
          .intervals(
            x: Axis("\(words), 95 % interval", range: least - room...most + room), rows: rows,
            marks: [.vertical("", at: 0)])
        ]))
  }
}
