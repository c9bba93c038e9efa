import Digits
import Files
import Foundation
import Methods
import Networks
import Tensors

/// A file that digits can be read with: what `lab model` trains, or what `lab export` makes of it.
public struct ModelFile {
  /// Where an exported model is kept in the package.
  public static let exported = "results/model/weights.bin"

  /// The networks of the file.
  public let networks: CrossNetworks
  /// The training that made them.
  public let training: String
  private let url: URL
  /// What the file says of itself; nil for one that `lab model` wrote.
  public let description: ExportedModel.Description?

  /// Reads a file of either kind.
  ///
  /// - Throws: `LabError` of kind `.input` when it is missing, damaged, or neither.
  public init(reading url: URL) throws(LabError) {
    self.url = url
    let trained = CrossNetworks(FinalModel.settings, seed: 0, name: "overwritten")
    // A checkpoint, which has averages and moments as well, is told from a file that is too large.
    let limit = max(4 * Archive.mostBytes(of: trained), ExportedModel.mostBytes)
    // Weights come back by an export; a training would leave them as they are.
    let remedy =
      url.pathExtension == "bin"
      ? "restore it, or make it again with: swift run lab export"
      : "train it again with: swift run lab model"
    let archive = try Archive(reading: url, limit: limit, remedy: remedy)
    switch archive.kind {
    case ExportedModel.kind:
      let model = try ExportedModel(archive, from: url)
      (networks, training, description) = (
        model.networks, model.description.training, model.description
      )
    case "model":
      try archive.restore(trained, from: url)
      (networks, training, description) = (trained, archive.state, nil)
    default:
      throw LabError(
        .input, "\(url.path) is a checkpoint and no model; name the model beside it.")
    }
  }

  /// The probabilities of the ten digits for each of some images, row by row.
  ///
  /// - Throws: `CancellationError`.
  public static func probabilities(
    _ networks: CrossNetworks, _ set: ImageSet
  ) throws -> [[Float]] {
    var rows: [[Float]] = []
    // As they are read for the table of predictions: which images are read together changes no bit.
    for batch in Array(0..<set.count).batches(of: 500) {
      try Task.checkCancellation()
      let p = networks.probabilities(set.images(batch)).all.values
      rows += batch.indices.map { row in
        let start = (row - batch.startIndex) * ImageSet.classCount
        return Array(p[start..<start + ImageSet.classCount])
      }
    }
    return rows
  }

  /// The probabilities of the ten digits for one image of 28 × 28 bytes, 0 for paper.
  ///
  /// - Throws: `LabError` of kind `.input` when they are no numbers.
  public func read(_ pixels: [UInt8]) throws(LabError) -> [Float] {
    let image = ImageSet(pixels: pixels, labels: [0]).images([0])
    let p = networks.probabilities(image).all.values
    try Self.requireNumbers(p, of: url)
    return p
  }

  /// Sees to it that a model has said something: weights may be finite and yet too large.
  ///
  /// - Throws: `LabError` of kind `.input` that names its file.
  public static func requireNumbers(_ probabilities: [Float], of url: URL) throws(LabError) {
    guard probabilities.allSatisfy(\.isFinite) else {
      throw LabError(
        .input,
        "\(url.path) has weights so large that its probabilities are no numbers; make it again with: "
          + "swift run lab model")
    }
  }
}

/// A table of probabilities, one row an image: `ID,p0,…,p9`, each with the digits that tell floats
/// apart.
public enum ProbabilityTable {
  /// Its first line.
  public static let header =
    "ID," + (0..<ImageSet.classCount).map { "p\($0)" }.joined(separator: ",")

  /// Its bytes.
  public static func encoded(_ rows: [[Float]]) -> Data {
    let lines = rows.enumerated().map { index, row in
      "\(index)," + row.map { "\($0)" }.joined(separator: ",") + "\n"
    }
    return Data((header + "\n" + lines.joined()).utf8)
  }
}
