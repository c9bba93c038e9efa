import ArgumentParser
import Book
import Chapters
import Digits
import Files
import Foundation
import Handwriting
import Methods
import Networks
import Notebook
import Packing

/// `lab submit`.
struct SubmitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "submit",
    abstract: "Packs what the sheet wants handed in: write-up, code and predictions as TEAM.zip.",
    discussion: """
      The write-up is a PDF where there is chromium, else pages. The model is left out, as the sheet \
      asks: the README in the zip has its digest, and a link to it belongs in your message. Nothing is \
      packed when lab check fails, or when the predictions are not the model's.
      """)

  @Argument(help: ArgumentHelp("The team's name, that of the file.", valueName: "team"))
  var team: String

  @Option(help: ArgumentHelp("The course's name, for the title of the message.", valueName: "name"))
  var course = "CourseName"

  @Option(help: ArgumentHelp("The model.", valueName: "file"))
  var model = "model.lab"

  @Option(help: ArgumentHelp("The model's predictions.", valueName: "file"))
  var predictions = "predictions.csv"

  @Option(help: ArgumentHelp("The folder of MNIST.", valueName: "dir"))
  var data: String?

  func validate() throws {
    let isName = team.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) }
    guard isName, (1...64).contains(team.count), !team.hasPrefix("-") else {
      throw ValidationError(
        "“\(team)” is no name of a file; write letters, digits, hyphens and underscores, 64 at most."
      )
    }
    try requireFileName(model, "--model")
    try requireFileName(predictions, "--predictions")
    try requireFolderName(data, "--data")
  }

  func run() async throws {
    let catalogue = try Catalogue()
    let target = URL(fileURLWithPath: "\(team).zip")
    try AtomicFile.requireFile(target)
    guard !holdsOther(than: "PK", target) else {
      throw LabError(
        .input, "\(target.path) is no ZIP file and would be lost; move it, or give another name.")
    }
    let (options, label) = try trainingOptions()
    let table = try storedPredictions()
    try requireAgreement(catalogue)
    try await requirePredictions(table)
    Console.complain("The predictions are the model's; the write-up takes about half a minute.")
    let site = try catalogue.site()
    let writeUp =
      try await Site.canPrint()
      ? ["lab.pdf": try await site.document()] : try await site.files().files
    let bytes = try read(model)
    let submission = Submission(
      team: team,
      model: .init(
        digest: SHA256.digest(of: bytes).hexadecimal, bytes: bytes.count, options: options),
      differing: try differing(catalogue))
    let zip = try submission.zip(of: catalogue.root, writeUp: writeUp, predictions: table)
    let packed = try zip.encoded
    try Task.checkCancellation()
    try AtomicFile.write(packed, to: target)
    let size = String(format: "%.1f MB", Double(packed.count) / 1e6)
    let form = writeUp["lab.pdf"] == nil ? "pages" : "a PDF"
    print("Wrote \(team).zip: \(zip.paths.count.of("file")), \(size), the write-up as \(form).")
    print("Title of the message: \(submission.title(course: course))")
    print("Link to the model: (where you have put \(model), \(label))")
    print("SHA-256 of the model: \(SHA256.digest(of: bytes).hexadecimal)")
  }

  /// The options that the model was trained with, and its label.
  ///
  /// - Throws: `LabError` of kind `.input` when it is none, or of another training than this code's.
  private func trainingOptions() throws -> (options: String, label: String) {
    let archive = try Archive(reading: URL(fileURLWithPath: model))
    guard archive.kind != ExportedModel.kind else {
      throw LabError(
        .input,
        "\(model) is what lab export made; name with --model the model that lab model wrote.")
    }
    guard archive.kind == "model", let settings = FinalModel.Settings(ofModel: archive.state) else {
      throw LabError(
        .input,
        "\(model) is no model of a full training by this code (\(archive.state)); make it with: "
          + "swift run lab model --out \(model.shellQuoted)")
    }
    var options = ""
    if settings.seed != defaultSeed { options += " --seed \(settings.seed)" }
    if let seed = settings.splitSeed { options += " --split-seed \(seed)" }
    return (options, archive.state)
  }

  private func storedPredictions() throws -> Data {
    guard FileManager.default.fileExists(atPath: predictions) else {
      throw LabError(.input, "\(predictions) is not there; make it with: \(remedy)")
    }
    return try read(predictions)
  }

  private func read(_ path: String) throws -> Data {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      throw LabError(.input, "\(path) cannot be read; name another.")
    }
    return data
  }

  private var remedy: String {
    var words = "swift run lab result"
    if model != "model.lab" { words += " --model \(model.shellQuoted)" }
    if predictions != "predictions.csv" { words += " --out \(predictions.shellQuoted)" }
    return words
  }

  /// Sees to it that the prose agrees with its records.
  private func requireAgreement(_ catalogue: Catalogue) throws {
    let failing = try catalogue.texts([]).filter { try !$0.agrees() }.map(\.name)
    guard failing.isEmpty else {
      throw LabError(
        .failed,
        "Nothing was packed: the prose and the records part in \(failing.joined(separator: ", ")); "
          + "swift run lab check says where.")
    }
  }

  /// Sees to it that the predictions are what the model says.
  private func requirePredictions(_ table: Data) async throws {
    let mnist = try await loadMNIST(data)
    let networks = try ModelFile(reading: URL(fileURLWithPath: model)).networks
    let read = try networks.evaluate(mnist.test, Array(0..<mnist.test.count)) {
      try Task.checkCancellation()
    }
    let own = FinalModel.table(read.all)
    guard own != table else { return }
    func rows(_ data: Data) -> [Substring] {
      String(decoding: data, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }
    let (ours, theirs) = (rows(own), rows(table))
    let parted = zip(ours, theirs).count { $0 != $1 }
    let words =
      ours.count == theirs.count
      ? "\(parted) of its \(read.all.predictions.count) rows part" : "it has other rows"
    throw LabError(
      .input, "\(predictions) is not what \(model) says (\(words)); make it with: \(remedy)")
  }

  /// How many predictions differ between the tiles, where the record of chapter 3.4 knows it.
  private func differing(_ catalogue: Catalogue) throws -> Int? {
    let record = try catalogue.files(TheFinalModel.self).storedRecord()
    return record?.values.first { $0.name == TheFinalModel.differingValue }.map { Int($0.value) }
  }
}

extension FinalModel.Settings {
  /// The settings of the full training that a model of theirs is labelled with; nil where this code has
  /// none.
  fileprivate init?(ofModel label: String) {
    guard let match = label.firstMatch(of: /seed (\d+)$/), let seed = UInt64(match.output.1) else {
      return nil
    }
    self.init()
    self.seed = seed
    splitSeed = Self.splitSeed(ofLabel: label)
    guard self.label == label else { return nil }
  }

  /// The seed of the labels that a training with a label has drawn; nil for those of the kit.
  static func splitSeed(ofLabel label: String) -> UInt64? {
    label.firstMatch(of: /split seed (\d+)/).flatMap { UInt64($0.output.1) }
  }
}
