import Digits
import Files
import Foundation
import Networks
import Synchronization
import Tensors

/// The model that `lab model` trains and `lab result` reads, and its files.
///
/// What is trained stands in `CrossLabels` and `CrossSettings`; here is what validation chose of that,
/// and how it is checkpointed, written and read.
public enum FinalModel {
  // snippet.chosen
  /// What validation chose in chapter 3.4.
  ///
  /// It stands here and not with `CrossSettings`: the trainings from which it was chosen do not depend
  /// on it.
  public static let settings = CrossSettings()
  // snippet.end

  /// What a training is asked for.
  public struct Settings: Sendable {
    /// The seed of all random streams.
    public var seed: UInt64 = 2016
    /// The seed of the labels that are drawn at random; nil for those of the kit.
    public var splitSeed: UInt64?
    /// Whether a minute is enough.
    public var isQuick = false
    /// The steps of a quick training.
    public var quickSteps = 400
    /// Whether to go on from the checkpoint, if there is one.
    public var resumes = false
    /// The least time between two checkpoints; they are taken between rounds.
    public var checkpointInterval = Duration.seconds(10)

    /// The settings of a plain full training.
    public init() {}

    /// The steps of each network.
    public var steps: Int { training.steps }
    /// What is trained and how.
    public var training: CrossSettings {
      isQuick ? FinalModel.quick(FinalModel.settings, quickSteps) : FinalModel.settings
    }
    /// Describes the training; a checkpoint of another is not gone on with.
    public var label: String {
      let split = splitSeed.map { "the labels of split seed \($0)" } ?? "the kit's labels"
      // Settings by their digest: a checkpoint of others has tensors that would fit.
      let digest = SHA256.digest(of: Data("\(training)".utf8)).hexadecimal.prefix(8)
      return "\(isQuick ? "QUICK, " : "")cross-labels \(digest) of chapter 3.4, \(steps) steps, "
        + "\(split), seed \(seed)"
    }
  }

  /// A course that ends in a minute or two: a half of each step with labels, digits that are changed
  /// less, and averages that forget sooner.
  static func quick(_ settings: CrossSettings, _ steps: Int) -> CrossSettings {
    var quick = settings
    (quick.steps, quick.round, quick.ramp) = (steps, 20, steps / 2)
    (quick.labelled, quick.unlabelled, quick.decay) = (50, 50, 0.98)
    for index in quick.networks.indices {
      quick.networks[index].augmentation = quick.networks[index].augmentation.weakened(to: 0.5)
    }
    quick.views = [AffineMap()]
    return quick
  }

  /// What a part of a training came to.
  public struct Progress: Sendable {
    /// Steps done, and of how many.
    public let step, steps: Int
    /// The mean loss of the last round, and the share of the images without labels whose label
    /// counted, over the networks.
    public let loss, kept: Double
    /// The errors on the validation images in percent: of each network, and of all together.
    public let validation: (each: [Double], all: Double)
    /// Images that the networks learnt from in a second, and the seconds that are left.
    public let imagesPerSecond, secondsLeft: Double
  }

  /// Where the checkpoints of a model stand.
  public static func checkpoint(of model: URL) -> URL {
    model.appendingPathExtension("checkpoint")
  }

