import ArgumentParser
import Bench
import Digits
import Experiments
import Files
import Foundation
import Handwriting
import Methods
import Networks
import Notebook

/// The data set, with a bar while it comes.
func loadMNIST(_ directory: String?) async throws -> MNIST {
  let bar = WorkReport("MNIST")
  defer { bar.end() }
  return try await MNIST.load(from: DataFolder(directory)) { progress in
    bar.show("MNIST from \(progress.source)", progress.fraction)
  }
}

/// Refuses the name that no file has.
func requireFileName(_ path: String, _ option: String) throws {
  if path.isEmpty { throw ValidationError("\(option) takes the name of a file.") }
}

/// Refuses the name that no folder has, and that would stand for the current one.
func requireFolderName(_ path: String?, _ option: String) throws {
  if path?.isEmpty == true { throw ValidationError("\(option) takes the name of a folder.") }
}

/// Whether a file that is neither empty nor begins with some words would be lost at a place.
///
/// Nothing is lost where a device or a pipe is; what cannot be read is not known to be ours.
func holdsOther(than words: String, _ url: URL) -> Bool {
  var status = stat()
  guard stat(url.path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size > 0
  else { return false }
  let start = try? FileHandle(forReadingFrom: url).read(upToCount: words.utf8.count)
  return start != Data(words.utf8)
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
    help: ArgumentHelp("The least time between two checkpoints.", valueName: "n"))
  var checkpointSeconds = 10

  @Option(
    name: .customLong("split-seed"),
    help: ArgumentHelp("Learn from a random balanced split instead of the kit's.", valueName: "n"))
  var splitSeed: UInt64?

  // For tests, which train often.
  @Option(name: .customLong("quick-steps"), help: .hidden)
  var quickSteps: Int?

  @OptionGroup var options: RunOptions

  @OptionGroup var output: OutputOptions

  func run() async throws {
    options.apply()
    var settings = FinalModel.Settings()
    (settings.seed, settings.splitSeed) = (options.seed, splitSeed)
    settings.isQuick = options.quick
    if let quickSteps { settings.quickSteps = max(1, quickSteps) }
    settings.resumes = resume
    settings.checkpointInterval = .seconds(checkpointSeconds)
    let model = URL(fileURLWithPath: out)
    let checkpoint = CheckpointFile(
      FinalModel.checkpoint(of: model), every: settings.checkpointInterval)
    for url in [model, checkpoint.url] { try AtomicFile.requireFile(url) }
    let lock = try lock(model)
    defer { lock.release() }
    try requireNothingOfOthers(settings, model, checkpoint)
    // How much of it is left nobody knows before the checkpoint is read.
    let expected = resume ? nil : expectedSeconds()
    // A quick one takes that long by what it is.
    let unknown =
      options.quick ? "a minute or two" : "how long it will take is not known yet"
    Console.complain(
      "Training the final model, \(options.quick ? "QUICK" : "full"), \(settings.steps) steps: "
        + (expected.map { "about \(roughTime($0))" } ?? unknown) + ".")
    let data = try await loadMNIST(options.data)
    let bar = WorkReport("The model", expected: expected)
    defer { bar.end() }
    do {
      try FinalModel.train(data, to: model, settings) { progress in
        bar.clear()
        Console.complain(line(of: progress))
      } advance: { fraction in
        bar.show("training", fraction)
      }
      bar.clear()
    } catch is CancellationError {
      bar.clear()
      Console.complain("Interrupted; go on with: \(commandToGoOn)")
      throw ExitCode(130)
    } catch let error as LabError {
      bar.clear()
      Console.complain(error.description)
      // From weights that are lost there is nothing to go on with.
      if error != FinalModel.notFinite,
        FileManager.default.fileExists(atPath: checkpoint.url.path)
      {
        Console.complain(
          "The last whole checkpoint is kept; when that is mended, go on with: \(commandToGoOn)")
      }
      throw ExitCode(error.kind.exitCode)
    }
    checkpoint.remove()
    if output.json {
      struct Document: Encodable {
        let version = 1
        let model: String
        let seed: UInt64
        let splitSeed: UInt64?
        let mode: String
      }
      try printJSON(
        Document(
          model: out, seed: options.seed, splitSeed: splitSeed,
          mode: options.quick ? "quick" : "full"))
    } else {
      print("Wrote \(out)\(options.quick ? ", QUICK" : "").")
    }
  }

  /// What a part of the training came to, in words.
  private func line(of progress: FinalModel.Progress) -> String {
    let each = progress.validation.each.map { String(format: "%.2f", $0) }
    let words = [
      String(
        format: "step %d of %d: loss %.4f, labels kept %.1f %%, validation error %@ %%, together "
          + "%.2f %%, %.0f images a second", progress.step, progress.steps, progress.loss,
        100 * progress.kept, each.formatted(.list(type: .and).locale(Locale(identifier: "en"))),
        progress.validation.all, progress.imagesPerSecond),
      progress.secondsLeft > 0 ? "about \(roughTime(progress.secondsLeft)) left" : nil,
    ]
    return words.compactMap { $0 }.joined(separator: ", ")
  }

  /// The seconds of the whole training on this machine, by the trainings of the same settings in
  /// chapter 3.4; nil where nobody knows.
  ///
  /// There one that ran by itself had a thread for each network, as here.
  private func expectedSeconds() -> Double? {
    guard !options.quick, let catalogue = try? Catalogue(),
      let files = try? ChapterFiles(root: catalogue.root, id: "3.4")
    else { return nil }
    let times = files.expectedSeconds(
      ofJobs: CrossStudy.modelNames(FinalModel.settings),
      speed: SpeedProbe(root: catalogue.root).speed())
    return times.isEmpty ? nil : times.reduce(0, +) / Double(times.count)
  }

  /// What goes on with this training, to be copied into a shell.
  private var commandToGoOn: String {
    // A name that starts like an option would be read as one.
    let file = out.hasPrefix("-") ? "./" + out : out
    var words = ["swift run lab model --resume --out", file.shellQuoted]
    if options.quick { words.append("--quick") }
    if let quickSteps { words.append("--quick-steps \(quickSteps)") }
    if options.seed != defaultSeed { words.append("--seed \(options.seed)") }
    if let splitSeed { words.append("--split-seed \(splitSeed)") }
    if let data = options.data { words.append("--data \(data.shellQuoted)") }
    return words.joined(separator: " ")
  }

  /// Holds a model for this training alone: of two at once the last would win.
  private func lock(_ model: URL) throws -> FileLock {
    // Two links to one file are one model.
    let real = model.resolvingSymlinksInPath()
    let file = real.deletingLastPathComponent()
      .appendingPathComponent(".\(real.lastPathComponent).lock")
    guard let lock = try FileLock(file, isRemoved: true) else {
      throw LabError(
        .input,
        "Another training is writing \(model.path); wait for its end, or name another file with "
          + "--out.")
    }
    return lock
  }

  /// Sees to it that neither the checkpoint nor the model of another training is lost.
  ///
  /// Those of a quick one are no loss.
  private func requireNothingOfOthers(
    _ settings: FinalModel.Settings, _ model: URL, _ checkpoint: CheckpointFile
  ) throws {
    for (file, name, purpose) in [
      (model, out, "model"), (checkpoint.url, checkpoint.url.path, "checkpoint"),
    ] where holdsOther(than: "LABMODEL", file) {
      throw LabError(
        .input,
        "\(name) is no \(purpose) of this lab and would be lost; name another file with --out.")
    }
    var label: String?
    do {
      label = try checkpoint.label()
    } catch {
      // What cannot be read is nothing to keep, but whoever counts on it is told.
      if resume { throw error }
      Console.complain("\(checkpoint.url.path) is no whole checkpoint, and will be replaced.")
    }
    if let label, label != settings.label, resume || !label.hasPrefix("QUICK") {
      let owner = label.isEmpty ? "" : " but of another (\(label))"
      throw LabError(
        .input,
        "\(checkpoint.url.path) is no checkpoint of this training\(owner); go on with that one, "
          + "remove the file, or name another with --out.")
    }
    if label != nil, !resume {
      Console.complain(
        "A checkpoint stands at \(checkpoint.url.path); this run starts over and will replace it "
          + "(--resume goes on with it).")
    }
    // A model that is damaged is no loss.
    guard let former = try? Archive(reading: model) else { return }
    guard former.kind == "model" else {
      throw LabError(
        .input,
        "\(out) is a checkpoint and no model, and would be lost; name another file with --out.")
    }
    if former.state != settings.label, !former.state.hasPrefix("QUICK") {
      throw LabError(
        .input,
        "\(model.path) is the model of another training (\(former.state)); remove it, or name "
          + "another file with --out.")
    }
  }
}

