import Files
import Tensors

/// The training images shared out for semi-supervised learning, as indices in training order.
///
/// Every image is in exactly one of the three lists, and each list is in ascending order.
public struct Split: Sendable, Equatable {
  /// The images whose labels may be used for gradients.
  public let labelled: [Int]
  /// The images whose labels may be used to choose a model, never for gradients.
  public let validation: [Int]
  /// The rest, whose labels nobody may look at.
  public let unlabelled: [Int]

  /// All images that come without labels: the rest, and those for validation, 57,000 of the kit's.
  public var withoutLabels: [Int] { unlabelled + validation }

  /// The split of the lab's kit: of each class the first images, by default 300, are labelled, and
  /// the next 1,000 are for validation.
  ///
  /// - Throws: `LabError` of kind `.input` when a class has too few images.
  public static func kit(
    _ labels: [UInt8], labelledPerClass: Int = 300, validationPerClass: Int = 1000
  ) throws -> Split {
    try Split(labels, labelledPerClass, validationPerClass) { _ in }
  }

  /// A random split with as many images of each class: equal seeds give equal splits.
  ///
  /// Each class in turn is shuffled (Fisher & Yates) by `RandomStream(seed:, "split")`; the first
  /// images are labelled, the next are for validation.
  /// - Throws: `LabError` of kind `.input` when a class has too few images.
  public static func balanced(
    _ labels: [UInt8], labelledPerClass: Int = 300, validationPerClass: Int = 1000, seed: UInt64
  ) throws -> Split {
    var random = RandomStream(seed: seed, "split")
    return try Split(labels, labelledPerClass, validationPerClass) { members in
      let order = random.permutation(members.count)
      members = order.map { [members] in members[$0] }
    }
  }

  /// Takes the first members of each class after `arrange` has put them in order.
  private init(
    _ labels: [UInt8], _ labelledPerClass: Int, _ validationPerClass: Int,
    arrange: (inout [Int]) -> Void
  ) throws {
    precondition(
      labelledPerClass >= 0 && validationPerClass >= 0, "a split takes no negative number of images"
    )
    let taken = labelledPerClass + validationPerClass
    var labelled: [Int] = []
    var validation: [Int] = []
    var unlabelled: [Int] = []
    for (digit, found) in members(of: labels).enumerated() {
      guard found.count >= taken else {
        throw LabError(
          .input,
          "Class \(digit) has \(found.count.grouped) images, fewer than the "
            + "\(labelledPerClass.grouped) labelled and \(validationPerClass.grouped) for "
            + "validation; ask for fewer.")
      }
      var members = found
      arrange(&members)
      labelled += members[..<labelledPerClass]
      validation += members[labelledPerClass..<taken]
      unlabelled += members[taken...]
    }
    self.labelled = labelled.sorted()
    self.validation = validation.sorted()
    self.unlabelled = unlabelled.sorted()
  }
}

/// The indices of the images of each digit, in ascending order.
private func members(of labels: [UInt8]) -> [[Int]] {
  var members = [[Int]](repeating: [], count: ImageSet.classCount)
  for (index, label) in labels.enumerated() { members[Int(label)].append(index) }
  return members
}

/// How many images of each digit a part of the data holds: a row of `lab data`.
public struct ClassCounts: Sendable, Equatable {
  /// The part: train, test, labelled, validation or unlabelled.
  public let name: String
  /// The images of each digit, 0 to 9.
  public let perClass: [Int]

  /// The images of all digits.
  public var total: Int { perClass.reduce(0, +) }

  /// Counts the images at some indices.
  public init(_ name: String, _ labels: [UInt8], at indices: some Sequence<Int>) {
    var counts = [Int](repeating: 0, count: ImageSet.classCount)
    for index in indices { counts[Int(labels[index])] += 1 }
    self.name = name
    perClass = counts
  }
}

extension MNIST {
  /// The counts of the training and test images, and of the three parts of a split.
  public func counts(_ split: Split) -> [ClassCounts] {
    [
      ClassCounts("train", train.labels, at: train.labels.indices),
      ClassCounts("test", test.labels, at: test.labels.indices),
      ClassCounts("labelled", train.labels, at: split.labelled),
      ClassCounts("validation", train.labels, at: split.validation),
      ClassCounts("unlabelled", train.labels, at: split.unlabelled),
    ]
  }
}
