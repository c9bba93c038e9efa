import Digits
import Foundation
import Methods
import Notebook
import Tensors

/// What becomes of a network's guesses in the course of one training on one draw of labels.
package struct GuessLook: MeasuredResult, Sendable {
  /// The margins up to which images are counted.
  package static let margins = (1...20).map { Double($0) / 20 }

  /// Epochs done at each point.
  package var epochs: [Int] = []
  /// The validation images that are guessed wrong at each point, in percent.
  ///
  /// They are among the images without labels.
  package var wrong: [Double] = []
  /// The images guessed wrong at the first point and right at the end, in percent of all.
  package var mended = 0.0
  /// The images guessed right at the first point and wrong at the end, in percent of all.
  package var spoiled = 0.0
  /// At the end, the test images whose largest output leads by less than each margin, in percent.
  ///
  /// Nobody looks at their labels.
  package var narrow: [Double] = []
  /// At the end, the mean entropy of the ten sigmoids together, in nats.
  package var entropy = 0.0

  package var measures: [[Double]] { [wrong, narrow, [entropy, mended, spoiled]] }

  /// Trains with each setting on a draw, at full length, and looks.
  package static func run(
    _ page: Page, _ data: MNIST, _ draw: LabelDraw, _ trainings: GuessTraining,
    _ settings: [GuessTraining.Setting]
  ) throws -> [GuessLook] {
    let split = try draw.split(data.train, page)
    let (seed, id, isQuick) = (page.seed, page.id, page.isQuick)
    let names = settings.map { "looks, \($0.kind.rawValue), \(draw.name): \($0)" }
    return try Round(page, "looks").run(names, tolerance: 5) { index, flag in
      // The same streams as the draw has in the study, so that these are the networks of its table.
      let others = isQuick ? Array(split.withoutLabels.prefix(2000)) : split.withoutLabels
      let task = Study.Task(
        set: data.train, labelled: split.labelled,
        unlabelled: data.train.withoutLabels(others), seed: seed,
        streams: "\(id)/\(draw.name)", flag: flag, share: 1, points: isQuick ? 1 : 12,
        isQuick: isQuick)
      var look = GuessLook()
      var first: [Bool]?
      try trainings.train(settings[index], task) { epoch, network in
        let judged = try network.evaluate(data.train, split.validation) { try flag.check() }
        let isRight = zip(judged.predictions, judged.labels).map { $0 == $1 }
        let before = first ?? isRight
        first = before
        look.epochs.append(epoch)
        look.wrong.append(100 - judged.accuracy)
        let pairs = Array(zip(before, isRight))
        look.mended = 100 * Double(pairs.count { !$0 && $1 }) / Double(pairs.count)
        look.spoiled = 100 * Double(pairs.count { $0 && !$1 }) / Double(pairs.count)
        if epoch == task.epochs(GuessTraining.epochs(labels: split.labelled.count)) || isQuick {
          try look.readOutputs(of: network, data, isQuick: isQuick) { try flag.check() }
        }
      }
      return look
    }
  }

  private mutating func readOutputs(
    of network: Perceptron, _ data: MNIST, isQuick: Bool, check: () throws -> Void
  ) throws {
    let images = data.test.withoutLabels(Array(0..<data.test.count))
    let places = Array(stride(from: 0, to: data.test.count, by: isQuick ? 10 : 1))
    var margins: [Double] = []
    entropy = 0
    for batch in places.batches(of: 500) {
      try check()
      let logits = network.logits(of: images(batch))
      let classes = logits.shape[1]
      for row in 0..<batch.count {
        let outputs = (0..<classes).map { 1 / (1 + exp(-Double(logits[row * classes + $0]))) }
        let sorted = outputs.sorted(by: >)
        margins.append(sorted[0] - sorted[1])
        entropy += outputs.reduce(0) { $0 + Self.entropy($1) } / Double(places.count)
      }
    }
    narrow = Self.margins.map { x in
      100 * Double(margins.count { $0 < x }) / Double(margins.count)
    }
  }

  /// −p ln p − (1 − p) ln(1 − p).
  package static func entropy(_ p: Double) -> Double {
    -[p, 1 - p].filter { $0 > 0 }.reduce(0) { $0 + $1 * log($1) }
  }
}
