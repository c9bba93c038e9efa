import Digits
import Files
import Foundation
import Gradients
import Networks
import Tensors

/// The model that `lab model` trains and `lab result` reads.
///
/// For now: the recipe that validation chose in chapter 3.2, on the 3,000 labels alone.
public enum FinalModel {
  /// What validation chose in chapter 3.2, and what `lab model` trains.
  ///
  /// It stands here and not with `Recipe`: the trainings from which it was chosen do not depend on it.
  public static let recipe: Recipe = {
    var recipe = Recipe()
    (recipe.blocks, recipe.hidden) = (Recipe.kitBlocks(32), 100)
    recipe.activation = .leakyReLU(slope: 0.1)
    recipe.hasStrayReLU = false
    recipe.initialiser = .he
    recipe.normalises = true
    recipe.channelKeep = 1
    recipe.noise = 0.3
    recipe.augmentation = Augmentation(
      rotation: 15, shift: 2, scale: 0.15, shear: 0.2,
      elastic: ElasticDistortion(strength: 24, smoothness: 4))
    (recipe.rule, recipe.rate, recipe.decays) = (.adam, 0.008, true)
    (recipe.batchSize, recipe.epochs) = (50, 150)
    return recipe
  }()

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
    /// What is trained and how.
    var recipe: Recipe {
      var recipe = FinalModel.recipe
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
  ///   another training; `notFinite`, with the checkpoint kept; `CancellationError`.
  public static func train(
    _ data: MNIST, to model: URL, _ settings: Settings, report: (Progress) -> Void,
    advance: (Double) -> Void = { _ in }
  ) throws {
    let split = try Split.kit(data.train.labels)
    var checkpoint = CheckpointFile(checkpoint(of: model), every: settings.checkpointInterval)
    var start = RandomStream(seed: settings.seed, "final model", "weights")
    let (recipe, epochs) = (settings.recipe, settings.epochs)
    let network = ConvolutionalClassifier(recipe, using: &start)
    var training = Training(
      of: network, on: data.train, split.labelled, Adam(), rate: recipe.schedule,
      batchSize: recipe.batchSize, seed: settings.seed, name: "final model",
      change: { recipe.augmentation($0, using: &$1) })
    if settings.resumes, let archive = try checkpoint.archive(limit: training.mostBytes) {
      try training.restore(archive, label: settings.label, from: checkpoint.url)
    }
    let steps = epochs * training.source.stepsPerEpoch
    do {
      while training.moment.epoch < epochs {
        let loss = try training.runEpoch { training in
          try checkpoint.writeWhenDue { training.checkpoint(label: settings.label) }
          advance(Double(training.moment.step) / Double(steps))
        }
        try checkpoint.write(training.checkpoint(label: settings.label))
        // The validation images are ten thousand; a look now and then is enough.
        let epoch = training.moment.epoch
        if epoch % 10 == 0 || epoch == epochs {
          let validation = try network.evaluate(data.train, split.validation) {
            try Task.checkCancellation()
          }
          report(
            Progress(
              epoch: epoch, epochs: epochs, loss: loss, validation: validation.accuracy))
        }
      }
    } catch is CancellationError {
      try checkpoint.write(training.checkpoint(label: settings.label))
      throw CancellationError()
    }
    let tensors = Archive.tensors(of: network)
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

  /// What a stored model says of the test images.
  ///
  /// - Throws: `LabError` of kind `.input` when the file is no model of this network;
  ///   `CancellationError`.
  public static func evaluate(_ model: URL, _ data: MNIST) throws -> Evaluation {
    var stream = RandomStream(seed: 0, "overwritten")
    let network = ConvolutionalClassifier(recipe, using: &stream)
    let archive = try Archive(reading: model, limit: Archive.mostBytes(of: network))
    guard archive.kind == "model" else {
      throw LabError(
        .input, "\(model.path) is a checkpoint and no model; name the model beside it.")
    }
    try archive.restore(network, from: model)
    return try network.evaluate(data.test, Array(0..<data.test.count)) {
      try Task.checkCancellation()
    }
  }

  /// The first line of a table of predictions.
  public static let tableHeader = "ID,label"

  /// The predictions as the lab's leaderboard wants them: `ID,label`, ID from 0 in test order.
  public static func table(_ evaluation: Evaluation) -> Data {
    let rows = evaluation.predictions.enumerated().map { "\($0),\($1)\n" }
    return Data((tableHeader + "\n" + rows.joined()).utf8)
  }
}