  /// Trains the model and writes it; a checkpoint stands beside it.
  ///
  /// A checkpoint is written between two rounds, when the last one is old enough. The same seed gives
  /// the same bytes, however often the training was interrupted or killed.
  /// - Parameters:
  ///   - report: is told of each tenth of the training.
  ///   - advance: is told the fraction that is done, after each step and on any thread.
  /// - Throws: `LabError` of kind `.input` when a file cannot be written or the checkpoint is of
  ///   another training; `notFinite`, with the checkpoint kept; `CancellationError`.
  public static func train(
    _ data: MNIST, to model: URL, _ settings: Settings, report: (Progress) -> Void,
    advance: @escaping @Sendable (Double) -> Void = { _ in }
  ) throws {
    let (recipe, set) = (settings.training, data.train)
    let split =
      try settings.splitSeed.map { try Split.balanced(set.labels, seed: $0) }
      ?? Split.kit(set.labels)
    let training = CrossTraining(
      recipe, on: set, split.labelled, set.withoutLabels(recipe.others(of: split)),
      seed: settings.seed)
    var checkpoint = CheckpointFile(checkpoint(of: model), every: settings.checkpointInterval)
    if settings.resumes, let archive = try checkpoint.archive(limit: mostBytes(of: training)) {
      try restore(training, archive, label: settings.label, from: checkpoint.url)
    }
    let (first, start) = (training.step, ContinuousClock.now)
    let all = recipe.steps * recipe.networks.count
    let taken = Atomic<Int>(first * recipe.networks.count)
    var rounds = Duration.zero
    while training.step < recipe.steps {
      let begin = ContinuousClock.now
      let outcomes = try training.runRound {
        try Task.checkCancellation()
        advance(Double(taken.add(1, ordering: .relaxed).oldValue) / Double(all))
      }
      rounds += .now - begin
      guard outcomes.allSatisfy(\.loss.isFinite) else { throw notFinite }
      let step = training.step
      let isTenth = 10 * step / recipe.steps > 10 * (step - recipe.round) / recipe.steps
      guard isTenth && !settings.isQuick || step == recipe.steps else {
        try checkpoint.writeWhenDue { archive(of: training, label: settings.label) }
        continue
      }
      try checkpoint.write(archive(of: training, label: settings.label))
      let read = try training.networks.evaluate(
        set, split.validation, values: training.averages
      ) { try Task.checkCancellation() }
      let (seconds, steps) = (rounds / .seconds(1), Double(step - first))
      let images = Double(recipe.networks.count * (recipe.labelled + recipe.unlabelled))
      func mean(_ parts: [Double]) -> Double { parts.reduce(0, +) / Double(parts.count) }
      report(
        Progress(
          step: step, steps: recipe.steps, loss: mean(outcomes.map(\.loss)),
          kept: mean(outcomes.map(\.kept)),
          validation: (read.each.map { 100 - $0.accuracy }, 100 - read.all.accuracy),
          imagesPerSecond: steps * images / seconds,
          secondsLeft: (.now - start) / .seconds(1) / steps * Double(recipe.steps - step)))
    }
    let networks = try training.finish(set, split.labelled) { try Task.checkCancellation() }
    let tensors = Archive.tensors(of: networks)
    guard
      tensors.allSatisfy({ $0.value.withUnsafeBufferPointer { $0.allSatisfy(\.isFinite) } })
    else { throw notFinite }
    try Archive(kind: "model", state: settings.label, tensors: tensors).write(to: model)
  }

  /// Why a training whose weights overflowed writes no model.
  public static let notFinite = LabError(
    .input,
    "The training ended with weights that are not finite, and no model was written; start again "
      + "without --resume, with another --seed.")

  /// The first line of a table of predictions.
  public static let tableHeader = "ID,label"

  /// The predictions as the lab's leaderboard wants them: `ID,label`, ID from 0 in test order.
  public static func table(_ evaluation: Evaluation) -> Data {
    let rows = evaluation.predictions.enumerated().map { "\($0),\($1)\n" }
    return Data((tableHeader + "\n" + rows.joined()).utf8)
  }
}

// MARK: - Checkpoints

extension FinalModel {
  /// What stands in a checkpoint beside the tensors of all networks' trainings.
  private struct State: Codable {
    let label: String
    let step: Int
    /// Of each network's training, as it archives itself.
    let trainings: [String]
  }

  /// Everything that the next round depends on; the last exchange is what the averages are.
  static func archive(of training: CrossTraining, label: String) -> Archive {
    let parts = training.trainings.map { $0.checkpoint(label: label) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // Integers and strings only: there is nothing that JSON could refuse.
    let state = try! encoder.encode(
      State(label: label, step: training.step, trainings: parts.map(\.state)))
    return Archive(
      kind: "training", state: String(decoding: state, as: UTF8.self),
      tensors: parts.enumerated().flatMap { index, part in
        part.tensors.map { ("\(index)/\($0.name)", $0.value) }
      })
  }

  /// Goes on where a checkpoint was written.
  static func restore(
    _ training: CrossTraining, _ archive: Archive, label: String, from url: URL
  ) throws(LabError) {
    guard let state = try? JSONDecoder().decode(State.self, from: Data(archive.state.utf8)),
      archive.kind == "training", state.trainings.count == training.trainings.count
    else {
      throw LabError(
        .input,
        "\(url.path) is no checkpoint of this training; remove it, or name another file.")
    }
    for index in training.trainings.indices {
      let prefix = "\(index)/"
      let part = Archive(
        kind: archive.kind, state: state.trainings[index],
        tensors: archive.tensors.filter { $0.name.hasPrefix(prefix) }.map {
          (String($0.name.dropFirst(prefix.count)), $0.value)
        })
      try training.trainings[index].restore(part, label: label, from: url)
    }
  }

  /// The most bytes that a checkpoint has.
  private static func mostBytes(of training: CrossTraining) -> Int {
    training.trainings.reduce(0) { $0 + $1.mostBytes }
  }
}
