import ArgumentParser
import Chapters
import Digits
import Foundation
import Tensors

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

  func validate() throws { try requireFileName(out, "--out") }

  @Flag(help: "Go on from the checkpoint, or start where there is none.")
  var resume = false

  @OptionGroup var options: RunOptions

  @OptionGroup var output: OutputOptions

  func run() async throws {
    options.apply()
    var settings = FinalModel.Settings()
    settings.seed = options.seed
    settings.isQuick = options.quick
    settings.resumes = resume
    let model = URL(fileURLWithPath: out)
    try AtomicFile.requireWritable(model)
    Console.complain(
      "Training the final model, \(options.quick ? "QUICK" : "full"), \(settings.epochs) epochs: "
        + "about \(options.quick ? 10 : 180) s.")
    let data = try await loadMNIST(options.data)
    let bar = ProgressBar()
    do {
      try FinalModel.train(data, to: model, settings) { progress in
        bar.clear()
        Console.complain(
          String(
            format: "epoch %d of %d: loss %.4f, validation %.2f %%", progress.epoch,
            progress.epochs, progress.loss, progress.validation))
      }
    } catch is CancellationError {
      Console.complain("Interrupted; go on with: swift run lab model --resume --out \(out)")
      throw ExitCode(130)
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
