import ArgumentParser
import Digits
import Files
import Foundation
import Handwriting
import Methods
import Networks
import Tensors

/// `lab export`.
struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes the weights of a model as a small file: for the page, and to be kept.",
    discussion: """
      The statistics of normalisation are folded into scales and shifts. Filters and matrices have 16 \
      bits a number when all predictions for the test set stay what they are, which is tried where \
      MNIST is at hand; else 32. `lab result --model` reads the file too, and Sources/Handwriting/\
      ExportedModel.swift says what each byte is.
      """)

  @Option(help: ArgumentHelp("The model.", valueName: "file"))
  var model = "model.lab"

  @Option(
    help: ArgumentHelp(
      "Where the weights go; \(ModelFile.exported) of the lab unless named.", valueName: "file"))
  var out: String?

  @Option(help: ArgumentHelp("The folder of MNIST, which is not fetched.", valueName: "dir"))
  var data: String?

  @OptionGroup var output: OutputOptions

  func validate() throws {
    try requireFileName(model, "--model")
    if let out { try requireFileName(out, "--out") }
    try requireFolderName(data, "--data")
  }

  private struct Document: Encodable {
    let version = 1
    let weights: String
    let bytes, bits: Int
    /// Predictions for the test set that are others than the model's; nil where nobody has looked.
    let changed: Int?
    /// Those that 16 bits would have changed.
    let changedByHalf: Int?
    let accuracy: Double?
  }

  /// What the test set says of a model.
  private struct Trial {
    let evaluation: Evaluation
    /// The predictions that differ from those of another.
    func differs(from other: Trial) -> Int {
      zip(evaluation.predictions, other.evaluation.predictions).count { $0 != $1 }
    }
    var mistakes: [ExportedModel.Description.Mistake] {
      zip(evaluation.predictions, evaluation.labels).enumerated().filter { $1.0 != $1.1 }
        .map { .init(image: $0, read: $1.0) }
    }
  }

  func run() async throws {
    let target =
      try out.map { URL(fileURLWithPath: $0) }
      ?? Catalogue().root.appendingPathComponent(ModelFile.exported)
    let file = try ModelFile(reading: URL(fileURLWithPath: model))
    guard file.description == nil else {
      throw LabError(
        .input, "\(model) is exported already; name what lab model wrote with --model.")
    }
    try requireNoLoss(target, training: file.training)
    try AtomicFile.requireFile(target)
    let test = try testImages()
    let exact = try test.map { try trial(file.networks, $0) }
    let half = ExportedModel(
      file.networks, FinalModel.settings, training: file.training, precision: .half)
    var changedByHalf: Int?
    if let test, let exact, half.isFinite {
      changedByHalf = try trial(half.networks, test).differs(from: exact)
    }
    let chosen = ExportedModel(
      file.networks, FinalModel.settings, training: file.training,
      precision: changedByHalf == 0 ? .half : .single, mistakes: exact?.mistakes)
    let bytes = chosen.encoded
    // What is to be written is read as a reader will read it.
    var changed: Int?
    if let test, let exact {
      changed = try trial(reread(bytes), test).differs(from: exact)
      guard changed == 0 else {
        throw LabError(
          .failed,
          "\(changed!) of \(test.count) predictions would differ from those of \(model), so nothing "
            + "was written; train it again with: swift run lab model")
      }
    }
    guard bytes.count <= ExportedModel.mostBytes else {
      throw LabError(
        .failed,
        "The weights would take \(bytes.count) bytes, more than the \(ExportedModel.mostBytes) that a "
          + "page may carry, so nothing was written; train smaller networks.")
    }
    try AtomicFile.write(bytes, to: target)
    let bits = chosen.description.bits
    if output.json {
      return try printJSON(
        Document(
          weights: target.path, bytes: bytes.count, bits: bits, changed: changed,
          changedByHalf: changedByHalf, accuracy: exact?.evaluation.accuracy))
    }
    print(
      "Wrote \(Console.relative(target)): \(String(format: "%.2f", Double(bytes.count) / 1e6)) MB, "
        + "\(bits) bits a number.")
    switch (exact, changedByHalf) {
    case (nil, _):
      print(
        "MNIST is not at hand, so 16 bits were not tried; swift run lab data fetches it.")
    case (let exact?, 0?):
      print(
        String(
          format: "All %d predictions for the test set are the model's, %.2f %% of them right.",
          exact.evaluation.predictions.count, exact.evaluation.accuracy))
    case (let exact?, let count):
      print(
        "With 16 bits "
          + (count.map { "\($0) of \(exact.evaluation.predictions.count) predictions would differ" }
            ?? "a weight would be infinite")
          + String(
            format: "; with 32 all are the model's, %.2f %% of them right.",
            exact.evaluation.accuracy))
    }
  }

  /// The networks of a file of these bytes.
  private func reread(_ bytes: Data) throws -> CrossNetworks {
    let folder = try TemporaryFolder(for: "lab-export")
    defer { folder.remove() }
    let file = folder.url.appendingPathComponent("weights.bin")
    try AtomicFile.write(bytes, to: file)
    return try ModelFile(reading: file).networks
  }

  private func trial(_ networks: CrossNetworks, _ test: ImageSet) throws -> Trial {
    let read = try networks.evaluate(test, Array(0..<test.count)) { try Task.checkCancellation() }
    return Trial(evaluation: read.all)
  }

  /// The test images when they are at hand; a folder that somebody names has to have them.
  private func testImages() throws -> ImageSet? {
    let folder = DataFolder(data)
    return data == nil ? try? MNIST.load(from: folder).test : try MNIST.load(from: folder).test
  }

  /// Sees to it that no other file is lost, nor the kept weights to those of another training.
  private func requireNoLoss(_ target: URL, training: String) throws {
    let name = Console.relative(target)
    guard !holdsOther(than: "LABMODEL", target) else {
      throw LabError(
        .input, "\(name) is no file of weights and would be lost; name another file with --out.")
    }
    if let former = try? Archive(reading: target), former.kind != ExportedModel.kind {
      throw LabError(
        .input,
        "\(name) is a \(former.kind == "model" ? "model" : "checkpoint") and would be lost; "
          + "name another file with --out.")
    }
    let kept = (try? Catalogue())?.root.appendingPathComponent(ModelFile.exported)
    if target.standardizedFileURL == kept?.standardizedFileURL,
      training != FinalModel.Settings().label
    {
      throw LabError(
        .input,
        "\(model) is of another training (\(training)), and \(ModelFile.exported) is for what lab "
          + "model trains without options; name another file with --out.")
    }
  }
}
