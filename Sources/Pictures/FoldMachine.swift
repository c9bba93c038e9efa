import Methods
import Tensors

/// The linear machine of one fold, its penalty chosen on parts of the fold that were held out.
struct FoldMachine {
  /// The penalty that was chosen: the smallest of those that got the most held-out images right.
  let cost: Double
  /// The accuracy on the held-out images at that penalty, in percent.
  let heldOut: Double
  /// For plain features: `[10, d]` and `[10]`.
  private let weights, biases: Tensor

  /// Trains on the images of a fold.
  ///
  /// - Parameters:
  ///   - features: those of all images to train on, `[n, d]`.
  ///   - labels: the class of each of them, from 0.
  ///   - fold: the images of the fold.
  ///   - costs: the penalties C to choose from, from the smallest.
  ///   - parts: into how many parts the fold is dealt; each is held out once.
  ///   - stream: deals them.
  /// - Throws: `CancellationError`.
  init(
    _ features: Tensor, _ labels: [Int], _ fold: [Int], _ costs: [Double], parts: Int,
    using stream: RandomStream
  ) throws {
    let dealt = Self.deal(fold, labels, parts: min(parts, fold.count), using: stream)
    var right = [Int](repeating: 0, count: costs.count)
    for held in dealt.indices {
      let own = dealt.indices.filter { $0 != held }.flatMap { dealt[$0] }
      let rows = features.gatheredRows(own)
      let scaling = FeatureScaling(rows)
      let (scaled, judged) = (scaling(rows), scaling(features.gatheredRows(dealt[held])))
      var start: Tensor?
      for (place, cost) in costs.enumerated() {
        let machine = try LinearSVM(
          scaled, labels: own.map { labels[$0] }, classes: STL10.classCount, cost: cost,
          from: start)
        start = machine.weights
        right[place] += Self.correct(
          judged.product(machine.weights, transposing: .second), dealt[held].map { labels[$0] })
      }
    }
    let best = right.firstIndex(of: right.max()!)!
    cost = costs[best]
    heldOut = 100 * Double(right[best]) / Double(fold.count)
    let rows = features.gatheredRows(fold)
    let scaling = FeatureScaling(rows)
    let machine = try LinearSVM(
      scaling(rows), labels: fold.map { labels[$0] }, classes: STL10.classCount, cost: cost)
    (weights, biases) = scaling.unscaled(machine.weights)
  }

  /// How many images it gets right.
  ///
  /// - Parameters:
  ///   - features: theirs, `[n, d]`.
  ///   - labels: their classes.
  func correct(_ features: Tensor, _ labels: [Int]) -> Int {
    var scores = features.product(weights, transposing: .second)
    scores.addToRows(biases, activation: .identity)
    return Self.correct(scores, labels)
  }

  /// The rows of scores `[n, 10]` whose largest is that of their class; of equal ones the first
  /// counts.
  private static func correct(_ scores: Tensor, _ labels: [Int]) -> Int {
    let classes = scores.shape[1]
    return labels.indices.count { row in
      let own = (0..<classes).map { scores[row * classes + $0] }
      return own.firstIndex(of: own.max()!) == labels[row]
    }
  }

  /// Deals a fold into parts of nearly one size, in which each class has nearly its share.
  static func deal(
    _ fold: [Int], _ labels: [Int], parts: Int, using stream: RandomStream
  ) -> [[Int]] {
    var stream = stream
    let mixed = fold.shuffled(using: &stream)
    var dealt = [[Int]](repeating: [], count: parts)
    var next = 0
    for label in 0..<STL10.classCount {
      for image in mixed where labels[image] == label {
        dealt[next % parts].append(image)
        next += 1
      }
    }
    return dealt
  }
}

extension Tensor {
  /// Some rows of a matrix `[n, d]`, in the order that is asked for.
  fileprivate func gatheredRows(_ places: [Int]) -> Tensor {
    let d = shape[1]
    return Tensor(uninitialized: [places.count, d]) { target in
      for (row, place) in places.enumerated() {
        precondition(place >= 0 && place < shape[0], "there is no row \(place)")
        (target.baseAddress! + row * d).update(from: pointer + place * d, count: d)
      }
    }
  }
}
