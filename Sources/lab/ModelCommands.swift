import ArgumentParser
import Chapters
import Digits
import Files
import Foundation
import Notebook

/// The data set, with a bar while it comes.
func loadMNIST(_ directory: String?) async throws -> MNIST {
  let bar = ProgressBar()
  defer { bar.clear() }
  return try await MNIST.load(from: DataFolder(directory)) { progress in
    bar.show("MNIST from \(progress.source)", progress.fraction)
  }
}

/// Refuses the name that no file has.
func requireFileName(_ path: String, _ option: String) throws {
  if path.isEmpty { throw ValidationError("\(option) takes the name of a file.") }
}

/// `lab model`.
struct ModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Trains the final model; checkpoints stand beside the file.")

  @Option(help: ArgumentHelp("Where the model goes.", valueName: "file"))
  var out = "model.lab"

  func validate() throws {
    try requireFileName(out, "--out")
    if !(0...86_400).contains(checkpointSeconds) {
      throw ValidationError(
        "--checkpoint-seconds takes a number from 0 to 86400, not \(checkpointSeconds).")
    }
  }

  @Flag(help: "Go on from the checkpoint, or start where there is none.")
  var resume = false

  @Option(
    name: .customLong("checkpoint-seconds"),
    help: ArgumentHelp("The time between two checkpoints inside an epoch.", valueName: "n"))
  var checkpointSeconds = 10

  @OptionGroup var options: RunOptions

  @OptionGroup var output: OutputOptions

  func run() async throws {
    options.apply()
    var settings = FinalModel.Settings()
    settings.seed = options.seed
    settings.isQuick = options.quick
    settings.resumes = resume
    settings.checkpointInterval = .seconds(checkpointSeconds)
    let model = URL(fileURLWithPath: out)
    let checkpoint = FinalModel.checkpoint(of: model)
    try AtomicFile.requireWritable(model)
    Console.complain(
      "Training the final model, \(options.quick ? "QUICK" : "full"), \(settings.epochs) epochs: "
        + "about \(settings.expectedSeconds) s.")
    let data = try await loadMNIST(options.data)
    if !resume, FileManager.default.fileExists(atPath: checkpoint.path) {
      Console.complain(
        "A checkpoint stands at \(checkpoint.path); this run starts over and will replace it "
          + "(--resume goes on with it).")
    }
    var goOn = "go on with: swift run lab model --resume --out \(out)"
    if options.quick { goOn += " --quick" }
    if options.seed != defaultSeed { goOn += " --seed \(options.seed)" }
    let bar = ProgressBar()
    do {
      try FinalModel.train(data, to: model, settings) { progress in
        bar.clear()
        Console.complain(
          String(
            format: "epoch %d of %d: loss %.4f, validation %.2f %%", progress.epoch,
            progress.epochs, progress.loss, progress.validation))
      } advance: { fraction in
        bar.show("training", fraction)
      }
      bar.clear()
    } catch is CancellationError {
      bar.clear()
      Console.complain("Interrupted; \(goOn)")
      throw ExitCode(130)
    } catch let error as LabError {
      bar.clear()
      Console.complain(error.description)
      // Of this training or of an earlier one; --resume refuses what does not belong to it.
      if FileManager.default.fileExists(atPath: checkpoint.path) {
        Console.complain("The last whole checkpoint is kept; when that is mended, \(goOn)")
      }
      throw ExitCode(error.kind.exitCode)
    }
    if output.json {
      struct Document: Encodable {
        let version = 1
        let model: String
        let seed: UInt64
        let mode: String
      }
      try printJSON(
        Document(model: out, seed: options.seed, mode: options.quick ? "quick" : "full"))
    } else {
      print("Wrote \(out)\(options.quick ? ", QUICK" : "").")
    }
  }
}

/// `lab result`.
struct ResultCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "result", abstract: "Writes the predictions of a model for the test set.")

  @Option(help: ArgumentHelp("The model.", valueName: "file"))
  var model = "model.lab"

  @Option(help: ArgumentHelp("Where the predictions go.", valueName: "file"))
  var out = "predictions.csv"

  @Option(help: ArgumentHelp("The folder of MNIST.", valueName: "dir"))
  var data: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try requireFileName(model, "--model")
    try requireFileName(out, "--out")
  }

  func run() async throws {
    try AtomicFile.requireWritable(URL(fileURLWithPath: out))
    let mnist = try await loadMNIST(data)
    let evaluation = try FinalModel.evaluate(URL(fileURLWithPath: model), mnist)
    try AtomicFile.write(FinalModel.table(evaluation), to: URL(fileURLWithPath: out))
    if output.json {
      struct Document: Encodable {
        let version = 1
        let predictions: String
        let count: Int
        let accuracy: Double
      }
      return try printJSON(
        Document(
          predictions: out, count: evaluation.predictions.count, accuracy: evaluation.accuracy))
    }
    print(
      String(
        format: "Wrote %@: %d predictions, %.2f %% of them right.", out,
        evaluation.predictions.count, evaluation.accuracy))
  }
}
