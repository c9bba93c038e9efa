import Digits
import Foundation
import Gradients
import Methods
import Networks
import Notebook
import Tensors

/// What a network on surrogate classes has become.
package struct SurrogateLook: MeasuredResult, Sendable {
  /// The mean loss of a copy before the first step and at each twelfth of the training.
  package internal(set) var losses: [Double] = []
  /// The error on the validation images of the first draw, in percent, at each third.
  package internal(set) var thirds: [Double] = []
  /// The errors on validation at the end, in percent, by draw of 3,000 labels.
  package internal(set) var errors: [Double] = []
  /// Of fresh copies of its images, how many it is shown of each digit.
  package private(set) var copies = [Double](repeating: 0, count: ImageSet.classCount)
  /// How many of these it takes for the image that they were made of.
  package private(set) var right = [Double](repeating: 0, count: ImageSet.classCount)
  /// How many it takes for another image, by the digit of the copy, then of that other image.
  package private(set) var taken = [[Double]](
    repeating: [Double](repeating: 0, count: ImageSet.classCount), count: ImageSet.classCount)
  /// The parts of the mean loss of a fresh copy: for its digit, and for which image of that digit.
  package private(set) var (digitLoss, imageLoss) = (0.0, 0.0)

  /// The numbers that sum all up: which single copy is confused may differ.
  package var measures: [[Double]] {
    [losses, thirds, errors, [rightShare, withinShare, digitLoss, imageLoss]]
  }

  /// Fresh copies that are taken for the right image, in percent.
  package var rightShare: Double { 100 * Self.sum(right) / max(1, Self.sum(copies)) }

  /// Of the copies that are taken for a wrong image, those for one of the same digit, in percent.
  package var withinShare: Double {
    100 * Self.sum(taken.indices.map { taken[$0][$0] }) / max(1, Self.sum(taken.map(Self.sum)))
  }

  private static func sum(_ numbers: [Double]) -> Double { numbers.reduce(0, +) }

  /// Shows a network fresh copies of its images.
  mutating func confuse(
    _ network: ExemplarNetwork, _ seeds: UnlabelledImages, digits: [Int], seed: UInt64,
    copies count: Int, _ flag: SideBySide.Flag
  ) throws {
    var noise = RandomStream(seed: seed, "3.3.6", "fresh copies")
    for batch in (0..<count).map({ $0 % seeds.count }).batches(of: 250) {
      try flag.check()
      let logits = network.logits(of: SurrogateBatches.change(seeds(batch), &noise))
      for (row, (place, other)) in zip(batch, logits.predictions).enumerated() {
        let digit = digits[place]
        copies[digit] += 1
        if other == place { right[digit] += 1 } else { taken[digit][digits[other]] += 1 }
        let parts = Self.parts(
          logits.rows(row..<row + 1).values.map(Double.init), of: place, digits)
        digitLoss += parts.digit / Double(count)
        imageLoss += parts.image / Double(count)
      }
    }
  }

  // snippet.parts
  /// −ln P(image) in two parts: −ln P(digit of the image), and −ln P(image | its digit).
  ///
  /// - Parameters:
  ///   - logits: one an image that stands for a class.
  ///   - digits: the digit of each such image.
  package static func parts(
    _ logits: [Double], of image: Int, _ digits: [Int]
  ) -> (digit: Double, image: Double) {
    let largest = logits.max()!
    let masses = logits.map { exp($0 - largest) }
    let all = masses.reduce(0, +)
    let same = zip(masses, digits).reduce(0) { $0 + ($1.1 == digits[image] ? $1.0 : 0) }
    return (log(all / same), log(same / masses[image]))
  }
  // snippet.end
}

/// A draw of 3,000 labels whose validation images judge the features of a network.
struct SurrogateJudge: Sendable {
  /// What is tried for the cost of the machine.
  static let costs = [0.001, 0.01, 0.1]

  private let set: ImageSet
  private let labelled, validation: [Int]

  /// A judge over a split of a set; a quick one looks at a few images.
  init(_ set: ImageSet, _ split: Split, isQuick: Bool) {
    self.set = set
    labelled = isQuick ? Array(split.labelled.prefix(100)) : split.labelled
    validation = isQuick ? Array(split.validation.prefix(100)) : split.validation
  }

  /// The errors of linear machines on the features of a network, in percent, by their cost.
  func errors(of network: ExemplarNetwork, _ flag: SideBySide.Flag) throws -> [Double] {
    func features(_ indices: some Collection<Int>) throws -> [Tensor] {
      try Array(indices).batches(of: 500).map { batch in
        try flag.check()
        return network.features(set.images(batch))
      }
    }
    let rows = Tensor.concatenation(try features(labelled), axis: 0)
    let others = try features(validation)
    let truth = set.labels(validation)
    return try Self.costs.map { cost in
      try flag.check()
      let machine = try LinearReader(
        rows, labels: set.labels(labelled), cost: cost, isScaled: true)
      let read = others.flatMap { machine($0) }
      return 100 * Double(zip(read, truth).count { $0 != $1 }) / Double(truth.count)
    }
  }
}
