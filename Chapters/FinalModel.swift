import Digits
import Files
import Foundation
import Gradients
import Methods
import Networks
import Tensors

/// The model that `lab model` trains and `lab result` reads.
///
/// For now: the recipe that validation chose in chapter 3.2, on the 3,000 labels alone.
public enum FinalModel {
  /// What a training is asked for.
  public struct Settings: Sendable {
    /// The seed of all random streams.
    public var seed: UInt64 = 2016
    /// Whether two epochs are enough.
    public var isQuick = false
    /// Whether to go on from the checkpoint, if there is one.
    public var resumes = false
    /// The least time between two checkpoints inside an epoch; each epoch ends with one.
    public var checkpointInterval = Duration.seconds(10)

    /// The settings of a plain full training.
    public init() {}

    /// The number of epochs, of 60 steps each.
    public var epochs: Int { recipe.epochs }
    /// About how many seconds a training takes on a laptop.
    public var expectedSeconds: Int { isQuick ? 10 : 120 }
    /// What is trained and how.
    var recipe: Recipe {
      var recipe = Recipe.best
      if isQuick { recipe.epochs = 2 }
      return recipe
    }
    /// Describes the training; a checkpoint of another is not gone on with.
    public var label: String {
      "\(isQuick ? "QUICK, " : "")recipe of chapter 3.2, \(epochs) epochs, seed \(seed)"
    }
  }

  /// What an epoch came to.
  public struct Progress: Sendable {
    /// Epochs done, and of how many.
    public let epoch, epochs: Int
    /// The mean loss of the last epoch.
    public let loss: Double
    /// The accuracy on the validation images, in percent; it chooses nothing.
    public let validation: Double
  }

  /// Where the checkpoints of a model stand.
  public static func checkpoint(of model: URL) -> URL {
    model.appendingPathExtension("checkpoint")
  }

  /// Trains the model and writes it; a checkpoint stands beside it.
  ///
  /// A checkpoint is written now and then, after each epoch, and when the task is cancelled. The
  /// same seed gives the same bytes, however often the training was interrupted or killed.
  /// - Parameters:
  ///   - report: is told of some epochs.
  ///   - advance: is told the fraction that is done, after each step.
  /// - Throws: `LabError` of kind `.input` when a file cannot be written or the checkpoint is of
  ///   another training; `CancellationError`.
  public static func train(
    _ data: MNIST, to model: URL, _ settings: Settings, report: (Progress) -> Void,
    advance: (Double) -> Void = { _ in }
  ) throws {
    let split = try Split.kit(data.train.labels)
    var checkpoint = CheckpointFile(checkpoint(of: model), every: settings.checkpointInterval)
    var start = RandomStream(seed: settings.seed, "final model", "weights")
    let (recipe, epochs) = (settings.recipe, settings.epochs)
    var training = Supervised(
      RecipeNetwork(recipe, &start), Adam(), rate: recipe.schedule, batchSize: recipe.batchSize,
      seed: settings.seed, name: "final model")
    if settings.resumes, let archive = try checkpoint.archive(limit: training.mostBytes) {
      try training.restore(archive, label: settings.label, from: checkpoint.url)
    }
    let steps = epochs * split.labelled.batches(of: recipe.batchSize).count
    do {
      while training.epoch < epochs {
        let loss = try training.runEpoch(data.train, split.labelled) {
          recipe.augmentation($0, &$1)
        } afterStep: { training in
          try checkpoint.writeWhenDue { training.checkpoint(label: settings.label) }
          advance(Double(training.rule.steps) / Double(steps))
        }
        try checkpoint.write(training.checkpoint(label: settings.label))
        // The validation images are ten thousand; a look now and then is enough.
        if training.epoch % 10 == 0 || training.epoch == epochs {
          let validation = try training.network.evaluate(data.train, split.validation) {
            try Task.checkCancellation()
          }
          report(
            Progress(
              epoch: training.epoch, epochs: epochs, loss: loss, validation: validation.accuracy))
        }
      }
    } catch is CancellationError {
      try checkpoint.write(training.checkpoint(label: settings.label))
      throw CancellationError()
    }
    try Archive(
      kind: "model", state: settings.label,
      tensors: training.network.parameters.map { ($0.name, $0.value) }
    ).write(to: model)
  }

  /// What a stored model says of the test images.
  ///
  /// - Throws: `LabError` of kind `.input` when the file is no model of this network;
  ///   `CancellationError`.
  public static func evaluate(_ model: URL, _ data: MNIST) throws -> Evaluation {
    var stream = RandomStream(seed: 0, "overwritten")
    let network = RecipeNetwork(.best, &stream)
    let archive = try Archive(
      reading: model, limit: Archive.mostBytes(of: network.parameters))
    guard archive.kind == "model" else {
      throw LabError(
        .input, "\(model.path) is a checkpoint and no model; name the model beside it.")
    }
    try archive.restore(network.parameters, from: model)
    return try network.evaluate(data.test, Array(0..<data.test.count)) {
      try Task.checkCancellation()
    }
  }

  /// The predictions as the lab's leaderboard wants them: `ID,label`, ID from 0 in test order.
  public static func table(_ evaluation: Evaluation) -> Data {
    let rows = evaluation.predictions.enumerated().map { "\($0),\($1)\n" }
    return Data(("ID,label\n" + rows.joined()).utf8)
  }
}
