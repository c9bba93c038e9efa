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

/// `lab model`.
struct ModelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Trains the final model; checkpoints stand beside the file.")

  @Option(help: ArgumentHelp("Where the model goes.", valueName: "file"))
  var out = "model.lab"

  @Flag(help: "Go on from the checkpoint, or start where there is none.")
  var resume = false

  @OptionGroup var options: RunOptions

  func run() async throws {
    options.apply()
    var settings = FinalModel.Settings()
    settings.seed = options.seed
    settings.isQuick = options.quick
    settings.resumes = resume
    let model = URL(fileURLWithPath: out)
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
    print("Wrote \(out).")
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

  func run() async throws {
    let mnist = try await loadMNIST(data)
    let evaluation = try FinalModel.evaluate(URL(fileURLWithPath: model), mnist)
    try AtomicFile.write(FinalModel.table(evaluation), to: URL(fileURLWithPath: out))
    print(
      String(
        format: "Wrote %@: %d predictions, %.2f %% of them right.", out,
        evaluation.predictions.count, evaluation.accuracy))
  }
}
