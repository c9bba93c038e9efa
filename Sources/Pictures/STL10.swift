import Files
import Foundation

/// STL-10: photographs of ten kinds of animals and vehicles, most of them without labels.
///
/// 100,000 images have no labels, 5,000 are to train on and 8,000 to test on. Results are those of
/// ten machines, each trained on the 1,000 images of a fold, and tested on all test images. Source:
/// Coates, Ng & Lee 2011, "An analysis of single-layer networks in unsupervised feature learning".
public struct STL10: Sendable {
  /// What the files of a data set must hold.
  struct Counts: Sendable {
    var unlabelled, train, test, fold: Int
    /// The bytes of the file of folds; nil where any number will do.
    var foldBytes: Int?

    /// Those of the published files: the sizes stand in torchvision's table of digests and in public
    /// copies of the data set, and the file of folds has the size that it has in those.
    static let published = Counts(
      unlabelled: 100_000, train: 5000, test: 8000, fold: 1000, foldBytes: 47_794)
  }

  /// The number of classes.
  public static let classCount = 10
  /// The number of folds.
  public static let foldCount = 10

  /// The images that have no labels.
  public let unlabelled: ColourImages
  /// The images to train on.
  public let train: ColourImages
  /// The images to test on.
  public let test: ColourImages
  /// The class of each image to train on, from 0; in the file they run from 1.
  public let trainLabels: [Int]
  /// The class of each image to test on, from 0.
  public let testLabels: [Int]
  /// The indices of the images to train on in each of the ten folds, from 0.
  public let folds: [[Int]]

  /// Opens the data set of a folder, or of the folder `stl10_binary` in it, and checks all of it but
  /// the pixels.
  ///
  /// - Parameter anySize: whether any number of images will do, for a quick look.
  /// - Throws: `LabError` of kind `.input` that names the file that is missing or malformed.
  public init(_ folder: URL, anySize: Bool) throws {
    try self.init(folder, counts: anySize ? nil : .published)
  }

  init(_ folder: URL, counts: Counts?) throws {
    let folder = try Self.place(folder)
    // The small files first: what they lack is found at once.
    train = try ColourImages("train_X.bin", in: folder, published: counts?.train)
    test = try ColourImages("test_X.bin", in: folder, published: counts?.test)
    unlabelled = try ColourImages("unlabeled_X.bin", in: folder, published: counts?.unlabelled)
    trainLabels = try Self.labels("train_y.bin", in: folder, imageCount: train.count)
    testLabels = try Self.labels("test_y.bin", in: folder, imageCount: test.count)
    folds = try Self.folds("fold_indices.txt", in: folder, imageCount: train.count, counts)
  }

  /// Where the files are: the archive unpacks into a folder of its own.
  private static func place(_ folder: URL) throws(LabError) -> URL {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: folder.path, isDirectory: &isFolder) else {
      throw LabError(
        .input, "\(folder.path) does not exist; name the folder of STL-10's files with --data.")
    }
    guard isFolder.boolValue else {
      throw LabError(
        .input, "\(folder.path) is no folder; name that of STL-10's files with --data.")
    }
    let inner = folder.appendingPathComponent("stl10_binary", isDirectory: true)
    func holdsImages(_ folder: URL) -> Bool {
      FileManager.default.fileExists(atPath: folder.appendingPathComponent("train_X.bin").path)
    }
    return holdsImages(inner) && !holdsImages(folder) ? inner : folder
  }

  /// The classes that a file of labels gives, one for each image.
  static func labels(_ name: String, in folder: URL, imageCount: Int) throws -> [Int] {
    let file = try PlacedFile(name, in: folder)
    guard file.count == imageCount else {
      throw file.fault(
        "holds \(file.count.withCommas) labels for \(imageCount.withCommas) images")
    }
    let labels = try file.bytes()
    if let wrong = labels.firstIndex(where: { !(1...UInt8(classCount)).contains($0) }) {
      throw file.fault(
        "gives image \(wrong.withCommas) the label \(labels[wrong]), where labels run from 1 to "
          + "\(classCount)")
    }
    return labels.map { Int($0) - 1 }
  }

  /// The folds of a file: ten lines of indices with spaces between them.
  static func folds(
    _ name: String, in folder: URL, imageCount: Int, _ counts: Counts?
  ) throws -> [[Int]] {
    let file = try PlacedFile(name, in: folder)
    if let published = counts?.foldBytes, file.count != published {
      throw file.fault(
        "has \(file.count.withCommas) bytes, \(file.count < published ? "fewer" : "more") than the "
          + "\(published.withCommas) of the published one")
    }
    // Before anything is reserved for it: no index needs more bytes than that.
    guard file.count <= 1 << 24 else {
      throw file.fault("has \(file.count.withCommas) bytes, more than ten folds need")
    }
    let text = String(decoding: try file.bytes(), as: UTF8.self)
    let lines = text.split(whereSeparator: \.isNewline)
      .map { $0.split(whereSeparator: \.isWhitespace) }.filter { !$0.isEmpty }
    guard lines.count == foldCount else {
      throw file.fault("has \(lines.count) lines of indices instead of \(foldCount)")
    }
    var folds: [[Int]] = []
    for (number, words) in lines.enumerated() {
      if let fold = counts?.fold, words.count != fold {
        throw file.fault(
          "has \(words.count.withCommas) indices in line \(number + 1) instead of "
            + "\(fold.withCommas)")
      }
      guard words.count >= 2 else {
        throw file.fault("has a single index in line \(number + 1), where two are the fewest")
      }
      var fold: [Int] = []
      for word in words { fold.append(try index(word, number + 1, file, imageCount)) }
      folds.append(fold)
    }
    return folds
  }

  /// The index that a word of a line stands for.
  private static func index(
    _ word: Substring, _ line: Int, _ file: PlacedFile, _ imageCount: Int
  ) throws(LabError) -> Int {
    guard let index = Int(word) else {
      throw file.fault(
        "has “\(String(word).lastWords?.prefix(20) ?? "")” in line \(line), where the index of an "
          + "image belongs")
    }
    guard (0..<imageCount).contains(index) else {
      throw file.fault(
        "names image \(index.withCommas) in line \(line), where they run from 0 to "
          + "\((imageCount - 1).withCommas)")
    }
    return index
  }
}
