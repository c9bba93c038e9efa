import Digits
import Methods
import Networks
import Tensors

/// How the networks of chapters 3.3.7 and 3.3.8 learn from labels, wherever their weights start.
package enum LabelTuning {
  /// The images of a step.
  package static let batchSize = 100

  // snippet.tuning
  /// Adam on the cross-entropy of the labelled images; the last third of the steps slows down to 0.
  ///
  /// - Parameters:
  ///   - method: what is trained, for the sentence that a broken training ends with.
  ///   - units: as many steps each as `stepsPerUnit` says, whatever an epoch is; the curves have their
  ///     points at units.
  package static func run(
    _ network: some Classifier, of method: String, rate: Double, units: Int, stepsPerUnit: Int,
    in task: Study.Task, _ show: (_ step: Int, Study.Reader) throws -> Void
  ) throws {
    let units = task.epochs(units)
    let stepsPerUnit = task.isQuick ? 1 : stepsPerUnit
    let steps = units * stepsPerUnit
    var training = Training(
      of: network, on: task.set, task.labelled, Adam(),
      rate: .linearDecay(rate, from: 2 * steps / 3, to: steps, .steps), batchSize: batchSize,
      seed: task.seed, name: task.streams)
    for unit in 1...units {
      for _ in 0..<stepsPerUnit {
        try task.flag.check()
        try training.takeCheckedStep(of: method)
      }
      if task.isPoint(unit, of: units) {
        try show(unit * stepsPerUnit, Study.reader(of: network, task.flag))
      }
    }
  }
  // snippet.end
}