/// `lab result`.
struct ResultCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "result", abstract: "Writes the predictions of a model for the test set.")

  @Option(help: ArgumentHelp("The model, or what lab export made of it.", valueName: "file"))
  var model = "model.lab"

  @Option(help: ArgumentHelp("Where the predictions go.", valueName: "file"))
  var out = "predictions.csv"

  @Option(help: ArgumentHelp("Where the ten probabilities of each image go.", valueName: "file"))
  var probabilities: String?

  @Option(help: ArgumentHelp("The folder of MNIST.", valueName: "dir"))
  var data: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try requireFileName(model, "--model")
    try requireFileName(out, "--out")
    if let probabilities { try requireFileName(probabilities, "--probabilities") }
    try requireFolderName(data, "--data")
  }

  func run() async throws {
    if let probabilities, isOneFile(out, probabilities) {
      throw ValidationError("--out and --probabilities name one file; name two.")
    }
    let tables =
      [(out, FinalModel.tableHeader)]
      + (probabilities.map { [($0, ProbabilityTable.header)] } ?? [])
    for (out, header) in tables {
      try AtomicFile.requireWritable(URL(fileURLWithPath: out))
      guard !isOneFile(model, out) else {
        throw LabError(
          .input,
          "\(out) is the model itself; name another file for the predictions with --out.")
      }
      guard !holdsOther(than: header, URL(fileURLWithPath: out)) else {
        throw LabError(
          .input,
          "\(out) holds no predictions of this lab and would be lost; name another file with --out."
        )
      }
    }
    try requireModel()
    let mnist = try await loadMNIST(data)
    let networks = try ModelFile(reading: URL(fileURLWithPath: model)).networks
    let read = try networks.evaluate(mnist.test, Array(0..<mnist.test.count)) {
      try Task.checkCancellation()
    }
    let evaluation = read.all
    try ModelFile.requireNumbers(evaluation.confidences, of: URL(fileURLWithPath: model))
    try AtomicFile.write(FinalModel.table(evaluation), to: URL(fileURLWithPath: out))
    if let probabilities {
      let rows = try ModelFile.probabilities(networks, mnist.test)
      try AtomicFile.write(ProbabilityTable.encoded(rows), to: URL(fileURLWithPath: probabilities))
    }
    if output.json {
      struct Document: Encodable {
        let version = 1
        let predictions: String
        let count: Int
        let accuracy: Double
        /// Of each network alone.
        let networks: [Double]
      }
      return try printJSON(
        Document(
          predictions: out, count: evaluation.predictions.count, accuracy: evaluation.accuracy,
          networks: read.each.map(\.accuracy)))
    }
    print(
      String(
        format: "Wrote %@: %d predictions, %.2f %% of them right.", out,
        evaluation.predictions.count, evaluation.accuracy))
    if let probabilities { print("Wrote \(probabilities): the ten probabilities of each image.") }
  }
}

extension ResultCommand {
  /// Names the model that comes with the package where there is no other.
  private func requireModel() throws {
    guard model == "model.lab", !FileManager.default.fileExists(atPath: model),
      let root = try? Catalogue().root
    else { return }
    let exported = root.appendingPathComponent(ModelFile.exported)
    guard FileManager.default.fileExists(atPath: exported.path) else { return }
    throw LabError(
      .input,
      "\(model) is not there; make it with: swift run lab model; or read by the write-up's with: swift "
        + "run lab result --model \(Console.relative(exported).shellQuoted)")
  }
}

/// Whether two paths lead to one file, by links too, or would.
private func isOneFile(_ a: String, _ b: String) -> Bool {
  let paths = [a, b].map { URL(fileURLWithPath: $0).standardizedFileURL.path }
  if paths[0] == paths[1] { return true }
  var (first, second) = (stat(), stat())
  return stat(a, &first) == 0 && stat(b, &second) == 0
    && first.st_dev == second.st_dev && first.st_ino == second.st_ino
}
