import Foundation

/// A set of stripes in the file format of STL-10, small enough to be made in a test.
///
/// The class of an image says the direction of its stripes, and whether they are red or blue.
public enum TinySTL10 {
  /// The images of each kind, and those of each fold.
  public static let (unlabelled, train, test, fold) = (60, 60, 40, 30)
  /// The bytes of an image.
  public static let bytesPerImage = 3 * 96 * 96
  /// The names of the six files, in the order of the alphabet.
  public static let names = [
    "fold_indices.txt", "test_X.bin", "test_y.bin", "train_X.bin", "train_y.bin", "unlabeled_X.bin",
  ]

  /// Writes the six files into a folder, which is made where it is missing.
  public static func write(to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    for (name, data) in files { try data.write(to: folder.appendingPathComponent(name)) }
  }

  /// The contents of the six files, made once.
  private static let files: [String: Data] = {
    var files = ["fold_indices.txt": Data(folds.utf8)]
    for (name, count) in [("unlabeled", unlabelled), ("train", train), ("test", test)] {
      files["\(name)_X.bin"] = Data(
        (0..<count).flatMap { image($0 % 10, seed: UInt64(1000 * name.count + $0)) })
      if name != "unlabeled" {
        files["\(name)_y.bin"] = Data((0..<count).map { UInt8($0 % 10 + 1) })
      }
    }
    return files
  }()

  /// Ten lines of indices; fold n begins with the n-th image.
  public static var folds: String {
    (0..<10).map { start in
      (0..<fold).map { "\((start + $0) % train)" }.joined(separator: " ") + "\n"
    }.joined()
  }

  /// The bytes of an image of a class, from 0: its channels, each column after column.
  public static func image(_ label: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    /// A number from 0 to 1, by a congruential generator.
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 24)
    }
    let angle = Double(label % 5) * .pi / 5, phase = 2 * .pi * next()
    let (dx, dy) = (cos(angle) * 0.6, sin(angle) * 0.6)
    return (0..<bytesPerImage).map { place in
      let (channel, x, y) = (place / 9216, place % 9216 / 96, place % 96)
      let isStriped = channel == (label < 5 ? 0 : 2)
      let stripe = isStriped ? 90 * sin(dx * Double(x) + dy * Double(y) + phase) : 0
      return UInt8(128 + stripe + 30 * (next() - 0.5))
    }
  }
}
